//! Both machines against a peer that sends whatever it likes: nothing panics, and no promise is broken.

use super::super::divergence::is_out_of_step;
use super::super::{
    Arrived, CREDIT_ITEMS, Frame, Hello, Outgoing, Received, Receiver, Sender, SenderOutput,
    UNACKNOWLEDGED_ITEMS_MAX,
};
use super::{GROUNDS, RECIPIENT_STORE, SENDER_STORE, first_hello, parties, parts};
use ambit_ledger::{
    Acknowledgement, Chain, Digest, DisclosureId, ItemBody, ObservationId, Outcome, RefusalCode,
    RefusedItem, Salt, Time,
};
use proptest::prelude::*;

/// Small numbers around the limits, and some far away.
fn any_number() -> impl Strategy<Value = u64> {
    prop_oneof![8 => 0..6_u64, 4 => 60..70_u64, 2 => 250..260_u64, 1 => any::<u64>()]
}

fn any_digest() -> impl Strategy<Value = Digest> {
    let start = parties().start(&RECIPIENT_STORE).digest();
    prop_oneof![
        Just(start),
        any::<u8>().prop_map(|byte| Digest::from_bytes([byte; 32]))
    ]
}

fn any_code() -> impl Strategy<Value = RefusalCode> {
    prop::sample::select(RefusalCode::ALL.to_vec())
}

fn any_hello() -> impl Strategy<Value = Hello> {
    let store = prop_oneof![
        Just(SENDER_STORE),
        Just(RECIPIENT_STORE),
        Just(Salt::from_bytes([9; 32]))
    ];
    let chain = prop::option::of(any_digest());
    let known = prop::option::of(store.clone());
    (
        store,
        known,
        any_number(),
        chain,
        any::<u32>(),
        any::<bool>(),
    )
        .prop_map(
            |(incarnation, peer_incarnation, cursor, chain, credit, is_same)| Hello {
                edition: if is_same {
                    parties().edition
                } else {
                    Digest::of(b"another edition")
                },
                incarnation,
                peer_incarnation,
                cursor,
                chain,
                credit,
                ..first_hello()
            },
        )
}

fn any_frame() -> impl Strategy<Value = Frame> {
    let statement = || prop::collection::vec(any::<u8>(), 0..40);
    prop_oneof![
        any_hello().prop_map(|hello| Frame::Hello { hello }),
        (any_number(), any_digest()).prop_map(|(seq, chain)| {
            let [observation, disclosure, readings] = parts(seq);
            Frame::Item {
                seq,
                chain,
                observation,
                disclosure,
                readings,
            }
        }),
        (any_number(), any_digest()).prop_map(|(seq, chain)| Frame::Tombstone { seq, chain }),
        (any_number(), any_digest()).prop_map(|(upto, chain)| Frame::Ack { upto, chain }),
        any::<u32>().prop_map(|items| Frame::Credit { items }),
        (any_number(), any_code()).prop_map(|(seq, code)| Frame::Reject { seq, code }),
        statement().prop_map(|statement| Frame::Acknowledgement { statement }),
        (any::<u16>(), statement()).prop_map(|(kind, statement)| Frame::Control {
            kind: kind.into(),
            statement,
        }),
        (any_number(), statement()).prop_map(|(seq, statement)| Frame::Evidence {
            seq,
            statements: vec![statement.into()],
        }),
        (any_code(), any_number()).prop_map(|(code, upto)| Frame::Again { code, upto }),
    ]
}

fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
    let frame = any_frame().prop_map(|frame| frame.encode().unwrap());
    let garbage = prop::collection::vec(any::<u8>(), 0..60);
    prop_oneof![12 => frame, 1 => garbage]
}

#[derive(Clone, Debug)]
enum ToReceiver {
    /// What an honest sender would send next, so many times.
    Next(u8),
    Withdrawn,
    Any(Vec<u8>),
    /// Confirms what was signed last, or a place near it.
    Confirm(u64),
    Resolve(bool, RefusalCode),
    Commit,
    Sign,
}

fn any_to_receiver() -> impl Strategy<Value = ToReceiver> {
    prop_oneof![
        4 => (1..80_u8).prop_map(ToReceiver::Next),
        1 => Just(ToReceiver::Withdrawn),
        4 => any_bytes().prop_map(ToReceiver::Any),
        2 => (0..3_u64).prop_map(ToReceiver::Confirm),
        6 => (any::<bool>(), any_code()).prop_map(|(is_taken, code)| ToReceiver::Resolve(is_taken, code)),
        3 => Just(ToReceiver::Commit),
        2 => Just(ToReceiver::Sign),
    ]
}

