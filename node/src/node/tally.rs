//! What is held and what became of it for others, counted as it is now. Entries never change, so each is read once, and
//! what was counted before is kept while the node is open, and from time to time in the store.
//!
//! Nothing is kept of a single observation and recipient: the store knows what was said of the two before an entry, and
//! that is taken off again when the entry is counted.

use super::Node;
use super::outcome::{Answer, Became, Outcome, Stands};
use crate::link::{Inbox, UNACKNOWLEDGED_ITEMS_MAX};
use crate::store::{BoxKey, Outbox, Store, StoreError, own_acknowledgement, own_observation};
use ambit_ledger::{
    Acknowledgement, Body, Decision, Digest, Layer, Observation, OrganizationId, PartnershipId,
    RefusalCode, Salt,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::time::{Duration, Instant};

/// What is held of one origin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// Observations.
    pub observations: u64,
    /// Readings in them.
    pub readings: u64,
}

/// After how many more entries what was counted is kept in the store: counting so many takes no time that anybody notices.
const KEPT_EVERY: u64 = 10_000;
/// How many entries are counted while nobody asks until somebody may: some hundredths of a second.
const COUNTED_AT_ONCE_MAX: u64 = 4_096;
/// How many are counted at one look: no more of a processor than a fifth, where a look is had every second, and more entries
/// than can be observed in one.
const COUNTED_A_LOOK_MAX: u64 = 8 * COUNTED_AT_ONCE_MAX;
/// How often whoever waits is told how far it is.
const TOLD_EVERY: Duration = Duration::from_secs(5);
/// More than any ledger makes of it.
const KEPT_BYTES_MAX: usize = 64 * 1024 * 1024;
/// What is kept was counted by the rules of this number; what was counted by others is counted again.
const RULES: u32 = 1;

/// The counts up to an entry.
#[derive(Debug, Default)]
pub struct Tally {
    counts: Counts,
    /// Up to which entry what is kept in the store counts; absent before it was looked for.
    kept_upto: Option<u64>,
    /// One decision serves a whole class: it is read once, however many it withholds.
    withholding: BTreeMap<Digest, Vec<Layer>>,
}

/// What is counted.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Counts {
    rules: u32,
    upto: u64,
    held: BTreeMap<OrganizationId, Held>,
    outgoing: BTreeMap<BoxKey, Outgoing>,
    /// What this node refused, by who sent it.
    refused: BTreeMap<BoxKey, BTreeMap<RefusalCode, u64>>,
}

/// What became of this node's observations for one recipient under one partnership.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Outgoing {
    /// Disclosed, and not taken back.
    pub(crate) released: u64,
    /// Taken back before they left.
    pub(crate) withdrawn: u64,
    pub(crate) withheld: u64,
    pub(crate) undecided: u64,
    /// How many each layer withholds.
    pub(crate) layers: BTreeMap<Layer, u64>,
    /// How many no layer was asked about.
    pub(crate) unasked: u64,
    /// Of the released, what the recipient did not take.
    pub(crate) not_taken: BTreeMap<RefusalCode, u64>,
    /// How far the acknowledgements counted reach, and of which store of the recipient's.
    acknowledged: (Option<Salt>, u64),
}

/// What this node did not take of what one member sent it, by the name of the code.
pub(crate) struct Incoming {
    pub(crate) refused: BTreeMap<String, u64>,
    /// Because it cannot decide them now.
    pub(crate) set_aside: BTreeMap<String, u64>,
}

/// What of an outbox its recipient has not acknowledged.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Waiting {
    /// Items, those that were taken back included: their place goes too.
    pub(crate) items: u64,
    /// Items that were not taken back.
    pub(crate) released: u64,
}

impl Tally {
    /// Counts the entries up to, and without, this one that were not counted yet. After an error it starts over.
    pub(crate) fn count(&mut self, store: &Store, until: u64) -> Result<(), StoreError> {
        let counted = self.count_new(store, until);
        if counted.is_err() {
            *self = Self::default();
        }
        counted
    }

