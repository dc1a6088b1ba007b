//! What was not taken is asked for: when its grounds change, once the sender knows of it, and on every link until it is.

use super::super::{
    ASK_AGAIN_SECONDS, ASK_EARNED_SECONDS, ASKS_AT_ONCE, Arrived, Frame, Hello, Inbox, Received,
    Receiver, Sender, SenderOutput,
};
use super::receiver::{Feed, REFUSED, open, take};
use super::sender::{drain, feed, opened};
use super::{GROUNDS, OTHER_GROUNDS, RECIPIENT_STORE, SENDER_STORE, bytes, first_hello, parties};
use ambit_ledger::{Digest, Outcome, RefusalCode, Time};

const REFUSAL: RefusalCode = RefusalCode::NotAdmissible;
const UNDECIDED: Outcome = Outcome::SetAside(RefusalCode::Undecided);

fn at(seconds: u32) -> Time {
    let start: Time = "2026-05-01T08:00:00Z".parse().unwrap();
    start.plus_seconds(seconds)
}

/// What is asked for, and whether that is to be committed.
fn asked(receiver: &mut Receiver, now: Time) -> (Vec<(RefusalCode, u64)>, Option<Inbox>) {
    let Some(asks) = receiver.ask_again(now) else {
        return (Vec::new(), None);
    };
    let codes = asks.frames.iter().filter_map(|frame| match frame {
        Frame::Again { code, upto } => Some((*code, *upto)),
        _ => None,
    });
    (codes.collect(), asks.inbox)
}

/// A link and what the sender has on it.
struct World {
    receiver: Receiver,
    feed: Feed,
}

impl World {
    fn open() -> Self {
        let (receiver, feed) = open();
        Self { receiver, feed }
    }

    /// An item is not taken, and that is committed.
    fn leave(&mut self, outcome: Outcome) -> Inbox {
        let inbox = take(&mut self.receiver, &self.feed.item(), outcome);
        let _frames = self.receiver.committed(inbox.cursor);
        inbox
    }

    /// What is committed is signed. Returns what confirms it.
    fn sign(&mut self) -> Frame {
        let due = self.receiver.acknowledgement_due(Time::EARLIEST).unwrap();
        let _frame = self.receiver.acknowledgement_signed(&due, Vec::new());
        assert_eq!(due.upto, self.feed.seq);
        Frame::Ack {
            upto: due.upto,
            chain: self.feed.chain.digest(),
        }
    }

    fn hear(&mut self, confirmation: &Frame) {
        let received = self.receiver.receive(Arrived::read(&bytes(confirmation)));
        assert!(matches!(received, Received::Confirmed { .. }));
    }

    fn confirm(&mut self) {
        let confirmation = self.sign();
        self.hear(&confirmation);
    }

    fn asked(&mut self, now: Time) -> Vec<(RefusalCode, u64)> {
        asked(&mut self.receiver, now).0
    }

    /// On a new link with a sender that has recorded acknowledgements up to a number.
    fn reopen(&mut self, inbox: Inbox, grounds: Digest, recorded: u64) {
        let chain = if recorded == self.feed.seq {
            Some(self.feed.chain.digest())
        } else {
            None
        };
        let hello = Hello {
            peer_incarnation: Some(RECIPIENT_STORE),
            cursor: recorded,
            chain,
            ..first_hello()
        };
        self.receiver = accept(inbox, grounds, &hello);
    }
}

fn accept(inbox: Inbox, grounds: Digest, hello: &Hello) -> Receiver {
    let (parties, inbox) = (parties(), Some(inbox));
    let accepted = Receiver::accept(parties, RECIPIENT_STORE, inbox, grounds, true, hello).unwrap();
    accepted.receiver
}

