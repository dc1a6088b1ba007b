//! Rules of what is offered again.

use crate::Rule;
use crate::fixture::{Story, facts, time};
use ambit_ledger::{
    Body, Digest, Disclosed, Disclosure, DisclosureId, Facts, Kind, ObservationId, OfferedAgain,
    RefusalCode, RefusedItem, Salt,
};
use serde_bytes::ByteBuf;

fn item(seq: u64, code: RefusalCode) -> RefusedItem {
    RefusedItem { seq, code }
}

/// One observation disclosed as number 1, which its recipient did not take, with this code.
fn not_taken(code: RefusalCode) -> Story {
    let mut story = Story::begin();
    let (id, facts) = story.supplier.observe(facts("inspection-result"));
    let judged = story.judge(&facts);
    story.supplier.decide(&judged);
    story.disclose(id, &facts, &judged.decision, 1);
    story.acknowledge(1, &[item(1, code)]);
    story
}

/// That, and offered again as number 2, by an entry that is altered.
fn offered(code: RefusalCode, change: impl FnOnce(&mut OfferedAgain)) -> Story {
    let mut story = not_taken(code);
    let mut offer = story.offer(1, 2);
    change(&mut offer);
    story.supplier.push(Body::OfferedAgain(offer));
    story
}

fn expect_last(story: &Story, rules: &[Rule]) {
    let last = story.supplier.entries.len() - 1;
    let expected: Vec<_> = rules.iter().map(|rule| (*rule, Some(last))).collect();
    story.supplier.expect(&expected);
}

#[test]
fn what_may_be_taken_another_time_is_offered_again() {
    for code in [
        RefusalCode::NotAdmissible,
        RefusalCode::Undecided,
        RefusalCode::ClocksApart,
        RefusalCode::from(1_234),
    ] {
        offered(code, |_| {}).supplier.expect(&[]);
    }
    for code in [RefusalCode::WiderTerms, RefusalCode::Duplicate] {
        expect_last(&offered(code, |_| {}), &[Rule::OfferedAgain]);
    }
}

#[test]
fn only_what_was_not_taken_is_offered_again() {
    let code = RefusalCode::NotAdmissible;
    let mut taken = not_taken(code);
    let length = taken.supplier.entries.len();
    taken.supplier.truncate(length - 1);
    let mut silent = taken.clone();
    let offer = silent.offer(1, 2);
    silent.supplier.push(Body::OfferedAgain(offer));
    expect_last(&silent, &[Rule::OfferedAgain]);
    taken.acknowledge(1, &[]);
    let offer = taken.offer(1, 2);
    taken.supplier.push(Body::OfferedAgain(offer));
    expect_last(&taken, &[Rule::OfferedAgain]);

    let another = |offer: &mut OfferedAgain| offer.first = DisclosureId::of(b"another");
    expect_last(&offered(code, another), &[Rule::OfferedAgain]);
}

#[test]
fn its_number_is_the_next_one() {
    let code = RefusalCode::NotAdmissible;
    for seq in [1, 3] {
        let story = offered(code, |offer| offer.seq = seq);
        expect_last(&story, &[Rule::Sequence]);
    }
}

#[test]
fn it_is_admissible_when_it_is_offered_again() {
    let code = RefusalCode::NotAdmissible;
    let unknown = |offer: &mut OfferedAgain| offer.decision = Digest::of(b"another");
    expect_last(&offered(code, unknown), &[Rule::DecisionUnknown]);

    let mut story = not_taken(code);
    story.limits.hold_until = time("2026-12-01T00:00:00Z");
    story.set_limits();
    let offer = story.offer(1, 2);
    story.supplier.push(Body::OfferedAgain(offer));
    expect_last(&story, &[Rule::DecisionVerdict]);

    // A decision about something else.
    let mut story = not_taken(code);
    let mut offer = story.offer(1, 2);
    let mut other = facts("inspection-result");
    other.export_control.determined = false;
    let (_, other) = story.supplier.observe(other);
    let judged = story.judge(&other);
    offer.decision = story.supplier.decide(&judged);
    story.supplier.push(Body::OfferedAgain(offer));
    expect_last(&story, &[Rule::DecisionClass]);
}

