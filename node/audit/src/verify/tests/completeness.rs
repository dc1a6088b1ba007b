//! What is left out, or said beside what is checked, does not pass for verified.

use crate::fixture::{Ledger, Story, customer, expect, facts, organization, supplier, terms, time};
use crate::{Rule, Trust, TrustedRoot, verify};
use ambit_ledger::{
    Body, Decision, Digest, Disclosure, Facts, GrantId, HeardActs, KeyCertified, KeyPurpose, Kind,
    Layer, Observation, ObservationId, PartnershipTerms, RecordDigest, RefusalCode, RefusedItem,
    Salt, Scope,
};
use ambit_policy::schema_digest;

/// The supplier's ledger up to its first disclosure.
fn disclosed() -> Story {
    let mut story = Story::told();
    let length = story.supplier.nth(Kind::Disclosed, 0) + 1;
    story.supplier.truncate(length);
    story
}

fn expect_last(story: &Story, rule: Rule) {
    let last = story.supplier.entries.len() - 1;
    story.supplier.expect(&[(rule, Some(last))]);
}

#[test]
fn facts_that_this_version_does_not_check_are_incomplete() {
    let changes: [fn(&mut Facts); 3] = [
        |facts| facts.inputs = [Digest::of(b"an input")].into(),
        |facts| facts.corrects = Some(Digest::of(b"another")),
        |facts| facts.grants = [GrantId::of(b"a grant")].into(),
    ];
    for change in changes {
        let mut story = Story::begin();
        let mut changed = facts("inspection-result");
        change(&mut changed);
        let (id, changed) = story.supplier.observe(changed);
        let observed = story.supplier.entries.len() - 1;
        let judged = story.judge(&changed);
        story.supplier.decide(&judged);
        story.disclose(id, &changed, &judged.decision, 1);
        story.supplier.expect(&[(Rule::Unchecked, Some(observed))]);

        let mut customer = Story::told().customer;
        let admitted = customer.nth(Kind::Admitted, 0);
        customer.truncate(admitted + 1);
        customer.alter_admission(|_, facts| change(facts));
        let report = customer.verify();
        let found = report.findings().iter();
        let unchecked = |found: &&crate::Finding| {
            (found.rule, found.entry) == (Rule::Unchecked, Some(admitted as u64))
        };
        assert_eq!(found.filter(unchecked).count(), 1, "{report}");
    }
}

#[test]
fn an_own_observation_is_owned_by_the_ledgers_organization() {
    let mut story = Story::begin();
    let mut of_another = facts("inspection-result");
    of_another.owner = organization("did:web:customer.example");
    story.supplier.observe(of_another);
    expect_last(&story, Rule::ObservationIssuer);
}

#[test]
fn evidence_that_this_version_does_not_read_is_incomplete() {
    let mut story = disclosed();
    let garbage = story.supplier.put(b"no statement");
    let last = story.supplier.entries.len() - 1;
    story.supplier.alter(last, |body| {
        let Body::Disclosed(body) = body else {
            panic!()
        };
        body.evidence = [garbage].into();
    });
    expect_last(&story, Rule::Unchecked);
}

#[test]
fn a_decision_is_recorded_within_ten_minutes() {
    for (seconds, is_late) in [(600, false), (601, true)] {
        let mut story = Story::begin();
        let (_, facts) = story.supplier.observe(facts("inspection-result"));
        let judged = story.judge(&facts);
        story.supplier.now = story.supplier.now.plus_seconds(seconds - 1);
        story.supplier.decide(&judged);
        let last = story.supplier.entries.len() - 1;
        let expected = [(Rule::DecisionTime, Some(last))];
        story.supplier.expect(if is_late { &expected } else { &[] });
    }
}

#[test]
fn a_scope_says_nothing_that_nobody_gave_it() {
    let changes: [fn(&mut Scope); 4] = [
        |scope| {
            scope.recipients = scope
                .recipients
                .iter()
                .cloned()
                .chain([supplier().organization])
                .collect()
        },
        |scope| scope.keep_until = Some(scope.hold_until),
        |scope| scope.falls_with_inputs = true,
        |scope| {
            let record = RecordDigest {
                organization: scope.recipients.first().unwrap().clone(),
                material: Digest::of(b"made up"),
            };
            scope.records = [record].into();
        },
    ];
    for change in changes {
        let mut story = disclosed();
        story
            .supplier
            .alter_disclosure(0, |disclosure: &mut Disclosure| {
                change(&mut disclosure.scope)
            });
        expect_last(&story, Rule::DisclosureScope);
    }
}

