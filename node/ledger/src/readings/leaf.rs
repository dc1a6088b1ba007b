//! Leaves of a block: the readings of one path, as they are encoded and hashed.
//!
//! What they say lies where it was: in a reading that is to be encoded, or in the bytes that were read.

use super::{Attachment, Quality, READINGS_MAX, Reading, ReadingsError, When, span_of};
use crate::codec;
use crate::digest::{Digest, Salt};
use crate::names::{Name, NameText, Text};
use crate::time::Time;
use crate::tree;
use hkdf::Hkdf;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use std::borrow::Cow;

/// What a leaf's salt is bound to besides its path.
const LEAF_DOMAIN: &[u8] = b"ambit/readings/1 leaf\0";

/// The readings of one path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Leaf<'a> {
    #[serde(borrow)]
    pub(super) path: NameText<'a>,
    #[serde(borrow)]
    readings: Vec<Sample<'a>>,
}

/// A leaf with the salt that its hash takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SaltedLeaf<'a> {
    pub(super) salt: Salt,
    #[serde(borrow)]
    pub(super) leaf: Leaf<'a>,
}

/// A reading without its path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sample<'a> {
    when: When,
    quality: Quality,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    value: Option<Text<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    value_type: Option<NameText<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    unit: Option<NameText<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    element: Option<Text<'a>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    attachment: Option<Cow<'a, Attachment>>,
}

impl<'a> Leaf<'a> {
    /// Its path, and the latest instant it speaks of.
    pub(super) fn into_latest(self) -> (Name, Time) {
        let instants = self.readings.iter().map(|reading| reading.when.to());
        let latest = instants.max().unwrap_or(Time::EARLIEST);
        (self.path.into_name(), latest)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.readings.is_empty()
    }

    pub(super) fn into_owned(self) -> Leaf<'static> {
        Leaf {
            path: self.path.into_owned(),
            readings: self.readings.into_iter().map(Sample::into_owned).collect(),
        }
    }

    pub(super) fn into_readings(self) -> impl Iterator<Item = Reading> + use<'a> {
        let path = self.path.into_name();
        self.readings.into_iter().map(move |sample| Reading {
            path: path.clone(),
            when: sample.when,
            quality: sample.quality,
            value: sample.value.map(Text::into_string),
            value_type: sample.value_type.map(NameText::into_name),
            unit: sample.unit.map(NameText::into_name),
            element: sample.element.map(Text::into_string),
            attachment: sample.attachment.map(Cow::into_owned),
        })
    }
}

impl<'a> Sample<'a> {
    fn of(reading: &'a Reading) -> Self {
        Self {
            when: reading.when,
            quality: reading.quality,
            value: reading.value.as_deref().map(Text::of),
            value_type: reading.value_type.as_ref().map(NameText::of),
            unit: reading.unit.as_ref().map(NameText::of),
            element: reading.element.as_deref().map(Text::of),
            attachment: reading.attachment.as_ref().map(Cow::Borrowed),
        }
    }

    fn into_owned(self) -> Sample<'static> {
        Sample {
            when: self.when,
            quality: self.quality,
            value: self.value.map(Text::into_owned),
            value_type: self.value_type.map(NameText::into_owned),
            unit: self.unit.map(NameText::into_owned),
            element: self.element.map(Text::into_owned),
            attachment: self.attachment.map(|file| Cow::Owned(file.into_owned())),
        }
    }

    /// Checks what every reading must satisfy.
    fn check(&self, path: &NameText<'_>) -> Result<(), ReadingsError> {
        let path = || path.to_name();
        if self.when.from() > self.when.to() {
            return Err(ReadingsError::Backwards(path()));
        }
        let can_have_value = match self.quality {
            Quality::Good | Quality::Uncertain | Quality::Bad => true,
            Quality::Unavailable | Quality::Empty => false,
        };
        if !can_have_value && self.value.is_some() {
            return Err(ReadingsError::Quality(path()));
        }
        let named = self
            .attachment
            .as_ref()
            .map(|attachment| format!("\"{}\"", attachment.digest));
        let value = self.value.as_ref().map(Text::as_str);
        if (self.element.is_some() && value.is_some())
            || (named.is_some() && named.as_deref() != value)
        {
            return Err(ReadingsError::Element(path()));
        }
        Ok(())
    }
}

