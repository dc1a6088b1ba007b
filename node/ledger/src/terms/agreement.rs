//! Agreements: what the members of a partnership sign.

use super::{
    AddedClass, AdmissionRule, AgreedElement, AgreedPart, AtEnd, Delivery, DerivedTerms,
    ErasureExtent, LegalClause, LegalDocument, Member, Role,
};
use crate::digest::{Digest, Salt};
use crate::names::{Assigned, DataClass, Name, OrganizationId, PartnershipId, Purpose};
use crate::time::Time;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// One edition of a partnership's agreement: what its members sign.
///
/// Editions are chained by digest. The digest of an edition is SHA-256 of its encoding. All instants are whole
/// milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartnershipTerms {
    /// The agreement.
    pub partnership: PartnershipId,
    /// 1 for the first edition.
    pub edition: u32,
    /// The digests of the editions it replaces: none for the first, else one, or several that were complete at once.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub previous: BTreeSet<Digest>,
    /// For people.
    pub title: Name,
    /// Who proposed it.
    pub declarer: OrganizationId,
    /// When it was proposed.
    pub declared_at: Time,
    /// A proposal that not all have signed by then lapses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sign_by: Option<Time>,
    /// What a node must be able to do to keep these terms, by names that versions give. Who does not know one of them
    /// does not sign.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub needs: BTreeSet<Name>,
    /// The program it is about; absent where it is about none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<Assigned>,
    /// The parts it is about; empty means every part of the program.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub parts: BTreeSet<AgreedPart>,
    /// The lots it is about; empty means every lot.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub lots: BTreeSet<Assigned>,
    /// The classes of data, with everything below them.
    pub data_classes: BTreeSet<DataClass>,
    /// The elements of submodels it is about; empty means all.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub elements: BTreeSet<AgreedElement>,
    /// Classes that the members add to the taxonomy, each after its parent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub added_classes: Vec<AddedClass>,
    /// Organizations besides the members that facts may name.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub known: BTreeSet<OrganizationId>,
    /// The purposes, with everything below them.
    pub purposes: BTreeSet<Purpose>,
    /// The window of observed time: from here, a whole minute,
    pub observed_from: Time,
    /// up to, and without, here, a whole minute.
    pub observed_until: Time,
    /// No disclosure from here on.
    pub until: Time,
    /// Retention at most, in days of 86,400 seconds from the start of the UTC day of the disclosure.
    pub retention_days: u32,
    /// Retention at most, whatever the day of the disclosure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold_until: Option<Time>,
    /// Retention at least, for evidence, in days counted as `retention_days` are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep_days: Option<u32>,
    /// What erasure takes.
    pub erasure: ErasureExtent,
    /// What becomes of what is held when the agreement ends.
    #[serde(default, skip_serializing_if = "AtEnd::is_usual")]
    pub at_end: AtEnd,
    /// Whether data goes by itself.
    #[serde(default, skip_serializing_if = "Delivery::is_usual")]
    pub delivery: Delivery,
    /// How many times it may be passed on within the membership.
    pub onward_hops: u32,
    /// The terms for derived data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub derived: Option<DerivedTerms>,
    /// Nothing is released under this edition from here on, unless the lease was renewed.
    pub lease_until: Time,
    /// The roles that members have; empty where all are alike.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub roles: BTreeSet<Role>,
    /// Who may join without a new edition; absent means nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub admission: Option<AdmissionRule>,
    /// Documents for people and courts.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub documents: BTreeSet<LegalDocument>,
    /// Clauses for people and courts, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clauses: Vec<LegalClause>,
    /// Hand-written Cedar that may only forbid; shown verbatim before signing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forbids: Option<String>,
    /// Which rendering of terms as Cedar text made `profile`.
    pub renderer: u32,
    /// SHA-256 of the Cedar text rendered from these terms, so that what is shown is what is judged.
    pub profile: Digest,
    /// The members, ascending by id.
    pub members: Vec<Member>,
    /// Random, so that the digest can't be guessed.
    pub salt: Salt,
}

impl PartnershipTerms {
    /// The digest that names this edition.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(&crate::codec::encode(self))
    }

    /// The member of this id.
    #[must_use]
    pub fn member(&self, organization: &OrganizationId) -> Option<&Member> {
        self.members
            .iter()
            .find(|member| member.card.organization == *organization)
    }

    /// The ids of all members.
    #[must_use]
    pub fn member_ids(&self) -> BTreeSet<OrganizationId> {
        self.members
            .iter()
            .map(|member| member.card.organization.clone())
            .collect()
    }

    /// The first instant of the terms that is finer than a millisecond: no policy could read it.
    #[must_use]
    pub fn finer_than_millis(&self) -> Option<Time> {
        let fixed = [
            self.declared_at,
            self.observed_from,
            self.observed_until,
            self.until,
            self.lease_until,
        ];
        let derived = self.derived.iter().flat_map(DerivedTerms::instants);
        fixed
            .into_iter()
            .chain(self.sign_by)
            .chain(self.hold_until)
            .chain(derived)
            .chain(self.members.iter().flat_map(Member::instants))
            .find(|instant| !instant.is_whole_millis())
    }
}
