//! Room on the disk. Before the last of it is gone nothing new is recorded, so that nothing breaks off half written; and some is
//! kept in a file of its own, for the one thing that needs space however full the disk is: to open the store.
//!
//! ```text
//! enough is free ─▶ recorded          too little ─▶ refused until there is more; what is there is shown
//! none at all, and it does not open ─▶ the file is given up ─▶ it opens ─▶ refused until the file is there again
//! ```

use super::database::{DatabaseError, is_full};
use super::journal::take_space;
use super::places::database_path;
use crate::platform;
use std::fs::OpenOptions;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

/// What is kept at least: the engine makes its files longer by half a MiB at a time, and writes its page table anew.
const KEPT_BYTES: u64 = 2 * 1024 * 1024;
/// One byte is kept for so many of the database: its page table grows with it.
const DATABASE_SHARE: u64 = 64;
/// That table takes a quarter of a percent of a database, so that this is enough for a hundred GiB.
const KEPT_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// With less than this free nothing is recorded any more: a group brings some MiB to the journal, and the database writes several
/// times as much.
const FREE_BYTES_MIN: u64 = 32 * 1024 * 1024;

fn path(home: &Path) -> PathBuf {
    home.join("reserve")
}

/// The room of one home.
#[derive(Debug)]
pub(super) struct Room {
    home: PathBuf,
    /// Something was refused since it was last asked.
    has_refused: AtomicBool,
    /// It was told that the file cannot be made, though there is space.
    has_told: AtomicBool,
}

impl Room {
    /// Keeps some, where there is enough.
    pub(super) fn of(home: &Path) -> Self {
        let room = Self {
            home: home.to_owned(),
            has_refused: AtomicBool::new(false),
            has_told: AtomicBool::new(false),
        };
        let _ = room.is_there();
        room
    }

    /// Whether there is room to record anything. It is looked at anew each time: others fill the disk, the database grows.
    pub(super) fn is_there(&self) -> bool {
        has_enough_free(&self.home) && self.is_kept()
    }

    /// The same, for what is refused where there is none.
    pub(super) fn is_there_to_record(&self) -> bool {
        let is_there = self.is_there();
        if !is_there && !self.has_refused.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                "too little space is free on the disk: nothing is recorded until there is more"
            );
        }
        is_there
    }

    /// Whether there is room again for what was refused. Says so once.
    pub(super) fn is_there_again(&self) -> bool {
        self.has_refused.load(Ordering::Relaxed)
            && self.is_there()
            && self.has_refused.swap(false, Ordering::Relaxed)
    }

    /// Keeps it for whoever opens the home next: of what was given up some is free still.
    pub(super) fn leave(&self) {
        if make(&self.home).is_err() {
            let _ = make_of(&self.home, opening_bytes(&self.home) / 4 * 5);
        }
    }

    /// Keeps some. Only want of space is in the way of recording: what else there is in the place of the file is told.
    fn is_kept(&self) -> bool {
        match make(&self.home) {
            Ok(()) => true,
            Err(error) if is_full(&error) => false,
            Err(error) => {
                if !self.has_told.swap(true, Ordering::Relaxed) {
                    tracing::warn!(
                        path = %path(&self.home).display(),
                        error = &error as &dyn std::error::Error,
                        "no space can be kept here, so that a full disk may keep the home from opening: remove what is in its place"
                    );
                }
                true
            }
        }
    }
}

/// Sees to it that there is space to open a home, and gives up what is kept where less is free than that takes. An engine that
/// breaks off may leave nothing that can be relied on, so it is not opened where there is too little all the same.
pub(super) fn make_way(home: &Path) -> Result<(), DatabaseError> {
    let is_short = |bytes| platform::free_bytes(home).is_some_and(|free| free < bytes);
    if is_short(bytes_of(home)) {
        give_up(home);
    }
    let path = database_path(home);
    // Where there is nothing yet, nothing is lost by trying.
    if is_short(opening_bytes(home)) && path.join("db").is_file() {
        return Err(DatabaseError::Full { path });
    }
    Ok(())
}