#[test]
fn nothing_is_disclosed_before_the_agreement_is_in_force() {
    let mut story = disclosed();
    let active = story.supplier.nth(Kind::PartnershipEdition, 1);
    let begun = story.supplier.entries[active].time;
    let before = time("2026-05-01T09:00:00Z");
    assert!(before < begun);
    story.supplier.alter_decision(0, |decision: &mut Decision| {
        decision.true_from = before;
    });
    story
        .supplier
        .alter_disclosure(0, |disclosure| disclosure.issued_at = before);
    let report = story.supplier.verify();
    let is_found = report.findings().iter().any(|found| {
        found.rule == Rule::DisclosureEdition && found.how.contains("in force only from")
    });
    assert!(is_found, "{report}");
}

#[test]
fn a_store_that_was_left_and_acknowledges_again_leaves_doubt() {
    let mut story = disclosed();
    let (first, second) = (Salt::from_bytes([9; 32]), Salt::from_bytes([8; 32]));
    for incarnation in [first, second] {
        let statement = story.acknowledgement_by(incarnation, 1, &[]);
        story.push_acknowledgement(&statement);
        story.supplier.expect(&[]);
    }
    let statement = story.acknowledgement_by(first, 1, &[]);
    story.push_acknowledgement(&statement);
    expect_last(&story, Rule::Unchecked);
}

#[test]
fn an_acknowledgement_that_contradicts_the_one_before_leaves_doubt() {
    let mut story = disclosed();
    story.acknowledge(1, &[]);
    let mut statement = story.acknowledgement(1, &[]);
    statement.refused = vec![RefusedItem {
        seq: 1,
        code: RefusalCode::NotAdmissible,
    }];
    story.push_acknowledgement(&statement);
    expect_last(&story, Rule::Unchecked);
}

#[test]
fn acts_that_a_recipient_heard_are_not_checked_yet() {
    let mut story = disclosed();
    let mut statement = story.acknowledgement(1, &[]);
    statement.heard = vec![HeardActs {
        author: supplier().organization,
        to_all: 1,
        to_recipient: 0,
    }];
    story.push_acknowledgement(&statement);
    expect_last(&story, Rule::Unchecked);
}

#[test]
fn terms_that_break_a_rule_are_not_kept() {
    let changes: [fn(&mut PartnershipTerms); 5] = [
        |terms| terms.until = terms.declared_at,
        |terms| terms.lease_until = terms.until.plus_seconds(1),
        |terms| terms.data_classes = [].into(),
        |terms| terms.purposes = ["urn:example:purpose:none".parse().unwrap()].into(),
        |terms| terms.data_classes = ["toolpth".parse().unwrap()].into(),
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let mut terms = terms();
        change(&mut terms);
        let mut ledger = Ledger::open(supplier());
        ledger.activate_layers();
        ledger.agree(&terms);
        let active = ledger.nth(Kind::PartnershipEdition, 1) as u64;
        let report = ledger.verify();
        let is_found = report
            .findings()
            .iter()
            .any(|found| (found.rule, found.entry) == (Rule::EditionTerms, Some(active)));
        assert!(is_found, "{number}: {report}");
    }
}

#[test]
fn an_edition_whose_forerunner_is_missing_is_incomplete() {
    let mut terms = terms();
    terms.edition = 2;
    terms.previous = [Digest::of(b"somewhere else")].into();
    let mut ledger = Ledger::open(supplier());
    ledger.activate_layers();
    ledger.agree(&terms);
    let active = ledger.nth(Kind::PartnershipEdition, 1);
    ledger.expect(&[(Rule::Unchecked, Some(active))]);
}

#[test]
fn the_root_key_signs_nothing_but_certificates() {
    let mut ledger = Ledger::open(supplier());
    let keys = supplier();
    let certificate = keys.certificate(KeyPurpose::Agreement, &keys.root());
    ledger.push(Body::KeyCertified(KeyCertified { certificate }));
    let last = ledger.entries.len() - 1;
    ledger.expect(&[(Rule::Certificate, Some(last))]);
}

#[test]
fn what_the_check_of_profiles_says_is_told_though_no_reason_was_recorded() {
    let permits_all = "@id(\"all\") permit (principal, action, resource);";
    for (text, said) in [
        (permits_all.as_bytes(), "this layer stops nothing"),
        (b"hello", "it cannot judge: line 1, column 6"),
        (b"\xff\xfe", "it is no text"),
    ] {
        let mut story = Story::begin();
        let ledger = &mut story.supplier;
        ledger.activate(Layer::Regulatory, text, schema_digest());
        let report = story.supplier.verify().to_string();
        assert!(report.contains(said), "{report}");
        assert!(
            report.contains("in force without a reason for it"),
            "{report}"
        );
    }
}

