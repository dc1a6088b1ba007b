//! Checks a text before it is put in force: what is wrong with it, and what is odd about it.

use crate::cases::{CaseOutcome, default_cases, run_cases};
use crate::profile::{Profile, ProfileError};
use crate::schema::SchemaVersion;
use crate::taxonomy::Taxonomies;
use ambit_ledger::{Action, Layer, Verdict};
use cedar_policy::{Effect, Policy};
use std::collections::BTreeSet;

/// A text that can be put in force.
#[derive(Clone, Debug)]
pub struct CheckedProfile {
    /// The profile.
    pub profile: Profile,
    /// What is odd about it: allowed, but hardly meant. Whoever puts it in force says so, and why.
    pub findings: Vec<ProfileFinding>,
}

/// Something allowed that is hardly meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum ProfileFinding {
    /// No permit can apply to one way or the other, so that nothing ever crosses there.
    #[error(
        "no `permit` applies to disclosing, or none to admitting, so that this layer lets nothing cross there: add one"
    )]
    PermitsNothing,
    /// A forbid without conditions applies to every transfer.
    #[error(
        "a `forbid` without conditions applies to every disclosure and admission, so that nothing crosses: give it conditions"
    )]
    ForbidsEverything,
    /// No forbid can apply to one way or the other, in a layer that is there to stop some of both.
    #[error(
        "no `forbid` applies to disclosing, or none to admitting, so that this layer stops nothing there: add the rules of export control"
    )]
    ForbidsNothing,
    /// Of the cases that the layer which came with the program stops, none is stopped one way or the other.
    #[error(
        "of the cases of export control that the shipped profile stops, this one stops none in disclosing, or none in admitting: look at what its `forbid` policies ask"
    )]
    StopsNothing,
}

/// Checks the text of a layer against the schema and the taxonomies, as it would be put in force.
///
/// # Errors
/// Any [`ProfileError`], with its place in the text and, where one is near, the name that was meant.
pub fn check_profile(
    layer: Layer,
    text: &str,
    taxonomies: &Taxonomies,
) -> Result<CheckedProfile, ProfileError> {
    let profile = Profile::parse(layer, text)?;
    profile.check_names(taxonomies)?;
    let findings = findings(&profile, taxonomies);
    Ok(CheckedProfile { profile, findings })
}

fn findings(profile: &Profile, taxonomies: &Taxonomies) -> Vec<ProfileFinding> {
    let policies: Vec<(&Policy, BTreeSet<String>)> = profile
        .policies()
        .policies()
        .map(|policy| (policy, transfers_of(policy)))
        .collect();
    let applies_to = |effect: Effect, action: &str| {
        policies
            .iter()
            .any(|(policy, transfers)| policy.effect() == effect && transfers.contains(action))
    };
    let applies_both_ways = |effect: Effect| {
        ["admit", "disclose"]
            .into_iter()
            .all(|action| applies_to(effect, action))
    };
    let forbids_all = |action: &str| {
        policies.iter().any(|(policy, transfers)| {
            policy.effect() == Effect::Forbid
                && !policy.has_non_scope_constraint()
                && transfers.contains(action)
        })
    };
    let mut findings = Vec::new();
    if !applies_both_ways(Effect::Permit) {
        findings.push(ProfileFinding::PermitsNothing);
    } else if TRANSFERS.into_iter().all(forbids_all) {
        findings.push(ProfileFinding::ForbidsEverything);
    }
    if profile.layer() == Layer::Regulatory {
        if !applies_both_ways(Effect::Forbid) {
            findings.push(ProfileFinding::ForbidsNothing);
        } else if stops_nothing(profile, taxonomies) {
            findings.push(ProfileFinding::StopsNothing);
        }
    }
    findings
}

/// Whether it admits, one way or the other, every case that the shipped profile stops. What a text means cannot be told from
/// its form: a condition may be one that never holds.
fn stops_nothing(profile: &Profile, taxonomies: &Taxonomies) -> bool {
    // Cases that cannot be put with these taxonomies say nothing.
    let Ok(outcomes) = run_cases(profile, taxonomies, default_cases(profile.layer())) else {
        return false;
    };
    [Action::Disclose, Action::Admit].into_iter().any(|action| {
        let is_stopped = |outcome: &&CaseOutcome| {
            outcome.action == Some(action) && outcome.expected == Verdict::Withheld
        };
        let mut stopped = outcomes.iter().filter(is_stopped).peekable();
        let is_asked = stopped.peek().is_some();
        is_asked && stopped.all(|outcome| outcome.verdict == Verdict::Admissible)
    })
}

const TRANSFERS: [&str; 3] = ["admit", "disclose", "onward-disclose"];

/// The transfers that a policy can apply to by its scope; the validator refused one that can never apply.
fn transfers_of(policy: &Policy) -> BTreeSet<String> {
    policy
        .get_valid_request_envs(SchemaVersion::newest().schema())
        .map(|environment| environment.action().id().unescaped().to_owned())
        .filter(|action| TRANSFERS.contains(&action.as_str()))
        .collect()
}
