//! Up to where the ledger says on what grounds things are judged: what was judged under all of it needs not be judged again.

use super::edition::Partnership;
use super::governance::Governance;
use ambit_ledger::{Body, OrganizationId};
use std::collections::BTreeMap;

/// Below these indexes are all entries that put something in force.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Since {
    /// For every partnership: a profile, taxonomies, limits or an issuer.
    in_force: u64,
    /// For every partnership: taxonomies or limits.
    limited: u64,
    /// For the partnerships of an organization: what is attested of it.
    attested: BTreeMap<OrganizationId, u64>,
}

impl Since {
    /// Takes note of an entry, in the order of the ledger.
    pub(super) fn note(&mut self, index: u64, body: &Body) {
        let is_limit = matches!(body, Body::TaxonomyActivated(_) | Body::LimitsSet(_));
        let is_ground = matches!(body, Body::ProfileActivated(_) | Body::IssuerPinned(_));
        if is_limit {
            self.limited = index + 1;
        }
        if is_limit || is_ground {
            self.in_force = index + 1;
        }
    }

    /// Takes note of an entry that records what is attested of an organization.
    pub(super) fn note_attested(&mut self, index: u64, subject: &OrganizationId) {
        self.attested.insert(subject.clone(), index + 1);
    }
}

impl Governance {
    /// Below this index are all entries that say on what grounds something is judged under a partnership.
    #[must_use]
    pub fn in_force_since(&self, partnership: &Partnership) -> u64 {
        let members = partnership.terms.members.iter();
        let attested =
            members.filter_map(|member| self.since.attested.get(&member.card.organization));
        let attested = attested.max().copied().unwrap_or_default();
        self.since.in_force.max(partnership.entry + 1).max(attested)
    }

    /// Below this index are all entries that say whether anything is judged under a partnership: of what no limits cover, or
    /// none that have a purpose in common with it, no layer is asked.
    #[must_use]
    pub fn limited_since(&self, partnership: &Partnership) -> u64 {
        self.since.limited.max(partnership.entry + 1)
    }
}
