//! One class list found in another by name: how names are written is forgiven, a doubt is not.

use unicode_normalization::UnicodeNormalization;

use crate::{AdapterError, Result};

/// What two spellings of a name have in common: letters in lower case and composed, without
/// underscores, hyphens and blanks between them.
///
/// What tells names apart stays: between two digits a separator is kept as a blank (`1-2` is not
/// `12`), and so is a hyphen at either end (`-1` is not `1`, `A-` not `A`).
pub fn plain_name(name: &str) -> String {
    let lower: Vec<char> = name
        .nfc()
        .collect::<String>()
        .to_lowercase()
        .nfc()
        .collect();
    let is_blank = |c: char| c == '_' || c.is_whitespace();
    let is_separator = |c: char| c == '-' || is_blank(c);
    let first = lower.iter().position(|&c| !is_blank(c));
    let last = lower.iter().rposition(|&c| !is_blank(c));
    let (Some(first), Some(last)) = (first, last) else {
        return String::new();
    };
    let trimmed = &lower[first..=last];
    let mut plain = String::with_capacity(name.len());
    let mut waiting = false;
    for (at, &c) in trimmed.iter().enumerate() {
        let at_an_end = at == 0 || at + 1 == trimmed.len();
        if is_separator(c) && !at_an_end {
            waiting = true;
            continue;
        }
        let digits = plain.ends_with(|c: char| c.is_numeric()) && c.is_numeric();
        if waiting && digits {
            plain.push(' ');
        }
        waiting = false;
        plain.push(c);
    }
    plain
}

/// For each of `names` its place in `known`: the same name, else the only one of the same
/// [`plain_name`]; none for a name that is not there.
///
/// # Errors
/// A name that could be several of `known`, or several names that would be one of them.
pub fn places(names: &[String], known: &[String]) -> Result<Vec<Option<usize>>> {
    let mut exact = std::collections::HashMap::new();
    let mut plain: std::collections::HashMap<String, Vec<usize>> = std::collections::HashMap::new();
    for (at, name) in known.iter().enumerate() {
        exact.entry(name.as_str()).or_insert(at);
        plain.entry(plain_name(name)).or_default().push(at);
    }
    let mut found = Vec::with_capacity(names.len());
    for name in names {
        let alike = plain.get(&plain_name(name)).map_or(&[][..], Vec::as_slice);
        let place = match (exact.get(name.as_str()), alike) {
            (Some(&at), _) => {
                // The same name twice, such as in two tasks of one prompt.
                let same: Vec<usize> = alike
                    .iter()
                    .copied()
                    .filter(|&i| known[i] == *name)
                    .collect();
                if same.len() > 1 {
                    return Err(doubt(&format!("\"{name}\""), &same, known));
                }
                Some(at)
            }
            (None, []) => None,
            (None, [at]) => Some(*at),
            (None, several) => return Err(doubt(&format!("\"{name}\""), several, known)),
        };
        found.push(place);
    }
    let mut taken: Vec<Option<usize>> = vec![None; known.len()];
    for (name, place) in found.iter().enumerate() {
        let Some(place) = *place else { continue };
        if let Some(first) = taken[place].replace(name) {
            return Err(doubt(
                &format!("both \"{}\" and \"{}\"", names[first], names[name]),
                &[place],
                known,
            ));
        }
    }
    Ok(found)
}

fn doubt(what: &str, of: &[usize], known: &[String]) -> AdapterError {
    let list: Vec<String> = of
        .iter()
        .map(|&at| format!("\"{}\" (class {})", known[at], at + 1))
        .collect();
    let could = if of.len() > 1 { "any of" } else { "the class" };
    AdapterError::Incompatible {
        what: format!(
            "class names in doubt: {what} of the data could be {could} {}; case, underscores, \
             hyphens and blanks are forgiven where that leaves one",
            list.join(", ")
        ),
        hint: Some(
            "write the names of the data exactly as the classes to choose from are called, or \
             judge among the data's own with --classes-of data"
                .to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn spellings_of_a_name_are_one() {
        for same in [
            "polar bear",
            "Polar_Bear",
            "polar-bear",
            " POLAR  BEAR ",
            "PolarBear",
        ] {
            assert_eq!(plain_name(same), "polarbear", "{same}");
        }
        // Decomposed, as some file systems write it.
        assert_eq!(plain_name("Cafe\u{301}"), plain_name("café"));
        assert_eq!(plain_name("__"), "");
    }

    #[test]
    fn what_tells_names_apart_stays() {
        for (a, b) in [
            ("1-2", "12"),
            ("-1", "1"),
            ("A-", "A"),
            ("A+", "A-"),
            ("1.2", "12"),
        ] {
            assert_ne!(plain_name(a), plain_name(b), "{a} {b}");
        }
        assert_eq!(plain_name("10-19"), plain_name("10_19"));
    }

    #[test]
    fn names_are_found_in_any_order_and_others_are_not() {
        let known = list(&["circle", "square", "red fox"]);
        let found = places(&list(&["Red_Fox", "circle", "hexagon"]), &known).unwrap();
        assert_eq!(found, [Some(2), Some(0), None]);
    }

    #[test]
    fn the_same_name_comes_before_one_alike() {
        let known = list(&["ice cream", "icecream"]);
        let found = places(&list(&["icecream", "ice cream"]), &known).unwrap();
        assert_eq!(found, [Some(1), Some(0)]);
    }

    #[test]
    fn a_doubt_lists_what_it_is_between() {
        let known = list(&["ice cream", "icecream", "cat"]);
        let error = places(&list(&["Ice_Cream"]), &known)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("\"ice cream\" (class 1), \"icecream\" (class 2)"),
            "{error}"
        );
        let error = places(&list(&["cat", "Cat"]), &known)
            .unwrap_err()
            .to_string();
        assert!(error.contains("both \"cat\" and \"Cat\""), "{error}");
        let twice = list(&["red", "blue", "red"]);
        let error = places(&list(&["red"]), &twice).unwrap_err();
        assert!(
            error.to_string().contains("(class 1), \"red\" (class 3)"),
            "{error}"
        );
        assert!(error.hint().unwrap().contains("--classes-of data"));
    }
}
