//! Turns commits into batches: entries with all that belongs to them, then the state, then the head.
//!
//! A group is several batches. An entry and its index keys lie in one of them; the last holds the head, and
//! nothing above the head counts. So a group that was cut off is taken back by what its entries say.

use super::StoreError;
use super::database::{BATCH_ITEMS_MAX, Database, DatabaseError, Item, VALUE_BYTES_MAX};
use super::keys::{self, BoxKey};
use super::reader::own_disclosure;
use super::records::{Commit, Committed, Head, Inbox, Outbox, Published, Write};
use super::seal;
use super::slots::Slots;
use ambit_ledger::{
    Admitted, Body, Digest, Disclosed, Entry as LedgerEntry, ObservationId, Observed, Salt,
    leaf_hash,
};
use serde_bytes::ByteBuf;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// A group while it is put together.
pub(super) struct Group<'a> {
    database: &'a Database,
    slots: &'a mut Slots,
    head: Head,
    /// The outboxes as they are committed.
    committed: &'a BTreeMap<BoxKey, Outbox>,
    /// The states this group changes.
    outboxes: BTreeMap<BoxKey, Outbox>,
    inboxes: BTreeMap<BoxKey, Inbox>,
    /// What must be in one batch, in order.
    units: Vec<Vec<Item>>,
}

impl<'a> Group<'a> {
    pub(super) fn new(
        database: &'a Database,
        slots: &'a mut Slots,
        published: &'a Published,
    ) -> Self {
        Self {
            database,
            slots,
            head: published.head.clone(),
            committed: &published.outboxes,
            outboxes: BTreeMap::new(),
            inboxes: BTreeMap::new(),
            units: Vec::new(),
        }
    }

    /// Adds one commit.
    pub(super) fn add(&mut self, commit: &Commit) -> Result<Committed, StoreError> {
        let mut done = Committed::default();
        for write in &commit.writes {
            if let Some(index) = self.write(commit, write)? {
                done.entries.push(index);
            }
        }
        Ok(done)
    }

    fn write(&mut self, commit: &Commit, write: &Write) -> Result<Option<u64>, StoreError> {
        match write {
            Write::Entry(body) => self.entry(commit, body).map(Some),
            Write::Blob(bytes) => {
                let key = keys::blob(&Digest::of(bytes));
                // The first chunk goes last: where it is, all of them are, whatever was cut off.
                if self.database.read(&keys::chunk(&key, 0))?.is_none() {
                    let items = chunk_items(&key, bytes);
                    self.units
                        .extend(items.into_iter().rev().map(|item| vec![item]));
                }
                Ok(None)
            }
            Write::Observed {
                id,
                statement,
                readings,
                import,
            } => {
                let slot = self.seal(id, readings)?;
                let body = Body::Observed(Observed {
                    observation: ByteBuf::from(statement.clone()),
                    slot,
                    import: *import,
                });
                self.entry(commit, &body).map(Some)
            }
            Write::Admitted {
                id,
                statement,
                disclosure,
                decision,
                seq,
                readings,
            } => {
                let slot = self.seal(id, readings)?;
                let body = Body::Admitted(Admitted {
                    observation: ByteBuf::from(statement.clone()),
                    disclosure: ByteBuf::from(disclosure.clone()),
                    decision: *decision,
                    seq: *seq,
                    slot,
                });
                self.entry(commit, &body).map(Some)
            }
            Write::Disclosed { outbox, statement } => {
                let state = self.outbox(outbox)?;
                state.last += 1;
                let seq = state.last;
                let body = Body::Disclosed(Disclosed {
                    disclosure: ByteBuf::from(statement.clone()),
                    seq,
                });
                self.entry(commit, &body).map(Some)
            }
            Write::OpenOutbox { .. }
            | Write::Judged { .. }
            | Write::OutboxAcknowledged { .. }
            | Write::Inbox(_) => self.state(write).map(|()| None),
        }
    }

    fn state(&mut self, write: &Write) -> Result<(), StoreError> {
        match write {
            Write::OpenOutbox {
                partnership,
                recipient,
            } => {
                let key = BoxKey::new(partnership, recipient);
                let exists = self.outboxes.contains_key(&key) || self.committed.contains_key(&key);
                if !exists {
                    let outbox = Outbox {
                        partnership: partnership.clone(),
                        recipient: recipient.clone(),
                        last: 0,
                        judged: 0,
                        acknowledged: None,
                    };
                    self.outboxes.insert(key, outbox);
                }
            }
            Write::Judged { outbox, upto } => {
                let upto = upto.unwrap_or(self.head.frontier.size());
                let state = self.outbox(outbox)?;
                state.judged = state.judged.max(upto);
            }
            Write::OutboxAcknowledged { outbox, upto } => {
                self.outbox(outbox)?.acknowledged = Some(upto.clone());
            }
            Write::Inbox(inbox) => {
                let key = BoxKey::new(&inbox.partnership, &inbox.sender);
                self.inboxes.insert(key, inbox.clone());
            }
            Write::Entry(_)
            | Write::Blob(_)
            | Write::Observed { .. }
            | Write::Admitted { .. }
            | Write::Disclosed { .. } => {}
        }
        Ok(())
    }

    fn outbox(&mut self, key: &BoxKey) -> Result<&mut Outbox, StoreError> {
        let missing = StoreError::Damaged("an outbox is missing");
        match self.outboxes.entry(*key) {
            Entry::Occupied(entry) => Ok(entry.into_mut()),
            Entry::Vacant(entry) => {
                let outbox = self.committed.get(key).ok_or(missing)?;
                Ok(entry.insert(outbox.clone()))
            }
        }
    }

