//! Deterministic CBOR (RFC 8949 §4.2.1), the one place that names `serde_cbor`.
//!
//! What is written is packed: integer keys in ascending order, shortest integers, definite lengths.
//! `serde_cbor` reads far more than it writes, so whatever comes from outside passes [`scan`] first and,
//! once decoded, must encode to the very bytes received. This module must never accept two encodings of
//! one value.

use serde::{Deserialize, Serialize};

/// The largest statement, entry or readings block, in bytes. One page of a store record's index and one
/// frame hold several of them.
pub const ITEM_BYTES_MAX: usize = 65_535;

/// The most items within each other: arrays, maps, the tag, and the innermost one. Our own types need eight.
pub const DEPTH_MAX: usize = 16;

/// COSE_Sign1 (RFC 9052 §2): the only tag that is read, and only around the whole item.
const TAG_COSE_SIGN1: u64 = 18;

/// Why bytes are not an item of ours.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CodecError {
    /// Longer than the limit for its kind.
    #[error("{size} bytes are more than the {limit} allowed")]
    TooLarge {
        /// Bytes received.
        size: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// Ends inside an item.
    #[error("ends early at byte {0}")]
    Truncated(usize),
    /// Bytes follow the item.
    #[error("bytes follow the item at byte {0}")]
    Trailing(usize),
    /// Nested deeper than [`DEPTH_MAX`].
    #[error("nested deeper than {DEPTH_MAX} at byte {0}")]
    TooDeep(usize),
    /// An integer or a length not in its shortest form.
    #[error("not in shortest form at byte {0}")]
    NotShortest(usize),
    /// An indefinite length.
    #[error("indefinite length at byte {0}")]
    Indefinite(usize),
    /// Map keys out of order, or twice the same.
    #[error("map keys not ascending at byte {0}")]
    KeysNotAscending(usize),
    /// A float, an undefined or reserved simple value, or a tag that has no place here.
    #[error("value of an unexpected kind at byte {0}")]
    Unexpected(usize),
    /// Text that is not UTF-8.
    #[error("text is not UTF-8 at byte {0}")]
    NotUtf8(usize),
    /// Well-formed, but not the shape asked for.
    #[error("not the expected shape")]
    Shape(#[source] serde_cbor::Error),
    /// Decodes, but to a value that encodes to other bytes.
    #[error("does not re-encode to the bytes received")]
    NotCanonical,
}

/// Encodes one of our own values.
#[must_use]
pub fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    // What is encoded most is some hundred bytes long: room for it at once, instead of growing byte by byte.
    let mut bytes = Vec::with_capacity(512);
    encode_into(value, &mut bytes);
    bytes
}

/// Encodes one of our own values after what is there.
pub(crate) fn encode_into<T: Serialize>(value: &T, bytes: &mut Vec<u8>) {
    #[expect(
        clippy::expect_used,
        reason = "writing to memory cannot fail, and our own types have no failing serializer"
    )]
    write_into(value, bytes).expect("our own types serialize");
}

/// The one way in which everything is encoded.
fn write_into<T: Serialize, W: serde_cbor::ser::Write>(
    value: &T,
    writer: W,
) -> serde_cbor::Result<()> {
    value.serialize(&mut serde_cbor::Serializer::new(writer).packed_format())
}

/// The head of an array of this many items.
pub(crate) fn array_head(length: usize) -> Vec<u8> {
    let length = u64::try_from(length).unwrap_or(u64::MAX);
    let mut head = encode(&length);
    // Major type 4 instead of 0, with the same argument (RFC 8949 §3.1).
    if let Some(first) = head.first_mut() {
        *first |= 0x80;
    }
    head
}

/// Decodes what [`scan`] passed. The caller encodes the value again, in whatever way, and compares.
///
/// # Errors
/// [`CodecError::Shape`].
pub(crate) fn decode_scanned<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, CodecError> {
    serde_cbor::from_slice(bytes).map_err(CodecError::Shape)
}

/// Decodes at most [`ITEM_BYTES_MAX`] bytes from outside.
///
/// # Errors
/// Any [`CodecError`]: nothing but the one deterministic encoding is taken.
pub fn decode<'a, T: Serialize + Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, CodecError> {
    decode_within(bytes, ITEM_BYTES_MAX)
}

/// Decodes bytes from outside with a limit of their own, in bytes.
///
/// # Errors
/// Any [`CodecError`].
pub fn decode_within<'a, T: Serialize + Deserialize<'a>>(
    bytes: &'a [u8],
    limit: usize,
) -> Result<T, CodecError> {
    scan(bytes, limit)?;
    let value: T = decode_scanned(bytes)?;
    if is_encoding_of(bytes, &value) {
        Ok(value)
    } else {
        Err(CodecError::NotCanonical)
    }
}

