//! Outboxes: for each recipient in each partnership, what was put there under which number, and what became of it.

use super::Audit;
use super::fault::{At, Checks};
use super::item::Item;
use crate::report::Delivered;
use crate::rule::Rule;
use ambit_ledger::{
    Chain, Digest, Disclosed, Disclosure, DisclosureId, ObservationId, OfferedAgain,
    OrganizationId, Outcome, PartnershipId, Salt, Time, Withdrawn,
};
use std::collections::{BTreeMap, HashMap, HashSet};

/// All outboxes.
#[derive(Debug, Default)]
pub(super) struct Outboxes(BTreeMap<(PartnershipId, OrganizationId), Outbox>);

/// What this ledger's organization observed, in the order of the ledger. In this order all of it is judged for every other
/// member of an agreement that comes into force, also what was observed before.
#[derive(Debug, Default)]
pub(super) struct OwnObservations(Vec<OwnObservation>);

#[derive(Clone, Copy, Debug)]
struct OwnObservation {
    entry: u64,
    time: Time,
    id: ObservationId,
}

impl OwnObservations {
    pub(super) fn push(&mut self, at: At, id: ObservationId) {
        self.0.push(OwnObservation {
            entry: at.index,
            time: at.time,
            id,
        });
    }

    fn from(&self, place: usize) -> &[OwnObservation] {
        self.0.get(place..).unwrap_or_default()
    }
}

/// What was put into the outbox of one recipient in one partnership, and what became of it.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    pub(super) items: BTreeMap<u64, Item>,
    /// Under which numbers an observation is there since it was disclosed last.
    placed: HashMap<ObservationId, Placed>,
    /// Up to where in [`OwnObservations`] all were judged, or passed over; absent for whom no edition says that they are
    /// to be.
    judged: Option<usize>,
    /// Own observations that were not judged before later ones were, by entry: whoever may judge them when it likes waits for
    /// the rule that suits it.
    passed_over: BTreeMap<u64, ObservationId>,
    pub(super) acknowledged: BTreeMap<Salt, AcknowledgedTo>,
    /// The incarnation of the recipient's store that acknowledged last.
    pub(super) incarnation: Option<Salt>,
    /// Withdrawals of what had been acknowledged by the store that the recipient had then: by number, where they are recorded.
    doubtful: BTreeMap<u64, At>,
    /// The salts of the disclosures of observations that were disclosed more than once.
    several: HashSet<Salt>,
    /// The latest instant at which the recipient says that it acknowledged, and with which store.
    pub(super) acknowledged_at: Option<(Time, Salt)>,
    /// What is withheld, and was not disclosed since.
    withheld: HashSet<ObservationId>,
}

/// Under which numbers one observation is in an outbox since it was disclosed last: more than one where it was offered
/// again. Of it nothing else may be said before it was taken back under all of them.
#[derive(Clone, Copy, Debug)]
struct Placed {
    /// The last of them that was not taken back.
    last: u64,
    /// The last of all of them.
    newest: u64,
    /// How many were not taken back.
    live: u64,
    /// Under how many of these the recipient says that it has it, and which of its stores says so.
    taken: u64,
    by: Option<Salt>,
}

/// How far one incarnation of a recipient's store has acknowledged.
#[derive(Clone, Copy, Debug)]
pub(super) struct AcknowledgedTo {
    pub(super) seq: u64,
    pub(super) outcomes: Chain,
}

impl Outboxes {
    pub(super) fn of(
        &mut self,
        partnership: &PartnershipId,
        recipient: &OrganizationId,
    ) -> &mut Outbox {
        let key = (partnership.clone(), recipient.clone());
        self.0.entry(key).or_default()
    }

    pub(super) fn known(
        &mut self,
        partnership: &PartnershipId,
        recipient: &OrganizationId,
    ) -> Option<&mut Outbox> {
        let key = (partnership.clone(), recipient.clone());
        self.0.get_mut(&key)
    }
}

impl Outbox {
    pub(super) fn last_seq(&self) -> u64 {
        self.items.last_key_value().map_or(0, |(seq, _)| *seq)
    }

    /// Notes that all observations are to be judged for it.
    pub(super) fn open(&mut self) {
        self.judged.get_or_insert(0);
    }

