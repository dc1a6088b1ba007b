//! Rules of acknowledgements.

use crate::Rule;
use crate::fixture::{Story, customer, organization};
use ambit_ledger::{
    Acknowledgement, Body, Digest, Disclosure, IssuerPinned, KeyPurpose, Kind, RefusalCode,
    RefusedItem, Salt, Time,
};

/// The supplier's ledger with the first of its two acknowledgements, up to number 1 of 3.
fn begun() -> Story {
    let mut story = Story::told();
    story
        .supplier
        .truncate(story.supplier.nth(Kind::Acknowledged, 0) + 1);
    story
}

fn refused(seq: u64) -> RefusedItem {
    RefusedItem {
        seq,
        code: RefusalCode::NotAdmissible,
    }
}

fn expect_last(story: &Story, rule: Rule) {
    let last = story.supplier.entries.len() - 1;
    story.supplier.expect(&[(rule, Some(last))]);
}

#[test]
fn outcomes_are_those_of_the_items_in_the_ledger() {
    let acknowledge = |statement: Acknowledgement| {
        let mut story = begun();
        story.push_acknowledgement(&statement);
        story
    };
    acknowledge(begun().acknowledgement(3, &[]))
        .supplier
        .expect(&[]);
    acknowledge(begun().acknowledgement(3, &[refused(2), refused(3)]))
        .supplier
        .expect(&[]);
    acknowledge(begun().acknowledgement(1, &[]))
        .supplier
        .expect(&[]);

    let mut statement = begun().acknowledgement(3, &[refused(3)]);
    statement.refused.clear();
    expect_last(&acknowledge(statement), Rule::AcknowledgementOutcomes);
    let mut statement = begun().acknowledgement(3, &[refused(3)]);
    statement.refused[0].code = RefusalCode::TooLarge;
    expect_last(&acknowledge(statement), Rule::AcknowledgementOutcomes);
    let mut statement = begun().acknowledgement(3, &[]);
    statement.outcomes = Digest::of(b"another");
    expect_last(&acknowledge(statement), Rule::AcknowledgementOutcomes);
}

#[test]
fn a_withdrawn_item_is_acknowledged_as_noted() {
    let mut story = begun();
    let statement = story.acknowledgement(2, &[]);
    story.push_acknowledgement(&statement);
    story.supplier.expect(&[]);
    // As long as it was not withdrawn, number 2 was an item.
    let mut story = begun();
    story
        .supplier
        .truncate(story.supplier.nth(Kind::Withdrawn, 0));
    story.push_acknowledgement(&statement);
    expect_last(&story, Rule::AcknowledgementOutcomes);
}

#[test]
fn an_acknowledgement_is_not_dated_ahead() {
    for (seconds, is_right) in [(300, true), (301, false)] {
        let mut story = begun();
        let mut statement = story.acknowledgement(3, &[]);
        // It is recorded a second later.
        statement.at = story.supplier.now.plus_seconds(1 + seconds);
        story.push_acknowledgement(&statement);
        if is_right {
            story.supplier.expect(&[]);
        } else {
            expect_last(&story, Rule::AcknowledgementTime);
        }
    }
}

#[test]
fn an_acknowledgement_never_goes_back_nor_beyond() {
    let mut story = begun();
    story.acknowledge(3, &[]);
    story.acknowledge(1, &[]);
    expect_last(&story, Rule::AcknowledgementRange);
    let mut story = begun();
    story.acknowledge(4, &[]);
    expect_last(&story, Rule::AcknowledgementRange);
}

#[test]
fn nothing_is_acknowledged_before_it_was_issued() {
    let dated = |seconds: i64, not_taken: &[RefusedItem]| {
        let mut story = begun();
        // The first that comes.
        let length = story.supplier.nth(Kind::Acknowledged, 0);
        story.supplier.truncate(length);
        let statement = story.acknowledgement(3, not_taken);
        let entry = story.supplier.nth(Kind::Disclosed, 2);
        let Ok(Body::Disclosed(body)) = story.supplier.entries[entry].body() else {
            panic!()
        };
        let issued_at = Disclosure::from_own_ledger(&body.disclosure)
            .unwrap()
            .issued_at;
        let at = Time::try_from(issued_at.as_nanos() + seconds * 1_000_000_000).unwrap();
        story.push_acknowledgement(&Acknowledgement { at, ..statement });
        story
    };
    dated(-300, &[]).supplier.expect(&[]);
    expect_last(&dated(-301, &[]), Rule::AcknowledgementTime);
    // Nothing was taken in by a clock that is behind: so it says, and so it is recorded.
    dated(-301, &[refused(1), refused(2), refused(3)])
        .supplier
        .expect(&[]);
}

