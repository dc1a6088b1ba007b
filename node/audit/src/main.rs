//! `ambit-audit`: verifies a bundle, or judges every decision in it again, with no network and no database.
//!
//! The report goes to standard output, whatever goes wrong before it to standard error. Exit codes: 0 verified,
//! 1 integrity failure, 2 usage, 3 evidence incomplete, 4 a decision replays differently, 6 unreadable, 74 the report
//! could not be written.

use ambit_audit::{Bundle, BundleError, Report, Task, Trust, replay, verify};
use anyhow::Context as _;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::fs::File;
use std::io::{self, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Audit a ledger offline, from a bundle and the roots you trust
#[derive(Debug, Parser)]
#[command(name = "ambit-audit", version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check signatures, the tree and its checkpoint, and that every entry follows from those above it
    Verify(Audit),
    /// Verify, and judge every recorded decision again
    Replay(Audit),
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

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Output {
    Table,
    Json,
}

/// A trust file that can't be used is a mistake in the call, like an unknown option.
const USAGE: u8 = 2;

/// `EX_IOERR` of sysexits(3): never one of the answers.
const UNWRITTEN: u8 = 74;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let (task, audit) = match &cli.command {
        Command::Verify(audit) => (Task::Verify, audit),
        Command::Replay(audit) => (Task::Replay, audit),
    };
    let trust = match read_trust(&audit.trust) {
        Ok(trust) => trust,
        Err(error) => {
            complain(&error);
            return ExitCode::from(USAGE);
        }
    };
    let report = match read_bundle(&audit.bundle) {
        Ok(bundle) => match task {
            Task::Verify => verify(&bundle, &trust),
            Task::Replay => replay(&bundle, &trust),
        },
        Err(error) => {
            let report = Report::unreadable(task, &error);
            let error = anyhow::Error::new(error);
            complain(&error.context(format!("failed to read `{}`", audit.bundle.display())));
            report
        }
    };
    // A reader that closed the pipe has seen enough: the exit code still tells.
    match print(&report, audit.output) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            complain(&anyhow::Error::new(error).context("failed to print the report"));
            ExitCode::from(UNWRITTEN)
        }
        _ => ExitCode::from(report.exit_code()),
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

fn print(report: &Report, output: Output) -> io::Result<()> {
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
