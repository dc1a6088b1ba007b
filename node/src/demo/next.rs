//! What to try next, while the nodes of the demo run: commands with real folders and real ids.

use super::DemoError;
use super::party::Party;
use crate::holding::{Filter, InspectError};
use crate::node::Node;
use crate::platform::{shell_option, shell_path};
use std::path::{Path, PathBuf};

/// The commands, one per line, each with what it shows.
pub(super) async fn commands(supplier: &Party, customers: &[Party]) -> Result<String, DemoError> {
    let ambit = program("ambit");
    let (audit, build) = auditor();
    let mut text =
        String::from("The three nodes run until you press Ctrl-C. In another terminal, try:\n");
    let mut add = |what: &str, command: String| {
        text.push_str(&format!("\n  # {what}\n  {command}\n"));
    };
    let home = |party: &Party| format!("{ambit} --home {}", shell_path(&party.home));
    for customer in customers {
        add(
            &format!("what {} holds", customer.character.name),
            format!("{} list", home(customer)),
        );
    }
    add(
        &format!("how {} stands", supplier.character.name),
        format!("{} status", home(supplier)),
    );
    for customer in customers {
        if let Some(id) = supplier.ask(withheld_id(customer)).await? {
            add(
                &format!("why {} does not get this one", customer.character.name),
                format!(
                    "{} why {id} {}",
                    home(supplier),
                    shell_option("--to", customer.organization.as_str())
                ),
            );
        }
    }
    // Where the person is, not where the demo is: its folder is gone when it ends.
    let bundle = "plates.bundle";
    let mut trusts = String::new();
    let mut exports = Vec::from_iter(build);
    exports.push(format!("{} export -o {bundle}", home(supplier)));
    for party in customers.iter().chain([supplier]) {
        let trust = format!("{}.trust", party.character.folder);
        exports.push(format!("{} key trust -o {trust}", home(party)));
        trusts.push_str(&format!(" --trust {trust}"));
    }
    exports.push(format!("{audit} replay {bundle}{trusts}"));
    add(
        &format!("audit the ledger of {} yourself", supplier.character.name),
        exports.join("\n  "),
    );
    Ok(text)
}

/// The start of the id of an observation that this customer's program has no part in.
fn withheld_id(
    customer: &Party,
) -> impl FnOnce(&Node) -> Result<Option<String>, InspectError> + Send + 'static {
    let held = customer.character.expected();
    move |node| {
        let items = node.list(&Filter::default())?;
        let withheld = items
            .iter()
            .map(|item| item.id.to_string())
            .find(|id| !held.contains(id));
        Ok(withheld.map(|id| id.chars().take(12).collect()))
    }
}

/// The name under which the auditor's program can be called, and the command that builds it where this program
/// was built by cargo and that one was not yet.
fn auditor() -> (String, Option<String>) {
    let called = std::env::args_os().next().map(PathBuf::from);
    let folder = called.as_deref().and_then(Path::parent);
    let beside =
        folder.map(|folder| folder.join(format!("ambit-audit{}", std::env::consts::EXE_SUFFIX)));
    match (folder, beside) {
        (Some(folder), Some(beside)) if !beside.is_file() && folder.ends_with("target/release") => {
            (
                shell_path(&beside),
                Some("cargo build --release -p ambit-audit".to_owned()),
            )
        }
        _ => (program("ambit-audit"), None),
    }
}

/// The name under which a program can be called: with the folder this one was called from, if any.
fn program(name: &str) -> String {
    let called = std::env::args_os().next().map(PathBuf::from);
    let folder = called.as_deref().and_then(Path::parent);
    match folder.filter(|folder| !folder.as_os_str().is_empty()) {
        Some(folder) => {
            let beside = folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
            if beside.is_file() {
                shell_path(&beside)
            } else {
                name.to_owned()
            }
        }
        None => name.to_owned(),
    }
}