    fn count_new(&mut self, store: &Store, until: u64) -> Result<(), StoreError> {
        let mut kept_upto = match self.kept_upto {
            Some(upto) => upto,
            None => self.take_kept(store)?,
        };
        let mut last_told = Instant::now();
        for recorded in store.entries(self.counts.upto, until) {
            let recorded = recorded?;
            self.count_entry(store, recorded.index, &recorded.body)?;
            let counted = recorded.index + 1;
            self.counts.upto = counted;
            // Whoever does not wait until the end need not begin again.
            if counted - kept_upto >= KEPT_EVERY {
                store.keep(&ambit_ledger::encode(&self.counts))?;
                kept_upto = counted;
                self.kept_upto = Some(counted);
            }
            if last_told.elapsed() >= TOLD_EVERY {
                last_told = Instant::now();
                tracing::warn!(
                    counted,
                    all = until,
                    "what the ledger holds is counted, each entry once"
                );
            }
        }
        Ok(())
    }

    /// Goes on from what was counted before the node was opened. Returns up to where that is.
    fn take_kept(&mut self, store: &Store) -> Result<u64, StoreError> {
        let kept = store.kept()?;
        let kept = kept
            .and_then(|bytes| ambit_ledger::decode_within::<Counts>(&bytes, KEPT_BYTES_MAX).ok());
        let kept = kept.filter(|kept| kept.rules == RULES && kept.upto <= store.size());
        self.counts = kept.unwrap_or_else(|| Counts {
            rules: RULES,
            ..Counts::default()
        });
        self.kept_upto = Some(self.counts.upto);
        Ok(self.counts.upto)
    }

    fn count_held(&mut self, observation: &Observation) {
        let facts = observation.facts();
        let held = self.counts.held.entry(facts.issuer.clone()).or_default();
        held.observations += 1;
        held.readings += u64::from(facts.reading_count);
    }

    /// What is held, by who signed it.
    pub(crate) fn held(&self) -> &BTreeMap<OrganizationId, Held> {
        &self.counts.held
    }

    /// What became of this node's observations for a recipient.
    pub(crate) fn outgoing(
        &self,
        partnership: &PartnershipId,
        recipient: &OrganizationId,
    ) -> Outgoing {
        let key = BoxKey::new(partnership, recipient);
        self.counts.outgoing.get(&key).cloned().unwrap_or_default()
    }

    /// What this node did not take of a sender's, by code.
    pub(crate) fn incoming(
        &self,
        partnership: &PartnershipId,
        sender: &OrganizationId,
        inbox: Option<&Inbox>,
    ) -> Incoming {
        let refused = self.counts.refused.get(&BoxKey::new(partnership, sender));
        let untaken = inbox.into_iter().flat_map(|inbox| &inbox.untaken);
        let untaken = untaken.map(|(number, untaken)| (RefusalCode::from(*number), untaken.count));
        let (set_aside, to_come): (Vec<_>, Vec<_>) =
            untaken.partition(|(code, _)| code.is_set_aside());
        let for_good = refused.into_iter().flatten();
        Incoming {
            refused: by_name(for_good.map(|(code, count)| (*code, *count)).chain(to_come)),
            set_aside: by_name(set_aside),
        }
    }

    fn count_entry(&mut self, store: &Store, index: u64, body: &Body) -> Result<(), StoreError> {
        match body {
            Body::Observed(observed) => {
                self.count_held(&own_observation(&observed.observation)?);
            }
            Body::Admitted(admitted) => {
                let observation = own_observation(&admitted.observation)?;
                // What came under two partnerships is one observation.
                if store.observation(&observation.id())? == Some(index) {
                    self.count_held(&observation);
                }
            }
            Body::Acknowledged(acknowledged) => {
                let stated = own_acknowledgement(&acknowledged.acknowledgement)?;
                self.count_acknowledged(store, &stated)?;
            }
            // What may be taken another time is counted by its inbox, which knows when it was asked for again.
            Body::Refused(refused) if refused.code.may_come_again() => {}
            Body::Refused(refused) => {
                let key = BoxKey::new(&refused.partnership, &refused.sender);
                let count = self.counts.refused.entry(key).or_default();
                *count.entry(refused.code).or_default() += refused.count;
            }
            _ => {
                if let Some(outcome) = Outcome::of(body)? {
                    self.count_outcome(store, index, outcome)?;
                }
            }
        }
        Ok(())
    }

