//! Blocks of readings: whole, or a part of their elements, under one digest.
//!
//! ```text
//! observation's salt ──HKDF(path)──▶ leaf's salt ┐
//!                readings of one path ── leaf ───┴─▶ leaf's hash ──ordered──▶ root = the digest in the facts
//! ```
//!
//! One leaf holds all readings of one idShort path, and its salt is its own: who has some leaves and the hashes of the
//! rest can check them against the facts, and learns nothing of the rest but how many there are. A part must never
//! hold the observation's salt.

use super::{Attachment, Quality, Reading, Readings, ReadingsError, When, check, reading_span};
use crate::codec::{self, CodecError};
use crate::digest::{Digest, Salt};
use crate::facts::Facts;
use crate::names::Name;
use crate::time::Time;
use crate::tree;
use hkdf::Hkdf;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use std::borrow::Cow;
use std::collections::BTreeSet;

/// About what a reading comes to, encoded.
const SAMPLE_BYTES: usize = 64;

/// What a leaf's salt is bound to besides its path.
const LEAF_DOMAIN: &[u8] = b"ambit/readings/1 leaf\0";

/// A block on the wire.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
enum Block {
    Whole {
        salt: Salt,
        leaves: Vec<Leaf<'static>>,
    },
    Partial {
        leaves: Vec<SaltedLeaf>,
        absent: Vec<Digest>,
    },
}

/// The readings of one path: its own, or, to be encoded, somebody else's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Leaf<'a> {
    path: Cow<'a, Name>,
    readings: Vec<Sample<'a>>,
}

/// A leaf with the salt that its hash takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SaltedLeaf {
    salt: Salt,
    leaf: Leaf<'static>,
}

/// A reading without its path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sample<'a> {
    when: When,
    quality: Quality,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    value: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    value_type: Option<Cow<'a, Name>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unit: Option<Cow<'a, Name>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    element: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    attachment: Option<Cow<'a, Attachment>>,
}

/// The readings of one observation to be, checked and encoded once: for what names them before they have a salt,
/// and for their block and its digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncodedReadings {
    /// The encoded array of the leaves.
    bytes: Vec<u8>,
    /// Ascending by path.
    leaves: Vec<EncodedLeaf>,
    count: u32,
    span: (Time, Time),
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct EncodedLeaf {
    path: Name,
    /// Where it ends in the array's bytes.
    end: usize,
    /// The latest instant it speaks of.
    latest: Time,
}

impl EncodedReadings {
    /// Checks and encodes readings, in whatever order they are.
    ///
    /// # Errors
    /// Any [`ReadingsError`] but those about facts.
    pub fn of(readings: &[Reading]) -> Result<Self, ReadingsError> {
        check(readings)?;
        let no_count = ReadingsError::Count(readings.len());
        let Some((span, count)) = reading_span(readings).zip(u32::try_from(readings.len()).ok())
        else {
            return Err(no_count);
        };
        let grouped = group(readings);
        let mut bytes = codec::array_head(grouped.len());
        bytes.reserve(readings.len() * SAMPLE_BYTES);
        let mut leaves = Vec::with_capacity(grouped.len());
        for leaf in grouped {
            codec::encode_into(&leaf, &mut bytes);
            leaves.push(EncodedLeaf {
                end: bytes.len(),
                latest: leaf.latest(),
                path: leaf.path.into_owned(),
            });
        }
        Ok(Self {
            bytes,
            leaves,
            count,
            span,
        })
    }

