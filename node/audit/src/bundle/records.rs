//! Records as they lie in a file: no length is trusted that it was told.

use super::reader::BundleError;
use super::source::Place;
use super::{RECORD_BYTES_MAX, Record};
use ambit_ledger::{CodecError, Digest, decode_within};
use std::io::{self, Read};

/// The records and the bytes after which those read so far are decoded.
const BATCH_RECORDS_MAX: usize = 1_024;
const BATCH_BYTES_MAX: usize = 4 << 20;

/// What is read, and how far.
pub(super) struct Counted<R> {
    pub(super) input: R,
    pub(super) position: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(bytes)?;
        self.position += count(read);
        Ok(read)
    }
}

/// Records as they lie in the file, one after another.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) records: Vec<(Vec<u8>, Place)>,
    /// Why there are no more; absent where the batch is full.
    pub(super) stop: Option<Stop>,
}

/// Why no record could be read.
pub(super) enum Stop {
    /// Nothing is left.
    End,
    /// The file ends inside a record.
    Cut,
    /// Longer than any record may be.
    TooLarge(usize),
    Read(io::Error),
}

impl Batch {
    pub(super) fn read(input: &mut Counted<impl Read>) -> Self {
        let mut batch = Self::default();
        let mut size = 0;
        while batch.records.len() < BATCH_RECORDS_MAX && size < BATCH_BYTES_MAX {
            match read_record(input) {
                Ok(record) => {
                    size += record.len();
                    let offset = input.position - count(record.len());
                    let place = Place {
                        offset,
                        // No record is longer than some 16 MiB.
                        length: u32::try_from(record.len()).unwrap_or(u32::MAX),
                    };
                    batch.records.push((record, place));
                }
                Err(stop) => {
                    batch.stop = Some(stop);
                    break;
                }
            }
        }
        batch
    }
}

impl Stop {
    /// The error where another record had to be.
    pub(super) fn at(self, record: u64) -> BundleError {
        match self {
            Self::End | Self::Cut => BundleError::Truncated(record),
            Self::TooLarge(size) => BundleError::Record {
                record,
                source: CodecError::TooLarge {
                    size,
                    limit: RECORD_BYTES_MAX,
                },
            },
            Self::Read(error) => BundleError::Read(error),
        }
    }
}

pub(super) fn read_record(input: &mut impl Read) -> Result<Vec<u8>, Stop> {
    let head = read_up_to(input, 4)?;
    let Ok(length) = <[u8; 4]>::try_from(head.as_slice()) else {
        return Err(if head.is_empty() {
            Stop::End
        } else {
            Stop::Cut
        });
    };
    let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
    if length > RECORD_BYTES_MAX {
        return Err(Stop::TooLarge(length));
    }
    let bytes = read_up_to(input, length)?;
    if bytes.len() < length {
        return Err(Stop::Cut);
    }
    Ok(bytes)
}

/// Grows with what is there, not with what a length promises.
fn read_up_to(input: &mut impl Read, length: usize) -> Result<Vec<u8>, Stop> {
    let mut bytes = Vec::with_capacity(length.min(4_096));
    let read = input.take(count(length)).read_to_end(&mut bytes);
    read.map(|_| bytes).map_err(Stop::Read)
}

/// The record, and the digest of a blob.
pub(super) fn decode(bytes: &[u8]) -> Result<(Record, Option<Digest>), CodecError> {
    let record = decode_within(bytes, RECORD_BYTES_MAX)?;
    let digest = match &record {
        Record::Blob { bytes } => Some(Digest::of(bytes)),
        Record::Header { .. }
        | Record::Entry { .. }
        | Record::Readings { .. }
        | Record::End { .. } => None,
    };
    Ok((record, digest))
}

pub(super) fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
