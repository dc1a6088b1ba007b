//! How the database was left the last time, beside it: whether what it holds may be relied on.
//!
//! The database is never synced while it is in use, so it may be relied on where it was closed, and where the system still
//! runs that was handed what was written. After a power cut some of it has reached the disk and some has not, in any
//! order: the engine does not always notice, so nobody is asked. It is built again from the journal.

use super::DatabaseError;
#[cfg(test)]
use super::faults::{Faults, Point};
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// As many bytes as the longest text takes, so that each takes the place of the one before: one sector of the disk, which
/// has it whole or not at all, and no new space on one that is full.
const BYTES: usize = 128;

const CLOSED: &str = "closed";
const UNFIT: &str = "not to be relied on";
const OPEN: &str = "open since boot ";

/// How a database was left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Left {
    /// Nothing says so.
    Unknown,
    /// All of it is on the disk.
    Closed,
    /// The process ended, and the system it ran on still runs.
    Killed,
    /// The system ended as well, or something failed, or it was being built.
    Unfit,
}

/// The file that says so.
#[derive(Debug)]
pub(super) struct Notice {
    file: File,
    path: PathBuf,
    #[cfg(test)]
    faults: Faults,
}

/// Where a home has it.
pub(super) fn path(home: &Path) -> PathBuf {
    home.join("db.state")
}

/// How the database of a home was left, and when that was noted: nothing is written.
pub(super) fn read(home: &Path) -> Option<(Left, SystemTime)> {
    let path = path(home);
    let noted_at = path
        .metadata()
        .and_then(|metadata| metadata.modified())
        .ok()?;
    let text = crate::platform::read_text(&path).ok()?;
    Some((parse(&path, text.as_bytes()), noted_at))
}

impl Notice {
    /// Opens the file, or makes it, and says how the database was left.
    pub(super) fn open(home: &Path) -> Result<(Self, Left), DatabaseError> {
        let path = path(home);
        DatabaseError::check_file(&path)?;
        let failed = |source| DatabaseError::sync(&path, source);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let mut file = crate::platform::open_private(&mut options, &path).map_err(failed)?;
        let mut bytes = Vec::new();
        let left = file.read_to_end(&mut bytes).map(|_| parse(&path, &bytes));
        let left = left.map_err(failed)?;
        crate::platform::sync_folder(home).map_err(failed)?;
        let notice = Self {
            file,
            path,
            #[cfg(test)]
            faults: Faults::of(home),
        };
        Ok((notice, left))
    }

    /// From here on the database is written to, and not synced.
    pub(super) fn opened(&mut self) -> Result<(), DatabaseError> {
        let open = open_text(&self.path);
        self.write(open.as_deref().unwrap_or(UNFIT))
    }

    /// As it was found.
    pub(super) fn put_back(&mut self, left: Left) -> Result<(), DatabaseError> {
        match left {
            Left::Closed => self.closed(),
            Left::Killed => self.opened(),
            Left::Unknown | Left::Unfit => self.unfit(),
        }
    }

    /// What the database holds must not be relied on until it was built again.
    pub(super) fn unfit(&mut self) -> Result<(), DatabaseError> {
        self.write(UNFIT)
    }

    /// All of the database is on the disk.
    pub(super) fn closed(&mut self) -> Result<(), DatabaseError> {
        self.write(CLOSED)
    }

    fn write(&mut self, text: &str) -> Result<(), DatabaseError> {
        let written = self.write_synced(&format!("{text:<width$}\n", width = BYTES - 1));
        written.map_err(|source| DatabaseError::sync(&self.path, source))
    }

    fn write_synced(&mut self, text: &str) -> std::io::Result<()> {
        #[cfg(test)]
        self.faults.pass(Point::Left)?;
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(text.as_bytes())?;
        self.file.sync_data()?;
        #[cfg(test)]
        self.faults.pass(Point::LeftSynced)?;
        Ok(())
    }
}

/// Since when it is open, and which file: a copy of it was not made by the system that was handed what was written. None where the
/// system gives neither a name.
fn open_text(path: &Path) -> Option<String> {
    let boot = crate::platform::boot()?;
    let data = path.with_file_name("db").join("db");
    let metadata = std::fs::metadata(data).ok()?;
    let (device, file) = crate::platform::file_number(&metadata)?;
    Some(format!("{OPEN}{boot}, file {device}:{file}"))
}

/// Whether the file is as the engine wrote it: one that was put back over it has the same number.
fn is_as_written(path: &Path) -> bool {
    let data = path.with_file_name("db").join("db");
    std::fs::metadata(data).is_ok_and(|metadata| crate::platform::is_as_written(&metadata))
}

fn parse(path: &Path, bytes: &[u8]) -> Left {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return Left::Unfit;
    };
    match text.trim() {
        "" => Left::Unknown,
        CLOSED => Left::Closed,
        text if Some(text) == open_text(path).as_deref() && is_as_written(path) => Left::Killed,
        _ => Left::Unfit,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_noted_is_read_and_the_file_keeps_its_length() {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join("db")).unwrap();
        std::fs::write(home.path().join("db/db"), "").unwrap();
        let left = || Notice::open(home.path()).unwrap();
        assert_eq!(left().1, Left::Unknown);
        left().0.opened().unwrap();
        let is_known = crate::platform::boot().is_some();
        let open = if is_known { Left::Killed } else { Left::Unfit };
        assert_eq!(left().1, open);
        // Another file in its place, as in a copy.
        std::fs::rename(home.path().join("db/db"), home.path().join("kept")).unwrap();
        std::fs::write(home.path().join("db/db"), "").unwrap();
        assert_eq!(left().1, Left::Unfit);
        left().0.unfit().unwrap();
        assert_eq!(left().1, Left::Unfit);
        left().0.closed().unwrap();
        assert_eq!(left().1, Left::Closed);
        let length = std::fs::metadata(path(home.path())).unwrap().len();
        assert_eq!(length, BYTES as u64);
        for text in ["open since boot of another\n", "close", "\u{fffd}"] {
            std::fs::write(path(home.path()), text).unwrap();
            assert_eq!(left().1, Left::Unfit, "{text}");
        }
    }
}
