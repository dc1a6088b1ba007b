//! Coordination patterns: temporary grants that all reviewed and signed beforehand, and what opens them.

use crate::codec;
use crate::digest::{Digest, Salt};
use crate::keyring::Keyring;
use crate::keys::SecretKey;
use crate::names::{DataClass, Name, OrganizationId, PartnershipId, Purpose};
use crate::payload::{self, Payload};
use crate::statement::{StatementError, StatementKind};
use crate::terms::AgreedElement;
use crate::time::Time;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A coordination pattern. Its digest is SHA-256 of its encoding; every member signs it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pattern {
    /// Under which agreement,
    pub partnership: PartnershipId,
    /// and which edition of it.
    pub edition: Digest,
    /// Its name in the agreement.
    pub name: Name,
    /// Who signs it, ascending: all members of the edition.
    pub members: BTreeSet<OrganizationId>,
    /// What opens it.
    pub trigger: Trigger,
    /// What it opens; at least one.
    pub opens: Vec<OpenedGrant>,
    /// How long an opening lasts, in seconds from the instant at which the trigger was signed.
    pub seconds: u32,
    /// How far the trigger's instant may be from now, in seconds, where it is heard.
    pub skew_seconds: u32,
    /// How many times a day of UTC it opens at most.
    pub openings_per_day: u32,
    /// It opens no more from here on.
    pub until: Time,
    /// Random, so that the digest can't be guessed.
    pub salt: Salt,
}

/// What opens a pattern. Each trigger opens once, by the digest of its evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Trigger {
    /// An observation of a class.
    Observation {
        /// The class, with everything below it.
        data_class: DataClass,
        /// The role of its issuer; absent means any member.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        role: Option<Name>,
    },
    /// Persons' signatures for as many organizations.
    Quorum {
        /// Of these.
        members: BTreeSet<OrganizationId>,
        /// How many of them.
        signatures: u32,
    },
}

/// One temporary grant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenedGrant {
    /// Whose data.
    pub owners: BTreeSet<OrganizationId>,
    /// For whom.
    pub recipients: BTreeSet<OrganizationId>,
    /// The classes, with everything below them.
    pub data_classes: BTreeSet<DataClass>,
    /// The elements of submodels; empty means all.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub elements: BTreeSet<AgreedElement>,
    /// The purposes, with everything below them.
    pub purposes: BTreeSet<Purpose>,
}

/// The payload of a member's signature.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Signed {
    pattern: Pattern,
    /// When the member signed.
    at: Time,
}

impl Payload for Signed {
    const KIND: StatementKind = StatementKind::Pattern;

    fn is_issued_by(&self, issuer: &OrganizationId) -> bool {
        self.pattern.members.contains(issuer)
    }

    fn subject(&self) -> String {
        self.pattern.digest().to_string()
    }

    fn issued_at(&self) -> Time {
        self.at
    }

    fn rule_broken(&self) -> Option<&'static str> {
        self.pattern.broken_rule()
    }
}

impl Pattern {
    /// The digest that names it.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(&codec::encode(self))
    }

    fn broken_rule(&self) -> Option<&'static str> {
        let is_known = |named: &BTreeSet<OrganizationId>| named.is_subset(&self.members);
        let opens_within = |grant: &OpenedGrant| {
            is_known(&grant.owners)
                && is_known(&grant.recipients)
                && !grant.data_classes.is_empty()
                && !grant.purposes.is_empty()
        };
        if self.opens.is_empty() || !self.opens.iter().all(opens_within) {
            return Some("a pattern opens classes and purposes between its members");
        }
        if let Trigger::Quorum {
            members,
            signatures,
        } = &self.trigger
        {
            let count = u32::try_from(members.len()).unwrap_or(u32::MAX);
            if !is_known(members) || *signatures == 0 || *signatures > count {
                return Some("a quorum is one of members of the pattern");
            }
        }
        (!self.until.is_whole_millis()).then_some("the instants of terms are whole milliseconds")
    }
}

/// One member's signature under a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatternSignature {
    signer: OrganizationId,
    pattern: Pattern,
    at: Time,
}

impl PatternSignature {
    /// Signs a pattern. Returns the statement's bytes.
    #[must_use]
    pub fn sign(pattern: &Pattern, signer: &OrganizationId, at: Time, key: &SecretKey) -> Vec<u8> {
        let signed = Signed {
            pattern: pattern.clone(),
            at,
        };
        payload::sign(&signed, signer, key)
    }

    /// Verifies a signature from outside.
    ///
    /// # Errors
    /// Any [`StatementError`]; [`StatementError::Parties`] where the signer is no member of it.
    pub fn verify(bytes: &[u8], keyring: &Keyring) -> Result<Self, StatementError> {
        let (signed, signer): (Signed, _) = payload::verify(bytes, keyring)?;
        Ok(Self {
            signer,
            pattern: signed.pattern,
            at: signed.at,
        })
    }

    /// Who signed.
    #[must_use]
    pub fn signer(&self) -> &OrganizationId {
        &self.signer
    }

    /// What was signed.
    #[must_use]
    pub fn pattern(&self) -> &Pattern {
        &self.pattern
    }

    /// When, as the signer says.
    #[must_use]
    pub fn at(&self) -> Time {
        self.at
    }
}