#[test]
fn what_is_offered_again_is_counted_once_by_its_last_number() {
    let code = RefusalCode::Undecided;
    let mut story = offered(code, |_| {});
    let counted = |story: &Story| {
        let report = story.supplier.verify();
        assert_eq!(report.exit_code(), 0, "{report}");
        let delivery = report.deliveries()[0].clone();
        (
            delivery.disclosed,
            delivery.admitted,
            delivery.set_aside,
            delivery.unacknowledged,
        )
    };
    assert_eq!(counted(&not_taken(code)), (1, 0, 1, 0));
    assert_eq!(counted(&story), (1, 0, 0, 1));
    story.acknowledge(2, &[item(1, code), item(2, code)]);
    assert_eq!(counted(&story), (1, 0, 1, 0));
    let offer = story.offer(1, 3);
    story.supplier.push(Body::OfferedAgain(offer));
    story.acknowledge(3, &[item(1, code), item(2, code)]);
    assert_eq!(counted(&story), (1, 1, 0, 0));
}

#[test]
fn an_earlier_number_that_is_taken_back_leaves_the_further_one_standing() {
    // The recipient did not take it at first; what the limits give is less by now.
    let mut story = Story::begin();
    let (id, facts) = story.supplier.observe(facts("inspection-result"));
    let judged = story.judge(&facts);
    story.supplier.decide(&judged);
    story.disclose(id, &facts, &judged.decision, 1);
    let code = RefusalCode::NotAdmissible;
    story.acknowledge(1, &[item(1, code)]);
    let offer = story.offer(1, 2);
    story.supplier.push(Body::OfferedAgain(offer));
    story.limits.hold_until = time("2026-12-01T00:00:00Z");
    story.set_limits();
    let narrower = |story: &mut Story| {
        let judged = story.judge(&facts);
        story.supplier.decide(&judged);
        story.disclose(id, &facts, &judged.decision, 3);
    };
    let is_twice = |story: &Story| {
        let report = story.supplier.verify();
        let mut findings = report.findings().iter();
        findings.any(|finding| finding.rule == Rule::DisclosureTwice)
    };
    let mut hidden = story.clone();
    hidden.take_back(1);
    narrower(&mut hidden);
    assert!(is_twice(&hidden));

    let mut open = story;
    open.take_back(1);
    let Some(Ok(Body::Withdrawn(mut further))) =
        open.supplier.entries.last().map(|entry| entry.body())
    else {
        panic!()
    };
    further.seq = 2;
    open.supplier.push(Body::Withdrawn(further));
    narrower(&mut open);
    assert!(!is_twice(&open));
}

/// What its recipient did not take, offered again as number 2, and taken under number 1 by a new store of the recipient's.
fn taken_by_a_new_store() -> (Story, ObservationId, Facts) {
    let mut story = Story::begin();
    let (id, facts) = story.supplier.observe(facts("inspection-result"));
    let judged = story.judge(&facts);
    story.supplier.decide(&judged);
    story.disclose(id, &facts, &judged.decision, 1);
    story.acknowledge(1, &[item(1, RefusalCode::NotAdmissible)]);
    let offer = story.offer(1, 2);
    story.supplier.push(Body::OfferedAgain(offer));
    let new = story.acknowledgement_by(Salt::from_bytes([8; 32]), 1, &[]);
    story.push_acknowledgement(&new);
    story.supplier.expect(&[]);
    (story, id, facts)
}

/// Takes the disclosure of number 1 back, under a further number that it has.
fn take_back_as(story: &mut Story, seq: u64) {
    story.take_back(1);
    let Some(Ok(Body::Withdrawn(mut further))) =
        story.supplier.entries.pop().map(|entry| entry.body())
    else {
        panic!()
    };
    further.seq = seq;
    story.supplier.push(Body::Withdrawn(further));
}

