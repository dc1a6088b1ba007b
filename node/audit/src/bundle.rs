//! The bundle: one file with everything an auditor needs and no key, no address, no database.
//!
//! ```text
//! "ambit-bundle/1\n"  then records, each a u32 big-endian length and that many bytes of deterministic CBOR:
//! header  entry × n  blob × m (ascending digest)  readings × k (ascending observation)  end (the counts)
//! ```
//!
//! This module must never take two files for the same bundle, and never trust a length it was told.

use ambit_ledger::{
    CodecError, Digest, ITEM_BYTES_MAX, ObservationId, OrganizationId, decode_within, encode,
};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;
use std::collections::BTreeMap;
use std::io::{self, Read, Write};

/// The first bytes of every bundle.
pub const MAGIC: &[u8; 15] = b"ambit-bundle/1\n";

/// The largest blob, in bytes: far above any profile, taxonomy or entity slice, far below an auditor's memory.
pub const BLOB_BYTES_MAX: usize = 16 << 20;

/// A record adds two map heads, a byte string's head and at most an id to its bytes.
const RECORD_BYTES_MAX: usize = BLOB_BYTES_MAX + 256;

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
enum Record {
    Header {
        organization: OrganizationId,
        checkpoint: String,
    },
    Entry {
        bytes: ByteBuf,
    },
    Blob {
        bytes: ByteBuf,
    },
    Readings {
        observation: ObservationId,
        bytes: ByteBuf,
    },
    End {
        entries: u64,
        blobs: u64,
        readings: u64,
    },
}

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

/// Writes a bundle, record by record.
#[derive(Debug)]
pub struct BundleWriter<W> {
    out: W,
    entries: u64,
    blobs: u64,
    readings: u64,
    last_blob: Option<Digest>,
    last_observation: Option<ObservationId>,
}

/// Why a bundle cannot be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BundleWriteError {
    /// The file cannot be written.
    #[error("failed to write the bundle")]
    Write(#[from] io::Error),
    /// A record in the wrong place, or twice.
    #[error("a record of the bundle came out of order or twice")]
    Order,
    /// Larger than its kind allows.
    #[error(
        "{size} bytes are more than the {limit} that a bundle takes in one record of this kind"
    )]
    TooLarge {
        /// How large it is.
        size: usize,
        /// How large it may be.
        limit: usize,
    },
    /// Nothing to audit.
    #[error("a ledger without entries makes no bundle")]
    Empty,
}

impl<W: Write> BundleWriter<W> {
    /// Begins a bundle of this organization's ledger under a signed checkpoint.
    ///
    /// # Errors
    /// [`BundleWriteError::Write`].
    pub fn start(
        mut out: W,
        organization: &OrganizationId,
        checkpoint: &str,
    ) -> Result<Self, BundleWriteError> {
        out.write_all(MAGIC)?;
        let mut writer = Self {
            out,
            entries: 0,
            blobs: 0,
            readings: 0,
            last_blob: None,
            last_observation: None,
        };
        writer.write(&Record::Header {
            organization: organization.clone(),
            checkpoint: checkpoint.to_owned(),
        })?;
        Ok(writer)
    }

    /// Writes the next entry. All entries come before all blobs.
    ///
    /// # Errors
    /// Any [`BundleWriteError`] but `Empty`.
    pub fn entry(&mut self, bytes: &[u8]) -> Result<(), BundleWriteError> {
        if self.blobs > 0 || self.readings > 0 {
            return Err(BundleWriteError::Order);
        }
        let bytes = within(bytes, ITEM_BYTES_MAX)?;
        self.entries += 1;
        self.write(&Record::Entry { bytes })
    }

    /// Writes the next blob, ascending by digest. All blobs come before all readings.
    ///
    /// # Errors
    /// Any [`BundleWriteError`] but `Empty`.
    pub fn blob(&mut self, bytes: &[u8]) -> Result<(), BundleWriteError> {
        let digest = Digest::of(bytes);
        if self.readings > 0 || self.last_blob.is_some_and(|last| last >= digest) {
            return Err(BundleWriteError::Order);
        }
        let bytes = within(bytes, BLOB_BYTES_MAX)?;
        self.last_blob = Some(digest);
        self.blobs += 1;
        self.write(&Record::Blob { bytes })
    }

