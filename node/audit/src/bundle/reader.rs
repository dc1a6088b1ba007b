//! Reads bundles: everything in its place, nothing twice, nothing after the end.

use super::{MAGIC, RECORD_BYTES_MAX, Record};
use ambit_ledger::{CodecError, Digest, ObservationId, OrganizationId, decode_within};
use serde_bytes::ByteBuf;
use std::collections::BTreeMap;
use std::io::{self, Read};

/// A bundle as read: its shape was checked, nothing else.
#[derive(Clone, Debug)]
pub struct Bundle {
    organization: OrganizationId,
    checkpoint: String,
    entries: Vec<ByteBuf>,
    blobs: BTreeMap<Digest, ByteBuf>,
    readings: BTreeMap<ObservationId, ByteBuf>,
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
    #[error("the bundle ends early, in record {0}; it was cut off")]
    Truncated(u64),
    /// A record that is not what it must be.
    #[error("failed to decode record {record} of the bundle")]
    Record {
        /// Which, from 0.
        record: u64,
        /// Why.
        #[source]
        source: CodecError,
    },
    /// A record in the wrong place, or twice.
    #[error("record {0} of the bundle is out of order or there twice")]
    Order(u64),
    /// The end record counts otherwise.
    #[error("the bundle's end record counts other records than there are")]
    Counts,
    /// Bytes after the end record.
    #[error("bytes follow the bundle's end record")]
    Trailing,
}

impl Bundle {
    /// Reads a bundle and checks its shape.
    ///
    /// # Errors
    /// Any [`BundleError`].
    pub fn read(mut input: impl Read) -> Result<Self, BundleError> {
        let mut magic = [0; MAGIC.len()];
        input.read_exact(&mut magic).map_err(|error| match error {
            error if error.kind() == io::ErrorKind::UnexpectedEof => BundleError::Magic,
            error => BundleError::Read(error),
        })?;
        if magic != *MAGIC {
            return Err(BundleError::Magic);
        }
        let Record::Header {
            organization,
            checkpoint,
        } = read_record(&mut input, 0)?
        else {
            return Err(BundleError::Order(0));
        };
        let mut bundle = Self {
            organization,
            checkpoint,
            entries: Vec::new(),
            blobs: BTreeMap::new(),
            readings: BTreeMap::new(),
        };
        let mut number = 1;
        while bundle.take(read_record(&mut input, number)?, number)? {
            number += 1;
        }
        if input.read(&mut [0])? != 0 {
            return Err(BundleError::Trailing);
        }
        Ok(bundle)
    }

    /// Takes one record in; false at the end record.
    fn take(&mut self, record: Record, number: u64) -> Result<bool, BundleError> {
        let is_in_order = match record {
            Record::Header { .. } => false,
            Record::Entry { bytes } => {
                let is_first_part = self.blobs.is_empty() && self.readings.is_empty();
                self.entries.push(bytes);
                is_first_part
            }
            Record::Blob { bytes } => {
                let digest = Digest::of(&bytes);
                let is_ascending = self
                    .blobs
                    .last_key_value()
                    .is_none_or(|(last, _)| *last < digest);
                self.blobs.insert(digest, bytes);
                is_ascending && self.readings.is_empty()
            }
            Record::Readings { observation, bytes } => {
                let is_ascending = self
                    .readings
                    .last_key_value()
                    .is_none_or(|(last, _)| *last < observation);
                self.readings.insert(observation, bytes);
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

    /// The entries' bytes, from index 0.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.entries.iter().map(|bytes| bytes.as_slice())
    }

    /// The blob of this digest.
    #[must_use]
    pub fn blob(&self, digest: &Digest) -> Option<&[u8]> {
        self.blobs.get(digest).map(|bytes| bytes.as_slice())
    }

    /// All blobs, ascending by digest.
    pub fn blobs(&self) -> impl ExactSizeIterator<Item = (&Digest, &[u8])> {
        self.blobs
            .iter()
            .map(|(digest, bytes)| (digest, bytes.as_slice()))
    }

    /// The readings block of an observation.
    #[must_use]
    pub fn readings_of(&self, observation: &ObservationId) -> Option<&[u8]> {
        self.readings.get(observation).map(|bytes| bytes.as_slice())
    }

    /// All readings blocks, ascending by observation.
    pub fn readings(&self) -> impl ExactSizeIterator<Item = (&ObservationId, &[u8])> {
        self.readings
            .iter()
            .map(|(observation, bytes)| (observation, bytes.as_slice()))
    }
}

fn read_record(input: &mut impl Read, record: u64) -> Result<Record, BundleError> {
    let mut length = [0; 4];
    input.read_exact(&mut length).map_err(|error| {
        if error.kind() == io::ErrorKind::UnexpectedEof {
            BundleError::Truncated(record)
        } else {
            BundleError::Read(error)
        }
    })?;
    let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
    let decoding = |source| BundleError::Record { record, source };
    if length > RECORD_BYTES_MAX {
        return Err(decoding(CodecError::TooLarge {
            size: length,
            limit: RECORD_BYTES_MAX,
        }));
    }
    // Grows with what is there, not with what the length promises.
    let mut bytes = Vec::new();
    let taken = input.by_ref().take(count(length)).read_to_end(&mut bytes)?;
    if taken < length {
        return Err(BundleError::Truncated(record));
    }
    decode_within(&bytes, RECORD_BYTES_MAX).map_err(decoding)
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
