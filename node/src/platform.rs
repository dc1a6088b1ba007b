//! What differs from system to system: files that only their owner may read, folders that can be synced, and
//! how a program is told to end. What only Unix has is in this file.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::Path;

/// A path as a word of a command that a person may copy into a shell: quoted where the shell would take it apart.
#[must_use]
pub fn shell_word(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain =
        |character: char| character.is_alphanumeric() || "/._-+:@%=,~".contains(character);
    if !text.is_empty() && !text.starts_with('~') && text.chars().all(is_plain) {
        return text;
    }
    // Within single quotes a POSIX shell takes every character as it is, but for the quote itself.
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Opens a file so that, where it is made, only its owner may read it.
///
/// # Errors
/// Those of the system.
pub fn open_private(options: &mut OpenOptions, path: &Path) -> std::io::Result<File> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options.open(path)
}

/// Writes a new file that only its owner may read, and syncs it. Refuses to replace one.
///
/// # Errors
/// Those of the system.
pub fn write_private(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let mut file = open_private(OpenOptions::new().write(true).create_new(true), path)?;
    file.write_all(content)?;
    file.sync_all()
}

/// Writes a file that only its owner may read in the place of one that may be there: all of it or nothing.
///
/// # Errors
/// Those of the system.
pub fn replace_private(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let new = path.with_extension("new");
    match std::fs::remove_file(&new) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    write_private(&new, content)?;
    std::fs::rename(&new, path)?;
    path.parent().map_or(Ok(()), sync_folder)
}

/// Makes a folder that only its owner may enter.
///
/// # Errors
/// Those of the system.
pub fn create_private_folder(path: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder.create(path)
}

/// Whether nobody but the owner may read the file or enter the folder. Always so where the system has no
/// such permissions.
///
/// # Errors
/// Those of the system.
pub fn check_private(path: &Path) -> std::io::Result<bool> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        Ok(std::fs::metadata(path)?.permissions().mode() & 0o077 == 0)
    }
    #[cfg(not(unix))]
    {
        std::fs::metadata(path).map(|_| true)
    }
}

/// Waits until a folder's list of files is on the disk.
///
/// # Errors
/// Those of the system.
pub fn sync_folder(path: &Path) -> std::io::Result<()> {
    #[cfg(unix)]
    {
        File::open(path)?.sync_all()
    }
    #[cfg(not(unix))]
    {
        // Windows has no such call: its file systems write the list with the file.
        std::fs::metadata(path).map(|_| ())
    }
}

/// Ends once the program is told to end. Where no signal can be waited for, it never ends, and the system's own
/// way of ending a program remains.
pub async fn interrupted() {
    let control_c = async {
        if let Err(error) = tokio::signal::ctrl_c().await {
            tracing::warn!(%error, "Ctrl-C cannot be waited for");
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        () = control_c => {}
        () = terminated() => {}
    }
}

#[cfg(unix)]
async fn terminated() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut signals) => {
            // None once nothing can be delivered any more.
            if signals.recv().await.is_none() {
                std::future::pending::<()>().await;
            }
        }
        Err(error) => {
            tracing::warn!(%error, "SIGTERM cannot be waited for");
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(not(unix))]
async fn terminated() {
    std::future::pending::<()>().await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_one_word_for_a_shell() {
        for (path, word) in [
            ("/tmp/node-1/a_b.csv", "/tmp/node-1/a_b.csv"),
            ("my node", "'my node'"),
            ("it's", r"'it'\''s'"),
            ("~node", "'~node'"),
            ("$HOME;x", "'$HOME;x'"),
            ("", "''"),
        ] {
            assert_eq!(shell_word(Path::new(path)), word);
        }
    }
}
