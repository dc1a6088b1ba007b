//! What a store holds after some commits, found without the store, and the comparison item by item.

use super::super::held_record::HeldRecord;
use super::super::journal::{Journal, Salvaged};
use super::super::packs;
use super::super::parts::Part;
use super::super::records::AcknowledgedAt;
use super::super::{BoxKey, Commit, Outbox, Store, Write, keys};
use super::finding::{Held, compare_expiring, compare_found};
use crate::link::Inbox;
use crate::store::database::Database;
use ambit_ledger::{
    Acknowledgement, Admitted, Body, Digest, Disclosed, Disclosure, Facts, Name, ObservationId,
    Observed, OfferedAgain, Time, leaf_hash,
};
use serde_bytes::ByteBuf;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What a store holds after these commits, in this order.
#[derive(Default)]
pub(super) struct Model {
    /// Who wrote each entry, when, and what, with key slot 0.
    pub(super) entries: Vec<(Name, Time, Body)>,
    /// The index entries of each commit.
    pub(super) done: Vec<Vec<u64>>,
    pub(super) outboxes: BTreeMap<BoxKey, Outbox>,
    pub(super) inboxes: BTreeMap<BoxKey, Inbox>,
    readings: BTreeMap<u64, (ObservationId, Vec<u8>)>,
    indexes: BTreeMap<Vec<u8>, u64>,
    outcomes: BTreeMap<(ObservationId, BoxKey), u64>,
    withheld: BTreeMap<(BoxKey, Option<Digest>), Vec<u64>>,
    blobs: BTreeMap<Digest, Vec<u8>>,
    held: Vec<Held>,
    /// Until when what is in an entry is held, where that was said.
    expiring: Vec<(Time, u64)>,
}