    /// The encoded array of the leaves: one encoding for the readings whatever their order between paths.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// How many.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.count
    }

    /// The first and the last instant they speak of.
    #[must_use]
    pub fn span(&self) -> (Time, Time) {
        self.span
    }

    /// Each path they speak of, ascending, with the latest instant that they speak of it.
    #[must_use]
    pub fn latest_instants(&self) -> Vec<(Name, Time)> {
        let leaves = self.leaves.iter();
        leaves
            .map(|leaf| (leaf.path.clone(), leaf.latest))
            .collect()
    }

    /// What the facts name them by, with this salt: the root over their leaves.
    #[must_use]
    pub fn digest(&self, salt: &Salt) -> Digest {
        let salts = LeafSalts::of(salt);
        let mut start = codec::array_head(self.leaves.len()).len();
        let mut hashes = Vec::with_capacity(self.leaves.len());
        for EncodedLeaf { path, end, .. } in &self.leaves {
            let leaf = self.bytes.get(start..*end).unwrap_or_default();
            hashes.push(hash_of(&salts.of_path(path), leaf));
            start = *end;
        }
        root_of(hashes)
    }

    /// The whole block they make with a salt: what [`Readings::encode`] gives.
    ///
    /// # Errors
    /// [`ReadingsError::TooLarge`].
    pub fn block(&self, salt: &Salt) -> Result<Vec<u8>, ReadingsError> {
        // Variant 0, a map of two: at 0 the salt, at 1 the leaves.
        let head = [0xa1, 0x00, 0xa2, 0x00];
        let block = [&head, codec::encode(salt).as_slice(), &[0x01], &self.bytes].concat();
        within_limit(block)
    }
}

impl Readings {
    /// Reads a whole block from outside against the facts that name it.
    ///
    /// # Errors
    /// Any [`ReadingsError`].
    pub fn decode(bytes: &[u8], facts: &Facts) -> Result<Self, ReadingsError> {
        Self::decode_encoded(bytes, facts).map(|(readings, _)| readings)
    }

    /// Reads a whole block likewise. Returns each path that it speaks of, ascending, with the latest instant that it speaks of it.
    ///
    /// # Errors
    /// Any [`ReadingsError`].
    pub fn latest_instants_in(
        bytes: &[u8],
        facts: &Facts,
    ) -> Result<Vec<(Name, Time)>, ReadingsError> {
        let (_, encoded) = Self::decode_encoded(bytes, facts)?;
        let leaves = encoded.leaves.into_iter();
        Ok(leaves.map(|leaf| (leaf.path, leaf.latest)).collect())
    }

    fn decode_encoded(
        bytes: &[u8],
        facts: &Facts,
    ) -> Result<(Self, EncodedReadings), ReadingsError> {
        codec::scan(bytes, codec::ITEM_BYTES_MAX)?;
        let Block::Whole { salt, leaves } = codec::decode_scanned(bytes)? else {
            return Err(ReadingsError::Part);
        };
        let readings: Vec<Reading> = leaves.into_iter().flat_map(Leaf::into_readings).collect();
        // Encoded once, for the check of the encoding and for the leaves' hashes.
        let encoded = EncodedReadings::of(&readings)?;
        if encoded.block(&salt)? != bytes {
            return Err(CodecError::NotCanonical.into());
        }
        if encoded.digest(&salt) != facts.readings {
            return Err(ReadingsError::Digest);
        }
        if encoded.count() != facts.reading_count
            || encoded.span() != (facts.observed_from, facts.observed_to)
        {
            return Err(ReadingsError::Facts);
        }
        Ok((Self { salt, readings }, encoded))
    }

    /// Each path that a whole block of this node's own ledger speaks of, ascending, with the latest instant that it speaks of
    /// it. The block was checked before it was recorded.
    ///
    /// # Errors
    /// [`ReadingsError`] of the shape.
    pub fn latest_instants_in_own_ledger(block: &[u8]) -> Result<Vec<(Name, Time)>, ReadingsError> {
        codec::scan(block, codec::ITEM_BYTES_MAX)?;
        let Block::Whole { leaves, .. } = codec::decode_scanned(block)? else {
            return Err(ReadingsError::Part);
        };
        let latest = |leaf: Leaf<'_>| {
            let at = leaf.latest();
            (leaf.path.into_owned(), at)
        };
        Ok(leaves.into_iter().map(latest).collect())
    }

    /// The part of them whose paths are kept; `None` where that is all or none.
    ///
    /// # Errors
    /// Those of [`Readings::check`].
    pub fn part(
        &self,
        is_kept: impl Fn(&Name) -> bool,
    ) -> Result<Option<PartialReadings>, ReadingsError> {
        self.check()?;
        let salts = LeafSalts::of(&self.salt);
        let leaves = group(&self.readings).into_iter().map(|leaf| SaltedLeaf {
            salt: salts.of_path(&leaf.path),
            leaf: leaf.into_owned(),
        });
        let whole = PartialReadings {
            leaves: leaves.collect(),
            absent: BTreeSet::new(),
        };
        Ok(whole.part(is_kept))
    }
}