    /// Writes the next readings block, ascending by observation.
    ///
    /// # Errors
    /// Any [`BundleWriteError`] but `Empty`.
    pub fn readings(
        &mut self,
        observation: &ObservationId,
        bytes: &[u8],
    ) -> Result<(), BundleWriteError> {
        if self
            .last_observation
            .is_some_and(|last| last >= *observation)
        {
            return Err(BundleWriteError::Order);
        }
        let bytes = within(bytes, ITEM_BYTES_MAX)?;
        self.last_observation = Some(*observation);
        self.readings += 1;
        self.write(&Record::Readings {
            observation: *observation,
            bytes,
        })
    }

    /// Writes the end and flushes. Whether it is on the disk is for the caller to see to.
    ///
    /// # Errors
    /// [`BundleWriteError::Empty`] and [`BundleWriteError::Write`].
    pub fn finish(mut self) -> Result<W, BundleWriteError> {
        if self.entries == 0 {
            return Err(BundleWriteError::Empty);
        }
        self.write(&Record::End {
            entries: self.entries,
            blobs: self.blobs,
            readings: self.readings,
        })?;
        self.out.flush()?;
        Ok(self.out)
    }

    fn write(&mut self, record: &Record) -> Result<(), BundleWriteError> {
        let bytes = encode(record);
        let too_large = BundleWriteError::TooLarge {
            size: bytes.len(),
            limit: RECORD_BYTES_MAX,
        };
        let length = u32::try_from(bytes.len()).map_err(|_| too_large)?;
        self.out.write_all(&length.to_be_bytes())?;
        self.out.write_all(&bytes)?;
        Ok(())
    }
}

