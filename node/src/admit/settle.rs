//! What waits on an inbound link is judged and committed here, off the async threads: all of it under one set
//! of layers, in one commit.

use super::ahead::Ahead;
use super::item::{Admission, Incoming, admit, verify};
use crate::link::{Brought, IncomingItem, Receiver};
use crate::node::{Deciding, JudgedWrites, Node};
use crate::partnership::{Governance, Partnership};
use crate::store::{StoreError, Write};
use ambit_ledger::{
    Body, Digest, ObservationId, OrganizationId, Outcome, PartnershipId, RefusalCode, Refused,
    SetAside, Time,
};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// How many digests an entry about refusals names; the rest are counted.
const REFUSED_DIGESTS_MAX: usize = 16;

#[derive(Clone, Debug)]
pub(crate) enum Waiting {
    /// With what was found of it before its turn.
    Item(IncomingItem, Option<Box<Ahead>>),
    Tombstone,
}

impl Waiting {
    /// What of it is counted of what its sender may bring.
    fn bytes(&self) -> u64 {
        let Self::Item(item, _) = self else {
            return 0;
        };
        let parts = [&item.observation, &item.disclosure, &item.readings];
        parts.map(|part| part.len() as u64).into_iter().sum()
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Refusals {
    count: u64,
    digests: Vec<Digest>,
}

impl Refusals {
    pub(crate) fn add(&mut self, digest: Digest) {
        self.merge(Self {
            count: 1,
            digests: vec![digest],
        });
    }

    pub(crate) fn merge(&mut self, more: Self) {
        self.count = self.count.saturating_add(more.count);
        let free = REFUSED_DIGESTS_MAX.saturating_sub(self.digests.len());
        self.digests.extend(more.digests.into_iter().take(free));
    }
}

pub(crate) fn refusal_writes(
    refused: BTreeMap<RefusalCode, Refusals>,
    from: &OrganizationId,
    partnership: &PartnershipId,
) -> Vec<Write> {
    refused
        .into_iter()
        .map(|(code, Refusals { count, digests })| {
            let (sender, partnership) = (from.clone(), partnership.clone());
            Write::Entry(if code.is_set_aside() {
                Body::SetAside(SetAside {
                    sender,
                    partnership,
                    code,
                    count,
                    digests,
                })
            } else {
                Body::Refused(Refused {
                    sender,
                    partnership,
                    code,
                    count,
                    digests,
                })
            })
        })
        .collect()
}

/// What waits on a link, while it is judged and committed off the async threads.
pub(crate) struct Settling {
    pub(crate) node: Arc<Node>,
    pub(crate) partnership: PartnershipId,
    pub(crate) from: OrganizationId,
    pub(crate) waiting: VecDeque<Waiting>,
    pub(crate) refused: BTreeMap<RefusalCode, Refusals>,
    pub(crate) machine: Receiver,
}

/// What is left once that is done.
pub(crate) struct Settled {
    pub(crate) waiting: VecDeque<Waiting>,
    pub(crate) refused: BTreeMap<RefusalCode, Refusals>,
    pub(crate) machine: Receiver,
    /// The last number that was committed; absent where nothing was.
    pub(crate) cursor: Option<u64>,
}

impl Settling {
    pub(crate) fn settle(mut self) -> Result<Settled, StoreError> {
        let node = Arc::clone(&self.node);
        // What is judged under one set of layers is committed before another comes into force.
        let in_force = node.judging();
        let mut deciding = in_force.deciding();
        let Ok(now) = node.instant(crate::clock::now()) else {
            // What waits keeps waiting, and no credit is given for it.
            return Ok(Settled {
                waiting: self.waiting,
                refused: self.refused,
                machine: self.machine,
                cursor: None,
            });
        };
        let (outcomes, mut judged) = self.judge(&mut deciding, now)?;
        let mut inbox = None;
        let mut brought = Brought {
            classes: deciding.made() as u64,
            ..Brought::default()
        };
        for (outcome, until) in outcomes {
            let item = self.waiting.pop_front();
            brought.observations += 1;
            brought.bytes += item.as_ref().map_or(0, Waiting::bytes);
            if let (
                Outcome::Refused(code) | Outcome::SetAside(code),
                Some(Waiting::Item(item, _)),
            ) = (outcome, &item)
            {
                tracing::debug!(seq = item.seq, %code, from = %self.from, "did not take an item");
                let refusals = self.refused.entry(code).or_default();
                refusals.add(item.body.digest());
            }
            match self.machine.resolve_until(outcome, until) {
                Ok(resolved) => inbox = Some(resolved),
                Err(error) => tracing::error!(%error, "an outcome has no item"),
            }
        }
        let cursor = inbox.as_ref().map(|inbox| inbox.cursor);
        if let Some(mut inbox) = inbox {
            inbox.brought = Some(self.machine.count(brought, now));
            // What was refused is recorded apart, with what other links of the peer refuse: an entry for each would let
            // a peer fill the ledger.
            judged.push(Write::Inbox(inbox));
            in_force.commit(now, judged)?;
            deciding.keep();
            if let Some(why) = node.holds_back(Some(self.machine.inbox()), now) {
                tracing::warn!(from = %self.from, partnership = %self.partnership, "takes no more for now: {why}");
                self.machine.pause();
            }
        }
        Ok(Settled {
            waiting: self.waiting,
            refused: self.refused,
            machine: self.machine,
            cursor,
        })
    }

    fn judge<'g>(
        &mut self,
        deciding: &mut Deciding<'g>,
        now: Time,
    ) -> Result<(Vec<Answered>, JudgedWrites<'g>), StoreError> {
        let in_force = deciding.in_force();
        let mut outcomes = Vec::new();
        let mut judged = in_force.nothing_judged();
        let Some(from) = in_force.counterpart(&self.partnership, &self.from) else {
            return Ok((outcomes, judged));
        };
        // What was taken in under this edition is not taken in again, whatever else is said of it now.
        let edition = from.partnership().edition();
        let store = in_force.node().store();
        let mut taken = BTreeSet::new();
        for waiting in &mut self.waiting {
            let Waiting::Item(item, ahead) = waiting else {
                outcomes.push((Outcome::Noted, None));
                continue;
            };
            let id = ObservationId::of(&item.observation);
            if store.admitted_under(&edition, &id)?.is_some() {
                outcomes.push((Outcome::Refused(RefusalCode::Duplicate), None));
                continue;
            }
            // Ahead of its turn, where that still holds, or now.
            let ahead = ahead.take().filter(|ahead| ahead.holds(in_force, now));
            let found = match ahead {
                Some(ahead) => ahead.found,
                None => verify(in_force, from, incoming(item), now),
            };
            let verified = match found {
                Ok(verified) => verified,
                Err(code) => {
                    outcomes.push((Outcome::not_taken(code), None));
                    continue;
                }
            };
            // Before it is judged: what is decided for an item counts only with what is committed for it.
            if taken.contains(&id) {
                outcomes.push((Outcome::Refused(RefusalCode::Duplicate), None));
                continue;
            }
            match admit(deciding, from, (item.seq, incoming(item), verified), now)? {
                Admission::Admit(more) => {
                    taken.insert(id);
                    judged.extend(more);
                    outcomes.push((Outcome::Admitted, None));
                }
                Admission::Refuse(code, until) | Admission::SetAside(code, until) => {
                    outcomes.push((Outcome::not_taken(code), until));
                }
            }
        }
        Ok((outcomes, judged))
    }
}

fn incoming(item: &IncomingItem) -> Incoming<'_> {
    Incoming {
        observation: &item.observation,
        disclosure: &item.disclosure,
        readings: &item.readings,
    }
}

/// What became of an item, and until when that is true where it ends.
type Answered = (Outcome, Option<Time>);

/// Names what this node judges by under an agreement: its layers, what is attested, the edition, the program itself. What
/// was not taken on other grounds may be taken now.
pub(crate) fn grounds(governance: &Governance, partnership: &Partnership) -> Digest {
    let since = governance.in_force_since(partnership);
    Digest::of_parts(&[
        partnership.layers().digest().as_bytes(),
        &since.to_be_bytes(),
        partnership.edition().as_bytes(),
        env!("CARGO_PKG_VERSION").as_bytes(),
    ])
}
