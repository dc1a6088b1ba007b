//! Puts what a group brings into the records of the database. A group is packed the same way when it is committed and when it
//! is read back from the journal, so that one that was cut off in the database is just applied again.

use super::StoreError;
use super::database::{Database, Item, VALUE_BYTES_MAX};
use super::index::Mark;
use super::keys::{self, BoxKey};
use super::packs::{Pack, chunk_items};
use super::reader::index_of;
use ambit_ledger::Digest;
use std::collections::{BTreeMap, BTreeSet};

/// How many index keys go with one pack of entries: with its chunks, fewer than a batch takes.
const INDEXES_MAX: usize = 40;

/// How many items of an outbox go into one record.
const QUEUED_MAX: usize = VALUE_BYTES_MAX / 8;

/// The records of a group while they are put together.
pub(super) struct Packing<'a> {
    database: &'a Database,
    /// How many entries there were before the group.
    size: u64,
    /// What must be in one batch, in order.
    units: Vec<Vec<Item>>,
    /// The entries and index keys of the next unit.
    entries: Pack,
    indexes: Vec<Item>,
    /// The keys that lead to the first of several entries, of this group.
    leading: BTreeSet<Vec<u8>>,
    readings: Pack,
    /// What each outbox gets: the number of the first item, and the index of each.
    queued: BTreeMap<BoxKey, (u64, Vec<u64>)>,
}

impl<'a> Packing<'a> {
    /// For a group that follows so many entries.
    pub(super) fn new(database: &'a Database, size: u64) -> Self {
        Self {
            database,
            size,
            units: Vec::new(),
            entries: Pack::default(),
            indexes: Vec::new(),
            leading: BTreeSet::new(),
            readings: Pack::default(),
            queued: BTreeMap::new(),
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
        if !has_room || self.indexes.len() + marks.len() > INDEXES_MAX {
            self.end_entries();
        }
        self.entries.push(index, &[leaf.as_bytes(), bytes])?;
        marks.iter().try_for_each(|mark| self.mark(index, mark))
    }

    /// A content that entries name by its digest.
    pub(super) fn blob(&mut self, digest: &Digest, bytes: &[u8]) {
        // The first chunk goes last: where it is, all of them are, whatever was cut off.
        let items = chunk_items(&keys::blob(digest), bytes);
        self.units
            .extend(items.into_iter().rev().map(|item| vec![item]));
    }

    fn mark(&mut self, index: u64, mark: &Mark) -> Result<(), StoreError> {
        match mark {
            Mark::LeadsFirst(key) => {
                if !self.leads(key)? && self.leading.insert(key.clone()) {
                    self.indexes.push(mark.clone().item(index));
                }
            }
            Mark::Queues(outbox, seq) => {
                let (_, queued) = self
                    .queued
                    .entry(*outbox)
                    .or_insert_with(|| (*seq, Vec::new()));
                queued.push(index);
            }
            mark => self.indexes.push(mark.clone().item(index)),
        }
        Ok(())
    }

    /// Whether a key leads to an entry from before the group.
    fn leads(&self, key: &[u8]) -> Result<bool, StoreError> {
        let value = self.database.read(key)?;
        let index = value.map(|value| index_of(&value)).transpose()?;
        Ok(index.is_some_and(|index| index < self.size))
    }

    /// Ends the pack of entries. It and their index keys are in one batch.
    fn end_entries(&mut self) {
        let mut unit = self.entries.take_records(keys::entry);
        unit.append(&mut self.indexes);
        self.units.push(unit);
    }

    fn end_readings(&mut self) {
        let records = self.readings.take_records(keys::readings);
        self.units
            .extend(records.into_iter().map(|item| vec![item]));
    }

    /// The units, each of which is in one batch.
    pub(super) fn end(mut self) -> Vec<Vec<Item>> {
        self.end_readings();
        self.end_entries();
        for (outbox, (first, indexes)) in std::mem::take(&mut self.queued) {
            for (part, first) in indexes
                .chunks(QUEUED_MAX)
                .zip((first..).step_by(QUEUED_MAX))
            {
                let value = part.iter().flat_map(|index| index.to_be_bytes()).collect();
                let key = keys::outbox_item(&outbox, first);
                self.units.push(vec![(key, Some(value))]);
            }
        }
        self.units
    }
}