fn within(bytes: &[u8], limit: usize) -> Result<ByteBuf, BundleWriteError> {
    if bytes.len() > limit {
        return Err(BundleWriteError::TooLarge {
            size: bytes.len(),
            limit,
        });
    }
    Ok(ByteBuf::from(bytes.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn organization() -> OrganizationId {
        "did:web:acme.example".parse().unwrap()
    }

    fn id(number: u8) -> ObservationId {
        ObservationId::from_digest(Digest::from_bytes([number; 32]))
    }

    fn sample() -> Vec<u8> {
        let mut writer = BundleWriter::start(Vec::new(), &organization(), "note").unwrap();
        writer.entry(b"one").unwrap();
        writer.entry(b"two").unwrap();
        let mut blobs = [b"first".as_slice(), b"second"];
        blobs.sort_by_key(|blob| Digest::of(blob));
        blobs.iter().for_each(|blob| writer.blob(blob).unwrap());
        writer.readings(&id(1), b"r").unwrap();
        writer.readings(&id(2), b"s").unwrap();
        writer.finish().unwrap()
    }

    #[test]
    fn what_is_written_is_read() {
        let bundle = Bundle::read(sample().as_slice()).unwrap();
        assert_eq!(bundle.organization(), &organization());
        assert_eq!(bundle.checkpoint(), "note");
        assert_eq!(bundle.entries().collect::<Vec<_>>(), [b"one", b"two"]);
        assert_eq!(bundle.blob(&Digest::of(b"first")), Some(&b"first"[..]));
        assert_eq!(bundle.blob(&Digest::of(b"third")), None);
        assert_eq!(bundle.readings_of(&id(2)), Some(&b"s"[..]));
        assert_eq!((bundle.blobs().len(), bundle.readings().len()), (2, 2));
    }

    #[test]
    fn bytes_are_frozen() {
        let mut writer = BundleWriter::start(Vec::new(), &"a".parse().unwrap(), "n").unwrap();
        writer.entry(b"e").unwrap();
        writer.blob(b"b").unwrap();
        writer.readings(&id(7), b"r").unwrap();
        let written = writer.finish().unwrap();
        let mut expected = MAGIC.to_vec();
        for record in [
            &b"\xa1\x00\xa2\x00\x61a\x01\x61n"[..],
            b"\xa1\x01\xa1\x00\x41e",
            b"\xa1\x02\xa1\x00\x41b",
            &[&b"\xa1\x03\xa2\x00\x58\x20"[..], &[7; 32], b"\x01\x41r"].concat(),
            b"\xa1\x04\xa3\x00\x01\x01\x01\x02\x01",
        ] {
            expected.extend(u32::try_from(record.len()).unwrap().to_be_bytes());
            expected.extend(record);
        }
        assert_eq!(written, expected);
    }

    #[test]
    fn any_cut_and_any_addition_is_refused() {
        let bytes = sample();
        for length in 0..bytes.len() {
            assert!(Bundle::read(&bytes[..length]).is_err(), "{length}");
        }
        let longer = [bytes.as_slice(), b"\0"].concat();
        assert!(matches!(
            Bundle::read(longer.as_slice()),
            Err(BundleError::Trailing)
        ));
        assert!(matches!(Bundle::read(&b""[..]), Err(BundleError::Magic)));
        assert!(matches!(
            Bundle::read(&b"ambit-bundle/2\n"[..]),
            Err(BundleError::Magic)
        ));
    }

    fn file(records: &[Record]) -> Vec<u8> {
        let mut writer = BundleWriter::start(Vec::new(), &organization(), "note").unwrap();
        records
            .iter()
            .for_each(|record| writer.write(record).unwrap());
        writer.out
    }

    fn end(entries: u64, blobs: u64, readings: u64) -> Record {
        Record::End {
            entries,
            blobs,
            readings,
        }
    }

    #[test]
    fn disorder_is_refused() {
        let entry = || Record::Entry {
            bytes: ByteBuf::from(b"e".to_vec()),
        };
        let blob = |text: &str| Record::Blob {
            bytes: ByteBuf::from(text.as_bytes().to_vec()),
        };
        let readings = |number| Record::Readings {
            observation: id(number),
            bytes: ByteBuf::from(b"r".to_vec()),
        };
        let header = Record::Header {
            organization: organization(),
            checkpoint: String::new(),
        };
        for records in [
            vec![entry(), header, end(1, 0, 0)],
            vec![blob("b"), entry(), end(1, 1, 0)],
            vec![entry(), blob("b"), blob("b"), end(1, 1, 0)],
            vec![entry(), readings(1), blob("b"), end(1, 1, 1)],
            vec![entry(), readings(2), readings(1), end(1, 0, 2)],
            vec![entry(), readings(1), readings(1), end(1, 0, 1)],
        ] {
            assert!(matches!(
                Bundle::read(file(&records).as_slice()),
                Err(BundleError::Order(_))
            ));
        }
        assert!(matches!(
            Bundle::read(file(&[entry(), end(2, 0, 0)]).as_slice()),
            Err(BundleError::Counts)
        ));
        // Well-formed, and empty: it is read, and proves nothing.
        assert!(Bundle::read(file(&[end(0, 0, 0)]).as_slice()).is_ok());
    }

    #[test]
    fn a_record_that_promises_too_much_is_refused() {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(u32::MAX.to_be_bytes());
        assert!(matches!(
            Bundle::read(bytes.as_slice()),
            Err(BundleError::Record {
                record: 0,
                source: CodecError::TooLarge { .. }
            })
        ));
        assert!(matches!(
            Bundle::read(file(&[]).as_slice()),
            Err(BundleError::Truncated(1))
        ));
    }

    #[test]
    fn the_writer_keeps_the_order() {
        let mut writer = BundleWriter::start(Vec::new(), &organization(), "note").unwrap();
        writer.entry(b"e").unwrap();
        writer.blob(b"b").unwrap();
        assert!(matches!(writer.blob(b"b"), Err(BundleWriteError::Order)));
        assert!(matches!(writer.entry(b"e"), Err(BundleWriteError::Order)));
        writer.readings(&id(2), b"r").unwrap();
        assert!(matches!(
            writer.readings(&id(1), b"r"),
            Err(BundleWriteError::Order)
        ));
        let empty = BundleWriter::start(Vec::new(), &organization(), "note").unwrap();
        assert!(matches!(empty.finish(), Err(BundleWriteError::Empty)));
        let mut writer = BundleWriter::start(Vec::new(), &organization(), "note").unwrap();
        assert!(matches!(
            writer.entry(&vec![0; ITEM_BYTES_MAX + 1]),
            Err(BundleWriteError::TooLarge { .. })
        ));
    }
}
