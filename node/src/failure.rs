//! Why an operation failed, in the classes that exit codes and status codes tell apart. Each room says what its own
//! errors become.

use serde::{Deserialize, Serialize};
use std::error::Error;

/// Why an operation failed: what a person is told, whoever ran it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// The class.
    pub kind: FailureKind,
    /// What went wrong with all its causes, and how to mend it, in one line.
    pub message: String,
    /// What to try, where the error itself cannot know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// The classes of failures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    /// It failed.
    Failed,
    /// It was asked wrongly.
    Usage,
    /// A signature or a fingerprint is not what it has to be.
    Verification,
    /// It is not there.
    NotFound,
    /// The caller has no right to it.
    NotAuthorized,
    /// It may work later.
    TryAgain,
    /// Whoever asked has read enough, and is gone.
    Gone,
}

impl Failure {
    /// A failure of a class.
    pub fn new(kind: FailureKind, error: &(dyn Error + 'static)) -> Self {
        Self {
            kind,
            message: one_line(error),
            hint: None,
        }
    }

    /// Adds what to try.
    #[must_use]
    pub fn hinted(self, hint: impl Into<String>) -> Self {
        Self {
            hint: Some(hint.into()),
            ..self
        }
    }
}

/// An error and its causes in one line. What a cause repeats is left out.
#[must_use]
pub fn one_line(error: &(dyn Error + 'static)) -> String {
    let mut line = flat(&error.to_string());
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = flat(&error.to_string());
        if !line.contains(&text) {
            line = format!("{line}: {text}");
        }
        cause = error.source();
    }
    line
}

/// Puts a message of several lines into one. Lines that quote a file behind a bar are left out: the message
/// names line and column besides.
pub(crate) fn flat(text: &str) -> String {
    let quotes = |line: &str| {
        line.trim_start_matches(|character: char| character.is_ascii_digit() || character == ' ')
            .starts_with('|')
    };
    let is_long = text.trim().contains('\n');
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !is_long || !quotes(line))
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    lines.join(": ")
}

/// Names, each in backticks, for a message.
pub(crate) fn quoted(names: impl IntoIterator<Item = impl std::fmt::Display>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::FactsFile;

    #[test]
    fn a_message_of_several_lines_becomes_one() {
        let error = FactsFile::parse("source = \"a\"\nsauce = 1").unwrap_err();
        let line = one_line(&error);
        assert!(
            line.starts_with("failed to read the facts: TOML parse error at line 2, column 1: "),
            "{line}"
        );
        assert!(line.contains("unknown field `sauce`"), "{line}");
        assert!(!line.contains('\n') && !line.contains('|'), "{line}");
    }

    #[test]
    fn a_single_line_keeps_its_bars() {
        assert_eq!(flat("| a | b"), "| a | b");
    }
}
