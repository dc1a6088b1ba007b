use super::super::{
    AcceptError, Arrived, CREDIT_ITEMS, Control, ControlKind, Divergence, Frame, Hello, Received,
    Receiver, ResolveError,
};
use super::{GROUNDS, RECIPIENT_STORE, SENDER_STORE, bytes, first_hello, parties, parts};
use crate::link::Inbox;
use ambit_ledger::{
    Chain, Digest, DisclosureId, ItemBody, ObservationId, Outcome, RefusalCode, Salt,
};

pub(super) const REFUSED: Outcome = Outcome::Refused(RefusalCode::NotAdmissible);

/// A sender that always continues the chain.
pub(super) struct Feed {
    pub(super) seq: u64,
    pub(super) chain: Chain,
}

impl Feed {
    fn new() -> Self {
        Self {
            seq: 0,
            chain: parties().start(&RECIPIENT_STORE),
        }
    }

    pub(super) fn item(&mut self) -> Frame {
        self.seq += 1;
        let [observation, disclosure, readings] = parts(self.seq);
        let body = ItemBody::Item {
            observation: ObservationId::of(&observation),
            disclosure: DisclosureId::of(&disclosure),
        };
        self.chain = self.chain.with_body(self.seq, &body);
        Frame::Item {
            seq: self.seq,
            chain: self.chain.digest(),
            observation,
            disclosure,
            readings,
        }
    }

    pub(super) fn tombstone(&mut self) -> Frame {
        self.seq += 1;
        self.chain = self.chain.with_body(self.seq, &ItemBody::Tombstone);
        Frame::Tombstone {
            seq: self.seq,
            chain: self.chain.digest(),
        }
    }
}

pub(super) fn accept(inbox: Option<Inbox>, hello: &Hello) -> (Receiver, Hello) {
    let accepted =
        Receiver::accept(parties(), RECIPIENT_STORE, inbox, GROUNDS, true, hello).unwrap();
    assert_eq!(accepted.divergence, None);
    let Frame::Hello { hello } = accepted.answer else {
        panic!("the answer is a hello");
    };
    (accepted.receiver, hello)
}

pub(super) fn open() -> (Receiver, Feed) {
    (accept(None, &first_hello()).0, Feed::new())
}

pub(super) fn take(receiver: &mut Receiver, frame: &Frame, outcome: Outcome) -> Inbox {
    let received = receiver.receive(Arrived::read(&bytes(frame)));
    assert!(
        matches!(received, Received::Take(_) | Received::Withdrawn { .. }),
        "{received:?}"
    );
    receiver.resolve(outcome).unwrap()
}

pub(super) fn reply(seq: u64, code: RefusalCode) -> Received {
    Received::Reply(Frame::Reject { seq, code })
}

#[test]
fn the_answer_says_where_a_new_store_stands() {
    let (_, answer) = accept(None, &first_hello());
    assert_eq!(
        answer,
        Hello {
            incarnation: RECIPIENT_STORE,
            peer_incarnation: Some(SENDER_STORE),
            chain: Some(parties().start(&RECIPIENT_STORE).digest()),
            credit: CREDIT_ITEMS,
            ..first_hello()
        }
    );
}

#[test]
fn a_hello_for_another_partnership_is_not_accepted() {
    let hello = Hello {
        partnership: "urn:other".parse().unwrap(),
        ..first_hello()
    };
    let error =
        Receiver::accept(parties(), RECIPIENT_STORE, None, GROUNDS, true, &hello).unwrap_err();
    assert_eq!(error, AcceptError::AnotherPartnership);
}

#[test]
fn an_item_is_taken_with_its_body() {
    let (mut receiver, mut feed) = open();
    let Received::Take(item) = receiver.receive(Arrived::read(&bytes(&feed.item()))) else {
        panic!("taken");
    };
    let [observation, disclosure, readings] = parts(1);
    assert_eq!(item.seq, 1);
    assert_eq!(
        item.body,
        ItemBody::Item {
            observation: ObservationId::of(&observation),
            disclosure: DisclosureId::of(&disclosure),
        }
    );
    assert_eq!(
        (item.observation, item.disclosure, item.readings),
        (observation, disclosure, readings)
    );
    let received = receiver.receive(Arrived::read(&bytes(&feed.tombstone())));
    assert_eq!(received, Received::Withdrawn { seq: 2 });
    assert_eq!(receiver.pending(), 2);
}

