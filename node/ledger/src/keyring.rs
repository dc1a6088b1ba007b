//! Which key speaks for whom: roots that were compared out of band, and what they certify.

use crate::codec;
use crate::keys::{Fingerprint, KeyPurpose, PublicKey, SecretKey, Signature, Verifier};
use crate::names::OrganizationId;
use crate::statement::{self, Statement, StatementError, StatementKind};
use crate::time::Time;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A root certifies a key. The payload of a certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// Whose key it is.
    pub subject: OrganizationId,
    /// The root that certifies it.
    pub root: PublicKey,
    /// What the key is for.
    pub purpose: KeyPurpose,
    /// The key.
    pub key: PublicKey,
    /// From when.
    pub not_before: Time,
    /// Until when; absent until revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_after: Option<Time>,
}

impl Certificate {
    /// Signs it with the root. Returns the statement's bytes.
    #[must_use]
    pub fn sign(&self, root: &SecretKey) -> Vec<u8> {
        statement::sign(
            StatementKind::Certificate,
            &self.subject,
            &self.key.fingerprint().digest().to_string(),
            &codec::encode(self),
            root,
        )
    }

    /// Reads a certificate and checks that the root it names signed it. Whether that root is to be
    /// trusted is a question for a [`Keyring`].
    ///
    /// # Errors
    /// Any [`StatementError`].
    pub fn read(bytes: &[u8]) -> Result<Self, StatementError> {
        let statement = Statement::parse(bytes, StatementKind::Certificate)?;
        let claimed: Self = codec::decode(statement.unverified_payload())?;
        let verified = statement.verify_with(&claimed.root)?;
        let is_about_subject = *verified.issuer() == claimed.subject
            && verified.subject() == claimed.key.fingerprint().digest().to_string();
        if !is_about_subject {
            return Err(StatementError::Parties);
        }
        if !claimed.key.is_sound() {
            return Err(StatementError::Rule(
                "the certified key is no point of the curve that anything could verify with",
            ));
        }
        if claimed.purpose == KeyPurpose::Root {
            return Err(StatementError::Rule("a root is not certified but compared"));
        }
        Ok(claimed)
    }
}

/// Why the keyring has no such key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyringError {
    /// No root of this organization is trusted.
    #[error("no root key of `{0}` is trusted")]
    UntrustedOrganization(OrganizationId),
    /// The root that certified the key is not the trusted one.
    #[error("the root key of `{organization}` has the fingerprint {found}, which is not trusted")]
    UntrustedRoot {
        /// Whose.
        organization: OrganizationId,
        /// The fingerprint seen.
        found: Fingerprint,
    },
    /// No trusted root certifies this key.
    #[error("the key {key} of `{organization}` is not certified")]
    Uncertified {
        /// Whose.
        organization: OrganizationId,
        /// The key.
        key: Fingerprint,
    },
    /// Certified for something else.
    #[error("the key {key} of `{organization}` is not certified for this purpose")]
    Purpose {
        /// Whose.
        organization: OrganizationId,
        /// The key.
        key: Fingerprint,
    },
}

/// Trusted roots and the keys they certify.
#[derive(Clone, Debug, Default)]
pub struct Keyring {
    roots: BTreeMap<OrganizationId, BTreeMap<Fingerprint, Time>>,
    certified: BTreeMap<(OrganizationId, Fingerprint), Certified>,
}

/// A certificate with its key made ready; absent where that is no point of the curve.
#[derive(Clone, Debug)]
struct Certified {
    certificate: Certificate,
    verifier: Option<Verifier>,
}

impl Keyring {
    /// Nobody is trusted.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Trusts a root, compared out of band, from an instant on.
    pub fn trust(&mut self, organization: OrganizationId, root: Fingerprint, from: Time) {
        let since = self
            .roots
            .entry(organization)
            .or_default()
            .entry(root)
            .or_insert(from);
        *since = from.min(*since);
    }

