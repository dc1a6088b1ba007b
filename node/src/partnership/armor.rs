//! The text in which cards, invitations, acceptances and declines travel by e-mail.
//!
//! ```text
//! -----BEGIN AMBIT IDENTITY CARD-----
//! base64 (RFC 4648 §4), lines of 64
//! -----END AMBIT IDENTITY CARD-----
//! ```
//!
//! Armor protects nothing: what is inside carries its own signatures. This module must never pick one of
//! two blocks.

use ambit_ledger::{
    CodecError, ITEM_BYTES_MAX, ManifestSignature, PartnershipTerms, StatementError,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

/// The largest partnership file, in bytes before armor: sixteen signatures over terms of the largest size.
pub const PARTNERSHIP_FILE_BYTES_MAX: usize = 1024 * 1024;

/// Base64 digits in a line, as in PEM (RFC 7468 §2).
const LINE_DIGITS: usize = 64;

/// What is inside an armor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArmorLabel {
    /// An identity card: one encoded [`ambit_ledger::Member`].
    IdentityCard,
    /// An invitation, an acceptance or a decline: one encoded [`PartnershipFile`].
    Partnership,
    /// What an issuer attests: one statement.
    Attestation,
}

/// Why a text holds no armor of the kind asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArmorError {
    /// None at all.
    #[error(
        "no line `-----BEGIN AMBIT {label}-----` found: take the whole file or message in which {wanted} was sent"
    )]
    Missing {
        /// The label asked for.
        label: &'static str,
        /// What it is, for people.
        wanted: &'static str,
    },
    /// Another kind.
    #[error("this is {found}, but {wanted} is needed")]
    Kind {
        /// What was found.
        found: String,
        /// What was asked for.
        wanted: &'static str,
    },
    /// Two of the kind asked for.
    #[error("line {line} starts a second block: leave only the one that is meant")]
    Several {
        /// Where the second starts, from 1.
        line: usize,
    },
    /// No end.
    #[error(
        "the block that starts at line {line} has no `-----END AMBIT …-----` line: it was cut off; ask for it again, as a file"
    )]
    CutOff {
        /// Where it starts, from 1.
        line: usize,
    },
    /// Something that is not base64.
    #[error("line {line} is not base64: it was changed on its way; ask for it again, as a file")]
    Base64 {
        /// Which line, from 1.
        line: usize,
    },
    /// More than its kind may have.
    #[error("the block is larger than the {limit} bytes that {wanted} may have")]
    TooLarge {
        /// Bytes allowed, before armor.
        limit: usize,
        /// What was asked for.
        wanted: &'static str,
    },
}

impl ArmorLabel {
    const ALL: [Self; 3] = [Self::IdentityCard, Self::Partnership, Self::Attestation];

    const fn label(self) -> &'static str {
        match self {
            Self::IdentityCard => "IDENTITY CARD",
            Self::Partnership => "PARTNERSHIP",
            Self::Attestation => "ATTESTATION",
        }
    }

    const fn noun(self) -> &'static str {
        match self {
            Self::IdentityCard => "an identity card",
            Self::Partnership => "an invitation or an acceptance",
            Self::Attestation => "an attestation",
        }
    }

    const fn bytes_max(self) -> usize {
        match self {
            Self::IdentityCard | Self::Attestation => ITEM_BYTES_MAX,
            Self::Partnership => PARTNERSHIP_FILE_BYTES_MAX,
        }
    }
}

/// Puts bytes into armor.
#[must_use]
pub fn write_armor(label: ArmorLabel, payload: &[u8]) -> String {
    let label = label.label();
    let digits = STANDARD.encode(payload);
    let mut text = format!("-----BEGIN AMBIT {label}-----\n");
    let mut rest = digits.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(LINE_DIGITS));
        text.push_str(line);
        text.push('\n');
        rest = after;
    }
    text.push_str(&format!("-----END AMBIT {label}-----\n"));
    text
}

/// Takes the one block of this kind out of a text. What stands around it, blank lines, `>` before lines and
/// any ends of lines are let pass.
///
/// # Errors
/// Any [`ArmorError`].
pub fn read_armor(label: ArmorLabel, text: &str) -> Result<Vec<u8>, ArmorError> {
    let mut block: Option<Vec<u8>> = None;
    let mut other: Option<&str> = None;
    let mut lines = numbered(text);
    while let Some((start, line)) = lines.next() {
        match marked(line, "BEGIN") {
            Some(found) if found == label.label() => {
                if block.is_some() {
                    return Err(ArmorError::Several { line: start });
                }
                block = Some(read_block(label, &mut lines, start)?);
            }
            Some(found) => other = other.or(Some(found)),
            None => {}
        }
    }
    block.ok_or_else(|| match other {
        Some(found) => ArmorError::Kind {
            found: ArmorLabel::ALL
                .into_iter()
                .find(|known| known.label() == found)
                .map_or_else(
                    || format!("a block `{}`", found.escape_debug()),
                    |known| known.noun().to_owned(),
                ),
            wanted: label.noun(),
        },
        None => ArmorError::Missing {
            label: label.label(),
            wanted: label.noun(),
        },
    })
}