/// A receiver, and what may be expected of it by what it was told.
struct Judge {
    receiver: Receiver,
    granted: u64,
    chain: Chain,
    /// What was taken, and which of it was a tombstone.
    taken: Vec<ItemBody>,
    /// How many of those were resolved, and how many committed.
    resolved: u64,
    committed: u64,
    refused: Vec<RefusedItem>,
    signed: u64,
    marks: Vec<(u64, Digest)>,
    confirmed: u64,
}

impl Judge {
    fn new() -> Self {
        let accepted = Receiver::accept(
            parties(),
            RECIPIENT_STORE,
            None,
            GROUNDS,
            true,
            &first_hello(),
        )
        .unwrap();
        let mut judge = Self {
            receiver: accepted.receiver,
            granted: 0,
            chain: parties().start(&RECIPIENT_STORE),
            taken: Vec::new(),
            resolved: 0,
            committed: 0,
            refused: Vec::new(),
            signed: 0,
            marks: Vec::new(),
            confirmed: 0,
        };
        judge.hear(&accepted.answer);
        judge
    }

    fn count(&self) -> u64 {
        u64::try_from(self.taken.len()).unwrap()
    }

    /// What the receiver says must be so.
    fn hear(&mut self, frame: &Frame) {
        match frame {
            Frame::Hello { hello } => self.granted += u64::from(hello.credit),
            Frame::Credit { items } => self.granted += u64::from(*items),
            Frame::Ack { upto, .. } => assert!(*upto <= self.committed, "acknowledged too much"),
            Frame::Reject { .. } => {}
            other => panic!("unasked: {other:?}"),
        }
        let allowed = (self.committed + u64::from(CREDIT_ITEMS))
            .min(self.confirmed + UNACKNOWLEDGED_ITEMS_MAX);
        assert!(self.granted <= allowed, "{} of {allowed}", self.granted);
    }

    fn bring(&mut self, bytes: &[u8]) {
        let next = self.count() + 1;
        match self.receiver.receive(Arrived::read(bytes)) {
            Received::Take(item) => {
                assert_eq!(item.seq, next);
                self.chain = self.chain.with_body(next, &item.body);
                self.taken.push(item.body);
            }
            Received::Withdrawn { seq } => {
                assert_eq!(seq, next);
                self.chain = self.chain.with_body(next, &ItemBody::Tombstone);
                self.taken.push(ItemBody::Tombstone);
            }
            Received::Reply(frame) => assert!(matches!(frame, Frame::Reject { .. })),
            Received::Confirmed { upto, reply } => {
                assert!(self.marks.iter().any(|(mark, _)| *mark == upto));
                self.marks.retain(|(mark, _)| *mark > upto);
                self.confirmed = upto;
                self.refused.retain(|refused| refused.seq > upto);
                if let Some(frame) = reply {
                    self.hear(&frame);
                }
            }
            Received::Kept | Received::Control(_) | Received::Rejected { .. } => {}
        }
        assert!(self.count() <= self.granted, "more was taken than granted");
        let pending = u64::try_from(self.receiver.pending()).unwrap();
        assert_eq!(pending, self.count() - self.resolved);
        assert!(pending <= u64::from(CREDIT_ITEMS));
    }

    fn run(&mut self, step: ToReceiver) {
        match step {
            ToReceiver::Next(times) => {
                for _ in 0..times {
                    let seq = self.count() + 1;
                    let [observation, disclosure, readings] = parts(seq);
                    let body = ItemBody::Item {
                        observation: ObservationId::of(&observation),
                        disclosure: DisclosureId::of(&disclosure),
                    };
                    let frame = Frame::Item {
                        seq,
                        chain: self.chain.with_body(seq, &body).digest(),
                        observation,
                        disclosure,
                        readings,
                    };
                    self.bring(&frame.encode().unwrap());
                }
            }
            ToReceiver::Withdrawn => {
                let seq = self.count() + 1;
                let chain = self.chain.with_body(seq, &ItemBody::Tombstone).digest();
                self.bring(&Frame::Tombstone { seq, chain }.encode().unwrap());
            }
            ToReceiver::Any(bytes) => self.bring(&bytes),
            ToReceiver::Confirm(more) => {
                let Some((upto, chain)) = self.marks.last().copied() else {
                    return;
                };
                let upto = upto + more;
                self.bring(&Frame::Ack { upto, chain }.encode().unwrap());
            }
            ToReceiver::Resolve(is_taken, code) => self.resolve(is_taken, code),
            ToReceiver::Commit => {
                self.committed = self.resolved;
                for frame in self.receiver.committed(self.resolved) {
                    self.hear(&frame);
                }
            }
            ToReceiver::Sign => self.sign(),
        }
    }

