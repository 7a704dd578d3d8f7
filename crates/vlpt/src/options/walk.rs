//! What is told of a folder that was walked for images.

use std::path::Path;

use vlpt_data::Walk;
use vlpt_data::image::endings_in_words;

use crate::console::Console;
use crate::error::CliError;

/// Says what was passed over; an error where that is all there is.
pub(crate) fn tell(walk: &Walk, folder: &Path, console: &Console) -> Result<(), CliError> {
    let passed_over = walk.passed_over();
    if walk.images.is_empty() {
        let found = match &passed_over[..] {
            [] => "it is empty".to_owned(),
            all => all.join("; "),
        };
        return Err(CliError::usage(
            format!("no images in the folder {}: {found}", folder.display()),
            format!("images end in one of: {}", endings_in_words()),
        ));
    }
    for note in passed_over {
        console.say(format!("note: {}: {note}", folder.display()));
    }
    Ok(())
}
