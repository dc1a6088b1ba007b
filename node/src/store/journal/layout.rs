//! What the bytes of a segment mean: its header, and the heads of its records. Pure; the table is in the module above.

use crc32c::{crc32c, crc32c_append};
use serde::{Deserialize, Serialize};

/// The most bytes in one record, without its head.
pub const RECORD_BYTES_MAX: usize = 16 * 1024 * 1024;
/// The most bytes of one group as it is written, heads included: so much is held in memory at once.
pub const GROUP_BYTES_MAX: usize = 64 * 1024 * 1024;
/// The header takes one sector, so that no disk writes it and a record together.
pub(super) const HEADER_BYTES: usize = 512;
/// The same as an offset: where the first record of a segment lies.
pub(super) const RECORDS_START: u64 = 512;
/// Length, the head's CRC, the record's CRC, group, flag.
pub(super) const HEAD_BYTES: usize = 21;

/// How large the first segment is: little, for a home that never grows.
#[cfg(not(test))]
const SEGMENT_BYTES_FIRST: u64 = 256 * 1024;
/// So small that a test with some groups comes to the end of several.
#[cfg(test)]
const SEGMENT_BYTES_FIRST: u64 = 4 * 1024;
/// How often a segment is twice as large as the one before: up to 16 MiB.
const SEGMENT_BYTES_LAST: u64 = SEGMENT_BYTES_FIRST * 64;
/// What the size of a segment is a multiple of.
const BLOCK_BYTES: u64 = 4_096;

const MAGIC: [u8; 8] = *b"ambitjnl";
const VERSION: u32 = 1;
const CHECKED_BYTES: usize = HEADER_BYTES - 4;

/// 16 random bytes.
pub(super) type Salt = [u8; 16];

/// Where a group begins, or the next one will: what a caller keeps to go on from there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Position {
    /// The number of the group.
    pub group: u64,
    /// The segment that it lies in. Where nothing of it fits there any more, it begins the next one.
    pub segment: u32,
    /// At which byte of the segment.
    pub offset: u64,
}

impl Position {
    /// Where the first group of every journal begins.
    pub const START: Self = Self {
        group: 0,
        segment: 0,
        offset: RECORDS_START,
    };
}

/// Where one record lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordPosition {
    /// The group that it is of.
    pub group: u64,
    /// The segment that it lies in.
    pub segment: u32,
    /// At which byte of the segment its head begins.
    pub offset: u64,
    /// How many records of the group come before it.
    pub index: u32,
}

/// How large a segment is made: twice as large as the one before, or as one group asks that needs more.
pub(super) fn segment_bytes(before: Option<Before>, group_bytes: u64) -> u64 {
    let usual = match before {
        None => SEGMENT_BYTES_FIRST,
        Some(Before::Filled { bytes }) => bytes.saturating_mul(2),
        Some(Before::CutOff { used }) => used.next_power_of_two(),
    };
    let usual = usual.clamp(SEGMENT_BYTES_FIRST, SEGMENT_BYTES_LAST);
    let needed = (RECORDS_START + group_bytes).next_multiple_of(BLOCK_BYTES);
    usual.max(needed)
}

/// How the segment before was left.
#[derive(Clone, Copy, Debug)]
pub(super) enum Before {
    /// The next group does not fit into it.
    Filled {
        /// How large it was made.
        bytes: u64,
    },
    /// A crash cut off what came last in it, so that nothing more is written to it. The next one is no larger than what it holds
    /// asks for: crash after crash would take up a disk.
    CutOff {
        /// What is whole of it.
        used: u64,
    },
}

/// The header of a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) number: u32,
    /// Drawn once for a journal: tells its segments from those of another.
    pub(super) journal: Salt,
    /// Drawn for each segment. It never leaves the disk, so that nobody can make up a record.
    pub(super) salt: Salt,
    /// The group that comes first in it.
    pub(super) first_group: u64,
    /// How long the file was made.
    pub(super) bytes: u64,
    /// The salt of the segment before; zeros in the first.
    pub(super) salt_before: Salt,
    /// Where the last whole group of the segment before ended: what lies behind it there counts for nothing.
    pub(super) end_before: u64,
}

