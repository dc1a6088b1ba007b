//! What makes an agreement: members' signatures under an edition, a decline, a member that joins by its rule.

use crate::codec;
use crate::digest::Digest;
use crate::keyring::Keyring;
use crate::keys::SecretKey;
use crate::names::{Name, OrganizationId, PartnershipId};
use crate::payload::{self, Payload, issued_statement};
use crate::statement::{StatementError, StatementKind};
use crate::terms::{Member, PartnershipTerms};
use crate::time::Time;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

/// The payload of a member's signature.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    terms: PartnershipTerms,
    /// When the member signed.
    at: Time,
}

impl Payload for Manifest {
    const KIND: StatementKind = StatementKind::Manifest;

    fn is_issued_by(&self, issuer: &OrganizationId) -> bool {
        self.terms.member(issuer).is_some()
    }

    fn subject(&self) -> String {
        self.terms.digest().to_string()
    }

    fn issued_at(&self) -> Time {
        self.at
    }

    fn rule_broken(&self) -> Option<&'static str> {
        self.terms
            .finer_than_millis()
            .map(|_| "the instants of terms are whole milliseconds")
    }
}

/// One member's signature under an edition of a partnership: a statement whose payload is the terms, and when it was
/// signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestSignature {
    signer: OrganizationId,
    edition: Digest,
    at: Time,
}

impl ManifestSignature {
    /// Signs an edition whose instants are whole milliseconds and that is not too large. Returns the statement's bytes.
    ///
    /// # Errors
    /// [`StatementError::Rule`], [`StatementError::TooLarge`].
    pub fn issue(
        terms: &PartnershipTerms,
        signer: &OrganizationId,
        at: Time,
        key: &SecretKey,
    ) -> Result<Vec<u8>, StatementError> {
        let manifest = Manifest {
            terms: terms.clone(),
            at,
        };
        payload::issue(&manifest, signer, key)
    }

    /// Signs an edition whatever its rules say, as a forger would. A node issues. Returns the statement's bytes.
    #[must_use]
    pub fn sign(
        terms: &PartnershipTerms,
        signer: &OrganizationId,
        at: Time,
        key: &SecretKey,
    ) -> Vec<u8> {
        let manifest = Manifest {
            terms: terms.clone(),
            at,
        };
        payload::sign(&manifest, signer, key)
    }

    /// Reads the terms that a signature claims to be under, before the signer's keys are known: they are
    /// in the terms.
    ///
    /// # Errors
    /// Any [`StatementError`] of the shape.
    pub fn unverified_terms(bytes: &[u8]) -> Result<PartnershipTerms, StatementError> {
        let statement = payload::parse(bytes, StatementKind::Manifest)?;
        let manifest: Manifest = codec::decode(statement.unverified_payload())?;
        Ok(manifest.terms)
    }

    /// Verifies a signature from outside.
    ///
    /// # Errors
    /// Any [`StatementError`]; [`StatementError::Parties`] where the signer is no member.
    pub fn verify(bytes: &[u8], keyring: &Keyring) -> Result<Self, StatementError> {
        let (manifest, signer): (Manifest, _) = payload::verify(bytes, keyring)?;
        Ok(Self {
            signer,
            edition: manifest.terms.digest(),
            at: manifest.at,
        })
    }

    /// Who signed.
    #[must_use]
    pub fn signer(&self) -> &OrganizationId {
        &self.signer
    }

    /// What was signed.
    #[must_use]
    pub fn edition(&self) -> Digest {
        self.edition
    }

    /// When, as the signer says.
    #[must_use]
    pub fn at(&self) -> Time {
        self.at
    }
}

/// A member declines an edition. The payload of its statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decline {
    /// Who declines; the issuer.
    pub member: OrganizationId,
    /// The edition.
    pub edition: Digest,
    /// Why, for people.
    pub reason: Name,
    /// When.
    pub at: Time,
}

issued_statement!(
    Decline,
    issuer: member,
    at: at,
    subject: |decline| decline.edition.to_string(),
);

impl Decline {
    /// Reads the edition that a decline claims to be of, before the member's keys are known: they are in its terms.
    ///
    /// # Errors
    /// Any [`StatementError`] of the shape.
    pub fn unverified_edition(bytes: &[u8]) -> Result<Digest, StatementError> {
        let statement = payload::parse(bytes, StatementKind::Decline)?;
        let decline: Self = codec::decode(statement.unverified_payload())?;
        Ok(decline.edition)
    }

    fn broken_rule(&self) -> Option<&'static str> {
        None
    }
}

/// The declarer lets an organization join by the agreement's admission rule. The payload of its statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Joined {
    /// Under which agreement,
    pub partnership: PartnershipId,
    /// and which edition of it.
    pub edition: Digest,
    /// Who declared it; the issuer.
    pub declarer: OrganizationId,
    /// Who joins, with its record and the role that the rule gives.
    pub member: Member,
    /// The joining member's own signature under the edition, with which it agrees.
    pub agreed: ByteBuf,
    /// When. The member's window of observed time begins here.
    pub at: Time,
}

issued_statement!(
    Joined,
    issuer: declarer,
    at: at,
    subject: |joined| joined.edition.to_string(),
);

impl Joined {
    fn broken_rule(&self) -> Option<&'static str> {
        (!self.at.is_whole_millis()).then_some("the instants of terms are whole milliseconds")
    }
}
