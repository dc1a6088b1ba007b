//! The journal: groups of records, appended, synced, and never overwritten.
//!
//! ```text
//! append: one write ─▶ sync: one fdatasync ─▶ acknowledged
//! ```
//!
//! It is what the ledger is built again from, so it must never pass over what it cannot read, never give out a byte that was
//! not appended, and never write where something was written. What a crash cut off was acknowledged to nobody: it is told from
//! damage, left where it lies, and the next group begins a new segment. What the records mean is not known here.
//!
//! # Files
//! `NNNNNNNN.seg`, numbered from 0, each twice as large as the one before from 256 KiB up to 16 MiB, and larger for one group
//! that needs it; behind one that a crash cut off, as large as what is whole of that. Space is reserved and synced before the file gets this name; until then it is `NNNNNNNN.new`, which nothing
//! reads. So a segment always has a whole header and its whole length: one that has not is damaged, whatever a crash did.
//!
//! # Bytes
//! All numbers are big-endian, all CRCs CRC-32C (Castagnoli, RFC 3720). A segment begins with its header:
//!
//! | at | bytes | what |
//! | ---: | ---: | --- |
//! | 0 | 8 | `ambitjnl` |
//! | 8 | 4 | version of the format: 1 |
//! | 12 | 4 | number of the segment |
//! | 16 | 16 | the journal: random, the same in all its segments |
//! | 32 | 16 | salt: random, of this segment |
//! | 48 | 8 | number of the group that comes first in it |
//! | 56 | 8 | bytes of the file |
//! | 64 | 16 | salt of the segment before; in the first, zeros |
//! | 80 | 8 | where its last whole group ended: what lies behind that there counts for nothing; in the first, 0 |
//! | 88 | 420 | zeros |
//! | 508 | 4 | CRC of the 508 bytes above |
//!
//! Records follow without gaps:
//!
//! | at | bytes | what |
//! | ---: | ---: | --- |
//! | 0 | 4 | length of the record, these 21 bytes included; 0: nothing more here |
//! | 4 | 4 | CRC of salt, segment (4 bytes), offset (8), position in the group (4), length (4), group (8), flag (1) |
//! | 8 | 4 | CRC of the same and the bytes |
//! | 12 | 8 | number of the group |
//! | 20 | 1 | flag: 0 more of the group follow, 1 the last, 2 no record, but a group that has none |
//! | 21 | | the bytes, at most 16 MiB |
//!
//! A group lies in one segment, and is at most 64 MiB with its heads. One whose last record is not there was never acknowledged.
//! Nobody outside knows a salt, so that no bytes of a record can look like another record.
//!
//! # What is damage
//! A group is only begun once the one before is on the disk. So what cannot be read was cut off by a crash only where it comes
//! last: with a later group behind it, or below what the caller knows to be acknowledged, it is damage.

mod error;
#[cfg(test)]
pub(super) mod faults;
mod files;
mod layout;
mod reader;
mod salvage;
mod segments;
mod walk;

#[cfg(test)]
pub use error::Cause;
pub use error::{Damage, JournalError};
pub(in crate::store) use files::take_space;
pub use layout::{GROUP_BYTES_MAX, Position, RECORD_BYTES_MAX, RecordPosition};
pub use reader::{Groups, Opened, Reader};
pub use salvage::{Salvage, Salvaged};
pub use walk::Group;

use files::Files;
use layout::{Before, Flag, HEAD_BYTES, Header, RECORDS_START, Salt, Seal, segment_bytes};
use reader::find_end;
use segments::Segments;
use std::fs::File;
use std::path::{Path, PathBuf};

/// Why a journal takes nothing more.
#[derive(Clone, Debug)]
enum Failure {
    Full(PathBuf),
    Other,
}

/// A journal that can be appended to. One at a time has it open: whoever holds the store sees to that.
#[derive(Debug)]
pub struct Journal {
    segments: Segments,
    tail: File,
    /// Where the next group goes.
    next: Position,
    /// The same as of the last sync: what is below was acknowledged.
    synced: Position,
    /// Something is behind `next` that must not be written over.
    is_torn: bool,
    failure: Option<Failure>,
}

/// Where a group was put.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appended {
    /// Where each of its records lies.
    pub records: Vec<RecordPosition>,
    /// Where the next group goes: known to be acknowledged after the next [`Journal::sync`].
    pub after: Position,
}

