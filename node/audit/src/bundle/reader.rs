//! Reads bundles: everything in its place, nothing twice, nothing after the end.

use super::source::{Block, Place, Source};
use super::{MAGIC, RECORD_BYTES_MAX, Record};
use crate::cores::share;
use ambit_ledger::{
    CodecError, Digest, ObservationId, OrganizationId, Origin, decode_within, leaf_hash,
};
use serde_bytes::ByteBuf;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

/// The records and the bytes after which those read so far are decoded.
const BATCH_RECORDS_MAX: usize = 1_024;
const BATCH_BYTES_MAX: usize = 4 << 20;

/// A bundle as read: its shape was checked, nothing else.
#[derive(Clone, Debug)]
pub struct Bundle {
    organization: OrganizationId,
    checkpoint: String,
    entries: Vec<ByteBuf>,
    blobs: BTreeMap<Digest, ByteBuf>,
    readings: BTreeMap<ObservationId, Block>,
    size_bytes: u64,
    source: Source,
}

/// What of a bundle is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keep {
    /// All of it.
    All,
    /// All but readings, which are read again when they are needed.
    AllButReadings,
    /// Nothing: only its shape is looked at.
    Nothing,
}

/// Why a file is no bundle.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BundleError {
    /// The file cannot be read.
    #[error("failed to read the bundle")]
    Read(#[from] io::Error),
    /// Other first bytes.
    #[error("this is no bundle of version 1: it does not begin with `ambit-bundle/1`")]
    Magic,
    /// Ends before its end record.
    #[error("the bundle ends early, in record {0}; it was cut off: get it again")]
    Truncated(u64),
    /// A record that is not what it must be.
    #[error("record {record} of the bundle cannot be decoded; get the bundle again")]
    Record {
        /// Which, from 0.
        record: u64,
        /// Why.
        #[source]
        source: CodecError,
    },
    /// A record in the wrong place, or twice.
    #[error("record {0} of the bundle is out of order or there twice; get the bundle again")]
    Order(u64),
    /// The end record counts otherwise.
    #[error("the bundle's end record counts other records than there are; get the bundle again")]
    Counts,
    /// Bytes after the end record.
    #[error("bytes follow the bundle's end record; get the bundle again")]
    Trailing,
}

impl Bundle {
    /// Reads a bundle and checks its shape.
    ///
    /// # Errors
    /// Any [`BundleError`].
    pub fn read(input: impl Read) -> Result<Self, BundleError> {
        Self::read_from(input, Source::none(), Keep::All)
    }

    /// Reads the bundle in a file and checks its shape. Readings stay in the file until they are needed: what cannot be read then is
    /// told by [`Bundle::unread`].
    ///
    /// # Errors
    /// Any [`BundleError`].
    pub fn open(path: &Path) -> Result<Self, BundleError> {
        // A pipe is read once.
        if !path.metadata()?.is_file() {
            return Self::read(BufReader::new(File::open(path)?));
        }
        let source = Source::of(File::open(path)?);
        Self::read_from(
            BufReader::new(File::open(path)?),
            source,
            Keep::AllButReadings,
        )
    }

    /// Reads a bundle, keeps nothing of it, and returns how many entries it has.
    ///
    /// # Errors
    /// Any [`BundleError`].
    pub fn check(input: impl Read) -> Result<u64, BundleError> {
        let bundle = Self::read_from(input, Source::none(), Keep::Nothing)?;
        Ok(count(bundle.entries.len()))
    }

    fn read_from(mut input: impl Read, source: Source, keep: Keep) -> Result<Self, BundleError> {
        let mut magic = [0; MAGIC.len()];
        input.read_exact(&mut magic).map_err(|error| match error {
            error if error.kind() == io::ErrorKind::UnexpectedEof => BundleError::Magic,
            error => BundleError::Read(error),
        })?;
        if magic != *MAGIC {
            return Err(BundleError::Magic);
        }
        let mut input = Counted {
            input,
            position: count(MAGIC.len()),
        };
        let header = read_record(&mut input).map_err(|stop| stop.at(0))?;
        let (header, _) =
            decode(&header).map_err(|source| BundleError::Record { record: 0, source })?;
        let Record::Header {
            organization,
            checkpoint,
        } = header
        else {
            return Err(BundleError::Order(0));
        };
        let bundle = Self {
            organization,
            checkpoint,
            entries: Vec::new(),
            blobs: BTreeMap::new(),
            readings: BTreeMap::new(),
            size_bytes: 0,
            source,
        };
        bundle.read_records(input, keep)
    }

    /// Reads what follows the header, a batch ahead of what all cores decode.
    fn read_records(
        mut self,
        mut input: Counted<impl Read>,
        keep: Keep,
    ) -> Result<Self, BundleError> {
        let mut number = 1;
        let mut batch = Batch::read(&mut input);
        loop {
            let mut next = Batch::default();
            let decoded = share(
                &batch.records,
                |(bytes, _)| decode(bytes),
                || {
                    if batch.stop.is_none() {
                        next = Batch::read(&mut input);
                    }
                },
            );
            let places = batch.records.iter().map(|(_, place)| *place);
            let mut decoded = decoded.into_iter().zip(places);
            while let Some((record, place)) = decoded.next() {
                let (record, digest) = record.map_err(|source| BundleError::Record {
                    record: number,
                    source,
                })?;
                self.size_bytes = place.end();
                if !self.take(record, (digest, place), number, keep)? {
                    let is_followed = decoded.next().is_some() || !next.records.is_empty();
                    return match batch.stop.or(next.stop) {
                        _ if is_followed => Err(BundleError::Trailing),
                        None | Some(Stop::End) => Ok(self),
                        Some(Stop::Cut | Stop::TooLarge(_)) => Err(BundleError::Trailing),
                        Some(Stop::Read(error)) => Err(BundleError::Read(error)),
                    };
                }
                number += 1;
            }
            if let Some(stop) = batch.stop {
                return Err(stop.at(number));
            }
            batch = next;
        }
    }