/// Gives up what is kept. Returns whether anything was.
pub(super) fn give_up(home: &Path) -> bool {
    let is_given = std::fs::remove_file(path(home)).is_ok();
    if is_given {
        tracing::warn!(
            "no space is left on the disk: what was kept to open the store is given up, and nothing is recorded until there is more"
        );
    }
    is_given
}

/// Whether enough is free; so it is where the system does not say.
fn has_enough_free(home: &Path) -> bool {
    platform::free_bytes(home).is_none_or(|free| free >= FREE_BYTES_MIN)
}

/// How much is kept for a home.
fn bytes_of(home: &Path) -> u64 {
    let database = database_path(home).join("db").metadata();
    let share = database.map_or(0, |found| found.len() / DATABASE_SHARE);
    (KEPT_BYTES + share).min(KEPT_BYTES_MAX)
}

/// What opening takes at most, which is less than what is kept at least.
fn opening_bytes(home: &Path) -> u64 {
    bytes_of(home) / 2
}

fn make(home: &Path) -> io::Result<()> {
    make_of(home, bytes_of(home))
}

fn make_of(home: &Path, bytes: u64) -> io::Result<()> {
    let path = path(home);
    if let Ok(found) = path.symlink_metadata()
        && found.is_file()
        && platform::taken_bytes(&found) >= bytes / 4 * 3
    {
        return Ok(());
    }
    // Made beside it and moved there, so that nothing is written through whatever is in its place.
    let new = home.join("reserve.new");
    let _ = std::fs::remove_file(&new);
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true);
    let made = platform::open_private(&mut options, &new)
        .and_then(|mut file| take_space(&mut file, bytes))
        .and_then(|()| std::fs::rename(&new, &path));
    made.inspect_err(|_| {
        // A part of it keeps nothing.
        let _ = std::fs::remove_file(&new);
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_given_up_once_and_kept_again() {
        let home = tempfile::tempdir().unwrap();
        let room = Room::of(home.path());
        let kept = || {
            path(home.path())
                .metadata()
                .map(|found| platform::taken_bytes(&found))
        };
        assert!(kept().unwrap() >= KEPT_BYTES);
        assert!(give_up(home.path()));
        assert!(!give_up(home.path()));
        assert!(kept().is_err());
        room.has_refused.store(true, Ordering::Relaxed);
        assert!(room.is_there_again());
        assert!(kept().unwrap() >= KEPT_BYTES);
        assert!(!room.is_there_again());
    }

    #[test]
    fn more_is_kept_for_a_larger_database() {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join("db")).unwrap();
        let database = std::fs::File::create(home.path().join("db/db")).unwrap();
        database.set_len(KEPT_BYTES * DATABASE_SHARE * 3).unwrap();
        let taken = |home: &Path| platform::taken_bytes(&path(home).metadata().unwrap());
        // One that was made for less does not do.
        std::fs::write(path(home.path()), vec![0; 4096]).unwrap();
        let room = Room::of(home.path());
        assert!(taken(home.path()) >= KEPT_BYTES * 4);
        // It grows with the database while a node runs.
        database.set_len(KEPT_BYTES * DATABASE_SHARE * 9).unwrap();
        assert!(room.is_there());
        assert!(taken(home.path()) >= KEPT_BYTES * 10);
    }

    #[cfg(unix)]
    #[test]
    fn what_is_in_its_place_is_not_written_through_and_in_nobodys_way() {
        let home = tempfile::tempdir().unwrap();
        let other = home.path().join("other");
        std::fs::write(&other, "untouched").unwrap();
        for name in ["other", "nowhere"] {
            std::os::unix::fs::symlink(name, path(home.path())).unwrap();
            assert!(Room::of(home.path()).is_there());
            assert!(path(home.path()).symlink_metadata().unwrap().is_file());
            assert!(give_up(home.path()));
        }
        std::fs::hard_link(&other, path(home.path())).unwrap();
        assert!(Room::of(home.path()).is_there());
        assert_eq!(std::fs::read_to_string(&other).unwrap(), "untouched");
        assert!(give_up(home.path()));
        std::fs::create_dir(path(home.path())).unwrap();
        assert!(Room::of(home.path()).is_there());
        assert!(path(home.path()).is_dir());
        assert!(!home.path().join("reserve.new").exists());
    }
}
