//! What an audited party could keep an auditor busy with: each ends early, or costs no more than its size.

use crate::fixture::{Ledger, Story, expect, facts, supplier, terms, trust};
use crate::{Allowance, Bundle, MemoryLimit, Rule, TimeLimit, replay_within, verify_within};
use ambit_ledger::{Body, Digest, Layer, PartnershipTerms, Salt};
use ambit_policy::{RULES_MAX, render, schema_digest};
use std::fmt::Write as _;

/// How often a small entry names a large text.
const REPEATED: usize = 2_000;

/// Some 50 KiB of rules that take long to compile.
fn long_rules(tag: &str) -> String {
    let mut rules = String::new();
    for rule in 0..20 {
        let compared: Vec<String> = (0..90)
            .map(|value| format!(r#"resource.serial == "{tag}{value}""#))
            .collect();
        let _ = write!(
            rules,
            "@id(\"{tag}{rule}\")\nforbid (principal, action in Ambit::Action::\"transfer\", resource is \
             Ambit::Observation)\nwhen {{ resource has serial && ({}) }};\n",
            compared.join(" || ")
        );
    }
    rules
}

/// A partner's longest rules: each looks for its end at every place of a text.
fn patterns() -> String {
    (0..RULES_MAX - 1).fold(String::new(), |mut rules, rule| {
        let _ = write!(
            rules,
            "@id(\"like{rule}\")\nforbid (principal, action in Ambit::Action::\"transfer\", resource is \
             Ambit::Observation)\nwhen {{ resource has serial && resource.serial like \"*{}b\" }};\n",
            "a".repeat(700)
        );
        rules
    })
}

fn with_rules(rules: String) -> PartnershipTerms {
    let mut terms = terms();
    terms.forbids = Some(rules);
    terms.profile = Digest::of(render(&terms).unwrap().as_bytes());
    terms
}

fn of_seconds(seconds: u64) -> Allowance {
    Allowance {
        time: Some(TimeLimit::Seconds(seconds)),
        ..Allowance::default()
    }
}

/// A ledger in which two texts of an operator are put in force in turn, and an edition with long rules again and again.
fn repeating() -> Ledger {
    let mut ledger = Ledger::open(supplier());
    ledger.activate_layers();
    ledger.agree(&with_rules(long_rules("f")));
    let edition = ledger.entries.last().unwrap().body().unwrap();
    let texts = ["x", "y"].map(|tag| {
        let permit = "@id(\"all\")\npermit (principal, action, resource);\n";
        format!("{permit}{}", long_rules(tag))
    });
    for _ in 0..REPEATED {
        ledger.push(edition.clone());
        for text in &texts {
            ledger.activate(Layer::Owner, text.as_bytes(), schema_digest());
        }
    }
    ledger
}

#[test]
fn what_small_entries_repeat_is_worked_out_once() {
    let bundle = repeating().bundle();
    let report = verify_within(&bundle, &trust(), Allowance::default());
    expect(&report, &[]);
    assert_eq!(report.rules().len(), 7 + 2 * REPEATED);
}

#[test]
fn who_did_not_sign_makes_nobody_work() {
    let mut ledger = repeating();
    let before = ledger.checkpoint();
    ledger.observe(facts("inspection-result"));
    let bundle = Bundle::read(ledger.export_under(&before).as_slice()).unwrap();
    let report = replay_within(&bundle, &trust(), Allowance::default());
    expect(&report, &[(Rule::Tree, None)]);
    assert_eq!(report.checked().entries, 0);
    assert!(report.rules().is_empty());
}

/// A decision that takes minutes to judge again: patterns, long texts and many purposes.
fn slow_to_judge() -> Ledger {
    let mut story = Story::begin();
    let patterns = format!(
        "@id(\"all\")\npermit (principal, action, resource);\n{}",
        patterns()
    );
    story.layers = story.layers.with_text(Layer::Owner, &patterns);
    let schema = schema_digest();
    let owner = patterns.as_bytes();
    story.supplier.activate(Layer::Owner, owner, schema);
    let mut judged = story.judge(&facts("inspection-result"));
    let inquiry = &mut judged.decision.inquiry;
    inquiry.footprint.serial = Some("a".repeat(2_000).parse().unwrap());
    for purpose in 0..60 {
        let purpose = format!("urn:ambit:purpose:{purpose}").parse().unwrap();
        inquiry.scope.purposes.insert(purpose);
    }
    for number in 0..100_u8 {
        judged.decision.salt = Salt::from_bytes([number; 32]);
        story.supplier.decide(&judged);
    }
    story.supplier
}

#[test]
fn no_judgement_is_begun_that_may_take_longer_than_what_is_left() {
    let ledger = slow_to_judge();
    let bundle = ledger.bundle();
    for run in [verify_within, replay_within] {
        let report = run(&bundle, &trust(), of_seconds(5));
        let findings = report.findings();
        let limit = findings.iter().find(|found| found.rule == Rule::Limit);
        let how = &limit.unwrap().how;
        assert!(how.starts_with("time: it takes more than 5 s"), "{how}");
        assert!(how.contains("`--limit-seconds`"), "{how}");
        assert_eq!(findings.len(), 1, "{report}");
        assert_eq!(report.exit_code(), 3);
        assert_eq!(report.checked().decisions_replayed, 0);
    }
}

#[test]
fn time_ends_between_two_entries_and_nothing_is_held_against_the_rest() {
    let bundle = Story::told().supplier.bundle();
    for run in [verify_within, replay_within] {
        let report = run(&bundle, &trust(), of_seconds(0));
        expect(&report, &[(Rule::Limit, None)]);
        assert_eq!(report.exit_code(), 3);
        assert!(report.checked().entries < bundle.entry_count());
        let report = run(&bundle, &trust(), Allowance::default());
        expect(&report, &[]);
    }
}

#[test]
fn memory_ends_an_audit_too() {
    let bundle = Story::told().supplier.bundle();
    let of = |memory| Allowance {
        memory,
        memory_in_use: Some(|| Some(300 << 20)),
        ..Allowance::default()
    };
    for run in [verify_within, replay_within] {
        let report = run(&bundle, &trust(), of(None));
        expect(&report, &[(Rule::Limit, None)]);
        let how = &report.findings()[0].how;
        assert!(
            how.starts_with("memory: it takes more than 128 MiB"),
            "{how}"
        );
        for enough in [MemoryLimit::Mib(301), MemoryLimit::None] {
            expect(&run(&bundle, &trust(), of(Some(enough))), &[]);
        }
    }
}

#[test]
fn what_was_found_before_the_end_stays_found() {
    let mut ledger = slow_to_judge();
    let twice = ledger.entries[0].body().unwrap();
    ledger.push(twice);
    let bundle = ledger.bundle();
    let report = replay_within(&bundle, &trust(), of_seconds(5));
    let rules: Vec<Rule> = report.findings().iter().map(|found| found.rule).collect();
    assert_eq!(rules, [Rule::FirstEntries, Rule::Limit]);
    assert_eq!(report.exit_code(), 1);
    assert!(matches!(
        ledger.entries.last().unwrap().body(),
        Ok(Body::Opened(_))
    ));
}
