//! Replay: judges every recorded decision again, from the recorded bytes alone.

use crate::bundle::Bundle;
use crate::report::{Report, Task};
use crate::rule::Rule;
use crate::trust::Trust;
use crate::verify::{Audit, replay_fault};
use std::rc::Rc;

/// Verifies a bundle as [`crate::verify()`] does and judges every decision again. Over a ledger without
/// decisions it proves nothing, and says so.
#[must_use]
pub fn replay(bundle: &Bundle, trust: &Trust) -> Report {
    let mut audit = Audit::run(bundle, trust, Task::Replay);
    let mut decisions: Vec<_> = audit
        .decisions
        .values()
        .map(|(at, decision)| (*at, Rc::clone(decision)))
        .collect();
    decisions.sort_by_key(|(at, _)| at.index);
    if decisions.is_empty() {
        let how = "`ambit-audit verify` checks the rest".to_owned();
        audit.report.add(Rule::NoDecisions, None, how);
    }
    for (at, decision) in decisions {
        let lookup = |digest: &_| bundle.blob(digest).map(<[u8]>::to_vec);
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