    fn resolve(&mut self, is_taken: bool, code: RefusalCode) {
        let place = usize::try_from(self.resolved).unwrap();
        let outcome = match self.taken.get(place) {
            Some(ItemBody::Tombstone) => Outcome::Noted,
            _ if is_taken => Outcome::Admitted,
            _ => Outcome::not_taken(code),
        };
        let is_of_the_link = matches!(outcome, Outcome::Refused(code) if is_out_of_step(code));
        let resolved = self.receiver.resolve(outcome);
        assert_eq!(
            resolved.is_ok(),
            place < self.taken.len() && !is_of_the_link
        );
        let Ok(inbox) = resolved else {
            return;
        };
        self.resolved += 1;
        assert!(self.resolved <= self.count(), "resolved what was not taken");
        assert_eq!(inbox.cursor, self.resolved);
        if let Outcome::Refused(code) | Outcome::SetAside(code) = outcome {
            let seq = self.resolved;
            self.refused.push(RefusedItem { seq, code });
        }
        let kept = u64::try_from(inbox.refused.len() + inbox.set_aside.len()).unwrap();
        assert!(kept <= UNACKNOWLEDGED_ITEMS_MAX);
    }

    fn sign(&mut self) {
        let now: Time = "2026-05-01T08:00:00Z".parse().unwrap();
        let Some(statement) = self.receiver.acknowledgement_due(now) else {
            return;
        };
        assert!(statement.upto <= self.committed && statement.upto > self.signed);
        let refused = self.refused.iter().copied();
        let stated = refused.filter(|one| one.seq <= statement.upto);
        let (set_aside, refused): (Vec<_>, Vec<_>) =
            stated.partition(|one| one.code.is_set_aside());
        assert_eq!(statement.refused, refused);
        assert_eq!(statement.set_aside, set_aside);
        let frame = self.receiver.acknowledgement_signed(&statement, vec![0xd2]);
        assert!(matches!(frame, Frame::Acknowledgement { .. }));
        self.signed = statement.upto;
        let places = self.taken.iter().zip(1..=statement.upto);
        let chain = places.fold(parties().start(&RECIPIENT_STORE), |chain, (body, seq)| {
            chain.with_body(seq, body)
        });
        self.marks.push((statement.upto, chain.digest()));
    }
}

#[derive(Clone, Debug)]
enum ToSender {
    Any(Vec<u8>),
    /// What an honest recipient would say: agreed, that it took so many, that so many more may come.
    Agree,
    Ack(u64),
    Credit(u32),
    Grow(u8),
    Acknowledge(u64, Vec<(u64, RefusalCode)>),
    Tick(u32),
}

fn any_to_sender() -> impl Strategy<Value = ToSender> {
    let refused = prop::collection::vec((0..8_u64, any_code()), 0..3);
    prop_oneof![
        6 => any_bytes().prop_map(ToSender::Any),
        2 => Just(ToSender::Agree),
        3 => (0..300_u64).prop_map(ToSender::Ack),
        3 => (0..200_u32).prop_map(ToSender::Credit),
        3 => any::<u8>().prop_map(ToSender::Grow),
        3 => (0..300_u64, refused).prop_map(|(upto, refused)| ToSender::Acknowledge(upto, refused)),
        1 => (0..200_u32).prop_map(ToSender::Tick),
    ]
}

/// A sender, and what may be expected of it.
struct Watched {
    sender: Sender,
    last: u64,
    granted: u64,
    sent: Vec<Chain>,
    covered: u64,
    now: Time,
}

impl Watched {
    fn run(&mut self, step: ToSender) {
        match step {
            ToSender::Any(bytes) => self.feed(&bytes),
            ToSender::Agree => {
                let hello = Hello {
                    incarnation: RECIPIENT_STORE,
                    peer_incarnation: Some(SENDER_STORE),
                    chain: Some(parties().start(&RECIPIENT_STORE).digest()),
                    credit: CREDIT_ITEMS,
                    ..first_hello()
                };
                self.feed(&Frame::Hello { hello }.encode().unwrap());
            }
            ToSender::Ack(upto) => {
                let place = usize::try_from(upto).unwrap();
                let chain = self
                    .sent
                    .get(place)
                    .map_or(parties().edition, Chain::digest);
                self.feed(&Frame::Ack { upto, chain }.encode().unwrap());
            }
            ToSender::Credit(items) => self.feed(&Frame::Credit { items }.encode().unwrap()),
            ToSender::Grow(by) => {
                self.last += u64::from(by);
                self.sender.outbox_grew(self.last);
                self.drain();
            }
            ToSender::Acknowledge(upto, refused) => self.acknowledge(upto, refused),
            ToSender::Tick(seconds) => {
                self.now = self.now.plus_seconds(seconds);
                self.sender.tick(self.now);
                self.drain();
            }
        }
        assert!(self.sender.in_flight() <= UNACKNOWLEDGED_ITEMS_MAX);
    }