#[test]
fn what_is_out_of_place_is_refused_and_changes_nothing() {
    let (mut receiver, mut feed) = open();
    let first = feed.item();
    take(&mut receiver, &first, Outcome::Admitted);
    let second = feed.item();
    let third = feed.item();
    let Frame::Item { chain, .. } = third.clone() else {
        panic!("an item");
    };
    let cases = [
        (first.clone(), 1, RefusalCode::Replayed),
        (Frame::Tombstone { seq: 0, chain }, 0, RefusalCode::Replayed),
        (third.clone(), 3, RefusalCode::Skipped),
        (
            Frame::Tombstone { seq: 2, chain },
            2,
            RefusalCode::ChainBroken,
        ),
        (
            Frame::Hello {
                hello: first_hello(),
            },
            0,
            RefusalCode::Unexpected,
        ),
        (Frame::Credit { items: 1 }, 0, RefusalCode::Unexpected),
        (
            Frame::Acknowledgement {
                statement: Vec::new(),
            },
            0,
            RefusalCode::Unexpected,
        ),
        // It confirms what was never signed.
        (Frame::Ack { upto: 1, chain }, 0, RefusalCode::Unexpected),
    ];
    for (frame, seq, code) in cases {
        assert_eq!(
            receiver.receive(Arrived::read(&bytes(&frame))),
            reply(seq, code),
            "{}",
            frame.kind()
        );
        assert_eq!(receiver.pending(), 0);
    }
    assert_eq!(
        receiver.receive(Arrived::read(b"\xff")),
        reply(0, RefusalCode::NotCanonical)
    );
    let too_large = vec![0; super::super::FRAME_BYTES_MAX + 1];
    assert_eq!(
        receiver.receive(Arrived::read(&too_large)),
        reply(0, RefusalCode::TooLarge)
    );
    // The link lives, and a pending item counts as taken.
    assert!(matches!(
        receiver.receive(Arrived::read(&bytes(&second))),
        Received::Take(_)
    ));
    assert_eq!(
        receiver.receive(Arrived::read(&bytes(&second))),
        reply(2, RefusalCode::Replayed)
    );
    assert!(matches!(
        receiver.receive(Arrived::read(&bytes(&third))),
        Received::Take(_)
    ));
}

#[test]
fn a_rejection_is_never_answered() {
    let (mut receiver, _) = open();
    let code = RefusalCode::Unexpected;
    let received = receiver.receive(Arrived::read(&bytes(&Frame::Reject { seq: 0, code })));
    assert_eq!(received, Received::Rejected { seq: 0, code });
}

#[test]
fn control_passes() {
    let (mut receiver, _) = open();
    let message = Control {
        kind: ControlKind::Signature,
        statement: vec![1],
    };
    let frame = Frame::from(message.clone());
    assert_eq!(
        receiver.receive(Arrived::read(&bytes(&frame))),
        Received::Control(message)
    );
}

#[test]
fn frames_follow_the_commit_and_refusals_come_before_the_ack() {
    let (mut receiver, mut feed) = open();
    take(&mut receiver, &feed.item(), Outcome::Admitted);
    take(&mut receiver, &feed.tombstone(), Outcome::Noted);
    let third = take(&mut receiver, &feed.item(), REFUSED);
    let bodies_at_third = feed.chain.digest();
    let fourth = take(&mut receiver, &feed.item(), REFUSED);
    assert_eq!(third.refused.len(), 1);
    assert_eq!(receiver.committed(0), Vec::new());
    assert_eq!(
        receiver.committed(third.cursor),
        [
            Frame::Reject {
                seq: 3,
                code: RefusalCode::NotAdmissible
            },
            Frame::Ack {
                upto: 3,
                chain: bodies_at_third
            },
            Frame::Credit { items: 3 },
        ]
    );
    assert_eq!(receiver.committed(third.cursor), Vec::new());
    assert_eq!(receiver.committed(fourth.cursor).len(), 3);
}

#[test]
fn an_outcome_must_suit_the_oldest_item() {
    let (mut receiver, mut feed) = open();
    assert_eq!(
        receiver.resolve(Outcome::Admitted),
        Err(ResolveError::NothingPending)
    );
    receiver.receive(Arrived::read(&bytes(&feed.item())));
    receiver.receive(Arrived::read(&bytes(&feed.tombstone())));
    assert_eq!(receiver.resolve(Outcome::Noted), Err(ResolveError::Kind(1)));
    let code = RefusalCode::Skipped;
    assert_eq!(
        receiver.resolve(Outcome::Refused(code)),
        Err(ResolveError::Code(1, code))
    );
    receiver.resolve(REFUSED).unwrap();
    for outcome in [Outcome::Admitted, REFUSED] {
        assert_eq!(receiver.resolve(outcome), Err(ResolveError::Kind(2)));
    }
    let inbox = receiver.resolve(Outcome::Noted).unwrap();
    assert_eq!((inbox.cursor, inbox.refused.len()), (2, 1));
    assert_eq!(inbox.bodies, feed.chain.digest());
}

