use super::super::{
    Arrived, CREDIT_ITEMS, Control, ControlKind, Divergence, Frame, Hello, Outgoing,
    STALLED_AFTER_SECONDS, Sender, SenderOutput, UNACKNOWLEDGED_ITEMS_MAX, Versions,
    is_of_divergence, pack_readings,
};
use super::acknowledgement::acknowledgement;
use super::{RECIPIENT_STORE, SENDER_STORE, bytes, first_hello, parties, parts};
use crate::link::AcknowledgementReach;
use ambit_ledger::{Chain, Digest, DisclosureId, ItemBody, ObservationId, RefusalCode, Salt, Time};

pub(super) fn body(seq: u64) -> ItemBody {
    let [observation, disclosure, _] = parts(seq);
    ItemBody::Item {
        observation: ObservationId::of(&observation),
        disclosure: DisclosureId::of(&disclosure),
    }
}

fn outgoing(seq: u64) -> Outgoing {
    let [observation, disclosure, readings] = parts(seq);
    Outgoing::Item {
        observation,
        disclosure,
        readings,
        is_packed: false,
        evidence: Vec::new(),
    }
}

pub(super) fn start() -> Chain {
    parties().start(&RECIPIENT_STORE)
}

/// The chain over items up to here, none withdrawn.
pub(super) fn bodies(upto: u64) -> Digest {
    (1..=upto)
        .fold(start(), |chain, seq| chain.with_body(seq, &body(seq)))
        .digest()
}

fn answer(cursor: u64, chain: Digest) -> Hello {
    Hello {
        incarnation: RECIPIENT_STORE,
        peer_incarnation: Some(SENDER_STORE),
        cursor,
        chain: Some(chain),
        credit: CREDIT_ITEMS,
        ..first_hello()
    }
}

fn known(upto: u64) -> AcknowledgementReach {
    AcknowledgementReach {
        incarnation: RECIPIENT_STORE,
        upto,
        bodies: bodies(upto),
        outcomes: Digest::of(b"some outcomes"),
    }
}

pub(super) fn feed(sender: &mut Sender, frame: &Frame) -> Vec<SenderOutput> {
    sender.receive(Arrived::read(&bytes(frame)));
    drain(sender)
}

pub(super) fn drain(sender: &mut Sender) -> Vec<SenderOutput> {
    std::iter::from_fn(|| sender.poll()).collect()
}

pub(super) fn say_hello(sender: &mut Sender, hello: Hello) -> Vec<SenderOutput> {
    assert!(matches!(
        drain(sender).as_slice(),
        [SenderOutput::Send(Frame::Hello { .. })]
    ));
    feed(sender, &Frame::Hello { hello })
}

/// Open, with everything the credit allows sent.
pub(super) fn opened(last: u64) -> Sender {
    let mut sender = Sender::open(parties(), SENDER_STORE, None, last);
    let mut outputs = say_hello(&mut sender, answer(0, bodies(0)));
    assert_eq!(outputs.remove(0), SenderOutput::Opened { cursor: 0 });
    supply_all(&mut sender, outputs);
    sender
}

fn supply_all(sender: &mut Sender, mut outputs: Vec<SenderOutput>) -> Vec<Frame> {
    let mut frames = Vec::new();
    while let Some(output) = outputs.pop() {
        match output {
            SenderOutput::NeedItem { seq } => sender.supply_item(outgoing(seq)),
            SenderOutput::Send(frame) => frames.push(frame),
            other => panic!("{other:?}"),
        }
        outputs.extend(sender.poll());
    }
    frames
}

fn diverged(divergence: Divergence) -> Vec<SenderOutput> {
    vec![SenderOutput::Diverged(divergence)]
}

#[test]
fn the_first_hello_says_what_is_known() {
    let mut sender = Sender::open(parties(), SENDER_STORE, None, 5);
    let hello = first_hello();
    assert_eq!(
        drain(&mut sender),
        [SenderOutput::Send(Frame::Hello { hello })]
    );

    let mut sender = Sender::open(parties(), SENDER_STORE, Some(known(3)), 5);
    let hello = Hello {
        peer_incarnation: Some(RECIPIENT_STORE),
        cursor: 3,
        chain: Some(bodies(3)),
        ..first_hello()
    };
    assert_eq!(
        drain(&mut sender),
        [SenderOutput::Send(Frame::Hello { hello })]
    );
}

