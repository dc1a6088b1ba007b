//! Rules of what is taken back.

use crate::Rule;
use crate::fixture::{Story, salt, terms, time};
use ambit_ledger::{
    Acknowledgement, AgreementState, Body, Digest, DisclosureId, Kind, Withdrawal, Withdrawn,
};

/// The supplier's ledger with one observation disclosed, which is not acknowledged.
fn disclosed() -> Story {
    let mut story = Story::told();
    let length = story.supplier.nth(Kind::Disclosed, 0) + 1;
    story.supplier.truncate(length);
    story
}

/// The owner allows less from now on.
fn narrow(story: &mut Story) {
    story.limits.hold_until = time("2026-12-01T00:00:00Z");
    story.set_limits();
}

fn expect_last(story: &Story, rule: Rule) {
    let last = story.supplier.entries.len() - 1;
    story.supplier.expect(&[(rule, Some(last))]);
}

/// Number 1 taken back by a decision under narrower limits, which is altered.
fn taken_back(change: impl FnOnce(&mut Withdrawn)) -> Story {
    let mut story = disclosed();
    narrow(&mut story);
    story.take_back(1);
    let last = story.supplier.entries.len() - 1;
    story.supplier.alter(last, |body| {
        let Body::Withdrawn(body) = body else {
            panic!()
        };
        change(body);
    });
    story
}

fn decision(story: &Story, n: usize) -> Digest {
    let index = story.supplier.nth(Kind::Decided, n);
    let Ok(Body::Decided(decided)) = story.supplier.entries[index].body() else {
        panic!()
    };
    decided.decision.digest()
}

#[test]
fn a_withdrawal_is_of_a_disclosure_that_stands() {
    taken_back(|_| {}).supplier.expect(&[]);
    expect_last(&taken_back(|w| w.seq = 2), Rule::Withdrawal);
    let another = |w: &mut Withdrawn| w.disclosure = DisclosureId::of(b"another");
    expect_last(&taken_back(another), Rule::Withdrawal);
    let elsewhere = |w: &mut Withdrawn| w.partnership = "another".parse().unwrap();
    expect_last(&taken_back(elsewhere), Rule::Withdrawal);
    let mut story = taken_back(|_| {});
    let again = story.supplier.entries.last().unwrap().body().unwrap();
    story.supplier.push(again);
    expect_last(&story, Rule::Withdrawal);
}

/// By a decision.
fn by(decision: Digest) -> Withdrawal {
    Withdrawal::Judged {
        decision,
        undecided: false,
    }
}

#[test]
fn while_the_agreement_is_in_force_only_a_decision_takes_back() {
    let unknown = taken_back(|w| w.grounds = by(Digest::of(b"another")));
    expect_last(&unknown, Rule::DecisionUnknown);
    let undecided = taken_back(|w| {
        let Withdrawal::Judged { undecided, .. } = &mut w.grounds else {
            panic!()
        };
        *undecided = true;
    });
    expect_last(&undecided, Rule::DecisionVerdict);
    let edition = terms().digest();
    let state = |state| Withdrawal::Agreement { state };
    for grounds in [
        state(AgreementState::Proposed),
        state(AgreementState::Active),
        state(AgreementState::Suspended),
        state(AgreementState::Dissolved),
        state(AgreementState::Ended),
        state(AgreementState::Closed),
        Withdrawal::Edition { edition },
        Withdrawal::Membership,
    ] {
        let unasked = taken_back(|w| w.grounds = grounds.clone());
        expect_last(&unasked, Rule::WithdrawalUnasked);
    }
    let erased = taken_back(|w| w.grounds = Withdrawal::Erased);
    expect_last(&erased, Rule::Unchecked);
}

#[test]
fn a_decision_that_admits_takes_nothing_back() {
    let mut story = disclosed();
    let withdrawn = story.withdrawal(1, by(decision(&story, 0)));
    story.supplier.push(Body::Withdrawn(withdrawn.clone()));
    expect_last(&story, Rule::DecisionVerdict);
    // Nor does it under limits that it did not read.
    let mut story = disclosed();
    narrow(&mut story);
    story.supplier.push(Body::Withdrawn(withdrawn));
    expect_last(&story, Rule::DecisionClass);
}

