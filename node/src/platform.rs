//! What differs from system to system: files that only their owner may read, folders that can be synced, how a program is
//! told to end, and words of commands for a shell. What only Unix has is in this file.

mod shell;

pub use shell::{Suggestion, fingerprint_option, shell_option, shell_path, shell_word};

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::Path;

/// Opens a file so that, where it is made, only its owner may read it. What is no file is refused.
///
/// # Errors
/// Those of the system, and for what is no regular file.
pub fn open_private(options: &mut OpenOptions, path: &Path) -> std::io::Result<File> {
    match check_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options.open(path)
}

/// Reads a text file. What is no file is refused: a pipe, say, might never end.
///
/// # Errors
/// Those of the system, and for what is no regular file.
pub fn read_text(path: &Path) -> std::io::Result<String> {
    check_file(path)?;
    std::fs::read_to_string(path)
}

/// Opens a file to read it, and waits for nobody: what another user puts in its place, such as a pipe, must not keep who looks
/// there.
///
/// # Errors
/// Those of the system, and for what is no regular file.
pub fn open_now(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(target_os = "linux")]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOFOLLOW;
        options.custom_flags(i32::try_from(flags.bits()).unwrap_or_default());
    }
    #[cfg(not(target_os = "linux"))]
    check_file(path)?;
    let file = options.open(path)?;
    if file.metadata()?.is_file() {
        return Ok(file);
    }
    Err(std::io::Error::other("it is no regular file"))
}

/// Refuses what is no file: a pipe, say, might never end.
///
/// # Errors
/// Those of the system, and for what is no regular file.
pub fn check_file(path: &Path) -> std::io::Result<()> {
    if std::fs::metadata(path)?.is_file() {
        return Ok(());
    }
    Err(std::io::Error::other("it is no regular file"))
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
    replace_private_with(path, |_| Ok(content.to_vec()))
}

/// The same with a content that names the file which it is written into.
///
/// # Errors
/// Those of the system, and of `content`.
pub fn replace_private_with(
    path: &Path,
    content: impl FnOnce(&std::fs::Metadata) -> std::io::Result<Vec<u8>>,
) -> std::io::Result<()> {
    let new = path.with_extension("new");
    match std::fs::remove_file(&new) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = open_private(OpenOptions::new().write(true).create_new(true), &new)?;
    file.write_all(&content(&file.metadata()?)?)?;
    file.sync_all()?;
    std::fs::rename(&new, path)?;
    path.parent().map_or(Ok(()), sync_folder)
}

/// Removes a file that holds a secret, and overwrites its bytes before, where nothing else shows them: a link to it, or another name of
/// it, is somebody's copy. Says whether they were overwritten. On some disks they are still there then, where nobody looks.
///
/// # Errors
/// Those of the system.
pub fn remove_overwritten(path: &Path) -> std::io::Result<bool> {
    let found = std::fs::symlink_metadata(path)?;
    let is_overwritten = found.is_file() && has_one_name(&found) && overwrite(path, found.len());
    std::fs::remove_file(path)?;
    Ok(is_overwritten)
}

fn overwrite(path: &Path, length: u64) -> bool {
    let zeros = std::io::Read::take(std::io::repeat(0), length);
    OpenOptions::new()
        .write(true)
        .open(path)
        .and_then(|mut file| {
            std::io::copy(&mut { zeros }, &mut file)?;
            file.sync_all()
        })
        .is_ok()
}

fn has_one_name(metadata: &std::fs::Metadata) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        metadata.nlink() == 1
    }
    #[cfg(not(unix))]
    {
        // It cannot be told, so that nothing is overwritten.
        let _ = metadata;
        false
    }
}

/// What tells a file from a copy of it, also where it is moved: the numbers of its file system and in it. Nothing where the
/// system has no such numbers.
#[must_use]
pub fn file_number(metadata: &std::fs::Metadata) -> Option<(u64, u64)> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        Some((metadata.dev(), metadata.ino()))
    }
    #[cfg(not(unix))]
    {
        let _ = metadata;
        None
    }
}

/// Whether a file was last changed by writing to it, and not by being put in its place from a copy that keeps its times. Always
/// so where the system does not tell the two apart.
#[must_use]
pub fn is_as_written(metadata: &std::fs::Metadata) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        // Both are set by each write, and by the same clock.
        metadata.ctime() <= metadata.mtime().saturating_add(2)
    }
    #[cfg(not(unix))]
    {
        let _ = metadata;
        true
    }
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

