//! Checks a text before it is put in force: what is wrong with it, and what is odd about it.

use crate::profile::{Profile, ProfileError};
use crate::schema::SchemaVersion;
use crate::taxonomy::Taxonomies;
use ambit_ledger::Layer;
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
    /// No permit can apply to a transfer, so that nothing ever crosses.
    #[error(
        "no `permit` applies to disclosing or admitting, so that this layer lets nothing cross: add one"
    )]
    PermitsNothing,
    /// A forbid without conditions applies to every transfer.
    #[error(
        "a `forbid` without conditions applies to every disclosure and admission, so that nothing crosses: give it conditions"
    )]
    ForbidsEverything,
    /// No forbid can apply to a transfer, in a layer that is there to stop some.
    #[error(
        "no `forbid` applies to disclosing or admitting, so that this layer stops nothing: add the rules of export control"
    )]
    ForbidsNothing,
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
    let findings = findings(&profile);
    Ok(CheckedProfile { profile, findings })
}

fn findings(profile: &Profile) -> Vec<ProfileFinding> {
    let policies: Vec<(&Policy, BTreeSet<String>)> = profile
        .policies()
        .policies()
        .map(|policy| (policy, transfers_of(policy)))
        .collect();
    let applies = |effect: Effect| {
        policies
            .iter()
            .any(|(policy, transfers)| policy.effect() == effect && !transfers.is_empty())
    };
    let forbids_all = |action: &str| {
        policies.iter().any(|(policy, transfers)| {
            policy.effect() == Effect::Forbid
                && !policy.has_non_scope_constraint()
                && transfers.contains(action)
        })
    };
    let mut findings = Vec::new();
    if !applies(Effect::Permit) {
        findings.push(ProfileFinding::PermitsNothing);
    } else if TRANSFERS.into_iter().all(forbids_all) {
        findings.push(ProfileFinding::ForbidsEverything);
    }
    if profile.layer() == Layer::Regulatory && !applies(Effect::Forbid) {
        findings.push(ProfileFinding::ForbidsNothing);
    }
    findings
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