/// Some of the readings of one observation: those of some paths, with the salts of their leaves and the hashes of
/// the leaves that are absent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartialReadings {
    /// Ascending by path.
    leaves: Vec<SaltedLeaf>,
    absent: BTreeSet<Digest>,
}

impl PartialReadings {
    /// The part of it whose paths are kept; `None` where that is all or none.
    #[must_use]
    pub fn part(&self, is_kept: impl Fn(&Name) -> bool) -> Option<Self> {
        let (leaves, dropped): (Vec<_>, Vec<_>) = self
            .leaves
            .iter()
            .cloned()
            .partition(|salted| is_kept(&salted.leaf.path));
        if leaves.is_empty() || dropped.is_empty() {
            return None;
        }
        let mut absent = self.absent.clone();
        absent.extend(dropped.iter().map(SaltedLeaf::hash));
        Some(Self { leaves, absent })
    }

    /// The readings that are there, ascending by path, and of one path in the order observed.
    pub fn readings(&self) -> impl Iterator<Item = Reading> + '_ {
        let leaves = self.leaves.iter().map(|salted| salted.leaf.clone());
        leaves.flat_map(Leaf::into_readings)
    }

    /// The hashes of the leaves that are there: what a disclosure of a part names.
    #[must_use]
    pub fn hashes(&self) -> BTreeSet<Digest> {
        self.leaves.iter().map(SaltedLeaf::hash).collect()
    }

    /// The hashes of the leaves that are absent; at least one.
    #[must_use]
    pub fn absent(&self) -> &BTreeSet<Digest> {
        &self.absent
    }

    /// The root over all leaves: what the facts name the readings by.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let present = self.leaves.iter().map(SaltedLeaf::hash);
        root_of(present.chain(self.absent.iter().copied()).collect())
    }

    /// The block's bytes: what is sealed, stored and sent.
    ///
    /// # Errors
    /// [`ReadingsError::TooLarge`].
    pub fn encode(&self) -> Result<Vec<u8>, ReadingsError> {
        within_limit(codec::encode(&Block::Partial {
            leaves: self.leaves.clone(),
            absent: self.absent.iter().copied().collect(),
        }))
    }

    /// Reads a part of a block from outside against the facts that name the whole.
    ///
    /// # Errors
    /// Any [`ReadingsError`].
    pub fn decode(bytes: &[u8], facts: &Facts) -> Result<Self, ReadingsError> {
        let Block::Partial { leaves, absent } = codec::decode(bytes)? else {
            return Err(ReadingsError::Part);
        };
        let is_ascending = leaves.is_sorted_by(|one, other| one.leaf.path < other.leaf.path)
            && absent.is_sorted_by(|one, other| one < other);
        let holds_an_empty_leaf = leaves.iter().any(|salted| salted.leaf.readings.is_empty());
        if !is_ascending || holds_an_empty_leaf || absent.is_empty() {
            return Err(CodecError::NotCanonical.into());
        }
        let part = Self {
            leaves,
            absent: absent.into_iter().collect(),
        };
        let readings: Vec<Reading> = part.readings().collect();
        check(&readings)?;
        if part.digest() != facts.readings {
            return Err(ReadingsError::Digest);
        }
        let count = u32::try_from(readings.len()).unwrap_or(u32::MAX);
        let is_within = reading_span(&readings)
            .is_some_and(|(from, to)| facts.observed_from <= from && to <= facts.observed_to);
        if count >= facts.reading_count || !is_within {
            return Err(ReadingsError::Facts);
        }
        Ok(part)
    }
}

