//! Every row of the case tables beside the profiles.

use crate::fixture::{OEM_A, terms};
use ambit_ledger::Layer;
use ambit_policy::{Profile, Taxonomies, default_cases, default_profile, render, run_cases};

fn check(layer: Layer) {
    let rendered = render(&terms(OEM_A, "quality")).unwrap();
    let text = default_profile(layer).unwrap_or(&rendered);
    let profile = Profile::parse(layer, text).unwrap();
    let outcomes = run_cases(&profile, &Taxonomies::builtin(), default_cases(layer)).unwrap();
    let missed: Vec<String> = outcomes
        .iter()
        .filter(|outcome| !outcome.is_met())
        .map(|outcome| format!("{outcome:#?}"))
        .collect();
    assert!(missed.is_empty(), "{layer}: {}", missed.join("\n"));
    for policy in profile.policy_ids() {
        let determines =
            |outcome: &ambit_policy::CaseOutcome| outcome.determining.iter().any(|id| id == policy);
        assert!(
            outcomes.iter().any(determines),
            "{layer}: no case is determined by `{policy}`"
        );
    }
}

#[test]
fn sticky() {
    check(Layer::Sticky);
}

#[test]
fn partnership() {
    check(Layer::Partnership);
}

#[test]
fn ip() {
    check(Layer::Ip);
}

#[test]
fn regulatory() {
    check(Layer::Regulatory);
}

#[test]
fn owner() {
    check(Layer::Owner);
}

#[test]
fn trade_secret() {
    check(Layer::TradeSecret);
}

#[test]
fn a_table_that_proves_nothing_is_refused() {
    let profile = Profile::parse(Layer::Ip, default_profile(Layer::Ip).unwrap()).unwrap();
    let run = |cases| run_cases(&profile, &Taxonomies::builtin(), cases);
    assert!(run("{\"cases\": []}").is_err());
    assert!(run("{\"cases\": [{\"name\": \"x\", \"expct\": \"withheld\"}]}").is_err());
}
