//! The tokenizer against texts tokenised by the published steps (`golden/make_tokenizer.py`).

#![allow(clippy::print_stderr, clippy::unwrap_used)]

use std::path::Path;

use serde::Deserialize;
use vlpt_clip::{ClipError, Tokenizer};

/// The embedded mini-clip's own vocabulary.
fn mini() -> Tokenizer {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/mini-clip");
    let read = |file: &str| fs_err::read_to_string(folder.join(file)).unwrap();
    Tokenizer::from_vocab_merges(&read("vocab.json"), &read("merges.txt"), 77).unwrap()
}

#[derive(Deserialize)]
struct Golden {
    text: String,
    openai: Vec<u32>,
    mini: Vec<u32>,
}

#[test]
fn odd_texts_get_the_ids_of_the_published_steps() {
    let (openai, mini) = (Tokenizer::openai(), mini());
    let lines = include_str!("golden/tokenizer.jsonl").lines();
    let mut seen = 0;
    for line in lines {
        let golden: Golden = serde_json::from_str(line).unwrap();
        assert_eq!(openai.bpe(&golden.text), golden.openai, "{:?}", golden.text);
        assert_eq!(
            mini.bpe(&golden.text),
            golden.mini,
            "{:?}, mini-clip",
            golden.text
        );
        seen += 1;
    }
    assert!(seen > 250, "only {seen} golden texts");
}

#[test]
fn five_hundred_captions_get_their_recorded_ids() {
    #[derive(Deserialize)]
    struct Caption {
        text: String,
        ids: Vec<u32>,
    }
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../shared/fixtures/tokenizer/captions_500.jsonl"
    );
    let Ok(file) = fs_err::read_to_string(path) else {
        let _ = std::io::Write::write_fmt(
            &mut std::io::stderr(),
            format_args!("SKIPPED: five_hundred_captions_get_their_recorded_ids: no {path}\n"),
        );
        return;
    };
    let openai = Tokenizer::openai();
    let captions: Vec<Caption> = file
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(captions.len(), 500);
    for caption in captions {
        assert_eq!(
            openai.encode(&caption.text).unwrap(),
            caption.ids,
            "{:?}",
            caption.text
        );
    }
}

#[test]
fn known_ids_are_where_they_belong() {
    let openai = Tokenizer::openai();
    assert_eq!(openai.bpe("a photo of a cat"), [320, 1125, 539, 320, 2368]);
    assert_eq!(openai.bpe("x"), [343]);
    assert_eq!(openai.bpe("."), [269]);
    assert_eq!(openai.bpe(".."), [852]);
    assert_eq!(
        (openai.sot(), openai.eot(), openai.vocab_size()),
        (49406, 49407, 49408)
    );
    assert_eq!(openai.encode("").unwrap(), [49406, 49407]);
    let mini = mini();
    assert_eq!(
        (mini.sot(), mini.eot(), mini.vocab_size()),
        (8704, 8705, 8706)
    );
}

/// A name's final full stop fuses with the sentence's, and the number of tokens stays the same:
/// the span of a class name in its prompt is as long as the bare name.
#[test]
fn a_final_full_stop_of_a_name_fuses_with_the_one_of_the_sentence() {
    let openai = Tokenizer::openai();
    let name = openai.bpe("a photo of a car on my left or right side.");
    let sentence = openai.bpe("a photo of a car on my left or right side..");
    assert_eq!(name.len(), sentence.len());
    assert_eq!(sentence.last(), Some(&852));
    let bracket = openai.bpe("snoopy (cartoon beagle)");
    assert_eq!(openai.bpe("snoopy (cartoon beagle).").len(), bracket.len());
    assert_eq!(openai.bpe("cat.").len(), openai.bpe("cat").len() + 1);
}

