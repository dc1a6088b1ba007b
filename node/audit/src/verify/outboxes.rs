//! Outboxes: for each recipient in each partnership, what was put there under which number, and what became of it.

use super::Audit;
use super::fault::{At, Checks};
use crate::report::Delivered;
use crate::rule::Rule;
use ambit_ledger::{
    Chain, Digest, Disclosed, Disclosure, DisclosureId, ObservationId, OfferedAgain,
    OrganizationId, Outcome, PartnershipId, RefusalCode, Salt, Time, Withdrawn,
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
    /// The sequence number at which an observation stands disclosed under an edition.
    standing: HashMap<(ObservationId, Digest), u64>,
    /// Up to where in [`OwnObservations`] all were judged, or passed over; absent for whom no edition says that they are
    /// to be.
    judged: Option<usize>,
    /// Own observations that were not judged before later ones were, by entry: whoever may judge them when it likes waits for
    /// the rule that suits it.
    passed_over: BTreeMap<u64, ObservationId>,
    pub(super) acknowledged: BTreeMap<Salt, AcknowledgedTo>,
    /// The incarnation of the recipient's store that acknowledged last.
    pub(super) incarnation: Option<Salt>,
    /// Withdrawals of what had been acknowledged: by number, where they are recorded.
    doubtful: BTreeMap<u64, At>,
    /// What is withheld, and was not disclosed since.
    withheld: HashSet<ObservationId>,
}

/// One sequence number of an outbox.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) observation: ObservationId,
    pub(super) disclosure: DisclosureId,
    pub(super) edition: Digest,
    pub(super) issued_at: Time,
    /// The entry that discloses it.
    pub(super) entry: u64,
    pub(super) is_withdrawn: bool,
    /// What the recipient signed for; that it was admitted stays true whatever follows.
    pub(super) outcome: Option<Outcome>,
    /// With which code it said last that it did not take it; absent where it said last that it did, or nothing.
    pub(super) untaken: Option<RefusalCode>,
    /// Under which number it was offered last, where it was offered again.
    offered_as: Option<u64>,
    /// Whether a further number took its place.
    is_superseded: bool,
    /// Whether it took the place of another.
    pub(super) is_superseding: bool,
}

impl Item {
    fn new(entry: u64, disclosure: &Disclosure, id: DisclosureId) -> Self {
        Self {
            observation: disclosure.observation,
            disclosure: id,
            edition: disclosure.edition,
            issued_at: disclosure.issued_at,
            entry,
            is_withdrawn: false,
            outcome: None,
            untaken: None,
            offered_as: None,
            is_superseded: false,
            is_superseding: false,
        }
    }

    /// Under which number it was put there last.
    pub(super) fn last_number(&self, first: u64) -> u64 {
        self.offered_as.unwrap_or(first)
    }

    /// The same under a further number.
    fn again(&self) -> Self {
        Self {
            is_withdrawn: false,
            outcome: None,
            untaken: None,
            offered_as: None,
            is_superseded: false,
            is_superseding: true,
            ..*self
        }
    }
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

impl Item {
    /// Whether its recipient said that it does not take it. That it has it already says no such thing.
    fn is_refused(&self) -> bool {
        matches!(self.outcome, Some(Outcome::Refused(code)) if code != RefusalCode::Duplicate)
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
        let last = self.last_seq();
        let item = Item::new(at.index, disclosure, DisclosureId::of(&body.disclosure));
        // Of a number that is there twice the first counts, as it does for the recipient.
        self.items.entry(body.seq).or_insert(item);
        self.withheld.remove(&disclosure.observation);
        let key = (disclosure.observation, disclosure.edition);
        let before = self.standing.insert(key, body.seq);
        let recipient = &disclosure.recipient;
        Rule::Sequence.check(last.checked_add(1) == Some(body.seq), || {
            format!("{} follows {last} in the outbox of `{recipient}`", body.seq)
        })?;
        Rule::DisclosureTwice.check(before.is_none(), || {
            format!("observation {} to `{recipient}`", disclosure.observation)
        })
    }

    /// Puts a disclosure there again, under a further number.
    pub(super) fn put_again(&mut self, body: &OfferedAgain) -> Checks {
        let last = self.last_seq();
        if let Some(mut again) = self.items.get(&body.first_seq).map(Item::again) {
            if self.was_admitted(body.first_seq) {
                again.outcome = Some(Outcome::Admitted);
            }
            self.withheld.remove(&again.observation);
            self.standing
                .insert((again.observation, again.edition), body.seq);
            self.items.entry(body.seq).or_insert(again);
        }
        let recipient = &body.recipient;
        Rule::Sequence.check(last.checked_add(1) == Some(body.seq), || {
            format!("{} follows {last} in the outbox of `{recipient}`", body.seq)
        })
    }

