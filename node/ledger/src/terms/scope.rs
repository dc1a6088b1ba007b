//! Scopes: the terms of one disclosure.

use crate::codec::is_unset;
use crate::digest::Digest;
use crate::names::{DataClass, OrganizationId, Purpose};
use crate::time::Time;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The terms of one disclosure. Never wider than the owner's limits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scope {
    /// Who may have it: only organizations that this recipient may know of.
    pub recipients: BTreeSet<OrganizationId>,
    /// Under which record each of them was judged; needed where it may be passed on. Ascending by organization, each
    /// a recipient, each once.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub records: BTreeSet<RecordDigest>,
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
    /// Of derived data: whether it is erased with the first of its inputs.
    #[serde(default, skip_serializing_if = "is_unset")]
    pub falls_with_inputs: bool,
}

/// The material part of a recipient's record, by its digest.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordDigest {
    /// The recipient.
    pub organization: OrganizationId,
    /// The digest of its [`crate::Material`].
    pub material: Digest,
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

/// The terms for data derived from an observation. What is derived is bound by the scope it was derived under in
/// everything that is absent here.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DerivedTerms {
    /// Which classes it may become.
    pub data_classes: BTreeSet<DataClass>,
    /// For whom.
    pub recipients: BTreeSet<OrganizationId>,
    /// For what.
    pub purposes: BTreeSet<Purpose>,
    /// No disclosure of it from here on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_after: Option<Time>,
    /// Retention at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold_until: Option<Time>,
    /// How many times it may be passed on; absent means never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub onward_hops: Option<u32>,
    /// Whether more may be derived from it in turn, within these same terms.
    #[serde(default, skip_serializing_if = "is_unset")]
    pub again: bool,
    /// Whether it may outlive its inputs; otherwise it is erased with the first of them.
    #[serde(default, skip_serializing_if = "is_unset")]
    pub outlives_inputs: bool,
}

impl Scope {
    /// What is wrong with it by itself.
    pub(crate) fn broken_rule(&self) -> Option<&'static str> {
        if self.purposes.is_empty() || self.recipients.is_empty() {
            return Some("a scope names purposes and recipients");
        }
        if self.keep_until.is_some_and(|keep| keep > self.hold_until) {
            return Some("keep-until is later than hold-until");
        }
        let named: BTreeSet<&OrganizationId> = self
            .records
            .iter()
            .map(|record| &record.organization)
            .collect();
        let is_of_recipients = named.iter().all(|named| self.recipients.contains(*named));
        if named.len() != self.records.len() || !is_of_recipients {
            return Some("records are of recipients, one of each");
        }
        let instants = [self.not_after, self.hold_until];
        let derived = self.derived.iter().flat_map(DerivedTerms::instants);
        let mut instants = instants.into_iter().chain(self.keep_until).chain(derived);
        if !instants.all(Time::is_whole_millis) {
            return Some("the instants of terms are whole milliseconds");
        }
        None
    }
}

impl DerivedTerms {
    /// Every instant they name.
    pub(crate) fn instants(&self) -> impl Iterator<Item = Time> + use<> {
        self.not_after.into_iter().chain(self.hold_until)
    }
}