#[test]
fn what_a_new_store_took_under_an_earlier_number_is_said_nothing_else_of() {
    let (mut story, id, facts) = taken_by_a_new_store();
    let mut offered = story.clone();
    let again = offered.offer(1, 3);
    offered.supplier.push(Body::OfferedAgain(again));
    expect_last(&offered, &[Rule::OfferedAgain]);

    // Number 2 may no longer leave; under number 1 it is still there.
    story.limits.hold_until = time("2026-12-01T00:00:00Z");
    story.set_limits();
    take_back_as(&mut story, 2);
    story.supplier.expect(&[]);
    let delivery = story.supplier.verify().deliveries()[0].clone();
    assert_eq!((delivery.disclosed, delivery.admitted), (1, 1));
    assert_eq!(delivery.withdrawn, 0);

    let mut withheld = story.clone();
    withheld.withhold(id, None);
    let found = |story: &Story, rule| {
        let report = story.supplier.verify();
        let mut found = report.findings().iter();
        assert!(found.any(|finding| finding.rule == rule), "{report}");
    };
    found(&withheld, Rule::WithheldDisclosed);
    let mut anew = story;
    let judged = anew.judge(&facts);
    anew.supplier.decide(&judged);
    anew.disclose(id, &facts, &judged.decision, 3);
    found(&anew, Rule::DisclosureTwice);
}

#[test]
fn what_a_new_store_has_not_answered_is_not_offered_again() {
    let code = RefusalCode::NotAdmissible;
    let mut story = Story::begin();
    for seq in [1, 2] {
        let (id, facts) = story.supplier.observe(facts("inspection-result"));
        let judged = story.judge(&facts);
        story.supplier.decide(&judged);
        story.disclose(id, &facts, &judged.decision, seq);
    }
    story.acknowledge(2, &[item(1, code), item(2, code)]);
    let new = story.acknowledgement_by(Salt::from_bytes([8; 32]), 1, &[item(1, code)]);
    story.push_acknowledgement(&new);
    let mut first = story.clone();
    let offer = first.offer(1, 3);
    first.supplier.push(Body::OfferedAgain(offer));
    first.supplier.expect(&[]);
    let offer = story.offer(2, 3);
    story.supplier.push(Body::OfferedAgain(offer));
    expect_last(&story, &[Rule::OfferedAgain]);
}

#[test]
fn what_is_taken_back_and_put_there_anew_is_counted_once() {
    let (mut story, id, facts) = taken_by_a_new_store();
    let before = story.limits.clone();
    story.limits.hold_until = time("2026-12-01T00:00:00Z");
    story.set_limits();
    // The new store holds it as number 1; what is offered again then follows a number that was taken back.
    take_back_as(&mut story, 2);
    let counted = |story: &Story| {
        let delivery = story.supplier.verify().deliveries()[0].clone();
        [
            delivery.disclosed,
            delivery.admitted,
            delivery.refused,
            delivery.withdrawn,
        ]
    };
    assert_eq!(counted(&story), [1, 1, 0, 0]);

    // One that nobody has: taken back, and disclosed anew.
    let mut story = Story::begin();
    let (_, other) = story.supplier.observe(facts.clone());
    drop(other);
    let (id_two, facts_two) = story.supplier.observe(facts);
    let judged = story.judge(&facts_two);
    story.supplier.decide(&judged);
    story.disclose(id_two, &facts_two, &judged.decision, 1);
    story.limits.hold_until = time("2026-12-01T00:00:00Z");
    story.set_limits();
    story.take_back(1);
    story.limits = before;
    story.set_limits();
    let judged = story.judge(&facts_two);
    story.supplier.decide(&judged);
    story.disclose(id_two, &facts_two, &judged.decision, 2);
    assert_ne!(id, id_two);
    assert_eq!(counted(&story), [1, 0, 0, 0]);
    // The same statement is no second disclosure.
    let first = story.supplier.nth(Kind::Disclosed, 0);
    let Ok(Body::Disclosed(mut body)) = story.supplier.entries[first].body() else {
        panic!()
    };
    story.supplier.entries.pop();
    body.seq = 2;
    // Nor is it one under another signature, or with another instant: its salt is the same.
    let mut later = Disclosure::from_own_ledger(&body.disclosure).unwrap();
    later.issued_at = story.supplier.now;
    let later = later.sign(&story.supplier.keys.statement());
    for disclosure in [body.disclosure.clone(), ByteBuf::from(later)] {
        let mut story = story.clone();
        story.supplier.push(Body::Disclosed(Disclosed {
            disclosure,
            ..body.clone()
        }));
        let report = story.supplier.verify();
        let mut found = report.findings().iter();
        assert!(
            found.any(|finding| finding.rule == Rule::DisclosureTwice),
            "{report}"
        );
    }
}
