//! What a recipient signs, and how long it keeps what it refused.

use super::super::{
    ACKNOWLEDGEMENT_ITEMS, Arrived, CREDIT_ITEMS, Frame, Hello, Parties, Received, Receiver,
    UNACKNOWLEDGED_ITEMS_MAX,
};
use super::receiver::{Feed, REFUSED, accept, open, reply, take};
use super::{GROUNDS, RECIPIENT_STORE, bytes, first_hello, parties};
use crate::link::Inbox;
use ambit_ledger::{Digest, Outcome, RefusalCode, Time};
use std::collections::BTreeMap;

#[test]
fn an_acknowledgement_is_due_when_idle_or_after_so_many_items() {
    let (mut receiver, mut feed) = open();
    let now = Time::EARLIEST;
    assert_eq!(receiver.acknowledgement_due(now), None);
    let inbox = take(&mut receiver, &feed.item(), REFUSED);
    assert_eq!(
        receiver.acknowledgement_due(now),
        None,
        "it is not committed"
    );
    let _frames = receiver.committed(inbox.cursor);
    receiver.receive(Arrived::read(&bytes(&feed.item())));
    let due = receiver.acknowledgement_due(now).unwrap();
    assert_eq!(due.upto, 1, "what waits for a decision does not hold it up");
    let _frame = receiver.acknowledgement_signed(&due, Vec::new());
    assert_eq!(receiver.acknowledgement_due(now), None);
    let mut inbox = receiver.resolve(Outcome::Admitted).unwrap();
    for _ in 2..ACKNOWLEDGEMENT_ITEMS {
        inbox = take(&mut receiver, &feed.item(), Outcome::Admitted);
    }
    let _frames = receiver.committed(inbox.cursor);
    receiver.receive(Arrived::read(&bytes(&feed.item())));
    let due = receiver.acknowledgement_due(now).unwrap();
    assert_eq!(due.upto, ACKNOWLEDGEMENT_ITEMS);
    assert_eq!(due.outcomes, inbox.outcomes);
    assert_eq!(due.refused, inbox.refused);
    let statement = vec![7];
    assert_eq!(
        receiver.acknowledgement_signed(&due, statement.clone()),
        Frame::Acknowledgement { statement }
    );
    assert_eq!(receiver.acknowledgement_due(now), None);
}

#[test]
fn refusals_are_kept_until_the_sender_confirms() {
    let (mut receiver, mut feed) = open();
    let inbox = take(&mut receiver, &feed.item(), REFUSED);
    let chain = inbox.bodies;
    let _frames = receiver.committed(inbox.cursor);
    let due = receiver.acknowledgement_due(Time::EARLIEST).unwrap();
    let _frame = receiver.acknowledgement_signed(&due, Vec::new());

    let inbox = take(&mut receiver, &feed.item(), REFUSED);
    assert_eq!((inbox.refused.len(), inbox.signed), (2, 0));
    let wrong = Frame::Ack {
        upto: 1,
        chain: inbox.bodies,
    };
    assert_eq!(
        receiver.receive(Arrived::read(&bytes(&wrong))),
        reply(0, RefusalCode::ChainBroken)
    );
    let confirmation = bytes(&Frame::Ack { upto: 1, chain });
    assert_eq!(
        receiver.receive(Arrived::read(&confirmation)),
        Received::Confirmed {
            upto: 1,
            reply: None
        }
    );
    assert_eq!(
        receiver.receive(Arrived::read(&confirmation)),
        reply(0, RefusalCode::Unexpected)
    );
    let inbox = take(&mut receiver, &feed.item(), Outcome::Admitted);
    assert_eq!((inbox.refused.len(), inbox.signed), (1, 1));

    // The frame with the confirmation may be lost: the next Hello says the same.
    let hello = Hello {
        peer_incarnation: Some(RECIPIENT_STORE),
        cursor: 2,
        chain: Some(Digest::of(b"not at the cursor")),
        ..first_hello()
    };
    let (mut receiver, answer) = accept(Some(inbox), &hello);
    assert_eq!(answer.cursor, 3);
    let inbox = take(&mut receiver, &feed.item(), Outcome::Admitted);
    assert_eq!((inbox.refused.len(), inbox.signed), (0, 2));
}

#[test]
fn refusals_are_bounded_and_their_inbox_fits_one_record() {
    let name = "n".repeat(ambit_ledger::NAME_BYTES_MAX);
    let parties = Parties {
        partnership: name.parse().unwrap(),
        sender: name.parse().unwrap(),
        ..parties()
    };
    let start = parties.start(&RECIPIENT_STORE);
    let first = u64::from(u32::MAX) + 1;
    let inbox = Inbox {
        partnership: parties.partnership.clone(),
        sender: parties.sender.clone(),
        cursor: first,
        bodies: start.digest(),
        outcomes: start.digest(),
        refused: Vec::new(),
        set_aside: Vec::new(),
        signed: first,
        untaken: BTreeMap::new(),
        asked: BTreeMap::new(),
        brought: None,
    };
    let hello = Hello {
        partnership: parties.partnership.clone(),
        peer_incarnation: Some(RECIPIENT_STORE),
        cursor: first,
        chain: Some(start.digest()),
        ..first_hello()
    };
    let accepted =
        Receiver::accept(parties, RECIPIENT_STORE, Some(inbox), GROUNDS, true, &hello).unwrap();
    let mut receiver = accepted.receiver;
    let mut feed = Feed {
        seq: first,
        chain: start,
    };
    for _ in 0..UNACKNOWLEDGED_ITEMS_MAX {
        let inbox = take(&mut receiver, &feed.item(), REFUSED);
        let _frames = receiver.committed(inbox.cursor);
        assert!(ambit_ledger::encode(&inbox).len() <= 6 * 1024);
    }
    let chain = feed.chain.digest();
    let received = receiver.receive(Arrived::read(&bytes(&feed.item())));
    assert_eq!(received, reply(feed.seq, RefusalCode::Unexpected));
    // The confirmation brings new credit.
    let due = receiver.acknowledgement_due(Time::EARLIEST).unwrap();
    assert!(ambit_ledger::encode(&due).len() < ambit_ledger::ITEM_BYTES_MAX);
    let _frame = receiver.acknowledgement_signed(&due, Vec::new());
    let upto = due.upto;
    assert_eq!(
        receiver.receive(Arrived::read(&bytes(&Frame::Ack { upto, chain }))),
        Received::Confirmed {
            upto,
            reply: Some(Frame::Credit {
                items: CREDIT_ITEMS
            })
        }
    );
}
