//! The statements organizations make to each other: observation, disclosure, acknowledgement, manifest, decline.

use crate::codec::{self, CodecError, ITEM_BYTES_MAX};
use crate::digest::{Digest, DisclosureId, ObservationId, Salt};
use crate::facts::Facts;
use crate::keyring::Keyring;
use crate::keys::SecretKey;
use crate::names::{OrganizationId, PartnershipId};
use crate::readings::READINGS_MAX;
use crate::refusal::RefusalCode;
use crate::statement::{self, Statement, StatementError, StatementKind};
use crate::terms::{PartnershipTerms, Scope};
use crate::time::Time;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// A verified observation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    id: ObservationId,
    facts: Facts,
}

impl Observation {
    /// Signs facts. Returns the statement's bytes.
    #[must_use]
    pub fn sign(facts: &Facts, key: &SecretKey) -> Vec<u8> {
        statement::sign(
            StatementKind::Observation,
            &facts.issuer,
            &facts.readings.to_string(),
            &codec::encode(facts),
            key,
        )
    }

    /// Verifies a statement from outside.
    ///
    /// # Errors
    /// Any [`StatementError`].
    pub fn verify(bytes: &[u8], keyring: &Keyring) -> Result<Self, StatementError> {
        let (facts, issuer, subject): (Facts, _, _) =
            read(bytes, StatementKind::Observation, keyring)?;
        if facts.issuer != issuer || subject != facts.readings.to_string() {
            return Err(StatementError::Parties);
        }
        if facts.observed_from > facts.observed_to {
            return Err(StatementError::Rule(
                "observed-to lies before observed-from",
            ));
        }
        let count = usize::try_from(facts.reading_count).unwrap_or(usize::MAX);
        if count == 0 || count > READINGS_MAX {
            return Err(StatementError::Rule("the reading count is out of range"));
        }
        Ok(Self {
            id: ObservationId::of(bytes),
            facts,
        })
    }

    /// Reads an observation from this node's own ledger, where it was verified before it was recorded.
    /// Bytes from anywhere else go through [`Observation::verify`].
    ///
    /// # Errors
    /// [`StatementError`] of the shape.
    pub fn from_own_ledger(bytes: &[u8]) -> Result<Self, StatementError> {
        let statement = Statement::parse(bytes, StatementKind::Observation)?;
        Ok(Self {
            id: ObservationId::of(bytes),
            facts: codec::decode(statement.unverified_payload())?,
        })
    }

    /// SHA-256 of its bytes.
    #[must_use]
    pub fn id(&self) -> ObservationId {
        self.id
    }

    /// Its facts.
    #[must_use]
    pub fn facts(&self) -> &Facts {
        &self.facts
    }
}

/// Binds one observation to one scope for one recipient in one partnership. The payload of its statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Disclosure {
    /// Who discloses; the issuer.
    pub discloser: OrganizationId,
    /// What.
    pub observation: ObservationId,
    /// Under which agreement,
    pub partnership: PartnershipId,
    /// and which edition of it.
    pub edition: Digest,
    /// To whom.
    pub recipient: OrganizationId,
    /// On what terms.
    pub scope: Scope,
    /// The disclosure by which the discloser has it; absent for the owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<DisclosureId>,
    /// SHA-256 of the discloser's decision.
    pub decision: Digest,
    /// When. Retention counts from the start of its UTC day.
    pub issued_at: Time,
    /// Random, so that the digest can't be guessed.
    pub salt: Salt,
}

impl Disclosure {
    /// Signs it. Returns the statement's bytes.
    #[must_use]
    pub fn sign(&self, key: &SecretKey) -> Vec<u8> {
        statement::sign(
            StatementKind::Disclosure,
            &self.discloser,
            &self.observation.to_string(),
            &codec::encode(self),
            key,
        )
    }

    /// Verifies a statement from outside.
    ///
    /// # Errors
    /// Any [`StatementError`].
    pub fn verify(bytes: &[u8], keyring: &Keyring) -> Result<Self, StatementError> {
        let (disclosure, issuer, subject): (Self, _, _) =
            read(bytes, StatementKind::Disclosure, keyring)?;
        if disclosure.discloser != issuer || subject != disclosure.observation.to_string() {
            return Err(StatementError::Parties);
        }
        let scope = &disclosure.scope;
        if scope.purposes.is_empty() || scope.recipients.is_empty() {
            return Err(StatementError::Rule(
                "a scope names purposes and recipients",
            ));
        }
        if scope.keep_until.is_some_and(|keep| keep > scope.hold_until) {
            return Err(StatementError::Rule("keep-until is later than hold-until"));
        }
        Ok(disclosure)
    }

    /// Reads a disclosure from this node's own ledger, where it was verified before it was recorded.
    /// Bytes from anywhere else go through [`Disclosure::verify`].
    ///
    /// # Errors
    /// [`StatementError`] of the shape.
    pub fn from_own_ledger(bytes: &[u8]) -> Result<Self, StatementError> {
        let statement = Statement::parse(bytes, StatementKind::Disclosure)?;
        Ok(codec::decode(statement.unverified_payload())?)
    }
}

/// What a recipient took and what it refused, cumulative. The payload of its statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Acknowledgement {
    /// Under which agreement.
    pub partnership: PartnershipId,
    /// Whose outbox.
    pub sender: OrganizationId,
    /// Who acknowledges; the issuer.
    pub recipient: OrganizationId,
    /// Which incarnation of the recipient's store.
    pub incarnation: Salt,
    /// The last sequence number taken or refused.
    pub upto: u64,
    /// The chain over bodies and outcomes up to there.
    pub outcomes: Digest,
    /// What was refused since the acknowledgement before, ascending.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<RefusedItem>,
    /// When.
    pub at: Time,
}

