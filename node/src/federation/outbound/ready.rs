//! Items that were judged and loaded together and wait for their turn: to go to another thread for each costs more than its work.

use crate::link::Outgoing;
use crate::node::Node;
use crate::partnership::Governance;
use crate::store::{BoxKey, StoreError};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How many are judged together.
pub(in crate::federation) const ITEMS_MAX: u64 = 16;
/// How long the judgement of an item holds before the item leaves: after that it is made again.
const WAITING_MAX: Duration = Duration::from_millis(50);

/// What may leave next.
#[derive(Default)]
pub(in crate::federation) struct Ready {
    /// In the order of their numbers.
    items: VecDeque<(u64, Outgoing)>,
    judged: Option<Judged>,
}

/// Taken before the judging.
pub(in crate::federation) struct Judged {
    under: Arc<Governance>,
    at: Instant,
}

impl Judged {
    pub(in crate::federation) fn now(node: &Node) -> Self {
        Self {
            under: node.governance(),
            at: Instant::now(),
        }
    }

    fn holds(&self, node: &Node) -> bool {
        self.at.elapsed() <= WAITING_MAX && Arc::ptr_eq(&self.under, &node.governance())
    }
}

impl Ready {
    /// Takes what was judged of an outbox, from a number on.
    pub(in crate::federation) fn put(
        &mut self,
        judged: Judged,
        seq: u64,
        first: Outgoing,
        rest: Vec<Outgoing>,
    ) {
        self.items = (seq..).zip(std::iter::once(first).chain(rest)).collect();
        self.judged = Some(judged);
    }

    /// The item of a number, where it was judged a moment ago under all that is in force now, and was not taken back since.
    pub(in crate::federation) fn take(
        &mut self,
        node: &Node,
        outbox: &BoxKey,
        seq: u64,
    ) -> Result<Option<Outgoing>, StoreError> {
        let Some((_, item)) = self.items.pop_front().filter(|(number, _)| *number == seq) else {
            self.items.clear();
            return Ok(None);
        };
        // What was taken back stays so.
        let is_tombstone = matches!(item, Outgoing::Tombstone);
        let holds = self
            .judged
            .as_ref()
            .is_some_and(|judged| judged.holds(node));
        if is_tombstone || (holds && node.store().withdrawn(outbox, seq)?.is_none()) {
            return Ok(Some(item));
        }
        self.items.clear();
        Ok(None)
    }
}
