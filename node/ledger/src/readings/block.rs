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

use super::leaf::{Extent, Leaf, LeafSalts, SaltedLeaf, check, group, hash_of, root_of};
use super::{Reading, Readings, ReadingsError};
use crate::codec::{self, CodecError};
use crate::digest::{Digest, Salt};
use crate::facts::Facts;
use crate::names::Name;
use crate::time::Time;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// About what a reading comes to, encoded.
const SAMPLE_BYTES: usize = 64;

/// A block on the wire.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
enum Block<'a> {
    Whole {
        salt: Salt,
        #[serde(borrow)]
        leaves: Vec<Leaf<'a>>,
    },
    Partial {
        #[serde(borrow)]
        leaves: Vec<SaltedLeaf<'a>>,
        absent: Vec<Digest>,
    },
}

/// The readings of one observation to be, checked and encoded once: for what names them before they have a salt,
/// and for their block and its digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncodedReadings {
    leaves: EncodedLeaves,
    /// Each path, ascending, with the latest instant they speak of it.
    latest: Vec<(Name, Time)>,
    extent: Extent,
}

/// An encoded array of leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
struct EncodedLeaves {
    bytes: Vec<u8>,
    /// Where each of them ends.
    ends: Vec<usize>,
}

impl EncodedLeaves {
    fn of(leaves: &[Leaf<'_>], readings: u32) -> Self {
        let mut bytes = codec::array_head(leaves.len());
        let readings = usize::try_from(readings).unwrap_or_default();
        bytes.reserve(readings * SAMPLE_BYTES);
        let end_of = |leaf| {
            codec::encode_into(leaf, &mut bytes);
            bytes.len()
        };
        let ends = leaves.iter().map(end_of).collect();
        Self { bytes, ends }
    }

    /// The root over them, of which these are the paths.
    fn digest<'p>(&self, paths: impl Iterator<Item = &'p str>, salt: &Salt) -> Digest {
        let salts = LeafSalts::of(salt);
        let mut start = codec::array_head(self.ends.len()).len();
        let hash = |(path, end): (&str, &usize)| {
            let leaf = self.bytes.get(start..*end).unwrap_or_default();
            start = *end;
            hash_of(&salts.of_path(path), leaf)
        };
        root_of(paths.zip(&self.ends).map(hash).collect())
    }

    /// The whole block they make with a salt.
    fn block(&self, salt: &Salt) -> Result<Vec<u8>, ReadingsError> {
        // Variant 0, a map of two: at 0 the salt, at 1 the leaves.
        let head = [0xa1, 0x00, 0xa2, 0x00];
        let block = [&head, codec::encode(salt).as_slice(), &[0x01], &self.bytes].concat();
        within_limit(block)
    }
}

impl EncodedReadings {
    /// Checks and encodes readings, in whatever order they are.
    ///
    /// # Errors
    /// Any [`ReadingsError`] but those about facts.
    pub fn of(readings: &[Reading]) -> Result<Self, ReadingsError> {
        let leaves = group(readings);
        let extent = check(leaves.iter())?;
        let encoded = EncodedLeaves::of(&leaves, extent.count);
        Ok(Self {
            leaves: encoded,
            latest: leaves.into_iter().map(Leaf::into_latest).collect(),
            extent,
        })
    }

    /// The encoded array of the leaves: one encoding for the readings whatever their order between paths.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.leaves.bytes
    }

    /// How many.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.extent.count
    }

    /// The first and the last instant they speak of.
    #[must_use]
    pub fn span(&self) -> (Time, Time) {
        self.extent.span
    }

    /// Each path they speak of, ascending, with the latest instant that they speak of it.
    #[must_use]
    pub fn latest_instants(&self) -> Vec<(Name, Time)> {
        self.latest.clone()
    }

    /// What the facts name them by, with this salt: the root over their leaves.
    #[must_use]
    pub fn digest(&self, salt: &Salt) -> Digest {
        let paths = self.latest.iter().map(|(path, _)| path.as_str());
        self.leaves.digest(paths, salt)
    }

    /// The whole block they make with a salt: what [`Readings::encode`] gives.
    ///
    /// # Errors
    /// [`ReadingsError::TooLarge`].
    pub fn block(&self, salt: &Salt) -> Result<Vec<u8>, ReadingsError> {
        self.leaves.block(salt)
    }
}

impl Readings {
    /// Reads a whole block from outside against the facts that name it.
    ///
    /// # Errors
    /// Any [`ReadingsError`].
    pub fn decode(bytes: &[u8], facts: &Facts) -> Result<Self, ReadingsError> {
        let (salt, leaves) = read_whole(bytes, facts)?;
        let readings = leaves.into_iter().flat_map(Leaf::into_readings).collect();
        Ok(Self { salt, readings })
    }