    fn feed(&mut self, bytes: &[u8]) {
        match Frame::decode(bytes) {
            Ok(Frame::Hello { hello }) => self.granted += u64::from(hello.credit),
            Ok(Frame::Credit { items }) => self.granted += u64::from(items),
            _ => {}
        }
        self.sender.receive(Arrived::read(bytes));
        self.drain();
    }

    fn acknowledge(&mut self, upto: u64, refused: Vec<(u64, RefusalCode)>) {
        let place = usize::try_from(upto).unwrap();
        // Right where all is admitted, and wrong otherwise.
        let start = parties().start(&RECIPIENT_STORE);
        let outcomes = (1..=upto).fold(start, |chain, seq| {
            let [observation, disclosure, _] = parts(seq);
            let body = ItemBody::Item {
                observation: ObservationId::of(&observation),
                disclosure: DisclosureId::of(&disclosure),
            };
            chain.with_outcome(seq, &body.digest(), Outcome::Admitted)
        });
        let statement = Acknowledgement {
            partnership: parties().partnership,
            sender: parties().sender,
            recipient: parties().recipient,
            incarnation: RECIPIENT_STORE,
            upto,
            outcomes: outcomes.digest(),
            refused: refused
                .into_iter()
                .map(|(seq, code)| RefusedItem { seq, code })
                .collect(),
            set_aside: Vec::new(),
            heard: Vec::new(),
            at: self.now,
        };
        if let Ok(known) = self.sender.acknowledge(&statement) {
            assert!(statement.upto > self.covered, "it covers nothing new");
            assert!(place < self.sent.len(), "it covers what was not sent");
            assert_eq!(known.bodies, self.sent[place].digest());
            self.covered = known.upto;
            self.sender.acknowledgement_committed(&known);
        }
        self.drain();
    }

    /// Answers what the sender asks, and counts what it sends.
    fn drain(&mut self) {
        let mut outputs = 0;
        while let Some(output) = self.sender.poll() {
            outputs += 1;
            assert!(outputs < 2_000, "it never rests");
            match output {
                SenderOutput::NeedItem { seq } => {
                    let [observation, disclosure, readings] = parts(seq);
                    let item = Outgoing::Item {
                        observation,
                        disclosure,
                        readings,
                        is_packed: false,
                        evidence: Vec::new(),
                    };
                    self.sender.supply_item(item);
                }
                SenderOutput::NeedBodies { .. } => self.sender.supply_bodies(Vec::new()),
                SenderOutput::Send(Frame::Item { seq, chain, .. }) => {
                    assert_eq!(usize::try_from(seq).unwrap(), self.sent.len());
                    let [observation, disclosure, _] = parts(seq);
                    let body = ItemBody::Item {
                        observation: ObservationId::of(&observation),
                        disclosure: DisclosureId::of(&disclosure),
                    };
                    let next = self.sent.last().unwrap().with_body(seq, &body);
                    assert_eq!(next.digest(), chain);
                    self.sent.push(next);
                    assert!(
                        seq <= self.last && seq <= self.granted,
                        "sent without credit"
                    );
                    assert!(seq - self.covered <= UNACKNOWLEDGED_ITEMS_MAX);
                }
                _ => {}
            }
        }
    }
}

proptest! {
    #[test]
    fn a_receiver_keeps_its_limits_whatever_comes(
        steps in prop::collection::vec(any_to_receiver(), 1..120)
    ) {
        let mut judge = Judge::new();
        for step in steps {
            judge.run(step);
        }
    }

    #[test]
    fn a_sender_keeps_its_limits_whatever_comes(
        steps in prop::collection::vec(any_to_sender(), 1..80)
    ) {
        let last = 5;
        let mut watched = Watched {
            sender: Sender::open(parties(), SENDER_STORE, None, last),
            last,
            granted: 0,
            sent: vec![parties().start(&RECIPIENT_STORE)],
            covered: 0,
            now: "2026-05-01T08:00:00Z".parse().unwrap(),
        };
        watched.drain();
        for step in steps {
            watched.run(step);
        }
    }

    #[test]
    fn a_link_is_accepted_with_any_hello(hello in any_hello()) {
        let accepted = Receiver::accept(parties(), RECIPIENT_STORE, None, GROUNDS, true, &hello).unwrap();
        let Frame::Hello { hello: answer } = accepted.answer else {
            panic!("the answer is a hello");
        };
        let is_agreed = accepted.divergence.is_none() && hello.edition == parties().edition;
        prop_assert_eq!(answer.credit > 0, is_agreed);
        prop_assert!(answer.credit <= CREDIT_ITEMS);
    }
}
