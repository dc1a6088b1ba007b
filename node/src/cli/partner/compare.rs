//! Comparing root fingerprints: the one thing that no file can say.

use super::super::prompt;
use super::super::table::shown;
use crate::failure::{Failure, FailureKind};
use crate::platform::fingerprint_option;
use ambit_ledger::{Fingerprint, FingerprintError, OrganizationId};
use clap::Args;
use std::collections::BTreeMap;

pub(in crate::cli) type Fingerprints = BTreeMap<OrganizationId, Fingerprint>;

/// Fingerprints that a person compared.
#[derive(Clone, Debug, Default, Args)]
pub struct ComparedOptions {
    /// Another organization's root fingerprint as its own people told it: 64 hexadecimal digits
    #[arg(long = "fingerprint", value_name = "ORG=HEX", value_parser = compared)]
    pub fingerprints: Vec<(OrganizationId, Fingerprint)>,
}

/// Why `ORG=HEX` cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ComparedOptionError {
    /// No `=` in it.
    #[error("`{0}` is not ORG=HEX, such as did:web:customer.example=71e9b187…, 64 digits in all")]
    NoFingerprint(String),
    /// Not an organization's id.
    #[error("`{0}` is not an organization's id such as did:web:customer.example")]
    Organization(String),
    /// Not a fingerprint.
    #[error(transparent)]
    Fingerprint(#[from] FingerprintError),
}

fn compared(text: &str) -> Result<(OrganizationId, Fingerprint), ComparedOptionError> {
    let (organization, fingerprint) = text
        .rsplit_once('=')
        .ok_or_else(|| ComparedOptionError::NoFingerprint(text.to_owned()))?;
    let organization = organization
        .parse()
        .map_err(|_| ComparedOptionError::Organization(organization.to_owned()))?;
    Ok((organization, fingerprint.parse()?))
}

#[derive(Debug, thiserror::Error)]
pub(in crate::cli) enum NotComparedError {
    #[error(
        "the root fingerprint of `{0}` was not compared: ask for it on the telephone and give it as {option}",
        option = fingerprint_option(.0.as_str())
    )]
    NotCompared(OrganizationId),
    #[error(
        "the root fingerprint of `{0}` is not the one it told you; nothing was signed or pinned: ask it for what you were given anew, by \
         another way"
    )]
    Differs(OrganizationId),
    #[error(
        "the root fingerprint of `{0}` was not confirmed, and nothing was signed or pinned: if it is not the one it told you, ask it for what \
         you were given anew, by another way"
    )]
    Unconfirmed(OrganizationId),
    #[error(
        "a fingerprint is given for `{stranger}`, which is none of the other members: give one for each of {members}"
    )]
    Stranger {
        stranger: OrganizationId,
        members: String,
    },
    #[error("two fingerprints are given for `{0}`; give the one it told you")]
    Twice(OrganizationId),
}

impl From<NotComparedError> for Failure {
    fn from(error: NotComparedError) -> Self {
        let kind = match error {
            NotComparedError::NotCompared(_)
            | NotComparedError::Stranger { .. }
            | NotComparedError::Twice(_) => FailureKind::Usage,
            NotComparedError::Differs(_) | NotComparedError::Unconfirmed(_) => {
                FailureKind::Verification
            }
        };
        Self::new(kind, &error)
    }
}

/// Takes for each other member the fingerprint that was given, or asks a person to compare the one found.
pub(in crate::cli) fn compare(
    found: &Fingerprints,
    given: Fingerprints,
) -> Result<Fingerprints, Failure> {
    if let Some(stranger) = given
        .keys()
        .find(|organization| !found.contains_key(*organization))
    {
        let members: Vec<String> = found.keys().map(|member| format!("`{member}`")).collect();
        return Err(NotComparedError::Stranger {
            stranger: stranger.clone(),
            members: members.join(", "),
        }
        .into());
    }
    let mut fingerprints = given;
    for (organization, root) in found {
        match fingerprints.get(organization) {
            Some(told) if told == root => {}
            Some(_) => return Err(NotComparedError::Differs(organization.clone()).into()),
            None if !prompt::is_interactive() => {
                return Err(NotComparedError::NotCompared(organization.clone()).into());
            }
            None => {
                let question = format!(
                    "\nRoot fingerprint of {}:\n  {root}\nIs it what {} told you, on a number you had before?",
                    shown(organization.as_str()),
                    shown(organization.as_str())
                );
                if !prompt::is_confirmed(&question)? {
                    return Err(NotComparedError::Unconfirmed(organization.clone()).into());
                }
                fingerprints.insert(organization.clone(), *root);
            }
        }
    }
    Ok(fingerprints)
}

impl ComparedOptions {
    pub(in crate::cli) fn read(&self) -> Result<Fingerprints, NotComparedError> {
        let mut fingerprints = Fingerprints::new();
        for (organization, fingerprint) in &self.fingerprints {
            let before = fingerprints.insert(organization.clone(), *fingerprint);
            if before.is_some_and(|before| before != *fingerprint) {
                return Err(NotComparedError::Twice(organization.clone()));
            }
        }
        Ok(fingerprints)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> OrganizationId {
        text.parse().unwrap()
    }

    #[test]
    fn a_fingerprint_option_names_an_organization() {
        let (organization, fingerprint) =
            compared(&format!("did:web:a.example={}", "ab ".repeat(32))).unwrap();
        assert_eq!(organization.as_str(), "did:web:a.example");
        assert_eq!(fingerprint, "ab".repeat(32).parse().unwrap());
        for (text, way_out) in [
            (
                "did:web:a.example",
                "such as did:web:customer.example=71e9b187",
            ),
            ("did:web:a.example=12", "64"),
            ("=00", "such as did:web:customer.example"),
        ] {
            let told = compared(text).unwrap_err().to_string();
            assert!(told.contains(way_out), "{told}");
        }
    }

    #[test]
    fn compared_fingerprints_are_those_found() {
        let root: Fingerprint = "ab".repeat(32).parse().unwrap();
        let other: Fingerprint = "cd".repeat(32).parse().unwrap();
        let found = Fingerprints::from([(id("a"), root)]);
        assert_eq!(compare(&found, found.clone()).unwrap(), found);
        let differs = compare(&found, Fingerprints::from([(id("a"), other)])).unwrap_err();
        assert_eq!(differs.kind, FailureKind::Verification);
        let stranger = Fingerprints::from([(id("a"), root), (id("b"), other)]);
        let stranger = compare(&found, stranger).unwrap_err();
        assert_eq!(stranger.kind, FailureKind::Usage);
        assert!(stranger.message.contains("give one for each of `a`"));
        let twice = ComparedOptions {
            fingerprints: vec![(id("a"), root), (id("a"), other)],
        };
        assert!(matches!(twice.read(), Err(NotComparedError::Twice(_))));
    }
}
