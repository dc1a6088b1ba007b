//! Catching up: judging for recipients what was committed before it could be judged for them.

use super::observe::{COMMIT_OBSERVATIONS_MAX, ObserveError};
use super::run::{Moment, Releases};
use crate::node::{Counterpart, InForce, Node, Releasing};
use crate::store::{Recorded, StoreError, Write, own_observation};
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
}

/// What was observed before and is answered otherwise now, counted once for each recipient.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JudgedAgain {
    /// Disclosed now.
    pub disclosed: u64,
    /// Withheld now: for the first time, or by other layers than before.
    pub withheld: u64,
    /// Undecided now.
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
    for to in releasing.recipients(now.passed()) {
        catch_up_one(releasing, to, now, counts)?;
    }
    Ok(())
}

pub(super) fn catch_up_one(
    in_force: &InForce<'_>,
    to: Counterpart<'_>,
    now: Moment,
    counts: &mut JudgedAgain,
) -> Result<(), ObserveError> {
    let store = in_force.node().store();
    let judged = match store.outbox(&to.outbox()) {
        Some(outbox) => outbox.judged,
        None => {
            let mut open = in_force.judged();
            open.push(Write::OpenOutbox {
                partnership: to.partnership_id().clone(),
                recipient: to.organization().clone(),
            });
            in_force.commit(now.passed(), open)?;
            0
        }
    };
    let until = store.size();
    let mut from = judged;
    while from < until {
        from = catch_up_some(in_force, to, from, until, now, counts)?;
    }
    Ok(())
}

/// Judges the next observations from an entry on, as many as one commit takes. Returns how far it came.
fn catch_up_some<'g>(
    in_force: &'g InForce<'g>,
    to: Counterpart<'g>,
    from: u64,
    until: u64,
    now: Moment,
    counts: &mut JudgedAgain,
) -> Result<u64, ObserveError> {
    let mut releases = Releases::begin(in_force, now);
    let mut judged = in_force.judged();
    let mut found = 0;
    let mut upto = from;
    for recorded in in_force.node().store().entries(from, until) {
        let recorded = recorded?;
        upto = recorded.index + 1;
        if let Some((id, facts)) = observed_here(&recorded)? {
            let (verdict, more) = releases.release_to(to, id, &facts)?;
            judged.extend(more);
            counts.count(verdict);
            found += 1;
        }
        if found >= COMMIT_OBSERVATIONS_MAX {
            break;
        }
    }
    // Entries without observations are passed over without a commit until there are many.
    if found > 0 || upto - from >= PASSED_OVER_MAX {
        judged.push(Write::Judged {
            outbox: to.outbox(),
            upto: Some(upto),
        });
        in_force.commit(now.passed(), judged)?;
        releases.keep();
    }
    Ok(upto)
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
