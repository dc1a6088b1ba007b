//! `ambit profile`: policies, before they are in force, and putting them in force. Checking needs no node.

mod activate;
mod check;

use super::exit::Exit;
use super::output::{Format, OutputOption, read_text};
use crate::failure::{Failure, FailureKind};
use ambit_ledger::Layer;
use ambit_policy::{Profile, ProfileError};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
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
    /// For which layer
    #[arg(long, value_parser = layers())]
    pub layer: Layer,
    #[command(flatten)]
    pub output: OutputOption,
}

/// Not a layer.
#[derive(Debug, thiserror::Error)]
#[error("`{text}` is no layer")]
pub struct LayerError {
    text: String,
}

/// The layers by name, for people and for shells that complete.
fn layers() -> impl TypedValueParser<Value = Layer> {
    let names = Layer::ALL.iter().map(|layer| layer.name());
    PossibleValuesParser::new(names).try_map(|text| layer(&text))
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

impl ProfileCommand {
    /// For whom it answers.
    pub(super) fn format(&self) -> Format {
        match self {
            Self::Check(arguments) | Self::Activate(arguments) => arguments.output.output,
        }
    }
}

/// `home` is asked for only where a node is needed.
pub(super) fn profile(
    home: impl FnOnce() -> Result<PathBuf, Failure>,
    command: &ProfileCommand,
) -> Result<Exit, Failure> {
    match command {
        ProfileCommand::Check(arguments) => check::check(arguments),
        ProfileCommand::Activate(arguments) => activate::activate(&home()?, arguments),
    }
}

fn read(path: &Path, layer: Layer) -> Result<(String, Profile), Failure> {
    let text = read_text(path)?;
    let profile = Profile::parse(layer, &text)
        .map_err(|error| Failure::new(FailureKind::Failed, &RefusedProfile::new(path, &error)))?;
    Ok((text, profile))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_are_named_as_in_tables() {
        assert_eq!(layer("trade-secret").unwrap(), Layer::TradeSecret);
        assert!(layer("trade secret").is_err());
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
        let error = check::check(&arguments).unwrap_err();
        let line = error.message;
        assert!(line.contains("owner.cedar:3:8: for policy `a`, "), "{line}");
        assert!(!line.contains("line 3"), "{line}");
        std::fs::write(&path, "@id(\"a\")\npermit (principal, action, resource);\n").unwrap();
        assert_eq!(check::check(&arguments).unwrap(), Exit::Done);
    }
}
