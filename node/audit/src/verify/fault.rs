//! What a check comes to: nothing, or a rule broken and how it shows.

use crate::rule::Rule;
use ambit_ledger::Time;

/// A rule broken, and how it shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) rule: Rule,
    pub(crate) how: String,
}

/// The outcome of a check.
pub(crate) type Checks<T = ()> = Result<T, Fault>;

impl Rule {
    pub(crate) fn broken(self, how: impl Into<String>) -> Fault {
        Fault {
            rule: self,
            how: how.into(),
        }
    }

    /// A fault unless the condition holds.
    pub(crate) fn check(self, holds: bool, how: impl FnOnce() -> String) -> Checks {
        if holds {
            Ok(())
        } else {
            Err(self.broken(how()))
        }
    }
}

/// Where in the ledger, and when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct At {
    pub(crate) index: u64,
    pub(crate) time: Time,
}
