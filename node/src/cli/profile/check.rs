//! `ambit profile check`.

use super::super::exit::Exit;
use super::super::table::pairs;
use super::{ProfileArguments, read};
use crate::failure::Failure;
use ambit_ledger::{Digest, Layer};
use serde::Serialize;

#[derive(Debug, Serialize)]
struct Checked {
    layer: Layer,
    digest: Digest,
    policies: Vec<String>,
}

pub(super) fn check(arguments: &ProfileArguments) -> Result<Exit, Failure> {
    let layer = arguments.layer;
    let (_, profile) = read(&arguments.file, layer)?;
    let checked = Checked {
        layer,
        digest: profile.digest(),
        policies: profile
            .policy_ids()
            .into_iter()
            .map(str::to_owned)
            .collect(),
    };
    arguments.output.print(&checked, |checked| {
        pairs([
            ("layer", checked.layer.to_string()),
            ("digest", checked.digest.to_string()),
            ("policies", checked.policies.join(", ")),
        ])
    })?;
    Ok(Exit::Done)
}
