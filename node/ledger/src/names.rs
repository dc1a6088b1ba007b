//! Names that organizations give: bounded text, one type per meaning.

use serde::{Deserialize, Deserializer, Serialize};
use std::borrow::Cow;

/// The longest name of an organization, a purpose, a class, a jurisdiction or an agreement, in bytes of UTF-8.
pub const NAME_BYTES_MAX: usize = 512;

/// The longest of all other names, in bytes of UTF-8: AAS identifiers may have as many characters (IDTA-01001,
/// `Identifier`, 2,048). A longer one is refused when read, with a message.
pub const IDENTIFIER_BYTES_MAX: usize = 2_048;

/// Why a text is no name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing there.
    #[error("name is empty")]
    Empty,
    /// Longer than the limit for its kind.
    #[error("name of {size} bytes is longer than {limit}")]
    TooLong {
        /// Its bytes.
        size: usize,
        /// The bytes allowed.
        limit: usize,
    },
    /// White space at an end, or a control character anywhere.
    #[error("name `{0}` has white space at an end or a control character")]
    Spacing(String),
}

fn check(text: &str, limit: usize) -> Result<(), NameError> {
    if text.is_empty() {
        return Err(NameError::Empty);
    }
    if text.len() > limit {
        let size = text.len();
        return Err(NameError::TooLong { size, limit });
    }
    if is_plain(text) {
        return Ok(());
    }
    if text.trim() != text || text.chars().any(char::is_control) {
        return Err(NameError::Spacing(text.escape_debug().to_string()));
    }
    Ok(())
}

/// Whether it is printable ASCII with none of its white space at an end, as most names are.
fn is_plain(text: &str) -> bool {
    let is_printable = |byte: u8| matches!(byte, b' '..=b'~');
    text.bytes().all(is_printable) && !text.starts_with(' ') && !text.ends_with(' ')
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $limit:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
        #[serde(try_from = "String")]
        pub struct $name(String);

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl $name {
            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;
            fn try_from(text: String) -> Result<Self, NameError> {
                check(&text, $limit)?;
                Ok(Self(text))
            }
        }

        impl std::str::FromStr for $name {
            type Err = NameError;
            fn from_str(text: &str) -> Result<Self, NameError> {
                text.to_owned().try_into()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.pad(&self.0)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(formatter, "{:?}", self.0)
            }
        }
    };
}

name! {
    /// A party, by a string its field knows: `did:web:…`, `bpn:BPNL…`, `lei:…`. Trust is not in this
    /// string but in the fingerprint of the root key.
    OrganizationId, NAME_BYTES_MAX
}

name! {
    /// What data is asked for: an IRI.
    Purpose, NAME_BYTES_MAX
}

name! {
    /// A class of data in the taxonomy of data classes.
    DataClass, NAME_BYTES_MAX
}

name! {
    /// A jurisdiction: an ISO 3166-1 alpha-2 code or a group of the taxonomy.
    Jurisdiction, NAME_BYTES_MAX
}

name! {
    /// An agreement, as its declarer named it.
    PartnershipId, NAME_BYTES_MAX
}

name! {
    /// Any other identifier in facts: a source, a site, an asset, a submodel, a serial number.
    Name, IDENTIFIER_BYTES_MAX
}

/// A text that lies where it was read from. A type of its own, since serde borrows no text within an `Option`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'a> Text<'a> {
    pub(crate) fn of(text: &'a str) -> Self {
        Self(Cow::Borrowed(text))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn into_string(self) -> String {
        self.0.into_owned()
    }

    pub(crate) fn into_owned(self) -> Text<'static> {
        Text(Cow::Owned(self.into_string()))
    }
}

/// A [`Name`] that lies where it was read from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub(crate) struct NameText<'a>(Cow<'a, str>);

impl<'a> NameText<'a> {
    pub(crate) fn of(name: &'a Name) -> Self {
        Self(Cow::Borrowed(name.as_str()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn to_name(&self) -> Name {
        self.clone().into_name()
    }

    pub(crate) fn into_name(self) -> Name {
        Name(self.0.into_owned())
    }

    pub(crate) fn into_owned(self) -> NameText<'static> {
        NameText(Cow::Owned(self.0.into_owned()))
    }
}

impl<'a, 'de: 'a> Deserialize<'de> for NameText<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Text(text) = Text::deserialize(deserializer)?;
        check(&text, IDENTIFIER_BYTES_MAX).map_err(serde::de::Error::custom)?;
        Ok(Self(text))
    }
}

/// An identifier with the organization that gave it: two customers may both have a part `1001-A`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(
    deny_unknown_fields,
    expecting = "who assigned it and the value, such as { assigner = \"did:web:them.example\", value = \"1001-A\" }"
)]
pub struct Assigned {
    /// Who gave the identifier.
    pub assigner: OrganizationId,
    /// The identifier.
    pub value: Name,
}

impl std::fmt::Display for Assigned {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} ({})", self.value, self.assigner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spacing_length_and_emptiness() {
        assert!("did:web:acme.example".parse::<OrganizationId>().is_ok());
        assert_eq!("".parse::<Name>().unwrap_err(), NameError::Empty);
        assert!(matches!(" a".parse::<Name>(), Err(NameError::Spacing(_))));
        assert!(matches!("a\nb".parse::<Name>(), Err(NameError::Spacing(_))));
        assert!("x".repeat(2_048).parse::<Name>().is_ok());
        assert_eq!(
            "x".repeat(2_049).parse::<Name>().unwrap_err().to_string(),
            "name of 2049 bytes is longer than 2048"
        );
        for text in [
            "~", "a b", "\u{e9}", "\u{a0}a", "a\u{7f}", "a ", "\ta", "a\u{85}b",
        ] {
            let is_name = text.trim() == text && !text.chars().any(char::is_control);
            assert_eq!(text.parse::<Name>().is_ok(), is_name, "{text:?}");
            let bytes = crate::codec::encode(&text);
            let read = crate::codec::decode::<NameText<'_>>(&bytes);
            assert_eq!(
                read.ok().map(NameText::into_name),
                text.parse::<Name>().ok()
            );
        }
        assert!("x".repeat(512).parse::<Purpose>().is_ok());
        assert!("x".repeat(513).parse::<Purpose>().is_err());
    }
}