#[test]
fn readings_go_packed_where_both_ends_speak_that_version() {
    for (most, takes_packed) in [(2, false), (3, true), (4, true)] {
        let mut sender = Sender::open(parties(), SENDER_STORE, Some(known(3)), 4);
        assert!(!sender.takes_packed());
        let versions = Versions { least: 2, most };
        say_hello(
            &mut sender,
            Hello {
                versions,
                ..answer(3, bodies(3))
            },
        );
        assert_eq!(sender.takes_packed(), takes_packed);
    }
    let mut sender = Sender::open(parties(), SENDER_STORE, Some(known(3)), 4);
    say_hello(&mut sender, answer(3, bodies(3)));
    let [observation, disclosure, readings] = parts(4);
    sender.supply_item(Outgoing::Item {
        observation: observation.clone(),
        disclosure: disclosure.clone(),
        readings: pack_readings(&readings),
        is_packed: true,
        evidence: Vec::new(),
    });
    let outputs = drain(&mut sender);
    let [SenderOutput::Send(frame)] = &outputs[..] else {
        panic!("{outputs:?}");
    };
    assert_eq!(
        frame.clone().unpacked().unwrap(),
        Frame::Item {
            seq: 4,
            chain: bodies(4),
            observation,
            disclosure,
            readings
        }
    );
}

#[test]
fn items_go_in_order_with_their_chain() {
    let mut sender = Sender::open(parties(), SENDER_STORE, Some(known(3)), 5);
    let outputs = say_hello(&mut sender, answer(3, bodies(3)));
    assert_eq!(
        outputs,
        [
            SenderOutput::Opened { cursor: 3 },
            SenderOutput::NeedItem { seq: 4 }
        ]
    );
    sender.supply_item(outgoing(4));
    let [observation, disclosure, readings] = parts(4);
    assert_eq!(
        drain(&mut sender),
        [
            SenderOutput::Send(Frame::Item {
                seq: 4,
                chain: bodies(4),
                observation,
                disclosure,
                readings
            }),
            SenderOutput::NeedItem { seq: 5 }
        ]
    );
    sender.supply_item(Outgoing::Tombstone);
    let chain = Chain::at(bodies(4))
        .with_body(5, &ItemBody::Tombstone)
        .digest();
    assert_eq!(
        drain(&mut sender),
        [SenderOutput::Send(Frame::Tombstone { seq: 5, chain })]
    );
    sender.outbox_grew(6);
    sender.outbox_grew(4);
    assert_eq!(drain(&mut sender), [SenderOutput::NeedItem { seq: 6 }]);
    // What nobody asked for changes nothing.
    sender.supply_item(outgoing(6));
    sender.supply_item(outgoing(6));
    assert_eq!(drain(&mut sender).len(), 1);
    assert_eq!(sender.in_flight(), 3);
}

#[test]
fn another_past_is_found_out() {
    let other = Digest::of(b"another chain");
    let unacknowledged = 3 + UNACKNOWLEDGED_ITEMS_MAX + 1;
    let cases = [
        (
            answer(2, bodies(2)),
            Divergence::RecipientWentBack {
                cursor: 2,
                acknowledged: 3,
            },
        ),
        (
            answer(1001, other),
            Divergence::SenderWentBack {
                cursor: 1001,
                last: 1000,
            },
        ),
        (
            answer(unacknowledged, other),
            Divergence::Unacknowledged {
                cursor: unacknowledged,
                acknowledged: 3,
            },
        ),
        (answer(3, other), Divergence::Chain { upto: 3 }),
        (
            Hello {
                chain: None,
                ..answer(3, other)
            },
            Divergence::AnotherPartnership,
        ),
        (
            Hello {
                partnership: "urn:other".parse().unwrap(),
                ..answer(3, bodies(3))
            },
            Divergence::AnotherPartnership,
        ),
    ];
    for (hello, divergence) in cases {
        let mut sender = Sender::open(parties(), SENDER_STORE, Some(known(3)), 1000);
        assert_eq!(say_hello(&mut sender, hello), diverged(divergence));
        let (_, code) = divergence.refusal();
        assert!(is_of_divergence(code), "{divergence}");
        assert!(sender.is_stopped());
        sender.send_control(Control {
            kind: ControlKind::Signature,
            statement: Vec::new(),
        });
        assert_eq!(feed(&mut sender, &Frame::Credit { items: 9 }), Vec::new());
    }
}

