//! What goes wrong before there is an answer: one line on standard error, for people or for programs.

use super::arguments::Output;
use serde::Serialize;
use std::io::{self, Write as _};
use std::process::ExitCode;

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    /// A call that can't be understood, or a trust file that can't be used.
    Usage,
    /// The file is no bundle.
    Unreadable,
    /// The answer could not be written.
    Failed,
}

impl Kind {
    /// The exit code.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Usage => 2,
            // As a report on such a file.
            Self::Unreadable => 6,
            // `EX_IOERR` of sysexits(3): never one of the answers.
            Self::Failed => 74,
        }
    }
}

#[derive(Serialize)]
struct Complaint<'a> {
    kind: Kind,
    message: &'a str,
}

/// Says what went wrong, and ends with its code.
pub(crate) fn complain(error: &anyhow::Error, kind: Kind, output: Output) -> ExitCode {
    tell(&format!("{error:#}"), kind, output);
    ExitCode::from(kind.code())
}

/// Prints help and the version, and complains of what is no call.
pub(crate) fn refuse(error: &clap::Error, output: Output) -> ExitCode {
    if !error.use_stderr() || output == Output::Table {
        let _ = error.print();
        return ExitCode::from(if error.use_stderr() {
            Kind::Usage.code()
        } else {
            0
        });
    }
    let text = error.to_string();
    let line: Vec<&str> = text.split_whitespace().collect();
    let line = line.join(" ");
    tell(line.trim_start_matches("error: "), Kind::Usage, output);
    ExitCode::from(Kind::Usage.code())
}

fn tell(message: &str, kind: Kind, output: Output) {
    // Nobody is left to tell when standard error is closed too.
    let mut out = io::stderr().lock();
    let _ = match output {
        Output::Table => writeln!(out, "ambit-audit: {message}"),
        Output::Json => {
            let complaint = serde_json::to_string(&Complaint { kind, message });
            writeln!(out, "{}", complaint.unwrap_or_default())
        }
    };
}
