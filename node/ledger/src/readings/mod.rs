//! Readings: the values of one observation, beside its statement and erasable without touching it.

mod block;
mod leaf;

pub use block::{EncodedReadings, PartialReadings};

use crate::codec::CodecError;
use crate::digest::{Digest, Salt};
use crate::names::Name;
use crate::time::Time;
use serde::{Deserialize, Serialize};

/// The most readings one observation groups: with the shortest ones the block stays well within
/// [`crate::ITEM_BYTES_MAX`], and one decision still serves a thousand values.
pub const READINGS_MAX: usize = 1_000;

/// The value of one AAS submodel element at an instant or over an interval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reading {
    /// The element's idShort path (IDTA-01002), such as `Deviations.Flatness` or `Spindles[0].Speed`.
    pub path: Name,
    /// When.
    pub when: When,
    /// How far it can be relied on, and why there is no value where there is none.
    pub quality: Quality,
    /// The AAS value-only form (IDTA-01002) as JSON text, digits as read; absent where there is none.
    /// Missing is a quality, never a zero.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// The element's XSD type, such as `xs:double`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_type: Option<Name>,
    /// The unit, as the source gives it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Name>,
    /// The whole AAS element as JSON text (IDTA-01001), where its structure changed; beside no value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub element: Option<String>,
    /// The content whose digest is the value, where that is too large for a reading.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attachment: Option<Attachment>,
}

/// Content too large for a reading: a file, a certificate, a scan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attachment {
    /// SHA-256 of the content.
    pub digest: Digest,
    /// Its size, in bytes.
    pub bytes: u64,
    /// Its media type (RFC 6838).
    pub media_type: Name,
}

/// An instant, or an interval that a sum or a mean covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum When {
    /// At one instant.
    Instant {
        /// The instant.
        at: Time,
    },
    /// From an instant up to, and without, another.
    Interval {
        /// The start.
        from: Time,
        /// The end, not before the start.
        to: Time,
    },
}

impl When {
    /// The first instant it speaks of.
    #[must_use]
    pub const fn from(&self) -> Time {
        match *self {
            Self::Instant { at } => at,
            Self::Interval { from, .. } => from,
        }
    }

    /// The last instant it speaks of.
    #[must_use]
    pub const fn to(&self) -> Time {
        match *self {
            Self::Instant { at } => at,
            Self::Interval { to, .. } => to,
        }
    }
}

/// How far a reading can be relied on (after the three OPC UA status severities, Part 4 §7.38.1), or why it has no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Quality {
    /// Reliable.
    Good,
    /// Measured, with doubts.
    Uncertain,
    /// Known to be wrong.
    Bad,
    /// The source said that it had no value (MTConnect's `UNAVAILABLE`).
    Unavailable,
    /// The source left the field empty.
    Empty,
}

/// The readings of one observation with the salt from which the salts of their leaves are drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Readings {
    /// Random. Whoever has it can compute every leaf, so it never travels with a part of them.
    pub salt: Salt,
    /// At least one, at most [`READINGS_MAX`]. What is decoded is ascending by path, and of one path in the order
    /// observed; what is to be encoded may be in any order.
    pub readings: Vec<Reading>,
}

/// Why readings cannot be grouped into one observation, or do not fit its facts.
#[derive(Debug, thiserror::Error)]
pub enum ReadingsError {
    /// Not the encoding of readings.
    #[error("readings cannot be decoded")]
    Codec(#[from] CodecError),
    /// None, or more than [`READINGS_MAX`].
    #[error("an observation holds 1 to {READINGS_MAX} readings, not {0}")]
    Count(usize),
    /// The encoded block is larger than [`crate::ITEM_BYTES_MAX`].
    #[error("the readings encode to {0} bytes, more than {max}; split them", max = crate::ITEM_BYTES_MAX)]
    TooLarge(usize),
    /// An interval that ends before it starts.
    #[error("the interval of `{0}` ends before it starts")]
    Backwards(Name),
    /// Instants of different UTC minutes.
    #[error("the readings span more than one UTC minute; split them by minute")]
    SpansMinutes,
    /// A value beside a quality that says there is none.
    #[error(
        "the value of `{0}` does not fit its quality: only good, uncertain and bad readings have one"
    )]
    Quality(Name),
    /// An element beside a value, or an attachment that is not what the value names.
    #[error("the element or the attachment of `{0}` does not fit its value")]
    Element(Name),
    /// A part of the readings where the whole is asked for, or the other way round.
    #[error(
        "the block holds a part of the readings where all are asked for, or all where a part is"
    )]
    Part,
    /// Another digest than the facts name.
    #[error("the readings are not those that the facts name")]
    Digest,
    /// Another count or another span than the facts state.
    #[error("the facts state another count or span of the readings")]
    Facts,
}

impl Readings {
    /// Checks what every group of readings must satisfy.
    ///
    /// # Errors
    /// Any [`ReadingsError`] but those about facts.
    pub fn check(&self) -> Result<(), ReadingsError> {
        leaf::check(leaf::group(&self.readings).iter()).map(|_| ())
    }

    /// The whole block's bytes: what is sealed, stored and sent.
    ///
    /// # Errors
    /// Those of [`Readings::check`], and [`ReadingsError::TooLarge`].
    pub fn encode(&self) -> Result<Vec<u8>, ReadingsError> {
        EncodedReadings::of(&self.readings)?.block(&self.salt)
    }

    /// What the facts name them by: the root over their leaves.
    ///
    /// # Errors
    /// Those of [`Readings::check`].
    pub fn digest(&self) -> Result<Digest, ReadingsError> {
        Ok(EncodedReadings::of(&self.readings)?.digest(&self.salt))
    }

    /// The first and the last instant spoken of; `None` without readings.
    #[must_use]
    pub fn span(&self) -> Option<(Time, Time)> {
        reading_span(&self.readings)
    }
}

/// The first and the last instant that readings speak of; `None` without any.
#[must_use]
pub fn reading_span(readings: &[Reading]) -> Option<(Time, Time)> {
    span_of(readings.iter().map(|reading| reading.when))
}

fn span_of(whens: impl Iterator<Item = When> + Clone) -> Option<(Time, Time)> {
    let from = whens.clone().map(|when| when.from()).min()?;
    let to = whens.map(|when| when.to()).max()?;
    Some((from, to))
}
