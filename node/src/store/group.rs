//! Turns commits into batches: entries with all that belongs to them, then the state, then the head.
//!
//! A group is several batches. An entry and its index keys lie in one of them, but for the items of outboxes, which
//! follow all entries; the last holds the head, and nothing above the head counts. So a group that was cut off is
//! taken back by what its entries say.

use super::StoreError;
use super::database::{BATCH_ITEMS_MAX, Database, DatabaseError, Item, VALUE_BYTES_MAX};
use super::index::{Mark, UNTAKEN_CODES_MAX};
use super::keys::{self, BoxKey};
use super::packs::{Pack, chunk_items};
use super::prepare::{Prepared, PreparedEntry, Sealed, Step, offered_again};
use super::reader::index_of;
use super::records::{AcknowledgedAt, Committed, Head, Outbox, Published};
use crate::link::Inbox;
use ambit_ledger::{Entry as LedgerEntry, leaf_hash};
use serde_bytes::ByteBuf;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

/// How many index keys go with one pack of entries: with its chunks, fewer than a batch takes.
const INDEXES_MAX: usize = 40;

/// How many items of an outbox go into one record.
const QUEUED_MAX: usize = VALUE_BYTES_MAX / 8;

/// A group while it is put together.
pub(super) struct Group<'a> {
    database: &'a Database,
    /// The states as they are committed.
    committed: &'a Published,
    head: Head,
    /// The states this group changes.
    outboxes: BTreeMap<BoxKey, Outbox>,
    inboxes: BTreeMap<BoxKey, Inbox>,
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

impl<'a> Group<'a> {
    pub(super) fn new(database: &'a Database, committed: &'a Published) -> Self {
        Self {
            database,
            committed,
            head: committed.head.clone(),
            outboxes: BTreeMap::new(),
            inboxes: BTreeMap::new(),
            units: Vec::new(),
            entries: Pack::default(),
            indexes: Vec::new(),
            leading: BTreeSet::new(),
            readings: Pack::default(),
            queued: BTreeMap::new(),
        }
    }

    /// Adds one commit.
    pub(super) fn add(&mut self, commit: &Prepared) -> Result<Committed, StoreError> {
        let mut done = Committed::default();
        for step in &commit.steps {
            match step {
                Step::Entry(entry) => done.entries.push(self.entry(commit, entry)?),
                Step::Disclosed {
                    nonce,
                    outbox,
                    observation,
                    statement,
                } => {
                    let state = self.outbox(outbox)?;
                    state.last += 1;
                    let seq = state.last;
                    let entry =
                        PreparedEntry::disclosed(*nonce, outbox, observation, statement, seq);
                    done.entries.push(self.entry(commit, &entry)?);
                }
                Step::Blob { digest, bytes } => {
                    let key = keys::blob(digest);
                    // The first chunk goes last: where it is, all of them are, whatever was cut off.
                    if self.database.read(&keys::chunk(&key, 0))?.is_none() {
                        let items = chunk_items(&key, bytes);
                        self.units
                            .extend(items.into_iter().rev().map(|item| vec![item]));
                    }
                }
                Step::OpenOutbox(opened) => {
                    let key = BoxKey::new(&opened.partnership, &opened.recipient);
                    if !self.committed.outboxes.contains_key(&key) {
                        self.outboxes.entry(key).or_insert_with(|| opened.clone());
                    }
                }
                Step::Judged { outbox, upto } => {
                    let upto = upto.unwrap_or(self.head.frontier.size());
                    let state = self.outbox(outbox)?;
                    state.judged = state.judged.max(upto);
                }
                Step::Offered { outbox, upto } => self.outbox(outbox)?.offered = *upto,
                Step::OutboxAcknowledged {
                    outbox,
                    upto,
                    at,
                    untaken,
                } => {
                    let state = self.outbox(outbox)?;
                    if let Some(at) = at {
                        let latest = state
                            .acknowledged_at
                            .map_or(*at, |before| before.at.max(*at));
                        let by = upto.incarnation;
                        state.acknowledged_at = Some(AcknowledgedAt { at: latest, by });
                    }
                    let before = state.acknowledged.replace(upto.clone());
                    if before.is_some_and(|before| before.incarnation != upto.incarnation) {
                        // A store that was lost and made anew says of everything again whether it takes it.
                        state.untaken.clear();
                        state.asked_for.clear();
                    }
                    for (code, more) in untaken {
                        // Of a recipient that makes up codes, only the first are counted.
                        let is_counted = state.untaken.contains_key(code)
                            || state.untaken.len() < UNTAKEN_CODES_MAX;
                        if is_counted {
                            let count = state.untaken.entry(*code).or_default();
                            *count = count.saturating_add(*more);
                        }
                    }
                }
                Step::OfferedAgain {
                    nonce,
                    outbox,
                    offer,
                } => {
                    let state = self.outbox(outbox)?;
                    state.last += 1;
                    let entry = offered_again(*nonce, offer, state.last)?;
                    done.entries.push(self.entry(commit, &entry)?);
                }
                Step::AskedFor {
                    outbox,
                    code,
                    asked,
                    newly,
                } => {
                    let state = self.outbox(outbox)?;
                    state.asked_for.insert(*code, *asked);
                    if let Some(count) = state.untaken.remove(code)
                        && count > *newly
                    {
                        state.untaken.insert(*code, count - newly);
                    }
                }
                Step::Inbox(inbox) => {
                    let key = BoxKey::new(&inbox.partnership, &inbox.sender);
                    self.inboxes.insert(key, inbox.clone());
                }
            }
        }
        Ok(done)
    }

