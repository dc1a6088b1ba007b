//! The slot file: the keys that observations are sealed with, beside the database.
//!
//! A delete in the database leaves bytes on the disk; zeroing 32 bytes in place does not. Slots are filled
//! with random keys and synced before any is used, so that a commit needs no second sync, and no slot is
//! ever used twice.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// How many slots are filled at a time: 128 KiB, some minutes of a busy node.
const FILL: u64 = 4_096;
const SLOT_BYTES: u64 = 32;

/// The key of one slot.
pub(super) type SlotKey = Zeroizing<[u8; 32]>;

#[derive(Debug)]
pub(super) struct Slots {
    file: File,
    path: PathBuf,
    filled: u64,
}

/// The slot file failed.
#[derive(Debug, thiserror::Error)]
pub enum SlotError {
    /// The file cannot be opened, read, written or synced.
    #[error("failed to use the key slot file `{path}`")]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The system gave no randomness.
    #[error("the system gave no randomness for new keys")]
    Randomness(#[source] getrandom::Error),
    /// The file ends before the last slot that was used.
    #[error(
        "`{path}` holds {filled} keys, and {used} were used: the readings sealed with the others are lost; restore the home from a backup"
    )]
    Cut {
        /// Which file.
        path: PathBuf,
        /// How many keys it holds.
        filled: u64,
        /// How many were used.
        used: u64,
    },
    /// The slot was zeroed, or was never filled.
    #[error("key slot {0} holds no key")]
    Erased(u64),
}

impl Slots {
    /// Opens the file, or makes it.
    pub(super) fn open(path: &Path) -> Result<Self, SlotError> {
        let file = |source| SlotError::File {
            path: path.to_owned(),
            source,
        };
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let opened = crate::platform::open_private(&mut options, path).map_err(file)?;
        if let Some(folder) = path.parent() {
            crate::platform::sync_folder(folder).map_err(file)?;
        }
        let bytes = opened.metadata().map_err(file)?.len();
        // A fill that a crash cut off leaves a part of a slot; it was never used.
        Ok(Self {
            file: opened,
            path: path.to_owned(),
            filled: bytes / SLOT_BYTES,
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

    fn failed(&self, source: std::io::Error) -> SlotError {
        SlotError::File {
            path: self.path.clone(),
            source,
        }
    }

    /// The key of a slot, filling the file first where it does not reach so far.
    pub(super) fn key(&mut self, slot: u64) -> Result<SlotKey, SlotError> {
        while slot >= self.filled {
            self.fill()?;
        }
        let mut key: SlotKey = Zeroizing::new([0; 32]);
        self.file
            .seek(SeekFrom::Start(slot * SLOT_BYTES))
            .and_then(|_| self.file.read_exact(key.as_mut()))
            .map_err(|source| self.failed(source))?;
        if key.iter().all(|byte| *byte == 0) {
            return Err(SlotError::Erased(slot));
        }
        Ok(key)
    }

    fn fill(&mut self) -> Result<(), SlotError> {
        let bytes = usize::try_from(FILL * SLOT_BYTES).unwrap_or(131_072);
        let mut keys = Zeroizing::new(vec![0; bytes]);
        getrandom::fill(&mut keys).map_err(SlotError::Randomness)?;
        self.file
            .seek(SeekFrom::Start(self.filled * SLOT_BYTES))
            .and_then(|_| self.file.write_all(&keys))
            .and_then(|()| self.file.sync_all())
            .map_err(|source| self.failed(source))?;
        self.filled += FILL;
        Ok(())
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
}