fn read_block<'a>(
    label: ArmorLabel,
    lines: &mut impl Iterator<Item = (usize, &'a str)>,
    start: usize,
) -> Result<Vec<u8>, ArmorError> {
    let limit = label.bytes_max();
    let mut digits = String::new();
    let mut uneven = None;
    for (number, line) in lines {
        if marked(line, "END") == Some(label.label()) {
            let payload = STANDARD.decode(&digits).map_err(|_| ArmorError::Base64 {
                line: uneven.unwrap_or(number),
            })?;
            return if payload.len() > limit {
                Err(ArmorError::TooLarge {
                    limit,
                    wanted: label.noun(),
                })
            } else {
                Ok(payload)
            };
        }
        if marked(line, "BEGIN").is_some() || marked(line, "END").is_some() {
            return Err(ArmorError::CutOff { line: start });
        }
        // Only the last line may be padded: padding before it means that two pieces were joined.
        let is_base64 = line
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='));
        if !is_base64 || (digits.ends_with('=') && !line.is_empty()) {
            return Err(ArmorError::Base64 { line: number });
        }
        if line.len() % 4 != 0 {
            uneven = uneven.or(Some(number));
        }
        digits.push_str(line);
        if digits.len() / 4 > limit.div_ceil(3) {
            return Err(ArmorError::TooLarge {
                limit,
                wanted: label.noun(),
            });
        }
    }
    Err(ArmorError::CutOff { line: start })
}

/// The lines from 1, without the `>` of a quoting mail program and without white space at their ends.
fn numbered(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_quoting =
        |character: char| character.is_whitespace() || matches!(character, '>' | '\u{feff}');
    (1..)
        .zip(text.lines())
        .map(move |(number, line)| (number, line.trim_start_matches(is_quoting).trim_end()))
}

fn marked<'a>(line: &'a str, mark: &str) -> Option<&'a str> {
    line.strip_prefix("-----")?
        .strip_prefix(mark)?
        .strip_prefix(" AMBIT ")?
        .strip_suffix("-----")
}

/// What an invitation, an acceptance or a decline holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartnershipFile {
    /// Members' signatures under one edition; each holds the whole terms.
    pub statements: Vec<ByteBuf>,
    /// The statement in which a member declines it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decline: Option<ByteBuf>,
}

/// Why a text is no invitation, acceptance or decline.
#[derive(Debug, thiserror::Error)]
pub enum PartnershipFileError {
    /// Not in its armor.
    #[error(transparent)]
    Armor(#[from] ArmorError),
    /// Not of its shape.
    #[error(
        "the block does not hold an invitation or an acceptance that this version knows; ask for it again, as a file"
    )]
    Codec(#[source] CodecError),
    /// Nobody states anything.
    #[error("the block holds no signature and no decline; ask for it again")]
    Empty,
    /// A statement that holds no terms.
    #[error("signature {number} of the block holds no terms of a partnership; ask for it again")]
    Statement {
        /// Which, from 1.
        number: usize,
        /// What is wrong with it.
        #[source]
        source: StatementError,
    },
    /// Signatures under different terms.
    #[error(
        "signature {number} of the block is under other terms than the first: they cannot both be meant; ask which, and for each in a file of its own"
    )]
    Terms {
        /// Which, from 1.
        number: usize,
    },
}

impl PartnershipFileError {
    /// Whether the armor is whole and what is in it is not what anybody signed.
    #[must_use]
    pub fn is_altered(&self) -> bool {
        match self {
            Self::Codec(_) | Self::Statement { .. } | Self::Terms { .. } => true,
            Self::Armor(_) | Self::Empty => false,
        }
    }
}

impl PartnershipFile {
    /// Reads the text.
    ///
    /// # Errors
    /// [`PartnershipFileError`] of the armor, the shape, or where there is nothing in it.
    pub fn read(text: &str) -> Result<Self, PartnershipFileError> {
        let payload = read_armor(ArmorLabel::Partnership, text)?;
        let file: Self = ambit_ledger::decode_within(&payload, PARTNERSHIP_FILE_BYTES_MAX)
            .map_err(PartnershipFileError::Codec)?;
        if file.statements.is_empty() && file.decline.is_none() {
            return Err(PartnershipFileError::Empty);
        }
        Ok(file)
    }

    /// Writes the text.
    #[must_use]
    pub fn write(&self) -> String {
        write_armor(ArmorLabel::Partnership, &ambit_ledger::encode(self))
    }