    /// Whether the recipient ever signed that it took an item in, under the first number that it has or the last.
    fn was_admitted(&self, first: u64) -> bool {
        let last = self
            .items
            .get(&first)
            .map_or(first, |item| item.last_number(first));
        let mut numbers = [first, last].into_iter();
        numbers.any(|seq| {
            let item = self.items.get(&seq);
            item.is_some_and(|item| item.outcome == Some(Outcome::Admitted))
        })
    }

    /// What becomes of an item that is offered again is what becomes of the last number it has.
    pub(super) fn supersede(&mut self, first: u64, by: u64) {
        let Some(item) = self.items.get_mut(&first) else {
            return;
        };
        let before = item.offered_as.replace(by).unwrap_or(first);
        if let Some(item) = self.items.get_mut(&before).filter(|_| before != by) {
            item.is_superseded = true;
        }
    }

    /// The observation was withheld: it must not stand disclosed, unless its recipient refused it.
    pub(super) fn withhold(&mut self, id: ObservationId, edition: &Digest) -> Checks {
        self.withheld.insert(id);
        let standing = self.standing.get(&(id, *edition));
        let item = standing.and_then(|seq| Some((seq, self.items.get(seq)?)));
        match item {
            Some((seq, item)) if !item.is_refused() => {
                Err(Rule::WithheldDisclosed.broken(format!(
                    "observation {id} stands disclosed there as number {seq}; that is taken back first"
                )))
            }
            _ => Ok(()),
        }
    }

    /// Takes an item back. Returns the entry that discloses it and under which edition.
    pub(super) fn withdraw(&mut self, at: At, body: &Withdrawn) -> Checks<(u64, Digest)> {
        let Some(item) = self.items.get_mut(&body.seq) else {
            return Err(not_there(body));
        };
        let is_it = item.disclosure == body.disclosure && item.observation == body.observation;
        if !is_it || item.is_withdrawn {
            return Err(not_there(body));
        }
        item.is_withdrawn = true;
        let (entry, edition) = (item.entry, item.edition);
        // Under a further number it still stands.
        let place = (body.observation, edition);
        if self.standing.get(&place) == Some(&body.seq) {
            self.standing.remove(&place);
        }
        if self.acknowledged.values().any(|to| body.seq <= to.seq) {
            self.doubtful.insert(body.seq, at);
        }
        Ok((entry, edition))
    }

    /// An incarnation of the recipient's store acknowledged, and had come to `before`. What was taken back after an
    /// acknowledgement of it is right only if the recipient lost its store in between: the old one is silent from
    /// then on, and the new one signs for a tombstone. Returns the withdrawals that this contradicts.
    pub(super) fn settle(&mut self, before: u64, upto: u64) -> Vec<At> {
        let (mut contradicted, mut settled) = (Vec::new(), Vec::new());
        for (seq, at) in &self.doubtful {
            if *seq <= before {
                contradicted.push(*at);
                settled.push(*seq);
            } else if *seq <= upto {
                settled.push(*seq);
            }
        }
        for seq in settled {
            self.doubtful.remove(&seq);
        }
        contradicted
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
        for item in self.items.values().filter(|item| !item.is_superseded) {
            delivery.disclosed += 1;
            match (item.outcome, item.is_withdrawn) {
                (Some(Outcome::Admitted), _) => delivery.admitted += 1,
                (_, true) => delivery.withdrawn += 1,
                (Some(Outcome::Refused(_)), false) => delivery.refused += 1,
                (Some(Outcome::SetAside(_)), false) => delivery.set_aside += 1,
                (Some(Outcome::Noted) | None, false) => delivery.unacknowledged += 1,
            }
        }
        delivery
    }
}

fn not_there(body: &Withdrawn) -> super::fault::Fault {
    Rule::Withdrawal.broken(format!(
        "disclosure {} is not number {} there, or was taken back before",
        body.disclosure, body.seq
    ))
}

impl Audit<'_> {
    pub(super) fn enqueue(&mut self, at: At, body: &Disclosed, disclosure: &Disclosure) -> Checks {
        let outbox = self
            .outboxes
            .of(&disclosure.partnership, &disclosure.recipient);
        if let Some(recorded) = self.observed.get(&disclosure.observation) {
            outbox.judge(recorded.index, &self.own_observations);
        }
        outbox.put(at, body, disclosure)
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
            let mut delivery = outbox.delivery(partnership, recipient);
            delivery.is_unverified = !self.keys.can_verify(recipient);
            for at in outbox.doubtful.values() {
                faults.push((at.index, Rule::WithdrawalUnproved.broken(format!(
                    "`{recipient}` had acknowledged it; whether it lost its store since shows when it acknowledges \
                     again, so export the ledger then"
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