impl Journal {
    /// Makes a journal in this folder, which is made where it is not there. What making one before left unfinished is no journal.
    ///
    /// # Errors
    /// [`JournalError::AlreadyThere`], [`JournalError::File`], [`JournalError::Full`], [`JournalError::Randomness`].
    pub fn create(folder: &Path) -> Result<Self, JournalError> {
        let files = Files::of(folder);
        files.make_folder()?;
        if !files.numbers()?.is_empty() {
            return Err(JournalError::AlreadyThere(folder.to_owned()));
        }
        let header = Header {
            number: 0,
            journal: draw_salt()?,
            salt: draw_salt()?,
            first_group: 0,
            bytes: segment_bytes(None, 0),
            salt_before: Salt::default(),
            end_before: 0,
        };
        let tail = files.make(0, header.bytes, &header.encode())?;
        Ok(Self {
            segments: Segments::first(files, header),
            tail,
            next: Position::START,
            synced: Position::START,
            is_torn: false,
            failure: None,
        })
    }

    /// Opens a journal. All headers are looked at, and the groups from the segment of `verified` on: a position up to which they
    /// were read before, [`Position::START`] where none is known. So many groups are known to be acknowledged, fewer or as many
    /// as were. All that is found is on the disk then, and counts as acknowledged.
    ///
    /// # Errors
    /// [`JournalError::Damaged`], [`JournalError::NotThere`], [`JournalError::Newer`], [`JournalError::Unknown`] where `verified` is
    /// not in this journal, [`JournalError::File`].
    pub fn open(
        folder: &Path,
        verified: Position,
        acknowledged: u64,
    ) -> Result<(Self, Opened), JournalError> {
        let segments = Segments::open(Files::of(folder), acknowledged)?;
        let tail = segments.files.open_tail(segments.last().number)?;
        let opened = find_end(&segments, verified, acknowledged)?;
        let journal = Self {
            segments,
            tail,
            next: opened.end,
            synced: opened.end,
            is_torn: opened.torn_bytes > 0,
            failure: None,
        };
        Ok((journal, opened))
    }

    /// Opens a journal to read it, and changes nothing: also on a file system that cannot be written to. What it finds of groups
    /// that were not known to be acknowledged may not be on the disk yet.
    ///
    /// # Errors
    /// As [`Journal::open`].
    pub fn read_only(
        folder: &Path,
        verified: Position,
        acknowledged: u64,
    ) -> Result<(Reader, Opened), JournalError> {
        let segments = Segments::open(Files::of(folder), acknowledged)?;
        let opened = find_end(&segments, verified, acknowledged)?;
        Ok((Reader::new(segments, opened.end), opened))
    }

    /// Reads out what is whole of a journal that is damaged, and names what is not.
    ///
    /// # Errors
    /// [`JournalError::NotThere`], [`JournalError::Newer`], [`JournalError::File`].
    pub fn salvage(folder: &Path) -> Result<Salvage, JournalError> {
        Salvage::open(Files::of(folder))
    }

    /// Reads what is acknowledged up to now.
    #[must_use]
    pub fn reader(&self) -> Reader {
        Reader::new(self.segments.clone(), self.synced)
    }

    /// [`Reader::read`] of what is acknowledged up to now.
    ///
    /// # Errors
    /// As [`Reader::read`].
    pub fn read(&self, from: Position) -> Result<Groups, JournalError> {
        self.reader().read(from)
    }

    /// Where the next group goes, as of the last sync: what a caller notes as acknowledged.
    #[must_use]
    pub fn acknowledged(&self) -> Position {
        self.synced
    }

    /// Writes the next group. It counts once it is synced; where the group before is not, that one is synced first, so that
    /// only the last one can ever be cut off.
    ///
    /// # Errors
    /// [`JournalError::RecordTooLarge`] and [`JournalError::GroupTooLarge`], with which nothing was done; every other is final:
    /// [`JournalError::Full`], [`JournalError::File`], [`JournalError::Exhausted`], [`JournalError::Randomness`],
    /// [`JournalError::Stopped`].
    pub fn append(&mut self, records: &[impl AsRef<[u8]>]) -> Result<Appended, JournalError> {
        self.check()?;
        let group_bytes = group_bytes(records)?;
        self.sync()?;
        let appended = self.append_checked(records, group_bytes);
        appended.map_err(|error| self.stop(error))
    }

    /// Waits until what was appended is on the disk. Then it is acknowledged.
    ///
    /// # Errors
    /// All final: [`JournalError::Full`], [`JournalError::File`], [`JournalError::Stopped`].
    pub fn sync(&mut self) -> Result<(), JournalError> {
        self.check()?;
        if self.synced == self.next {
            return Ok(());
        }
        let number = self.next.segment;
        let synced = self.segments.files.sync(&self.tail, number);
        synced.map_err(|source| self.stop(self.segments.files.failed(number)(source)))?;
        self.synced = self.next;
        Ok(())
    }