    fn outbox(&mut self, key: &BoxKey) -> Result<&mut Outbox, StoreError> {
        let missing = StoreError::Damaged("an outbox is missing");
        match self.outboxes.entry(*key) {
            Entry::Occupied(entry) => Ok(entry.into_mut()),
            Entry::Vacant(entry) => {
                let outbox = self.committed.outboxes.get(key).ok_or(missing)?;
                Ok(entry.insert(outbox.clone()))
            }
        }
    }

    fn entry(&mut self, commit: &Prepared, prepared: &PreparedEntry) -> Result<u64, StoreError> {
        let index = self.head.frontier.size();
        if let Some(Sealed { slot, block }) = &prepared.sealed {
            self.head.slot = self.head.slot.max(slot + 1);
            if !self.readings.has_room_for(block.len()) {
                self.end_readings();
            }
            self.readings.push(index, &[block])?;
        }
        self.head.time = self.head.time.max(commit.now);
        let entry = LedgerEntry {
            nonce: prepared.nonce,
            kind: prepared.kind,
            time: self.head.time,
            actor: commit.actor.clone(),
            reason: commit.reason.clone(),
            body: ByteBuf::clone(&prepared.body),
        };
        let bytes = entry.encode();
        if bytes.len() > ambit_ledger::ITEM_BYTES_MAX {
            return Err(StoreError::EntryTooLarge(bytes.len()));
        }
        let leaf = leaf_hash(&bytes);
        let has_room = self
            .entries
            .has_room_for(leaf.as_bytes().len() + bytes.len());
        if !has_room || self.indexes.len() + prepared.marks.len() > INDEXES_MAX {
            self.end_entries();
        }
        self.entries.push(index, &[leaf.as_bytes(), &bytes])?;
        for mark in &prepared.marks {
            self.mark(index, mark)?;
        }
        self.head.frontier.append(leaf);
        Ok(index)
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

    /// Whether a key leads to an entry that is committed.
    fn leads(&self, key: &[u8]) -> Result<bool, StoreError> {
        let value = self.database.read(key)?;
        let index = value.map(|value| index_of(&value)).transpose()?;
        Ok(index.is_some_and(|index| index < self.committed.head.frontier.size()))
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

    /// Ends what is still being put together.
    fn end(&mut self) {
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
    }

    /// Writes the group. Returns what is published once the database is synced.
    pub(super) fn apply(mut self) -> Result<Changes, DatabaseError> {
        self.end();
        self.database.apply_units(self.units)?;
        let mut last: Vec<Item> = self
            .outboxes
            .iter()
            .map(|(key, outbox)| (keys::outbox(key), Some(ambit_ledger::encode(outbox))))
            .chain(
                self.inboxes
                    .iter()
                    .map(|(key, inbox)| (keys::inbox(key), Some(ambit_ledger::encode(inbox)))),
            )
            .collect();
        last.push((keys::HEAD.to_vec(), Some(ambit_ledger::encode(&self.head))));
        self.database.apply(last)?;
        Ok(Changes {
            head: self.head,
            outboxes: self.outboxes,
            inboxes: self.inboxes,
        })
    }
}

/// What a group changes of what is published.
pub(super) struct Changes {
    head: Head,
    outboxes: BTreeMap<BoxKey, Outbox>,
    inboxes: BTreeMap<BoxKey, Inbox>,
}

impl Changes {
    /// How many entries there are with these.
    pub(super) fn size(&self) -> u64 {
        self.head.frontier.size()
    }

    /// Takes effect, after the sync.
    pub(super) fn publish(self, published: &mut Published) {
        published.head = self.head;
        published.outboxes.extend(self.outboxes);
        published.inboxes.extend(self.inboxes);
    }
}

/// How many items the last batch may still take before a group has to end: one for the head.
pub(super) const STATES_MAX: usize = BATCH_ITEMS_MAX - 1;
