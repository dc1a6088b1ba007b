//! Terms: the limits an owner allows, the scope of one disclosure, the agreement of a partnership.

use crate::authority::Claim;
use crate::digest::{Digest, Salt};
use crate::names::{
    Assigned, DataClass, Jurisdiction, Name, OrganizationId, PartnershipId, Purpose,
};
use crate::time::Time;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;
use std::collections::BTreeSet;

/// The terms of one disclosure. Never wider than the owner's limits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scope {
    /// Who may have it: only organizations that this recipient may know of.
    pub recipients: BTreeSet<OrganizationId>,
    /// What for. Only the purposes that were admitted.
    pub purposes: BTreeSet<Purpose>,
    /// No new disclosure from here on.
    pub not_after: Time,
    /// Retention at most: fixed at the first disclosure; hops and derivations never extend it.
    pub hold_until: Time,
    /// Retention at least, for evidence; never later than `hold_until`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep_until: Option<Time>,
    /// What erasure takes.
    pub erasure: ErasureExtent,
    /// How many times it may be passed on.
    pub onward_hops: u32,
    /// The terms for derived data; absent means none may be derived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub derived: Option<DerivedTerms>,
}

/// What erasure takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ErasureExtent {
    /// The readings; the facts stay as evidence.
    Readings,
    /// The readings and the facts.
    All,
}

/// The terms for data derived from an observation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DerivedTerms {
    /// Which classes it may become.
    pub data_classes: BTreeSet<DataClass>,
    /// For whom.
    pub recipients: BTreeSet<OrganizationId>,
    /// For what.
    pub purposes: BTreeSet<Purpose>,
}

/// The widest terms the owner allows at present for a kind of observation. Private to the owner.
///
/// The kind is a program and classes of data, with everything below them in the taxonomy. A later entry
/// with the same kind replaces an earlier one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// The program; absent for observations that name none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<Assigned>,
    /// The classes of data, with everything below them.
    pub data_classes: BTreeSet<DataClass>,
    /// The purposes, with everything below them.
    pub purposes: BTreeSet<Purpose>,
    /// No disclosure from here on.
    pub not_after: Time,
    /// Retention at most.
    pub hold_until: Time,
    /// How many times it may be passed on.
    pub onward_hops: u32,
    /// The terms for derived data; absent means none may be derived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub derived: Option<DerivedTerms>,
}

/// One edition of a partnership's agreement: what its members sign.
///
/// Editions are chained by digest. The digest of an edition is SHA-256 of its encoding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartnershipTerms {
    /// The agreement.
    pub partnership: PartnershipId,
    /// 1 for the first edition.
    pub edition: u32,
    /// The digest of the edition before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<Digest>,
    /// For people.
    pub title: Name,
    /// Who proposed it.
    pub declarer: OrganizationId,
    /// When it was proposed.
    pub declared_at: Time,
    /// The program it is about.
    pub program: Assigned,
    /// The parts it is about; empty means every part of the program.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub parts: BTreeSet<Assigned>,
    /// The classes of data, with everything below them.
    pub data_classes: BTreeSet<DataClass>,
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
    /// What erasure takes.
    pub erasure: ErasureExtent,
    /// How many times it may be passed on within the membership.
    pub onward_hops: u32,
    /// The terms for derived data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub derived: Option<DerivedTerms>,
    /// Nothing is released under this edition from here on, unless the lease was renewed.
    pub lease_until: Time,
    /// Who may renew the lease besides the members.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub deputies: BTreeSet<OrganizationId>,
    /// Hand-written Cedar that may only forbid; shown verbatim before signing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forbids: Option<String>,
    /// SHA-256 of the Cedar text rendered from these terms, so that what is shown is what is judged.
    pub profile: Digest,
    /// The members, ascending by id.
    pub members: Vec<Member>,
    /// Random, so that the digest can't be guessed.
    pub salt: Salt,
}

/// One member of a partnership, as its own identity card states it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// The organization.
    pub organization: OrganizationId,
    /// Its name.
    pub name: Name,
    /// Where it has its seat.
    pub seat: Jurisdiction,
    /// Where its node stores data.
    pub hosting: BTreeSet<Jurisdiction>,
    /// The nationalities with access.
    pub personnel: BTreeSet<Jurisdiction>,
    /// What it says that others attest of it. Shown as *claimed*; no policy reads it.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub claims: BTreeSet<Claim>,
    /// Multiaddresses its node can be dialled at; empty where it only dials out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<Name>,
    /// The statements in which its root certifies its keys.
    pub certificates: Vec<ByteBuf>,
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
            .find(|member| member.organization == *organization)
    }

    /// The ids of all members.
    #[must_use]
    pub fn member_ids(&self) -> BTreeSet<OrganizationId> {
        self.members
            .iter()
            .map(|member| member.organization.clone())
            .collect()
    }
}
