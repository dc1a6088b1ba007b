//! The slot file: the keys that observations are sealed with, beside the database.
//!
//! A delete in the database leaves bytes on the disk; zeroing 32 bytes in place does not. Slots are filled
//! with random keys and synced before any is used, so that a commit needs no second sync, and no slot is
//! ever used twice.

use super::database::is_full;
#[cfg(test)]
use super::faults::{Faults, Point};
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// How many slots are filled at a time: 128 KiB, some minutes of a busy node.
#[cfg(not(test))]
const FILL: u64 = 4_096;
/// So few that a test with some observations comes to the end of a fill.
#[cfg(test)]
const FILL: u64 = 32;
const SLOT_BYTES: u64 = 32;

/// The key of one slot.
pub(super) type SlotKey = Zeroizing<[u8; 32]>;

#[derive(Debug)]
pub(super) struct Slots {
    file: File,
    path: PathBuf,
    filled: u64,
    /// Nothing is written or synced after a write or sync that failed.
    has_failed: bool,
    /// Nothing is made in the place of keys that are not there.
    is_read_only: bool,
    #[cfg(test)]
    faults: Faults,
}

/// The slot file failed.
#[derive(Debug, thiserror::Error)]
pub enum SlotError {
    /// The file cannot be opened, read, written or synced.
    #[error(
        "failed to use the key slot file `{path}`; see to the disk and to who may use the file, then start again"
    )]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// No space is left.
    #[error(
        "no space is left on the disk that holds `{path}`; free space there, then start again; until then --read-only shows and \
         exports what is there"
    )]
    Full {
        /// What did not fit.
        path: PathBuf,
    },
    /// An earlier error was final.
    #[error("the key slot file `{path}` takes nothing more after an earlier failure; start again")]
    Stopped {
        /// Which file.
        path: PathBuf,
    },
    /// The system gave no randomness.
    #[error(
        "the system gave no randomness for new keys; let the node use getrandom(2) or /dev/urandom, then try again"
    )]
    Randomness(#[source] getrandom::Error),
    /// The file ends before the last slot that was used.
    #[error(
        "`{path}` holds {filled} keys, and {used} were used: the readings sealed with the others are lost; restore the home from the latest whole backup"
    )]
    Cut {
        /// Which file.
        path: PathBuf,
        /// How many keys it holds.
        filled: u64,
        /// How many were used.
        used: u64,
    },
    /// The keys are not those that the readings were sealed with last.
    #[error(
        "the keys in `{path}` do not open what was recorded last: an older copy of it is in its place, or another home's; put back \
         the right one, or restore the home from the latest whole backup; until then --read-only shows and exports what opens"
    )]
    Other {
        /// Which file.
        path: PathBuf,
    },
    /// The slot was zeroed, or was never filled.
    #[error(
        "key slot {0} holds no key, and this version erases none: `slots` is damaged; restore the home from the latest \
         whole backup"
    )]
    Erased(u64),
}

impl Slots {
    /// Opens the file, or makes it. What it holds then is on the disk, also what a process that was killed had only
    /// handed to the system.
    pub(super) fn open(path: &Path) -> Result<Self, SlotError> {
        let file = |source| failure(path, source);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let opened = crate::platform::open_private(&mut options, path).map_err(file)?;
        opened.sync_all().map_err(file)?;
        if let Some(folder) = path.parent() {
            crate::platform::sync_folder(folder).map_err(file)?;
        }
        #[cfg(test)]
        let faults = Faults::of(path.parent().unwrap_or(path));
        #[cfg(test)]
        faults.pass(Point::SlotsSynced).map_err(file)?;
        let bytes = opened.metadata().map_err(file)?.len();
        // A fill that a crash cut off leaves a part of a slot; it was never used.
        Ok(Self {
            file: opened,
            path: path.to_owned(),
            filled: bytes / SLOT_BYTES,
            has_failed: false,
            is_read_only: false,
            #[cfg(test)]
            faults,
        })
    }

    /// Opens the file to read from it, and never writes to it: asked for a slot that is not there, it fails.
    pub(super) fn open_read_only(path: &Path) -> Result<Self, SlotError> {
        let opened = crate::platform::check_file(path).and_then(|()| File::open(path));
        let length = opened.and_then(|file| Ok((file.metadata()?.len(), file)));
        let (bytes, file) = length.map_err(|source| failure(path, source))?;
        Ok(Self {
            file,
            path: path.to_owned(),
            filled: bytes / SLOT_BYTES,
            has_failed: true,
            is_read_only: true,
            #[cfg(test)]
            faults: Faults::of(path.parent().unwrap_or(path)),
        })
    }

    /// Whether every slot below this one is there.
    pub(super) fn check(&self, used: u64) -> Result<(), SlotError> {
        if self.filled < used {
            return Err(SlotError::Cut {
                path: self.path.clone(),
                filled: self.filled,
                used,
            });
        }
        Ok(())
    }

    /// That other keys are in it than it should have.
    pub(super) fn are_others(&self) -> SlotError {
        let path = self.path.clone();
        SlotError::Other { path }
    }

