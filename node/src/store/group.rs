//! Puts commits in order: gives entries their places, states their numbers, and makes of it what goes into the journal and
//! what goes into the database.

use super::StoreError;
use super::database::{Database, DatabaseError, Item};
use super::index::UNTAKEN_CODES_MAX;
use super::keys::{self, BoxKey};
use super::packing::Packing;
use super::parts;
use super::prepare::{Prepared, PreparedEntry, Sealed, Step, offered_again};
use super::records::{AcknowledgedAt, Applied, Committed, Head, Outbox, Published};
use crate::link::Inbox;
use ambit_ledger::{Digest, Entry as LedgerEntry, leaf_hash};
use serde_bytes::ByteBuf;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

/// A group while it is put together.
pub(super) struct Group<'a> {
    database: &'a Database,
    /// The states as they are committed.
    committed: &'a Published,
    head: Head,
    /// The states this group changes.
    outboxes: BTreeMap<BoxKey, Outbox>,
    inboxes: BTreeMap<BoxKey, Inbox>,
    /// The contents it brings.
    blobs: BTreeSet<Digest>,
    /// Its records for the journal.
    parts: Vec<Vec<u8>>,
    packing: Packing<'a>,
}

impl<'a> Group<'a> {
    pub(super) fn new(database: &'a Database, committed: &'a Published) -> Self {
        Self {
            database,
            committed,
            head: committed.head.clone(),
            outboxes: BTreeMap::new(),
            inboxes: BTreeMap::new(),
            blobs: BTreeSet::new(),
            parts: Vec::new(),
            packing: Packing::new(database, committed.head.frontier.size()),
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
                    let is_there = self.database.read(&keys::chunk(&keys::blob(digest), 0))?;
                    if is_there.is_none() && self.blobs.insert(*digest) {
                        self.parts.push(parts::blob(bytes));
                        self.packing.blob(digest, bytes);
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
                    let entry = offered_again(*nonce, offer, state.last);
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
            self.parts.push(parts::readings(index, block));
            self.packing.readings(index, block)?;
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
        self.parts.push(parts::entry(index, &bytes));
        self.packing.entry(index, &leaf, &bytes, &prepared.marks)?;
        self.head.frontier.append(leaf);
        Ok(index)
    }

    /// The group as it goes to the disk.
    pub(super) fn end(mut self) -> Result<Ended, StoreError> {
        self.parts.extend(self.outboxes.values().map(parts::outbox));
        self.parts.extend(self.inboxes.values().map(parts::inbox));
        self.parts.push(parts::head(&self.head));
        Ok(Ended {
            parts: self.parts,
            items: self.packing.end()?,
            head: self.head,
            outboxes: self.outboxes,
            inboxes: self.inboxes,
        })
    }
}

/// A group that is put together.
pub(super) struct Ended {
    parts: Vec<Vec<u8>>,
    items: Vec<Item>,
    head: Head,
    outboxes: BTreeMap<BoxKey, Outbox>,
    inboxes: BTreeMap<BoxKey, Inbox>,
}

impl Ended {
    /// Its records for the journal.
    pub(super) fn parts(&self) -> &[Vec<u8>] {
        &self.parts
    }

    /// Writes it to the database, once it is in the journal.
    pub(super) fn apply(
        &mut self,
        database: &Database,
        applied: &Applied,
    ) -> Result<(), DatabaseError> {
        let outboxes = self.outboxes.iter();
        let outboxes =
            outboxes.map(|(key, outbox)| (keys::outbox(key), Some(ambit_ledger::encode(outbox))));
        let inboxes = self.inboxes.iter();
        let inboxes =
            inboxes.map(|(key, inbox)| (keys::inbox(key), Some(ambit_ledger::encode(inbox))));
        let states = outboxes.chain(inboxes);
        let items = std::mem::take(&mut self.items);
        database.apply_group(items.into_iter().chain(states), &self.head, applied)
    }

    /// Takes effect.
    pub(super) fn publish(self, published: &mut Published) {
        published.head = self.head;
        published.outboxes.extend(self.outboxes);
        published.inboxes.extend(self.inboxes);
    }
}
