//! `ambit profile`: policies, before they are in force. It needs no node.

use super::failure::{CommandError, Exit};
use super::output::{OutputOption, read_text};
use super::table::pairs;
use ambit_ledger::{Digest, Layer};
use ambit_policy::{Profile, ProfileError};
use clap::{Args, Subcommand};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// What to do with profiles.
#[derive(Clone, Debug, Subcommand)]
pub enum ProfileCommand {
    /// Check that a profile can be put in force for a layer
    Check(CheckArguments),
}

/// Which profile to check.
#[derive(Clone, Debug, Args)]
pub struct CheckArguments {
    /// Cedar policies
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// For which layer: sticky, partnership, ip, regulatory, owner, trade-secret
    #[arg(long, value_parser = layer)]
    pub layer: Layer,
    #[command(flatten)]
    #[expect(missing_docs, reason = "its own option describes it")]
    pub output: OutputOption,
}

/// Not a layer.
#[derive(Debug, thiserror::Error)]
#[error("`{text}` is no layer: choose one of {known}", known = known())]
pub struct LayerError {
    text: String,
}

fn known() -> String {
    let names: Vec<&str> = Layer::ALL.iter().map(|layer| layer.name()).collect();
    names.join(", ")
}

fn layer(text: &str) -> Result<Layer, LayerError> {
    Layer::ALL
        .into_iter()
        .find(|layer| layer.name() == text)
        .ok_or_else(|| LayerError {
            text: text.to_owned(),
        })
}

/// The message begins with `FILE:LINE:COLUMN`, which editors follow.
#[derive(Debug, thiserror::Error)]
#[error("{}:{source}", path.display())]
struct RefusedProfile {
    path: PathBuf,
    source: ProfileError,
}

#[derive(Debug, Serialize)]
struct Checked {
    layer: Layer,
    digest: Digest,
    policies: Vec<String>,
}

pub(super) fn profile(command: &ProfileCommand) -> Result<Exit, CommandError> {
    let ProfileCommand::Check(arguments) = command;
    check(&arguments.file, arguments.layer, arguments.output)
}

fn check(path: &Path, layer: Layer, output: OutputOption) -> Result<Exit, CommandError> {
    let text = read_text(path)?;
    let profile = Profile::parse(layer, &text).map_err(|source| {
        let path = path.to_owned();
        CommandError::new(Exit::Failed, RefusedProfile { path, source })
    })?;
    let checked = Checked {
        layer,
        digest: profile.digest(),
        policies: profile.policy_ids().into_iter().map(str::to_owned).collect(),
    };
    output.print(&checked, |checked| {
        pairs([
            ("layer", checked.layer.to_string()),
            ("digest", checked.digest.to_string()),
            ("policies", checked.policies.join(", ")),
        ])
    })?;
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_are_named_as_in_tables() {
        assert_eq!(layer("trade-secret").unwrap(), Layer::TradeSecret);
        assert!(layer("trade secret").unwrap_err().to_string().contains("regulatory"));
    }

    #[test]
    fn a_mistake_has_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("owner.cedar");
        std::fs::write(&path, "@id(\"a\")\npermit (principal, action, resource)\nwhen { 1 };\n")
            .unwrap();
        let error = check(&path, Layer::Owner, OutputOption::default()).unwrap_err();
        assert!(error.line().contains("owner.cedar:"), "{}", error.line());
        std::fs::write(&path, "@id(\"a\")\npermit (principal, action, resource);\n").unwrap();
        assert_eq!(check(&path, Layer::Owner, OutputOption::default()).unwrap(), Exit::Done);
    }
}