#[test]
fn nothing_comes_beyond_the_credit() {
    let (mut receiver, mut feed) = open();
    for _ in 0..CREDIT_ITEMS {
        assert!(matches!(
            receiver.receive(Arrived::read(&bytes(&feed.item()))),
            Received::Take(_)
        ));
    }
    let beyond = feed.item();
    let seq = u64::from(CREDIT_ITEMS) + 1;
    assert_eq!(
        receiver.receive(Arrived::read(&bytes(&beyond))),
        reply(seq, RefusalCode::Unexpected)
    );
    let inbox = receiver.resolve(Outcome::Admitted).unwrap();
    let frames = receiver.committed(inbox.cursor);
    assert_eq!(frames.last(), Some(&Frame::Credit { items: 1 }));
    assert!(matches!(
        receiver.receive(Arrived::read(&bytes(&beyond))),
        Received::Take(_)
    ));
}

#[test]
fn credit_waits_until_the_partnership_is_active() {
    let hello = first_hello();
    let accepted =
        Receiver::accept(parties(), RECIPIENT_STORE, None, GROUNDS, false, &hello).unwrap();
    let mut receiver = accepted.receiver;
    let Frame::Hello { hello: answer } = accepted.answer else {
        panic!("the answer is a hello");
    };
    assert_eq!(answer.credit, 0);
    let item = Feed::new().item();
    assert_eq!(
        receiver.receive(Arrived::read(&bytes(&item))),
        reply(1, RefusalCode::Unexpected)
    );
    assert_eq!(
        receiver.activate(),
        Some(Frame::Credit {
            items: CREDIT_ITEMS
        })
    );
    assert_eq!(receiver.activate(), None);
    assert!(matches!(
        receiver.receive(Arrived::read(&bytes(&item))),
        Received::Take(_)
    ));
}

#[test]
fn another_edition_gets_no_credit() {
    let hello = Hello {
        edition: Digest::of(b"edition 2"),
        ..first_hello()
    };
    let (mut receiver, answer) = accept(None, &hello);
    assert_eq!((answer.credit, answer.edition), (0, parties().edition));
    assert_eq!(receiver.activate(), None);
}

#[test]
fn another_past_is_found_out_and_gets_no_credit() {
    let (mut receiver, mut feed) = open();
    take(&mut receiver, &feed.item(), Outcome::Admitted);
    let mut inbox = take(&mut receiver, &feed.item(), Outcome::Admitted);
    inbox.signed = 1;
    let knows = |cursor, chain| Hello {
        peer_incarnation: Some(RECIPIENT_STORE),
        cursor,
        chain: Some(chain),
        ..first_hello()
    };
    let other = Digest::of(b"another chain");
    let cases = [
        (
            first_hello(),
            Divergence::SenderForgot {
                acknowledged: 0,
                confirmed: 1,
            },
        ),
        (
            Hello {
                peer_incarnation: Some(Salt::from_bytes([9; 32])),
                ..knows(2, inbox.bodies)
            },
            Divergence::OwnStoreCameBack { confirmed: 1 },
        ),
        (
            knows(3, other),
            Divergence::RecipientWentBack {
                cursor: 2,
                acknowledged: 3,
            },
        ),
        (knows(2, other), Divergence::Chain { upto: 2 }),
    ];
    for (hello, divergence) in cases {
        let accepted = Receiver::accept(
            parties(),
            RECIPIENT_STORE,
            Some(inbox.clone()),
            GROUNDS,
            true,
            &hello,
        )
        .unwrap();
        assert_eq!(accepted.divergence, Some(divergence));
        let Frame::Hello { hello } = accepted.answer else {
            panic!("the answer is a hello");
        };
        assert_eq!((hello.cursor, hello.credit), (2, 0));
        assert_eq!(accepted.receiver.clone().activate(), None);
    }
    accept(Some(inbox.clone()), &knows(2, inbox.bodies));
}
