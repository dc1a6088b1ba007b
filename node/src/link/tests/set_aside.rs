//! What nobody can decide, and what a newer version sends.

use super::super::{
    AcceptError, Arrived, CREDIT_ITEMS, Control, ControlKind, EVIDENCE_STATEMENTS_MAX, Frame,
    Hello, Outgoing, Received, Receiver, ResolveError, Sender, SenderOutput, Versions,
};
use super::acknowledgement::acknowledgement;
use super::receiver::{open, reply, take};
use super::sender::{body, drain, feed, opened, say_hello, start};
use super::{
    GROUNDS, OTHER_GROUNDS, RECIPIENT_STORE, SENDER_STORE, bytes, first_hello, parties, parts,
};
use ambit_ledger::{Outcome, RefusalCode, RefusedItem, Time};
use proptest::prelude::*;

const UNDECIDED: Outcome = Outcome::SetAside(RefusalCode::Undecided);

#[test]
fn what_is_set_aside_holds_up_nothing_and_is_stated() {
    let (mut receiver, mut feed) = open();
    take(&mut receiver, &feed.item(), UNDECIDED);
    let refused = Outcome::Refused(RefusalCode::NotAdmissible);
    take(&mut receiver, &feed.item(), refused);
    let inbox = take(&mut receiver, &feed.item(), Outcome::Admitted);
    assert_eq!(inbox.cursor, 3);
    assert_eq!(inbox.set_aside_count(), 1);
    let frames = receiver.committed(3);
    let code = RefusalCode::Undecided;
    assert_eq!(frames.first(), Some(&Frame::Reject { seq: 1, code }));
    let due = receiver.acknowledgement_due(Time::EARLIEST).unwrap();
    let item = |seq, code| vec![RefusedItem { seq, code }];
    assert_eq!(due.set_aside, item(1, code));
    assert_eq!(due.refused, item(2, RefusalCode::NotAdmissible));
    // Until the sender confirms it.
    let upto = due.upto;
    let chain = feed.chain.digest();
    let _frame = receiver.acknowledgement_signed(&due, Vec::new());
    receiver.receive(Arrived::read(&bytes(&Frame::Ack { upto, chain })));
    let inbox = take(&mut receiver, &feed.item(), Outcome::Admitted);
    assert!(inbox.set_aside.is_empty() && inbox.refused.is_empty());
    // It may still come again.
    assert_eq!(inbox.set_aside_count(), 1);
}

#[test]
fn a_code_says_whether_it_sets_aside() {
    let (mut receiver, mut feed) = open();
    receiver.receive(Arrived::read(&bytes(&feed.item())));
    for (outcome, code) in [
        (
            Outcome::Refused(RefusalCode::Undecided),
            RefusalCode::Undecided,
        ),
        (
            Outcome::SetAside(RefusalCode::TooLarge),
            RefusalCode::TooLarge,
        ),
    ] {
        assert_eq!(receiver.resolve(outcome), Err(ResolveError::Code(1, code)));
    }
    receiver.receive(Arrived::read(&bytes(&feed.tombstone())));
    receiver.resolve(UNDECIDED).unwrap();
    assert_eq!(receiver.resolve(UNDECIDED), Err(ResolveError::Kind(2)));
}

#[test]
fn credit_shrinks_by_what_is_set_aside_and_never_to_nothing() {
    let (mut receiver, mut feed) = open();
    let credit = |frames: &[Frame]| match frames.last() {
        Some(Frame::Credit { items }) => *items,
        _ => 0,
    };
    let count = CREDIT_ITEMS / 2;
    for _ in 0..count {
        receiver.receive(Arrived::read(&bytes(&feed.item())));
    }
    let mut inbox = None;
    for _ in 0..count {
        inbox = Some(receiver.resolve(UNDECIDED).unwrap());
    }
    // What is granted already stays so; nothing comes on top.
    assert_eq!(credit(&receiver.committed(inbox.unwrap().cursor)), 0);
    let mut given = 0;
    for _ in 0..3 * CREDIT_ITEMS {
        let received = receiver.receive(Arrived::read(&bytes(&feed.item())));
        assert!(matches!(received, Received::Take(_)), "{received:?}");
        let inbox = receiver.resolve(UNDECIDED).unwrap();
        given += credit(&receiver.committed(inbox.cursor));
        let due = receiver.acknowledgement_due(Time::EARLIEST).unwrap();
        let _frame = receiver.acknowledgement_signed(&due, Vec::new());
        let (upto, chain) = (due.upto, feed.chain.digest());
        let ack = Frame::Ack { upto, chain };
        receiver.receive(Arrived::read(&bytes(&ack)));
    }
    assert!(given >= 2 * CREDIT_ITEMS, "one at a time: {given}");
    // Asked again, there is room for them.
    receiver.set_grounds(OTHER_GROUNDS);
    let frames = receiver.ask_again(Time::EARLIEST).unwrap().frames;
    let (code, upto) = (RefusalCode::Undecided, feed.seq);
    assert_eq!(frames.first(), Some(&Frame::Again { code, upto }));
    assert_eq!(credit(&frames), CREDIT_ITEMS - 1);
}

