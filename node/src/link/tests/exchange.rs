//! Both ends against each other, with what a driver does between them: cuts, crashes before a commit, lost stores.

use super::super::{
    ASK_AGAIN_SECONDS, Arrived, Frame, Outgoing, Parties, Received, Receiver, Sender, SenderOutput,
    UNACKNOWLEDGED_ITEMS_MAX,
};
use super::{GROUNDS, RECIPIENT_STORE, SENDER_STORE, bytes, parties, parts};
use crate::link::{AcknowledgementReach, Inbox, pack_readings};
use ambit_ledger::{
    Acknowledgement, Certificate, Chain, Digest, DisclosureId, ItemBody, KeyPurpose, Keyring,
    ObservationId, Outcome, RefusalCode, Salt, SecretKey, Time,
};
use proptest::prelude::*;
use std::collections::{BTreeMap, VecDeque};

#[derive(Clone, Copy, Debug)]
enum Step {
    Grow(u8),
    ToRecipient(u8),
    ToSender(u8),
    Resolve(u8),
    Commit,
    Acknowledge,
    /// The recipient judges by something else, an hour later.
    Change,
    Cut,
    LoseStore,
}

fn steps() -> impl Strategy<Value = Vec<(Step, u8)>> {
    let step = prop_oneof![
        6 => (1..40_u8).prop_map(Step::Grow),
        20 => (1..50_u8).prop_map(Step::ToRecipient),
        20 => (1..9_u8).prop_map(Step::ToSender),
        20 => (1..50_u8).prop_map(Step::Resolve),
        20 => Just(Step::Commit),
        10 => Just(Step::Acknowledge),
        3 => Just(Step::Change),
        4 => Just(Step::Cut),
        1 => Just(Step::LoseStore),
    ];
    prop::collection::vec((step, any::<u8>()), 1..150)
}

/// What both nodes have on their disks, what is in their memory, and what is between them.
struct World {
    /// Decides at random what is withdrawn and refused.
    dice: u8,
    key: SecretKey,
    keyring: Keyring,

    /// Whether each was withdrawn, from sequence number 1 on.
    outbox: Vec<bool>,
    acknowledged: Option<AcknowledgementReach>,
    /// Up to where it went through what was asked for, by the number of the code.
    gone_through: BTreeMap<u16, u64>,
    sender: Sender,

    /// How many stores there were, the sender's included.
    stores: u8,
    incarnation: Salt,
    inbox: Option<Inbox>,
    grounds: Digest,
    now: Time,
    taken: Vec<(ItemBody, Outcome)>,
    receiver: Option<Receiver>,
    pending: VecDeque<(u64, ItemBody)>,
    resolved: Vec<(ItemBody, Outcome)>,
    resolved_inbox: Option<Inbox>,

    to_recipient: VecDeque<Vec<u8>>,
    to_sender: VecDeque<Vec<u8>>,
}

impl World {
    fn new() -> Self {
        let recipient = parties().recipient;
        let root = SecretKey::from_seed(&[7; 32]);
        let key = SecretKey::from_seed(&[8; 32]);
        let certificate = Certificate {
            subject: recipient.clone(),
            root: root.public(),
            purpose: KeyPurpose::Statement,
            key: key.public(),
            not_before: Time::EARLIEST,
            not_after: None,
        };
        let mut keyring = Keyring::new();
        keyring.trust(recipient, root.public().fingerprint(), Time::EARLIEST);
        keyring.certify(&certificate.sign(&root, &key)).unwrap();
        Self {
            dice: 0,
            key,
            keyring,
            outbox: Vec::new(),
            acknowledged: None,
            gone_through: BTreeMap::new(),
            sender: Sender::open(parties(), SENDER_STORE, None, 0),
            stores: 2,
            incarnation: RECIPIENT_STORE,
            inbox: None,
            grounds: GROUNDS,
            now: "2026-05-01T08:00:00Z".parse().unwrap(),
            taken: Vec::new(),
            receiver: None,
            pending: VecDeque::new(),
            resolved: Vec::new(),
            resolved_inbox: None,
            to_recipient: VecDeque::new(),
            to_sender: VecDeque::new(),
        }
    }

