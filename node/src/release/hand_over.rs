//! Handing over: what an outbox's numbers carry, loaded for its link. An item is judged again before, and taken back where
//! it may no longer leave.

use super::disclose::{Again, judge_again};
use super::run::{Moment, Releases};
use crate::clock::ClockError;
use crate::link::Outgoing;
use crate::node::{Node, standing_number};
use crate::store::{BoxKey, StoreError, Write, own_disclosure, own_observation};
use ambit_ledger::{Body, Disclosure, DisclosureId, ItemBody, OfferedAgain, Verdict};

/// An item cannot be judged again, or loaded.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HandOverError {
    /// The clock cannot be believed.
    #[error(transparent)]
    Clock(#[from] ClockError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a number of an outbox carries.
pub(super) struct Stored {
    pub(super) disclosure: Disclosure,
    pub(super) statement: Vec<u8>,
    /// The number under which this very disclosure was put there.
    pub(super) first_seq: u64,
}

impl Stored {
    /// The observation that is disclosed: its entry and its statement.
    pub(super) fn observation(&self, node: &Node) -> Result<(u64, Vec<u8>), StoreError> {
        let missing = StoreError::Damaged("a disclosed observation is missing");
        let Some(index) = node.store().observation(&self.disclosure.observation)? else {
            return Err(missing);
        };
        match node.store().entry(index)?.map(|recorded| recorded.body) {
            Some(Body::Observed(observed)) => Ok((index, observed.observation.into_vec())),
            _ => Err(missing),
        }
    }
}

pub(super) fn stored(node: &Node, outbox: &BoxKey, seq: u64) -> Result<Stored, StoreError> {
    let missing = StoreError::Damaged("an item of an outbox is missing");
    let body = |seq| -> Result<_, StoreError> {
        let index = node.store().outbox_item(outbox, seq)?;
        let recorded = index.map(|index| node.store().entry(index)).transpose()?;
        Ok(recorded.flatten().map(|recorded| recorded.body))
    };
    let (statement, first_seq) = match body(seq)? {
        Some(Body::Disclosed(disclosed)) => (disclosed.disclosure, seq),
        Some(Body::OfferedAgain(OfferedAgain {
            disclosure: Some(statement),
            ..
        })) => (statement, seq),
        Some(Body::OfferedAgain(offer)) => match body(offer.first_seq)? {
            Some(Body::Disclosed(disclosed)) => (disclosed.disclosure, offer.first_seq),
            Some(Body::OfferedAgain(OfferedAgain {
                disclosure: Some(statement),
                ..
            })) => (statement, offer.first_seq),
            _ => return Err(missing),
        },
        _ => return Err(missing),
    };
    Ok(Stored {
        disclosure: own_disclosure(&statement)?,
        statement: statement.into_vec(),
        first_seq,
    })
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
pub(crate) fn outgoing(node: &Node, outbox: &BoxKey, seq: u64) -> Result<Outgoing, HandOverError> {
    if node.store().withdrawn(outbox, seq)?.is_some() {
        return Ok(Outgoing::Tombstone);
    }
    let stored = stored(node, outbox, seq)?;
    let (index, observation) = stored.observation(node)?;
    let Stored {
        disclosure,
        statement,
        first_seq,
    } = stored;
    let facts = own_observation(&observation)?;
    let in_force = node.judging();
    // By the clock once that is in force: nothing is judged at an instant before it.
    let now = node.instant(crate::clock::now())?;
    let mut deciding = in_force.deciding();
    let again = judge_again(
        &mut deciding,
        &disclosure,
        facts.facts(),
        (DisclosureId::of(&statement), seq),
        now,
    )?;
    match again {
        Again::TakenBack {
            mut judged,
            withdrawn,
        } => {
            judged.push(Write::Entry(Body::Withdrawn(withdrawn)));
            // It may be released again when something else is in force.
            judged.push(Write::Offered {
                outbox: *outbox,
                upto: 0,
            });
            // What is admissible for fewer purposes than before goes for those, under a further number.
            let mut releases = Releases::begin(&in_force, Moment::of(now));
            let to = in_force.counterpart(&disclosure.partnership, &disclosure.recipient);
            let to = to.filter(|to| to.partnership().is_judged(now));
            // Not of one that was offered again: it may be held there by another number than this one.
            let observation = &disclosure.observation;
            let is_standing = standing_number(node.store(), observation, outbox)? == Some(seq);
            let to = to.filter(|_| is_standing && seq == first_seq);
            let mut is_released = false;
            if let Some(to) = to {
                let released = releases.judge(to, facts.facts())?;
                if released.verdict == Verdict::Admissible {
                    judged.extend(releases.judged(released, to, disclosure.observation)?);
                    is_released = true;
                }
            }
            // By the clock once that is signed: an entry is not older than what it records.
            in_force.commit(releases.passed(), judged)?;
            deciding.keep();
            if is_released {
                releases.keep();
                node.notify();
            }
            Ok(Outgoing::Tombstone)
        }
        Again::Leaves { judged, .. } => {
            if !judged.is_empty() {
                in_force.commit(now, judged)?;
            }
            deciding.keep();
            Ok(Outgoing::Item {
                readings: node.store().readings(index, &disclosure.observation)?,
                observation,
                disclosure: statement,
                // Only the owner discloses yet, and every member has what checks its disclosures.
                evidence: Vec::new(),
            })
        }
    }
}
