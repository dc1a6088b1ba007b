//! `ambit-audit`: verifies a bundle, or judges every decision in it again, with no network and no database.
//!
//! The report goes to standard output, whatever goes wrong before it to standard error. Exit codes: 0 verified,
//! 1 integrity failure, 2 usage, 3 evidence incomplete or a limit reached, 4 a decision replays differently, 5 equivocation proved,
//! 6 unreadable, 74 the report or the pages could not be written.

mod arguments;
mod complaint;
mod manual;

use ambit_audit::{
    Allowance, Bundle, BundleError, Report, Task, Trust, compare_within, lines_shown,
    replay_within, verify_within,
};
use anyhow::Context as _;
use arguments::{Arguments, Audit, Command, Compare, Output};
use clap::Parser as _;
use complaint::{Kind, complain, refuse};
use serde::Serialize;
use std::fmt::Display;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The longest trust file: thousands of roots, where an agreement has sixteen members at most.
const TRUST_FILE_BYTES_MAX: u64 = 1024 * 1024;

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return refuse(&error, Output::wanted(std::env::args_os())),
    };
    match &arguments.command {
        Command::Verify(audit) => run_audit(Task::Verify, audit),
        Command::Replay(audit) => run_audit(Task::Replay, audit),
        Command::Compare(compare) => run_compare(compare),
        Command::Completions { shell } => end(manual::completions(*shell)),
        Command::Man { out } => end(manual::pages(out)),
    }
}

fn end(written: anyhow::Result<()>) -> ExitCode {
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => complain(&error, Kind::Failed, Output::Table),
    }
}

fn run_audit(task: Task, audit: &Audit) -> ExitCode {
    let trust = match read_trust(&audit.trust) {
        Ok(trust) => trust,
        Err(error) => return complain(&error, Kind::Usage, audit.output),
    };
    let allowance = audit.limits.allowance();
    let audited = read_bundle(&audit.bundle, allowance).and_then(|bundle| {
        let report = match task {
            Task::Verify => verify_within(&bundle, &trust, allowance),
            Task::Replay => replay_within(&bundle, &trust, allowance),
        };
        bundle.unread().map_or(Ok(report), Err)
    });
    let report = match audited {
        Ok(report) => report,
        Err(error) => {
            let report = Report::unreadable(task, &error);
            if matches!(error, BundleError::Memory(_)) {
                return finish(&report, audit.output, report.exit_code());
            }
            complain_of_bundle(&audit.bundle, error, audit.output);
            report
        }
    };
    finish(&report, audit.output, report.exit_code())
}

fn run_compare(arguments: &Compare) -> ExitCode {
    let trust = match read_trust(&arguments.trust) {
        Ok(trust) => trust,
        Err(error) => return complain(&error, Kind::Usage, arguments.output),
    };
    let allowance = arguments.limits.allowance();
    let mut bundles = Vec::new();
    for file in [&arguments.first, &arguments.second] {
        match read_bundle(file, allowance) {
            Ok(bundle) => bundles.push(bundle),
            Err(error) => return complain_of_bundle(file, error, arguments.output),
        }
    }
    let [first, second] = &bundles[..] else {
        return ExitCode::from(Kind::Unreadable.code());
    };
    let compared = compare_within(first, second, &trust, allowance);
    let files = [&arguments.first, &arguments.second];
    for (file, bundle) in files.into_iter().zip([first, second]) {
        if let Some(error) = bundle.unread() {
            return complain_of_bundle(file, error, arguments.output);
        }
    }
    match compared {
        Ok(comparison) => finish(&comparison, arguments.output, comparison.exit_code()),
        Err(error) => complain(&error.into(), Kind::Usage, arguments.output),
    }
}

fn complain_of_bundle(file: &Path, error: BundleError, output: Output) -> ExitCode {
    let kind = match error {
        BundleError::Memory(_) => Kind::Limit,
        _ => Kind::Unreadable,
    };
    let error = anyhow::Error::new(error);
    let error = error.context(format!("failed to read `{}`", file.display()));
    complain(&error, kind, output)
}

/// Prints what was found. A reader that closed the pipe has seen enough: the exit code still tells.
fn finish(found: &(impl Display + Serialize), output: Output, code: u8) -> ExitCode {
    match print(found, output) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            let error = anyhow::Error::new(error).context("failed to print the report");
            complain(&error, Kind::Failed, output)
        }
        _ => ExitCode::from(code),
    }
}

fn read_trust(files: &[PathBuf]) -> anyhow::Result<Trust> {
    let mut trust = Trust::new();
    for file in files {
        let about = || format!("failed to read the trust file `{}`", file.display());
        let text = read_within(file, TRUST_FILE_BYTES_MAX).with_context(about)?;
        trust.merge(Trust::parse(&text).with_context(about)?);
    }
    Ok(trust)
}

/// A text file that is no longer than a limit: no more of it is read.
fn read_within(file: &Path, bytes_max: u64) -> anyhow::Result<String> {
    let mut text = String::new();
    let read = File::open(file)?
        .take(bytes_max + 1)
        .read_to_string(&mut text)?;
    anyhow::ensure!(
        read as u64 <= bytes_max,
        "it is longer than the {bytes_max} bytes that a trust file may have; name another file"
    );
    Ok(text)
}

fn read_bundle(file: &Path, allowance: Allowance) -> Result<Bundle, BundleError> {
    Bundle::open_within(file, allowance)
}

fn print(report: &(impl Display + Serialize), output: Output) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match output {
        Output::Table => out.write_all(lines_shown(&report.to_string()).as_bytes())?,
        Output::Json => {
            serde_json::to_writer_pretty(&mut out, report)?;
            writeln!(out)?;
        }
    }
    out.flush()
}