/// Makes a folder of a name of its own that only its owner may enter. It goes with what is returned.
///
/// # Errors
/// Those of the system.
pub fn temporary_private_folder(place: &Path, prefix: &str) -> std::io::Result<tempfile::TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(prefix);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(std::fs::Permissions::from_mode(0o700));
    }
    builder.tempdir_in(place)
}

/// Takes a folder and the files in it from everybody but their owner, where the system has such permissions: another program makes them, as it
/// pleases.
///
/// # Errors
/// Those of the system.
pub fn make_files_private(folder: &Path) -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let own = |mode| std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(folder, own(0o700))?;
        for found in std::fs::read_dir(folder)? {
            let found = found?;
            let metadata = found.metadata()?;
            let mode = if metadata.is_dir() { 0o700 } else { 0o600 };
            if metadata.permissions().mode() & 0o077 != 0 {
                std::fs::set_permissions(found.path(), own(mode))?;
            }
        }
    }
    #[cfg(not(unix))]
    let _ = folder;
    Ok(())
}

/// Sees to it that what this process holds in memory, keys among it, is not written to a file where it ends in a crash, nor read by other
/// processes of the same user. Where the system has no call for it, nothing is done.
pub fn keep_memory_private() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        // One that may be dumped works as well.
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, setrlimit};
        let none = Rlimit {
            current: Some(0),
            maximum: Some(0),
        };
        let _ = setrlimit(Resource::Core, none);
    }
}

/// What this process is limited in.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// It may have fewer threads than any program of this kind starts, and those of the same user with it.
    pub of_threads: bool,
    /// It may have only so many addresses.
    pub of_memory: bool,
}

/// How this process is limited, as far as the system says.
#[must_use]
pub fn limits() -> Limits {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{Resource, getrlimit};
        /// As many threads are never the reason.
        const THREADS_MANY: u64 = 4_096;
        let threads = getrlimit(Resource::Nproc).current;
        Limits {
            of_threads: threads.is_some_and(|most| most < THREADS_MANY),
            of_memory: getrlimit(Resource::As).current.is_some(),
        }
    }
    #[cfg(not(target_os = "linux"))]
    Limits {
        of_threads: false,
        of_memory: false,
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

/// Fixes the size of a new file and the space that it takes. False where the system has no call for it, and nothing was done.
///
/// # Errors
/// Those of the system.
pub fn reserve_space(file: &File, bytes: u64) -> std::io::Result<bool> {
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{FallocateFlags, fallocate};
        use rustix::io::Errno;
        match fallocate(file, FallocateFlags::empty(), 0, bytes) {
            Ok(()) => Ok(true),
            // This file system has no such call.
            Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = (file, bytes);
        Ok(false)
    }
}

/// How much space is free for this user where a folder is. None where the system does not say.
#[must_use]
pub fn free_bytes(folder: &Path) -> Option<u64> {
    #[cfg(target_os = "linux")]
    {
        let found = rustix::fs::statvfs(folder).ok()?;
        // Where no file can be made any more there is no space either. Some systems do not count files.
        if found.f_files > 0 && found.f_favail == 0 {
            return Some(0);
        }
        found.f_bavail.checked_mul(found.f_frsize)
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = folder;
        None
    }
}

/// How many bytes of its disk a file takes: more than it is long where space is reserved, fewer where it has holes.
#[must_use]
pub fn taken_bytes(metadata: &std::fs::Metadata) -> u64 {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        // In units of 512 bytes, whatever the file system's blocks are.
        metadata.blocks().saturating_mul(512)
    }
    #[cfg(not(unix))]
    {
        metadata.len()
    }
}

/// Lets go of what the system holds of a file in memory, so that it is read from the disk. Where it cannot be let go of, it is
/// read as it is.
pub fn forget_cached(file: &File) {
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{Advice, fadvise};
        let _ = fadvise(file, 0, None, Advice::DontNeed);
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = file;
    }
}

/// Names the time since the system was started: what programs handed to it before then may not have reached the disk. None
/// where it gives no such name.
#[must_use]
pub fn boot() -> Option<String> {
    #[cfg(target_os = "linux")]
    {
        let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
        let id = id.trim();
        (!id.is_empty()).then(|| id.to_owned())
    }
    #[cfg(not(target_os = "linux"))]
    {
        None
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
