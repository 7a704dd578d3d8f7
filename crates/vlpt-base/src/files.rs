//! Files and folders that are whole or absent.
//!
//! What is promised by [`write_atomic`] and [`write_atomic_shared`]:
//!
//! - **Kill.** At whatever moment the process dies, the path holds the old content or the new,
//!   never a part: the content is written beside its place and renamed over it.
//! - **Power cut.** The new content is synced before it is renamed, so the same holds, on file
//!   systems that do not move a rename before an earlier sync; and the folder is synced after it,
//!   so once the function has returned, the new content stays. (On systems where a folder cannot
//!   be opened as a file the second half is left to the system: the old content may come back.)
//! - **Error.** A full disk or a folder that cannot be written leaves the old content and nothing
//!   beside it.
//!
//! A link is followed, and what it leads to is replaced. What is no regular file (a device, a pipe, a
//! terminal) is written into and never replaced; nothing is promised of it.
//!
//! [`write_folder`] and [`make_folder`] promise the same of a folder, but for the moment between the removal of an
//! older folder and the rename, when there is none. What is no regular file they refuse: nothing that a device or a
//! pipe takes is a folder.

use std::io::{Error, ErrorKind, Result, Write};
use std::path::Path;

use fs_err as fs;

use crate::atomic_file::AtomicFile;
use crate::place::{Place, beside, parent, place, sync_folder, sync_parent};

/// The way out of an error of writing, where one is known.
pub fn write_hint(error: &Error) -> Option<&'static str> {
    match error.kind() {
        ErrorKind::StorageFull => Some("free some space and try again"),
        ErrorKind::PermissionDenied | ErrorKind::NotADirectory | ErrorKind::ReadOnlyFilesystem => {
            Some("check who may write there, or choose another folder")
        }
        _ => None,
    }
}

/// Writes a file so that it is whole or absent, for one writer at a time.
///
/// It is written to `NAME.new` beside its place first; what a kill leaves there is overwritten by
/// the next write.
///
/// # Errors
/// The folder cannot be written, or the disk is full; the message names the path, and nothing is
/// left behind.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut file = AtomicFile::create(path)?;
    file.write_all(bytes)?;
    file.commit()
}