    /// Notes that the observation of this entry was disclosed or withheld.
    pub(super) fn judge(&mut self, entry: u64, all: &OwnObservations) {
        let Some(judged) = &mut self.judged else {
            return;
        };
        let place = all.0.partition_point(|observed| observed.entry < entry);
        let before = all.0.get(*judged..place).unwrap_or_default();
        let before = before.iter().map(|observed| (observed.entry, observed.id));
        self.passed_over.extend(before);
        *judged = (*judged).max(place + 1);
    }

    fn put(&mut self, at: At, body: &Disclosed, disclosure: &Disclosure) -> Checks {
        let item = Item::new(at.index, disclosure, DisclosureId::of(&body.disclosure));
        let recipient = &disclosure.recipient;
        let id = disclosure.observation;
        let stands = self.check_nothing_stands(&id);
        let is_new = self.check_new(&item);
        let is_next = self.check_next(body.seq, recipient);
        self.place(body.seq, item);
        is_next?;
        is_new?;
        stands.map_err(|seq| {
            Rule::DisclosureTwice.broken(format!(
                "observation {id} to `{recipient}`: it is there as number {seq}, and that is taken back first"
            ))
        })
    }

    /// Whether a disclosure was not put there before. Each has a salt of its own.
    fn check_new(&mut self, item: &Item) -> Checks {
        let before = self.placed.get(&item.observation);
        let Some(before) = before.and_then(|placed| self.items.get(&placed.newest)) else {
            return Ok(());
        };
        // Of the first it is only worth noting once there is a second.
        self.several.insert(before.salt);
        let is_new = self.several.insert(item.salt);
        Rule::DisclosureTwice.check(is_new, || {
            format!(
                "disclosure {} has the salt of one that was put there before",
                item.disclosure
            )
        })
    }

    /// Puts it there again, under a further number: the disclosure that it had, or a new one.
    pub(super) fn put_again(
        &mut self,
        at: At,
        body: &OfferedAgain,
        renewed: Option<(DisclosureId, &Disclosure)>,
    ) -> Checks {
        let is_next = self.check_next(body.seq, &body.recipient);
        let mut is_new = Ok(());
        let item = match renewed {
            Some((id, disclosure)) => {
                let item = Item::new(at.index, disclosure, id);
                is_new = self.check_new(&item);
                Some(item)
            }
            None => self.items.get(&body.first_seq).map(|item| item.again(at)),
        };
        if let Some(item) = item {
            self.place(body.seq, item);
        }
        is_next.and(is_new)
    }

    fn check_next(&self, seq: u64, recipient: &OrganizationId) -> Checks {
        let last = self.last_seq();
        Rule::Sequence.check(last.checked_add(1) == Some(seq), || {
            format!("{seq} follows {last} in the outbox of `{recipient}`")
        })
    }

    /// Whether an observation is there under no number; else under which one it is.
    fn check_nothing_stands(&self, id: &ObservationId) -> Result<(), u64> {
        let placed = self.placed.get(id).filter(|placed| placed.live > 0);
        placed.map_or(Ok(()), |placed| Err(placed.last))
    }

    fn place(&mut self, seq: u64, mut item: Item) {
        self.withheld.remove(&item.observation);
        let id = item.observation;
        // Of a number that is there twice the first counts, as it does for the recipient.
        if self.items.contains_key(&seq) {
            return;
        }
        let placed = self.placed.entry(id).or_insert(Placed {
            last: seq,
            newest: seq,
            live: 0,
            taken: 0,
            by: None,
        });
        item.before = Some(placed.newest).filter(|before| *before < seq);
        placed.newest = placed.newest.max(seq);
        placed.last = placed.newest;
        placed.live += 1;
        if let Some(before) = item.before.and_then(|before| self.items.get_mut(&before)) {
            before.is_followed = true;
        }
        self.items.insert(seq, item);
    }

    /// What a recipient signed for with the store of an incarnation.
    pub(super) fn answer(&mut self, seq: u64, outcome: Outcome, by: Salt) {
        let Some(item) = self.items.get_mut(&seq) else {
            return;
        };
        item.answer(outcome, by);
        if let Some(placed) = self.placed.get_mut(&item.observation)
            && item.withdrawn_at.is_none()
            && item.is_taken(Some(by))
        {
            if placed.by != Some(by) {
                (placed.taken, placed.by) = (0, Some(by));
            }
            placed.taken += 1;
        }
    }

