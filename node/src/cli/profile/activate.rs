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
    let others = match activated.waiting {
        0 => "what was disclosed before stays disclosed".to_owned(),
        waiting => format!(
            "what waits to be sent ({waiting}) is judged again when it goes, and may be withdrawn then; what was taken \
             before stays disclosed"
        ),
    };
    let judged_again = format!(
        "answered otherwise than before: {} disclosed now, {} withheld now, {} undecided now; what else was withheld or \
         undecided stays so; {others}",
        again.disclosed, again.withheld, again.undecided
    );
    pairs([
        ("layer", activated.layer.to_string()),
        ("digest", activated.digest.to_string()),
        ("judged again", judged_again),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::release::JudgedAgain;
    use ambit_ledger::{Digest, Layer};

    #[test]
    fn what_waits_is_said_to_be_judged_later() {
        let text = |waiting| {
            activated_text(&Activated {
                layer: Layer::Owner,
                digest: Digest::of(b""),
                judged_again: JudgedAgain::default(),
                waiting,
            })
        };
        let none = text(0);
        // Whatever is answered as before is in none of the numbers.
        let counted = "answered otherwise than before: 0 disclosed now, 0 withheld now, 0 undecided now; what else was \
                       withheld or undecided stays so; what was disclosed before stays disclosed\n";
        assert!(none.ends_with(counted), "{none}");
        let some = text(3);
        let told = "what waits to be sent (3) is judged again when it goes, and may be withdrawn then; what was taken";
        assert!(some.contains(told), "{some}");
    }
}
