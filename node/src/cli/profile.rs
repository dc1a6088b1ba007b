//! `ambit profile`: policies, before they are in force, and putting them in force. Checking needs no node.

use super::backend::Backend;
use super::failure::{CommandError, Exit};
use super::output::{OutputOption, read_text};
use super::table::pairs;
use crate::api::Operation;
use ambit_ledger::{Digest, Layer};
use ambit_policy::{Profile, ProfileError};
use clap::{Args, Subcommand};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// What to do with profiles.
#[derive(Clone, Debug, Subcommand)]
pub enum ProfileCommand {
    /// Check that a profile can be put in force for a layer
    Check(ProfileArguments),
    /// Put a profile in force for one of this node's own layers, in place of what is; what is undecided is judged again
    Activate(ProfileArguments),
}

/// Which profile, and for which layer.
#[derive(Clone, Debug, Args)]
pub struct ProfileArguments {
    /// Cedar policies; `-` reads standard input
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
#[error("{}:{line}:{column}: {message}", path.display())]
struct RefusedProfile {
    path: PathBuf,
    line: usize,
    column: usize,
    message: String,
}

impl RefusedProfile {
    fn new(path: &Path, error: &ProfileError) -> Self {
        let place = error.position();
        let message = error.to_string();
        // Where the error names the place itself, once is enough.
        let message = message
            .strip_prefix(&format!("{place}: "))
            .unwrap_or(&message);
        Self {
            path: path.to_owned(),
            line: place.line,
            column: place.column,
            message: message.to_owned(),
        }
    }
}

#[derive(Debug, Serialize)]
struct Checked {
    layer: Layer,
    digest: Digest,
    policies: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Activated {
    layer: Layer,
    digest: Digest,
}

/// `home` is asked for only where a node is needed.
pub(super) fn profile(
    home: impl FnOnce() -> Result<PathBuf, CommandError>,
    command: &ProfileCommand,
) -> Result<Exit, CommandError> {
    match command {
        ProfileCommand::Check(arguments) => check(arguments),
        ProfileCommand::Activate(arguments) => activate(&home()?, arguments),
    }
}

fn check(arguments: &ProfileArguments) -> Result<Exit, CommandError> {
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

fn activate(home: &Path, arguments: &ProfileArguments) -> Result<Exit, CommandError> {
    let layer = arguments.layer;
    // Read here too, so that a mistake is named by file, line and column whoever runs the operation.
    let (text, _) = read(&arguments.file, layer)?;
    let digest: Digest = Backend::open(home)?.ask(Operation::ActivateProfile { layer, text })?;
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

fn read(path: &Path, layer: Layer) -> Result<(String, Profile), CommandError> {
    let text = read_text(path)?;
    let profile = Profile::parse(layer, &text)
        .map_err(|error| CommandError::new(Exit::Failed, RefusedProfile::new(path, &error)))?;
    Ok((text, profile))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_are_named_as_in_tables() {
        assert_eq!(layer("trade-secret").unwrap(), Layer::TradeSecret);
        assert!(
            layer("trade secret")
                .unwrap_err()
                .to_string()
                .contains("regulatory")
        );
    }

    #[test]
    fn a_mistake_has_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("owner.cedar");
        std::fs::write(
            &path,
            "@id(\"a\")\npermit (principal, action, resource)\nwhen { 1 };\n",
        )
        .unwrap();
        let arguments = ProfileArguments {
            file: path.clone(),
            layer: Layer::Owner,
            output: OutputOption::default(),
        };
        let error = check(&arguments).unwrap_err();
        let line = error.line();
        assert!(line.contains("owner.cedar:3:8: for policy `a`, "), "{line}");
        assert!(!line.contains("line 3"), "{line}");
        std::fs::write(&path, "@id(\"a\")\npermit (principal, action, resource);\n").unwrap();
        assert_eq!(check(&arguments).unwrap(), Exit::Done);
    }
}
