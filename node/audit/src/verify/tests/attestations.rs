//! Rules of what decisions count as attested.

use crate::Rule;
use crate::fixture::{CUSTOMER, Keys, Story, customer, facts, organization, supplier, time};
use ambit_ledger::{
    Attestation, AttestationRecorded, AttestationStatement, Attested, Body, IssuerPinned,
    KeyPurpose, Kind, OrganizationId, Time,
};
use serde_bytes::ByteBuf;

const UNTIL: &str = "2027-01-01T00:00:00Z";

fn statement(issuer: &OrganizationId, until: &str, at: Time) -> AttestationStatement {
    AttestationStatement {
        issuer: issuer.clone(),
        attestation: Attestation {
            subject: organization(CUSTOMER),
            what: "ddtc-registered".parse().unwrap(),
            number: Some("M-1".parse().unwrap()),
            not_before: time("2026-01-01T00:00:00Z"),
            not_after: time(until),
            authorization: None,
        },
        at,
    }
}

fn recorded(statement: &AttestationStatement, keys: &Keys) -> Body {
    Body::AttestationRecorded(AttestationRecorded {
        attestation: ByteBuf::from(statement.sign(&keys.statement())),
    })
}

fn pinned(keys: &Keys) -> Body {
    Body::IssuerPinned(IssuerPinned {
        issuer: keys.organization.clone(),
        root: keys.root().public().fingerprint(),
        certificates: vec![keys.certificate(KeyPurpose::Statement, &keys.statement())],
        undone: false,
    })
}

/// The supplier's ledger with an attestation of its own, if any, and one disclosure that counts it, or says so.
fn story(entry: Option<&str>, counted: &str) -> Story {
    let mut story = Story::begin();
    let own = supplier();
    if let Some(until) = entry {
        let stated = statement(&own.organization, until, story.supplier.now);
        story.supplier.push(recorded(&stated, &own));
    }
    let stated = statement(&own.organization, counted, story.supplier.now);
    story.attested = [Attested {
        issuer: own.organization,
        attestation: stated.attestation,
    }]
    .into();
    disclose(&mut story);
    story
}

fn disclose(story: &mut Story) {
    let (id, facts) = story.supplier.observe(facts("inspection-result"));
    let judged = story.judge(&facts);
    story.supplier.decide(&judged);
    story.disclose(id, &facts, &judged.decision, 1);
}

#[test]
fn what_was_attested_above_is_counted() {
    let story = story(Some(UNTIL), UNTIL);
    story.supplier.expect(&[]);
    // On whose word, the report says.
    let report = story.supplier.verify();
    assert!(report.attested()[0].is_own_word);
    let said = format!(
        "of {CUSTOMER}: \"ddtc-registered\", number \"M-1\", from 2026-01-01T00:00:00Z to {UNTIL}, by \
         did:web:supplier.example (entry {}): this ledger's own word\n",
        story.supplier.nth(Kind::AttestationRecorded, 0)
    );
    assert!(report.to_string().contains(&said), "{report}");
}

#[test]
fn what_no_entry_supports_is_found() {
    // No entry at all; one of another span; one that was over already.
    for (entry, counted) in [
        (None, UNTIL),
        (Some("2026-12-01T00:00:00Z"), UNTIL),
        (Some("2026-04-01T00:00:00Z"), "2026-04-01T00:00:00Z"),
    ] {
        let story = story(entry, counted);
        let decided = story.supplier.nth(Kind::Decided, 0);
        let disclosed = story.supplier.nth(Kind::Disclosed, 0);
        story.supplier.expect(&[
            (Rule::Attestation, Some(decided)),
            (Rule::DecisionClass, Some(disclosed)),
        ]);
    }
}

#[test]
fn a_decision_leaves_out_nothing_that_is_attested() {
    let mut story = Story::begin();
    let own = supplier();
    let stated = statement(&own.organization, UNTIL, story.supplier.now);
    story.supplier.push(recorded(&stated, &own));
    disclose(&mut story);
    let disclosed = story.supplier.nth(Kind::Disclosed, 0);
    story
        .supplier
        .expect(&[(Rule::DecisionClass, Some(disclosed))]);
}

#[test]
fn only_pinned_issuers_speak_and_never_of_themselves() {
    // The customer would speak of itself: of its own ledger it is the subject, so another speaks of it here.
    let mut story = Story::begin();
    let stated = AttestationStatement {
        attestation: Attestation {
            subject: supplier().organization,
            ..statement(&customer().organization, UNTIL, story.supplier.now).attestation
        },
        ..statement(&customer().organization, UNTIL, story.supplier.now)
    };
    story.supplier.push(recorded(&stated, &customer()));
    let last = story.supplier.entries.len() - 1;
    story.supplier.expect(&[(Rule::Attestation, Some(last))]);

    let mut story = Story::begin();
    story.supplier.push(pinned(&customer()));
    story.supplier.push(recorded(&stated, &customer()));
    story.supplier.expect(&[]);
    let itself = statement(&customer().organization, UNTIL, story.supplier.now);
    story.supplier.push(recorded(&itself, &customer()));
    let last = story.supplier.entries.len() - 1;
    story.supplier.expect(&[(Rule::Attestation, Some(last))]);
}

