//! What goes wrong before there is an answer: one line on standard error, for people or for programs.

use super::arguments::Output;
use ambit_audit::lines_shown;
use serde::Serialize;
use std::io::{self, Write as _};
use std::process::ExitCode;

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    /// A call that can't be understood, or a trust file that can't be used.
    Usage,
    /// The file takes more memory than it may.
    Limit,
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
            // As a report that was not carried to its end.
            Self::Limit => 3,
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
    if !error.use_stderr() {
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    let text = error.to_string();
    if output == Output::Table {
        // Its words repeat what was given; where that could deceive, they are told without colours.
        let could_deceive = |given: std::ffi::OsString| {
            let given = given.to_string_lossy();
            lines_shown(&given) != given
        };
        if std::env::args_os().any(could_deceive) {
            let _ = writeln!(io::stderr().lock(), "{}", lines_shown(text.trim_end()));
        } else {
            let _ = error.print();
        }
        return ExitCode::from(Kind::Usage.code());
    }
    let line: Vec<&str> = text.split_whitespace().collect();
    let line = line.join(" ");
    tell(line.trim_start_matches("error: "), Kind::Usage, output);
    ExitCode::from(Kind::Usage.code())
}

fn tell(message: &str, kind: Kind, output: Output) {
    // Nobody is left to tell when standard error is closed too.
    let mut out = io::stderr().lock();
    let _ = match output {
        Output::Table => writeln!(out, "ambit-audit: {}", lines_shown(message)),
        Output::Json => {
            let complaint = serde_json::to_string(&Complaint { kind, message });
            writeln!(out, "{}", complaint.unwrap_or_default())
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use ambit_audit::Trust;

    #[test]
    fn what_a_file_holds_cannot_steer_a_terminal() {
        let error = Trust::parse("x = \"\u{1b}]0;pwned\u{7}\n").unwrap_err();
        let error = anyhow::Error::new(error).context("failed to read the trust file `e\u{1b}[2J`");
        let told = format!("{error:#}");
        assert!(told.contains("\u{1b}]0;pwned"), "{told}");
        let told = lines_shown(&told);
        let is_raw = |character: char| character.is_control() && character != '\n';
        assert!(!told.contains(is_raw), "{told}");
        assert!(told.contains("`e\\u{1b}[2J`"), "{told}");
        assert!(told.contains("\\u{1b}]0;pwned\\u{7}"), "{told}");
    }
}
