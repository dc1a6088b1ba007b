//! Trust: the root fingerprints an auditor compared out of band. Nothing inside a bundle stands in for them.
//!
//! ```toml
//! [[root]]
//! organization = "did:web:acme.example"
//! fingerprint = "6ff9 04c7 …"
//! from = "2026-05-01T08:00:00Z"
//! ```

use ambit_ledger::{Fingerprint, Keyring, OrganizationId, Time};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Root keys that are trusted, and from when.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trust(BTreeMap<(OrganizationId, Fingerprint), TrustedRoot>);

/// One root key that is trusted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustedRoot {
    /// Whose.
    pub organization: OrganizationId,
    /// Its fingerprint: 64 hexadecimal digits, spaces and colons allowed.
    #[serde(with = "fingerprint_text")]
    pub fingerprint: Fingerprint,
    /// From when: a certificate counts only if it does not begin earlier.
    pub from: Time,
}

/// Why a text is no trust file.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// Not the TOML of a trust file.
    #[error("failed to read the trust file; `ambit key trust -o FILE` writes one")]
    Toml(#[from] toml::de::Error),
    /// No root in it.
    #[error("the trust file names no root; `ambit key trust -o FILE` writes one")]
    Empty,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    root: Vec<TrustedRoot>,
}

impl Trust {
    /// Nobody is trusted.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads a trust file.
    ///
    /// # Errors
    /// Any [`TrustError`].
    pub fn parse(text: &str) -> Result<Self, TrustError> {
        let file: File = toml::from_str(text)?;
        if file.root.is_empty() {
            return Err(TrustError::Empty);
        }
        let mut trust = Self::new();
        file.root.into_iter().for_each(|root| trust.add(root));
        Ok(trust)
    }

    /// Trusts one more root. Of the same root twice, the earlier instant counts.
    pub fn add(&mut self, root: TrustedRoot) {
        let key = (root.organization.clone(), root.fingerprint);
        self.0
            .entry(key)
            .and_modify(|known| known.from = known.from.min(root.from))
            .or_insert(root);
    }

    /// Trusts all that `other` trusts as well.
    pub fn merge(&mut self, other: Self) {
        other.0.into_values().for_each(|root| self.add(root));
    }

    /// The roots, ascending by organization.
    pub fn roots(&self) -> impl Iterator<Item = &TrustedRoot> {
        self.0.values()
    }

    /// The trust file's text.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let file = File {
            root: self.roots().cloned().collect(),
        };
        #[expect(
            clippy::expect_used,
            reason = "three texts in a table have a TOML form"
        )]
        toml::to_string(&file).expect("a trust file serializes")
    }

    /// A keyring that trusts these roots and knows no other key yet.
    #[must_use]
    pub fn keyring(&self) -> Keyring {
        let mut keyring = Keyring::new();
        for root in self.roots() {
            keyring.trust(root.organization.clone(), root.fingerprint, root.from);
        }
        keyring
    }
}

mod fingerprint_text {
    use ambit_ledger::Fingerprint;
    use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(
        fingerprint: &Fingerprint,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_str(fingerprint)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Fingerprint, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ambit_ledger::SecretKey;

    fn root(name: &str, seed: u8, from: Time) -> TrustedRoot {
        TrustedRoot {
            organization: name.parse().unwrap(),
            fingerprint: SecretKey::from_seed(&[seed; 32]).public().fingerprint(),
            from,
        }
    }

    #[test]
    fn what_is_written_is_parsed() {
        let mut trust = Trust::new();
        trust.add(root("b", 1, Time::EARLIEST));
        trust.add(root("a", 2, Time::EARLIEST.plus_days(20_000)));
        let text = trust.to_toml();
        assert!(text.starts_with("[[root]]\norganization = \"a\"\nfingerprint = \""));
        assert_eq!(Trust::parse(&text).unwrap(), trust);
        // Digits without spaces are the same fingerprint.
        let text = text.replace(' ', "").replace("=", " = ");
        assert_eq!(Trust::parse(&text).unwrap(), trust);
    }

    #[test]
    fn files_merge_and_the_earlier_instant_counts() {
        let (early, late) = (Time::EARLIEST, Time::EARLIEST.plus_days(1));
        let mut trust = Trust::new();
        trust.add(root("a", 1, late));
        let mut other = Trust::new();
        other.add(root("a", 1, early));
        other.add(root("a", 2, late));
        trust.merge(other);
        assert_eq!(trust.roots().count(), 2);
        assert!(trust.roots().any(|known| *known == root("a", 1, early)));
    }

    #[test]
    fn a_file_with_anything_else_is_refused() {
        let text = |line: &str| {
            let mut trust = Trust::new();
            trust.add(root("a", 1, Time::EARLIEST));
            format!("{}{line}\n", trust.to_toml())
        };
        assert!(Trust::parse(&text("")).is_ok());
        for line in ["note = \"x\"", "[other]", "[[root]]\norganization = \"b\""] {
            assert!(matches!(
                Trust::parse(&text(line)),
                Err(TrustError::Toml(_))
            ));
        }
        assert!(Trust::parse(&text("").replace("1970", "1969")).is_err());
        assert!(matches!(Trust::parse(""), Err(TrustError::Empty)));
        assert!(matches!(Trust::parse("root = []"), Err(TrustError::Empty)));
    }
}
