//! `ambit-audit`: verifies a bundle, or judges every decision in it again, with no network and no database.
//!
//! The report goes to standard output, whatever goes wrong before it to standard error. Exit codes: 0 verified,
//! 1 integrity failure, 2 usage, 3 evidence incomplete, 4 a decision replays differently, 5 equivocation proved,
//! 6 unreadable, 74 the report could not be written.

use ambit_audit::{Bundle, BundleError, Report, Task, Trust, compare, replay, verify};
use anyhow::Context as _;
use clap::{Args, Parser, Subcommand, ValueEnum};
use serde::Serialize;
use std::fmt::Display;
use std::fs::File;
use std::io::{self, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Audit a ledger offline, from a bundle and the roots you trust
#[derive(Debug, Parser)]
#[command(name = "ambit-audit", version, about, after_help = EXIT_CODES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 verified, 1 integrity failure, 2 usage, 3 evidence incomplete, \
                          4 a decision replays differently, 5 equivocation proved, 6 unreadable";

#[derive(Debug, Subcommand)]
enum Command {
    /// Check signatures, the tree and its checkpoint, and that every entry follows from those above it
    Verify(Audit),
    /// Verify, and judge every recorded decision again
    Replay(Audit),
    /// Verify two bundles of one ledger, and prove it where its owner signed two histories
    Compare(Compare),
}

#[derive(Debug, Args)]
struct Audit {
    /// The bundle, as `ambit export -o BUNDLE` wrote it
    bundle: PathBuf,
    /// Root fingerprints that were compared out of band, as `ambit key trust -o FILE` wrote them; without any, the
    /// evidence is incomplete
    #[arg(long, value_name = "FILE")]
    trust: Vec<PathBuf>,
    /// For people or for programs
    #[arg(long, value_enum, default_value_t = Output::Table)]
    output: Output,
}

#[derive(Debug, Args)]
struct Compare {
    /// A bundle of the ledger
    first: PathBuf,
    /// Another one of the same ledger: from another day, or as somebody else got it
    second: PathBuf,
    /// Root fingerprints that were compared out of band; without that of the ledger's owner nothing is proved
    #[arg(long, value_name = "FILE")]
    trust: Vec<PathBuf>,
    /// For people or for programs
    #[arg(long, value_enum, default_value_t = Output::Table)]
    output: Output,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Output {
    Table,
    Json,
}

/// A trust file that can't be used is a mistake in the call, like an unknown option.
const USAGE: u8 = 2;

/// As a report on a file that is no bundle.
const UNREADABLE: u8 = 6;

/// `EX_IOERR` of sysexits(3): never one of the answers.
const UNWRITTEN: u8 = 74;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let files = match &cli.command {
        Command::Verify(audit) | Command::Replay(audit) => &audit.trust,
        Command::Compare(compare) => &compare.trust,
    };
    let trust = match read_trust(files) {
        Ok(trust) => trust,
        Err(error) => {
            complain(&error);
            return ExitCode::from(USAGE);
        }
    };
    match &cli.command {
        Command::Verify(audit) => run_audit(Task::Verify, audit, &trust),
        Command::Replay(audit) => run_audit(Task::Replay, audit, &trust),
        Command::Compare(compare) => run_compare(compare, &trust),
    }
}

fn run_audit(task: Task, audit: &Audit, trust: &Trust) -> ExitCode {
    let report = match read_bundle(&audit.bundle) {
        Ok(bundle) => match task {
            Task::Verify => verify(&bundle, trust),
            Task::Replay => replay(&bundle, trust),
        },
        Err(error) => {
            let report = Report::unreadable(task, &error);
            complain_of_bundle(&audit.bundle, error);
            report
        }
    };
    finish(&report, audit.output, report.exit_code())
}

fn run_compare(arguments: &Compare, trust: &Trust) -> ExitCode {
    let mut bundles = Vec::new();
    for file in [&arguments.first, &arguments.second] {
        match read_bundle(file) {
            Ok(bundle) => bundles.push(bundle),
            Err(error) => {
                complain_of_bundle(file, error);
                return ExitCode::from(UNREADABLE);
            }
        }
    }
    let [first, second] = &bundles[..] else {
        return ExitCode::from(UNREADABLE);
    };
    match compare(first, second, trust) {
        Ok(comparison) => finish(&comparison, arguments.output, comparison.exit_code()),
        Err(error) => {
            complain(&error.into());
            ExitCode::from(USAGE)
        }
    }
}

fn complain_of_bundle(file: &Path, error: BundleError) {
    let error = anyhow::Error::new(error);
    complain(&error.context(format!("failed to read `{}`", file.display())));
}

/// Prints what was found. A reader that closed the pipe has seen enough: the exit code still tells.
fn finish(found: &(impl Display + Serialize), output: Output, code: u8) -> ExitCode {
    match print(found, output) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            complain(&anyhow::Error::new(error).context("failed to print the report"));
            ExitCode::from(UNWRITTEN)
        }
        _ => ExitCode::from(code),
    }
}

fn read_trust(files: &[PathBuf]) -> anyhow::Result<Trust> {
    let mut trust = Trust::new();
    for file in files {
        let about = || format!("failed to read the trust file `{}`", file.display());
        let text = std::fs::read_to_string(file).with_context(about)?;
        trust.merge(Trust::parse(&text).with_context(about)?);
    }
    Ok(trust)
}

fn read_bundle(file: &Path) -> Result<Bundle, BundleError> {
    Bundle::read(BufReader::new(File::open(file)?))
}

fn print(report: &(impl Display + Serialize), output: Output) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match output {
        Output::Table => write!(out, "{report}")?,
        Output::Json => {
            serde_json::to_writer_pretty(&mut out, report)?;
            writeln!(out)?;
        }
    }
    out.flush()
}

fn complain(error: &anyhow::Error) {
    // Nobody is left to tell when standard error is closed too.
    let _ = writeln!(io::stderr(), "ambit-audit: {error:#}");
}