/// One refused item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RefusedItem {
    /// Its sequence number.
    pub seq: u64,
    /// Why.
    pub code: RefusalCode,
}

impl Acknowledgement {
    /// Signs it. Returns the statement's bytes.
    #[must_use]
    pub fn sign(&self, key: &SecretKey) -> Vec<u8> {
        statement::sign(
            StatementKind::Acknowledgement,
            &self.recipient,
            self.partnership.as_str(),
            &codec::encode(self),
            key,
        )
    }

    /// Verifies a statement from outside.
    ///
    /// # Errors
    /// Any [`StatementError`].
    pub fn verify(bytes: &[u8], keyring: &Keyring) -> Result<Self, StatementError> {
        let (acknowledgement, issuer, subject): (Self, _, _) =
            read(bytes, StatementKind::Acknowledgement, keyring)?;
        if acknowledgement.recipient != issuer || subject != acknowledgement.partnership.as_str() {
            return Err(StatementError::Parties);
        }
        Ok(acknowledgement)
    }
}

/// One member's signature under an edition of a partnership: a statement whose payload is the terms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestSignature {
    signer: OrganizationId,
    edition: Digest,
}

impl ManifestSignature {
    /// Signs an edition. Returns the statement's bytes.
    #[must_use]
    pub fn sign(terms: &PartnershipTerms, signer: &OrganizationId, key: &SecretKey) -> Vec<u8> {
        let payload = codec::encode(terms);
        statement::sign(
            StatementKind::Manifest,
            signer,
            &Digest::of(&payload).to_string(),
            &payload,
            key,
        )
    }

    /// Reads the terms that a signature claims to be under, before the signer's keys are known: they are
    /// in the terms.
    ///
    /// # Errors
    /// Any [`StatementError`] of the shape.
    pub fn unverified_terms(bytes: &[u8]) -> Result<PartnershipTerms, StatementError> {
        let statement = Statement::parse(bytes, StatementKind::Manifest)?;
        Ok(codec::decode(statement.unverified_payload())?)
    }

    /// Verifies a signature from outside.
    ///
    /// # Errors
    /// Any [`StatementError`]; [`StatementError::Parties`] where the signer is no member.
    pub fn verify(bytes: &[u8], keyring: &Keyring) -> Result<Self, StatementError> {
        let (terms, issuer, subject): (PartnershipTerms, _, _) =
            read(bytes, StatementKind::Manifest, keyring)?;
        let edition = terms.digest();
        if terms.member(&issuer).is_none() || subject != edition.to_string() {
            return Err(StatementError::Parties);
        }
        Ok(Self {
            signer: issuer,
            edition,
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
}

/// A member declines an edition. The payload of its statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decline {
    /// Who declines; the issuer.
    pub member: OrganizationId,
    /// The edition.
    pub edition: Digest,
    /// Why, for people. At most [`crate::NAME_BYTES_MAX`] bytes.
    pub reason: crate::Name,
    /// When.
    pub at: Time,
}

impl Decline {
    /// Signs it. Returns the statement's bytes.
    #[must_use]
    pub fn sign(&self, key: &SecretKey) -> Vec<u8> {
        statement::sign(
            StatementKind::Decline,
            &self.member,
            &self.edition.to_string(),
            &codec::encode(self),
            key,
        )
    }

    /// Verifies a statement from outside.
    ///
    /// # Errors
    /// Any [`StatementError`].
    pub fn verify(bytes: &[u8], keyring: &Keyring) -> Result<Self, StatementError> {
        let (decline, issuer, subject): (Self, _, _) =
            read(bytes, StatementKind::Decline, keyring)?;
        if decline.member != issuer || subject != decline.edition.to_string() {
            return Err(StatementError::Parties);
        }
        Ok(decline)
    }
}

/// What an entry holds of statements at most, in bytes; the rest is for its nonce, actor, reason and digests.
const ENTRY_STATEMENTS_BYTES_MAX: usize = 62 * 1_024;

/// The largest statement taken from outside, so that the entry that records it stays within
/// [`ITEM_BYTES_MAX`] whatever a peer sends. An admitted observation and its disclosure share an entry;
/// a manifest is a blob of its own.
const fn bytes_max(kind: StatementKind) -> usize {
    match kind {
        StatementKind::Observation | StatementKind::Disclosure => ENTRY_STATEMENTS_BYTES_MAX / 2,
        StatementKind::Acknowledgement | StatementKind::Certificate | StatementKind::Decline => {
            ENTRY_STATEMENTS_BYTES_MAX
        }
        StatementKind::Manifest => ITEM_BYTES_MAX,
    }
}

fn read<T: Serialize + DeserializeOwned>(
    bytes: &[u8],
    kind: StatementKind,
    keyring: &Keyring,
) -> Result<(T, OrganizationId, String), StatementError> {
    let (size, limit) = (bytes.len(), bytes_max(kind));
    if size > limit {
        return Err(CodecError::TooLarge { size, limit }.into());
    }
    let verified = Statement::parse(bytes, kind)?.verify(keyring)?;
    let payload = codec::decode(verified.payload())?;
    Ok((
        payload,
        verified.issuer().clone(),
        verified.subject().to_owned(),
    ))
}
