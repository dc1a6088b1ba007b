//! What can be said on the command line.

use super::attest::AttestArguments;
use super::clock::ClockCommand;
use super::demo::DemoArguments;
use super::export::ExportArguments;
use super::get::GetArguments;
use super::import::ImportArguments;
use super::init::InitArguments;
use super::issuer::IssuerCommand;
use super::key::KeyCommand;
use super::list::ListArguments;
use super::manual::ManualArguments;
use super::observe::ObserveArguments;
use super::output::{Format, OutputOption};
use super::partner::PartnerCommand;
use super::profile::ProfileCommand;
use super::store::StoreCommand;
use super::why::WhyArguments;
use crate::failure::{Failure, FailureKind};
use clap::parser::ValueSource;
use clap::{ArgAction, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use clap_complete::Shell;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Share observations with partners, within the terms that travel with them
#[derive(Clone, Debug, Parser)]
#[command(name = "ambit", version, about, after_help = EXIT_CODES)]
pub struct Arguments {
    /// The folder the node lives in; .ambit in your own folder where not given. For `demo`, a new folder for its three
    /// homes, which then stay
    #[arg(long, global = true, env = "AMBIT_HOME", value_name = "DIR")]
    pub home: Option<PathBuf>,
    /// Write nothing to the home: for one on a full disk, or that cannot be written to. A copy of the database is made in the
    /// system's folder for temporary files, which takes time. For commands that only show or export
    #[arg(long, global = true)]
    pub read_only: bool,
    /// Say more on standard error; twice for all there is. RUST_LOG chooses by part of the program, such as ambit_node::federation=debug
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,
    /// What to do
    #[command(subcommand)]
    pub command: Command,
    /// Whether `home` was named here, and not by the environment.
    #[arg(skip)]
    is_home_named: bool,
}

const EXIT_CODES: &str = "Exit codes: 0 done, 1 failed, 2 usage, 3 not admissible, 4 verification failed, \
                          5 not found, 6 not authorized, 75 try again";

/// One command.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Run three organizations on this machine: observe, disclose within terms, audit
    Demo(DemoArguments),
    /// Make a node: its home, its keys, its ledger
    Init(InitArguments),
    /// Run the node: serve its peers and the other commands
    Run,
    /// Observe a submodel or single values, and disclose them where that is admissible
    Observe(ObserveArguments),
    /// Import a delimited file, row by row; the same file again adds nothing
    Import(ImportArguments),
    /// List observations, this node's own and others'
    List(ListArguments),
    /// Show an observation: facts, terms and readings; or the latest values of a submodel
    Get(GetArguments),
    /// Judge an observation for an organization now, and say which part of which policy says no; or say on what
    /// terms it is held
    Why(WhyArguments),
    /// Show how the node stands: its ledger, its partnerships, what was disclosed and withheld
    Status {
        #[command(flatten)]
        output: OutputOption,
    },
    /// Show the other members: whether they are connected, and what waits for them
    Peers {
        #[command(flatten)]
        output: OutputOption,
    },
    /// Identity card, trust file and fingerprints; and where the root key is kept
    Key {
        /// What to do
        #[command(subcommand)]
        command: KeyCommand,
    },
    /// Write the whole ledger as a bundle, for an auditor to replay offline
    Export(ExportArguments),
    /// Declare, accept and list partnerships
    Partner {
        /// What to do
        #[command(subcommand)]
        command: PartnerCommand,
    },
    /// Attest a registration or a licence of another organization, so that what it allows may cross
    Attest(AttestArguments),
    /// Pin the issuers whose attestations count here
    Issuer {
        /// What to do
        #[command(subcommand)]
        command: IssuerCommand,
    },
    /// Confirm the clock, where it is so far past the ledger that it may be wrong
    Clock {
        /// What to do
        #[command(subcommand)]
        command: ClockCommand,
    },
    /// Check policies, and put them in force
    Profile {
        /// What to do
        #[command(subcommand)]
        command: ProfileCommand,
    },
    /// Check what is kept on the disk, or build its database again
    Store {
        /// What to do
        #[command(subcommand)]
        command: StoreCommand,
    },
    /// Write what a shell needs to complete these commands
    Completions {
        /// For which shell
        #[arg(value_name = "SHELL")]
        shell: Shell,
    },
    /// Write the manual pages
    Man(ManualArguments),
}

