//! Words of a command as a shell reads them.

use std::path::Path;

/// A word of a command, quoted where a shell would take it apart.
pub fn word(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./:=,@%+~".contains(c);
    // a tilde at the beginning means a home folder
    if !text.is_empty() && !text.starts_with('~') && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// A path as a word of a command.
pub fn path(path: &Path) -> String {
    word(&path.to_string_lossy())
}

/// The command that goes on with a run.
pub fn resume_run(folder: &Path) -> String {
    format!("vlpt train --resume {}", path(folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_each_word_as_it_was() {
        assert_eq!(
            resume_run(Path::new("runs/a-1")),
            "vlpt train --resume runs/a-1"
        );
        assert_eq!(path(Path::new("my runs")), "'my runs'");
        assert_eq!(word("it's"), r"'it'\''s'");
        assert_eq!(word(""), "''");
        assert_eq!(word("~a"), "'~a'");
        assert_eq!(word("$(x)"), "'$(x)'");
    }
}