impl Model {
    pub(super) fn of<'a>(commits: impl IntoIterator<Item = &'a Commit>) -> Self {
        let mut model = Self::default();
        for commit in commits {
            let from = model.size();
            for write in &commit.writes {
                model.write(commit, write);
            }
            model.done.push((from..model.size()).collect());
        }
        model
    }

    fn size(&self) -> u64 {
        u64::try_from(self.entries.len()).unwrap()
    }

    fn write(&mut self, commit: &Commit, write: &Write) {
        let index = self.size();
        let body = match write {
            Write::Entry(body) => body.clone(),
            Write::Observed {
                id,
                is_new: _,
                facts,
                elements,
                statement,
                readings,
                import,
            } => {
                self.readings.insert(index, (*id, readings.clone()));
                self.hold(index, *id, facts, elements);
                Body::Observed(Observed {
                    observation: ByteBuf::from(statement.clone()),
                    slot: 0,
                    import: *import,
                })
            }
            Write::Admitted {
                id,
                edition: _,
                facts,
                elements,
                statement,
                disclosure,
                hold_until,
                decision,
                seq,
                readings,
            } => {
                self.readings.insert(index, (*id, readings.clone()));
                self.hold(index, *id, facts, elements);
                let held = self.held.iter().find(|held| held.id == *id).unwrap();
                self.expiring.push((*hold_until, held.index));
                Body::Admitted(Admitted {
                    observation: ByteBuf::from(statement.clone()),
                    disclosure: ByteBuf::from(disclosure.clone()),
                    decisions: [*decision].into(),
                    evidence: [].into(),
                    seq: *seq,
                    slot: 0,
                })
            }
            Write::Disclosed {
                outbox,
                observation: _,
                statement,
            } => {
                let state = self.outboxes.get_mut(outbox).unwrap();
                state.last += 1;
                Body::Disclosed(Disclosed {
                    disclosure: ByteBuf::from(statement.clone()),
                    seq: state.last,
                    evidence: [].into(),
                })
            }
            Write::OfferedAgain { outbox, offer } => {
                let state = self.outboxes.get_mut(outbox).unwrap();
                state.last += 1;
                Body::OfferedAgain(OfferedAgain {
                    seq: state.last,
                    ..offer.clone()
                })
            }
            Write::Blob(bytes) => {
                self.blobs.insert(Digest::of(bytes), bytes.clone());
                return;
            }
            Write::OpenOutbox {
                partnership,
                recipient,
            } => {
                let key = BoxKey::new(partnership, recipient);
                self.outboxes.entry(key).or_insert_with(|| Outbox {
                    partnership: partnership.clone(),
                    recipient: recipient.clone(),
                    last: 0,
                    judged: 0,
                    offered: 0,
                    acknowledged: None,
                    acknowledged_at: None,
                    untaken: BTreeMap::new(),
                    asked_for: BTreeMap::new(),
                });
                return;
            }
            Write::Judged { outbox, upto } => {
                self.outboxes.get_mut(outbox).unwrap().judged = upto.unwrap_or(index);
                return;
            }
            Write::Offered { outbox, upto } => {
                self.outboxes.get_mut(outbox).unwrap().offered = *upto;
                return;
            }
            Write::OutboxAcknowledged {
                outbox,
                upto,
                at,
                untaken,
            } => {
                let state = self.outboxes.get_mut(outbox).unwrap();
                let by = upto.incarnation;
                state.acknowledged_at = at.map(|at| AcknowledgedAt { at, by });
                state.acknowledged = Some(upto.clone());
                for (code, more) in untaken {
                    *state.untaken.entry(*code).or_default() += more;
                }
                return;
            }
            Write::AskedFor {
                outbox,
                code,
                asked,
                newly,
            } => {
                let state = self.outboxes.get_mut(outbox).unwrap();
                state.asked_for.insert(*code, *asked);
                if let Some(count) = state.untaken.get_mut(code) {
                    *count = count.saturating_sub(*newly);
                }
                state
                    .untaken
                    .retain(|known, count| known != code || *count > 0);
                return;
            }
            Write::Inbox(inbox) => {
                let key = BoxKey::new(&inbox.partnership, &inbox.sender);
                self.inboxes.insert(key, inbox.clone());
                return;
            }
        };
        self.index(index, &body);
        let before = self.entries.last().map_or(commit.now, |(_, time, _)| *time);
        let time = commit.now.max(before);
        self.entries.push((commit.actor.clone(), time, body));
    }

    fn index(&mut self, index: u64, body: &Body) {
        match body {
            Body::Observed(observed) => {
                let id = ObservationId::of(&observed.observation);
                self.indexes.entry(keys::observation(&id)).or_insert(index);
                if let Some(import) = &observed.import {
                    self.indexes.insert(keys::import(import), index);
                }
            }
            Body::Admitted(admitted) => {
                let id = ObservationId::of(&admitted.observation);
                let disclosure = Disclosure::from_own_ledger(&admitted.disclosure).unwrap();
                self.indexes.entry(keys::observation(&id)).or_insert(index);
                let key = keys::admitted(&disclosure.edition, &id);
                self.indexes.insert(key, index);
            }
            Body::Decided(decided) => {
                let decision = &decided.decision;
                self.indexes.insert(keys::class(&decision.class_key), index);
                self.indexes
                    .insert(keys::decision(&decision.digest()), index);
            }
            Body::Disclosed(disclosed) => {
                let disclosure = Disclosure::from_own_ledger(&disclosed.disclosure).unwrap();
                let outbox = BoxKey::new(&disclosure.partnership, &disclosure.recipient);
                let item = keys::outbox_item(&outbox, disclosed.seq);
                self.indexes.insert(item, index);
                self.say(&disclosure.observation, &outbox, index);
            }
            Body::OfferedAgain(offer) => {
                let outbox = BoxKey::new(&offer.partnership, &offer.recipient);
                self.indexes
                    .insert(keys::outbox_item(&outbox, offer.seq), index);
                self.indexes
                    .insert(keys::offered(&offer.first, offer.seq), index);
            }
            Body::Withheld(withheld) => {
                let outbox = BoxKey::new(&withheld.partnership, &withheld.recipient);
                self.say(&withheld.observation, &outbox, index);
                self.withhold(&outbox, withheld.decision.as_ref(), index);
            }
            Body::Withdrawn(withdrawn) => {
                let outbox = BoxKey::new(&withdrawn.partnership, &withdrawn.recipient);
                let item = keys::withdrawn(&outbox, withdrawn.seq);
                self.indexes.insert(item, index);
                self.say(&withdrawn.observation, &outbox, index);
                self.withhold(&outbox, withdrawn.grounds.decision().as_ref(), index);
            }
            Body::Opened(_) => {
                self.indexes.insert(keys::control(index), index);
            }
            Body::Acknowledged(acknowledged) => {
                let stated =
                    Acknowledgement::from_own_ledger(&acknowledged.acknowledgement).unwrap();
                let outbox = BoxKey::new(&stated.partnership, &stated.recipient);
                let key = keys::acknowledged(&outbox, &stated.incarnation, stated.upto);
                self.indexes.insert(key, index);
                for refused in stated
                    .refused
                    .iter()
                    .filter(|item| item.code.may_come_again())
                {
                    let key = keys::untaken(&outbox, refused.code.number(), index);
                    self.indexes.insert(key, index);
                }
            }
            Body::Refused(_) => {}
            other => panic!("the workload has no {other:?}"),
        }
    }

    fn say(&mut self, id: &ObservationId, outbox: &BoxKey, index: u64) {
        self.indexes.insert(keys::outcome(id, outbox, index), index);
        self.outcomes.insert((*id, *outbox), index);
    }

    fn withhold(&mut self, outbox: &BoxKey, decision: Option<&Digest>, index: u64) {
        let key = keys::withheld(outbox, decision, index);
        self.indexes.insert(key, index);
        let because = (*outbox, decision.copied());
        self.withheld.entry(because).or_default().push(index);
    }

    /// What comes once more is found by its first entry.
    fn hold(&mut self, index: u64, id: ObservationId, facts: &Facts, elements: &[(Name, Time)]) {
        if self.held.iter().all(|held| held.id != id) {
            self.held.push(Held {
                index,
                id,
                facts: facts.clone(),
                elements: elements.to_vec(),
            });
        }
    }

    /// Compares all that a store holds. `used` are the slots seen on the disk earlier.
    #[track_caller]
    pub(super) fn compare(&self, store: &Store, used: &UsedSlots) {
        self.compare_entries(store, used);
        self.compare_records(store);
        compare_found(&self.held, store);
        compare_expiring(&self.expiring, store);
        assert_eq!(store.shared.published().outboxes, self.outboxes);
        assert_eq!(store.shared.published().inboxes, self.inboxes);
        for (digest, bytes) in &self.blobs {
            assert_eq!(store.blob(digest).unwrap().as_ref(), Some(bytes));
        }
        for outbox in self.outboxes.keys() {
            let decisions = store.withholding_decisions(outbox).unwrap();
            let of_outbox = self.withheld.keys().filter(|(of, _)| of == outbox);
            let expected: Vec<_> = of_outbox.map(|(_, decision)| *decision).collect();
            assert_eq!(decisions, expected);
            for decision in decisions {
                let listed = store
                    .withheld_because(outbox, decision.as_ref(), 0)
                    .unwrap();
                let listed: Vec<u64> = listed.map(Result::unwrap).collect();
                assert_eq!(listed, self.withheld[&(*outbox, decision)]);
            }
        }
        for ((id, outbox), index) in &self.outcomes {
            assert_eq!(store.outcome_for(id, outbox).unwrap(), Some(*index));
        }
    }

    #[track_caller]
    fn compare_entries(&self, store: &Store, used: &UsedSlots) {
        assert_eq!(store.size(), self.size());
        let mut slots = BTreeSet::new();
        let mut leaves = Vec::new();
        for (recorded, (actor, time, body)) in
            store.entries(0, u64::MAX).zip(self.entries.iter().cloned())
        {
            let recorded = recorded.unwrap();
            leaves.push(leaf_hash(&recorded.bytes));
            let index = recorded.index;
            assert_eq!((recorded.entry.actor, recorded.entry.time), (actor, time));
            let mut found = recorded.body;
            if let Body::Observed(Observed { slot, .. }) | Body::Admitted(Admitted { slot, .. }) =
                &mut found
            {
                assert!(slots.insert(*slot), "slot {slot} is used twice");
                assert!(
                    *slot < store.shared.published().head.slot,
                    "slot {slot} is free"
                );
                let (id, readings) = &self.readings[&index];
                assert_eq!(&store.readings(index, id).unwrap(), readings);
                *slot = 0;
            }
            assert!(found == body, "entry {index}: {found:?} is not {body:?}");
        }
        let (size, root) = store.tree_head();
        assert_eq!(size, u64::try_from(leaves.len()).unwrap());
        assert_eq!(root, ambit_ledger::root(&leaves));
        for (slot, block) in UsedSlots::of(&store.shared.database).0 {
            let before = used.0.get(&slot);
            assert!(
                before.is_none_or(|before| *before == block),
                "slot {slot} was used before, by what never counted"
            );
        }
    }

    /// Every record of the database is there for a reason.
    #[track_caller]
    fn compare_records(&self, store: &Store) {
        let mut indexes = BTreeMap::new();
        let (mut entries, mut readings) = (BTreeMap::new(), BTreeMap::new());
        let (mut listed, mut latest, mut expiring) = (0, 0, 0);
        for pair in store.shared.database.scan(&[]) {
            let (key, value) = pair.unwrap();
            let number = |bytes: &[u8]| u64::from_be_bytes(bytes.try_into().unwrap());
            let first = || number(&key[1..9]);
            match key[0] {
                b'e' => entries
                    .entry(first())
                    .or_insert_with(Vec::new)
                    .extend(value),
                b'r' => readings
                    .entry(first())
                    .or_insert_with(Vec::new)
                    .extend(value),
                // What was cut off may leave blobs behind: they are named by their content.
                b'h' | b'b' | b's' | b'a' => {}
                b'l' | b't' => listed += value.len() / 8,
                b'q' => expiring += value.len() / 8,
                b'y' => latest += 1,
                b'o' => {
                    let (outbox, seq) = key.split_last_chunk::<8>().unwrap();
                    for (seq, index) in (u64::from_be_bytes(*seq)..).zip(value.chunks(8)) {
                        let key = [outbox, &seq.to_be_bytes()].concat();
                        indexes.insert(key, number(index));
                    }
                }
                b'i' => {
                    let held = HeldRecord::parse(&value).unwrap();
                    let id = ObservationId::from_digest(Digest::try_from(&key[1..]).unwrap());
                    for (outbox, index) in held.became {
                        indexes.insert(keys::outcome(&id, &outbox, index), index);
                    }
                    indexes.insert(key, held.index);
                }
                b'u' => {
                    let (because, _) = key.split_last_chunk::<8>().unwrap();
                    for index in value.chunks(8) {
                        indexes.insert([because, index].concat(), number(index));
                    }
                }
                b'v' => {
                    assert!(value.is_empty());
                    let index = number(key.last_chunk::<8>().unwrap());
                    indexes.insert(key, index);
                }
                _ => {
                    indexes.insert(key, number(&value));
                }
            }
        }
        let numbers = |found: BTreeMap<u64, Vec<u8>>| -> Vec<u64> {
            let of_pack = |(first, pack): (u64, Vec<u8>)| {
                let items: Vec<u64> = packs::items(&pack).map(|(index, _)| index).collect();
                assert_eq!(items.first(), Some(&first));
                items
            };
            found.into_iter().flat_map(of_pack).collect()
        };
        let (entries, readings) = (numbers(entries), numbers(readings));
        assert_eq!(entries, (0..self.size()).collect::<Vec<_>>());
        assert_eq!(readings, self.readings.keys().copied().collect::<Vec<_>>());
        // Only what differs is worth reading.
        let missing: Vec<_> = self
            .indexes
            .iter()
            .filter(|(key, index)| indexes.get(*key) != Some(*index))
            .collect();
        let more: Vec<_> = indexes
            .iter()
            .filter(|(key, index)| self.indexes.get(*key) != Some(*index))
            .collect();
        assert!(
            missing.is_empty() && more.is_empty(),
            "missing {missing:?}, more {more:?}"
        );
        assert_eq!(listed, self.held.iter().map(Held::lists).sum::<usize>());
        let paths = self.held.iter().flat_map(|held| &held.elements);
        let paths: BTreeSet<&Name> = paths.map(|(path, _)| path).collect();
        assert_eq!(latest, paths.len());
        assert_eq!(expiring, self.expiring.len());
    }
}

