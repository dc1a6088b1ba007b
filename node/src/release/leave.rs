//! Leaving: what an outbox's numbers carry, loaded for its link. An item is judged again before it is handed over, and
//! taken back where it may no longer leave.

use super::disclose::{Again, judge_again};
use crate::clock::ClockError;
use crate::link::Outgoing;
use crate::node::Node;
use crate::store::{BoxKey, StoreError, Write, own_disclosure, own_observation};
use ambit_ledger::{Body, Disclosure, DisclosureId, ItemBody, ObservationId};

/// An item cannot be judged again, or loaded.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LeaveError {
    /// The clock cannot be believed.
    #[error(transparent)]
    Clock(#[from] ClockError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

struct Stored {
    disclosure: Disclosure,
    statement: Vec<u8>,
}

fn stored(node: &Node, outbox: &BoxKey, seq: u64) -> Result<Stored, StoreError> {
    let missing = StoreError::Damaged("an item of an outbox is missing");
    let Some(index) = node.store().outbox_item(outbox, seq)? else {
        return Err(missing);
    };
    match node.store().entry(index)?.map(|recorded| recorded.body) {
        Some(Body::Disclosed(disclosed)) => Ok(Stored {
            disclosure: own_disclosure(&disclosed.disclosure)?,
            statement: disclosed.disclosure.into_vec(),
        }),
        _ => Err(missing),
    }
}

/// What these sequence numbers carried.
pub(crate) fn bodies(
    node: &Node,
    outbox: &BoxKey,
    from: u64,
    upto: u64,
) -> Result<Vec<ItemBody>, StoreError> {
    (from..=upto)
        .map(|seq| {
            if node.store().withdrawn(outbox, seq)?.is_some() {
                return Ok(ItemBody::Tombstone);
            }
            let stored = stored(node, outbox, seq)?;
            Ok(ItemBody::Item {
                observation: stored.disclosure.observation,
                disclosure: DisclosureId::of(&stored.statement),
            })
        })
        .collect()
}

/// Judges an item again and loads it; one that may no longer leave is taken back first.
pub(crate) fn outgoing(node: &Node, outbox: &BoxKey, seq: u64) -> Result<Outgoing, LeaveError> {
    if node.store().withdrawn(outbox, seq)?.is_some() {
        return Ok(Outgoing::Tombstone);
    }
    let Stored {
        disclosure,
        statement,
    } = stored(node, outbox, seq)?;
    let id: ObservationId = disclosure.observation;
    let missing = StoreError::Damaged("a disclosed observation is missing");
    let Some(index) = node.store().observation(&id)? else {
        return Err(missing.into());
    };
    let observation = match node.store().entry(index)?.map(|recorded| recorded.body) {
        Some(Body::Observed(observed)) => observed.observation.into_vec(),
        _ => return Err(missing.into()),
    };
    let facts = own_observation(&observation)?;
    let now = node.instant(crate::clock::now())?;
    let in_force = node.judging();
    let mut deciding = in_force.deciding();
    let again = judge_again(
        &mut deciding,
        &disclosure,
        facts.facts(),
        (DisclosureId::of(&statement), seq),
        now,
    )?;
    match again {
        Again::TakenBack(mut judged) => {
            // It may be released again when something else is in force.
            judged.push(Write::Offered {
                outbox: *outbox,
                upto: 0,
            });
            in_force.commit(now, judged)?;
            deciding.keep();
            Ok(Outgoing::Tombstone)
        }
        Again::Leaves(judged) => {
            if !judged.is_empty() {
                in_force.commit(now, judged)?;
            }
            deciding.keep();
            Ok(Outgoing::Item {
                readings: node.store().readings(index, &id)?,
                observation,
                disclosure: statement,
            })
        }
    }
}