/// Whether a value is encoded as these very bytes. They are compared as they come: everything that is read passes
/// through here, and most of it is never encoded for anything else.
fn is_encoding_of<T: Serialize>(bytes: &[u8], value: &T) -> bool {
    let mut expected = Expected { rest: bytes };
    let written = write_into(value, serde_cbor::ser::IoWrite::new(&mut expected));
    written.is_ok() && expected.rest.is_empty()
}

/// Takes only the bytes that are expected next.
struct Expected<'a> {
    rest: &'a [u8],
}

impl std::io::Write for Expected<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let rest = self.rest.strip_prefix(bytes);
        self.rest = rest.ok_or(std::io::ErrorKind::InvalidData)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Prefixes an encoded array with the tag of a COSE_Sign1.
pub(crate) fn tag_sign1(array: &[u8]) -> Vec<u8> {
    let mut tagged = Vec::with_capacity(array.len() + 1);
    tagged.push(0xd2);
    tagged.extend_from_slice(array);
    tagged
}

/// Takes the tag of a COSE_Sign1 off; `None` where it is absent.
pub(crate) fn untag_sign1(bytes: &[u8]) -> Option<&[u8]> {
    match bytes.split_first() {
        Some((0xd2, rest)) => Some(rest),
        _ => None,
    }
}

/// Whether a flag is left out: only those that are set are written.
pub(crate) fn is_unset(flag: &bool) -> bool {
    !flag
}

/// A CBOR map with integer labels, as COSE headers are (RFC 9052 §3).
pub(crate) type LabelMap = std::collections::BTreeMap<serde_cbor::Value, serde_cbor::Value>;
pub(crate) use serde_cbor::Value as LabelValue;

/// Checks that `bytes` are one deterministic CBOR item (RFC 8949 §4.2.1) of the kinds used here.
///
/// # Errors
/// Any [`CodecError`] but `Shape` and `NotCanonical`.
pub fn scan(bytes: &[u8], limit: usize) -> Result<(), CodecError> {
    if bytes.len() > limit {
        return Err(CodecError::TooLarge {
            size: bytes.len(),
            limit,
        });
    }
    let mut scanner = Scanner { bytes, at: 0 };
    scanner.item(0)?;
    if scanner.at == bytes.len() {
        Ok(())
    } else {
        Err(CodecError::Trailing(scanner.at))
    }
}

/// Whether an encoded key comes after another, or is the first. Mostly the first bytes say so, which needs no call.
fn is_after(key: &[u8], previous: &[u8]) -> bool {
    match (key.first(), previous.first()) {
        (Some(first), Some(other)) if first != other => first > other,
        (_, None) => true,
        _ => key > previous,
    }
}

struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Scanner<'a> {
    fn item(&mut self, depth: usize) -> Result<(), CodecError> {
        if depth >= DEPTH_MAX {
            return Err(CodecError::TooDeep(self.at));
        }
        let start = self.at;
        let (major, argument) = self.head()?;
        match major {
            0 | 1 => Ok(()),
            2 => self.take(argument).map(|_| ()),
            3 => {
                let text = self.take(argument)?;
                std::str::from_utf8(text)
                    .map(|_| ())
                    .map_err(|_| CodecError::NotUtf8(start))
            }
            4 => (0..argument).try_for_each(|_| self.item(depth + 1)),
            5 => self.pairs(argument, depth),
            6 if depth == 0 && start == 0 && argument == TAG_COSE_SIGN1 => self.item(depth + 1),
            7 if matches!(argument, 20..=22) => Ok(()),
            _ => Err(CodecError::Unexpected(start)),
        }
    }

    fn pairs(&mut self, count: u64, depth: usize) -> Result<(), CodecError> {
        let mut previous: &'a [u8] = &[];
        for _ in 0..count {
            let start = self.at;
            self.item(depth + 1)?;
            let key = self.bytes.get(start..self.at).unwrap_or_default();
            // Keys compare as encoded bytes (RFC 8949 §4.2.1); an encoded key is never empty.
            if !is_after(key, previous) {
                return Err(CodecError::KeysNotAscending(start));
            }
            previous = key;
            self.item(depth + 1)?;
        }
        Ok(())
    }

    fn head(&mut self) -> Result<(u8, u64), CodecError> {
        let start = self.at;
        let first = self.byte()?;
        let major = first >> 5;
        let info = first & 0x1f;
        let (width, least) = match info {
            0..=23 => return Ok((major, u64::from(info))),
            24 => (1, 24),
            25 => (2, 0x100),
            26 => (4, 0x1_0000),
            27 => (8, 0x1_0000_0000),
            31 => return Err(CodecError::Indefinite(start)),
            _ => return Err(CodecError::Unexpected(start)),
        };
        if major == 7 {
            return Err(CodecError::Unexpected(start));
        }
        let argument = self
            .take(width)?
            .iter()
            .fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte));
        if argument < least {
            return Err(CodecError::NotShortest(start));
        }
        Ok((major, argument))
    }

    fn byte(&mut self) -> Result<u8, CodecError> {
        let byte = self
            .bytes
            .get(self.at)
            .ok_or(CodecError::Truncated(self.at))?;
        self.at += 1;
        Ok(*byte)
    }

    fn take(&mut self, count: u64) -> Result<&'a [u8], CodecError> {
        let end = usize::try_from(count)
            .ok()
            .and_then(|count| self.at.checked_add(count))
            .ok_or(CodecError::Truncated(self.at))?;
        let taken = self
            .bytes
            .get(self.at..end)
            .ok_or(CodecError::Truncated(self.at))?;
        self.at = end;
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde::Deserialize;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        count: u64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        shape: Shape,
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    enum Shape {
        Point,
        Circle { radius: u32 },
    }

    #[test]
    fn packed_bytes_are_frozen() {
        let sample = Sample {
            count: 500,
            name: None,
            shape: Shape::Circle { radius: 3 },
        };
        assert_eq!(hex::encode(encode(&sample)), "a2001901f402a101a10003");
        assert_eq!(decode::<Sample>(&encode(&sample)).unwrap(), sample);
        assert_eq!(hex::encode(encode(&Shape::Point)), "00");
        for count in [0, 1, 23, 24, 255, 256, 1_000] {
            let array = vec![0_u8; count];
            let bytes = [array_head(count), array.clone()].concat();
            assert_eq!(bytes, encode(&array));
        }
    }

    #[test]
    fn each_looseness_is_refused_by_name() {
        type Expected = fn(&CodecError) -> bool;
        let cases: [(&str, Expected); 13] = [
            ("", |e| matches!(e, CodecError::Truncated(0))),
            ("a2001901f4", |e| matches!(e, CodecError::Truncated(_))),
            ("0000", |e| matches!(e, CodecError::Trailing(1))),
            ("1817", |e| matches!(e, CodecError::NotShortest(0))),
            ("1900ff", |e| matches!(e, CodecError::NotShortest(0))),
            ("9fff", |e| matches!(e, CodecError::Indefinite(0))),
            ("a201000000", |e| {
                matches!(e, CodecError::KeysNotAscending(_))
            }),
            ("a200000000", |e| {
                matches!(e, CodecError::KeysNotAscending(_))
            }),
            ("f97e00", |e| matches!(e, CodecError::Unexpected(0))),
            ("f7", |e| matches!(e, CodecError::Unexpected(0))),
            ("81d200", |e| matches!(e, CodecError::Unexpected(1))),
            ("61ff", |e| matches!(e, CodecError::NotUtf8(0))),
            ("8181818181818181818181818181818100", |e| {
                matches!(e, CodecError::TooDeep(_))
            }),
        ];
        for (text, is_expected) in cases {
            let error = scan(&hex::decode(text).unwrap(), 100).unwrap_err();
            assert!(is_expected(&error), "{text}: {error:?}");
        }
        // The innermost item counts as one: a number in one array less is as deep as can be.
        assert!(scan(&hex::decode(format!("{}00", "81".repeat(15))).unwrap(), 100).is_ok());
        assert!(matches!(
            scan(&[0; 8], 7),
            Err(CodecError::TooLarge { size: 8, limit: 7 })
        ));
    }

    #[test]
    fn what_scans_but_re_encodes_otherwise_is_refused() {
        // The struct as an array, the variant by name, an unknown field, a null for an absent name.
        for text in [
            "82190001",
            "a2001901f40265506f696e74",
            "a3000102000900",
            "a300010 1f60200",
        ] {
            let text = text.replace(' ', "");
            assert!(
                decode::<Sample>(&hex::decode(&text).unwrap()).is_err(),
                "{text}"
            );
        }
        assert!(matches!(
            decode::<Sample>(&hex::decode("a2001901f40265506f696e74").unwrap()),
            Err(CodecError::NotCanonical)
        ));
    }

    proptest! {
        #[test]
        fn any_bytes_are_refused_or_stay_the_same(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(sample) = decode::<Sample>(&bytes) {
                prop_assert_eq!(encode(&sample), bytes);
            }
        }
    }
}