#[test]
fn each_code_is_asked_for_at_most_once_an_hour_and_when_its_grounds_changed() {
    let mut world = World::open();
    let now = at(0);
    world.receiver.set_grounds(OTHER_GROUNDS);
    assert_eq!(world.asked(now), [], "nothing was refused");
    world.leave(REFUSED);
    // For good: the item would have to be another one.
    world.leave(Outcome::Refused(RefusalCode::BadSignature));
    world.confirm();
    assert_eq!(world.asked(now), [], "no grounds changed");
    world.receiver.set_grounds(GROUNDS);
    let (codes, inbox) = asked(&mut world.receiver, now);
    assert_eq!(codes, [(REFUSAL, 2)]);
    assert_eq!(world.asked(now), [], "all of it was asked for");

    // A restart does not forget it, nor what changed meanwhile.
    world.reopen(inbox.unwrap(), GROUNDS, 2);
    let inbox = world.leave(REFUSED);
    world.confirm();
    world.reopen(inbox, OTHER_GROUNDS, 3);
    assert_eq!(world.asked(now), [(REFUSAL, 3)], "at once");
    // So many follow each other at once, as a person puts one thing after the other in force, and then as they are earned.
    let grounds = [GROUNDS, OTHER_GROUNDS];
    let change = |world: &mut World, number: u32| {
        world.leave(REFUSED);
        world.confirm();
        world
            .receiver
            .set_grounds(grounds[usize::from(number % 2 == 1)]);
        [(REFUSAL, world.feed.seq)]
    };
    for number in 2..ASKS_AT_ONCE {
        let expected = change(&mut world, number);
        assert_eq!(world.asked(now), expected, "{number}");
    }
    let expected = change(&mut world, ASKS_AT_ONCE);
    for seconds in [0, ASK_EARNED_SECONDS - 1] {
        assert_eq!(world.asked(at(seconds)), []);
    }
    assert_eq!(world.asked(at(ASK_EARNED_SECONDS)), expected);
    let expected = change(&mut world, ASKS_AT_ONCE + 1);
    assert_eq!(world.asked(at(ASK_EARNED_SECONDS)), []);
    assert_eq!(world.asked(at(2 * ASK_EARNED_SECONDS)), expected);
    // All of them are earned again in an hour; and a clock that was set back does not silence it.
    let expected = change(&mut world, ASKS_AT_ONCE);
    assert_eq!(world.asked(at(86_400)), expected);
    let expected = change(&mut world, ASKS_AT_ONCE + 1);
    assert_eq!(world.asked(now), expected);
}

#[test]
fn nothing_is_asked_for_that_the_sender_may_not_know_of() {
    let mut world = World::open();
    let now = at(0);
    world.leave(REFUSED);
    world.receiver.set_grounds(OTHER_GROUNDS);
    assert_eq!(world.asked(now), []);
    assert!(world.receiver.has_to_ask());
    let first = world.sign();
    assert_eq!(world.asked(now), [], "signed, and not confirmed");
    world.hear(&first);
    assert_eq!(world.asked(now), [(REFUSAL, 1)]);
    assert!(!world.receiver.has_to_ask());

    // Some of it is confirmed, and some of it not yet: all of it is asked for together.
    world.leave(UNDECIDED);
    let second = world.sign();
    world.leave(UNDECIDED);
    world.receiver.set_grounds(GROUNDS);
    world.hear(&second);
    assert_eq!(world.asked(now), []);
    world.confirm();
    assert_eq!(world.asked(now), [(RefusalCode::Undecided, 3)]);

    // A confirmation that is lost with the link comes with the next hello, if it was recorded.
    let inbox = world.leave(Outcome::SetAside(RefusalCode::NewerVersion));
    let _lost = world.sign();
    world.reopen(inbox.clone(), OTHER_GROUNDS, 3);
    let [refused, undecided] = [(REFUSAL, 1), (RefusalCode::Undecided, 3)];
    assert_eq!(world.asked(now), [refused, undecided]);
    world.reopen(inbox, OTHER_GROUNDS, 4);
    let newer = (RefusalCode::NewerVersion, 4);
    assert_eq!(world.asked(now), [refused, undecided, newer]);
}

#[test]
fn what_is_not_taken_all_the_time_on_new_grounds_does_not_hold_up_an_ask() {
    let mut world = World::open();
    world.leave(REFUSED);
    world.receiver.set_grounds(OTHER_GROUNDS);
    let first = world.sign();
    // Refused by what is in force now.
    world.leave(REFUSED);
    world.hear(&first);
    let (codes, inbox) = asked(&mut world.receiver, at(0));
    assert_eq!(codes, [(REFUSAL, 1)]);
    let left = inbox.unwrap().untaken[&REFUSAL.number()];
    assert_eq!((left.count, left.grounds), (1, Some(OTHER_GROUNDS)));
    // That one is asked for when there is a reason, and once.
    world.confirm();
    assert_eq!(world.asked(at(ASK_AGAIN_SECONDS)), []);
    world.receiver.set_grounds(GROUNDS);
    assert_eq!(world.asked(at(ASK_AGAIN_SECONDS)), [(REFUSAL, 2)]);
    assert!(!world.receiver.has_to_ask());
}