#[test]
fn nobody_pins_itself() {
    let mut story = Story::begin();
    story.supplier.push(pinned(&supplier()));
    let last = story.supplier.entries.len() - 1;
    story.supplier.expect(&[(Rule::Certificate, Some(last))]);
}

#[test]
fn what_an_organization_attests_it_records_at_once() {
    for (late, ahead, is_right) in [(1, 0, true), (600, 0, true), (601, 0, false), (1, 2, false)] {
        let mut story = Story::begin();
        let own = supplier();
        let at = story.supplier.now.plus_seconds(ahead);
        story.supplier.now = story.supplier.now.plus_seconds(late - 1);
        let stated = statement(&own.organization, UNTIL, at);
        story.supplier.push(recorded(&stated, &own));
        let last = story.supplier.entries.len() - 1;
        let wrong = [(Rule::Attestation, Some(last))];
        story.supplier.expect(if is_right { &[] } else { &wrong });
    }
}

#[test]
fn a_key_that_an_issuer_ended_stays_ended_under_an_earlier_card() {
    let mut story = Story::begin();
    let issuer = customer();
    story.supplier.push(pinned(&issuer));
    let end = story.supplier.now;
    let mut ended = pinned(&issuer);
    let Body::IssuerPinned(body) = &mut ended else {
        panic!()
    };
    let until = (time("2026-01-01T00:00:00Z"), Some(end));
    body.certificates =
        vec![issuer.certificate_between(KeyPurpose::Statement, &issuer.statement(), until)];
    story.supplier.push(ended);
    story.supplier.push(pinned(&issuer));
    let mut stated = statement(&issuer.organization, UNTIL, story.supplier.now);
    stated.attestation.subject = supplier().organization;
    story.supplier.push(recorded(&stated, &issuer));
    let last = story.supplier.entries.len() - 1;
    story.supplier.expect(&[(Rule::KeyTime, Some(last))]);
}

#[test]
fn another_key_than_the_issuers_is_found() {
    let mut story = Story::begin();
    story.supplier.push(pinned(&customer()));
    let mut stated = statement(&customer().organization, UNTIL, story.supplier.now);
    stated.attestation.subject = supplier().organization;
    story.supplier.push(recorded(&stated, &supplier()));
    let last = story.supplier.entries.len() - 1;
    story.supplier.expect(&[(Rule::Key, Some(last))]);
}

#[test]
fn what_is_counted_may_end_between_judging_and_recording() {
    // Recorded a second after it was decided; what was counted ended in between, or longer ago than a commit takes.
    for (gap, rules) in [(0, &[][..]), (3_600, &[Rule::DecisionExpired][..])] {
        let mut story = Story::begin();
        let own = supplier();
        let end = story.supplier.now.plus_seconds(4).to_string();
        let stated = statement(&own.organization, &end, story.supplier.now);
        story.supplier.push(recorded(&stated, &own));
        story.attested = [Attested {
            issuer: own.organization,
            attestation: stated.attestation,
        }]
        .into();
        let mut unclassified = facts("inspection-result");
        unclassified.export_control.determined = false;
        let (id, unclassified) = story.supplier.observe(unclassified);
        let judged = story.judge(&unclassified);
        assert!(judged.decision.true_until.is_some());
        let decision = story.supplier.decide(&judged);
        story.supplier.now = story.supplier.now.plus_seconds(gap);
        story.withhold(id, Some(decision));
        let withheld = story.supplier.nth(Kind::Withheld, 0);
        let broken: Vec<_> = rules.iter().map(|rule| (*rule, Some(withheld))).collect();
        story.supplier.expect(&broken);
        assert!(
            story
                .attested
                .iter()
                .all(|said| said.attestation.is_over(story.supplier.now))
        );
    }
}

#[test]
fn what_is_taken_back_counts_what_is_attested_then() {
    let mut story = story(Some(UNTIL), UNTIL);
    let wide = story.limits.clone();
    story.limits.hold_until = time("2026-06-01T00:00:00Z");
    story.set_limits();
    story.take_back(1);
    story.limits = wide;
    story.set_limits();
    story.supplier.expect(&[]);
    // Nothing is attested any more, and the decision still counts it.
    let mut story = self::story(Some(UNTIL), UNTIL);
    let at = story.supplier.now;
    let ended = statement(&supplier().organization, "2026-02-01T00:00:00Z", at);
    story.supplier.push(recorded(&ended, &supplier()));
    story.limits.hold_until = time("2026-06-01T00:00:00Z");
    story.set_limits();
    story.take_back(1);
    let decided = story.supplier.nth(Kind::Decided, 1);
    let withdrawn = story.supplier.nth(Kind::Withdrawn, 0);
    story.supplier.expect(&[
        (Rule::Attestation, Some(decided)),
        (Rule::DecisionClass, Some(withdrawn)),
    ]);
}
