//! Reading: only what the committed head covers.

use super::database::DatabaseError;
use super::keys::{self, BoxKey};
use super::records::Outbox;
use super::{Store, StoreError, packs, seal};
use crate::link::Inbox;
use ambit_ledger::{
    Acknowledgement, Body, Decision, Digest, Disclosure, DisclosureId, Entry, Observation,
    ObservationId, Salt,
};
use std::sync::PoisonError;

/// An entry as it is in the ledger.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// Its index, from 0.
    pub index: u64,
    /// Its bytes: what the leaf is the hash of.
    pub bytes: Vec<u8>,
    /// The entry.
    pub entry: Entry,
    /// Its body.
    pub body: Body,
}

const DAMAGED_ENTRY: &str = "an entry cannot be read";

/// Reads the item of an entry: its leaf hash, then its bytes.
pub(super) fn parse_entry(index: u64, item: &[u8]) -> Result<Recorded, StoreError> {
    let bytes = item
        .get(32..)
        .filter(|bytes| !bytes.is_empty())
        .ok_or(StoreError::Damaged(DAMAGED_ENTRY))?
        .to_vec();
    let entry = Entry::decode(&bytes).map_err(|_| StoreError::Damaged(DAMAGED_ENTRY))?;
    let body = entry
        .body()
        .map_err(|_| StoreError::Damaged(DAMAGED_ENTRY))?;
    Ok(Recorded {
        index,
        bytes,
        entry,
        body,
    })
}

fn item_of(pack: &[u8], index: u64) -> Option<&[u8]> {
    packs::items(pack)
        .find(|(of, _)| *of == index)
        .map(|(_, item)| item)
}

pub(super) fn index_of(value: &[u8]) -> Result<u64, StoreError> {
    value
        .try_into()
        .map(u64::from_be_bytes)
        .map_err(|_| StoreError::Damaged("an index cannot be read"))
}

/// The number at the end of a key.
fn last_number(key: &[u8]) -> Result<u64, StoreError> {
    key.last_chunk::<8>()
        .map(|bytes| u64::from_be_bytes(*bytes))
        .ok_or(StoreError::Damaged("a key cannot be read"))
}

/// Reads an observation of this node's own ledger.
pub(crate) fn own_observation(statement: &[u8]) -> Result<Observation, StoreError> {
    Observation::from_own_ledger(statement)
        .map_err(|_| StoreError::Damaged("an observation cannot be read"))
}

/// Reads a disclosure of this node's own ledger.
pub(crate) fn own_disclosure(statement: &[u8]) -> Result<Disclosure, StoreError> {
    Disclosure::from_own_ledger(statement)
        .map_err(|_| StoreError::Damaged("a disclosure cannot be read"))
}

/// Reads an acknowledgement of this node's own ledger.
pub(crate) fn own_acknowledgement(statement: &[u8]) -> Result<Acknowledgement, StoreError> {
    Acknowledgement::from_own_ledger(statement)
        .map_err(|_| StoreError::Damaged("an acknowledgement cannot be read"))
}

