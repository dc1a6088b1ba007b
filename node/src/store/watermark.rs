//! How far the store came, beside the journal: the least that a whole journal holds.
//!
//! What cannot be read at the end of a journal is taken for a write that a crash cut off. This place tells such a loss of
//! what was acknowledged from a crash. It is written after each commit's sync and not synced itself, so that it may say too
//! little and never too much.

use super::DatabaseError;
use super::journal::Position;
use crc32c::crc32c;
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

#[derive(Debug)]
pub(super) struct Watermark {
    file: File,
}

/// What a home's file says: [`Position::START`] where it says nothing.
pub(super) fn read(home: &Path) -> Result<Position, DatabaseError> {
    let path = home.join("committed");
    DatabaseError::check_file(&path)?;
    match crate::platform::read_text(&path) {
        Ok(text) => Ok(parse(&text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Position::START),
        // A crash may have left anything there.
        Err(error) if error.kind() == std::io::ErrorKind::InvalidData => Ok(Position::START),
        Err(error) => Err(DatabaseError::sync(&path, error)),
    }
}

impl Watermark {
    /// Opens the file of a home, or makes it, and says what it says.
    pub(super) fn open(home: &Path) -> Result<(Self, Position), DatabaseError> {
        let path = home.join("committed");
        DatabaseError::check_file(&path)?;
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let failed = |source| DatabaseError::sync(&path, source);
        let mut file = crate::platform::open_private(&mut options, &path).map_err(failed)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(failed)?;
        let position = std::str::from_utf8(&bytes).map_or(Position::START, parse);
        Ok((Self { file }, position))
    }

    /// What comes before this position is on the disk.
    pub(super) fn note(&mut self, position: Position) {
        let written = self
            .file
            .seek(SeekFrom::Start(0))
            .and_then(|_| self.file.write_all(text(position).as_bytes()));
        // The commit counts all the same: a place that is too early only notices less.
        if let Err(error) = written {
            tracing::warn!(%error, "how far is committed could not be noted");
        }
    }
}

/// Numbers in as many digits as the largest has, so that each text takes the place of the one before; then their checksum.
fn text(position: Position) -> String {
    let Position {
        group,
        segment,
        offset,
    } = position;
    let numbers = format!("{group:020} {segment:010} {offset:020}");
    let check = crc32c(numbers.as_bytes());
    format!("{numbers} {check:08x}\n")
}

/// What cannot be read says nothing: a crash may have kept some of it from the disk.
fn parse(told: &str) -> Position {
    let mut fields = told.split_ascii_whitespace();
    let mut next = || fields.next().and_then(|field| field.parse::<u64>().ok());
    let position = || {
        Some(Position {
            group: next()?,
            segment: u32::try_from(next()?).ok()?,
            offset: next()?,
        })
    };
    let mut position = position;
    let read = position();
    read.filter(|read| text(*read) == told)
        .unwrap_or(Position::START)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_noted_is_read_and_what_was_changed_says_nothing() {
        let home = tempfile::tempdir().unwrap();
        assert_eq!(read(home.path()).unwrap(), Position::START);
        let noted = Position {
            group: 12,
            segment: 3,
            offset: 4_567,
        };
        let (mut watermark, before) = Watermark::open(home.path()).unwrap();
        assert_eq!(before, Position::START);
        watermark.note(noted);
        assert_eq!(Watermark::open(home.path()).unwrap().1, noted);
        assert_eq!(read(home.path()).unwrap(), noted);
        let path = home.path().join("committed");
        let good = std::fs::read(&path).unwrap();
        for at in 0..good.len() {
            let mut changed = good.clone();
            changed[at] ^= 1;
            std::fs::write(&path, changed).unwrap();
            assert_eq!(read(home.path()).unwrap(), Position::START, "byte {at}");
        }
        std::fs::write(&path, &good[..20]).unwrap();
        assert_eq!(read(home.path()).unwrap(), Position::START);
    }
}
