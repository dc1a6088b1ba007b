//! Offering again what was sent: what a recipient did not take, and may take now because it says that its grounds have changed, gets a
//! further number in its outbox. The same disclosure goes, where it is still good; under another edition a new one.
//!
//! It must never offer what this node's own layers do not admit at that moment, nor what the recipient refused for good.
//! What they do not admit is kept back, and looked at again once something else is in force here.

use super::disclose::{Again, DisclosureContext, disclose, judge_again, judge_for};
use super::hand_over::HandOverError;
use super::observe::COMMIT_OBSERVATIONS_MAX;
use super::offering::Extent;
use crate::node::{Deciding, JudgedWrites, Node, Stands, Stored, stored};
use crate::randomness::Randomness;
use crate::store::{
    AskedFor, BoxKey, Outbox, StoreError, UNTAKEN_CODES_MAX, Write, own_acknowledgement,
    own_observation,
};
use ambit_ledger::{Body, Digest, DisclosureId, OfferedAgain, RefusalCode, Salt, Scope, Time};
use serde_bytes::ByteBuf;
use std::collections::BTreeMap;

/// Offers again what a recipient did not take with a code, up to a number, because it asks for that now. Returns how many
/// items; nothing where all of that was gone through before.
pub(crate) fn offer_again(
    node: &Node,
    outbox: &BoxKey,
    code: RefusalCode,
    upto: u64,
) -> Result<Option<u64>, HandOverError> {
    if !code.may_come_again() {
        return Ok(None);
    }
    let _alone = node.offering_again();
    let Some(state) = node.store().outbox(outbox) else {
        return Ok(None);
    };
    // Of what lies beyond, this node does not know yet that it was not taken.
    let known = state.acknowledged.map_or(0, |reach| reach.upto);
    let upto = upto.min(known);
    let before = state.asked_for.get(&code.number()).copied();
    // Whoever asks with codes that it never gave, or with more than there are, makes this node keep nothing.
    let is_known = before.is_some()
        || (state.untaken.contains_key(&code.number())
            && state.asked_for.len() < UNTAKEN_CODES_MAX);
    let before = before.unwrap_or_default();
    if !is_known || upto <= before.upto {
        return Ok(None);
    }
    let now = node.instant(crate::clock::now())?;
    let asked = AskedFor {
        upto,
        until: node.store().size(),
        ..before
    };
    let ask = AskedAgain {
        code,
        asked,
        before: before.upto,
    };
    let gone = go_through(node, outbox, ask, (Extent::All, now))?;
    node.notify();
    Ok(Some(gone.offered))
}

/// What is gone through.
#[derive(Clone, Copy, Debug)]
struct AskedAgain {
    code: RefusalCode,
    asked: AskedFor,
    /// Up to which number it was asked for before.
    before: u64,
}

/// How many items were offered again, and how many may not leave.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Gone {
    pub(super) offered: u64,
    pub(super) kept_back: u64,
}

/// Offers again what a recipient asked for and this node kept back at that time.
pub(super) fn offer_kept_back(
    node: &Node,
    outbox: &BoxKey,
    extent: Extent,
    now: Time,
) -> Result<Gone, StoreError> {
    let _alone = node.offering_again();
    let state = node.store().outbox(outbox);
    let asked = state.map(|state| state.asked_for).unwrap_or_default();
    let mut all = Gone::default();
    for (number, asked) in asked.into_iter().filter(|(_, asked)| asked.kept_back > 0) {
        let ask = AskedAgain {
            code: number.into(),
            asked,
            before: asked.upto,
        };
        let gone = go_through(node, outbox, ask, (extent, now))?;
        all.offered += gone.offered;
        all.kept_back += gone.kept_back;
    }
    Ok(all)
}