    fn run(&mut self, step: Step) {
        match step {
            Step::Grow(count) => {
                self.outbox
                    .extend(std::iter::repeat_n(false, usize::from(count)));
                self.sender.outbox_grew(self.last());
            }
            Step::ToRecipient(count) => (0..count).for_each(|_| self.carry_to_recipient()),
            Step::ToSender(count) => (0..count).for_each(|_| self.carry_to_sender()),
            Step::Resolve(count) => (0..count).for_each(|_| self.resolve()),
            Step::Commit => self.commit(),
            Step::Acknowledge => self.acknowledge(),
            Step::Change => {
                // Never the same as before.
                self.grounds = Digest::of(self.grounds.as_bytes());
                self.now = self.now.plus_seconds(ASK_AGAIN_SECONDS);
                if let Some(receiver) = &mut self.receiver {
                    receiver.set_grounds(self.grounds);
                }
                self.ask();
            }
            Step::Cut => self.cut(),
            Step::LoseStore => {
                self.stores += 1;
                self.incarnation = Salt::from_bytes([self.stores; 32]);
                self.inbox = None;
                self.gone_through.clear();
                self.taken.clear();
                self.cut();
            }
        }
        self.drain_sender();
    }

    fn last(&self) -> u64 {
        self.outbox.len().try_into().unwrap()
    }

    /// Both processes start again from their disks.
    fn cut(&mut self) {
        self.to_recipient.clear();
        self.to_sender.clear();
        self.receiver = None;
        self.pending.clear();
        self.resolved.clear();
        self.resolved_inbox = None;
        let last = self.last();
        self.sender = Sender::open(parties(), SENDER_STORE, self.acknowledged.clone(), last);
    }

    fn body(&self, seq: u64) -> ItemBody {
        let [observation, disclosure, _] = parts(seq);
        if self.outbox[usize::try_from(seq).unwrap() - 1] {
            return ItemBody::Tombstone;
        }
        ItemBody::Item {
            observation: ObservationId::of(&observation),
            disclosure: DisclosureId::of(&disclosure),
        }
    }

    fn drain_sender(&mut self) {
        while let Some(output) = self.sender.poll() {
            match output {
                SenderOutput::Send(frame) => self.to_recipient.push_back(bytes(&frame)),
                SenderOutput::NeedBodies { from, upto } => {
                    let bodies = (from..=upto).map(|seq| self.body(seq)).collect();
                    self.sender.supply_bodies(bodies);
                }
                SenderOutput::NeedItem { seq } => self.supply(seq),
                SenderOutput::Acknowledgement { statement } => self.take_statement(&statement),
                SenderOutput::Rejected { code, .. } => {
                    let codes = [RefusalCode::NotAdmissible, RefusalCode::Undecided];
                    assert!(codes.contains(&code), "{code}");
                }
                SenderOutput::Again { code, upto } => self.go_through(code, upto),
                SenderOutput::Opened { .. }
                | SenderOutput::StartsOver { .. }
                | SenderOutput::Acked { .. } => {}
                SenderOutput::EditionDiffers { .. }
                | SenderOutput::Control(_)
                | SenderOutput::NoCommonVersion
                | SenderOutput::Stalled
                | SenderOutput::Diverged(_) => panic!("{output:?}"),
            }
            assert!(self.sender.in_flight() <= UNACKNOWLEDGED_ITEMS_MAX);
        }
    }

    fn supply(&mut self, seq: u64) {
        let withdraws = (seq + u64::from(self.dice)).is_multiple_of(7);
        // Once withdrawn, always withdrawn: the entry is in the ledger.
        self.outbox[usize::try_from(seq).unwrap() - 1] |= withdraws;
        let [observation, disclosure, readings] = parts(seq);
        self.sender.supply_item(match self.body(seq) {
            ItemBody::Tombstone => Outgoing::Tombstone,
            ItemBody::Item { .. } => Outgoing::Item {
                observation,
                disclosure,
                readings: pack_readings(&readings),
                is_packed: true,
                evidence: Vec::new(),
            },
        });
    }

    fn take_statement(&mut self, statement: &[u8]) {
        let statement = Acknowledgement::verify(statement, &self.keyring).unwrap();
        let acknowledged = self.sender.acknowledge(&statement).unwrap();
        match self.dice % 4 {
            // It crashes before the commit, or before it says so.
            0 => self.cut(),
            1 => {
                self.acknowledged = Some(acknowledged);
                self.cut();
            }
            _ => {
                self.acknowledged = Some(acknowledged.clone());
                self.sender.acknowledgement_committed(&acknowledged);
            }
        }
    }

    fn go_through(&mut self, code: RefusalCode, upto: u64) {
        let known = self.acknowledged.as_ref().map_or(0, |known| known.upto);
        assert!(upto <= known, "asked for what the sender does not know of");
        if self.dice % 5 == 1 {
            // It crashes before that is committed.
            return self.cut();
        }
        let before = self.gone_through.entry(code.number()).or_default();
        *before = upto.max(*before);
    }

