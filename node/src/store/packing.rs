//! Puts what a group brings into the records of the database. A group is packed the same way when it is committed and when it
//! is read back from the journal, so that one that was cut off in the database is just applied again.

use super::StoreError;
use super::database::{Database, Item, VALUE_BYTES_MAX};
use super::finding::{FoundBy, List};
use super::held_record::HeldRecord;
use super::index::Mark;
use super::index_key::Hash;
use super::keys::{self, BoxKey};
use super::packs::{Pack, chunk_items};
use super::reader::index_of;
use ambit_ledger::{Digest, ObservationId, Time};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// How many entries go into one record of an outbox, or of a list.
const NUMBERS_MAX: usize = VALUE_BYTES_MAX / 8;

/// How many entries that say what became of an observation stand in its own record: more than ever come with it.
const BECAME_MAX: usize = 64;

/// The records of a group while they are put together.
pub(super) struct Packing<'a> {
    database: &'a Database,
    /// How many entries there were before the group.
    size: u64,
    /// In order.
    items: Vec<Item>,
    entries: Pack,
    /// The observations that came with this group.
    held: BTreeMap<ObservationId, HeldRecord>,
    /// The entries that go into each list.
    lists: BTreeMap<List, Vec<u64>>,
    /// The latest reading of each element, and its entry.
    latest: BTreeMap<(Hash, Hash), BTreeMap<Hash, (Time, u64)>>,
    readings: Pack,
    /// What each outbox gets: the number of the first item, and the index of each.
    queued: BTreeMap<BoxKey, (u64, Vec<u64>)>,
    /// The observations that are held until an instant in each stretch, by the entries that hold them; and the first that says so.
    expiring: BTreeMap<u64, (u64, Vec<u64>)>,
    /// What is kept from each outbox's recipient because of each decision.
    withheld: BTreeMap<(BoxKey, Option<Digest>), Vec<u64>>,
}

impl<'a> Packing<'a> {
    /// For a group that follows so many entries.
    pub(super) fn new(database: &'a Database, size: u64) -> Self {
        Self {
            database,
            size,
            items: Vec::new(),
            entries: Pack::default(),
            held: BTreeMap::new(),
            lists: BTreeMap::new(),
            latest: BTreeMap::new(),
            readings: Pack::default(),
            queued: BTreeMap::new(),
            expiring: BTreeMap::new(),
            withheld: BTreeMap::new(),
        }
    }

    /// The sealed readings of an entry.
    pub(super) fn readings(&mut self, index: u64, block: &[u8]) -> Result<(), StoreError> {
        if !self.readings.has_room_for(block.len()) {
            self.end_readings();
        }
        self.readings.push(index, &[block])
    }

    /// An entry and what leads to it.
    pub(super) fn entry(
        &mut self,
        index: u64,
        leaf: &Digest,
        bytes: &[u8],
        marks: &[Mark],
    ) -> Result<(), StoreError> {
        let has_room = self
            .entries
            .has_room_for(leaf.as_bytes().len() + bytes.len());
        if !has_room {
            self.end_entries();
        }
        self.entries.push(index, &[leaf.as_bytes(), bytes])?;
        marks.iter().try_for_each(|mark| self.mark(index, mark))
    }

    /// A content that entries name by its digest.
    pub(super) fn blob(&mut self, digest: &Digest, bytes: &[u8]) {
        // The first chunk goes last: where it is, all of them are, whatever was cut off.
        let items = chunk_items(&keys::blob(digest), bytes);
        self.items.extend(items.into_iter().rev());
    }

    fn mark(&mut self, index: u64, mark: &Mark) -> Result<(), StoreError> {
        match mark {
            Mark::Holds {
                id,
                found_by,
                is_new,
            } => {
                let is_first = *is_new || !self.is_held(id)?;
                if is_first && let Entry::Vacant(vacant) = self.held.entry(*id) {
                    vacant.insert(HeldRecord::of(index));
                    self.find(index, found_by);
                }
            }
            Mark::Outcome(id, outbox) => {
                let held = self.held.get_mut(id);
                if let Some(held) = held.filter(|held| held.became.len() < BECAME_MAX) {
                    held.became.push((*outbox, index));
                } else {
                    // The index is in the key: those of earlier entries stay beside it.
                    let key = keys::outcome(id, outbox, index);
                    self.items.push((key, Some(Vec::new())));
                }
            }
            Mark::Queues(outbox, seq) => {
                let (_, queued) = self
                    .queued
                    .entry(*outbox)
                    .or_insert_with(|| (*seq, Vec::new()));
                queued.push(index);
            }
            Mark::Expires(id, stretch) => {
                let held = match self.held.get(id) {
                    Some(held) => Some(held.index),
                    None => HeldRecord::read(self.database, id)?.map(|held| held.index),
                };
                let expiring = self.expiring.entry(*stretch);
                let (_, expiring) = expiring.or_insert_with(|| (index, Vec::new()));
                expiring.push(held.unwrap_or(index));
            }
            Mark::Withholds(outbox, decision) => {
                let because = (*outbox, *decision);
                self.withheld.entry(because).or_default().push(index);
            }
            Mark::Leads(key) => self.lead(key.clone(), index),
            Mark::Control => self.lead(keys::control(index), index),
            Mark::Untaken(outbox, code) => self.lead(keys::untaken(outbox, *code, index), index),
        }
        Ok(())
    }