#[test]
fn the_chain_in_the_answer_is_checked_with_what_was_sent() {
    let need = SenderOutput::NeedBodies { from: 4, upto: 6 };
    let supplied = |bodies: Vec<ItemBody>| {
        let mut sender = Sender::open(parties(), SENDER_STORE, Some(known(3)), 6);
        let outputs = say_hello(&mut sender, answer(6, self::bodies(6)));
        assert_eq!(outputs, std::slice::from_ref(&need));
        sender.supply_bodies(bodies);
        drain(&mut sender)
    };
    let sent = vec![body(4), body(5), body(6)];
    assert_eq!(supplied(sent.clone()), [SenderOutput::Opened { cursor: 6 }]);
    let withdrawn = vec![body(4), ItemBody::Tombstone, body(6)];
    assert_eq!(supplied(withdrawn), diverged(Divergence::Chain { upto: 6 }));
    assert_eq!(
        supplied(sent[..2].to_vec()),
        diverged(Divergence::OwnBodies { from: 4, upto: 6 })
    );
}

#[test]
fn a_new_store_gets_everything_again() {
    let other = Salt::from_bytes([9; 32]);
    let fresh = parties().start(&other);
    let mut sender = Sender::open(parties(), SENDER_STORE, Some(known(3)), 5);
    let hello = Hello {
        incarnation: other,
        ..answer(0, fresh.digest())
    };
    assert_eq!(
        say_hello(&mut sender, hello),
        [
            SenderOutput::StartsOver { incarnation: other },
            SenderOutput::Opened { cursor: 0 },
            SenderOutput::NeedItem { seq: 1 }
        ]
    );
    // It may have taken some on a link before, if those are what was sent.
    let mut sender = Sender::open(parties(), SENDER_STORE, Some(known(3)), 5);
    let hello = Hello {
        incarnation: other,
        ..answer(1, fresh.with_body(1, &body(1)).digest())
    };
    assert_eq!(
        say_hello(&mut sender, hello)[1],
        SenderOutput::NeedBodies { from: 1, upto: 1 }
    );
    sender.supply_bodies(vec![body(1)]);
    assert_eq!(drain(&mut sender)[0], SenderOutput::Opened { cursor: 1 });
}

#[test]
fn another_edition_holds_items_and_lets_control_pass() {
    let theirs = Digest::of(b"edition 2");
    let own = parties().edition;
    let mut sender = Sender::open(parties(), SENDER_STORE, None, 5);
    let hello = Hello {
        edition: theirs,
        ..answer(0, bodies(0))
    };
    assert_eq!(
        say_hello(&mut sender, hello),
        [
            SenderOutput::Opened { cursor: 0 },
            SenderOutput::EditionDiffers { own, theirs }
        ]
    );
    let message = Control {
        kind: ControlKind::Declined,
        statement: vec![1],
    };
    let frame = Frame::from(message.clone());
    sender.send_control(message.clone());
    assert_eq!(drain(&mut sender), [SenderOutput::Send(frame.clone())]);
    assert_eq!(feed(&mut sender, &frame), [SenderOutput::Control(message)]);
}

#[test]
fn credit_and_acknowledgements_bound_what_goes() {
    let mut sender = opened(10_000);
    assert_eq!(sender.in_flight(), u64::from(CREDIT_ITEMS));
    let outputs = feed(&mut sender, &Frame::Credit { items: u32::MAX });
    supply_all(&mut sender, outputs);
    assert_eq!(sender.in_flight(), UNACKNOWLEDGED_ITEMS_MAX);
    // That the recipient committed is not enough: its signature is what counts.
    let upto = UNACKNOWLEDGED_ITEMS_MAX;
    let chain = bodies(upto);
    let outputs = feed(&mut sender, &Frame::Ack { upto, chain });
    assert_eq!(outputs, [SenderOutput::Acked { upto }]);
    let statement = acknowledgement(1, &[]);
    sender.acknowledge(&statement).unwrap();
    assert_eq!(
        drain(&mut sender),
        [SenderOutput::NeedItem { seq: upto + 1 }]
    );
}