    fn append_checked(
        &mut self,
        records: &[impl AsRef<[u8]>],
        group_bytes: u64,
    ) -> Result<Appended, JournalError> {
        let last = self.segments.last();
        let room = last.bytes.saturating_sub(self.next.offset);
        if self.is_torn || room < group_bytes {
            self.begin_segment(group_bytes)?;
        }
        let header = self.segments.last();
        let seal = Seal::new(&header.salt, header.number);
        let (bytes, positions) = encode(seal, self.next, records, group_bytes)
            .ok_or(JournalError::GroupTooLarge(GROUP_BYTES_MAX))?;
        let Position {
            group,
            segment,
            offset,
        } = self.next;
        let files = &self.segments.files;
        files
            .write(&mut self.tail, segment, offset, &bytes)
            .map_err(files.failed(segment))?;
        self.next = Position {
            group: group + 1,
            segment,
            offset: offset + bytes.len() as u64,
        };
        Ok(Appended {
            records: positions,
            after: self.next,
        })
    }

    fn begin_segment(&mut self, group_bytes: u64) -> Result<(), JournalError> {
        let files = &self.segments.files;
        let before = self.segments.last();
        let number = before.number.checked_add(1).filter(|next| *next < u32::MAX);
        let number = number.ok_or_else(|| JournalError::Exhausted(files.folder().to_owned()))?;
        let left = if self.is_torn {
            let used = self.next.offset;
            Before::CutOff { used }
        } else {
            let bytes = before.bytes;
            Before::Filled { bytes }
        };
        let header = Header {
            number,
            journal: before.journal,
            salt: draw_salt()?,
            first_group: self.next.group,
            bytes: segment_bytes(Some(left), group_bytes),
            salt_before: before.salt,
            end_before: self.next.offset,
        };
        self.tail = files.make(number, header.bytes, &header.encode())?;
        self.segments.add(header);
        self.next = Position {
            group: self.next.group,
            segment: number,
            offset: RECORDS_START,
        };
        self.synced = self.next;
        self.is_torn = false;
        Ok(())
    }

    fn check(&self) -> Result<(), JournalError> {
        match &self.failure {
            None => Ok(()),
            Some(Failure::Full(path)) => Err(JournalError::Full { path: path.clone() }),
            Some(Failure::Other) => Err(JournalError::Stopped {
                folder: self.segments.files.folder().to_owned(),
            }),
        }
    }

    /// Takes note that nothing can be relied on from here on.
    fn stop(&mut self, error: JournalError) -> JournalError {
        self.failure = Some(match &error {
            JournalError::Full { path } => Failure::Full(path.clone()),
            _ => Failure::Other,
        });
        error
    }
}

fn draw_salt() -> Result<Salt, JournalError> {
    let mut salt = Salt::default();
    getrandom::fill(&mut salt).map_err(JournalError::Randomness)?;
    Ok(salt)
}

/// How many bytes a group takes, where that is not too many.
fn group_bytes(records: &[impl AsRef<[u8]>]) -> Result<u64, JournalError> {
    let mut bytes = 0;
    for record in records {
        let length = record.as_ref().len();
        if length > RECORD_BYTES_MAX {
            return Err(JournalError::RecordTooLarge(length));
        }
        // Neither is large enough for the sum to overflow: what was summed before passed the check below.
        bytes += length + HEAD_BYTES;
        if bytes > GROUP_BYTES_MAX {
            return Err(JournalError::GroupTooLarge(bytes));
        }
    }
    Ok(bytes.max(HEAD_BYTES) as u64)
}

/// The bytes of a group that begins there, and where each record lies.
fn encode(
    seal: Seal,
    begin: Position,
    records: &[impl AsRef<[u8]>],
    group_bytes: u64,
) -> Option<(Vec<u8>, Vec<RecordPosition>)> {
    let mut bytes = Vec::with_capacity(usize::try_from(group_bytes).ok()?);
    let mut positions = Vec::with_capacity(records.len());
    let position = |bytes: &Vec<u8>, index| RecordPosition {
        group: begin.group,
        segment: begin.segment,
        offset: begin.offset + bytes.len() as u64,
        index,
    };
    for (record, index) in records.iter().zip(0..) {
        let is_last = positions.len() + 1 == records.len();
        let flag = if is_last { Flag::Last } else { Flag::More };
        let position = position(&bytes, index);
        seal.encode(&mut bytes, &position, flag, record.as_ref())?;
        positions.push(position);
    }
    if records.is_empty() {
        let position = position(&bytes, 0);
        seal.encode(&mut bytes, &position, Flag::Empty, &[])?;
    }
    Some((bytes, positions))
}

#[cfg(test)]
mod tests;