    fn lead(&mut self, key: Vec<u8>, index: u64) {
        self.items.push((key, Some(index.to_be_bytes().to_vec())));
    }

    /// Whether an entry from before the group holds an observation.
    fn is_held(&self, id: &ObservationId) -> Result<bool, StoreError> {
        let held = HeldRecord::read(self.database, id)?;
        Ok(held.is_some_and(|held| held.index < self.size))
    }

    fn find(&mut self, index: u64, found_by: &FoundBy) {
        for list in &found_by.lists {
            self.lists.entry(*list).or_default().push(index);
        }
        let of_submodel = self.latest.entry(found_by.of).or_default();
        for (path, at) in &found_by.latest {
            // Of two at the same instant it is the later entry's.
            let latest = of_submodel.entry(*path).or_insert((*at, index));
            *latest = (*latest).max((*at, index));
        }
    }

    fn end_entries(&mut self) {
        self.items.extend(self.entries.take_records(keys::entry));
    }

    fn end_readings(&mut self) {
        self.items
            .extend(self.readings.take_records(keys::readings));
    }

    fn end_held(&mut self) {
        let held = std::mem::take(&mut self.held).into_iter();
        let items = held.map(|(id, held)| (keys::observation(&id), Some(held.value())));
        self.items.extend(items);
    }

    fn end_lists(&mut self) {
        for (list, indexes) in std::mem::take(&mut self.lists) {
            let list = list.key();
            let parts = parts_of(&indexes, |first| keys::list_part(&list, first));
            self.items.extend(parts);
        }
        for ((outbox, decision), indexes) in std::mem::take(&mut self.withheld) {
            let key = |first| keys::withheld(&outbox, decision.as_ref(), first);
            self.items.extend(parts_of(&indexes, key));
        }
    }

    fn end_expiring(&mut self) {
        for (stretch, (first, indexes)) in std::mem::take(&mut self.expiring) {
            for (part, first) in indexes.chunks(NUMBERS_MAX).zip(first..) {
                let key = keys::list_part(&keys::expiries(stretch), first);
                self.items.push((key, Some(numbers(part))));
            }
        }
    }

    fn end_latest(&mut self) -> Result<(), StoreError> {
        let all = std::mem::take(&mut self.latest).into_iter();
        let latest = all.flat_map(|((submodel, origin), paths)| {
            paths.into_iter().map(move |(path, latest)| {
                (keys::latest(&submodel, Some(&origin), Some(&path)), latest)
            })
        });
        for (key, latest) in latest {
            let before = self.database.read(&key)?;
            let before = before.map(|value| latest_in(&value)).transpose()?;
            if before.is_none_or(|before| before < latest) {
                let (at, index) = latest;
                let value = [at.as_nanos().to_be_bytes(), index.to_be_bytes()].concat();
                self.items.push((key, Some(value)));
            }
        }
        Ok(())
    }

    /// The records.
    pub(super) fn end(mut self) -> Result<Vec<Item>, StoreError> {
        self.end_readings();
        self.end_entries();
        self.end_held();
        self.end_lists();
        self.end_expiring();
        self.end_latest()?;
        for (outbox, (first, indexes)) in std::mem::take(&mut self.queued) {
            for (part, first) in indexes
                .chunks(NUMBERS_MAX)
                .zip((first..).step_by(NUMBERS_MAX))
            {
                let key = keys::outbox_item(&outbox, first);
                self.items.push((key, Some(numbers(part))));
            }
        }
        Ok(self.items)
    }
}

/// The records of a list: each lies under the first of its entries.
fn parts_of(indexes: &[u64], key: impl Fn(u64) -> Vec<u8>) -> impl Iterator<Item = Item> {
    indexes.chunks(NUMBERS_MAX).map(move |part| {
        let first = part.first().copied().unwrap_or_default();
        (key(first), Some(numbers(part)))
    })
}

/// The value of a record of several entries: their indexes.
pub(super) fn numbers(indexes: &[u64]) -> Vec<u8> {
    let bytes = indexes.iter().flat_map(|index| index.to_be_bytes());
    bytes.collect()
}

/// The indexes of the entries in the record of several.
pub(super) fn numbers_in(value: &[u8]) -> Result<Vec<u64>, StoreError> {
    value.chunks(8).map(index_of).collect()
}

/// When the latest reading of an element is, and the entry that holds it, in the record of it.
pub(super) fn latest_in(value: &[u8]) -> Result<(Time, u64), StoreError> {
    let damaged = StoreError::Damaged("what says where the latest reading is cannot be read");
    let Some((at, index)) = value.split_first_chunk::<8>() else {
        return Err(damaged);
    };
    let at = Time::try_from(i64::from_be_bytes(*at)).map_err(|_| damaged)?;
    Ok((at, index_of(index)?))
}
