//! Handing over: what an outbox's numbers carry, loaded for its link. An item is judged again before, and taken back where
//! it may no longer leave.

use super::disclose::{Again, judge_again};
use super::run::{Moment, Releases};
use crate::clock::ClockError;
use crate::link::{AcknowledgementReach, Outgoing};
use crate::node::{Answer, InForce, JudgedWrites, Node, Stands, Stored, stored};
use crate::store::{BoxKey, StoreError, Write, own_observation};
use ambit_ledger::{
    Body, Chain, Disclosure, DisclosureId, Facts, ItemBody, Salt, Time, Verdict, Withdrawn,
};
use std::collections::BTreeMap;

/// About how many bytes of items are loaded together at most.
const LOADED_BYTES_MAX: usize = 256 * 1024;

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

/// The recipient's store, where it is another one than the one that acknowledged last; and whether it reads packed readings.
type To = (Option<Salt>, bool);

/// Judges so many items from a number on again and loads them, fewer where that is much, or one of them cannot be loaded. One that
/// may no longer leave is taken back first.
pub(crate) fn outgoing_some(
    node: &Node,
    outbox: &BoxKey,
    (seq, count): (u64, u64),
    to: To,
) -> Result<(Outgoing, Vec<Outgoing>), HandOverError> {
    let first = outgoing(node, outbox, seq, to)?;
    let mut bytes = bytes_of(&first);
    let mut rest = Vec::new();
    for seq in (seq + 1..).take(usize::try_from(count.saturating_sub(1)).unwrap_or(0)) {
        if bytes >= LOADED_BYTES_MAX {
            break;
        }
        // What cannot be loaded is asked for once more when its turn comes.
        let Ok(item) = outgoing(node, outbox, seq, to) else {
            break;
        };
        bytes += bytes_of(&item);
        rest.push(item);
    }
    Ok((first, rest))
}

fn bytes_of(outgoing: &Outgoing) -> usize {
    match outgoing {
        Outgoing::Item {
            observation,
            disclosure,
            readings,
            ..
        } => observation.len() + disclosure.len() + readings.len(),
        Outgoing::Tombstone => 0,
    }
}

/// Judges an item again and loads it.
fn outgoing(
    node: &Node,
    outbox: &BoxKey,
    seq: u64,
    (new_store, is_packed): To,
) -> Result<Outgoing, HandOverError> {
    if node.store().withdrawn(outbox, seq)?.is_some() {
        return Ok(Outgoing::Tombstone);
    }
    let stored = stored(node, outbox, seq)?;
    let (index, observation) = stored.observation(node)?;
    let Stored {
        disclosure,
        statement,
        ..
    } = stored;
    let facts = own_observation(&observation)?;
    let in_force = node.judging();
    let _alone = node.outbox_alone(outbox);
    // By another link to the same recipient, which just ended.
    if node.store().withdrawn(outbox, seq)?.is_some() {
        return Ok(Outgoing::Tombstone);
    }
    // By the clock once that is in force: nothing is judged at an instant before it.
    let now = node.instant(crate::clock::now())?;
    let mut deciding = in_force.deciding();
    let id = DisclosureId::of(&statement);
    match judge_again(&mut deciding, &disclosure, facts.facts(), (id, seq), now)? {
        Again::TakenBack { judged, withdrawn } => {
            let taken_back = TakenBack {
                in_force: &in_force,
                outbox,
                disclosure: &disclosure,
                facts: facts.facts(),
                seq,
                new_store,
            };
            taken_back.commit(judged, withdrawn, now)?;
            deciding.keep();
            Ok(Outgoing::Tombstone)
        }
        Again::Leaves { judged, .. } => {
            if !judged.is_empty() {
                in_force.commit(now, judged)?;
            }
            deciding.keep();
            let (store, id) = (node.store(), &disclosure.observation);
            Ok(Outgoing::Item {
                readings: if is_packed {
                    store.packed_readings(index, id)?
                } else {
                    store.readings(index, id)?
                },
                is_packed,
                observation,
                disclosure: statement,
                // Only the owner discloses yet, and every member has what checks its disclosures.
                evidence: Vec::new(),
            })
        }
    }
}