/// The slots that readings on the disk are sealed with, counting or not, and what tells the sealed blocks apart.
#[derive(Default)]
pub(super) struct UsedSlots(BTreeMap<u64, Digest>);

impl UsedSlots {
    fn of(database: &Database) -> Self {
        let mut used = BTreeMap::new();
        for pair in database.scan(&keys::readings(0)[..1]) {
            let (key, value) = pair.unwrap();
            if !key.ends_with(&[0, 0]) {
                continue;
            }
            // An item that goes on in other chunks is told apart by its slot and nonce as well.
            let mut rest = &value[..];
            while rest.len() >= 12 + 32 {
                let length = u32::from_be_bytes(rest[8..12].try_into().unwrap());
                let slot = u64::from_be_bytes(rest[12..20].try_into().unwrap());
                used.insert(slot, Digest::of(&rest[12..44]));
                rest = rest.get(12 + length as usize..).unwrap_or_default();
            }
        }
        Self(used)
    }

    /// Adds those of a home as a crash left it.
    pub(super) fn see(&mut self, home: &Path) {
        let Ok(found) = Journal::salvage(&home.join("journal")) else {
            return;
        };
        for found in found {
            let Salvaged::Group(group) = found.unwrap() else {
                continue;
            };
            for record in &group.records {
                if let Part::Readings(_, block) = Part::read(group.number, &record.bytes).unwrap() {
                    let slot = u64::from_be_bytes(*block.first_chunk().unwrap());
                    self.0.insert(slot, Digest::of(&block[..32]));
                }
            }
        }
    }
}
