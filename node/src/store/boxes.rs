//! Reading what was put into the outboxes of other members, and what became of it.

use super::held_record::HeldRecord;
use super::keys::{self, BoxKey};
use super::packing::{numbers, numbers_in};
use super::reader::{index_of, last_number};
use super::records::Outbox;
use super::{Store, StoreError};
use crate::link::Inbox;
use ambit_ledger::{Body, Digest, ObservationId, Salt};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

impl Store {
    /// The state of an outbox; `None` where it was never opened.
    #[must_use]
    pub fn outbox(&self, outbox: &BoxKey) -> Option<Outbox> {
        self.shared.published().outboxes.get(outbox).cloned()
    }

    /// The state of an inbox; `None` before the first item.
    #[must_use]
    pub fn inbox(&self, inbox: &BoxKey) -> Option<Inbox> {
        self.shared.published().inboxes.get(inbox).cloned()
    }

    /// The entry that put an item into an outbox.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub fn outbox_item(&self, outbox: &BoxKey, seq: u64) -> Result<Option<u64>, StoreError> {
        let (first, last) = (keys::outbox_item(outbox, 0), keys::outbox_item(outbox, seq));
        let Some((key, value)) = self.shared.database.last_within(&first, &last)? else {
            return Ok(None);
        };
        // Consecutive items that came together lie in one record, under the number of the first.
        let place = usize::try_from(seq - last_number(&key)?).unwrap_or(usize::MAX);
        let index = value.chunks(8).nth(place).map(index_of).transpose()?;
        Ok(index.filter(|index| *index < self.size()))
    }

    /// The entry that took an item of an outbox back.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub fn withdrawn(&self, outbox: &BoxKey, seq: u64) -> Result<Option<u64>, StoreError> {
        self.committed(&keys::withdrawn(outbox, seq))
    }

    /// The latest entry that says what became of an observation for an outbox's recipient.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub fn outcome_for(
        &self,
        id: &ObservationId,
        outbox: &BoxKey,
    ) -> Result<Option<u64>, StoreError> {
        self.outcome_before(id, outbox, self.size())
    }

    /// The acknowledgements, from an entry on and below another, in which items of an outbox were not taken with the code
    /// of a number.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub fn untaken(
        &self,
        outbox: &BoxKey,
        code: u16,
        entries: std::ops::Range<u64>,
    ) -> Result<Vec<u64>, StoreError> {
        let prefix = keys::untakens(outbox, code);
        let from = keys::untaken(outbox, code, entries.start);
        let mut found = Vec::new();
        for pair in self.shared.database.scan_from(&from) {
            let (key, value) = pair?;
            let index = index_of(&value)?;
            if !key.starts_with(&prefix) || index >= entries.end.min(self.size()) {
                break;
            }
            found.push(index);
        }
        Ok(found)
    }

    /// The latest such entry before an index.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub fn outcome_before(
        &self,
        id: &ObservationId,
        outbox: &BoxKey,
        until: u64,
    ) -> Result<Option<u64>, StoreError> {
        let until = until.min(self.size());
        let Some(last) = until.checked_sub(1) else {
            return Ok(None);
        };
        let (first, last) = (
            keys::outcome(id, outbox, 0),
            keys::outcome(id, outbox, last),
        );
        let held = HeldRecord::read(&self.shared.database, id)?;
        let is_first = held
            .as_ref()
            .is_some_and(|held| held.begins_with(outbox, until));
        if is_first {
            return Ok(None);
        }
        // What came later than the observation has a record of its own.
        if let Some((key, _)) = self.shared.database.last_within(&first, &last)? {
            return last_number(&key).map(Some);
        }
        Ok(held.and_then(|held| held.outcome_before(outbox, until)))
    }

    /// The decisions that keep something from an outbox's recipient, or once did; none stands for what no layer was
    /// asked about.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub fn withholding_decisions(
        &self,
        outbox: &BoxKey,
    ) -> Result<Vec<Option<Digest>>, StoreError> {
        let prefix = keys::all_withheld(outbox);
        let mut from = prefix.clone();
        let mut decisions = Vec::new();
        // From one decision to the next, over all that they withhold.
        while let Some(found) = self.shared.database.scan_from(&from).next() {
            let (key, _) = found?;
            if !key.starts_with(&prefix) {
                break;
            }
            let (decision, index) = because(&key)?;
            if index < self.size() {
                decisions.push(decision);
            }
            from = keys::withheld(outbox, decision.as_ref(), u64::MAX);
            from.push(0);
        }
        Ok(decisions)
    }

    /// The entries from an index on that keep something from an outbox's recipient because of a decision. A later
    /// entry may have let it out.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub fn withheld_because(
        &self,
        outbox: &BoxKey,
        decision: Option<&Digest>,
        from: u64,
    ) -> Result<impl Iterator<Item = Result<u64, StoreError>> + use<>, StoreError> {
        let database = &self.shared.database;
        let size = self.size();
        let key = |index| keys::withheld(outbox, decision, index);
        // Its record may begin before it.
        let begins = database.last_within(&key(0), &key(from))?;
        let begins = begins.map_or_else(|| key(from), |(key, _)| key);
        let parts = database.scan_within(&begins, key(u64::MAX));
        let indexes = parts.flat_map(|pair| {
            let part = pair.map_err(StoreError::from);
            match part.and_then(|(key, value)| {
                // In the shape before, each entry had a record of its own.
                if value.is_empty() {
                    return because(&key).map(|(_, index)| vec![index]);
                }
                numbers_in(&value)
            }) {
                Ok(part) => part.into_iter().map(Ok).collect(),
                Err(error) => vec![Err(error)],
            }
        });
        Ok(indexes.filter(move |index| {
            let of_these = from..size;
            index
                .as_ref()
                .map_or(true, |index| of_these.contains(index))
        }))
    }

    /// Whether a later entry says what became of what this one keeps from an outbox's recipient. Then it never stands again.
    ///
    /// # Errors
    /// Any [`StoreError`].
    fn is_replaced(&self, outbox: &BoxKey, index: u64) -> Result<bool, StoreError> {
        let observation = match self.entry(index)?.map(|recorded| recorded.body) {
            Some(Body::Withheld(withheld)) => withheld.observation,
            Some(Body::Withdrawn(withdrawn)) => withdrawn.observation,
            _ => return Ok(false),
        };
        let last = self.outcome_before(&observation, outbox, self.size())?;
        Ok(last.is_some_and(|last| last > index))
    }

    /// Takes entries which later ones replaced off the lists that lead from a decision to them: nobody has to pass them over again.
    /// That is in no journal. A database that is built again has them, and they are taken away again.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub fn forget_replaced(
        &self,
        outbox: &BoxKey,
        replaced: &[(Option<Digest>, u64)],
    ) -> Result<(), StoreError> {
        let database = &self.shared.database;
        let mut shortened: BTreeMap<Vec<u8>, Vec<u64>> = BTreeMap::new();
        for (decision, index) in replaced {
            if !self.is_replaced(outbox, *index)? {
                continue;
            }
            let key = |index| keys::withheld(outbox, decision.as_ref(), index);
            let Some((key, value)) = database.last_within(&key(0), &key(*index))? else {
                continue;
            };
            let rest = match shortened.entry(key) {
                Entry::Occupied(rest) => rest.into_mut(),
                Entry::Vacant(rest) => rest.insert(numbers_in(&value)?),
            };
            rest.retain(|other| other != index);
        }
        for (key, rest) in shortened {
            let value = (!rest.is_empty()).then(|| numbers(&rest));
            database.apply((key, value))?;
        }
        Ok(())
    }

    /// Whether a record of what is kept from an outbox's recipient is one of the journal, or one from which entries were taken that
    /// later ones replaced.
    pub(super) fn is_shortened(
        &self,
        outbox: &BoxKey,
        whole: &[u8],
        found: &[u8],
    ) -> Result<bool, StoreError> {
        let mut found = numbers_in(found)?.into_iter().peekable();
        for index in numbers_in(whole)? {
            if found.next_if_eq(&index).is_none() && !self.is_replaced(outbox, index)? {
                return Ok(false);
            }
        }
        Ok(found.next().is_none())
    }

    /// Whether a store of an outbox's recipient ever acknowledged anything.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub fn has_acknowledged(
        &self,
        outbox: &BoxKey,
        incarnation: &Salt,
    ) -> Result<bool, StoreError> {
        let prefix = keys::all_acknowledged(outbox, incarnation);
        for pair in self.shared.database.scan(&prefix) {
            if index_of(&pair?.1)? < self.size() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The entry of the first acknowledgement that covers an item of an outbox, by the store that the recipient has now.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub fn acknowledgement_of(&self, outbox: &BoxKey, seq: u64) -> Result<Option<u64>, StoreError> {
        let reach = self.outbox(outbox).and_then(|state| state.acknowledged);
        let Some(incarnation) = reach.map(|reach| reach.incarnation) else {
            return Ok(None);
        };
        let prefix = keys::all_acknowledged(outbox, &incarnation);
        let from = keys::acknowledged(outbox, &incarnation, seq);
        self.counting(|| {
            let first = self.shared.database.scan_from(&from).next().transpose()?;
            let first = first.filter(|(key, _)| key.starts_with(&prefix));
            first.map(|(_, value)| index_of(&value)).transpose()
        })
    }
}

fn because(key: &[u8]) -> Result<(Option<Digest>, u64), StoreError> {
    keys::withheld_because(key).ok_or(StoreError::Damaged("a key cannot be read"))
}
