//! What an audit keeps of the entries it has walked past.

use crate::rule::Rule;
use ambit_ledger::{
    Agreement, Chain, Digest, DisclosureId, Observation, ObservationId, OrganizationId,
    PartnershipTerms, Party, Salt, Time,
};
use std::collections::{BTreeMap, HashMap};

/// A rule broken, and how it shows.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) rule: Rule,
    pub(crate) how: String,
}

/// The outcome of a check.
pub(crate) type Checks<T = ()> = Result<T, Fault>;

impl Rule {
    pub(crate) fn broken(self, how: impl Into<String>) -> Fault {
        Fault {
            rule: self,
            how: how.into(),
        }
    }

    /// A fault unless the condition holds.
    pub(crate) fn check(self, holds: bool, how: impl FnOnce() -> String) -> Checks {
        if holds {
            Ok(())
        } else {
            Err(self.broken(how()))
        }
    }
}

/// Where in the ledger, and when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct At {
    pub(crate) index: u64,
    pub(crate) time: Time,
}

/// An edition whose terms are known, as it is when in force.
#[derive(Debug)]
pub(super) struct Edition {
    pub(super) digest: Digest,
    pub(super) terms: PartnershipTerms,
    pub(super) agreement: Agreement,
    /// The members as policies read them.
    pub(super) parties: BTreeMap<OrganizationId, Party>,
}

/// An own observation.
#[derive(Debug)]
pub(super) struct Recorded {
    pub(super) index: u64,
    pub(super) observation: Observation,
}

/// What was put into the outbox of one recipient in one partnership, and what became of it.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    pub(super) items: BTreeMap<u64, Item>,
    /// The sequence number at which an observation stands disclosed under an edition.
    pub(super) standing: HashMap<(ObservationId, Digest), u64>,
    /// Own observations still to be judged, by entry.
    pub(super) owed: BTreeMap<u64, ObservationId>,
    /// The latest own observation that was judged, by entry.
    pub(super) judged: Option<u64>,
    pub(super) acknowledged: BTreeMap<Salt, AcknowledgedUpTo>,
}

/// One sequence number of an outbox.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) observation: ObservationId,
    pub(super) disclosure: DisclosureId,
    pub(super) edition: Digest,
    pub(super) is_withdrawn: bool,
}

/// How far one incarnation of a recipient's store has acknowledged.
#[derive(Clone, Copy, Debug)]
pub(super) struct AcknowledgedUpTo {
    pub(super) seq: u64,
    pub(super) outcomes: Chain,
}

impl Outbox {
    pub(super) fn last_seq(&self) -> u64 {
        self.items.last_key_value().map_or(0, |(seq, _)| *seq)
    }

    /// Notes that the observation of this entry was disclosed or withheld.
    pub(super) fn judge(&mut self, index: u64) {
        self.owed.remove(&index);
        self.judged = self.judged.max(Some(index));
    }
}
