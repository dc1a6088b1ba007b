//! How a command ends, as scripts see it.

use crate::failure::FailureKind;

/// How a command ended, as scripts see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// It failed.
    Failed = 1,
    /// It was asked wrongly.
    Usage = 2,
    /// The observation is not admissible for whom it was asked about.
    NotAdmissible = 3,
    /// A signature or a fingerprint is not what it has to be.
    Verification = 4,
    /// It is not there.
    NotFound = 5,
    /// The caller has no right to it.
    NotAuthorized = 6,
    /// It may work later (`EX_TEMPFAIL` of sysexits).
    TryAgain = 75,
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

impl From<FailureKind> for Exit {
    fn from(kind: FailureKind) -> Self {
        match kind {
            FailureKind::Failed => Self::Failed,
            FailureKind::Usage => Self::Usage,
            FailureKind::Verification => Self::Verification,
            FailureKind::NotFound => Self::NotFound,
            FailureKind::NotAuthorized => Self::NotAuthorized,
            FailureKind::TryAgain => Self::TryAgain,
            // Nobody is left to be told of a failure.
            FailureKind::Gone => Self::Done,
        }
    }
}