/// Nobody says where the node lives.
#[derive(Debug, thiserror::Error)]
#[error("the system names no folder of your own; name one with --home or AMBIT_HOME")]
pub struct HomeArgumentError;

/// What writes is to write nothing.
#[derive(Debug, thiserror::Error)]
#[error(
    "--read-only goes with commands that only show or export: list, get, why, status, peers, key, export, profile show, and the \
     lists of partner, attest and issuer"
)]
pub struct ReadOnlyError;

impl Arguments {
    /// Reads what was given, the program's own name first.
    ///
    /// # Errors
    /// What is not understood; and help or the version, where they are asked for.
    pub fn read<T: Into<OsString> + Clone>(
        given: impl IntoIterator<Item = T>,
    ) -> Result<Self, clap::Error> {
        let matches = Self::command().try_get_matches_from(given)?;
        let mut arguments = Self::from_arg_matches(&matches)?;
        arguments.is_home_named = matches.value_source("home") == Some(ValueSource::CommandLine);
        Ok(arguments)
    }

    /// The folder that `--home` names here. One that the environment names is for a person's own node.
    #[must_use]
    pub fn named_home(&self) -> Option<&Path> {
        self.home.as_deref().filter(|_| self.is_home_named)
    }

    /// The folder the node lives in.
    ///
    /// # Errors
    /// [`HomeArgumentError`] where neither the arguments nor the system names one.
    pub fn home(&self) -> Result<PathBuf, Failure> {
        self.home
            .clone()
            .or_else(|| std::env::home_dir().map(|folder| folder.join(".ambit")))
            .ok_or_else(|| Failure::new(FailureKind::Usage, &HomeArgumentError))
    }

    /// Refuses `--read-only` beside a command that records, makes or runs something.
    ///
    /// # Errors
    /// What goes with it, where this does not.
    pub fn check_read_only(&self) -> Result<(), Failure> {
        let only_reads = match &self.command {
            Command::List(_)
            | Command::Get(_)
            | Command::Why(_)
            | Command::Status { .. }
            | Command::Peers { .. }
            | Command::Export(_) => true,
            Command::Key { command } => command.only_reads(),
            Command::Partner { command } => matches!(command, PartnerCommand::List { .. }),
            Command::Attest(attest) => attest.only_lists(),
            Command::Issuer { command } => matches!(command, IssuerCommand::List { .. }),
            Command::Profile { command } => matches!(command, ProfileCommand::Show(_)),
            Command::Demo(_)
            | Command::Init(_)
            | Command::Run
            | Command::Observe(_)
            | Command::Import(_)
            | Command::Clock { .. }
            | Command::Store { .. }
            | Command::Completions { .. }
            | Command::Man(_) => false,
        };
        if self.read_only && !only_reads {
            return Err(Failure::new(FailureKind::Usage, &ReadOnlyError));
        }
        Ok(())
    }

    /// For whom the command answers, and complains.
    #[must_use]
    pub fn format(&self) -> Format {
        match &self.command {
            Command::Demo(demo) => demo.output.output,
            Command::Init(init) => init.output.output,
            Command::Observe(observe) => observe.output.output,
            Command::Import(import) => import.output.output,
            Command::List(list) => list.output.output,
            Command::Get(get) => get.output.output,
            Command::Why(why) => why.output.output,
            Command::Status { output } | Command::Peers { output } => output.output,
            Command::Key { command } => command.format(),
            Command::Export(export) => export.output.output,
            Command::Partner { command } => command.format(),
            Command::Attest(attest) => attest.format(),
            Command::Issuer { command } => command.format(),
            Command::Clock { command } => command.format(),
            Command::Store { command } => command.format(),
            Command::Profile { command } => command.format(),
            Command::Run | Command::Completions { .. } | Command::Man(_) => Format::Table,
        }
    }

