//! What authorities say: attestations, grants, mandates.

use crate::authority::Attestation;
use crate::names::{Assigned, DataClass, Name, OrganizationId, PartnershipId};
use crate::payload::issued_statement;
use crate::time::Time;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// An issuer says something of an organization. The payload of its statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttestationStatement {
    /// Who says it; the issuer.
    pub issuer: OrganizationId,
    /// What it says.
    pub attestation: Attestation,
    /// When it was issued.
    pub at: Time,
}

issued_statement!(
    AttestationStatement is Attestation,
    issuer: issuer,
    at: at,
    subject: |statement| statement.attestation.subject.as_str().to_owned(),
);

impl AttestationStatement {
    fn broken_rule(&self) -> Option<&'static str> {
        (self.attestation.not_after <= self.attestation.not_before)
            .then_some("an attestation ends after it begins")
    }
}

/// An authority, such as a design authority or an export officer, allows something. The payload of its statement.
/// Facts cite it, policies read it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// Who allows it; the issuer.
    pub authority: OrganizationId,
    /// Its number in the authority's register.
    pub number: Name,
    /// The part; absent where it is about none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<Assigned>,
    /// The part's revision; absent means any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<Name>,
    /// The classes of data, with everything below them; at least one.
    pub data_classes: BTreeSet<DataClass>,
    /// The sites; empty means any.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub sites: BTreeSet<Name>,
    /// For whom; empty means anyone.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub recipients: BTreeSet<OrganizationId>,
    /// From here,
    pub not_before: Time,
    /// up to, and without, here.
    pub not_after: Time,
    /// When it was issued.
    pub at: Time,
}

issued_statement!(
    Grant,
    issuer: authority,
    at: at,
    subject: |grant| grant.number.as_str().to_owned(),
);

impl Grant {
    fn broken_rule(&self) -> Option<&'static str> {
        if self.data_classes.is_empty() {
            return Some("a grant names classes of data");
        }
        if self.revision.is_some() && self.part.is_none() {
            return Some("a revision is one of a part");
        }
        (self.not_after <= self.not_before).then_some("a grant ends after it begins")
    }
}

/// An owner lets another organization issue and disclose its data. The payload of its statement. It travels with the
/// first disclosure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mandate {
    /// Whose data it is; the issuer.
    pub owner: OrganizationId,
    /// Who may issue and disclose it.
    pub holder: OrganizationId,
    /// Its number in the owner's register.
    pub number: Name,
    /// Under which agreement; absent means any that both are members of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partnership: Option<PartnershipId>,
    /// The program; absent means any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<Assigned>,
    /// The classes of data, with everything below them; at least one.
    pub data_classes: BTreeSet<DataClass>,
    /// From here,
    pub not_before: Time,
    /// up to, and without, here.
    pub not_after: Time,
    /// When it was issued.
    pub at: Time,
}

issued_statement!(
    Mandate,
    issuer: owner,
    at: at,
    subject: |mandate| mandate.number.as_str().to_owned(),
);

impl Mandate {
    fn broken_rule(&self) -> Option<&'static str> {
        if self.data_classes.is_empty() {
            return Some("a mandate names classes of data");
        }
        if self.owner == self.holder {
            return Some("an owner needs no mandate of its own");
        }
        (self.not_after <= self.not_before).then_some("a mandate ends after it begins")
    }
}
