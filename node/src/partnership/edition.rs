//! A partnership as it stands here, in its latest edition.

use ambit_ledger::{
    Agreement, Digest, EditionStage, Fingerprint, Keyring, Member, Name, OrganizationId,
    PartnershipTerms, PublicKey,
};
use ambit_policy::Layers;
use std::collections::BTreeMap;

/// One partnership in its latest edition.
#[derive(Clone, Debug)]
pub struct Partnership {
    /// The entry it is read from.
    pub(super) entry: u64,
    pub(super) terms: PartnershipTerms,
    pub(super) edition: Digest,
    pub(super) stage: EditionStage,
    pub(super) signatures: BTreeMap<OrganizationId, Vec<u8>>,
    pub(super) roots: BTreeMap<OrganizationId, Fingerprint>,
    pub(super) keyring: Keyring,
    /// By which key each member's connections are known, where its card is in order. Kept, because it takes a
    /// signature to verify one.
    pub(super) transport_keys: BTreeMap<OrganizationId, PublicKey>,
    pub(super) layers: Layers,
    pub(super) agreement: Agreement,
    pub(super) declined: Option<Declined>,
}

/// A member that declined an edition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declined {
    /// Who.
    pub member: OrganizationId,
    /// Why.
    pub reason: Name,
    /// The statement.
    pub statement: Vec<u8>,
}

impl Partnership {
    /// The terms.
    #[must_use]
    pub fn terms(&self) -> &PartnershipTerms {
        &self.terms
    }

    /// The digest of the terms.
    #[must_use]
    pub fn edition(&self) -> Digest {
        self.edition
    }

    /// Where it stands.
    #[must_use]
    pub fn stage(&self) -> EditionStage {
        self.stage
    }

    /// The signatures known, by signer.
    #[must_use]
    pub fn signatures(&self) -> &BTreeMap<OrganizationId, Vec<u8>> {
        &self.signatures
    }

    /// The root fingerprints that were compared, this node's own among them.
    #[must_use]
    pub fn roots(&self) -> &BTreeMap<OrganizationId, Fingerprint> {
        &self.roots
    }

    /// The members' keys.
    #[must_use]
    pub fn keyring(&self) -> &Keyring {
        &self.keyring
    }

    /// The key that a member's card names for its connections, whether it is good or not; absent where its card is not in
    /// order. By which one it is known is [`Governance::transport_key`](super::Governance::transport_key) to say.
    #[must_use]
    pub fn transport_key(&self, member: &OrganizationId) -> Option<&PublicKey> {
        self.transport_keys.get(member)
    }

    /// All layers, this partnership's among them.
    #[must_use]
    pub fn layers(&self) -> &Layers {
        &self.layers
    }

    /// The agreement as policies read it.
    #[must_use]
    pub fn agreement(&self) -> &Agreement {
        &self.agreement
    }

    /// Who declined it, and why.
    #[must_use]
    pub fn declined(&self) -> Option<&Declined> {
        self.declined.as_ref()
    }

    /// The members but this one whose root was compared: who may be a peer under it.
    pub fn peers<'a>(&'a self, me: &'a OrganizationId) -> impl Iterator<Item = &'a Member> {
        let members = self.terms.members.iter();
        members.filter(move |member| {
            member.card.organization != *me && self.roots.contains_key(&member.card.organization)
        })
    }

    /// The members but this one.
    pub fn others<'a>(
        &'a self,
        me: &'a OrganizationId,
    ) -> impl Iterator<Item = &'a OrganizationId> {
        self.terms
            .members
            .iter()
            .map(|member| &member.card.organization)
            .filter(move |member| *member != me)
    }
}
