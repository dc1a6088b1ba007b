//! Verifying what a link brings while what came before it is still judged and committed: most of the work of taking it in.

use super::item::{Incoming, Verified, verify};
use crate::link::Arrived;
use crate::node::{Counterpart, InForce, Node};
use crate::partnership::Governance;
use ambit_ledger::{OrganizationId, PartnershipId, RefusalCode, Time};
use std::sync::Arc;

/// So few items are verified one after another: a thread costs as much as some of them.
const ALONE_MAX: usize = 8;
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
    arrived: &[Arrived],
    mut is_due: impl FnMut(u64) -> bool,
) -> Vec<Option<Ahead>> {
    // Whatever is found of it: the numbers are counted.
    let due: Vec<bool> = arrived
        .iter()
        .map(|arrived| arrived.number().is_some_and(&mut is_due))
        .collect();
    let in_force = node.judging();
    let from = in_force.counterpart(partnership, from);
    let (Some(from), Ok(at)) = (from, node.instant(crate::clock::now())) else {
        return arrived.iter().map(|_| None).collect();
    };
    let edition = from.partnership().edition();
    let items = arrived.iter().zip(due).map(|(arrived, is_due)| {
        let (observation, disclosure, readings) = arrived.item().filter(|_| is_due)?;
        let known = node
            .store()
            .admitted_under(&edition, &arrived.observation()?);
        // What cannot be looked up is found out in its turn.
        matches!(known, Ok(None)).then_some(Incoming {
            observation,
            disclosure,
            readings,
        })
    });
    let items: Vec<_> = items.collect();
    let found = verify_all(&items, &in_force, from, at).into_iter();
    let ahead = |found| Ahead {
        found,
        under: Arc::clone(in_force.governance()),
        at,
    };
    found.map(|found| found.map(ahead)).collect()
}

/// Verifies those that are there, on two threads where they are many.
pub(super) fn verify_all(
    items: &[Option<Incoming<'_>>],
    in_force: &InForce<'_>,
    from: Counterpart<'_>,
    now: Time,
) -> Vec<Option<Result<Verified, RefusalCode>>> {
    let governance: &Governance = in_force;
    let some = |items: &[Option<Incoming<'_>>]| -> Vec<_> {
        let verify = |item: &Incoming<'_>| verify(governance, from, *item, now);
        items.iter().map(|item| item.as_ref().map(verify)).collect()
    };
    if items.iter().flatten().count() < ALONE_MAX {
        return some(items);
    }
    let (first, second) = items.split_at(items.len() / 2);
    std::thread::scope(|scope| {
        let other = scope.spawn(|| some(second));
        let mut found = some(first);
        match other.join() {
            Ok(more) => found.extend(more),
            Err(panic) => std::panic::resume_unwind(panic),
        }
        found
    })
}
