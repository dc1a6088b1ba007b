//! `ambit completions` and `ambit man`: what the definition of the commands yields for shells and for readers.

use super::arguments::Arguments;
use super::exit::Exit;
use super::output::{note, print};
use crate::failure::{Failure, FailureKind};
use clap::{Args, CommandFactory as _};
use clap_complete::Shell;
use std::path::PathBuf;

/// Where to write the manual pages.
#[derive(Clone, Debug, Args)]
pub struct ManualArguments {
    /// The folder, made where it is not there; pages of the same names are replaced
    #[arg(short = 'o', long = "out", value_name = "DIR")]
    pub out: PathBuf,
}

/// Manual pages are not written.
#[derive(Debug, thiserror::Error)]
#[error("failed to write the manual pages to `{folder}`")]
pub struct ManualError {
    /// The folder.
    folder: PathBuf,
    /// What the system says.
    source: std::io::Error,
}

pub(super) fn completions(shell: Shell) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "ambit", &mut script);
    print(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}

pub(super) fn pages(arguments: &ManualArguments) -> Result<Exit, Failure> {
    let folder = arguments.out.clone();
    std::fs::create_dir_all(&folder)
        .and_then(|()| clap_mangen::generate_to(Arguments::command(), &folder))
        .map_err(|source| Failure::new(FailureKind::Failed, &ManualError { folder, source }))?;
    note(format!(
        "wrote the manual pages; read the first with `man {}`",
        crate::platform::shell_path(&arguments.out.join("ambit.1"))
    ));
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shell_is_told_every_command() {
        for shell in [
            Shell::Bash,
            Shell::Elvish,
            Shell::Fish,
            Shell::PowerShell,
            Shell::Zsh,
        ] {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "ambit", &mut script);
            let script = String::from_utf8(script).unwrap();
            for command in Arguments::command().get_subcommands() {
                assert!(script.contains(command.get_name()), "{shell}: {command}");
            }
            // The others complete commands and options, and no values.
            if matches!(shell, Shell::Bash | Shell::Fish | Shell::Zsh) {
                for value in ["trade-secret", "inspection-result"] {
                    assert!(script.contains(value), "{shell}: {value}");
                }
            }
        }
    }

    #[test]
    fn every_command_has_its_page() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().to_owned();
        assert_eq!(
            pages(&ManualArguments { out: out.clone() }).unwrap(),
            Exit::Done
        );
        let page = |name: &str| std::fs::read_to_string(out.join(name)).unwrap();
        assert!(page("ambit.1").contains("Exit codes"));
        assert!(page("ambit-partner-accept.1").contains("fingerprint"));
        for command in Arguments::command().get_subcommands() {
            assert!(page(&format!("ambit-{}.1", command.get_name())).contains("AMBIT_HOME"));
        }
        let within = out.join("share/man1");
        pages(&ManualArguments {
            out: within.clone(),
        })
        .unwrap();
        assert!(within.join("ambit.1").is_file());
        // A file is in the way.
        let nowhere = ManualArguments {
            out: within.join("ambit.1"),
        };
        let failure = pages(&nowhere).unwrap_err();
        assert!(failure.message.contains("failed to write"), "{failure}");
    }
}
