//! The two names the metamodel gives: `Identifier` for what exists globally, `IdShort` for what exists among siblings.
//! Parsing here is strict about what could not be addressed at all, and must never trim or fold what it was given.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The most characters an [`Identifier`] may have (IDTA-01001-3-1, `Identifier`; 3-0 allowed 2,000).
const IDENTIFIER_CHARACTERS_MAX: usize = 2_048;
/// The most characters an [`IdShort`] may have (IDTA-01001-3-1, `NameType`).
const ID_SHORT_CHARACTERS_MAX: usize = 128;

/// A globally unique identifier of a shell, submodel or concept description: 1 to 2,048 characters
/// (IDTA-01001-3-1, `Identifier`), compared character by character.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Identifier(String);

impl Identifier {
    /// Takes `text` as an identifier.
    ///
    /// # Errors
    /// When the text is empty or longer than 2,048 characters.
    pub fn parse(text: &str) -> Result<Self, IdentifierError> {
        if text.is_empty() {
            return Err(IdentifierError::Empty);
        }
        let characters = text.chars().count();
        if characters > IDENTIFIER_CHARACTERS_MAX {
            return Err(IdentifierError::TooLong { characters });
        }
        Ok(Self(text.to_owned()))
    }

    /// The identifier as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Identifier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl TryFrom<String> for Identifier {
    type Error = IdentifierError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<Identifier> for String {
    fn from(identifier: Identifier) -> Self {
        identifier.0
    }
}

/// Why a text is no [`Identifier`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum IdentifierError {
    /// The text has no characters.
    #[error("failed to read an identifier: the text is empty")]
    Empty,
    /// The text is longer than the metamodel allows.
    #[error(
        "failed to read an identifier: it has {characters} characters, and at most 2048 are allowed"
    )]
    TooLong {
        /// How many characters were given.
        characters: usize,
    },
}

/// The name of an element among its siblings: 1 to 128 characters that can stand in an
/// [`IdShortPath`](crate::IdShortPath), so none of `.`, `[`, `]`, no blanks and no control characters.
///
/// Published files hold names the metamodel's pattern refuses (single letters, for one, since V3.1). They stay
/// addressable; [`IdShort::matches_pattern`] says which those are, and verification reports them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct IdShort(String);

impl IdShort {
    /// Takes `text` as an idShort.
    ///
    /// # Errors
    /// When the text is empty, too long, or holds a character that would break a path.
    pub fn parse(text: &str) -> Result<Self, IdShortError> {
        if text.is_empty() {
            return Err(IdShortError::Empty);
        }
        if text.chars().count() > ID_SHORT_CHARACTERS_MAX {
            return Err(IdShortError::TooLong {
                id_short: text.to_owned(),
            });
        }
        match text.chars().find(|character| breaks_a_path(*character)) {
            Some(character) => Err(IdShortError::Character {
                id_short: text.to_owned(),
                character,
            }),
            None => Ok(Self(text.to_owned())),
        }
    }

    /// Whether `text` follows the metamodel's pattern `[a-zA-Z][a-zA-Z0-9_-]*[a-zA-Z0-9_]+`, at most 128 characters
    /// (IDTA-01001-3-1, constraint AASd-002).
    #[must_use]
    pub fn matches_pattern(text: &str) -> bool {
        let mut bytes = text.bytes();
        let first_is_letter = bytes
            .next()
            .is_some_and(|first| first.is_ascii_alphabetic());
        let last_is_word = bytes
            .next_back()
            .is_some_and(|last| last.is_ascii_alphanumeric() || last == b'_');
        first_is_letter
            && last_is_word
            && bytes.all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
            && text.len() <= ID_SHORT_CHARACTERS_MAX
    }

    /// The name as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn breaks_a_path(character: char) -> bool {
    matches!(character, '.' | '[' | ']') || character.is_whitespace() || character.is_control()
}

impl fmt::Display for IdShort {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl TryFrom<String> for IdShort {
    type Error = IdShortError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<IdShort> for String {
    fn from(id_short: IdShort) -> Self {
        id_short.0
    }
}

/// Why a text is no [`IdShort`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum IdShortError {
    /// The text has no characters.
    #[error("failed to read an idShort: the text is empty")]
    Empty,
    /// The text is longer than 128 characters.
    #[error("failed to read an idShort: `{id_short}` has more than 128 characters")]
    TooLong {
        /// The text given.
        id_short: String,
    },
    /// The text holds a character that separates steps of a path, a blank or a control character.
    #[error(
        "failed to read an idShort: `{id_short}` holds {character:?}, which cannot stand in a path"
    )]
    Character {
        /// The text given.
        id_short: String,
        /// The first such character.
        character: char,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pattern_is_that_of_v3_1() {
        for accepted in ["Ab", "temperature", "a_", "a-b", "A0", "a--0", "Z9_z"] {
            assert!(IdShort::matches_pattern(accepted), "{accepted}");
        }
        for rejected in ["", "a", "0a", "_a", "a-", "a b", "a.b", "ä1", "aä", "a{00}"] {
            assert!(!IdShort::matches_pattern(rejected), "{rejected}");
        }
        assert!(IdShort::matches_pattern(&"a".repeat(128)));
        assert!(!IdShort::matches_pattern(&"a".repeat(129)));
    }

    #[test]
    fn an_id_short_must_be_addressable() {
        assert_eq!(IdShort::parse("a").unwrap().as_str(), "a");
        assert_eq!(IdShort::parse(""), Err(IdShortError::Empty));
        assert!(matches!(
            IdShort::parse("a.b"),
            Err(IdShortError::Character { character: '.', .. })
        ));
        assert!(matches!(
            IdShort::parse(&"a".repeat(129)),
            Err(IdShortError::TooLong { .. })
        ));
    }

    #[test]
    fn an_identifier_has_1_to_2048_characters() {
        assert_eq!(Identifier::parse(""), Err(IdentifierError::Empty));
        assert!(Identifier::parse(&"ü".repeat(2_048)).is_ok());
        assert_eq!(
            Identifier::parse(&"ü".repeat(2_049)),
            Err(IdentifierError::TooLong { characters: 2_049 })
        );
        assert!(serde_json::from_str::<Identifier>("\"\"").is_err());
    }
}
