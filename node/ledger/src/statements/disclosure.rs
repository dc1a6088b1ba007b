//! Disclosures: one observation, or a part of it, for one recipient on stated terms.

use crate::digest::{Digest, DisclosureId, ObservationId, Salt};
use crate::names::{OrganizationId, PartnershipId};
use crate::payload::issued_statement;
use crate::terms::Scope;
use crate::time::Time;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Binds one observation to one scope for one recipient in one partnership. The payload of its statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Disclosure {
    /// Who discloses; the issuer.
    pub discloser: OrganizationId,
    /// What.
    pub observation: ObservationId,
    /// Which leaves of its readings, by their hashes; empty means all.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub leaves: BTreeSet<Digest>,
    /// Under which agreement,
    pub partnership: PartnershipId,
    /// and which edition of it.
    pub edition: Digest,
    /// To whom.
    pub recipient: OrganizationId,
    /// On what terms.
    pub scope: Scope,
    /// The disclosure by which the discloser has it; absent for the owner, and for who has the owner's mandate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<DisclosureId>,
    /// SHA-256 of the owner's mandate, where the discloser is not the owner and has it from nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mandate: Option<Digest>,
    /// SHA-256 of the derivation, where it is derived data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub derivation: Option<Digest>,
    /// SHA-256 of the discloser's decisions: one, or one for each of the labels of derived data.
    pub decisions: BTreeSet<Digest>,
    /// When. Retention counts from the start of its UTC day.
    pub issued_at: Time,
    /// Random, so that the digest can't be guessed.
    pub salt: Salt,
}

issued_statement!(
    Disclosure,
    issuer: discloser,
    at: issued_at,
    subject: |disclosure| disclosure.observation.to_string(),
);

impl Disclosure {
    fn broken_rule(&self) -> Option<&'static str> {
        if self.decisions.is_empty() {
            return Some("a disclosure names the decision that admitted it");
        }
        if self.parent.is_some() && self.mandate.is_some() {
            return Some(
                "who has it from another discloses under that one's terms, not under a mandate",
            );
        }
        self.scope.broken_rule()
    }
}
