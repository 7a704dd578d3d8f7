//! No code outside a method's file names the method: neither its name, nor its options, nor its
//! types. What has to know about methods reads the list.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use vlpt_methods::{METHODS, option_tables};

/// Whole crates and files that may say such words: path prefix, and why.
const FREE: [(&str, &str); 5] = [
    (
        "vlpt-data/",
        "below all methods: \"coop\" is a layout of folders, and a rule of few-shot subsets",
    ),
    ("vlpt-methods/src/registry.rs", "the list"),
    (
        "vlpt-train/src/config/recipes.rs",
        "names of files: recipes are data",
    ),
    ("vlpt-methods/src/lib.rs", "exports of the methods' types"),
    ("vlpt-methods/src/baselines/mod.rs", "the same"),
];

/// Texts that are equal to a method's name and mean something else: file, text, and what.
const OTHERS: [(&str, &str, &str); 20] = [
    ("vlpt-adapter/src/rows/parquet.rs", "vlpt", "the program"),
    ("vlpt-base/src/cache.rs", "vlpt", "the program"),
    (
        "vlpt-bench/src/protocol/few_shot.rs",
        "coop",
        "a suite of data sets",
    ),
    ("vlpt-export/src/onnx/encode.rs", "vlpt", "the program"),
    ("vlpt-serve/src/http/oip/mod.rs", "vlpt", "the program"),
    ("vlpt-serve/src/http/openapi.rs", "vlpt", "the program"),
    ("vlpt-serve/src/metrics.rs", "vlpt", "the program"),
    (
        "vlpt-serve/src/prompts/prompt.rs",
        "zero-shot",
        "the model without a prompt, in URLs",
    ),
    ("vlpt-tables/src/columns/parquet.rs", "vlpt", "the program"),
    ("vlpt/src/invocation.rs", "vlpt", "the program"),
    ("vlpt/src/lib.rs", "vlpt", "the program"),
    (
        "vlpt/src/commands/bench/mod.rs",
        "coop",
        "a suite of data sets",
    ),
    ("vlpt/src/commands/doctor.rs", "vlpt", "the program"),
    ("vlpt/src/commands/data.rs", "coop", "a few-shot rule"),
    ("vlpt-report/src/demo/mod.rs", "zero-shot", "a bar's label"),
    ("vlpt/src/demo/page.rs", "zero-shot", "a bar's label"),
    (
        "vlpt/src/commands/multitask/adapt.rs",
        "zero-shot",
        "a row's label",
    ),
    (
        "vlpt/src/commands/zeroshot/mod.rs",
        "zero-shot",
        "a classifier of texts",
    ),
    ("vlpt-study/src/job.rs", "zero-shot", "a kind of job"),
    (
        "vlpt-study/src/merge/cells.rs",
        "zero-shot",
        "a kind of transfer",
    ),
];

/// Code as words outside of texts and comments, and as texts.
#[derive(Debug, Default, PartialEq)]
struct Parts {
    words: BTreeSet<String>,
    texts: Vec<String>,
}

impl Parts {
    fn of(source: &str) -> Self {
        let mut parts = Self::default();
        let mut code = String::new();
        let mut rest = source;
        while let Some(c) = rest.chars().next() {
            let raw = rest
                .strip_prefix('r')
                .map(|r| (r, r.trim_start_matches('#')));
            let after_word = code.ends_with(|c: char| c.is_alphanumeric() || c == '_');
            if rest.starts_with("//") {
                rest = rest.find('\n').map_or("", |end| &rest[end..]);
            } else if let Some((hashes, quoted)) = raw
                && quoted.starts_with('"')
                && !after_word
            {
                let hashes = &hashes[..hashes.len() - quoted.len()];
                let end = quoted[1..].find(&format!("\"{hashes}")).unwrap() + 1;
                parts.texts.push(quoted[1..end].to_owned());
                rest = &quoted[end + 1 + hashes.len()..];
            } else if c == '"' {
                let text = &rest[1..];
                let mut escaped = false;
                let end = text.find(|c| {
                    let ends = c == '"' && !escaped;
                    escaped = c == '\\' && !escaped;
                    ends
                });
                let end = end.unwrap();
                parts.texts.push(text[..end].to_owned());
                code.push(' ');
                rest = &text[end + 1..];
            } else if c == '\'' && (rest.starts_with("'\\") || rest.chars().nth(2) == Some('\'')) {
                // a character, no lifetime
                let from = if rest.starts_with("'\\") { 3 } else { 2 };
                let skipped: usize = rest.chars().take(from).map(char::len_utf8).sum();
                let end = rest[skipped..].find('\'').unwrap();
                rest = &rest[skipped + end + 1..];
            } else {
                code.push(c);
                rest = &rest[c.len_utf8()..];
            }
        }
        let words = code.split(|c: char| !c.is_alphanumeric() && c != '_');
        parts.words = words.map(str::to_owned).collect();
        parts
    }
}

/// The source without its test modules that stand in the file.
fn without_tests(source: &str) -> String {
    let mut kept = String::new();
    let mut lines = source.lines().peekable();
    while let Some(line) = lines.next() {
        let inline = |next: &&str| next.starts_with("mod ") && next.ends_with('{');
        if line == "#[cfg(test)]" && lines.peek().is_some_and(inline) {
            lines.by_ref().find(|line| *line == "}");
            continue;
        }
        kept += line;
        kept.push('\n');
    }
    kept
}

/// What names a method: names and tables, from the list; types, from what is exported.
struct Known {
    names: Vec<&'static str>,
    tables: Vec<String>,
    modules: BTreeSet<String>,
    types: BTreeSet<String>,
}

