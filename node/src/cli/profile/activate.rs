//! `ambit profile activate`.

use super::super::backend::Backend;
use super::super::exit::Exit;
use super::super::table::pairs;
use super::{ActivateArguments, read};
use crate::agree::{ActivateProfile, Activated};
use crate::failure::Failure;
use std::path::Path;

pub(super) fn activate(home: &Path, given: &ActivateArguments) -> Result<Exit, Failure> {
    let arguments = &given.profile;
    let layer = arguments.layer;
    // Read here too, so that a mistake is named by file, line and column whoever runs the operation.
    let (text, _) = read(&arguments.file, layer)?;
    let activated = Backend::open(home)?.ask(ActivateProfile {
        layer,
        text,
        anyway: given.reason.clone(),
    })?;
    arguments.output.print(&activated, activated_text)?;
    Ok(Exit::Done)
}

fn activated_text(activated: &Activated) -> String {
    let again = activated.judged_again;
    let judged_again = format!(
        "{} disclosed now, {} withheld now, {} undecided now; all other answers are as before",
        again.disclosed, again.withheld, again.undecided
    );
    pairs([
        ("layer", activated.layer.to_string()),
        ("digest", activated.digest.to_string()),
        ("judged again", judged_again),
    ])
}
