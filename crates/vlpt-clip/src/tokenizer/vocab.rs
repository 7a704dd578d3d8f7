//! Vocabularies: OpenAI's, made from its merge list alone, and those of a model folder.

use std::collections::{BTreeMap, HashMap};
use std::io::Read;

use super::bpe::{Merges, Symbol};
use super::bytes::{BYTES, alphabet, vocabulary_order};
use crate::error::{ClipError, Result};

/// Start of text, as OpenAI and Hugging Face spell it.
pub(super) const SOT_TEXT: &str = "<|startoftext|>";
/// End of text, as OpenAI and Hugging Face spell it.
pub(super) const EOT_TEXT: &str = "<|endoftext|>";
/// The mark on the last symbol of a piece.
pub(super) const END_OF_WORD: &str = "</w>";

/// Merges that the released CLIP models use: the file holds more.
const OPENAI_MERGES: usize = 49152 - 256 - 2;

/// OpenAI's merge list (MIT, see the licence beside it).
static OPENAI: &[u8] = include_bytes!("../../assets/openai-bpe/bpe_simple_vocab_16e6.txt.gz");

/// Everything that turns bytes into ids and back.
#[derive(Debug, Clone)]
pub(super) struct Vocabulary {
    /// Text of each id, `None` where the ids have a hole.
    pub(super) texts: Vec<Option<String>>,
    /// The merge list over inner symbols.
    pub(super) merges: Merges,
    /// Inner symbol of each byte value: inside a piece, and at its end.
    pub(super) byte_symbols: [[Symbol; BYTES]; 2],
    /// Vocabulary id of each inner symbol.
    pub(super) ids: Vec<u32>,
    pub(super) sot: u32,
    pub(super) eot: u32,
}

impl Vocabulary {
    /// OpenAI's vocabulary of 49,408 entries: the 256 byte symbols, the same with the
    /// end-of-word mark, one entry a merge, start and end of text.
    pub(super) fn openai() -> Self {
        let mut text = String::new();
        flate2::read::GzDecoder::new(OPENAI)
            .read_to_string(&mut text)
            .expect("the embedded merge list is a gzip file of UTF-8");
        let lines: Vec<&str> = text.split('\n').skip(1).take(OPENAI_MERGES).collect();
        let alphabet = alphabet();
        let bare: Vec<String> = vocabulary_order()
            .map(|byte| alphabet[usize::from(byte)].to_string())
            .collect();
        let mut texts = bare.clone();
        texts.extend(bare.iter().map(|text| format!("{text}{END_OF_WORD}")));
        texts.extend(lines.iter().map(|line| line.replace(' ', "")));
        texts.extend([SOT_TEXT.to_owned(), EOT_TEXT.to_owned()]);
        Self::new(texts.into_iter().map(Some).collect(), &lines)
            .expect("the embedded vocabulary is whole")
    }

    /// The vocabulary of a Hugging Face folder: `vocab.json` (an object of text to id) and
    /// `merges.txt` (two symbols a line, best first, after an optional `#version` line).
    pub(super) fn from_files(vocab_json: &str, merges_txt: &str) -> Result<Self> {
        let by_text: BTreeMap<String, u32> = serde_json::from_str(vocab_json).map_err(|e| {
            ClipError::Vocabulary(format!(
                "vocab.json: {e}; expected an object that gives an id for each symbol"
            ))
        })?;
        let size = by_text.values().max().map_or(0, |&id| id as usize + 1);
        // Holes are fine, but not a vocabulary that is mostly holes (a damaged id would ask for
        // gigabytes here).
        if size > by_text.len().saturating_mul(2) + 1024 {
            return Err(ClipError::Vocabulary(format!(
                "vocab.json: {} entries, but the largest id is {}",
                by_text.len(),
                size - 1
            )));
        }
        let mut texts = vec![None; size];
        for (text, id) in by_text {
            let place: &mut Option<String> = &mut texts[id as usize];
            if let Some(other) = place {
                return Err(ClipError::Vocabulary(format!(
                    "vocab.json: id {id} stands for both {other:?} and {text:?}"
                )));
            }
            *place = Some(text);
        }
        let lines: Vec<&str> = merges_txt
            .lines()
            .enumerate()
            .filter(|(i, line)| {
                !(line.trim().is_empty() || *i == 0 && line.starts_with("#version"))
            })
            .map(|(_, line)| line)
            .collect();
        Self::new(texts, &lines)
    }

    /// Builds the tables. A byte symbol or a merge whose result has no id of its own becomes the
    /// end-of-text id, which CLIP vocabularies name as their unknown token.
    fn new(texts: Vec<Option<String>>, merge_lines: &[&str]) -> Result<Self> {
        // The later of two equal texts wins, as in a dictionary built from the list.
        let known: HashMap<&str, u32> = texts
            .iter()
            .enumerate()
            .filter_map(|(id, text)| text.as_deref().map(|text| (text, id as u32)))
            .collect();
        let special = |text: &str| {
            known.get(text).copied().ok_or_else(|| {
                ClipError::Vocabulary(format!("no entry {text:?} among {} entries", known.len()))
            })
        };
        let (sot, eot) = (special(SOT_TEXT)?, special(EOT_TEXT)?);

        let mut symbols = Interner::default();
        let bare = alphabet();
        let mut byte_symbols = [[0; BYTES]; 2];
        for byte in 0..BYTES {
            byte_symbols[0][byte] = symbols.get(bare[byte].to_string());
            byte_symbols[1][byte] = symbols.get(format!("{}{END_OF_WORD}", bare[byte]));
        }
        let mut merges = Merges::default();
        for (rank, line) in merge_lines.iter().enumerate() {
            let mut parts = line.split_whitespace();
            let (Some(left), Some(right), None) = (parts.next(), parts.next(), parts.next()) else {
                return Err(ClipError::Vocabulary(format!(
                    "merge {} is {line:?}; expected two symbols with a space between",
                    rank + 1
                )));
            };
            let pair = (symbols.get(left.to_owned()), symbols.get(right.to_owned()));
            let merged = symbols.get(format!("{left}{right}"));
            merges.insert(pair, rank as u32, merged);
        }
        let ids = symbols
            .texts
            .iter()
            .map(|text| known.get(text.as_str()).copied().unwrap_or(eot))
            .collect();
        drop(known);
        Ok(Self {
            texts,
            merges,
            byte_symbols,
            ids,
            sot,
            eot,
        })
    }
}

/// Numbers for texts, in the order of their first appearance.
#[derive(Default)]
struct Interner {
    texts: Vec<String>,
    numbers: HashMap<String, Symbol>,
}

impl Interner {
    fn get(&mut self, text: String) -> Symbol {
        if let Some(&number) = self.numbers.get(&text) {
            return number;
        }
        let number = self.texts.len() as Symbol;
        self.texts.push(text.clone());
        self.numbers.insert(text, number);
        number
    }
}
