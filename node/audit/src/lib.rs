//! What an auditor does with a bundle: verify it, judge every decision in it again, and report.
//!
//! Pure: no network, no database, no clock but the one that ends what takes too long. Everything is read from the bundle, and trust from the trust
//! files alone.

mod allowance;
mod bundle;
mod compare;
mod cores;
#[cfg(test)]
mod fixture;
#[cfg(test)]
mod properties;
mod replay;
mod report;
mod rule;
mod terminal;
#[cfg(test)]
mod tests;
mod trust;
mod verify;

pub use allowance::{Allowance, MemoryLimit, TimeLimit};
pub use bundle::{
    BLOB_BYTES_MAX, Bundle, BundleError, BundleWriteError, BundleWriter, Entries, MAGIC,
};
pub use compare::{CompareError, Compared, Comparison, Equivocation, compare, compare_within};
pub use replay::{replay, replay_within};
pub use report::{
    AuditVerdict, Beyond, Checked, Delivered, Finding, Instant, Origin, Report, RuleInForce,
    RuleKind, Task,
};
pub use rule::{Basis, Rule, Severity};
pub use terminal::{lines_shown, shown};
pub use trust::{Trust, TrustError, TrustedRoot};
pub use verify::{verify, verify_within};