    /// Of the numbers of an observation, the last that was not taken back, and whether the recipient's store of now says that
    /// it has it under any of them.
    pub(super) fn standing(&self, id: &ObservationId) -> Option<(u64, &Item, bool)> {
        let placed = self.placed.get(id).filter(|placed| placed.live > 0)?;
        let item = self.items.get(&placed.last)?;
        let is_taken = placed.taken > 0 && placed.by == self.incarnation;
        Some((placed.last, item, is_taken))
    }

    /// The observation was withheld: it must have been taken back under each number that it had.
    pub(super) fn withhold(&mut self, id: ObservationId) -> Checks {
        self.withheld.insert(id);
        self.check_nothing_stands(&id).map_err(|seq| {
            Rule::WithheldDisclosed.broken(format!(
                "observation {id} is there as number {seq}, and that is taken back first"
            ))
        })
    }

    /// Takes an item back. Returns the entry that discloses it and under which edition.
    pub(super) fn withdraw(&mut self, at: At, body: &Withdrawn) -> Checks<(u64, Digest)> {
        let Some(item) = self.items.get_mut(&body.seq) else {
            return Err(not_there(body));
        };
        let is_it = item.disclosure == body.disclosure && item.observation == body.observation;
        if !is_it || item.withdrawn_at.is_some() {
            return Err(not_there(body));
        }
        item.withdrawn_at = Some(at.time);
        let (entry, edition, said_by) = (item.entry, item.edition, item.said_by);
        let was_taken = item.is_taken(said_by);
        if let Some(placed) = self.placed.get_mut(&body.observation) {
            placed.live = placed.live.saturating_sub(1);
            if was_taken && placed.by == said_by {
                placed.taken = placed.taken.saturating_sub(1);
            }
            // The one before it that was not taken back.
            while let Some(item) = self
                .items
                .get(&placed.last)
                .filter(|item| item.withdrawn_at.is_some())
                && let Some(before) = item.before
            {
                placed.last = before;
            }
        }
        let current = self.incarnation.and_then(|by| self.acknowledged.get(&by));
        if current.is_some_and(|to| body.seq <= to.seq) {
            self.doubtful.insert(body.seq, at);
        }
        Ok((entry, edition))
    }

    /// An incarnation of the recipient's store acknowledged, and had come to `before`. What was taken back after an
    /// acknowledgement of it is right only if the recipient lost its store in between: the old one is silent from
    /// then on, and the new one signs for a tombstone. Returns the withdrawals that this contradicts.
    pub(super) fn settle(&mut self, before: u64, upto: u64) -> Vec<At> {
        let rest = self.doubtful.split_off(&upto.saturating_add(1));
        let settled = std::mem::replace(&mut self.doubtful, rest);
        let contradicted = settled.into_iter().filter(|(seq, _)| *seq <= before);
        contradicted.map(|(_, at)| at).collect()
    }

    /// Whether nothing was ever judged for it.
    fn is_untouched(&self) -> bool {
        self.items.is_empty() && self.withheld.is_empty()
    }

    fn delivery(&self, partnership: &PartnershipId, recipient: &OrganizationId) -> Delivered {
        let mut delivery = Delivered {
            partnership: partnership.clone(),
            recipient: recipient.clone(),
            disclosed: 0,
            admitted: 0,
            refused: 0,
            set_aside: 0,
            withdrawn: 0,
            unacknowledged: 0,
            is_unverified: false,
            withheld: u64::try_from(self.withheld.len()).unwrap_or(u64::MAX),
            unjudged: 0,
        };
        for item in self.items.values().filter(|item| !item.is_followed) {
            delivery.disclosed += 1;
            match self.became(item) {
                Some(Outcome::Admitted) => delivery.admitted += 1,
                Some(Outcome::Refused(_)) => delivery.refused += 1,
                Some(Outcome::SetAside(_)) => delivery.set_aside += 1,
                Some(Outcome::Noted) => delivery.withdrawn += 1,
                None => delivery.unacknowledged += 1,
            }
        }
        delivery
    }

