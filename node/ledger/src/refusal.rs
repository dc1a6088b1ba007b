//! Why a recipient refuses what a link brings: a code that names no private layer.

use serde::{Deserialize, Serialize};

/// Why an item or a frame was refused. Append-only: the number is on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RefusalCode {
    /// Bytes that are no frame or statement, or not in their one deterministic encoding.
    NotCanonical,
    /// A frame that has no place at this point of the link.
    Unexpected,
    /// A sequence number that was taken before.
    Replayed,
    /// A sequence number beyond the next.
    Skipped,
    /// The chain over the bodies does not continue.
    ChainBroken,
    /// A statement names a key that its issuer's root does not certify.
    UnknownKey,
    /// A signature does not verify.
    BadSignature,
    /// The issuer is not the one this link may bring, or payload and header differ.
    WrongOrigin,
    /// The disclosure is for another recipient.
    WrongRecipient,
    /// The disclosure is for another observation.
    WrongObservation,
    /// The disclosure is for another partnership or another edition of it.
    WrongPartnership,
    /// The terms are wider than the partnership's.
    WiderTerms,
    /// The readings are not those that the facts name.
    WrongReadings,
    /// The recipient's policy says no.
    NotAdmissible,
    /// Larger than a limit.
    TooLarge,
    /// The same observation was taken before, under the same edition.
    Duplicate,
}

impl RefusalCode {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 16] = [
        Self::NotCanonical,
        Self::Unexpected,
        Self::Replayed,
        Self::Skipped,
        Self::ChainBroken,
        Self::UnknownKey,
        Self::BadSignature,
        Self::WrongOrigin,
        Self::WrongRecipient,
        Self::WrongObservation,
        Self::WrongPartnership,
        Self::WiderTerms,
        Self::WrongReadings,
        Self::NotAdmissible,
        Self::TooLarge,
        Self::Duplicate,
    ];

    /// The name in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotCanonical => "not-canonical",
            Self::Unexpected => "unexpected",
            Self::Replayed => "replayed",
            Self::Skipped => "skipped",
            Self::ChainBroken => "chain-broken",
            Self::UnknownKey => "unknown-key",
            Self::BadSignature => "bad-signature",
            Self::WrongOrigin => "wrong-origin",
            Self::WrongRecipient => "wrong-recipient",
            Self::WrongObservation => "wrong-observation",
            Self::WrongPartnership => "wrong-partnership",
            Self::WiderTerms => "wider-terms",
            Self::WrongReadings => "wrong-readings",
            Self::NotAdmissible => "not-admissible",
            Self::TooLarge => "too-large",
            Self::Duplicate => "duplicate",
        }
    }
}

impl std::fmt::Display for RefusalCode {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.pad(self.name())
    }
}

impl From<&crate::StatementError> for RefusalCode {
    fn from(error: &crate::StatementError) -> Self {
        use crate::StatementError;
        match error {
            StatementError::Codec(crate::CodecError::TooLarge { .. }) => Self::TooLarge,
            StatementError::Codec(_)
            | StatementError::Untagged
            | StatementError::Header
            | StatementError::Kind { .. }
            | StatementError::Rule(_) => Self::NotCanonical,
            StatementError::Key(_) => Self::UnknownKey,
            StatementError::Signature => Self::BadSignature,
            StatementError::Parties => Self::WrongOrigin,
        }
    }
}