impl Known {
    fn read() -> Self {
        let methods = crates().join("vlpt-methods/src");
        let read = |file: &str| std::fs::read_to_string(methods.join(file)).unwrap();
        let registry = read("registry.rs");
        // `&coop::SPEC,`
        let modules: BTreeSet<String> = registry
            .lines()
            .filter_map(|line| line.trim().strip_prefix('&')?.strip_suffix(','))
            .filter_map(|path| Some(path.split_once("::")?.0.to_owned()))
            .collect();
        let plain: Vec<String> = modules.iter().map(|m| m.replace('_', "")).collect();
        let is_of_a_method = |word: &String| {
            let lower = word.to_lowercase();
            word.starts_with(char::is_uppercase) && plain.iter().any(|m| lower.starts_with(m))
        };
        let exported = read("lib.rs") + &read("baselines/mod.rs");
        let types = Parts::of(&exported).words;
        Self {
            names: METHODS.iter().map(|spec| spec.name).collect(),
            tables: option_tables()
                .iter()
                .map(|t| format!("{}.", t.name))
                .collect(),
            types: types.into_iter().filter(is_of_a_method).collect(),
            modules,
        }
    }

    /// Words of a source that name a method.
    fn found(&self, source: &str) -> Vec<String> {
        let Parts { words, texts } = Parts::of(&without_tests(source));
        let is_key = |text: &str| {
            let mut words = text.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '.');
            words.any(|word| {
                let tables = self.tables.iter();
                let word = word.strip_prefix("method.").unwrap_or(word);
                let mut key = tables.filter_map(|table| word.strip_prefix(table.as_str()));
                key.any(|key| key.starts_with(|c: char| c.is_ascii_lowercase()))
            })
        };
        let mut found: Vec<String> = words.intersection(&self.types).cloned().collect();
        let named = |text: &String| self.names.contains(&text.as_str()) || is_key(text);
        found.extend(texts.into_iter().filter(named));
        found
    }

    /// Whether a file is a method's own.
    fn owns(&self, file: &str) -> bool {
        let Some(file) = file.strip_prefix("vlpt-methods/src/") else {
            return false;
        };
        let file = file.strip_prefix("baselines/").unwrap_or(file);
        let module = file.split('/').next().unwrap().trim_end_matches(".rs");
        self.modules.contains(module)
    }
}

fn crates() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// All source files of all crates but test modules, by their paths from `crates`.
fn sources() -> Vec<(String, String)> {
    let mut files = Vec::new();
    let mut folders: Vec<PathBuf> = std::fs::read_dir(crates())
        .unwrap()
        .map(|entry| entry.unwrap().path().join("src"))
        .filter(|folder| folder.is_dir())
        .collect();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if path.is_dir() && name != "tests" {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") && name != "tests.rs" {
                let file = path.strip_prefix(crates()).unwrap().to_str().unwrap();
                files.push((
                    file.replace('\\', "/"),
                    std::fs::read_to_string(&path).unwrap(),
                ));
            }
        }
    }
    files.sort();
    files
}

#[test]
fn no_method_is_named_outside_its_file() {
    let known = Known::read();
    let (mut wrong, mut used) = (Vec::new(), BTreeSet::new());
    let sources = sources();
    assert!(sources.len() > 300, "{} files", sources.len());
    for (file, source) in &sources {
        if known.owns(file) || FREE.iter().any(|(free, _)| file.starts_with(free)) {
            continue;
        }
        for word in known.found(source) {
            let mut allowed = OTHERS.iter().map(|(file, word, _)| (*file, *word));
            match allowed.find(|pair| *pair == (file.as_str(), word.as_str())) {
                Some(pair) => _ = used.insert(pair),
                None => wrong.push(format!("{file}: {word}")),
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "methods are named here:\n{}",
        wrong.join("\n")
    );
    for (file, word, why) in OTHERS {
        assert!(
            used.contains(&(file, word)),
            "{file} has no {word:?} ({why}) any more"
        );
    }
}

#[test]
fn the_search_finds_names_options_and_types() {
    let known = Known::read();
    for module in ["coop", "vpt", "upt", "tip_adapter", "zero_shot"] {
        assert!(known.modules.contains(module), "{:?}", known.modules);
    }
    for name in ["CoOp", "CoOpConfig", "Vlpt", "UptShape", "TipAdapterConfig"] {
        assert!(known.types.contains(name), "{:?}", known.types);
    }
    let found = |source: &str| known.found(source);
    assert_eq!(found(r#"let name = "coop";"#), ["coop"]);
    assert_eq!(found(r##"let name = r#"vpt"#;"##), ["vpt"]);
    assert_eq!(found(r#"set("method.upt.heads=2")"#).len(), 1);
    assert_eq!(found(r#"set("upt.heads=2")"#), ["upt.heads=2"]);
    assert_eq!(found(r#"say("give coop.context 4")"#).len(), 1);
    assert_eq!(found("x.find::<VptConfig>()"), ["VptConfig"]);
    let silent = [
        "// \"coop\" and CoOp",
        "/// Options of [`CoOpConfig`].",
        r#"say("as in CoOp's code")"#,
        r#"let c = '"'; let coop = "context";"#,
        "#[cfg(test)]\nmod tests {\n    const NAME: &str = \"coop\";\n}\n",
        "fn of<'a>(x: &'a str) -> &'a str { x }",
    ];
    for source in silent {
        assert_eq!(found(source), [""; 0], "{source}");
    }
    assert!(known.owns("vlpt-methods/src/upt/mvlpt.rs"));
    assert!(known.owns("vlpt-methods/src/baselines/tip_adapter/fit.rs"));
    assert!(!known.owns("vlpt-methods/src/import/mod.rs"));
    assert!(!known.owns("vlpt/src/vpt.rs"));
}
