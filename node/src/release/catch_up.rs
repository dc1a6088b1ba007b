//! Catching up: judging for recipients what was committed before it could be judged for them.

use super::observe::{COMMIT_OBSERVATIONS_MAX, ObserveError};
use super::run::{Moment, Releases};
use crate::node::{Counterpart, InForce, Node, Releasing};
use crate::store::{Recorded, Store, StoreError, Write, own_observation};
use ambit_ledger::{Body, Facts, ObservationId, Time, Verdict};
use serde::{Deserialize, Serialize};

/// After how many entries without an observation of this node's own a recipient's place is recorded all the
/// same, so that they are not read again at every start.
const PASSED_OVER_MAX: u64 = 4_096;

impl Node {
    /// Judges for every recipient what was not judged for it yet: a partnership came into force, or the
    /// node stopped in between. And judges again what was withheld on grounds that are no longer those. Returns what is
    /// answered otherwise now.
    ///
    /// # Errors
    /// Any [`ObserveError`].
    pub fn catch_up(&self, now: Time) -> Result<JudgedAgain, ObserveError> {
        let now = Moment::of(self.instant(now)?);
        let mut judged = JudgedAgain::default();
        catch_up(&self.releasing(), now, &mut judged)?;
        self.offer_what_changed(now, &mut judged)?;
        self.notify();
        Ok(judged)
    }

    /// The same. A clock that cannot be believed is no failure, nor is too little space: it is waited for until it is right again, or
    /// there is more.
    ///
    /// # Errors
    /// Any [`ObserveError`] but [`ObserveError::Clock`] and that of [`StoreError::NoRoom`].
    pub fn catch_up_when_timely(&self, now: Time) -> Result<(), ObserveError> {
        match self.catch_up(now) {
            Ok(_) | Err(ObserveError::Clock(_) | ObserveError::Store(StoreError::NoRoom(_))) => {
                Ok(())
            }
            Err(error) => Err(error),
        }
    }
}

/// What was observed before and is answered otherwise now, counted once for each recipient; what is answered as before is not
/// counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JudgedAgain {
    /// Disclosed now, and not before.
    pub disclosed: u64,
    /// Withheld now: for the first time, or by other layers than before.
    pub withheld: u64,
    /// Undecided now, and not before.
    pub undecided: u64,
}

impl JudgedAgain {
    pub(super) fn add(&mut self, more: Self) {
        self.disclosed += more.disclosed;
        self.withheld += more.withheld;
        self.undecided += more.undecided;
    }

    pub(super) fn count(&mut self, verdict: Verdict) {
        match verdict {
            Verdict::Admissible => self.disclosed += 1,
            Verdict::Withheld => self.withheld += 1,
            Verdict::Undecided => self.undecided += 1,
        }
    }
}

/// Judges for every recipient what was not judged for it yet.
pub(super) fn catch_up(
    releasing: &Releasing<'_>,
    now: Moment,
    counts: &mut JudgedAgain,
) -> Result<(), ObserveError> {
    let now = now.under(releasing);
    let recipients: Vec<_> = releasing.recipients(now.passed()).collect();
    catch_up_these(releasing, &recipients, now, counts)
}

/// Judges for these recipients what was not judged for them yet. An entry is read once, however many they are.
pub(super) fn catch_up_these<'g>(
    in_force: &'g InForce<'g>,
    recipients: &[Counterpart<'g>],
    now: Moment,
    counts: &mut JudgedAgain,
) -> Result<(), ObserveError> {
    let now = now.under(in_force);
    let mut behind = recipients
        .iter()
        .map(|to| Behind::of(in_force, *to, now))
        .collect::<Result<Vec<_>, StoreError>>()?;
    let store = in_force.node().store();
    let until = store.size();
    let from = behind.iter().map(|one| one.judged).min();
    let mut from = from.unwrap_or(until);
    while from < until {
        let observed = Observed::read(store, from, until)?;
        from = observed.upto;
        observed.judge(in_force, &mut behind, now, counts)?;
    }
    Ok(())
}

/// A recipient, and up to which entry all was judged for it, as its outbox says.
struct Behind<'g> {
    to: Counterpart<'g>,
    judged: u64,
}

impl<'g> Behind<'g> {
    fn of(in_force: &'g InForce<'g>, to: Counterpart<'g>, now: Moment) -> Result<Self, StoreError> {
        let judged = match in_force.node().store().outbox(&to.outbox()) {
            Some(outbox) => outbox.judged,
            None => {
                let mut open = in_force.nothing_judged();
                open.push(Write::OpenOutbox {
                    partnership: to.partnership_id().clone(),
                    recipient: to.organization().clone(),
                });
                in_force.commit(now.passed(), open)?;
                0
            }
        };
        Ok(Self { to, judged })
    }
}

/// What was observed here in a stretch of entries, no more than one commit takes.
struct Observed {
    upto: u64,
    observations: Vec<(u64, ObservationId, Facts)>,
}

impl Observed {
    fn read(store: &Store, from: u64, until: u64) -> Result<Self, StoreError> {
        let mut observed = Self {
            upto: from,
            observations: Vec::new(),
        };
        for recorded in store.entries(from, until.min(from + PASSED_OVER_MAX)) {
            let recorded = recorded?;
            observed.upto = recorded.index + 1;
            if let Some((id, facts)) = observed_here(&recorded)? {
                observed.observations.push((recorded.index, id, facts));
            }
            if observed.observations.len() >= COMMIT_OBSERVATIONS_MAX {
                break;
            }
        }
        Ok(observed)
    }

    /// Judges it for those for whom it was not judged yet.
    fn judge<'g>(
        &self,
        in_force: &'g InForce<'g>,
        behind: &mut [Behind<'g>],
        now: Moment,
        counts: &mut JudgedAgain,
    ) -> Result<(), ObserveError> {
        let mut releases = Releases::begin(in_force, now);
        let mut passed_over = in_force.nothing_judged();
        for one in behind.iter_mut().filter(|one| one.judged < self.upto) {
            let mut judged = in_force.nothing_judged();
            let new = self.observations.iter();
            for (_, id, facts) in new.filter(|(index, ..)| *index >= one.judged) {
                let (verdict, more) = releases.release_to(one.to, *id, facts)?;
                judged.extend(more);
                counts.count(verdict);
            }
            let is_judged = Write::Judged {
                outbox: one.to.outbox(),
                upto: Some(self.upto),
            };
            if !judged.is_empty() {
                judged.push(is_judged);
                in_force.commit(now.passed(), judged)?;
            } else if self.upto - one.judged >= PASSED_OVER_MAX {
                passed_over.push(is_judged);
            } else {
                // Entries without observations are passed over without a record until there are many.
                continue;
            }
            one.judged = self.upto;
        }
        if !passed_over.is_empty() {
            in_force.commit(now.passed(), passed_over)?;
        }
        releases.keep();
        Ok(())
    }
}

/// The observation that an entry makes here: the only kind that is released.
pub(super) fn observed_here(
    recorded: &Recorded,
) -> Result<Option<(ObservationId, Facts)>, StoreError> {
    let Body::Observed(observed) = &recorded.body else {
        return Ok(None);
    };
    let observation = own_observation(&observed.observation)?;
    Ok(Some((observation.id(), observation.facts().clone())))
}
