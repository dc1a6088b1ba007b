//! Persons' signatures: someone who has a key of his own signs, for an organization.

use crate::digest::Digest;
use crate::names::{Name, OrganizationId};
use crate::payload::issued_statement;
use crate::time::Time;
use serde::{Deserialize, Serialize};

/// A person signs something. The payload of its statement, which a key signs that the organization's root certifies
/// for a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PersonSignature {
    /// For which organization; the issuer.
    pub organization: OrganizationId,
    /// Who, by an opaque id; never a person's name.
    pub person: Name,
    /// In which function, such as `export-officer`.
    pub function: Name,
    /// SHA-256 of what is signed.
    pub signed: Digest,
    /// What the signature means, such as `approved`, `declassified` (21 CFR 11.50).
    pub meaning: Name,
    /// Why, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Name>,
    /// When.
    pub at: Time,
}

issued_statement!(
    PersonSignature,
    issuer: organization,
    at: at,
    subject: |signature| signature.signed.to_string(),
);

impl PersonSignature {
    fn broken_rule(&self) -> Option<&'static str> {
        None
    }
}