    /// Takes one record in; false at the end record.
    fn take(
        &mut self,
        record: Record,
        (digest, place): (Option<Digest>, Place),
        number: u64,
        keep: Keep,
    ) -> Result<bool, BundleError> {
        let kept = |bytes: ByteBuf| match keep {
            Keep::All | Keep::AllButReadings => bytes,
            Keep::Nothing => ByteBuf::new(),
        };
        let is_in_order = match record {
            Record::Header { .. } => false,
            Record::Entry { bytes } => {
                let is_first_part = self.blobs.is_empty() && self.readings.is_empty();
                self.entries.push(kept(bytes));
                is_first_part
            }
            Record::Blob { bytes } => {
                let digest = digest.unwrap_or_else(|| Digest::of(&bytes));
                let is_ascending = self
                    .blobs
                    .last_key_value()
                    .is_none_or(|(last, _)| *last < digest);
                self.blobs.insert(digest, kept(bytes));
                is_ascending && self.readings.is_empty()
            }
            Record::Readings { observation, bytes } => {
                let is_ascending = self
                    .readings
                    .last_key_value()
                    .is_none_or(|(last, _)| *last < observation);
                let block = match keep {
                    Keep::All => Block::Here(bytes),
                    Keep::AllButReadings | Keep::Nothing => Block::At(place),
                };
                self.readings.insert(observation, block);
                is_ascending
            }
            Record::End {
                entries,
                blobs,
                readings,
            } => {
                let is_counted = count(self.entries.len()) == entries
                    && count(self.blobs.len()) == blobs
                    && count(self.readings.len()) == readings;
                return if is_counted {
                    Ok(false)
                } else {
                    Err(BundleError::Counts)
                };
            }
        };
        if is_in_order {
            Ok(true)
        } else {
            Err(BundleError::Order(number))
        }
    }

    /// Whose ledger it claims to be.
    #[must_use]
    pub fn organization(&self) -> &OrganizationId {
        &self.organization
    }

    /// The signed note it claims to be under.
    #[must_use]
    pub fn checkpoint(&self) -> &str {
        &self.checkpoint
    }

    /// How many bytes the file has.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// The name that a checkpoint of this ledger has; absent where there is no entry.
    #[must_use]
    pub fn origin(&self) -> Option<Origin> {
        let first = leaf_hash(self.entries.first()?);
        Some(Origin::of(&self.organization, &first))
    }

    /// The bytes of one entry.
    #[must_use]
    pub fn entry(&self, index: u64) -> Option<&[u8]> {
        let entry = self.entries.get(usize::try_from(index).ok()?);
        entry.map(|bytes| bytes.as_slice())
    }

    /// The entries' bytes, from index 0.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.entries.iter().map(|bytes| bytes.as_slice())
    }

    /// The blob of this digest.
    #[must_use]
    pub fn blob(&self, digest: &Digest) -> Option<&[u8]> {
        self.blobs.get(digest).map(|bytes| bytes.as_slice())
    }

    /// Whether it holds the blob of this digest.
    #[must_use]
    pub fn has_blob(&self, digest: &Digest) -> bool {
        self.blobs.contains_key(digest)
    }

    /// All blobs, ascending by digest.
    pub fn blobs(&self) -> impl ExactSizeIterator<Item = (&Digest, &[u8])> {
        self.blobs
            .iter()
            .map(|(digest, bytes)| (digest, bytes.as_slice()))
    }

    /// The readings block of an observation.
    #[must_use]
    pub fn readings_of(&self, observation: &ObservationId) -> Option<Cow<'_, [u8]>> {
        match self.readings.get(observation)? {
            Block::Here(bytes) => Some(Cow::Borrowed(bytes)),
            Block::At(place) => self.source.readings(*place, observation).map(Cow::Owned),
        }
    }

    /// The observations whose readings it holds, ascending.
    pub fn observations(&self) -> impl ExactSizeIterator<Item = &ObservationId> {
        self.readings.keys()
    }

    /// Why readings that are there could not be read when they were needed: then whatever was said of them counts for nothing.
    pub fn unread(&self) -> Option<BundleError> {
        self.source.failed().map(BundleError::Read)
    }
}

/// What is read, and how far.
struct Counted<R> {
    input: R,
    position: u64,
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
struct Batch {
    records: Vec<(Vec<u8>, Place)>,
    /// Why there are no more; absent where the batch is full.
    stop: Option<Stop>,
}

/// Why no record could be read.
enum Stop {
    /// Nothing is left.
    End,
    /// The file ends inside a record.
    Cut,
    /// Longer than any record may be.
    TooLarge(usize),
    Read(io::Error),
}

impl Batch {
    fn read(input: &mut Counted<impl Read>) -> Self {
        let mut batch = Self::default();
        let mut size = 0;
        while batch.records.len() < BATCH_RECORDS_MAX && size < BATCH_BYTES_MAX {
            match read_record(input) {
                Ok(record) => {
                    size += record.len();
                    let offset = input.position - count(record.len());
                    let place = Place {
                        offset,
                        length: record.len(),
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
    fn at(self, record: u64) -> BundleError {
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

fn read_record(input: &mut impl Read) -> Result<Vec<u8>, Stop> {
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

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