    /// As the driver does: at the begin of a link, when something changed, and when something was confirmed.
    fn ask(&mut self) {
        let has_uncommitted = self.resolved_inbox.is_some();
        let Some(receiver) = self.receiver.as_mut().filter(|_| !has_uncommitted) else {
            return;
        };
        let Some(asks) = receiver.ask_again(self.now) else {
            return;
        };
        if let Some(inbox) = asks.inbox {
            self.inbox = Some(inbox);
            if self.dice.is_multiple_of(3) {
                // It crashes before it says so.
                return self.cut();
            }
        }
        self.to_sender.extend(asks.frames.iter().map(bytes));
    }

    fn carry_to_sender(&mut self) {
        if let Some(frame) = self.to_sender.pop_front() {
            self.sender.receive(Arrived::read(&frame));
            self.drain_sender();
        }
    }

    fn carry_to_recipient(&mut self) {
        let Some(frame) = self.to_recipient.pop_front() else {
            return;
        };
        let Some(receiver) = &mut self.receiver else {
            let Frame::Hello { hello } = Frame::decode(&frame).unwrap() else {
                panic!("a hello comes first");
            };
            let inbox = self.inbox.clone();
            let accepted = Receiver::accept(
                parties(),
                self.incarnation,
                inbox,
                self.grounds,
                true,
                &hello,
            )
            .unwrap();
            assert_eq!(accepted.divergence, None);
            self.to_sender.push_back(bytes(&accepted.answer));
            self.receiver = Some(accepted.receiver);
            return self.ask();
        };
        match receiver.receive(Arrived::read(&frame)) {
            Received::Take(item) => self.pending.push_back((item.seq, item.body)),
            Received::Withdrawn { seq } => self.pending.push_back((seq, ItemBody::Tombstone)),
            Received::Confirmed { reply, .. } => {
                self.to_sender.extend(reply.as_ref().map(bytes));
                self.ask();
            }
            other @ (Received::Reply(_)
            | Received::Kept
            | Received::Control(_)
            | Received::Rejected { .. }) => panic!("{other:?}"),
        }
    }

    fn resolve(&mut self) {
        let Some((seq, body)) = self.pending.pop_front() else {
            return;
        };
        let outcome = match body {
            ItemBody::Tombstone => Outcome::Noted,
            ItemBody::Item { .. } if (seq + u64::from(self.dice)).is_multiple_of(5) => {
                Outcome::Refused(RefusalCode::NotAdmissible)
            }
            ItemBody::Item { .. } if (seq + u64::from(self.dice)).is_multiple_of(11) => {
                Outcome::SetAside(RefusalCode::Undecided)
            }
            ItemBody::Item { .. } => Outcome::Admitted,
        };
        let receiver = self.receiver.as_mut().unwrap();
        self.resolved_inbox = Some(receiver.resolve(outcome).unwrap());
        self.resolved.push((body, outcome));
    }

    fn commit(&mut self) {
        let Some(inbox) = self.resolved_inbox.take() else {
            return;
        };
        self.taken.append(&mut self.resolved);
        assert_eq!(u64::try_from(self.taken.len()).unwrap(), inbox.cursor);
        let receiver = self.receiver.as_mut().unwrap();
        let frames = receiver.committed(inbox.cursor);
        self.to_sender.extend(frames.iter().map(bytes));
        self.inbox = Some(inbox);
    }

    fn acknowledge(&mut self) {
        let Some(receiver) = &mut self.receiver else {
            return;
        };
        if let Some(due) = receiver.acknowledgement_due(Time::EARLIEST) {
            let frame = receiver.acknowledgement_signed(&due, due.sign(&self.key));
            self.to_sender.push_back(bytes(&frame));
        }
    }

    /// Up to where the recipient asked, by the number of the code.
    fn asked(&self) -> BTreeMap<u16, u64> {
        let asked = self.inbox.iter().flat_map(|inbox| &inbox.asked);
        asked.map(|(code, asked)| (*code, asked.upto)).collect()
    }

    /// Nothing breaks any more until nothing is left to do.
    fn settle(&mut self) {
        self.dice = 2;
        self.drain_sender();
        for _ in 0..10_000 {
            self.run(Step::ToRecipient(u8::MAX));
            self.run(Step::Resolve(u8::MAX));
            self.run(Step::Commit);
            self.run(Step::Acknowledge);
            self.run(Step::ToSender(u8::MAX));
            let is_acknowledged =
                self.acknowledged.as_ref().map_or(0, |known| known.upto) == self.last();
            let is_quiet = self.to_recipient.is_empty() && self.to_sender.is_empty();
            if self.sender.is_open() && is_acknowledged && is_quiet {
                return;
            }
        }
        panic!("the two do not come to rest");
    }

