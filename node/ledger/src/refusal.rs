//! Why a recipient does not take what a link brings: a code that names no private layer.
//!
//! A code is a number on the wire, and open: one that this version does not know is kept as it is. From 1,000 on a
//! code is no refusal: what it names is set aside, holds up nothing behind it, and comes again.

use serde::{Deserialize, Serialize};

/// The first number of a code that sets aside.
const SET_ASIDE_FROM: u16 = 1_000;

/// Numbers and names the codes.
macro_rules! codes {
    ($($(#[$doc:meta])* $number:literal $code:ident $label:literal;)*) => {
        /// Why an item or a frame was not taken. Append-only: the number is on the wire.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(from = "u16", into = "u16")]
        pub enum RefusalCode {
            $($(#[$doc])* $code,)*
            /// A number that a later version gives a meaning.
            Unknown(UnknownCode),
        }

        impl RefusalCode {
            /// All that this version knows, in the order of their numbers.
            pub const ALL: &'static [Self] = &[$(Self::$code),*];

            /// The number on the wire.
            #[must_use]
            pub const fn number(self) -> u16 {
                match self {
                    $(Self::$code => $number,)*
                    Self::Unknown(UnknownCode(number)) => number,
                }
            }

            /// The name in tables; `unknown` for a number of a later version.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$code => $label,)*
                    Self::Unknown(_) => "unknown",
                }
            }
        }

        impl From<u16> for RefusalCode {
            fn from(number: u16) -> Self {
                match number {
                    $($number => Self::$code,)*
                    _ => Self::Unknown(UnknownCode(number)),
                }
            }
        }
    };
}

/// The number of a code that this version does not know. Only [`RefusalCode::from`] makes one, so that a code has one
/// value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnknownCode(u16);

codes! {
    /// Bytes that are no frame or statement, or not in their one deterministic encoding.
    1 NotCanonical "not-canonical";
    /// A frame that has no place at this point of the link.
    2 Unexpected "unexpected";
    /// A sequence number that was taken before.
    3 Replayed "replayed";
    /// A sequence number beyond the next.
    4 Skipped "skipped";
    /// The chain over the bodies does not continue.
    5 ChainBroken "chain-broken";
    /// A statement names a key that its issuer's root does not certify, or not for the instant of the statement.
    6 UnknownKey "unknown-key";
    /// A signature does not verify.
    7 BadSignature "bad-signature";
    /// The issuer is not the one this link may bring, or payload and header differ.
    8 WrongOrigin "wrong-origin";
    /// The disclosure is for another recipient.
    9 WrongRecipient "wrong-recipient";
    /// The disclosure is for another observation.
    10 WrongObservation "wrong-observation";
    /// The disclosure is for another partnership or another edition of it.
    11 WrongPartnership "wrong-partnership";
    /// The terms are wider than the partnership's.
    12 WiderTerms "wider-terms";
    /// The readings are not those that the facts name.
    13 WrongReadings "wrong-readings";
    /// The recipient's policy says no.
    14 NotAdmissible "not-admissible";
    /// Larger than a limit.
    15 TooLarge "too-large";
    /// The same observation was taken before, under the same edition.
    16 Duplicate "duplicate";
    /// The chain of disclosures by which it came does not hold.
    17 WrongChain "wrong-chain";
    /// The recipient's policy cannot say: an error, or a rule that leaves open.
    1_000 Undecided "undecided";
    /// The clocks of the two nodes are minutes apart.
    1_001 ClocksApart "clocks-apart";
    /// It takes a later version than the recipient's to read it.
    1_002 NewerVersion "newer-version";
    /// Nobody at the recipient has compared the root of an organization that signed it.
    1_003 RootNotCompared "root-not-compared";
    /// It names a class of data, a purpose or a place that the recipient does not know.
    1_004 UnknownClass "unknown-class";
    /// It was judged under another record of a recipient than the one that is in force.
    1_005 RecordChanged "record-changed";
}

impl RefusalCode {
    /// Whether what it names is set aside: it was not refused, and comes again.
    #[must_use]
    pub const fn is_set_aside(self) -> bool {
        self.number() >= SET_ASIDE_FROM
    }

    /// Whether what was not taken with it may be taken another time: because the recipient's grounds change, not because
    /// the item would be another one.
    #[must_use]
    pub const fn may_come_again(self) -> bool {
        self.is_set_aside() || matches!(self, Self::NotAdmissible)
    }
}

impl From<RefusalCode> for u16 {
    fn from(code: RefusalCode) -> Self {
        code.number()
    }
}

impl std::fmt::Display for RefusalCode {
    /// The name, or the number where there is none.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unknown(UnknownCode(number)) => formatter.pad(&format!("code-{number}")),
            known => formatter.pad(known.name()),
        }
    }
}

impl From<&crate::StatementError> for RefusalCode {
    fn from(error: &crate::StatementError) -> Self {
        use crate::StatementError;
        match error {
            StatementError::Kind { .. } if error.is_of_unknown_kind() => Self::NewerVersion,
            StatementError::TooLarge { .. }
            | StatementError::Codec(crate::CodecError::TooLarge { .. }) => Self::TooLarge,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_its_number_and_an_unknown_one_is_kept() {
        for number in 0..=u16::MAX {
            let code = RefusalCode::from(number);
            assert_eq!(u16::from(code), number);
            let bytes = crate::encode(&code);
            assert_eq!(bytes, crate::encode(&number));
            assert_eq!(crate::decode::<RefusalCode>(&bytes).unwrap(), code);
            let is_known = RefusalCode::ALL.contains(&code);
            assert_eq!(is_known, !matches!(code, RefusalCode::Unknown(_)));
            assert_eq!(code.is_set_aside(), number >= 1_000);
        }
        assert_eq!(RefusalCode::from(417).to_string(), "code-417");
        assert_eq!(RefusalCode::Undecided.to_string(), "undecided");
        assert!(crate::decode::<RefusalCode>(&crate::encode(&65_536_u32)).is_err());
    }

    #[test]
    fn what_cannot_be_decided_is_no_refusal() {
        let set_aside: Vec<&str> = RefusalCode::ALL
            .iter()
            .filter(|code| code.is_set_aside())
            .map(|code| code.name())
            .collect();
        assert_eq!(
            set_aside,
            [
                "undecided",
                "clocks-apart",
                "newer-version",
                "root-not-compared",
                "unknown-class",
                "record-changed"
            ]
        );
        assert!(RefusalCode::ALL.is_sorted_by_key(|code| code.number()));
    }
}
