//! The name that was perhaps meant where a path leads nowhere.

use std::path::Path;

/// What to say of a path that leads nowhere: the name beside it that is nearest.
pub(super) fn nearby(path: &Path) -> String {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let Ok(entries) = folder.read_dir() else {
        return format!("there is no folder {} either", folder.display());
    };
    let wanted = path.file_name().unwrap_or_default().to_string_lossy();
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let near = names
        .map(|name| (strsim::damerau_levenshtein(&name, &wanted), name))
        .filter(|(distance, name)| *distance <= 2 && *distance < name.chars().count())
        .min();
    match near {
        Some((_, name)) => format!("did you mean `{}`?", path.with_file_name(name).display()),
        None => "check the path, which is looked up from the folder that the command is given in"
            .to_owned(),
    }
}