    /// Whether any root of this organization is trusted.
    #[must_use]
    pub fn trusts(&self, organization: &OrganizationId) -> bool {
        self.roots.contains_key(organization)
    }

    /// Whether this very root is trusted.
    #[must_use]
    pub fn trusts_root(&self, organization: &OrganizationId, root: &Fingerprint) -> bool {
        self.roots
            .get(organization)
            .is_some_and(|roots| roots.contains_key(root))
    }

    /// Takes a certificate in, if a trusted root signed it.
    ///
    /// # Errors
    /// Those of [`Certificate::read`], and [`StatementError::Key`] where the root is not trusted or was not
    /// yet when it certified.
    pub fn certify(&mut self, bytes: &[u8]) -> Result<Certificate, StatementError> {
        let certificate = Certificate::read(bytes)?;
        let organization = certificate.subject.clone();
        let found = certificate.root.fingerprint();
        let roots = self
            .roots
            .get(&organization)
            .ok_or_else(|| KeyringError::UntrustedOrganization(organization.clone()))?;
        let is_trusted = roots
            .get(&found)
            .is_some_and(|from| *from <= certificate.not_before);
        if !is_trusted {
            return Err(KeyringError::UntrustedRoot {
                organization,
                found,
            }
            .into());
        }
        if certificate.not_after.is_some() {
            // Whoever asks for a key names no instant yet, so an end could not be held to.
            return Err(StatementError::Rule(
                "certificates that end are not read by this version",
            ));
        }
        let key = (organization, certificate.key.fingerprint());
        if let Some(other) = self.certified.get(&key)
            && other.certificate.purpose != certificate.purpose
        {
            return Err(StatementError::Rule(
                "one key is certified for two purposes",
            ));
        }
        let certified = Certified {
            certificate: certificate.clone(),
            verifier: certificate.key.verifier(),
        };
        self.certified.insert(key, certified);
        Ok(certificate)
    }

    /// The key of this fingerprint, if certified for the purpose.
    ///
    /// # Errors
    /// Any [`KeyringError`].
    pub fn find(
        &self,
        organization: &OrganizationId,
        key: &Fingerprint,
        purpose: KeyPurpose,
    ) -> Result<PublicKey, KeyringError> {
        self.certified(organization, key, purpose)
            .map(|certified| certified.certificate.key)
    }

    /// Whether the signature over the message is by the key of this fingerprint, if certified for the purpose.
    ///
    /// # Errors
    /// Any [`KeyringError`].
    pub(crate) fn verifies(
        &self,
        organization: &OrganizationId,
        key: &Fingerprint,
        purpose: KeyPurpose,
        message: &[u8],
        signature: &Signature,
    ) -> Result<bool, KeyringError> {
        let certified = self.certified(organization, key, purpose)?;
        let verifier = certified.verifier.as_ref();
        Ok(verifier.is_some_and(|verifier| verifier.verifies(message, signature)))
    }

    fn certified(
        &self,
        organization: &OrganizationId,
        key: &Fingerprint,
        purpose: KeyPurpose,
    ) -> Result<&Certified, KeyringError> {
        if !self.trusts(organization) {
            return Err(KeyringError::UntrustedOrganization(organization.clone()));
        }
        let certified = self
            .certified
            .get(&(organization.clone(), *key))
            .ok_or_else(|| KeyringError::Uncertified {
                organization: organization.clone(),
                key: *key,
            })?;
        if certified.certificate.purpose != purpose {
            return Err(KeyringError::Purpose {
                organization: organization.clone(),
                key: *key,
            });
        }
        Ok(certified)
    }

    /// All certified keys of an organization for a purpose.
    pub fn keys_for<'a>(
        &'a self,
        organization: &'a OrganizationId,
        purpose: KeyPurpose,
    ) -> impl Iterator<Item = PublicKey> + 'a {
        self.certified
            .iter()
            .filter(move |((owner, _), certified)| {
                owner == organization && certified.certificate.purpose == purpose
            })
            .map(|(_, certified)| certified.certificate.key)
    }
}