    /// Reads a whole block likewise. Returns each path that it speaks of, ascending, with the latest instant that it speaks of it.
    ///
    /// # Errors
    /// Any [`ReadingsError`].
    pub fn latest_instants_in(
        bytes: &[u8],
        facts: &Facts,
    ) -> Result<Vec<(Name, Time)>, ReadingsError> {
        let (_, leaves) = read_whole(bytes, facts)?;
        Ok(leaves.into_iter().map(Leaf::into_latest).collect())
    }

    /// Each path that a whole block of this node's own ledger speaks of, ascending, with the latest instant that it speaks of
    /// it. The block was checked before it was recorded.
    ///
    /// # Errors
    /// [`ReadingsError`] of the shape.
    pub fn latest_instants_in_own_ledger(block: &[u8]) -> Result<Vec<(Name, Time)>, ReadingsError> {
        let (_, leaves) = parse_whole(block)?;
        Ok(leaves.into_iter().map(Leaf::into_latest).collect())
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
            salt: salts.of_path(leaf.path.as_str()),
            leaf: leaf.into_owned(),
        });
        let whole = PartialReadings {
            leaves: leaves.collect(),
            absent: BTreeSet::new(),
        };
        Ok(whole.part(is_kept))
    }
}

/// The parts of a whole block, of which nothing is checked but the shape.
fn parse_whole(bytes: &[u8]) -> Result<(Salt, Vec<Leaf<'_>>), ReadingsError> {
    codec::scan(bytes, codec::ITEM_BYTES_MAX)?;
    let Block::Whole { salt, leaves } = codec::decode_scanned(bytes)? else {
        return Err(ReadingsError::Part);
    };
    Ok((salt, leaves))
}

/// Reads a whole block from outside against the facts that name it.
fn read_whole<'a>(bytes: &'a [u8], facts: &Facts) -> Result<(Salt, Vec<Leaf<'a>>), ReadingsError> {
    let (salt, leaves) = parse_whole(bytes)?;
    let extent = check(leaves.iter())?;
    // Encoded once, for the check of the encoding and for the leaves' hashes.
    let encoded = EncodedLeaves::of(&leaves, extent.count);
    if !are_in_order(leaves.iter()) || encoded.block(&salt)? != bytes {
        return Err(CodecError::NotCanonical.into());
    }
    let paths = leaves.iter().map(|leaf| leaf.path.as_str());
    if encoded.digest(paths, &salt) != facts.readings {
        return Err(ReadingsError::Digest);
    }
    if extent.count != facts.reading_count
        || extent.span != (facts.observed_from, facts.observed_to)
    {
        return Err(ReadingsError::Facts);
    }
    Ok((salt, leaves))
}

/// Some of the readings of one observation: those of some paths, with the salts of their leaves and the hashes of
/// the leaves that are absent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartialReadings {
    /// Ascending by path.
    leaves: Vec<SaltedLeaf<'static>>,
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
            .partition(|salted| is_kept(&salted.leaf.path.to_name()));
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
        let is_sorted = absent.is_sorted_by(|one, other| one < other);
        let present = || leaves.iter().map(|salted| &salted.leaf);
        if !are_in_order(present()) || !is_sorted || absent.is_empty() {
            return Err(CodecError::NotCanonical.into());
        }
        let extent = check(present())?;
        let part = Self {
            leaves: leaves.into_iter().map(SaltedLeaf::into_owned).collect(),
            absent: absent.into_iter().collect(),
        };
        if part.digest() != facts.readings {
            return Err(ReadingsError::Digest);
        }
        let (from, to) = extent.span;
        let is_within = facts.observed_from <= from && to <= facts.observed_to;
        if extent.count >= facts.reading_count || !is_within {
            return Err(ReadingsError::Facts);
        }
        Ok(part)
    }
}

/// Whether leaves are ascending by path, and none is empty.
fn are_in_order<'l, 'a: 'l>(leaves: impl Iterator<Item = &'l Leaf<'a>> + Clone) -> bool {
    let paths = leaves.clone().map(|leaf| leaf.path.as_str());
    paths.is_sorted_by(|one, other| one < other) && leaves.into_iter().all(|leaf| !leaf.is_empty())
}

fn within_limit(block: Vec<u8>) -> Result<Vec<u8>, ReadingsError> {
    if block.len() > codec::ITEM_BYTES_MAX {
        return Err(ReadingsError::TooLarge(block.len()));
    }
    Ok(block)
}