/// Judges what the acknowledgements of a stretch say was not taken, as far as it is asked for, and offers what may leave.
fn go_through(
    node: &Node,
    outbox: &BoxKey,
    AskedAgain {
        code,
        asked,
        before,
    }: AskedAgain,
    (extent, now): (Extent, Time),
) -> Result<Gone, StoreError> {
    let state = node.store().outbox(outbox);
    let incarnation = state.as_ref().and_then(Outbox::incarnation);
    let since = state.and_then(|state| state.asked_for.get(&code.number()).copied());
    let stated = stated(node, outbox, code, asked, incarnation)?;
    let is_asked_for = |seq: u64| seq <= asked.upto;
    let wanted = stated.iter().filter(|(seq, _)| is_asked_for(**seq));
    let wanted: Vec<_> = wanted.collect();
    let mut offered = 0;
    let is_dry_run = extent == Extent::DryRun;
    // What it did not take and does not ask for yet stays to be found.
    let beyond = stated.iter().filter(|(seq, _)| !is_asked_for(**seq));
    let beyond = beyond.map(|(_, index)| *index).min();
    let mut rest = AskedFor {
        from: beyond.unwrap_or(asked.until),
        kept_back: 0,
        ..asked
    };
    for some in wanted.chunks(COMMIT_OBSERVATIONS_MAX) {
        // Others may observe, and change what is in force, between one commit and the next.
        let in_force = node.releasing();
        let _alone = node.outbox_alone(outbox);
        let now = now.max(in_force.since());
        let mut deciding = in_force.deciding();
        let mut judged = in_force.nothing_judged();
        for (seq, index) in some {
            let item = stored(node, outbox, **seq)?;
            if !is_due(node, outbox, **seq, code, &item)? {
                continue;
            }
            let offer = offer(&mut deciding, &item, now)?;
            // Recorded whatever comes of it: what is decided after it may refer to it.
            judged.extend(offer.decisions);
            match offer.again {
                Some(again) => {
                    offered += 1;
                    judged.push(Write::OfferedAgain {
                        outbox: *outbox,
                        offer: again,
                    });
                }
                None => {
                    rest.kept_back += 1;
                    rest.from = rest.from.min(**index);
                }
            }
        }
        if !is_dry_run {
            // Of what has a further number already, or was taken back, there is nothing to record.
            if !judged.is_empty() {
                in_force.commit(now, judged)?;
            }
            deciding.keep();
        }
    }
    let gone = Gone {
        offered,
        kept_back: rest.kept_back,
    };
    if is_dry_run {
        return Ok(gone);
    }
    let _alone = node.outbox_alone(outbox);
    let state = node.store().outbox(outbox);
    // A recipient that lost its store meanwhile says of everything again whether it takes it.
    let Some(state) = state.filter(|state| state.incarnation() == incarnation) else {
        return Ok(gone);
    };
    // Last: where this does not come to the disk, all of it is looked at again, and what has a further number is passed over.
    let done = Write::AskedFor {
        outbox: *outbox,
        code: code.number(),
        asked: rest.with_more(since, state.asked_for.get(&code.number())),
        newly: newly(&stated, before, asked.upto),
    };
    node.store().commit(node.commit_of(now, vec![done]))?;
    Ok(gone)
}

/// How many numbers are asked for that were not before.
fn newly(stated: &BTreeMap<u64, u64>, before: u64, upto: u64) -> u64 {
    let newly = stated.keys().filter(|seq| **seq > before && **seq <= upto);
    newly.fold(0, |count, _| count + 1)
}

/// The numbers that a stretch of acknowledgements says were not taken with a code, and by which entry each is first known.
fn stated(
    node: &Node,
    outbox: &BoxKey,
    code: RefusalCode,
    asked: AskedFor,
    incarnation: Option<Salt>,
) -> Result<BTreeMap<u64, u64>, StoreError> {
    let store = node.store();
    let mut stated = BTreeMap::new();
    for index in store.untaken(outbox, code.number(), asked.from..asked.until)? {
        for seq in untaken_in(node, index, code, incarnation)? {
            stated.entry(seq).or_insert(index);
        }
    }
    Ok(stated)
}

/// Whether a number is still the last under which something is in the outbox, and the recipient's store of now says that
/// it did not take it with that code, nor took it under another number.
fn is_due(
    node: &Node,
    outbox: &BoxKey,
    seq: u64,
    code: RefusalCode,
    item: &Stored,
) -> Result<bool, StoreError> {
    let store = node.store();
    let Some(stands) = Stands::now(store, &item.disclosure.observation, outbox)? else {
        return Ok(false);
    };
    let answered = stands.answered(store, outbox)?;
    Ok(answered.is_some_and(|(number, answer)| {
        number == seq && answer.is_some_and(|answer| answer.code == Some(code))
    }))
}

