//! Choices about images that published code does not make: the same flags wherever no prompt has made them.

use clap::{Args, ValueEnum};
use vlpt_adapter::ImageConfig;
use vlpt_data::image::{Exif, Grey16, ResizeOrder};

/// Choices of decoding and resizing. A prompt remembers those it was tuned with.
#[derive(Debug, Clone, Copy, Default, Args)]
#[command(next_help_heading = "Images")]
pub(crate) struct ViewFlags {
    /// Turn photos as their EXIF data says, or `ignore` it as published code does [default: ignore]
    #[arg(long, value_enum, value_name = "RULE")]
    exif: Option<ExifArg>,
    /// 16-bit grey: `clip` at 255 as Pillow does, or `scale` to 8 bits [default: clip]
    #[arg(long, value_enum, value_name = "RULE")]
    grey16: Option<Grey16Arg>,
    /// Which direction is resized first: `classic` as before Pillow 12.2, or `pillow13` [default: classic]
    #[arg(long, value_enum, value_name = "RULE")]
    resize_order: Option<OrderArg>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ExifArg {
    Apply,
    Ignore,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Grey16Arg {
    Clip,
    Scale,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum OrderArg {
    Classic,
    Pillow13,
}

impl ViewFlags {
    /// As [`ViewFlags::config`], for people's own photos: these are turned as they say unless a flag says
    /// otherwise.
    pub(crate) fn with_exif_applied(mut self) -> ImageConfig {
        self.exif = self.exif.or(Some(ExifArg::Apply));
        self.config()
    }

    /// Changes to a model's own preprocessing.
    pub(crate) fn config(self) -> ImageConfig {
        ImageConfig {
            resize: None,
            exif: match self.exif {
                Some(ExifArg::Apply) => Exif::Apply,
                Some(ExifArg::Ignore) | None => Exif::Ignore,
            },
            grey16: match self.grey16 {
                Some(Grey16Arg::Scale) => Grey16::Scale,
                Some(Grey16Arg::Clip) | None => Grey16::Clip,
            },
            resize_order: match self.resize_order {
                Some(OrderArg::Pillow13) => ResizeOrder::Pillow13,
                Some(OrderArg::Classic) | None => ResizeOrder::Classic,
            },
        }
    }

    /// The flags given, as settings of a configuration.
    pub(crate) fn settings(self) -> Vec<String> {
        let name = |value: Option<clap::builder::PossibleValue>| {
            value.map_or_else(String::new, |value| value.get_name().to_owned())
        };
        let exif = self.exif.map(|v| ("exif", name(v.to_possible_value())));
        let grey = self.grey16.map(|v| ("grey16", name(v.to_possible_value())));
        let order = self
            .resize_order
            .map(|v| ("resize_order", name(v.to_possible_value())));
        let given = [exif, grey, order].into_iter().flatten();
        given
            .map(|(key, value)| format!("image.{key}={value}"))
            .collect()
    }

    /// The flags given, by name; for commands where a prompt says these things itself.
    pub(crate) fn given(self) -> Vec<&'static str> {
        let flags = [
            self.exif.map(|_| "--exif"),
            self.grey16.map(|_| "--grey16"),
            self.resize_order.map(|_| "--resize-order"),
        ];
        flags.into_iter().flatten().collect()
    }
}