    /// What is logged where RUST_LOG is silent: a node's life at least, a command's only in trouble.
    #[must_use]
    pub fn log_filter(&self) -> &'static str {
        match (self.verbose, &self.command) {
            // What yamux says comes of what peers send, as often as they please; what counts is said by the mesh.
            (0, Command::Run) => "warn,ambit_node=info,yamux=off",
            (0, _) => "warn,yamux=off",
            (1, _) => "info,ambit_node=debug",
            (_, _) => "debug,ambit_node=trace",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::error::ErrorKind;

    fn parse(line: &str) -> Result<Arguments, clap::Error> {
        Arguments::read(line.split(' '))
    }

    #[test]
    fn the_definition_holds_together() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_command_is_taken() {
        let fingerprint = format!("did:web:b.example={}", "ab".repeat(32));
        for line in [
            "ambit demo --exit --output json",
            "ambit --home x init --org did:web:a.example --name A --country DE",
            "ambit init --org a --name A --country DE --listen /ip4/0.0.0.0/tcp/1 --announce /ip4/10.0.0.1/tcp/1",
            "ambit run --home x -vv",
            "ambit observe - --fact serial=42 --at 2026-01-01T00:00:00Z",
            "ambit observe --set A.B=1 --type A.B=xs:double --facts f.toml",
            "ambit import a.csv --map m.toml --fact lot.value=7 --output json",
            "ambit import a.csv --propose-map -o m.toml",
            "ambit list --part p --lot l --submodel s --origin o --limit 3",
            "ambit list --serial 1 --program p --class c --from 2026-01-01T00:00:00Z --until 2026-02-01T00:00:00Z",
            "ambit list --after 12 --limit 3 --output json",
            "ambit get 0123abcd",
            "ambit get --submodel urn:a --output json",
            "ambit get --submodel urn:a --origin did:web:b.example",
            "ambit peers --output json",
            "ambit clock accept --output json",
            "ambit completions bash",
            "ambit man -o man1",
            "ambit why 0123abcd --to did:web:b.example",
            "ambit why 0123abcd --output json",
            "ambit status --output json",
            "ambit key card -o card.txt",
            "ambit key trust",
            "ambit key show --output json",
            "ambit key root export -o r.key --output json",
            "ambit key root export -o r.key --no-passphrase --root-key old.key --root-passphrase-file p",
            "ambit key root remove --copy r.key --passphrase-file p",
            "ambit key root use r.key",
            "ambit export -o a.bundle",
            &format!("ambit partner declare d.toml -o i.txt --fingerprint {fingerprint}"),
            &format!("ambit partner accept i.txt --yes --fingerprint {fingerprint}"),
            "ambit partner decline i.txt --reason no",
            "ambit partner invite p -o i.txt",
            "ambit partner list",
            "ambit partner offer p --to did:web:b.example --dry-run --output json",
            "ambit attest did:web:b.example --as ddtc-registered --number M-1 --until 2027-01-01T00:00:00Z -o a.txt",
            "ambit attest did:web:b.example --as export-licence --number D-1 --until 2027-01-01T00:00:00Z --regime ear \
             --authority did:web:bis.example --item 9E003 --item 2E001 --destination DE",
            "ambit attest did:web:b.example --as ddtc-registered --number M-1 --end",
            "ambit attest --file a.txt",
            "ambit attest list --output json",
            "ambit attest --home a list",
            "ambit issuer unpin did:web:b.example",
            "ambit issuer list",
            "ambit issuer pin b.card",
            &format!(
                "ambit issuer pin b.card --fingerprint did:web:b.example={} --output json",
                "ab".repeat(32)
            ),
            "ambit profile check a.cedar --layer ip",
            "ambit profile show --layer ip --shipped -o ip.cedar",
            "ambit profile activate a.cedar --layer owner --output json",
        ] {
            assert!(parse(line).is_ok(), "{line}: {:?}", parse(line).err());
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for (line, kind) in [
            ("ambit observe", ErrorKind::MissingRequiredArgument),
            (
                "ambit observe a.json --set A=1",
                ErrorKind::ArgumentConflict,
            ),
            ("ambit observe --set A", ErrorKind::ValueValidation),
            (
                "ambit observe a.json --at yesterday",
                ErrorKind::ValueValidation,
            ),
            (
                "ambit import a.csv --propose-map --fact serial=1",
                ErrorKind::ArgumentConflict,
            ),
            (
                "ambit import a.csv --propose-map --facts f.toml",
                ErrorKind::ArgumentConflict,
            ),
            (
                "ambit observe a.json --type A=xs:int",
                ErrorKind::ArgumentConflict,
            ),
            (
                "ambit import a.csv --map m --propose-map",
                ErrorKind::ArgumentConflict,
            ),
            (
                "ambit import a.csv --map m -o x",
                ErrorKind::ArgumentConflict,
            ),
            ("ambit why", ErrorKind::MissingRequiredArgument),
            ("ambit get", ErrorKind::MissingRequiredArgument),
            (
                "ambit get 0123 --submodel urn:a",
                ErrorKind::ArgumentConflict,
            ),
            ("ambit list --from yesterday", ErrorKind::ValueValidation),
            (
                "ambit attest did:web:b.example --as iso27001",
                ErrorKind::MissingRequiredArgument,
            ),
            (
                "ambit attest did:web:b.example --as l --until 2027-01-01T00:00:00Z --regime ear",
                ErrorKind::MissingRequiredArgument,
            ),
            ("ambit attest", ErrorKind::MissingRequiredArgument),
            (
                "ambit attest did:web:b.example --file a.txt",
                ErrorKind::ArgumentConflict,
            ),
            (
                "ambit attest did:web:b.example --as l --until 2027-01-01 --regime usa --authority did:web:a.example \
                 --item 9E003 --destination DE --number N",
                ErrorKind::InvalidValue,
            ),
            (
                "ambit attest did:web:b.example --as l --until whenever",
                ErrorKind::ValueValidation,
            ),
            ("ambit completions cobol", ErrorKind::InvalidValue),
            ("ambit man", ErrorKind::MissingRequiredArgument),
            ("ambit export", ErrorKind::MissingRequiredArgument),
            ("ambit key root export", ErrorKind::MissingRequiredArgument),
            (
                "ambit key root export -o r --passphrase-file p --no-passphrase",
                ErrorKind::ArgumentConflict,
            ),
            (
                "ambit key root export -o r --passphrase secret",
                ErrorKind::UnknownArgument,
            ),
            ("ambit key root remove", ErrorKind::MissingRequiredArgument),
            (
                "ambit init --org a --name A",
                ErrorKind::MissingRequiredArgument,
            ),
            (
                "ambit partner accept i --fingerprint x",
                ErrorKind::ValueValidation,
            ),
            (
                "ambit profile check a.cedar --layer all",
                ErrorKind::InvalidValue,
            ),
        ] {
            assert_eq!(parse(line).unwrap_err().kind(), kind, "{line}");
        }
    }

    #[test]
    fn a_home_is_named_on_either_side_of_the_command() {
        for line in ["ambit --home x demo", "ambit demo --home x"] {
            assert_eq!(parse(line).unwrap().named_home(), Some(Path::new("x")));
        }
        assert_eq!(parse("ambit demo").unwrap().named_home(), None);
    }

    #[test]
    fn the_seed_of_an_example_is_only_in_the_long_help() {
        let init = || {
            Arguments::command()
                .find_subcommand("init")
                .unwrap()
                .clone()
        };
        assert!(!init().render_help().to_string().contains("--example-seed"));
        assert!(
            init()
                .render_long_help()
                .to_string()
                .contains("--example-seed")
        );
    }
}
