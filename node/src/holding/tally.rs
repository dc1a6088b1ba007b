//! What is held and what was decided, counted. Entries never change, so each is counted once, and what was counted
//! before is kept while the node is open.

use super::held::held;
use super::status::Held;
use crate::store::{Store, StoreError, own_disclosure};
use ambit_ledger::{
    Body, Digest, Layer, ObservationId, OrganizationId, PartnershipId, Verdict, Withheld,
};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

/// The counts up to an entry.
#[derive(Debug, Default)]
pub struct Tally {
    upto: u64,
    held: BTreeMap<OrganizationId, Held>,
    /// What was taken in and counted as held, by the first bytes of its id: what came under two partnerships is one
    /// observation. Own ones come once.
    seen: BTreeSet<u64>,
    decided: BTreeMap<(PartnershipId, OrganizationId), Decided>,
    /// One decision serves a whole class: it is read once, however many it withheld.
    saying_no: BTreeMap<Digest, Vec<Layer>>,
}

/// What was decided for one recipient under one partnership. What was undecided first and decided later counts as both.
#[derive(Clone, Debug, Default)]
pub(super) struct Decided {
    pub(super) released: u64,
    pub(super) withheld: u64,
    pub(super) undecided: u64,
    /// How many each layer withheld.
    pub(super) layers: BTreeMap<Layer, u64>,
    /// How many no layer was asked about.
    pub(super) unasked: u64,
}

impl Tally {
    /// Counts the entries up to, and without, this one that were not counted yet. After an error it starts over.
    pub(super) fn count(&mut self, store: &Store, until: u64) -> Result<(), StoreError> {
        let counted = self.count_new(store, until);
        if counted.is_err() {
            *self = Self::default();
        }
        counted
    }

    fn count_new(&mut self, store: &Store, until: u64) -> Result<(), StoreError> {
        for recorded in store.entries(self.upto, until) {
            let recorded = recorded?;
            let next = recorded.index + 1;
            self.count_decided(store, &recorded.body)?;
            let is_own = matches!(recorded.body, Body::Observed(_));
            if let Some(found) = held(recorded)?
                && (is_own || self.seen.insert(first_bytes(&found.observation.id())))
            {
                let facts = found.observation.facts();
                let held = self.held.entry(facts.issuer.clone()).or_default();
                held.observations += 1;
                held.readings += u64::from(facts.reading_count);
            }
            self.upto = next;
        }
        Ok(())
    }

    /// What is held, by who signed it.
    pub(super) fn held(&self) -> &BTreeMap<OrganizationId, Held> {
        &self.held
    }

    /// What was decided for a recipient.
    pub(super) fn decided(
        &self,
        partnership: &PartnershipId,
        recipient: &OrganizationId,
    ) -> Decided {
        let key = (partnership.clone(), recipient.clone());
        self.decided.get(&key).cloned().unwrap_or_default()
    }

    fn count_decided(&mut self, store: &Store, body: &Body) -> Result<(), StoreError> {
        match body {
            Body::Disclosed(disclosed) => {
                let disclosure = own_disclosure(&disclosed.disclosure)?;
                let key = (disclosure.partnership, disclosure.recipient);
                self.decided.entry(key).or_default().released += 1;
            }
            Body::Withdrawn(withdrawn) => {
                let key = (withdrawn.partnership.clone(), withdrawn.recipient.clone());
                let counts = self.decided.entry(key).or_default();
                counts.released = counts.released.saturating_sub(1);
                counts.withheld += 1;
            }
            Body::Withheld(withheld) => self.count_withheld(store, withheld)?,
            _ => {}
        }
        Ok(())
    }

    fn count_withheld(&mut self, store: &Store, withheld: &Withheld) -> Result<(), StoreError> {
        let layers = match &withheld.decision {
            None => None,
            Some(digest) => Some(match self.saying_no.entry(*digest) {
                Entry::Occupied(entry) => entry.into_mut(),
                Entry::Vacant(entry) => entry.insert(layers_saying_no(store, digest)?),
            }),
        };
        let key = (withheld.partnership.clone(), withheld.recipient.clone());
        let counts = self.decided.entry(key).or_default();
        if withheld.undecided {
            counts.undecided += 1;
        } else {
            counts.withheld += 1;
        }
        match layers {
            None => counts.unasked += 1,
            Some(layers) => {
                for layer in layers {
                    *counts.layers.entry(*layer).or_default() += 1;
                }
            }
        }
        Ok(())
    }
}

fn first_bytes(id: &ObservationId) -> u64 {
    let bytes = id.digest().as_bytes().first_chunk::<8>().copied();
    bytes.map_or(0, u64::from_be_bytes)
}

/// The layers that do not admit in this decision, whatever the purpose.
fn layers_saying_no(store: &Store, digest: &Digest) -> Result<Vec<Layer>, StoreError> {
    let decision = store.decision(digest)?;
    let says_no = |layer: &Layer| {
        decision.iter().any(|decision| {
            decision.verdicts.iter().all(|purpose| {
                purpose.layers.iter().any(|verdict| {
                    verdict.layer == *layer && verdict.verdict != Verdict::Admissible
                })
            })
        })
    };
    Ok(Layer::ALL.into_iter().filter(says_no).collect())
}
