//! Counts and options of TCP on the sizes of ViT-B/16.

use super::*;
use crate::context::b16;

fn on_b16(config: &TcpConfig) -> Result<Tcp> {
    Tcp::with_words(config, &b16(), &Words::default(), 0)
}

#[test]
fn parameters_and_the_block_are_the_published_ones() {
    let method = on_b16(&TcpConfig::default()).unwrap();
    assert_eq!(method.parameter_count(), 331_904);
    assert_eq!((method.context.count(), method.block), (4, 8));
    let shapes: Vec<&[usize]> = method.parameters().iter().map(Parameter::shape).collect();
    let expected: [&[usize]; 5] = [&[4, 512], &[128, 512], &[128], &[2048, 128], &[2048]];
    assert_eq!(shapes, expected);
}

#[test]
fn options_that_make_no_sense_are_refused_by_name() {
    let base = TcpConfig::default;
    let wrong = [
        (
            "tcp.weight",
            TcpConfig {
                weight: -1.0,
                ..base()
            },
        ),
        (
            "tcp.weight",
            TcpConfig {
                weight: f64::NAN,
                ..base()
            },
        ),
        (
            "tcp.hidden",
            TcpConfig {
                hidden: Some(0),
                ..base()
            },
        ),
        (
            "tcp.hidden",
            TcpConfig {
                hidden: Some(8193),
                ..base()
            },
        ),
        (
            "tcp.block",
            TcpConfig {
                block: Some(0),
                ..base()
            },
        ),
        (
            "tcp.block",
            TcpConfig {
                block: Some(12),
                ..base()
            },
        ),
        (
            "tcp.context",
            TcpConfig {
                context: Some(0),
                ..base()
            },
        ),
        (
            "\"name\"",
            TcpConfig {
                template: "name".to_owned(),
                ..base()
            },
        ),
        (
            "\"it\"",
            TcpConfig {
                class_template: "it".to_owned(),
                ..base()
            },
        ),
    ];
    for (key, config) in wrong {
        let error = on_b16(&config).unwrap_err().to_string();
        assert!(error.contains(key), "{key}: {error}");
    }
    let last = TcpConfig {
        block: Some(11),
        ..base()
    };
    assert!(on_b16(&last).is_ok());
}