/// An item that may not leave under its number.
struct TakenBack<'a> {
    in_force: &'a InForce<'a>,
    outbox: &'a BoxKey,
    disclosure: &'a Disclosure,
    facts: &'a Facts,
    seq: u64,
    new_store: Option<Salt>,
}

impl<'a> TakenBack<'a> {
    /// Records that it is taken back. Where it is in the outbox under no other number, it goes for those purposes that it is
    /// still admissible for, or may be released again when something else is in force.
    fn commit(
        &self,
        mut judged: JudgedWrites<'a>,
        withdrawn: Withdrawn,
        now: Time,
    ) -> Result<(), StoreError> {
        let node = self.in_force.node();
        judged.push(Write::Entry(Body::Withdrawn(withdrawn)));
        let started_over = self.start_over();
        // What its old store answered does not go for a new one.
        let is_of_now = started_over.is_empty();
        judged.extend(started_over);
        let mut releases = Releases::begin(self.in_force, Moment::of(now));
        let observation = &self.disclosure.observation;
        let stands = Stands::now(node.store(), observation, self.outbox)?;
        let mut others = stands.map_or_else(Vec::new, |stands| stands.numbers);
        others.retain(|seq| *seq != self.seq);
        let mut is_released = false;
        if others.is_empty() {
            judged.push(Write::Offered {
                outbox: *self.outbox,
                upto: 0,
            });
            let disclosure = self.disclosure;
            let to = self
                .in_force
                .counterpart(&disclosure.partnership, &disclosure.recipient);
            if let Some(to) = to.filter(|to| to.partnership().is_judged(now)) {
                let released = releases.judge(to, self.facts)?;
                if released.verdict == Verdict::Admissible {
                    judged.extend(releases.judged(released, to, *observation)?);
                    is_released = true;
                }
            }
        } else if is_of_now {
            judged.extend(self.keep_back(&others)?);
        }
        // By the clock once that is signed: an entry is not older than what it records.
        self.in_force.commit(releases.passed(), judged)?;
        if is_released {
            releases.keep();
            node.notify();
        }
        Ok(())
    }

    /// What the recipient acknowledged is taken back for its new store alone: from now on nothing goes on with the old one,
    /// which may have it. Its chain is another by that.
    fn start_over(&self) -> JudgedWrites<'a> {
        let mut writes = self.in_force.nothing_judged();
        let state = self.in_force.node().store().outbox(self.outbox);
        let acknowledged = state.and_then(|state| state.acknowledged);
        if let (Some(acknowledged), Some(incarnation)) = (acknowledged, self.new_store)
            && acknowledged.incarnation != incarnation
            && self.seq <= acknowledged.upto
        {
            let Disclosure {
                partnership,
                discloser,
                recipient,
                ..
            } = self.disclosure;
            let start = Chain::start(partnership, discloser, recipient, &incarnation).digest();
            writes.push(Write::OutboxAcknowledged {
                outbox: *self.outbox,
                upto: AcknowledgementReach {
                    incarnation,
                    upto: 0,
                    bodies: start,
                    outcomes: start,
                },
                at: None,
                untaken: BTreeMap::new(),
            });
        }
        writes
    }

    /// What its recipient asked for under an earlier number, and is offered under no further one any more, is kept back: it is
    /// looked at once something else is in force.
    fn keep_back(&self, others: &[u64]) -> Result<JudgedWrites<'a>, StoreError> {
        let store = self.in_force.node().store();
        let mut writes = self.in_force.nothing_judged();
        let Some((seq, Some(answer))) = Answer::to_any(store, self.outbox, others)? else {
            return Ok(writes);
        };
        let code = answer.code.filter(|code| code.may_come_again());
        let state = store.outbox(self.outbox);
        if let Some(code) = code
            && let Some(asked) =
                state.and_then(|state| state.asked_for.get(&code.number()).copied())
            && seq <= asked.upto
        {
            writes.push(Write::AskedFor {
                outbox: *self.outbox,
                code: code.number(),
                asked: asked.with_kept_back(answer.entry),
                newly: 0,
            });
        }
        Ok(writes)
    }
}
