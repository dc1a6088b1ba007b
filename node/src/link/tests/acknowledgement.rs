//! What a sender takes for an acknowledgement, and what not.

use super::super::progress::Progress;
use super::super::{AcknowledgementError, Frame, Sender, SenderOutput};
use super::sender::{bodies, body, drain, feed, opened, start};
use super::{RECIPIENT_STORE, SENDER_STORE, parties};
use crate::link::AcknowledgementReach;
use ambit_ledger::{Acknowledgement, Digest, ItemBody, Outcome, RefusalCode, RefusedItem, Time};

/// Signed by nobody: the machine sees acknowledgements after their signature was verified.
pub(super) fn acknowledgement(upto: u64, refused: &[u64]) -> Acknowledgement {
    let parties = parties();
    let code = RefusalCode::NotAdmissible;
    let outcomes = (1..=upto).fold(start(), |chain, seq| {
        let outcome = if refused.contains(&seq) {
            Outcome::Refused(code)
        } else {
            Outcome::Admitted
        };
        chain.with_outcome(seq, &body(seq).digest(), outcome)
    });
    Acknowledgement {
        partnership: parties.partnership,
        sender: parties.sender,
        recipient: parties.recipient,
        incarnation: RECIPIENT_STORE,
        upto,
        outcomes: outcomes.digest(),
        refused: refused
            .iter()
            .map(|seq| RefusedItem { seq: *seq, code })
            .collect(),
        set_aside: Vec::new(),
        heard: Vec::new(),
        at: Time::EARLIEST,
    }
}

#[test]
fn an_acknowledgement_covers_what_was_sent() {
    let mut sender = opened(5);
    let statement = vec![1, 2];
    assert_eq!(
        feed(
            &mut sender,
            &Frame::Acknowledgement {
                statement: statement.clone()
            }
        ),
        [SenderOutput::Acknowledgement { statement }]
    );
    let first = acknowledgement(3, &[2]);
    let acknowledged = sender.acknowledge(&first).unwrap();
    let expected = AcknowledgementReach {
        incarnation: RECIPIENT_STORE,
        upto: 3,
        bodies: bodies(3),
        outcomes: first.outcomes,
    };
    assert_eq!(acknowledged, expected);
    assert_eq!(sender.in_flight(), 2);
    assert_eq!(drain(&mut sender), Vec::new(), "nothing before the commit");
    sender.acknowledgement_committed(&acknowledged);
    let (upto, chain) = (3, bodies(3));
    assert_eq!(
        drain(&mut sender),
        [SenderOutput::Send(Frame::Ack { upto, chain })]
    );
    // Refusals that the one before stated may be repeated.
    let acknowledged = sender.acknowledge(&acknowledgement(5, &[2, 4])).unwrap();
    assert_eq!((acknowledged.upto, acknowledged.bodies), (5, bodies(5)));
}

#[test]
fn an_acknowledgement_of_anything_else_is_refused() {
    let mut sender = opened(5);
    sender.acknowledge(&acknowledgement(1, &[])).unwrap();
    let code = RefusalCode::NotAdmissible;
    feed(&mut sender, &Frame::Reject { seq: 2, code });
    let good = acknowledgement(3, &[2]);
    let with = |change: fn(&mut Acknowledgement)| {
        let mut changed = good.clone();
        change(&mut changed);
        changed
    };
    let range = |upto| AcknowledgementError::Range {
        upto,
        before: 1,
        sent: 5,
    };
    let cases = [
        (
            with(|changed| changed.partnership = "urn:other".parse().unwrap()),
            AcknowledgementError::Parties,
        ),
        (
            with(|changed| changed.sender = changed.recipient.clone()),
            AcknowledgementError::Parties,
        ),
        (
            with(|changed| changed.recipient = changed.sender.clone()),
            AcknowledgementError::Parties,
        ),
        (
            with(|changed| changed.incarnation = SENDER_STORE),
            AcknowledgementError::Incarnation,
        ),
        (acknowledgement(1, &[]), range(1)),
        (acknowledgement(0, &[]), range(0)),
        (acknowledgement(6, &[2]), range(6)),
        (
            with(|changed| changed.refused = [changed.refused[0]; 2].to_vec()),
            AcknowledgementError::Refused { seq: 2 },
        ),
        (
            with(|changed| changed.refused[0].seq = 4),
            AcknowledgementError::Refused { seq: 4 },
        ),
        (
            acknowledgement(3, &[]),
            AcknowledgementError::Contradiction { seq: 2, code },
        ),
        (
            with(|changed| changed.outcomes = Digest::of(b"others")),
            AcknowledgementError::Chain { upto: 3 },
        ),
    ];
    for (statement, error) in cases {
        assert_eq!(sender.acknowledge(&statement), Err(error));
    }
    sender.acknowledge(&good).unwrap();
}

#[test]
fn a_tombstone_is_noted_and_cannot_be_refused() {
    let parties = parties();
    let base = Progress::start(&parties, RECIPIENT_STORE);
    let mut progress = Progress::from_acknowledged(base);
    progress.push(ItemBody::Tombstone);
    let mut statement = acknowledgement(1, &[1]);
    assert_eq!(
        progress.acknowledge(&parties, &statement),
        Err(AcknowledgementError::Refused { seq: 1 })
    );
    statement.refused.clear();
    statement.outcomes = start()
        .with_outcome(1, &ItemBody::Tombstone.digest(), Outcome::Noted)
        .digest();
    progress.acknowledge(&parties, &statement).unwrap();
}

#[test]
fn nothing_is_acknowledged_before_the_link_is_open() {
    let mut sender = Sender::open(parties(), SENDER_STORE, None, 3);
    assert_eq!(
        sender.acknowledge(&acknowledgement(1, &[])),
        Err(AcknowledgementError::NotOpen)
    );
}