    /// What became of an observation by all the numbers that it ever had, of which this is the last: taken in under any, else
    /// what was said of the last that was not taken back.
    fn became(&self, last: &Item) -> Option<Outcome> {
        let numbers = std::iter::successors(Some(last), |item| {
            item.before.and_then(|before| self.items.get(&before))
        });
        let mut became = Some(Outcome::Noted);
        let mut is_told = false;
        for item in numbers {
            if item.outcome == Some(Outcome::Admitted) {
                return item.outcome;
            }
            if item.withdrawn_at.is_none() && !is_told {
                is_told = true;
                became = item.outcome.filter(|outcome| *outcome != Outcome::Noted);
            }
        }
        became
    }
}

fn not_there(body: &Withdrawn) -> super::fault::Fault {
    Rule::Withdrawal.broken(format!(
        "disclosure {} is not number {} there, or was taken back before",
        body.disclosure, body.seq
    ))
}

impl Audit<'_> {
    /// Puts a disclosure there, for the first time or in place of what is offered again.
    pub(super) fn enqueue(
        &mut self,
        at: At,
        body: &Disclosed,
        disclosure: &Disclosure,
        again: Option<&OfferedAgain>,
    ) -> Checks {
        let outbox = self
            .outboxes
            .of(&disclosure.partnership, &disclosure.recipient);
        if let Some(recorded) = self.observed.get(&disclosure.observation) {
            outbox.judge(recorded.index, &self.own_observations);
        }
        match again {
            Some(offer) => {
                let id = DisclosureId::of(&body.disclosure);
                outbox.put_again(at, offer, Some((id, disclosure)))
            }
            None => outbox.put(at, body, disclosure),
        }
    }

    /// An edition comes into force: for every other member, all own observations are to be judged from now on.
    pub(super) fn open_outboxes(&mut self, partnership: &PartnershipId) {
        let Some(edition) = self.in_force.edition(partnership) else {
            return;
        };
        for member in &edition.terms.members {
            let organization = &member.card.organization;
            if *organization != self.own {
                self.outboxes.of(partnership, organization).open();
            }
        }
    }

    /// What became of every outbox, and what is left open in it: each observation must have been judged for each
    /// recipient in the order of the ledger, and only those after the last judged one may still be waiting.
    pub(super) fn close_outboxes(&mut self) {
        let mut faults = Vec::new();
        for ((partnership, recipient), outbox) in &self.outboxes.0 {
            if let Err(fault) = self.budget.look(self.replayer.foreign_bytes()) {
                return self.end(fault);
            }
            let mut delivery = outbox.delivery(partnership, recipient);
            delivery.is_unverified = !self.keys.can_verify(recipient);
            for at in outbox.doubtful.values() {
                faults.push((at.index, Rule::WithdrawalUnproved.broken(format!(
                    "`{recipient}` had acknowledged it; whether it lost its store since shows only once it acknowledges \
                     with another one, in a ledger that is exported after that"
                ))));
            }
            for (entry, id) in &outbox.passed_over {
                let how = format!("observation {id} for `{recipient}` in `{partnership}`");
                faults.push((*entry, Rule::PassedOver.broken(how)));
            }
            delivery.unjudged = self.unjudged(partnership, recipient, outbox);
            if outbox.is_untouched() && delivery.unjudged == 0 {
                continue;
            }
            self.report.checked_mut().unjudged += delivery.unjudged;
            self.report.add_delivery(delivery);
        }
        faults.sort_by_key(|(index, _)| *index);
        for (index, fault) in faults {
            self.note_at(index, Err(fault));
        }
    }

    /// How many observations still wait to be judged for a member: those of the time of the agreement.
    fn unjudged(
        &self,
        partnership: &PartnershipId,
        recipient: &OrganizationId,
        outbox: &Outbox,
    ) -> u64 {
        let Some((judged, edition)) = outbox.judged.zip(self.in_force.edition(partnership)) else {
            return 0;
        };
        if edition.terms.member(recipient).is_none() {
            return 0;
        }
        let ends = edition.ends();
        let waiting = self.own_observations.from(judged).iter();
        let waiting = waiting.filter(|observed| observed.time < ends);
        waiting.fold(0, |count, _| count + 1)
    }
}