#[test]
fn a_key_that_is_not_good_when_it_comes_acknowledges_nothing() {
    let narrowed = |from: i64, until: i64| {
        let mut story = begun();
        let keys = customer();
        let instant = |seconds: i64| {
            let nanos = story.supplier.now.as_nanos() + seconds * 1_000_000_000;
            let at = Time::try_from(nanos).unwrap();
            at.start_of_millis()
        };
        let good = (instant(from), Some(instant(until)));
        let at = instant(from);
        let key = keys.statement();
        let certificate = keys.certificate_between(KeyPurpose::Statement, &key, good);
        story.supplier.push(Body::IssuerPinned(IssuerPinned {
            issuer: keys.organization.clone(),
            root: keys.root().public().fingerprint(),
            certificates: vec![certificate],
            undone: false,
        }));
        let statement = story.acknowledgement(3, &[refused(2), refused(3)]);
        story.push_acknowledgement(&Acknowledgement { at, ..statement });
        let report = story.supplier.verify();
        report.findings().iter().any(|found| {
            found.rule == Rule::KeyTime
                && found.entry == Some(story.supplier.entries.len() as u64 - 1)
        })
    };
    assert!(!narrowed(-60, 60));
    assert!(!narrowed(280, 600));
    assert!(narrowed(400, 600), "not good yet");
    assert!(!narrowed(-900, -500));
    assert!(narrowed(-900, -700), "ended before");
}

#[test]
fn a_statement_that_breaks_its_own_rules_is_none() {
    // Refusing beyond what it reaches, and not in order.
    let mut story = begun();
    let mut statement = story.acknowledgement(3, &[]);
    statement.refused.push(refused(4));
    story.push_acknowledgement(&statement);
    expect_last(&story, Rule::Signature);
    let mut story = begun();
    let statement = story.acknowledgement(3, &[refused(3), refused(2)]);
    story.push_acknowledgement(&statement);
    expect_last(&story, Rule::Signature);
}

#[test]
fn a_refusal_that_was_settled_may_be_repeated() {
    let mut story = Story::told();
    let length = story.supplier.nth(Kind::Disclosed, 2) + 1;
    story.supplier.truncate(length);
    story.acknowledge(1, &[refused(1)]);
    let statement = story.acknowledgement(3, &[refused(1)]);
    story.push_acknowledgement(&statement);
    story.supplier.expect(&[]);
}

#[test]
fn a_new_incarnation_begins_again() {
    let incarnation = Salt::from_bytes([8; 32]);
    let mut story = begun();
    story.acknowledge(3, &[]);
    let again = story.acknowledgement_by(incarnation, 1, &[]);
    story.push_acknowledgement(&again);
    story.supplier.expect(&[]);
    // Its chain is its own.
    let mut story = begun();
    story.acknowledge(3, &[]);
    story.push_acknowledgement(&Acknowledgement {
        incarnation,
        ..story.acknowledgement(1, &[])
    });
    expect_last(&story, Rule::AcknowledgementOutcomes);
}

#[test]
fn what_was_signed_before_is_recorded_before() {
    let incarnation = Salt::from_bytes([8; 32]);
    let dated = |incarnation: Option<Salt>, seconds: u32| {
        let mut story = begun();
        story.acknowledge(1, &[]);
        let before = story.acknowledgement(1, &[]).at;
        let mut statement = match incarnation {
            Some(incarnation) => story.acknowledgement_by(incarnation, 1, &[]),
            None => story.acknowledgement(2, &[]),
        };
        statement.at = before.minus_seconds(seconds);
        story.push_acknowledgement(&statement);
        let last = story.supplier.entries.len() as u64 - 1;
        let report = story.supplier.verify();
        let mut found = report.findings().iter();
        found.any(|found| (found.rule, found.entry) == (Rule::AcknowledgementTime, Some(last)))
    };
    assert!(!dated(None, 290));
    assert!(dated(None, 330));
    assert!(!dated(Some(incarnation), 0));
    assert!(dated(Some(incarnation), 20));
}

#[test]
fn an_acknowledgement_is_of_an_outbox_of_this_ledger() {
    let mut story = begun();
    let mut statement = story.acknowledgement(3, &[]);
    statement.sender = organization("did:web:other.example");
    story.push_acknowledgement(&statement);
    expect_last(&story, Rule::AcknowledgementParties);
    let mut story = begun();
    let mut statement = story.acknowledgement(3, &[]);
    statement.partnership = "another".parse().unwrap();
    story.push_acknowledgement(&statement);
    expect_last(&story, Rule::AcknowledgementParties);
    let mut story = begun();
    story.acknowledge(3, &[]);
    let last = story.supplier.entries.len() - 1;
    story.supplier.alter(last, |body| {
        let Body::Acknowledged(body) = body else {
            panic!()
        };
        *body.acknowledgement.last_mut().unwrap() ^= 1;
    });
    expect_last(&story, Rule::Signature);
}