/// Why a header cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BadHeader {
    /// A newer program wrote it.
    Newer(u32),
    /// It is damaged, or no header.
    Unreadable,
}

impl Header {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER_BYTES);
        bytes.extend(MAGIC);
        bytes.extend(VERSION.to_be_bytes());
        bytes.extend(self.number.to_be_bytes());
        bytes.extend(self.journal);
        bytes.extend(self.salt);
        bytes.extend(self.first_group.to_be_bytes());
        bytes.extend(self.bytes.to_be_bytes());
        bytes.extend(self.salt_before);
        bytes.extend(self.end_before.to_be_bytes());
        bytes.resize(CHECKED_BYTES, 0);
        bytes.extend(crc32c(&bytes).to_be_bytes());
        bytes
    }

    pub(super) fn decode(bytes: &[u8; HEADER_BYTES]) -> Result<Self, BadHeader> {
        let (checked, crc) = bytes.split_at(CHECKED_BYTES);
        if crc != crc32c(checked).to_be_bytes() {
            return Err(BadHeader::Unreadable);
        }
        let mut fields = Fields(checked);
        if fields.take() != Some(MAGIC) {
            return Err(BadHeader::Unreadable);
        }
        match fields.u32() {
            Some(VERSION) => fields.header().ok_or(BadHeader::Unreadable),
            Some(version) if version > VERSION => Err(BadHeader::Newer(version)),
            Some(_) | None => Err(BadHeader::Unreadable),
        }
    }
}

/// What follows a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Flag {
    /// More records of its group.
    More = 0,
    /// It is the last of its group.
    Last = 1,
    /// It is no record, but says that its group has none.
    Empty = 2,
}

impl Flag {
    fn from_byte(byte: u8) -> Option<Self> {
        [Self::More, Self::Last, Self::Empty]
            .into_iter()
            .find(|flag| *flag as u8 == byte)
    }
}

/// The head of a record, whose own CRC held.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    /// How long the record is, its head included.
    pub(super) bytes: u64,
    pub(super) group: u64,
    pub(super) flag: Flag,
    check: u32,
    crc: u32,
}

impl Head {
    /// How many bytes follow it.
    pub(super) fn content_bytes(&self) -> usize {
        usize::try_from(self.bytes).map_or(0, |bytes| bytes.saturating_sub(HEAD_BYTES))
    }

    pub(super) fn is_of(&self, content: &[u8]) -> bool {
        crc32c_append(self.check, content) == self.crc
    }
}

/// What is checked with each record of a segment beside what it holds. A peer chooses what is in a record, but does not know the
/// salt: it cannot put a record into one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seal {
    begun: u32,
}

impl Seal {
    pub(super) fn new(salt: &Salt, number: u32) -> Self {
        Self {
            begun: crc32c_append(crc32c(salt), &number.to_be_bytes()),
        }
    }

    fn check(self, offset: u64, index: u32, length: u32, group: u64, flag: Flag) -> u32 {
        let parts: [&[u8]; 5] = [
            &offset.to_be_bytes(),
            &index.to_be_bytes(),
            &length.to_be_bytes(),
            &group.to_be_bytes(),
            &[flag as u8],
        ];
        let begun = self.begun;
        parts.into_iter().fold(begun, crc32c_append)
    }

    /// Appends one record, to lie at `position`. None where it is larger than a length can say.
    pub(super) fn encode(
        self,
        into: &mut Vec<u8>,
        position: &RecordPosition,
        flag: Flag,
        content: &[u8],
    ) -> Option<()> {
        let length = u32::try_from(HEAD_BYTES + content.len()).ok()?;
        let (offset, index, group) = (position.offset, position.index, position.group);
        let check = self.check(offset, index, length, group, flag);
        into.extend(length.to_be_bytes());
        into.extend(check.to_be_bytes());
        into.extend(crc32c_append(check, content).to_be_bytes());
        into.extend(group.to_be_bytes());
        into.push(flag as u8);
        into.extend(content);
        Some(())
    }

