//! The bundle: one file with everything an auditor needs and no key, no address, no database.
//!
//! ```text
//! "ambit-bundle/1\n"  then records, each a u32 big-endian length and that many bytes of deterministic CBOR:
//! header  entry × n  blob × m (ascending digest)  readings × k (ascending observation)  end (the counts)
//! ```
//!
//! This module must never take two files for the same bundle, and never trust a length it was told.

mod entries;
mod reader;
mod records;
mod source;
mod writer;

pub use entries::Entries;
pub use reader::{Bundle, BundleError};
pub use writer::{BundleWriteError, BundleWriter};

use ambit_ledger::{ObservationId, OrganizationId};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

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

#[cfg(test)]
mod tests {
    use super::*;
    use ambit_ledger::{CodecError, Digest, ITEM_BYTES_MAX};

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
        assert_eq!(bundle.entries().collect::<Vec<_>>(), [&b"one"[..], b"two"]);
        let blob = bundle.blob(&Digest::of(b"first"));
        assert_eq!(blob.as_deref(), Some(&b"first"[..]));
        assert_eq!(bundle.blob(&Digest::of(b"third")), None);
        assert_eq!(bundle.readings_of(&id(2)).as_deref(), Some(&b"s"[..]));
        assert_eq!((bundle.blobs().len(), bundle.observations().len()), (2, 2));
    }

    #[test]
    fn readings_stay_in_the_file_and_what_changes_there_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bundle");
        let bytes = sample();
        std::fs::write(&path, &bytes).unwrap();
        assert_eq!(Bundle::check(bytes.as_slice()).unwrap(), 2);
        assert!(Bundle::check(&bytes[..bytes.len() - 1]).is_err());
        let bundle = Bundle::open(&path).unwrap();
        assert_eq!(bundle.readings_of(&id(2)).as_deref(), Some(&b"s"[..]));
        assert_eq!(bundle.readings_of(&id(1)).as_deref(), Some(&b"r"[..]));
        assert_eq!(bundle.readings_of(&id(3)), None);
        assert_eq!(bundle.entries().collect::<Vec<_>>(), [&b"one"[..], b"two"]);
        assert_eq!(bundle.entry(1).as_deref(), Some(&b"two"[..]));
        assert_eq!(bundle.entry(2), None);
        let blob = bundle.blob(&Digest::of(b"second"));
        assert_eq!(blob.as_deref(), Some(&b"second"[..]));
        assert!(bundle.unread().is_none());
        std::fs::write(&path, &bytes[..40]).unwrap();
        assert_eq!(bundle.readings_of(&id(2)), None);
        assert!(matches!(bundle.unread(), Some(BundleError::Read(_))));
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