    /// Each refusal once: an acknowledgement names again those of one before that did not arrive, and what was offered again
    /// has more numbers than one.
    fn count_acknowledged(
        &mut self,
        store: &Store,
        stated: &Acknowledgement,
    ) -> Result<(), StoreError> {
        let outbox = BoxKey::new(&stated.partnership, &stated.recipient);
        let counts = self.counts.outgoing.entry(outbox).or_default();
        if counts.acknowledged.0 != Some(stated.incarnation) {
            // A store that was lost and made anew takes and refuses everything again.
            counts.not_taken.clear();
            counts.acknowledged = (Some(stated.incarnation), 0);
        }
        for item in stated.not_taken() {
            // What may be taken another time is counted by its outbox, which knows when it was offered again.
            if item.seq > counts.acknowledged.1
                && is_for_good(item.code)
                && is_first_answer(store, &outbox, item.seq)?
            {
                *counts.not_taken.entry(item.code).or_default() += 1;
            }
        }
        counts.acknowledged.1 = counts.acknowledged.1.max(stated.upto);
        Ok(())
    }

    fn count_outcome(
        &mut self,
        store: &Store,
        index: u64,
        outcome: Outcome,
    ) -> Result<(), StoreError> {
        let (id, outbox) = (&outcome.observation, &outcome.outbox);
        let before = Stands::below(store, id, outbox, index)?;
        let mut became = outcome.became;
        // What was taken back under one number may be there under another.
        if let Became::Withdrawn = became
            && let Some(stands) = Stands::below(store, id, outbox, index + 1)?
        {
            became = stands.became;
            if let Became::Released { .. } = became {
                return Ok(());
            }
        }
        if let Some(before) = before {
            self.take_off(store, outbox, index, &before)?;
        }
        self.add(store, outbox, &became)
    }

    /// Takes off how an observation stood for a recipient before an entry.
    fn take_off(
        &mut self,
        store: &Store,
        outbox: &BoxKey,
        index: u64,
        before: &Stands,
    ) -> Result<(), StoreError> {
        let answer = before.answered(store, outbox)?;
        // What it acknowledged later is not counted yet.
        let answer = answer.and_then(|(_, answer)| answer.filter(|answer| answer.entry < index));
        let code = answer.and_then(|answer| answer.code);
        let layers = self.layers(store, &before.became)?;
        let counts = self.counts.outgoing.entry(*outbox).or_default();
        counts.change(&before.became, &layers, |count| {
            *count = count.saturating_sub(1);
        });
        if let Some(code) = code.filter(|code| is_for_good(*code)) {
            let count = counts.not_taken.entry(code).or_default();
            *count = count.saturating_sub(1);
        }
        Ok(())
    }

    fn add(&mut self, store: &Store, outbox: &BoxKey, became: &Became) -> Result<(), StoreError> {
        let layers = self.layers(store, became)?;
        let counts = self.counts.outgoing.entry(*outbox).or_default();
        counts.change(became, &layers, |count| *count += 1);
        Ok(())
    }

    fn layers(&mut self, store: &Store, became: &Became) -> Result<Vec<Layer>, StoreError> {
        let Became::Withheld {
            decision: Some(digest),
            is_undecided: false,
        } = became
        else {
            return Ok(Vec::new());
        };
        Ok(match self.withholding.entry(*digest) {
            Entry::Occupied(entry) => entry.get().clone(),
            Entry::Vacant(entry) => {
                let decision = store.decision(digest)?;
                let layers = decision.as_ref().map(Decision::withholding_layers);
                entry.insert(layers.unwrap_or_default()).clone()
            }
        })
    }
}

impl Node {
    /// Counts some of what came since it was last counted, so that whoever asks, also after a kill, need not wait for all of it.
    pub(crate) fn count_some(&self) -> Result<(), StoreError> {
        self.count_at_most(COUNTED_A_LOOK_MAX)
    }

    /// Counts all that came until now, so that whoever asks next need not wait.
    pub(crate) fn count_all(&self) -> Result<(), StoreError> {
        self.count_at_most(u64::MAX)
    }