    /// Reads the head that lies at this offset. None where there is none, or one of another place.
    pub(super) fn head(self, bytes: &[u8], offset: u64, index: u32) -> Option<Head> {
        let mut fields = Fields(bytes);
        let length = fields.u32()?;
        let content = usize::try_from(length).ok()?.checked_sub(HEAD_BYTES)?;
        if content > RECORD_BYTES_MAX {
            return None;
        }
        let (check, crc, group) = (fields.u32()?, fields.u32()?, fields.u64()?);
        let flag = Flag::from_byte(u8::from_be_bytes(fields.take()?))?;
        let head = Head {
            bytes: u64::from(length),
            group,
            flag,
            check,
            crc,
        };
        (self.check(offset, index, length, group, flag) == check).then_some(head)
    }
}

/// Takes numbers off the front of bytes.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (field, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*field)
    }

    fn u32(&mut self) -> Option<u32> {
        self.take().map(u32::from_be_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.take().map(u64::from_be_bytes)
    }

    fn header(&mut self) -> Option<Header> {
        Some(Header {
            number: self.u32()?,
            journal: self.take()?,
            salt: self.take()?,
            first_group: self.u64()?,
            bytes: self.u64()?,
            salt_before: self.take()?,
            end_before: self.u64()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frozen: what one version wrote, every later one has to read.
    #[test]
    fn the_bytes_of_a_header_and_a_record_stay() {
        let header = Header {
            number: 2,
            journal: [1; 16],
            salt: [2; 16],
            first_group: 3,
            bytes: 4_096,
            salt_before: [4; 16],
            end_before: 700,
        };
        let bytes = header.encode();
        assert_eq!(bytes.len(), HEADER_BYTES);
        assert_eq!(&bytes[..16], b"ambitjnl\0\0\0\x01\0\0\0\x02");
        assert_eq!(bytes[88..508], [0; 420]);
        assert_eq!(Header::decode(bytes[..].try_into().unwrap()), Ok(header));
        let position = RecordPosition {
            group: 5,
            segment: 2,
            offset: 600,
            index: 1,
        };
        let mut record = Vec::new();
        let seal = Seal::new(&[2; 16], 2);
        seal.encode(&mut record, &position, Flag::Last, b"abc");
        assert_eq!(&record[..4], [0, 0, 0, 24]);
        assert_eq!(&record[12..], b"\0\0\0\0\0\0\0\x05\x01abc");
        let head = seal.head(&record, 600, 1).unwrap();
        assert!(head.is_of(b"abc") && !head.is_of(b"abd"));
        assert!(seal.head(&record, 601, 1).is_none());
        assert!(seal.head(&record, 600, 0).is_none());
        assert!(Seal::new(&[3; 16], 2).head(&record, 600, 1).is_none());
    }

    #[test]
    fn a_newer_version_is_told_from_damage() {
        let mut bytes = vec![0; HEADER_BYTES];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[11] = 9;
        let crc = crc32c(&bytes[..508]);
        bytes[508..].copy_from_slice(&crc.to_be_bytes());
        let decoded = Header::decode(bytes[..].try_into().unwrap());
        assert_eq!(decoded, Err(BadHeader::Newer(9)));
    }

    #[test]
    fn segments_double_up_to_a_bound_and_hold_what_has_to_fit() {
        let first = SEGMENT_BYTES_FIRST;
        let mut bytes = segment_bytes(None, 0);
        for times in [1, 2, 4, 8, 16, 32, 64, 64, 64] {
            assert_eq!(bytes, times * first);
            bytes = segment_bytes(Some(Before::Filled { bytes }), 0);
        }
        let large = 3 * SEGMENT_BYTES_LAST - RECORDS_START;
        let bytes = segment_bytes(None, large);
        assert_eq!(bytes, 3 * SEGMENT_BYTES_LAST);
        let after = segment_bytes(Some(Before::Filled { bytes }), 0);
        assert_eq!(after, SEGMENT_BYTES_LAST);
        for (used, times) in [(0, 1), (first, 1), (first + 1, 2), (bytes, 64)] {
            let after = segment_bytes(Some(Before::CutOff { used }), 0);
            assert_eq!(after, times * first);
        }
    }
}
