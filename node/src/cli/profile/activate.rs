//! `ambit profile activate`.

use super::super::backend::Backend;
use super::super::exit::Exit;
use super::super::table::pairs;
use super::{ActivateArguments, read};
use crate::agree::ActivateProfile;
use crate::failure::Failure;
use ambit_ledger::{Digest, Layer};
use serde::Serialize;
use std::path::Path;

#[derive(Debug, Serialize)]
struct Activated {
    layer: Layer,
    digest: Digest,
}

pub(super) fn activate(home: &Path, given: &ActivateArguments) -> Result<Exit, Failure> {
    let arguments = &given.profile;
    let layer = arguments.layer;
    // Read here too, so that a mistake is named by file, line and column whoever runs the operation.
    let (text, _) = read(&arguments.file, layer)?;
    let digest = Backend::open(home)?.ask(ActivateProfile {
        layer,
        text,
        anyway: given.reason.clone(),
    })?;
    arguments
        .output
        .print(&Activated { layer, digest }, |activated| {
            pairs([
                ("layer", activated.layer.to_string()),
                ("digest", activated.digest.to_string()),
            ])
        })?;
    Ok(Exit::Done)
}
