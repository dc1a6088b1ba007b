//! Verifying what a link brings while what came before it is still judged and committed: most of the work of taking it in.

use super::item::{Incoming, Verified, verify};
use crate::link::Arrived;
use crate::node::{InForce, Node};
use crate::partnership::Governance;
use ambit_ledger::{OrganizationId, PartnershipId, RefusalCode, Time};
use std::sync::Arc;

/// How long it counts what was found, in seconds: after that the item is verified again.
const HOLDS_SECONDS: u32 = 5;

/// What was found of an item before its turn.
#[derive(Clone, Debug)]
pub(crate) struct Ahead {
    pub(super) found: Result<Verified, RefusalCode>,
    /// What was in force then.
    under: Arc<Governance>,
    at: Time,
}

impl Ahead {
    /// Whether it would be found again now.
    pub(super) fn holds(&self, in_force: &InForce<'_>, now: Time) -> bool {
        Arc::ptr_eq(&self.under, in_force.governance())
            && self.at <= now
            && now <= self.at.plus_seconds(HOLDS_SECONDS)
    }
}

/// Verifies the items among some frames from a member that are due and were not taken in before; nothing where that cannot be said
/// now.
pub(crate) fn verify_ahead(
    node: &Node,
    partnership: &PartnershipId,
    from: &OrganizationId,
    arrived: &[(Arrived, bool)],
) -> Vec<Option<Ahead>> {
    let in_force = node.judging();
    let from = in_force.counterpart(partnership, from);
    let (Some(from), Ok(at)) = (from, node.instant(crate::clock::now())) else {
        return arrived.iter().map(|_| None).collect();
    };
    let edition = from.partnership().edition();
    let governance: &Governance = &in_force;
    let ahead = arrived.iter().map(|(arrived, is_due)| {
        let (observation, disclosure, readings) = arrived.item().filter(|_| *is_due)?;
        let known = node
            .store()
            .admitted_under(&edition, &arrived.observation()?);
        // What cannot be looked up is found out in its turn.
        let incoming = matches!(known, Ok(None)).then_some(Incoming {
            observation,
            disclosure,
            readings,
        })?;
        Some(Ahead {
            found: verify(governance, from, incoming, at),
            under: Arc::clone(in_force.governance()),
            at,
        })
    });
    ahead.collect()
}