#[test]
fn another_schema_is_told() {
    let mut story = Story::begin();
    let schema = story.supplier.put(b"another schema");
    let text = "@id(\"all\") permit (principal, action, resource);";
    let ledger = &mut story.supplier;
    ledger.activate(Layer::Owner, text.as_bytes(), schema);
    let report = story.supplier.verify().to_string();
    let said = format!("under another schema, {schema}");
    assert!(report.contains(&said), "{report}");
}

/// What an auditor trusts who lacks the customer's root.
fn without_customer() -> Trust {
    let mut trust = Trust::new();
    trust.add(supplier().trusted());
    trust
}

#[test]
fn what_a_recipient_said_without_its_root_accuses_nobody() {
    let mut story = disclosed();
    story.acknowledge(
        1,
        &[RefusedItem {
            seq: 1,
            code: RefusalCode::NotAdmissible,
        }],
    );
    let offer = story.offer(1, 2);
    story.supplier.push(Body::OfferedAgain(offer));
    story.supplier.expect(&[]);
    let proposed = story.supplier.nth(Kind::PartnershipEdition, 0);
    let report = verify(&story.supplier.bundle(), &without_customer());
    expect(&report, &[(Rule::RootMissing, Some(proposed))]);
    let text = report.to_string();
    assert!(
        text.contains("1 of which no acknowledgement was verified"),
        "{text}"
    );
    // What needs nothing of the recipient's is found as before.
    let again = story.supplier.entries.last().unwrap().body().unwrap();
    story.supplier.push(again);
    let report = verify(&story.supplier.bundle(), &without_customer());
    assert_eq!(report.exit_code(), 1, "{report}");
}

#[test]
fn an_own_root_that_was_good_too_late_accuses_nobody() {
    let story = Story::told();
    let last = story.supplier.entries.last().unwrap().time;
    let mut trust = Trust::new();
    trust.add(TrustedRoot {
        from: last,
        ..supplier().trusted()
    });
    trust.add(crate::fixture::customer().trusted());
    let report = verify(&story.supplier.bundle(), &trust);
    assert_eq!(report.exit_code(), 3, "{report}");
    let is_told = |found: &crate::Finding| found.rule == Rule::RootFrom;
    assert!(report.findings().iter().any(is_told), "{report}");
}

#[test]
fn what_was_observed_before_an_edition_is_judged_in_its_order() {
    let mut story = Story::begin();
    let mut ledger = Ledger::open(supplier());
    ledger.activate_layers();
    let observed = ["inspection-result"; 4].map(|class| ledger.observe(facts(class)));
    let entries = [0, 1, 2, 3].map(|nth| ledger.nth(Kind::Observed, nth));
    ledger.agree(&story.terms);
    story.supplier = ledger;
    story.set_limits();
    let waiting = story.supplier.verify();
    assert_eq!(waiting.exit_code(), 0, "{waiting}");
    assert!(
        waiting.to_string().contains("4 not judged yet"),
        "{waiting}"
    );

    // Of four, the third is disclosed: the two before it were passed over, and only the last still waits.
    let judged = story.judge(&observed[2].1);
    story.supplier.decide(&judged);
    let disclose = |story: &mut Story, which: usize, seq| {
        let (id, facts) = &observed[which];
        story.disclose(*id, facts, &judged.decision, seq);
    };
    disclose(&mut story, 2, 1);
    let passed_over = |which: usize| (Rule::PassedOver, Some(entries[which]));
    story.supplier.expect(&[passed_over(0), passed_over(1)]);
    assert!(
        story
            .supplier
            .verify()
            .to_string()
            .contains("1 not judged yet")
    );
    // That they come later does not put them in their place.
    disclose(&mut story, 0, 2);
    disclose(&mut story, 1, 3);
    disclose(&mut story, 3, 4);
    story.supplier.expect(&[passed_over(0), passed_over(1)]);
}

#[test]
fn an_observation_by_a_strange_key_is_one_fault() {
    let mut story = disclosed();
    let observed = story.supplier.nth(Kind::Observed, 0);
    let stranger = customer().statement();
    let (mut before, mut after) = (None, None);
    story.supplier.alter(observed, |body| {
        let Body::Observed(body) = body else { panic!() };
        let observation = Observation::from_own_ledger(&body.observation).unwrap();
        before = Some(observation.id());
        let signed = Observation::sign(observation.facts(), &stranger);
        after = Some(ObservationId::of(&signed));
        body.observation = signed.into();
    });
    let (before, after) = (before.unwrap(), after.unwrap());
    let block = story.supplier.readings.remove(&before).unwrap();
    story.supplier.readings.insert(after, block);
    story
        .supplier
        .alter_disclosure(0, |disclosure| disclosure.observation = after);
    story.supplier.expect(&[(Rule::Key, Some(observed))]);
}