    /// The terms that all signatures claim to be under; `None` where there is only a decline. No signature
    /// was checked: that needs the members' keys, and those are in the terms.
    ///
    /// # Errors
    /// [`PartnershipFileError::Statement`] and [`PartnershipFileError::Terms`].
    pub fn unverified_terms(&self) -> Result<Option<PartnershipTerms>, PartnershipFileError> {
        let mut first: Option<PartnershipTerms> = None;
        for (statement, number) in self.statements.iter().zip(1..) {
            let terms = ManifestSignature::unverified_terms(statement)
                .map_err(|source| PartnershipFileError::Statement { number, source })?;
            match &first {
                Some(first) if *first != terms => {
                    return Err(PartnershipFileError::Terms { number });
                }
                Some(_) => {}
                None => first = Some(terms),
            }
        }
        Ok(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CARD: ArmorLabel = ArmorLabel::IdentityCard;

    fn message(text: &str) -> String {
        read_armor(CARD, text).unwrap_err().to_string()
    }

    #[test]
    fn the_text_is_frozen() {
        let text = write_armor(CARD, &[0; 50]);
        let full = "A".repeat(64);
        assert_eq!(
            text,
            format!(
                "-----BEGIN AMBIT IDENTITY CARD-----\n{full}\nAAA=\n-----END AMBIT IDENTITY CARD-----\n"
            )
        );
        let file = PartnershipFile {
            statements: vec![ByteBuf::from([1, 2])],
            decline: None,
        };
        assert_eq!(
            file.write(),
            "-----BEGIN AMBIT PARTNERSHIP-----\noQCBQgEC\n-----END AMBIT PARTNERSHIP-----\n"
        );
    }

    #[test]
    fn what_mail_programs_do_is_let_pass() {
        let payload = [7; 200];
        let text = write_armor(CARD, &payload);
        let crlf = format!(
            "\u{feff}Dear partner,\r\n\r\n{}\r\nRegards",
            text.replace('\n', "\r\n")
        );
        let quoted = format!("> >  {}", text.replace('\n', " \n\n> >  "));
        for text in [crlf, quoted] {
            assert_eq!(read_armor(CARD, &text).unwrap(), payload);
        }
        // A card quoted below an invitation is no second invitation.
        let both = format!("{text}{}", write_armor(ArmorLabel::Partnership, &[1]));
        assert_eq!(read_armor(ArmorLabel::Partnership, &both).unwrap(), [1]);
    }

    #[test]
    fn each_fault_is_named() {
        let card = write_armor(CARD, &[7; 100]);
        let invitation = write_armor(ArmorLabel::Partnership, &[1]);
        assert_eq!(
            message("hello"),
            "no line `-----BEGIN AMBIT IDENTITY CARD-----` found: take the whole file or message in which an identity card was sent"
        );
        assert_eq!(
            message(&invitation),
            "this is an invitation or an acceptance, but an identity card is needed"
        );
        assert_eq!(
            read_armor(ArmorLabel::Partnership, &card)
                .unwrap_err()
                .to_string(),
            "this is an identity card, but an invitation or an acceptance is needed"
        );
        assert!(message("-----BEGIN AMBIT RECEIPT-----").starts_with("this is a block `RECEIPT`"));
        assert_eq!(
            message(&card.replacen("BwcH", "B.cH", 1)),
            "line 2 is not base64: it was changed on its way; ask for it again, as a file"
        );
        assert!(message(&card.replacen("BwcH", "Bwc", 1)).starts_with("line 2 is not base64"));
        let cut = card.split("-----END").next().unwrap();
        assert!(message(cut).contains("starts at line 1 has no"));
        assert!(message(&format!("{cut}{card}")).contains("starts at line 1 has no"));
        assert!(message(&format!("{card}{card}")).starts_with("line 6 starts a second block"));
        assert!(message(&write_armor(CARD, &[0; ITEM_BYTES_MAX + 1])).contains("65535 bytes"));
        assert!(message(&write_armor(CARD, &[0; ITEM_BYTES_MAX + 99])).contains("65535 bytes"));
    }

    #[test]
    fn a_partnership_file_survives_and_an_empty_one_is_refused() {
        let file = PartnershipFile {
            statements: vec![ByteBuf::from([1; 300])],
            decline: Some(ByteBuf::from([2; 90])),
        };
        assert_eq!(PartnershipFile::read(&file.write()).unwrap(), file);
        assert!(matches!(
            file.unverified_terms(),
            Err(PartnershipFileError::Statement { number: 1, .. })
        ));
        let empty = PartnershipFile::default();
        assert!(empty.unverified_terms().unwrap().is_none());
        assert!(matches!(
            PartnershipFile::read(&empty.write()),
            Err(PartnershipFileError::Empty)
        ));
        assert!(matches!(
            PartnershipFile::read(&write_armor(ArmorLabel::Partnership, &[0xff])),
            Err(PartnershipFileError::Codec(_))
        ));
    }

    proptest! {
        #[test]
        fn any_payload_survives(payload in proptest::collection::vec(any::<u8>(), 0..400)) {
            prop_assert_eq!(read_armor(CARD, &write_armor(CARD, &payload)).unwrap(), payload);
        }

        #[test]
        fn any_text_is_read_or_refused(text in "(-----(BEGIN|END) AMBIT IDENTITY CARD-----|[A-Za-z=> \r\n])*") {
            let _ = read_armor(CARD, &text);
        }
    }
}