impl Leaf<'_> {
    /// The latest instant it speaks of.
    fn latest(&self) -> Time {
        let instants = self.readings.iter().map(|reading| reading.when.to());
        instants.max().unwrap_or(Time::EARLIEST)
    }

    fn into_owned(self) -> Leaf<'static> {
        Leaf {
            path: Cow::Owned(self.path.into_owned()),
            readings: self.readings.into_iter().map(Sample::into_owned).collect(),
        }
    }

    fn into_readings(self) -> impl Iterator<Item = Reading> {
        let path = self.path.into_owned();
        self.readings.into_iter().map(move |sample| Reading {
            path: path.clone(),
            when: sample.when,
            quality: sample.quality,
            value: sample.value.map(Cow::into_owned),
            value_type: sample.value_type.map(Cow::into_owned),
            unit: sample.unit.map(Cow::into_owned),
            element: sample.element.map(Cow::into_owned),
            attachment: sample.attachment.map(Cow::into_owned),
        })
    }
}

impl<'r> Sample<'r> {
    fn of(reading: &'r Reading) -> Self {
        Self {
            when: reading.when,
            quality: reading.quality,
            value: reading.value.as_deref().map(Cow::Borrowed),
            value_type: reading.value_type.as_ref().map(Cow::Borrowed),
            unit: reading.unit.as_ref().map(Cow::Borrowed),
            element: reading.element.as_deref().map(Cow::Borrowed),
            attachment: reading.attachment.as_ref().map(Cow::Borrowed),
        }
    }
}

impl Sample<'_> {
    fn into_owned(self) -> Sample<'static> {
        Sample {
            when: self.when,
            quality: self.quality,
            value: self.value.map(|value| Cow::Owned(value.into_owned())),
            value_type: self.value_type.map(|name| Cow::Owned(name.into_owned())),
            unit: self.unit.map(|unit| Cow::Owned(unit.into_owned())),
            element: self.element.map(|json| Cow::Owned(json.into_owned())),
            attachment: self.attachment.map(|file| Cow::Owned(file.into_owned())),
        }
    }
}

impl SaltedLeaf {
    fn hash(&self) -> Digest {
        hash_of(&self.salt, &codec::encode(&self.leaf))
    }
}

/// Draws the leaves' salts from the observation's (RFC 5869, SHA-256, no salt of its own).
struct LeafSalts(Hkdf<Sha256>);

impl LeafSalts {
    fn of(salt: &Salt) -> Self {
        Self(Hkdf::new(None, salt.as_bytes()))
    }

    fn of_path(&self, path: &Name) -> Salt {
        let mut bytes = [0; 32];
        #[expect(
            clippy::expect_used,
            reason = "HKDF-SHA256 gives up to 8,160 bytes (RFC 5869 §2.3), and 32 are asked for"
        )]
        self.0
            .expand_multi_info(&[LEAF_DOMAIN, path.as_str().as_bytes()], &mut bytes)
            .expect("32 bytes can be drawn");
        Salt::from_bytes(bytes)
    }
}

/// SHA-256 of a zero byte, as for any leaf (RFC 9162 §2.1.1), the leaf's salt and its encoding.
fn hash_of(salt: &Salt, leaf: &[u8]) -> Digest {
    Digest::of_parts(&[&[0], salt.as_bytes(), leaf])
}

/// The root over leaves, ordered by their hashes, so that the order says nothing of the paths.
fn root_of(mut hashes: Vec<Digest>) -> Digest {
    hashes.sort_unstable();
    tree::root(&hashes)
}

/// By path, ascending; of one path in the order given.
fn group<'r>(readings: &'r [Reading]) -> Vec<Leaf<'r>> {
    let mut sorted: Vec<&'r Reading> = readings.iter().collect();
    // Mostly they are in this order already.
    sorted.sort_by(|one, other| one.path.cmp(&other.path));
    let by_path = sorted.chunk_by(|one, other| one.path == other.path);
    let leaf = |of_path: &[&'r Reading]| {
        Some(Leaf {
            path: Cow::Borrowed(&of_path.first()?.path),
            readings: of_path.iter().map(|reading| Sample::of(reading)).collect(),
        })
    };
    by_path.filter_map(leaf).collect()
}

fn within_limit(block: Vec<u8>) -> Result<Vec<u8>, ReadingsError> {
    if block.len() > codec::ITEM_BYTES_MAX {
        return Err(ReadingsError::TooLarge(block.len()));
    }
    Ok(block)
}