/// The numbers that the acknowledgement of an entry says were not taken with a code; of none, where it is by a store that
/// the recipient has lost since.
fn untaken_in(
    node: &Node,
    index: u64,
    code: RefusalCode,
    incarnation: Option<Salt>,
) -> Result<Vec<u64>, StoreError> {
    let recorded = node.store().entry(index)?;
    let Some(Body::Acknowledged(acknowledged)) = recorded.map(|recorded| recorded.body) else {
        return Err(StoreError::Damaged("an acknowledgement is missing"));
    };
    let stated = own_acknowledgement(&acknowledged.acknowledgement)?;
    if incarnation != Some(stated.incarnation) {
        return Ok(Vec::new());
    }
    let with_code = stated.not_taken().filter(|item| item.code == code);
    Ok(with_code.map(|item| item.seq).collect())
}

/// What comes of offering one disclosure again.
struct Reoffered<'g> {
    /// What was decided, to be committed before anything refers to it.
    decisions: JudgedWrites<'g>,
    /// The entry; absent where it may not leave now.
    again: Option<OfferedAgain>,
}

fn offer<'g>(
    deciding: &mut Deciding<'g>,
    item: &Stored,
    now: Time,
) -> Result<Reoffered<'g>, StoreError> {
    let in_force = deciding.in_force();
    let node = in_force.node();
    let disclosure = &item.disclosure;
    let kept_back = |decisions| {
        Ok(Reoffered {
            decisions,
            again: None,
        })
    };
    let to = in_force.counterpart(&disclosure.partnership, &disclosure.recipient);
    let Some(to) = to.filter(|to| to.partnership().is_judged(now)) else {
        return kept_back(in_force.nothing_judged());
    };
    let (_, observation) = item.observation(node)?;
    let observation = own_observation(&observation)?;
    let facts = observation.facts();
    let mut decisions = in_force.nothing_judged();
    let released = judge_for(deciding, to, facts, now)?;
    let is_same_edition = to.partnership().edition() == disclosure.edition;
    let is_for_the_same = |scope: &Scope| scope.purposes == disclosure.scope.purposes;
    // For the same purposes the same disclosure goes again, where it still may.
    if is_same_edition && released.scope.as_ref().is_none_or(is_for_the_same) {
        let number = (item.id(), item.first_seq);
        decisions.extend(released.into_judged(in_force));
        return match judge_again(deciding, disclosure, facts, number, now)? {
            Again::Leaves { decision, judged } => {
                decisions.extend(judged);
                Ok(Reoffered {
                    decisions,
                    again: Some(item.offered(decision, None)),
                })
            }
            // The number that it has was settled, so there is nothing to take back.
            Again::TakenBack { judged, .. } => {
                decisions.extend(judged);
                kept_back(decisions)
            }
        };
    }
    let context = DisclosureContext {
        discloser: in_force.organization(),
        key: &node.keys().statement,
        salt: Randomness::default().salt()?,
        now,
    };
    match disclose(released, to, disclosure.observation, &context)? {
        Ok(new) => {
            decisions.extend(new.judged);
            Ok(Reoffered {
                decisions,
                again: Some(item.offered(new.decision, Some(ByteBuf::from(new.statement)))),
            })
        }
        Err(judgement) => {
            if let Some(judgement) = judgement {
                decisions.extend(judgement.judged);
            }
            kept_back(decisions)
        }
    }
}

impl Stored {
    fn id(&self) -> DisclosureId {
        DisclosureId::of(&self.statement)
    }

    /// The entry that offers it again, by its own disclosure or by a new one.
    fn offered(&self, decision: Digest, disclosure: Option<ByteBuf>) -> OfferedAgain {
        OfferedAgain {
            first: self.id(),
            first_seq: self.first_seq,
            disclosure,
            partnership: self.disclosure.partnership.clone(),
            recipient: self.disclosure.recipient.clone(),
            // Given at the commit.
            seq: 0,
            decision,
        }
    }
}
