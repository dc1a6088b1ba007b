//! What the bundle holds beside its entries, and what an entry may have only once: its nonce, its key slot.

use super::Audit;
use super::fault::{At, Checks};
use crate::report::error_chain;
use crate::rule::Rule;
use ambit_ledger::{Digest, ObservationId, ReadingsError, Salt};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::Duration;

/// What entries named so far.
#[derive(Debug, Default)]
pub(super) struct Contents {
    blobs: BTreeSet<Digest>,
    readings: HashSet<ObservationId>,
    /// The entry that has a nonce.
    nonces: HashMap<Salt, u64>,
    /// The entry whose readings are sealed with a slot.
    slots: HashMap<u64, u64>,
}

impl Contents {
    pub(super) fn names_blob(&self, digest: &Digest) -> bool {
        self.blobs.contains(digest)
    }
}

impl Audit<'_> {
    /// Notes that an entry names this blob. False where it is missing, which is noted once.
    pub(super) fn name_blob(&mut self, at: At, digest: &Digest) -> bool {
        let is_there = self.bundle.has_blob(digest);
        if self.contents.blobs.insert(*digest) && !is_there {
            let how = format!("blob {digest} is missing; export the ledger again");
            self.note(at, Err(Rule::BlobMissing.broken(how)));
        }
        is_there
    }

    /// Notes that an entry names these readings; `found` is absent where they are missing.
    pub(super) fn name_readings(
        &mut self,
        id: ObservationId,
        found: Option<Result<(), ReadingsError>>,
    ) -> Checks {
        if !self.contents.readings.insert(id) {
            return Ok(());
        }
        let Some(found) = found else {
            let how = format!("those of observation {id}; export the ledger again");
            return Err(Rule::ReadingsMissing.broken(how));
        };
        self.report.checked_mut().readings += 1;
        found.map_err(|error| Rule::ReadingsDiffer.broken(error_chain(&error)))
    }

    /// Whoever copies an entry copies its nonce.
    pub(super) fn check_nonce(&mut self, at: At, nonce: Salt) -> Checks {
        let first = *self.contents.nonces.entry(nonce).or_insert(at.index);
        Rule::NonceTwice.check(first == at.index, || format!("entry {first} has it too"))
    }

    /// A slot holds the key of one observation: erasing one would erase the other.
    pub(super) fn check_slot(&mut self, at: At, slot: u64) -> Checks {
        let first = *self.contents.slots.entry(slot).or_insert(at.index);
        Rule::SlotTwice.check(first == at.index, || {
            format!("slot {slot} is that of entry {first}")
        })
    }

    /// Whatever lies in the bundle and no entry names.
    pub(super) fn find_strays(&mut self) {
        let bundle = self.bundle;
        for digest in bundle.blobs() {
            if !self.affords(Duration::ZERO) {
                return;
            }
            if !self.contents.blobs.contains(digest) {
                self.note_whole(Err(Rule::BlobStray.broken(format!("blob {digest}"))));
            }
        }
        for id in bundle.observations() {
            if !self.affords(Duration::ZERO) {
                return;
            }
            if !self.contents.readings.contains(id) {
                let how = format!("observation {id}");
                self.note_whole(Err(Rule::ReadingsStray.broken(how)));
            }
        }
        self.report.checked_mut().blobs =
            u64::try_from(self.bundle.blobs().len()).unwrap_or(u64::MAX);
    }
}
