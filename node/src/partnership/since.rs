//! Up to where the ledger says on what grounds things are judged: what was judged under all of it needs not be judged again.

use super::edition::Partnership;
use super::governance::Governance;
use ambit_ledger::Body;

/// Below these indexes are all entries that put something in force for every partnership.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Since {
    /// A profile, taxonomies, limits or attestations.
    in_force: u64,
    /// Taxonomies or limits.
    limited: u64,
}

impl Since {
    /// Takes note of an entry, in the order of the ledger.
    pub(super) fn note(&mut self, index: u64, body: &Body) {
        let is_limit = matches!(body, Body::TaxonomyActivated(_) | Body::LimitsSet(_));
        let is_ground = matches!(
            body,
            Body::ProfileActivated(_) | Body::IssuerPinned(_) | Body::AttestationRecorded(_)
        );
        if is_limit {
            self.limited = index + 1;
        }
        if is_limit || is_ground {
            self.in_force = index + 1;
        }
    }
}

impl Governance {
    /// Below this index are all entries that say on what grounds something is judged under a partnership.
    #[must_use]
    pub fn in_force_since(&self, partnership: &Partnership) -> u64 {
        self.since.in_force.max(partnership.entry + 1)
    }

    /// Below this index are all entries that say whether anything is judged under a partnership: of what no limits cover, or
    /// none that have a purpose in common with it, no layer is asked.
    #[must_use]
    pub fn limited_since(&self, partnership: &Partnership) -> u64 {
        self.since.limited.max(partnership.entry + 1)
    }
}