#[test]
fn what_was_judged_on_several_grounds_is_asked_for_when_the_first_are_back() {
    let mut world = World::open();
    world.leave(REFUSED);
    world.confirm();
    world.receiver.set_grounds(OTHER_GROUNDS);
    assert_eq!(world.asked(at(0)), [(REFUSAL, 1)]);
    world.leave(REFUSED);
    world.receiver.set_grounds(GROUNDS);
    world.leave(REFUSED);
    world.confirm();
    // The second may be taken on these.
    assert_eq!(world.asked(at(1)), [(REFUSAL, 3)]);
}

#[test]
fn an_ask_is_repeated_on_every_link_and_gives_way_to_a_new_one() {
    let mut world = World::open();
    world.leave(REFUSED);
    world.leave(UNDECIDED);
    world.confirm();
    world.receiver.set_grounds(OTHER_GROUNDS);
    let undecided = RefusalCode::Undecided;
    let (codes, inbox) = asked(&mut world.receiver, at(0));
    assert_eq!(codes, [(REFUSAL, 2), (undecided, 2)]);
    let inbox = inbox.unwrap();
    for seconds in [1, 2] {
        world.reopen(inbox.clone(), OTHER_GROUNDS, 2);
        assert!(world.receiver.has_to_ask());
        let (codes, committed) = asked(&mut world.receiver, at(seconds));
        assert_eq!(codes, [(REFUSAL, 2), (undecided, 2)]);
        assert_eq!(committed, None, "nothing about it is new");
        assert!(!world.receiver.has_to_ask());
        assert_eq!(world.asked(at(seconds)), [], "once on a link");
    }

    let inbox = world.leave(REFUSED);
    world.confirm();
    world.reopen(inbox, GROUNDS, 3);
    assert_eq!(world.asked(at(3)), [(undecided, 2), (REFUSAL, 3)]);
}

#[test]
fn nothing_is_asked_for_on_a_link_on_which_nothing_can_come() {
    let mut world = World::open();
    world.leave(REFUSED);
    world.confirm();
    world.receiver.set_grounds(OTHER_GROUNDS);
    let inbox = asked(&mut world.receiver, at(0)).1.unwrap();
    let hello = Hello {
        peer_incarnation: Some(RECIPIENT_STORE),
        cursor: 1,
        chain: Some(world.feed.chain.digest()),
        ..first_hello()
    };
    let another_edition = Hello {
        edition: Digest::of(b"edition 2"),
        ..hello.clone()
    };
    let another_past = Hello {
        chain: Some(Digest::of(b"another past")),
        ..hello.clone()
    };
    for hello in [&another_edition, &another_past] {
        let mut receiver = accept(inbox.clone(), OTHER_GROUNDS, hello);
        assert!(!receiver.has_to_ask());
        assert_eq!(receiver.ask_again(at(1)), None);
    }
    let mut receiver = accept(inbox, OTHER_GROUNDS, &hello);
    assert_eq!(asked(&mut receiver, at(1)).0, [(REFUSAL, 1)]);
}

#[test]
fn clocks_that_were_apart_are_asked_about_as_time_passes() {
    let mut world = World::open();
    let apart = RefusalCode::ClocksApart;
    for (now, is_asked) in [(0, true), (5, false), (ASK_AGAIN_SECONDS, true)] {
        world.leave(Outcome::SetAside(apart));
        world.confirm();
        // One more is always on its way.
        world.leave(Outcome::SetAside(apart));
        let expected = is_asked.then_some((apart, world.feed.seq - 1));
        assert_eq!(world.asked(at(now)), Vec::from_iter(expected), "{now}");
    }
}

#[test]
fn a_sender_is_told_what_to_offer_again() {
    let mut sender = opened(3);
    let (code, upto) = (RefusalCode::Undecided, 2);
    let again = Frame::Again { code, upto };
    let expected = [SenderOutput::Again { code, upto }];
    assert_eq!(feed(&mut sender, &again), expected);
    let mut sender = Sender::open(parties(), SENDER_STORE, None, 0);
    drain(&mut sender);
    let refused = Frame::Reject {
        seq: 0,
        code: RefusalCode::Unexpected,
    };
    assert_eq!(feed(&mut sender, &again), [SenderOutput::Send(refused)]);
}