impl SaltedLeaf<'_> {
    pub(super) fn hash(&self) -> Digest {
        hash_of(&self.salt, &codec::encode(&self.leaf))
    }

    pub(super) fn into_owned(self) -> SaltedLeaf<'static> {
        SaltedLeaf {
            salt: self.salt,
            leaf: self.leaf.into_owned(),
        }
    }
}

/// How many readings some leaves hold, and the first and the last instant they speak of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Extent {
    pub(super) count: u32,
    pub(super) span: (Time, Time),
}

/// Checks what every group of readings must satisfy.
pub(super) fn check<'l, 'a: 'l>(
    leaves: impl Iterator<Item = &'l Leaf<'a>> + Clone,
) -> Result<Extent, ReadingsError> {
    let count = leaves.clone().map(|leaf| leaf.readings.len()).sum();
    let whens = leaves
        .clone()
        .flat_map(|leaf| leaf.readings.iter().map(|reading| reading.when));
    let (Some(span), Some(counted)) = (span_of(whens.clone()), u32::try_from(count).ok()) else {
        return Err(ReadingsError::Count(count));
    };
    if count > READINGS_MAX {
        return Err(ReadingsError::Count(count));
    }
    for leaf in leaves {
        for reading in &leaf.readings {
            reading.check(&leaf.path)?;
        }
    }
    let mut minutes = whens.filter_map(|when| match when {
        When::Instant { at } => Some(at.minute()),
        When::Interval { .. } => None,
    });
    if let Some(first) = minutes.next()
        && minutes.any(|minute| minute != first)
    {
        return Err(ReadingsError::SpansMinutes);
    }
    Ok(Extent {
        count: counted,
        span,
    })
}

/// Draws the leaves' salts from the observation's (RFC 5869, SHA-256, no salt of its own).
pub(super) struct LeafSalts(Hkdf<Sha256>);

impl LeafSalts {
    pub(super) fn of(salt: &Salt) -> Self {
        Self(Hkdf::new(None, salt.as_bytes()))
    }

    pub(super) fn of_path(&self, path: &str) -> Salt {
        let mut bytes = [0; 32];
        #[expect(
            clippy::expect_used,
            reason = "HKDF-SHA256 gives up to 8,160 bytes (RFC 5869 §2.3), and 32 are asked for"
        )]
        self.0
            .expand_multi_info(&[LEAF_DOMAIN, path.as_bytes()], &mut bytes)
            .expect("32 bytes can be drawn");
        Salt::from_bytes(bytes)
    }
}

/// SHA-256 of a zero byte, as for any leaf (RFC 9162 §2.1.1), the leaf's salt and its encoding.
pub(super) fn hash_of(salt: &Salt, leaf: &[u8]) -> Digest {
    Digest::of_parts(&[&[0], salt.as_bytes(), leaf])
}

/// The root over leaves, ordered by their hashes, so that the order says nothing of the paths.
pub(super) fn root_of(mut hashes: Vec<Digest>) -> Digest {
    hashes.sort_unstable();
    tree::root(&hashes)
}

/// By path, ascending; of one path in the order given.
pub(super) fn group<'r>(readings: &'r [Reading]) -> Vec<Leaf<'r>> {
    let mut sorted: Vec<&'r Reading> = readings.iter().collect();
    // Mostly they are in this order already.
    sorted.sort_by(|one, other| one.path.cmp(&other.path));
    let by_path = sorted.chunk_by(|one, other| one.path == other.path);
    let leaf = |of_path: &[&'r Reading]| {
        Some(Leaf {
            path: NameText::of(&of_path.first()?.path),
            readings: of_path.iter().map(|reading| Sample::of(reading)).collect(),
        })
    };
    by_path.filter_map(leaf).collect()
}