#[test]
fn a_decision_on_something_else_takes_nothing_back() {
    // By the decision that withholds the class of another observation.
    let mut story = Story::told();
    let length = story.supplier.nth(Kind::Disclosed, 1) + 1;
    story.supplier.truncate(length);
    let withdrawn = story.withdrawal(2, by(decision(&story, 1)));
    story.supplier.push(Body::Withdrawn(withdrawn));
    expect_last(&story, Rule::DecisionClass);
    // By one about another recipient.
    let mut story = taken_back(|_| {});
    let last = story.supplier.entries.len() - 1;
    let stranger = "did:web:stranger.example";
    story.supplier.alter(last - 1, |body| {
        let Body::Decided(body) = body else { panic!() };
        body.decision.inquiry.recipient.organization = stranger.parse().unwrap();
        body.decision.class_key = Digest::of(stranger.as_bytes());
    });
    let altered = decision(&story, 1);
    story.supplier.alter(last, |body| {
        let Body::Withdrawn(body) = body else {
            panic!()
        };
        body.grounds = by(altered);
    });
    expect_last(&story, Rule::DecisionClass);
}

#[test]
fn without_the_agreement_nothing_is_decided() {
    let mut story = disclosed();
    let mut second = terms();
    second.edition = 2;
    second.previous = [story.terms.digest()].into();
    second.title = "Another".parse().unwrap();
    second.profile = Digest::of(ambit_policy::render(&second).unwrap().as_bytes());
    story.supplier.agree(&second);
    let edition = second.digest();
    let replaced = story.withdrawal(1, Withdrawal::Edition { edition });
    story.supplier.push(Body::Withdrawn(replaced));
    story.supplier.expect(&[]);
    // After the end, with the edition still the last one.
    let mut story = disclosed();
    story.supplier.now = story.terms.until;
    let state = AgreementState::Ended;
    let ended = story.withdrawal(1, Withdrawal::Agreement { state });
    story.supplier.push(Body::Withdrawn(ended));
    story.supplier.expect(&[]);
}

#[test]
fn what_was_acknowledged_is_not_said_to_have_been_taken_back() {
    let mut story = disclosed();
    story.acknowledge(1, &[]);
    narrow(&mut story);
    story.take_back(1);
    let withdrawn = story.supplier.entries.len() - 1;
    // Whether the recipient lost its store does not show yet.
    let report = story.supplier.verify();
    assert_eq!(report.exit_code(), 3, "{report}");
    story
        .supplier
        .expect(&[(Rule::WithdrawalUnproved, Some(withdrawn))]);
    // It was there, whatever the ledger says of it later.
    assert_eq!(report.deliveries()[0].admitted, 1);
    assert_eq!(report.deliveries()[0].withdrawn, 0);

    // A new store signs for a tombstone in its place.
    let mut restored = story.clone();
    let statement = restored.acknowledgement_by(salt(8), 1, &[]);
    restored.push_acknowledgement(&statement);
    restored.supplier.expect(&[]);

    // By a clock that is too far behind it would sign for it before it was taken back.
    let mut slow = disclosed();
    slow.acknowledge(1, &[]);
    let said_at = slow.supplier.now;
    slow.supplier.now = said_at.plus_seconds(1_000);
    narrow(&mut slow);
    slow.take_back(1);
    let statement = slow.acknowledgement_by(salt(8), 1, &[]);
    let at = said_at.plus_seconds(1);
    slow.push_acknowledgement(&Acknowledgement { at, ..statement });
    let last = slow.supplier.entries.len() - 1;
    slow.supplier
        .expect(&[(Rule::AcknowledgementTime, Some(last))]);

    // The one that acknowledged it goes on.
    let mut goes_on = story.acknowledgement(1, &[]);
    goes_on.outcomes = disclosed().acknowledgement(1, &[]).outcomes;
    story.push_acknowledgement(&goes_on);
    let report = story.supplier.verify();
    assert_eq!(report.exit_code(), 1, "{report}");
    story
        .supplier
        .expect(&[(Rule::WithdrawalAcknowledged, Some(withdrawn))]);
}
