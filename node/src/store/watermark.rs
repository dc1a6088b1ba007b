//! How far the store came, beside the database: the least that a whole database holds.
//!
//! The engine takes what it cannot read at the end of its file for a write that a crash cut off, and drops it. This
//! number tells such a loss of what was acknowledged from a crash. It is written after each commit's sync and not
//! synced itself, so that it may say too little and never too much.

use super::{DatabaseError, StoreError};
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

/// As many digits as the largest number has, so that each number takes the place of the one before.
const DIGITS: usize = 20;

#[derive(Debug)]
pub(super) struct Watermark {
    file: File,
}

impl Watermark {
    /// Opens the file, or makes it, and holds what it says against the entries that are there.
    pub(super) fn open(path: &Path, size: u64) -> Result<Self, StoreError> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let failed = |source| DatabaseError::Sync {
            path: path.to_owned(),
            source,
        };
        let mut file = crate::platform::open_private(&mut options, path).map_err(failed)?;
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(failed)?;
        // What cannot be read says nothing: a crash may have kept the first number from the disk.
        let committed: u64 = text.trim().parse().unwrap_or_default();
        if committed > size {
            return Err(StoreError::Lost { size, committed });
        }
        let mut watermark = Self { file };
        watermark.raise(size);
        Ok(watermark)
    }

    /// So many entries are on the disk.
    pub(super) fn raise(&mut self, size: u64) {
        let text = format!("{size:0DIGITS$}\n");
        let written = self
            .file
            .seek(SeekFrom::Start(0))
            .and_then(|_| self.file.write_all(text.as_bytes()));
        // The commit counts all the same: a number that is too low only notices less.
        if let Err(error) = written {
            tracing::warn!(%error, "the number of committed entries could not be noted");
        }
    }
}