    fn audit(&mut self) {
        assert_eq!(self.taken.len(), self.outbox.len());
        let parties: Parties = parties();
        let start = parties.start(&self.incarnation);
        let (mut bodies, mut outcomes): (Chain, Chain) = (start, start);
        for (seq, (body, outcome)) in (1..).zip(&self.taken) {
            assert_eq!(*body, self.body(seq), "{seq} is what was sent");
            bodies = bodies.with_body(seq, body);
            outcomes = outcomes.with_outcome(seq, &body.digest(), *outcome);
        }
        let Some(inbox) = &self.inbox else {
            assert_eq!(self.outbox.len(), 0);
            return;
        };
        assert_eq!(inbox.bodies, bodies.digest());
        assert_eq!(inbox.outcomes, outcomes.digest());
        let expected = AcknowledgementReach {
            incarnation: self.incarnation,
            upto: self.last(),
            bodies: bodies.digest(),
            outcomes: outcomes.digest(),
        };
        assert_eq!(self.acknowledged, Some(expected));
        // The recipient knows that the sender has it all, and forgets the refusals with its next commit.
        self.cut();
        self.run(Step::Grow(1));
        self.settle();
        let inbox = self.inbox.as_ref().unwrap();
        assert_eq!(inbox.signed, inbox.cursor - 1);
        assert!(inbox.refused.len() + inbox.set_aside.len() <= 1);
        self.audit_asks();
    }

    /// Whatever was asked for came to be gone through; and what was not taken is asked for, once its grounds change.
    fn audit_asks(&mut self) {
        assert_eq!(self.gone_through, self.asked());
        self.run(Step::Change);
        self.settle();
        assert_eq!(self.gone_through, self.asked());
        assert_eq!(self.inbox.as_ref().unwrap().untaken, BTreeMap::new());
        for (seq, (_, outcome)) in (1..).zip(&self.taken) {
            if let Outcome::Refused(code) | Outcome::SetAside(code) = outcome {
                let upto = self.gone_through.get(&code.number());
                assert!(upto.is_some_and(|upto| *upto >= seq), "{seq}: {code}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]
    #[test]
    fn every_item_arrives_once_in_order_whatever_breaks(steps in steps()) {
        let mut world = World::new();
        for (step, dice) in steps {
            world.dice = dice;
            world.run(step);
        }
        world.settle();
        world.audit();
    }
}

#[test]
fn refusals_outlive_a_lost_acknowledgement() {
    let mut world = World::new();
    world.dice = 2;
    world.run(Step::Grow(20));
    world.run(Step::ToRecipient(9));
    world.run(Step::ToSender(9));
    world.run(Step::ToRecipient(9));
    world.run(Step::Resolve(9));
    world.run(Step::Commit);
    world.run(Step::Acknowledge);
    world.run(Step::ToRecipient(5));
    world.run(Step::Resolve(5));
    world.run(Step::Commit);
    assert!(
        world
            .taken
            .iter()
            .any(|(_, outcome)| matches!(outcome, Outcome::Refused(_)))
    );
    world.run(Step::Cut);
    world.settle();
    world.audit();
}

#[test]
fn a_store_restored_from_an_old_copy_stops_the_link() {
    for is_sender in [true, false] {
        let mut world = World::new();
        world.dice = 2;
        world.run(Step::Grow(20));
        world.settle();
        let old_inbox = world.inbox.clone();
        world.run(Step::Grow(20));
        world.settle();
        if is_sender {
            world.outbox.truncate(30);
        } else {
            world.inbox = old_inbox;
        }
        let known = if is_sender {
            None
        } else {
            world.acknowledged.clone()
        };
        let mut sender = Sender::open(parties(), SENDER_STORE, known, world.last());
        let Some(SenderOutput::Send(Frame::Hello { hello })) = sender.poll() else {
            panic!("a hello comes first");
        };
        let inbox = world.inbox.clone();
        let accepted =
            Receiver::accept(parties(), RECIPIENT_STORE, inbox, GROUNDS, true, &hello).unwrap();
        assert!(accepted.divergence.is_some());
        sender.receive(Arrived::read(&bytes(&accepted.answer)));
        assert!(matches!(sender.poll(), Some(SenderOutput::Diverged(_))));
    }
}
