//! Goes through the records of one segment, group by group, and looks for what comes behind a place that cannot be read.

use super::error::{Cause, Damage, JournalError};
use super::files::Files;
use super::layout::{
    Flag, GROUP_BYTES_MAX, HEAD_BYTES, Head, Position, RecordPosition, Salt, Seal,
};
use std::fs::File;
use std::io::{self, BufReader, Read as _, Seek as _, SeekFrom};

/// How much is read at a time.
const CHUNK_BYTES: usize = 64 * 1024;

/// A group as it was appended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its number.
    pub number: u64,
    /// Where the next one begins.
    pub after: Position,
    /// Its records, in the order in which they were appended.
    pub records: Vec<Record>,
}

/// A record of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Where it lies.
    pub position: RecordPosition,
    /// What was appended.
    pub bytes: Vec<u8>,
}

/// What lies behind a place where no whole group does.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rest {
    /// Behind the last byte that is not zero; the place itself where all are.
    pub(super) used_to: u64,
    /// The first group found that begins there: where, and its number.
    pub(super) next: Option<(u64, u64)>,
}

/// A place in a segment.
#[derive(Debug)]
pub(super) struct Walk {
    files: Files,
    file: BufReader<File>,
    seal: Seal,
    segment: u32,
    offset: u64,
    limit: u64,
}

impl Walk {
    /// Opens a segment at this byte. What lies behind the limit is not looked at.
    pub(super) fn open(
        files: &Files,
        (segment, salt): (u32, &Salt),
        offset: u64,
        limit: u64,
    ) -> Result<Self, JournalError> {
        let (file, _) = files.open(segment).map_err(files.failed(segment))?;
        let mut walk = Self {
            files: files.clone(),
            file: BufReader::with_capacity(CHUNK_BYTES, file),
            seal: Seal::new(salt, segment),
            segment,
            offset,
            limit,
        };
        walk.go_to(offset)?;
        Ok(walk)
    }

    pub(super) fn go_to(&mut self, offset: u64) -> Result<(), JournalError> {
        self.offset = offset;
        let sought = self.file.seek(SeekFrom::Start(offset));
        sought.map(drop).map_err(self.files.failed(self.segment))
    }

    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    pub(super) fn is_at_limit(&self) -> bool {
        self.offset == self.limit
    }

    /// Reads the group of this number, and goes behind it. None, and it stays where it is, where that group is not there as a
    /// whole.
    pub(super) fn group(&mut self, number: u64) -> Result<Option<Group>, JournalError> {
        match self.records(number) {
            Ok(Some((records, offset))) => {
                self.offset = offset;
                let after = Position {
                    group: number + 1,
                    segment: self.segment,
                    offset,
                };
                Ok(Some(Group {
                    number,
                    after,
                    records,
                }))
            }
            Ok(None) => self.go_to(self.offset).map(|()| None),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                self.go_to(self.offset).map(|()| None)
            }
            Err(error) => Err(self.files.failed(self.segment)(error)),
        }
    }

    /// The records of a group, and where it ends.
    fn records(&mut self, group: u64) -> io::Result<Option<(Vec<Record>, u64)>> {
        let mut records = Vec::new();
        let mut position = RecordPosition {
            group,
            segment: self.segment,
            offset: self.offset,
            index: 0,
        };
        loop {
            let Some((head, bytes)) = self.record(position)? else {
                return Ok(None);
            };
            let end = position.offset + head.bytes;
            if end - self.offset > GROUP_BYTES_MAX as u64 {
                return Ok(None);
            }
            if head.flag == Flag::Empty {
                let is_alone = position.index == 0 && bytes.is_empty();
                return Ok(is_alone.then_some((records, end)));
            }
            records.push(Record { position, bytes });
            if head.flag == Flag::Last {
                return Ok(Some((records, end)));
            }
            let Some(index) = position.index.checked_add(1) else {
                return Ok(None);
            };
            position.offset = end;
            position.index = index;
        }
    }

    /// The record that lies where the file is read next.
    fn record(&mut self, at: RecordPosition) -> io::Result<Option<(Head, Vec<u8>)>> {
        let room = self.limit.saturating_sub(at.offset);
        if room < HEAD_BYTES as u64 {
            return Ok(None);
        }
        let mut head = [0; HEAD_BYTES];
        self.file.read_exact(&mut head)?;
        let head = self.seal.head(&head, at.offset, at.index);
        let Some(head) = head.filter(|head| head.group == at.group && head.bytes <= room) else {
            return Ok(None);
        };
        let mut bytes = vec![0; head.content_bytes()];
        self.file.read_exact(&mut bytes)?;
        Ok(head.is_of(&bytes).then_some((head, bytes)))
    }

    /// Looks for the first group from this number on that begins at this byte or behind it, and for how far anything was
    /// written.
    pub(super) fn rest(&mut self, from: u64, group: u64) -> Result<Rest, JournalError> {
        let place = self.offset;
        self.go_to(from)?;
        let rest = self.search(from, group);
        let rest = rest.map_err(self.files.failed(self.segment))?;
        self.go_to(place)?;
        Ok(rest)
    }

    fn search(&mut self, from: u64, group: u64) -> io::Result<Rest> {
        let mut rest = Rest {
            used_to: from,
            next: None,
        };
        let (mut window, mut begin) = (Vec::new(), from);
        let mut unread = (&mut self.file).take(self.limit.saturating_sub(from));
        loop {
            let mut chunk = (&mut unread).take(CHUNK_BYTES as u64);
            if chunk.read_to_end(&mut window)? == 0 {
                return Ok(rest);
            }
            let is_zero = window
                .chunks(ZEROS.len())
                .all(|part| ZEROS.starts_with(part));
            if !is_zero {
                if let Some(last) = window.iter().rposition(|byte| *byte != 0) {
                    rest.used_to = begin + last as u64 + 1;
                }
                let heads = window.windows(HEAD_BYTES).zip(begin..);
                let mut found = heads.filter_map(|(bytes, offset)| {
                    let head = self.seal.head(bytes, offset, 0)?;
                    (head.group >= group).then_some((offset, head.group))
                });
                rest.next = found.next();
                if rest.next.is_some() {
                    return Ok(rest);
                }
            }
            // A head may reach over two windows.
            let done = window.len().saturating_sub(HEAD_BYTES - 1);
            window.drain(..done);
            begin += done as u64;
        }
    }

    /// What is damaged where the group of this number should be and is not. The groups up to this one are known to have been
    /// there.
    pub(super) fn damage(&mut self, group: u64, known_to: u64) -> Result<Damage, JournalError> {
        let rest = self.rest(self.offset, group + 1)?;
        Ok(self.damage_with(group, known_to, rest))
    }

    pub(super) fn damage_with(&self, group: u64, known_to: u64, rest: Rest) -> Damage {
        let to = rest.next.map_or(known_to, |(_, next)| next);
        let is_used = rest.next.is_some() || rest.used_to > self.offset;
        Damage {
            segment: self.files.path(self.segment),
            offset: self.offset,
            groups: group..to.max(group),
            cause: if is_used { Cause::Record } else { Cause::Lost },
        }
    }
}

const ZEROS: [u8; 4_096] = [0; 4_096];
