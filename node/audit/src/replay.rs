//! Replay: judges every recorded decision again, from the recorded bytes alone.

use crate::allowance::Allowance;
use crate::bundle::Bundle;
use crate::report::{Report, Task};
use crate::rule::Rule;
use crate::trust::Trust;
use crate::verify::{Audit, replay_fault};
use std::borrow::Cow;

/// Verifies a bundle as [`crate::verify()`] does and judges every decision again. A ledger without decisions has none to
/// judge, and the report says so.
#[must_use]
pub fn replay(bundle: &Bundle, trust: &Trust) -> Report {
    replay_within(bundle, trust, Allowance::unlimited())
}

/// The same, within an allowance of time and memory: beyond it, the report says so, and its verdict is *incomplete* at best.
#[must_use]
pub fn replay_within(bundle: &Bundle, trust: &Trust, allowance: Allowance) -> Report {
    let mut audit = Audit::run(bundle, trust, Task::Replay, allowance);
    for (at, decision) in audit.decisions.in_order() {
        let lookup = |digest: &_| bundle.blob(digest).map(Cow::into_owned);
        // What cannot be put together takes no time.
        let effort = audit.replayer.effort(&decision, lookup);
        if !audit.affords(effort.unwrap_or_default()) {
            break;
        }
        match audit.replayer.replay(&decision, lookup) {
            Ok(()) => audit.report.checked_mut().decisions_replayed += 1,
            Err(error) => {
                let fault = replay_fault(&error, Rule::ReplayInputs);
                audit.report.add(fault.rule, Some(at.index), fault.how);
            }
        }
    }
    audit.report
}
