//! Names that organizations give: bounded text, one type per meaning.

use serde::{Deserialize, Serialize};

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
    if text.trim() != text || text.chars().any(char::is_control) {
        return Err(NameError::Spacing(text.escape_debug().to_string()));
    }
    Ok(())
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
        assert!("x".repeat(512).parse::<Purpose>().is_ok());
        assert!("x".repeat(513).parse::<Purpose>().is_err());
    }
}