/// Writes a file so that it is whole or absent, for any number of writers at a time, also of other
/// processes: the last one stays.
///
/// Each writes under a name of its own, so a kill leaves a file that nobody overwrites.
///
/// # Errors
/// As [`write_atomic`].
pub fn write_atomic_shared(path: &Path, bytes: &[u8]) -> Result<()> {
    let path = &match place(path)? {
        Place::File(path) => path,
        Place::Stream(_) => return write_atomic(path, bytes),
    };
    let mut options = tempfile::Builder::new();
    #[cfg(unix)]
    {
        // As any other file: what the user's mask allows.
        use std::os::unix::fs::PermissionsExt;
        options.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let named = |error: Error| {
        let what = format!("cannot write {}: {error}", path.display());
        Error::new(error.kind(), what)
    };
    let mut beside = options.tempfile_in(parent(path))?;
    let written = beside.write_all(bytes);
    written
        .and_then(|()| beside.as_file().sync_all())
        .map_err(named)?;
    beside.persist(path).map_err(|failed| named(failed.error))?;
    sync_parent(path)
}

/// Writes a file and waits until it is on the disk.
fn write_synced(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut file = fs::File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Puts a folder of files, given by name, at `path`. An older folder there is replaced.
///
/// # Errors
/// As [`write_atomic`], but for what is left behind: the next call removes it.
pub fn write_folder(path: &Path, files: &[(&str, Vec<u8>)]) -> Result<()> {
    make_folder(path, |beside| {
        files
            .iter()
            .try_for_each(|(name, bytes)| write_synced(&beside.join(name), bytes))
    })
}

/// Puts a folder that `make` fills at `path`, for one writer at a time: filled as `NAME.new`
/// beside its place, synced, and renamed. An older folder there is replaced. `make` syncs its
/// files itself where they have to outlive a power cut. A link is followed, and stays.
///
/// # Errors
/// As [`write_folder`], a device or pipe at `path`, and those of `make`.
pub fn make_folder<E: From<Error>>(
    path: &Path,
    make: impl FnOnce(&Path) -> std::result::Result<(), E>,
) -> std::result::Result<(), E> {
    let path = &match place(path)? {
        Place::File(path) => path,
        Place::Stream(path) => return Err(no_folder(&path).into()),
    };
    let beside = beside(path);
    remove_folder(&beside)?;
    fs::create_dir_all(&beside)?;
    make(&beside)?;
    sync_folder(&beside)?;
    remove_folder(path)?;
    fs::rename(&beside, path)?;
    Ok(sync_parent(path)?)
}

/// Removes what a [`make_folder`] that failed left beside its place, for a caller that will not call it again.
///
/// # Errors
/// It is there and cannot be removed.
pub fn remove_unfinished_folder(path: &Path) -> Result<()> {
    match place(path)? {
        Place::File(path) => remove_folder(&beside(&path)),
        Place::Stream(_) => Ok(()),
    }
}

/// The error of a folder that should stand where a device or a pipe is.
fn no_folder(path: &Path) -> Error {
    let what = format!(
        "{}: a device or pipe, where a folder should be written",
        path.display()
    );
    Error::new(ErrorKind::NotADirectory, what)
}

/// The file's bytes, or `None` when there is no such file.
///
/// # Errors
/// The file is there and cannot be read.
pub fn read_if_there(path: &Path) -> Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Removes a file if there is one.
///
/// # Errors
/// The file is there and cannot be removed.
pub fn remove_if_there(path: &Path) -> Result<()> {
    absent_is_fine(fs::remove_file(path))
}

/// Removes a folder and what is in it, if there is one.
fn remove_folder(path: &Path) -> Result<()> {
    absent_is_fine(fs::remove_dir_all(path))
}

fn absent_is_fine(removed: Result<()>) -> Result<()> {
    match removed {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_nothing_is_left_beside() {
        for write in [write_atomic, write_atomic_shared] {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("a.json");
            write(&path, b"one, and longer").unwrap();
            write(&path, b"two").unwrap();
            assert_eq!(fs::read(&path).unwrap(), b"two");
            assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        }
    }

    #[test]
    fn what_a_kill_left_beside_is_taken_by_the_next_write() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.json");
        fs::write(beside(&path), "left by a kill").unwrap();
        write_atomic(&path, b"whole").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"whole");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn many_writers_leave_one_whole_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.json");
        std::thread::scope(|scope| {
            for writer in 0..4_u8 {
                let path = &path;
                scope.spawn(move || {
                    for _ in 0..20 {
                        write_atomic_shared(path, &[writer; 1000]).unwrap();
                    }
                });
            }
        });
        let bytes = fs::read(&path).unwrap();
        assert_eq!(bytes.len(), 1000);
        assert!(bytes.iter().all(|&b| b == bytes[0]));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn a_shared_file_may_be_read_by_whom_the_mask_allows() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let (plain, shared) = (dir.path().join("plain"), dir.path().join("shared"));
        write_atomic(&plain, b"1").unwrap();
        write_atomic_shared(&shared, b"1").unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&plain), mode(&shared));
    }

    #[test]
    fn a_folder_is_replaced_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("prompt");
        write_folder(&path, &[("a", b"1".to_vec()), ("b", b"2".to_vec())]).unwrap();
        write_folder(&path, &[("c", b"3".to_vec())]).unwrap();
        let names: Vec<_> = fs::read_dir(&path)
            .unwrap()
            .map(|e| e.unwrap().file_name())
            .collect();
        assert_eq!(names, ["c"]);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn an_error_names_the_path_and_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("absent").join("a.json");
        for write in [write_atomic, write_atomic_shared] {
            let error = write(&path, b"one").unwrap_err().to_string();
            assert!(error.contains("absent"), "{error}");
        }
        // A folder is in the way.
        let path = dir.path().join("a.json");
        fs::create_dir(&path).unwrap();
        for write in [write_atomic, write_atomic_shared] {
            let error = write(&path, b"one").unwrap_err().to_string();
            assert!(error.contains("a.json"), "{error}");
            assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        }
    }

    #[test]
    fn what_is_absent_is_neither_read_nor_removed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        assert_eq!(read_if_there(&path).unwrap(), None);
        remove_if_there(&path).unwrap();
        remove_folder(&path).unwrap();
        fs::write(&path, "1").unwrap();
        assert_eq!(read_if_there(&path).unwrap().as_deref(), Some(&b"1"[..]));
        remove_if_there(&path).unwrap();
        assert!(!path.exists());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_and_its_target_is_replaced() {
        use std::os::unix::fs::symlink;
        for write in [write_atomic, write_atomic_shared] {
            let dir = tempfile::tempdir().unwrap();
            let at = |name: &str| dir.path().join(name);
            fs::create_dir(at("deep")).unwrap();
            symlink("deep/target", at("first")).unwrap();
            symlink(at("first"), at("second")).unwrap();
            // the target is not there yet, then it is
            for content in [b"one", b"two"] {
                write(&at("second"), content).unwrap();
                assert_eq!(fs::read(at("deep/target")).unwrap(), content);
            }
            for link in ["first", "second"] {
                assert!(fs::symlink_metadata(at(link)).unwrap().is_symlink());
            }
            assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 3);
            assert_eq!(fs::read_dir(at("deep")).unwrap().count(), 1);
            symlink("loop", at("loop")).unwrap();
            let error = write(&at("loop"), b"three").unwrap_err().to_string();
            assert!(error.contains("circle"), "{error}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_and_the_folder_it_leads_to_is_replaced() {
        use std::os::unix::fs::symlink;
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        symlink("deep/target", at("first")).unwrap();
        symlink(at("first"), at("second")).unwrap();
        // the target and its folder are not there yet, then they are
        for name in ["a", "b"] {
            write_folder(&at("second"), &[(name, b"1".to_vec())]).unwrap();
            let mut found = fs::read_dir(at("deep/target")).unwrap();
            assert_eq!(found.next().unwrap().unwrap().file_name(), name);
            assert!(found.next().is_none());
        }
        let failed = make_folder(&at("second"), |_| Err(Error::other("no more")));
        assert!(failed.is_err() && at("deep/target.new").is_dir());
        remove_unfinished_folder(&at("second")).unwrap();
        for link in ["first", "second"] {
            assert!(fs::symlink_metadata(at(link)).unwrap().is_symlink());
        }
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 3);
        assert_eq!(fs::read_dir(at("deep")).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn no_folder_is_made_over_a_device() {
        let dir = tempfile::tempdir().unwrap();
        let link = dir.path().join("null");
        std::os::unix::fs::symlink("/dev/null", &link).unwrap();
        for path in [Path::new("/dev/null"), &link] {
            let made = make_folder(path, |_| -> Result<()> { panic!("nothing is to be done") });
            let error = made.unwrap_err();
            assert!(error.to_string().contains("a device or pipe"), "{error}");
            assert!(write_hint(&error).is_some());
        }
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_is_written_into_and_stays() {
        use std::io::Read;
        use std::os::unix::fs::FileTypeExt;
        for write in [write_atomic, write_atomic_shared] {
            let dir = tempfile::tempdir().unwrap();
            let pipe = dir.path().join("pipe");
            let made = std::process::Command::new("mkfifo").arg(&pipe).status();
            assert!(made.unwrap().success());
            let reader = std::thread::spawn({
                let pipe = pipe.clone();
                move || {
                    let mut text = String::new();
                    fs::File::open(pipe)
                        .unwrap()
                        .read_to_string(&mut text)
                        .unwrap();
                    text
                }
            });
            write(&pipe, b"through").unwrap();
            assert_eq!(reader.join().unwrap(), "through");
            let kind = fs::symlink_metadata(&pipe).unwrap().file_type();
            assert!(kind.is_fifo());
            assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        }
    }
}
