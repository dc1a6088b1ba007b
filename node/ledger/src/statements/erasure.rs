//! Erasure attestations: a holder says that it no longer holds what was disclosed to it.

use crate::digest::DisclosureId;
use crate::names::{Name, OrganizationId, PartnershipId};
use crate::payload::issued_statement;
use crate::time::Time;
use serde::{Deserialize, Serialize};

/// A holder attests that it no longer holds what one disclosure gave it. The payload of its statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErasureAttestation {
    /// Who held it; the issuer.
    pub holder: OrganizationId,
    /// Under which agreement.
    pub partnership: PartnershipId,
    /// The disclosure.
    pub disclosure: DisclosureId,
    /// To whom it is said: who disclosed it, or its owner.
    pub addressee: OrganizationId,
    /// What is gone.
    pub gone: Gone,
    /// When it went.
    pub erased_at: Time,
    /// When it is said.
    pub at: Time,
}

/// What is gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Gone {
    /// It is no longer held under this disclosure; nothing is said of others.
    NoLongerHeldUnderIt,
    /// It is no longer held at all; said to the owner alone.
    Erased {
        /// How.
        method: ErasureMethod,
        /// What the method rests on, for people, such as the kind of disk.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        remark: Option<Name>,
    },
}

/// How something was erased. Append-only: the numbers are on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ErasureMethod {
    /// The key it was sealed with was overwritten in place.
    KeyOverwritten,
    /// The key it was sealed with was destroyed in a device made for that.
    KeyDestroyedInDevice,
    /// The medium was destroyed.
    MediumDestroyed,
}

issued_statement!(
    ErasureAttestation,
    issuer: holder,
    at: at,
    subject: |attestation| attestation.disclosure.to_string(),
);

impl ErasureAttestation {
    fn broken_rule(&self) -> Option<&'static str> {
        (self.erased_at > self.at).then_some("an erasure is attested after it")
    }
}
