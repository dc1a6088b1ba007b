//! Why an operation failed, in the classes that exit codes and status codes tell apart. Each room says what its own
//! errors become.

use serde::{Deserialize, Serialize};

/// Why an operation failed, in the classes that exit codes tell apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// The class.
    pub kind: FailureKind,
    /// What went wrong, and how to mend it.
    pub message: String,
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
}

impl Failure {
    /// A failure of a class, with all causes in its text.
    pub fn new(kind: FailureKind, error: &(dyn std::error::Error + 'static)) -> Self {
        let mut message = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            let text = error.to_string();
            if !message.contains(&text) {
                message = format!("{message}: {text}");
            }
            cause = error.source();
        }
        Self { kind, message }
    }
}