#[test]
fn a_sender_checks_what_it_is_told_was_set_aside() {
    let code = RefusalCode::Undecided;
    let stated = |set_aside: &[u64]| {
        let outcomes = (1..=3).fold(start(), |chain, seq| {
            let outcome = if seq == 2 {
                UNDECIDED
            } else {
                Outcome::Admitted
            };
            chain.with_outcome(seq, &body(seq).digest(), outcome)
        });
        let mut stated = acknowledgement(3, &[]);
        stated.outcomes = outcomes.digest();
        stated.set_aside = set_aside
            .iter()
            .map(|seq| RefusedItem { seq: *seq, code })
            .collect();
        stated
    };
    let mut sender = opened(5);
    let told = Frame::Reject { seq: 2, code };
    let rejected = SenderOutput::Rejected { seq: 2, code };
    assert_eq!(feed(&mut sender, &told), [rejected]);
    for wrong in [&[][..], &[1], &[2, 2], &[3, 2], &[4]] {
        assert!(sender.acknowledge(&stated(wrong)).is_err(), "{wrong:?}");
    }
    let mut twice = stated(&[2]);
    twice.refused = twice.set_aside.clone();
    assert!(sender.acknowledge(&twice).is_err());
    assert_eq!(sender.acknowledge(&stated(&[2])).unwrap().upto, 3);
}

#[test]
fn evidence_comes_ahead_of_its_item() {
    let mut sender = opened(0);
    sender.outbox_grew(1);
    assert_eq!(drain(&mut sender), [SenderOutput::NeedItem { seq: 1 }]);
    let [observation, disclosure, readings] = parts(1);
    sender.supply_item(Outgoing::Item {
        observation,
        disclosure,
        readings,
        is_packed: false,
        evidence: vec![vec![7], vec![8]],
    });
    let (mut receiver, mut feed) = open();
    let frames: Vec<Frame> = drain(&mut sender)
        .into_iter()
        .map(|output| match output {
            SenderOutput::Send(frame) => frame,
            other => panic!("{other:?}"),
        })
        .collect();
    let [evidence, item] = frames.as_slice() else {
        panic!("{frames:?}");
    };
    let received = receiver.receive(Arrived::read(&bytes(evidence)));
    assert_eq!(received, Received::Kept);
    // Once, and whole.
    let unexpected = reply(0, RefusalCode::Unexpected);
    let again = receiver.receive(Arrived::read(&bytes(evidence)));
    assert_eq!(again, unexpected);
    let Received::Take(taken) = receiver.receive(Arrived::read(&bytes(item))) else {
        panic!("the item is taken");
    };
    assert_eq!(taken.evidence, [vec![7], vec![8]]);
    feed.item();
    let Received::Take(next) = receiver.receive(Arrived::read(&bytes(&feed.item()))) else {
        panic!("the next is taken");
    };
    assert!(next.evidence.is_empty());

    let evidence = |seq, count| {
        let statements = vec![vec![1].into(); count];
        bytes(&Frame::Evidence { seq, statements })
    };
    for seq in [0, 2, 4] {
        let received = receiver.receive(Arrived::read(&evidence(seq, 1)));
        assert_eq!(received, unexpected, "{seq}");
    }
    let many = evidence(3, EVIDENCE_STATEMENTS_MAX + 1);
    let received = receiver.receive(Arrived::read(&many));
    assert_eq!(received, reply(0, RefusalCode::TooLarge));
    let most = evidence(3, EVIDENCE_STATEMENTS_MAX);
    assert_eq!(receiver.receive(Arrived::read(&most)), Received::Kept);
    // The item it was for was taken back.
    receiver.receive(Arrived::read(&bytes(&feed.tombstone())));
    let received = receiver.receive(Arrived::read(&evidence(4, 1)));
    assert_eq!(received, Received::Kept);
}

#[test]
fn a_frame_of_a_newer_version_is_called_so_at_both_ends() {
    let newer = [0xa1, 0x0b, 0xa1, 0x00, 0x41, 0xd2];
    let (mut receiver, mut feed) = open();
    let expected = reply(0, RefusalCode::NewerVersion);
    assert_eq!(receiver.receive(Arrived::read(&newer)), expected);
    // What is known goes on.
    take(&mut receiver, &feed.item(), Outcome::Admitted);

    let mut sender = opened(1);
    sender.receive(Arrived::read(&newer));
    let code = RefusalCode::NewerVersion;
    let reject = SenderOutput::Send(Frame::Reject { seq: 0, code });
    assert_eq!(drain(&mut sender), [reject]);
    assert!(sender.is_open());
}

#[test]
fn ends_without_a_common_version_part() {
    let hello = Hello {
        versions: Versions { least: 4, most: 9 },
        ..first_hello()
    };
    let refused = Receiver::accept(parties(), RECIPIENT_STORE, None, GROUNDS, true, &hello);
    assert_eq!(refused.err(), Some(AcceptError::NoCommonVersion));
    let mut sender = Sender::open(parties(), SENDER_STORE, None, 5);
    let outputs = say_hello(&mut sender, hello);
    assert_eq!(outputs, [SenderOutput::NoCommonVersion]);
    assert!(sender.is_stopped());

    // A recipient that does not speak the opener's version turns the link away before it says anything else.
    let mut sender = Sender::open(parties(), SENDER_STORE, None, 5);
    drain(&mut sender);
    let code = RefusalCode::NewerVersion;
    let outputs = feed(&mut sender, &Frame::Reject { seq: 0, code });
    assert_eq!(outputs, [SenderOutput::NoCommonVersion]);
    assert!(sender.is_stopped());
}

proptest! {
    #[test]
    fn a_control_of_any_kind_passes(number: u16, statement: Vec<u8>) {
        let message = Control { kind: number.into(), statement };
        prop_assert_eq!(u16::from(message.kind), number);
        let is_known = !matches!(message.kind, ControlKind::Unknown(_));
        prop_assert_eq!(is_known, number < 2);
        let frame = bytes(&Frame::from(message.clone()));
        let (mut receiver, _) = open();
        let received = receiver.receive(Arrived::read(&frame));
        prop_assert_eq!(received, Received::Control(message));
    }
}