#[test]
fn a_text_beyond_the_context_length_is_named_or_cut() {
    let openai = Tokenizer::openai().with_context_length(5);
    let text = "a photo of a cat";
    let error = openai.encode(text).unwrap_err();
    assert!(matches!(
        error,
        ClipError::TextTooLong {
            tokens: 7,
            limit: 5,
            ..
        }
    ));
    assert!(error.to_string().contains(text), "{error}");
    assert!(error.hint().is_some());
    let long = openai.encode(&"é ".repeat(100_000)).unwrap_err();
    assert!(long.to_string().len() < 1000, "{long:.2000}");
    assert_eq!(
        openai.encode_truncated(text),
        [49406, 320, 1125, 539, 49407]
    );
    assert_eq!(openai.encode_truncated("a cat"), [49406, 320, 2368, 49407]);
    assert_eq!(openai.encode("a photo of").unwrap().len(), 5);
}

#[test]
fn very_long_words_are_no_trap() {
    let openai = Tokenizer::openai();
    let start = std::time::Instant::now();
    let ids = openai.bpe(&"ab".repeat(100_000));
    assert!(ids.len() > 10_000);
    assert!(openai.bpe(&"!".repeat(200_000)).len() > 1_000);
    assert!(openai.bpe(&"&".repeat(200_000)).len() > 1_000);
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}

#[test]
fn ids_turn_back_into_the_cleaned_text() {
    let openai = Tokenizer::openai();
    for text in ["a photo of a cat", "café 日本語", "👍 x"] {
        assert_eq!(openai.decode(&openai.bpe(text)), text);
    }
    assert_eq!(
        openai.decode(&openai.encode("A Cat").unwrap()),
        "<|startoftext|> a cat <|endoftext|>"
    );
    assert_eq!(openai.token_text(2368), Some("cat</w>"));
    assert_eq!(openai.token_text(49408), None);
    assert_eq!(openai.decode(&[999_999]), "\u{fffd}");
}

#[test]
fn the_files_of_a_folder_give_openais_ids_when_they_hold_openais_vocabulary() {
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../shared/fixtures/tokenizer"
    );
    let read = |file: &str| fs_err::read_to_string(Path::new(folder).join(file));
    let (Ok(vocab), Ok(merges)) = (read("vocab.json"), read("merges.txt")) else {
        let _ = std::io::Write::write_fmt(
            &mut std::io::stderr(),
            format_args!(
                "SKIPPED: the_files_of_a_folder_give_openais_ids...: nothing in {folder}\n"
            ),
        );
        return;
    };
    let files = Tokenizer::from_vocab_merges(&vocab, &merges, 77).unwrap();
    let openai = Tokenizer::openai();
    assert_eq!(files.vocab_size(), openai.vocab_size());
    for line in include_str!("golden/tokenizer.jsonl").lines() {
        let golden: Golden = serde_json::from_str(line).unwrap();
        assert_eq!(files.bpe(&golden.text), openai.bpe(&golden.text));
    }
}

#[test]
fn a_damaged_vocabulary_is_refused_with_its_reason() {
    let refused = |vocab: &str, merges: &str| {
        Tokenizer::from_vocab_merges(vocab, merges, 77)
            .unwrap_err()
            .to_string()
    };
    insta::assert_snapshot!(
        [
            refused("[]", ""),
            refused("{\"a\": 0}", ""),
            refused("{\"a\": 0, \"b\": 0}", ""),
            refused("{\"a\": 4000000000}", ""),
            refused("{\"<|startoftext|>\": 0, \"<|endoftext|>\": 1}", "#version: 0.2\na b\nc"),
        ]
        .join("\n"),
        @r#"
    tokenizer vocabulary: vocab.json: invalid type: sequence, expected a map at line 1 column 0; expected an object that gives an id for each symbol
    tokenizer vocabulary: no entry "<|startoftext|>" among 1 entries
    tokenizer vocabulary: vocab.json: id 0 stands for both "a" and "b"
    tokenizer vocabulary: vocab.json: 1 entries, but the largest id is 4000000000
    tokenizer vocabulary: merge 2 is "c"; expected two symbols with a space between
    "#
    );
}