#[test]
fn an_ack_must_be_about_what_was_sent() {
    let mut sender = opened(3);
    let chain = bodies(2);
    let ack = Frame::Ack { upto: 2, chain };
    assert_eq!(feed(&mut sender, &ack), [SenderOutput::Acked { upto: 2 }]);
    assert_eq!(feed(&mut sender, &ack), Vec::new());
    assert_eq!(sender.in_flight(), 1);
    let cases = [
        (1, bodies(1), Divergence::AckOutOfRange { upto: 1 }),
        (4, bodies(4), Divergence::AckOutOfRange { upto: 4 }),
        (3, bodies(2), Divergence::Chain { upto: 3 }),
    ];
    for (upto, chain, divergence) in cases {
        let outputs = feed(&mut sender.clone(), &Frame::Ack { upto, chain });
        assert_eq!(outputs, diverged(divergence));
    }
}

#[test]
fn rejections_are_told_and_those_of_the_link_stop_it() {
    let mut sender = opened(3);
    for (seq, code) in [
        (0, RefusalCode::NotCanonical),
        (2, RefusalCode::NotAdmissible),
        (9, RefusalCode::Skipped),
    ] {
        assert_eq!(
            feed(&mut sender, &Frame::Reject { seq, code }),
            [SenderOutput::Rejected { seq, code }]
        );
    }
    for code in [
        RefusalCode::Unexpected,
        RefusalCode::Replayed,
        RefusalCode::Skipped,
        RefusalCode::ChainBroken,
    ] {
        let outputs = feed(&mut sender.clone(), &Frame::Reject { seq: 3, code });
        let divergence = Divergence::OutOfStep { seq: 3, code };
        assert_eq!(outputs[1..], diverged(divergence));
        assert_eq!(divergence.refusal(), (3, RefusalCode::ChainBroken));
    }
}

#[test]
fn frames_without_a_place_are_refused() {
    let unexpected = SenderOutput::Send(Frame::Reject {
        seq: 0,
        code: RefusalCode::Unexpected,
    });
    let chain = bodies(0);
    let statement = vec![1];
    let early = [
        Frame::Ack { upto: 0, chain },
        Frame::Credit { items: 1 },
        Frame::Acknowledgement { statement },
    ];
    for frame in early {
        let mut sender = Sender::open(parties(), SENDER_STORE, None, 3);
        drain(&mut sender);
        assert_eq!(feed(&mut sender, &frame), std::slice::from_ref(&unexpected));
    }
    let mut sender = opened(3);
    let hello = answer(0, chain);
    for frame in [Frame::Hello { hello }, Frame::Tombstone { seq: 1, chain }] {
        assert_eq!(feed(&mut sender, &frame), std::slice::from_ref(&unexpected));
    }
    sender.receive(Arrived::read(b""));
    let code = RefusalCode::NotCanonical;
    assert_eq!(
        drain(&mut sender),
        [SenderOutput::Send(Frame::Reject { seq: 0, code })]
    );
}

#[test]
fn a_silent_recipient_is_noticed_once_and_holds_items() {
    let at = |seconds| Time::EARLIEST.plus_seconds(seconds);
    let mut sender = opened(u64::from(CREDIT_ITEMS) + 36);
    sender.tick(at(10));
    sender.tick(at(10 + STALLED_AFTER_SECONDS - 1));
    assert_eq!(drain(&mut sender), Vec::new());
    sender.tick(at(10 + STALLED_AFTER_SECONDS));
    sender.tick(at(11 + STALLED_AFTER_SECONDS));
    assert_eq!(drain(&mut sender), [SenderOutput::Stalled]);
    assert_eq!(feed(&mut sender, &Frame::Credit { items: 1 }), Vec::new());
    let (upto, chain) = (1, bodies(1));
    assert_eq!(
        feed(&mut sender, &Frame::Ack { upto, chain }),
        [
            SenderOutput::Acked { upto },
            SenderOutput::NeedItem {
                seq: u64::from(CREDIT_ITEMS) + 1
            }
        ]
    );

    // Nothing under way, nothing to wait for; and a Hello is waited for too.
    let mut idle = opened(0);
    let mut opening = Sender::open(parties(), SENDER_STORE, None, 0);
    drain(&mut opening);
    for seconds in [0, STALLED_AFTER_SECONDS] {
        idle.tick(at(seconds));
        opening.tick(at(seconds));
    }
    assert_eq!(drain(&mut idle), Vec::new());
    assert_eq!(drain(&mut opening), [SenderOutput::Stalled]);
}