    /// Gives the slots from this one on, which no group names that is committed, other keys: what a crash cut off may have been
    /// sealed with those that they have.
    pub(super) fn renew(&mut self, unused: u64) -> Result<(), SlotError> {
        match self.filled.checked_sub(unused) {
            None | Some(0) => Ok(()),
            Some(count) => self.write_keys(unused, count),
        }
    }

    /// The key of a slot that was used.
    pub(super) fn used_key(&mut self, slot: u64) -> Result<SlotKey, SlotError> {
        self.check(slot.saturating_add(1))?;
        self.key(slot)
    }

    /// The key of a slot, filling the file first where it does not reach so far.
    pub(super) fn key(&mut self, slot: u64) -> Result<SlotKey, SlotError> {
        while slot >= self.filled {
            if self.is_read_only {
                self.check(slot.saturating_add(1))?;
            }
            self.fill()?;
        }
        let mut key: SlotKey = Zeroizing::new([0; 32]);
        self.file
            .seek(SeekFrom::Start(slot * SLOT_BYTES))
            .and_then(|_| self.file.read_exact(key.as_mut()))
            .map_err(|source| failure(&self.path, source))?;
        if key.iter().all(|byte| *byte == 0) {
            return Err(SlotError::Erased(slot));
        }
        Ok(key)
    }

    fn fill(&mut self) -> Result<(), SlotError> {
        self.write_keys(self.filled, FILL)?;
        self.filled += FILL;
        Ok(())
    }

    fn write_keys(&mut self, first: u64, count: u64) -> Result<(), SlotError> {
        if self.has_failed {
            return Err(SlotError::Stopped {
                path: self.path.clone(),
            });
        }
        let bytes = usize::try_from(count * SLOT_BYTES).unwrap_or(usize::MAX);
        let mut keys = Zeroizing::new(vec![0; bytes]);
        getrandom::fill(&mut keys).map_err(SlotError::Randomness)?;
        let written = self.write(first, &keys);
        self.has_failed = written.is_err();
        written.map_err(|source| failure(&self.path, source))
    }

    fn write(&mut self, first: u64, keys: &[u8]) -> std::io::Result<()> {
        #[cfg(test)]
        self.faults.pass(Point::SlotsWrite)?;
        self.file.seek(SeekFrom::Start(first * SLOT_BYTES))?;
        #[cfg(test)]
        self.faults.pass_half(&mut self.file, keys)?;
        self.file.write_all(keys)?;
        #[cfg(test)]
        self.faults.pass(Point::SlotsSync)?;
        self.file.sync_all()?;
        #[cfg(test)]
        self.faults.pass(Point::SlotsSynced)?;
        Ok(())
    }
}

fn failure(path: &Path, source: std::io::Error) -> SlotError {
    let path = path.to_owned();
    if is_full(&source) {
        SlotError::Full { path }
    } else {
        SlotError::File { path, source }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_stay_and_differ() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("slots");
        let mut slots = Slots::open(&path).unwrap();
        let (first, far) = (slots.key(0).unwrap(), slots.key(FILL).unwrap());
        assert_ne!(first, far);
        let mut again = Slots::open(&path).unwrap();
        assert_eq!(again.key(0).unwrap(), first);
        assert_eq!(again.key(FILL).unwrap(), far);
    }

    #[test]
    fn a_zeroed_slot_is_erased_and_a_cut_fill_is_filled_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("slots");
        Slots::open(&path).unwrap().key(0).unwrap();
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[..32].fill(0);
        bytes.truncate(100);
        std::fs::write(&path, bytes).unwrap();
        let mut slots = Slots::open(&path).unwrap();
        assert!(matches!(slots.key(0), Err(SlotError::Erased(0))));
        assert!(slots.key(3).is_ok());
    }

    #[test]
    fn slots_that_were_drawn_and_not_committed_get_other_keys_and_what_is_used_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("slots");
        let mut slots = Slots::open(&path).unwrap();
        slots.key(0).unwrap();
        let before = std::fs::read(&path).unwrap();
        // As a crash may leave a fill.
        let mut bytes = before.clone();
        bytes[20 * 32..].fill(0);
        std::fs::write(&path, &bytes).unwrap();
        let mut slots = Slots::open(&path).unwrap();
        slots.renew(2).unwrap();
        let after = std::fs::read(&path).unwrap();
        let keys = |bytes: &[u8]| bytes.chunks(32).map(<[u8]>::to_vec).collect::<Vec<_>>();
        let (before, after) = (keys(&before), keys(&after));
        assert_eq!(before.len(), after.len());
        for (slot, (before, after)) in before.iter().zip(&after).enumerate() {
            assert_eq!(before == after, slot < 2, "slot {slot}");
            assert!(after.iter().any(|byte| *byte != 0), "slot {slot}");
        }
        // None is left to renew.
        slots.renew(FILL).unwrap();
        assert_eq!(keys(&std::fs::read(&path).unwrap()), after);
    }
}