    /// Whoever asks meanwhile has a turn after each few.
    fn count_at_most(&self, mut most: u64) -> Result<(), StoreError> {
        loop {
            let mut tally = self.tally();
            let begun_at = tally.counts.upto;
            let some = most.min(COUNTED_AT_ONCE_MAX);
            let until = self.store().size().min(begun_at.saturating_add(some));
            tally.count(self.store(), until)?;
            // What was counted before the node was opened took no time.
            most = most.saturating_sub(some);
            let is_all = tally.counts.upto >= self.store().size();
            if is_all || most == 0 {
                return Ok(());
            }
        }
    }

    /// What this node did not take of what a member sent it.
    pub(crate) fn incoming(
        &self,
        tally: &Tally,
        partnership: &PartnershipId,
        sender: &OrganizationId,
    ) -> Incoming {
        let inbox = self.store().inbox(&BoxKey::new(partnership, sender));
        tally.incoming(partnership, sender, inbox.as_ref())
    }

    /// What of an outbox waits.
    pub(crate) fn waiting(&self, outbox: Option<&Outbox>) -> Result<Waiting, StoreError> {
        let Some(outbox) = outbox else {
            return Ok(Waiting::default());
        };
        let upto = outbox.acknowledged.as_ref().map_or(0, |reach| reach.upto);
        let items = outbox.last.saturating_sub(upto);
        // An item is taken back when its frame is written, and no more frames than these are without an answer.
        let written = upto.saturating_add(items.min(UNACKNOWLEDGED_ITEMS_MAX));
        let key = BoxKey::new(&outbox.partnership, &outbox.recipient);
        let mut released = items;
        for seq in upto.saturating_add(1)..=written {
            if self.store().withdrawn(&key, seq)?.is_some() {
                released = released.saturating_sub(1);
            }
        }
        Ok(Waiting { items, released })
    }
}

impl Outgoing {
    /// How many items the recipient did not take, by the name of the code: for good, and until it asks for them again.
    pub(crate) fn not_taken(&self, outbox: Option<&Outbox>) -> BTreeMap<String, u64> {
        let for_good = self.not_taken.iter().map(|(code, count)| (*code, *count));
        let untaken = outbox.into_iter().flat_map(|outbox| &outbox.untaken);
        let untaken = untaken.map(|(number, count)| (RefusalCode::from(*number), *count));
        by_name(for_good.chain(untaken))
    }

    fn change(&mut self, became: &Became, layers: &[Layer], change: impl Fn(&mut u64)) {
        match became {
            Became::Released { .. } => change(&mut self.released),
            Became::Withdrawn => change(&mut self.withdrawn),
            Became::Withheld {
                is_undecided: true, ..
            } => change(&mut self.undecided),
            Became::Withheld { decision, .. } => {
                change(&mut self.withheld);
                if decision.is_none() {
                    change(&mut self.unasked);
                }
            }
        }
        for layer in layers {
            change(self.layers.entry(*layer).or_default());
        }
        self.layers.retain(|_, count| *count > 0);
    }
}

/// Whether a recipient will never take what it answered so. That it has it already says no such thing.
fn is_for_good(code: RefusalCode) -> bool {
    !code.may_come_again() && code != RefusalCode::Duplicate
}

/// Whether an observation that was not taken under a number was neither taken nor refused for good under an earlier one.
fn is_first_answer(store: &Store, outbox: &BoxKey, seq: u64) -> Result<bool, StoreError> {
    let index = store.outbox_item(outbox, seq)?;
    let recorded = index.map(|index| store.entry(index)).transpose()?.flatten();
    let Some(Body::OfferedAgain(offer)) = recorded.map(|recorded| recorded.body) else {
        return Ok(true);
    };
    let numbers = store.numbers(&offer.first, offer.first_seq, u64::MAX)?;
    for earlier in numbers.into_iter().filter(|earlier| *earlier < seq) {
        let answer = Answer::to(store, outbox, earlier)?;
        let is_final = |answer: Answer| answer.is_taken() || answer.code.is_some_and(is_for_good);
        if answer.is_some_and(is_final) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Counts of at least one by the name of their code.
fn by_name(counts: impl IntoIterator<Item = (RefusalCode, u64)>) -> BTreeMap<String, u64> {
    let mut named: BTreeMap<String, u64> = BTreeMap::new();
    for (code, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
        *named.entry(code.to_string()).or_default() += count;
    }
    named
}