    /// Seals a readings block for the next entry.
    fn seal(&mut self, id: &ObservationId, readings: &[u8]) -> Result<u64, StoreError> {
        let slot = self.head.slot;
        let key = self.slots.key(slot)?;
        self.head.slot += 1;
        let sealed = seal::seal(readings, id, slot, &key, random()?)?;
        // The slot goes first, so that taking back a group never gives a slot out again.
        let block = [slot.to_be_bytes().as_slice(), &sealed].concat();
        self.chunks(&keys::readings(self.head.frontier.size()), &block);
        Ok(slot)
    }

    fn entry(&mut self, commit: &Commit, body: &Body) -> Result<u64, StoreError> {
        let index = self.head.frontier.size();
        self.head.time = self.head.time.max(commit.now);
        let entry = LedgerEntry::new(
            Salt::from_bytes(random()?),
            self.head.time,
            commit.actor.clone(),
            commit.reason.clone(),
            body,
        );
        let bytes = entry.encode();
        if bytes.len() > ambit_ledger::ITEM_BYTES_MAX {
            return Err(StoreError::EntryTooLarge(bytes.len()));
        }
        let leaf = leaf_hash(&bytes);
        let record = [leaf.as_bytes().as_slice(), &bytes].concat();
        let mut unit = chunk_items(&keys::entry(index), &record);
        unit.extend(index_items(index, body)?);
        self.units.push(unit);
        self.head.frontier.append(leaf);
        Ok(index)
    }

    fn chunks(&mut self, key: &[u8], bytes: &[u8]) {
        self.units
            .extend(chunk_items(key, bytes).into_iter().map(|item| vec![item]));
    }

    /// Writes the group. Returns what is published once the database is synced.
    pub(super) fn apply(self) -> Result<Changes, DatabaseError> {
        let mut batch: Vec<Item> = Vec::new();
        for unit in self.units {
            if batch.len() + unit.len() > BATCH_ITEMS_MAX {
                self.database.apply(std::mem::take(&mut batch))?;
            }
            batch.extend(unit);
        }
        if !batch.is_empty() {
            self.database.apply(batch)?;
        }
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

fn random<const N: usize>() -> Result<[u8; N], StoreError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(StoreError::Randomness)?;
    Ok(bytes)
}

fn chunk_items(key: &[u8], bytes: &[u8]) -> Vec<Item> {
    bytes
        .chunks(VALUE_BYTES_MAX)
        .zip(0_u16..)
        .map(|(chunk, number)| (keys::chunk(key, number), Some(chunk.to_vec())))
        .collect()
}

/// The index keys of an entry, and those it takes away: found from its index and body alone. A later entry's
/// stand in the place of an earlier one's with the same key.
pub(super) fn index_items(index: u64, body: &Body) -> Result<Vec<Item>, StoreError> {
    let value = Some(index.to_be_bytes().to_vec());
    let items = match body {
        Body::Observed(observed) => {
            let id = ObservationId::of(&observed.observation);
            let import = observed.import.as_ref().map(keys::import);
            [Some(keys::observation(&id)), import]
                .into_iter()
                .flatten()
                .map(|key| (key, value.clone()))
                .collect()
        }
        Body::Admitted(admitted) => {
            let id = ObservationId::of(&admitted.observation);
            let disclosure = own_disclosure(&admitted.disclosure)?;
            vec![
                (keys::observation(&id), value.clone()),
                (keys::admitted(&disclosure.edition, &id), value),
            ]
        }
        Body::Decided(decided) => vec![
            (keys::class(&decided.decision.class_key), value.clone()),
            (keys::decision(&decided.decision.digest()), value),
        ],
        Body::Disclosed(disclosed) => {
            let disclosure = own_disclosure(&disclosed.disclosure)?;
            let outbox = BoxKey::new(&disclosure.partnership, &disclosure.recipient);
            vec![
                (keys::outbox_item(&outbox, disclosed.seq), value.clone()),
                (keys::pair(&disclosure.observation, &outbox), value),
                (keys::undecided(&outbox, &disclosure.observation), None),
            ]
        }
        Body::Withheld(withheld) => {
            let outbox = BoxKey::new(&withheld.partnership, &withheld.recipient);
            let undecided = withheld.undecided.then(|| index.to_be_bytes().to_vec());
            vec![
                (keys::pair(&withheld.observation, &outbox), value),
                (keys::undecided(&outbox, &withheld.observation), undecided),
            ]
        }
        Body::Withdrawn(withdrawn) => {
            let outbox = BoxKey::new(&withdrawn.partnership, &withdrawn.recipient);
            let undecided = withdrawn.undecided.then(|| index.to_be_bytes().to_vec());
            vec![
                (keys::withdrawn(&outbox, withdrawn.seq), value),
                (keys::undecided(&outbox, &withdrawn.observation), undecided),
            ]
        }
        Body::Opened(_)
        | Body::KeyCertified(_)
        | Body::PartnershipEdition(_)
        | Body::PartnershipDeclined(_)
        | Body::ProfileActivated(_)
        | Body::TaxonomyActivated(_)
        | Body::LimitsSet(_) => vec![(keys::control(index), value)],
        Body::Refused(_) | Body::Acknowledged(_) | Body::Unread { .. } => Vec::new(),
    };
    Ok(items)
}