impl Store {
    /// The entry at an index; `None` above the head.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub fn entry(&self, index: u64) -> Result<Option<Recorded>, StoreError> {
        if index >= self.size() {
            return Ok(None);
        }
        let pack = packs::pack_of(&self.shared.database, keys::entry, index)?;
        let item = pack.as_deref().and_then(|pack| item_of(pack, index));
        let item = item.ok_or(StoreError::Damaged("an entry is missing"))?;
        parse_entry(index, item).map(Some)
    }

    /// The entries from an index up to, and without, another, which is at most the head.
    pub fn entries(
        &self,
        from: u64,
        until: u64,
    ) -> impl Iterator<Item = Result<Recorded, StoreError>> + '_ {
        // Those that follow lie in the same pack more often than not.
        let mut pack = Vec::new();
        (from..until.min(self.size())).map(move |index| {
            if item_of(&pack, index).is_none() {
                let found = packs::pack_of(&self.shared.database, keys::entry, index)?;
                pack = found.unwrap_or_default();
            }
            let item = item_of(&pack, index);
            parse_entry(
                index,
                item.ok_or(StoreError::Damaged("an entry is missing"))?,
            )
        })
    }

    /// The entries that say who is who and what is in force, in order.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub fn control_entries(&self) -> Result<Vec<Recorded>, StoreError> {
        self.shared
            .database
            .scan(&keys::controls())
            .map(|pair| last_number(&pair?.0))
            .filter_map(|index| index.and_then(|index| self.entry(index)).transpose())
            .collect()
    }

    fn committed(&self, key: &[u8]) -> Result<Option<u64>, StoreError> {
        let index = self.shared.database.read(key)?;
        let index = index.map(|value| index_of(&value)).transpose()?;
        Ok(index.filter(|index| *index < self.size()))
    }

    /// The content of this digest.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub fn blob(&self, digest: &Digest) -> Result<Option<Vec<u8>>, StoreError> {
        let chunks = self.shared.database.scan(&keys::blob(digest));
        let chunks: Vec<_> = chunks.collect::<Result<_, DatabaseError>>()?;
        let bytes = chunks.iter().flat_map(|(_, chunk)| chunk).copied();
        Ok((!chunks.is_empty()).then(|| bytes.collect()))
    }

    /// The entry with this observation.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub fn observation(&self, id: &ObservationId) -> Result<Option<u64>, StoreError> {
        self.committed(&keys::observation(id))
    }

    /// The observations whose id starts with these bytes, at most `limit` of them.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub fn observations_with_prefix(
        &self,
        prefix: &[u8],
        limit: usize,
    ) -> Result<Vec<(ObservationId, u64)>, StoreError> {
        let size = self.size();
        self.shared
            .database
            .scan(&keys::observations(prefix))
            .map(|pair| {
                let (key, value) = pair?;
                let digest = key
                    .get(1..)
                    .and_then(|bytes| Digest::try_from(bytes).ok())
                    .ok_or(StoreError::Damaged("a key cannot be read"))?;
                Ok((ObservationId::from_digest(digest), index_of(&value)?))
            })
            .filter(|found| {
                found
                    .as_ref()
                    .map_or(true, |(_, index): &(_, u64)| *index < size)
            })
            .take(limit)
            .collect()
    }

    /// Whether this was imported before.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub fn was_imported(&self, import: &Digest) -> Result<bool, StoreError> {
        Ok(self.committed(&keys::import(import))?.is_some())
    }

    /// The readings block of the observation recorded at this entry.
    ///
    /// # Errors
    /// [`StoreError::Slot`] where they were erased; any other [`StoreError`].
    pub fn readings(&self, index: u64, id: &ObservationId) -> Result<Vec<u8>, StoreError> {
        let pack = packs::pack_of(&self.shared.database, keys::readings, index)?;
        let block = pack.as_deref().and_then(|pack| item_of(pack, index));
        let block = block.ok_or(StoreError::Damaged("sealed readings are missing"))?;
        let (slot, sealed) = block
            .split_first_chunk::<8>()
            .ok_or(StoreError::Damaged("sealed readings cannot be read"))?;
        let slot = u64::from_be_bytes(*slot);
        let key = self
            .shared
            .allotment
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .key(slot)?;
        Ok(seal::open(sealed, id, slot, &key)?)
    }

    /// The latest decision of a class.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub fn decision_of_class(&self, class_key: &Digest) -> Result<Option<Decision>, StoreError> {
        self.decision_at(self.committed(&keys::class(class_key))?)
    }

    /// The decision of this digest.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub fn decision(&self, digest: &Digest) -> Result<Option<Decision>, StoreError> {
        self.decision_at(self.decision_entry(digest)?)
    }

    /// The numbers under which a disclosure was put into an outbox below an entry: the first, which is given, and those
    /// under which it was offered again, in their order.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub fn numbers(
        &self,
        first: &DisclosureId,
        seq: u64,
        until: u64,
    ) -> Result<Vec<u64>, StoreError> {
        let until = until.min(self.size());
        let (mut disclosures, mut numbers) = (vec![*first], vec![seq]);
        while let Some(id) = disclosures.pop() {
            let prefix = keys::all_offered(&id);
            for pair in self.shared.database.scan_from(&prefix) {
                let (key, value) = pair?;
                let index = index_of(&value)?;
                if !key.starts_with(&prefix) || index >= until {
                    break;
                }
                let recorded = self.entry(index)?;
                let Some(Body::OfferedAgain(offer)) = recorded.map(|recorded| recorded.body) else {
                    return Err(StoreError::Damaged("an offer is missing"));
                };
                numbers.push(offer.seq);
                // Another disclosure took its place, which may itself have been offered again.
                let renewed = offer.disclosure.iter();
                disclosures.extend(renewed.map(|statement| DisclosureId::of(statement)));
            }
        }
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// The entry that holds the decision of this digest.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub fn decision_entry(&self, digest: &Digest) -> Result<Option<u64>, StoreError> {
        self.committed(&keys::decision(digest))
    }

    fn decision_at(&self, index: Option<u64>) -> Result<Option<Decision>, StoreError> {
        let recorded = index.map(|index| self.entry(index)).transpose()?.flatten();
        match recorded.map(|recorded| recorded.body) {
            Some(Body::Decided(decided)) => Ok(Some(decided.decision)),
            Some(_) => Err(StoreError::Damaged("a decision is missing")),
            None => Ok(None),
        }
    }

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

    /// The entry that took an observation in under an edition of a partnership.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub fn admitted_under(
        &self,
        edition: &Digest,
        id: &ObservationId,
    ) -> Result<Option<u64>, StoreError> {
        self.committed(&keys::admitted(edition, id))
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
        let Some(last) = until.min(self.size()).checked_sub(1) else {
            return Ok(None);
        };
        let (first, last) = (
            keys::outcome(id, outbox, 0),
            keys::outcome(id, outbox, last),
        );
        let found = self.shared.database.last_within(&first, &last)?;
        found.map(|(key, _)| last_number(&key)).transpose()
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
    pub fn withheld_because(
        &self,
        outbox: &BoxKey,
        decision: Option<&Digest>,
        from: u64,
    ) -> impl Iterator<Item = Result<u64, StoreError>> + use<> {
        let size = self.size();
        let last = keys::withheld(outbox, decision, u64::MAX);
        self.shared
            .database
            .scan_from(&keys::withheld(outbox, decision, from))
            .take_while(move |pair| pair.as_ref().map_or(true, |(key, _)| *key <= last))
            .map(|pair| because(&pair?.0).map(|(_, index)| index))
            .filter(move |index| index.as_ref().map_or(true, |index| *index < size))
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
        let first = self.shared.database.scan_from(&from).next().transpose()?;
        let first = first.filter(|(key, _)| key.starts_with(&prefix));
        let index = first.map(|(_, value)| index_of(&value)).transpose()?;
        Ok(index.filter(|index| *index < self.size()))
    }
}

fn because(key: &[u8]) -> Result<(Option<Digest>, u64), StoreError> {
    keys::withheld_because(key).ok_or(StoreError::Damaged("a key cannot be read"))
}
