//! Files of text: lists of images, settings, what runs write, and sentences.

use vlpt_train::{RECIPES, parse};

use super::zips;
use crate::parts::join;

pub(crate) fn texts() -> Vec<Vec<u8>> {
    [
        "a photo of a dog.",
        "It's 3 o'clock &amp; THE caf\u{e9} isn&#39;t open",
        "&amp;lt;b&amp;gt; <|startoftext|> 12345 <|endoftext|>",
        "na\u{c3}\u{af}ve caf\u{c3}\u{a9} \u{e2}\u{20ac}\u{2122}s",
        "\u{1f600}\u{200d}\u{fe0f} \u{4e2d}\u{6587} \u{0e44}\u{0e17}\u{0e22}",
        "  tabs\tand\nlines \u{3000} ",
    ]
    .map(|text| text.as_bytes().to_vec())
    .into()
}

pub(crate) fn index_files() -> Vec<Vec<u8>> {
    let zip = &zips()[0];
    vec![
        join(&[
            b"round\nstop sign\n",
            b"train.zip@0/a.png 0\ntrain.zip@1/b.png 1\n",
            zip,
        ]),
        join(&[
            b"a\nb\n",
            b"train.zip@0/a.png 0,1\ntrain.zip@1/b.png 1\r\n",
            zip,
        ]),
    ]
}

pub(crate) fn split_files() -> Vec<Vec<u8>> {
    [
        r#"{"train": [["a.png", 0, "Forest"], ["b.png", 1, "Sea"]], "val": [], "test": [["a.png", 0, "Forest"]]}"#,
        r#"{"train": [["2750/a.png", 0, "x"]], "test": [["2750/b.png", 0, "x"]]}"#,
    ]
    .map(|text| text.as_bytes().to_vec())
    .into()
}

pub(crate) fn lists_jsonl() -> Vec<Vec<u8>> {
    [
        "{\"_impath\": \"eurosat/2750/a.png\", \"_label\": 0, \"_domain\": -1, \"_classname\": \"Forest\"}\n{\"_impath\": \"2750/b.png\", \"_label\": 1, \"_domain\": -1, \"_classname\": \"Sea\"}\n",
        "{\"impath\": \"C:\\\\2750\\\\b.png\", \"label\": 1}\n\n",
        "{\"_impath\": \"2750/b.png\", \"_label\": 4294967295}\n",
    ]
    .map(|text| text.as_bytes().to_vec())
    .into()
}

pub(crate) fn lists_pickle() -> Vec<Vec<u8>> {
    let record: &[u8] = b")\x81}(X\x07\0\0\0_impathX\x0a\0\0\x002750/a.pngX\x06\0\0\0_labelK\0X\x07\0\0\0_domainK\0X\x0a\0\0\0_classnameX\x06\0\0\0Forestub";
    let two = [
        b"\x80\x02}(X\x05\0\0\0train](cdassl.data.datasets.base_dataset\nDatum\nq\0",
        record,
        b"h\0",
        record,
        b"eX\x03\0\0\0val]u.",
    ];
    let five = [
        b"\x80\x05\x95\0\0\0\0\0\0\0\0}\x94(\x8c\x05train\x94](\x8c\x0edatasets.utils\x8c\x05Datum\x93",
        record,
        b"eu.",
    ];
    let call: &[u8] = b"\x80\x05}(\x8c\x05train\x8c\x05posix\x8c\x06system\x93\x8c\x04true\x85Ru.";
    vec![two.concat(), five.concat(), call.to_vec()]
}

pub(crate) fn manifests_csv() -> Vec<Vec<u8>> {
    [
        "path,label\ni/a.png,cat\ni/b.png,dog\n",
        "path,label,split\r\ni/a.png,\"cat, wild\",train\r\ni/b.png,\"a \"\"b\"\"\",test\r\n",
        "file,kind\ni/a.png,0\ni/b.png,1\n",
        "path;label\ni/a.png;cat|dog\ni/b.png;dog\n",
        "\u{feff}path\tlabel\ni/a.png\tx\n",
    ]
    .map(|text| text.as_bytes().to_vec())
    .into()
}

pub(crate) fn manifests_jsonl() -> Vec<Vec<u8>> {
    [
        "{\"path\": \"i/a.png\", \"label\": \"cat\"}\n{\"path\": \"i/b.png\", \"label\": \"dog\"}\n",
        "{\"path\": \"i/a.png\", \"label\": 0, \"split\": \"train\"}\r\n{\"path\": \"i/b.png\", \"label\": 1, \"split\": \"test\"}",
        "{\"file\": \"i/a.png\", \"kind\": [\"x\", \"y\"]}\n{\"file\": \"i/b.png\", \"kind\": []}\n",
    ]
    .map(|text| text.as_bytes().to_vec())
    .into()
}

/// Every recipe, all settings written out, and overrides.
pub(crate) fn configurations() -> Vec<Vec<u8>> {
    let whole = parse("", "nothing").expect("built-in values").to_toml();
    let overrides =
        "train.epochs=3\nseed=18446744073709551615\nimage.mean=[0.5, 0.5, 0.5]\nmodel=some/name\n";
    RECIPES
        .iter()
        .map(|recipe| recipe.text.as_bytes().to_vec())
        .chain([whole.into_bytes(), overrides.into()])
        .collect()
}

pub(crate) fn events() -> Vec<Vec<u8>> {
    [
        "{\"event\":\"end\",\"selected_epoch\":3,\"val\":81.5}\n",
        "{\"event\":\"end\",\"selected_epoch\":1,\"val\":null}\n{\"event\":\"ep",
        "{\"event\":\"epoch\",\"epoch\":1,\"lr\":0.002,\"loss\":0.25,\"train_accuracy\":75.0,\"val\":null,\"val_tasks\":[]}\n",
    ]
    .map(|text| text.as_bytes().to_vec())
    .into()
}
