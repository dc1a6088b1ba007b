//! Replay: judges every recorded decision again, from the recorded bytes alone.

use crate::bundle::Bundle;
use crate::report::{Report, Task};
use crate::rule::Rule;
use crate::trust::Trust;
use crate::verify::{Audit, replay_fault};

/// Verifies a bundle as [`crate::verify()`] does and judges every decision again. A ledger without decisions has none to
/// judge, and the report says so.
#[must_use]
pub fn replay(bundle: &Bundle, trust: &Trust) -> Report {
    let mut audit = Audit::run(bundle, trust, Task::Replay);
    for (at, decision) in audit.decisions.in_order() {
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
