//! `ambit profile check`.

use super::super::exit::Exit;
use super::super::table::{or_none, pairs};
use super::{ProfileArguments, read};
use crate::agree::check_activation;
use crate::failure::Failure;
use ambit_ledger::{Digest, Layer};
use serde::Serialize;

#[derive(Debug, Serialize)]
struct CheckedProfile {
    layer: Layer,
    digest: Digest,
    policies: Vec<String>,
    findings: Vec<String>,
}

pub(super) fn check(arguments: &ProfileArguments) -> Result<Exit, Failure> {
    let layer = arguments.layer;
    let (_, checked) = read(&arguments.file, layer)?;
    // What `activate` refuses is no success here, with the same words.
    let refused = check_activation(&checked, false);
    let profile = checked.profile;
    let checked = CheckedProfile {
        layer,
        digest: profile.digest(),
        policies: profile
            .policy_ids()
            .into_iter()
            .map(str::to_owned)
            .collect(),
        findings: checked.findings.iter().map(ToString::to_string).collect(),
    };
    arguments.output.print(&checked, |checked| {
        pairs([
            ("layer", checked.layer.to_string()),
            ("digest", checked.digest.to_string()),
            ("policies", checked.policies.join(", ")),
            (
                "findings",
                or_none(Some(checked.findings.join("; ")).filter(|text| !text.is_empty())),
            ),
        ])
    })?;
    refused?;
    Ok(Exit::Done)
}
