//! `ambit profile`: policies, before they are in force, and putting them in force. Checking needs no node.

mod activate;
mod check;
mod show;

use super::exit::Exit;
use super::input::{FileKind, read_text};
use super::key::OutArguments;
use super::named::one_of;
use super::output::{Format, OutputOption};
use crate::failure::{Failure, FailureKind};
use ambit_ledger::{Layer, Name};
use ambit_policy::{CheckedProfile, ProfileError, Taxonomies, check_profile};
use clap::{Args, Subcommand};
use std::path::{Path, PathBuf};

/// What to do with profiles.
#[derive(Clone, Debug, Subcommand)]
pub enum ProfileCommand {
    /// Check that a profile can be put in force for a layer: it ends as `activate` would, and needs no node
    Check(ProfileArguments),
    /// Put a profile in force for one of this node's own layers, in place of what is; what was withheld or is undecided is
    /// judged again at once
    Activate(ActivateArguments),
    /// Print the text that is in force for a layer, or the one that came with this program, which `activate` puts back
    Show(ShowArguments),
}

/// Which profile, and for which layer.
#[derive(Clone, Debug, Args)]
pub struct ProfileArguments {
    /// Cedar policies; `-` reads standard input
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// For which layer
    #[arg(long, value_parser = one_of::<Layer>(Layer::ALL.map(Layer::name)))]
    pub layer: Layer,
    #[command(flatten)]
    pub output: OutputOption,
}

/// Which profile, and why although it hardly does what is meant.
#[derive(Clone, Debug, Args)]
pub struct ActivateArguments {
    #[command(flatten)]
    pub profile: ProfileArguments,
    /// Put it in force although it lets nothing cross, or stops nothing where it should
    #[arg(long, requires = "reason")]
    pub anyway: bool,
    /// Why it is meant so; recorded, and shown in every audit
    #[arg(long, value_name = "TEXT", requires = "anyway")]
    pub reason: Option<Name>,
}

/// Which text.
#[derive(Clone, Debug, Args)]
pub struct ShowArguments {
    /// Of which layer
    #[arg(long, value_parser = one_of::<Layer>(Layer::ALL.map(Layer::name)))]
    pub layer: Layer,
    /// The one that came with this program, whatever is in force; it takes no node
    #[arg(long)]
    pub shipped: bool,
    #[command(flatten)]
    pub out: OutArguments,
    #[command(flatten)]
    pub output: OutputOption,
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
            Self::Check(arguments) => arguments.output.output,
            Self::Activate(arguments) => arguments.profile.output.output,
            Self::Show(arguments) => arguments.output.output,
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
        ProfileCommand::Show(arguments) => show::show(home, arguments),
    }
}

fn read(path: &Path, layer: Layer) -> Result<(String, CheckedProfile), Failure> {
    let text = read_text(path, FileKind::Profile)?;
    let checked = check_profile(layer, &text, &Taxonomies::builtin())
        .map_err(|error| Failure::new(FailureKind::Failed, &RefusedProfile::new(path, &error)))?;
    Ok((text, checked))
}

#[cfg(test)]
mod tests {
    use super::*;

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
        // A name that is in no taxonomy is told here as well, not only once it is to be in force.
        let class = "when { resource.dataClass in Ambit::DataClass::\"toolpth\" }";
        let text = format!(
            "@id(\"a\")\npermit (principal, action, resource is Ambit::Observation)\n{class};\n"
        );
        std::fs::write(&path, text).unwrap();
        let line = check::check(&arguments).unwrap_err().message;
        assert!(line.contains("did you mean `toolpath`?"), "{line}");
    }
}
