//! Catching up: judging for recipients what was committed before it could be judged for them.

use super::observe::{COMMIT_OBSERVATIONS_MAX, ObserveError};
use super::run::{Moment, Releases};
use crate::node::Node;
use crate::partnership::{Governance, Partnership};
use crate::store::{BoxKey, Recorded, StoreError, Write, own_observation};
use ambit_ledger::{Body, Facts, ObservationId, OrganizationId, Time, Verdict};
use std::collections::BTreeMap;
use std::sync::MutexGuard;

/// After how many entries without an observation of this node's own a recipient's place is recorded all the
/// same, so that they are not read again at every start.
const PASSED_OVER_MAX: u64 = 4_096;

impl Node {
    /// Judges for every recipient what was not judged for it yet: a partnership came into force, or the
    /// node stopped in between. And judges again what was undecided.
    ///
    /// # Errors
    /// Any [`ObserveError`].
    pub fn catch_up(&self, now: Time) -> Result<(), ObserveError> {
        let now = Moment::of(self.instant(now)?);
        let releasing = self.releasing_lock();
        let judging = self.judging();
        self.catch_up_locked(&releasing, now)?;
        let governance = self.governance();
        for (partnership, recipient) in governance.recipients() {
            self.judge_undecided(&governance, partnership, recipient, now)?;
        }
        drop(judging);
        drop(releasing);
        self.notify();
        Ok(())
    }

    /// Catches up after the grounds of decisions changed, for one recipient or for all: what was withheld, or taken
    /// back before it left, is judged again too. It is the one place where a no is not for good.
    ///
    /// # Errors
    /// Any [`ObserveError`].
    pub(crate) fn catch_up_on_new_grounds(
        &self,
        recipient: Option<&OrganizationId>,
        now: Time,
    ) -> Result<(), ObserveError> {
        self.catch_up(now)?;
        let now = Moment::of(self.instant(now)?);
        let releasing = self.releasing_lock();
        let judging = self.judging();
        self.judge_kept_back(recipient, now)?;
        drop(judging);
        drop(releasing);
        self.notify();
        Ok(())
    }

    /// Reads the whole ledger: grounds change when a person changes them, and seldom.
    fn judge_kept_back(
        &self,
        of: Option<&OrganizationId>,
        now: Moment,
    ) -> Result<(), ObserveError> {
        let governance = self.governance();
        let recipients: BTreeMap<_, _> = governance
            .recipients()
            .filter(|(_, recipient)| of.is_none_or(|of| of == *recipient))
            .map(|(partnership, recipient)| {
                let outbox = BoxKey::new(&partnership.terms().partnership, recipient);
                (outbox, (partnership, recipient))
            })
            .collect();
        if recipients.is_empty() {
            return Ok(());
        }
        let mut again = Vec::new();
        for recorded in self.store().entries(0, self.store().size()) {
            let recorded = recorded?;
            let Some((id, outbox)) = self.kept_back(&recorded)? else {
                continue;
            };
            if let Some((partnership, recipient)) = recipients.get(&outbox) {
                again.push((*partnership, *recipient, id));
            }
            if again.len() >= COMMIT_OBSERVATIONS_MAX {
                self.judge_anew(&governance, std::mem::take(&mut again), now)?;
            }
        }
        self.judge_anew(&governance, again, now)
    }

    /// The observation that this entry keeps from a recipient, if it is the last word on it and no doubt.
    fn kept_back(
        &self,
        recorded: &Recorded,
    ) -> Result<Option<(ObservationId, BoxKey)>, StoreError> {
        match &recorded.body {
            Body::Withheld(withheld) if !withheld.undecided => {
                let outbox = BoxKey::new(&withheld.partnership, &withheld.recipient);
                let last = self.store().outcome_for(&withheld.observation, &outbox)?;
                let is_last = last == Some(recorded.index);
                Ok(is_last.then_some((withheld.observation, outbox)))
            }
            Body::Withdrawn(withdrawn) if !withdrawn.grounds.is_undecided() => {
                let outbox = BoxKey::new(&withdrawn.partnership, &withdrawn.recipient);
                let disclosed = self.store().outbox_item(&outbox, withdrawn.seq)?;
                let last = self.store().outcome_for(&withdrawn.observation, &outbox)?;
                let is_last = last.is_some() && last == disclosed;
                Ok(is_last.then_some((withdrawn.observation, outbox)))
            }
            _ => Ok(None),
        }
    }

    fn judge_anew(
        &self,
        governance: &Governance,
        again: Vec<(&Partnership, &OrganizationId, ObservationId)>,
        now: Moment,
    ) -> Result<(), ObserveError> {
        let mut releases = Releases::begin(self, governance, now);
        let mut writes = Vec::new();
        for (partnership, recipient, id) in again {
            let Some((id, facts)) = self.observed_facts(&id)? else {
                continue;
            };
            let (verdict, more) = releases.release_to(partnership, recipient, id, &facts)?;
            // Still a no: the ledger says so already, and only the new decision is new.
            let is_said = |write: &Write| {
                verdict == Verdict::Withheld && matches!(write, Write::Entry(Body::Withheld(_)))
            };
            writes.extend(more.into_iter().filter(|write| !is_said(write)));
        }
        if !writes.is_empty() {
            self.store().commit(self.commit_of(now.passed(), writes))?;
            releases.keep();
        }
        Ok(())
    }

    fn observed_facts(
        &self,
        id: &ObservationId,
    ) -> Result<Option<(ObservationId, Facts)>, StoreError> {
        let index = self.store().observation(id)?;
        let recorded = index.map(|index| self.store().entry(index)).transpose()?;
        match recorded.flatten() {
            Some(recorded) => observed_here(&recorded),
            None => Ok(None),
        }
    }

    pub(super) fn catch_up_locked(
        &self,
        _releasing: &MutexGuard<'_, ()>,
        now: Moment,
    ) -> Result<(), ObserveError> {
        let governance = self.governance();
        for (partnership, recipient) in governance.recipients() {
            self.catch_up_one(&governance, partnership, recipient, now)?;
        }
        Ok(())
    }

    pub(super) fn catch_up_one(
        &self,
        governance: &Governance,
        partnership: &Partnership,
        recipient: &OrganizationId,
        now: Moment,
    ) -> Result<(), ObserveError> {
        let outbox = BoxKey::new(&partnership.terms().partnership, recipient);
        let judged = match self.store().outbox(&outbox) {
            Some(outbox) => outbox.judged,
            None => {
                let open = Write::OpenOutbox {
                    partnership: partnership.terms().partnership.clone(),
                    recipient: recipient.clone(),
                };
                self.store()
                    .commit(self.commit_of(now.passed(), vec![open]))?;
                0
            }
        };
        let until = self.store().size();
        let mut from = judged;
        while from < until {
            from = self.catch_up_some(governance, (partnership, recipient), from, until, now)?;
        }
        Ok(())
    }

    /// Judges the next observations from an entry on, as many as one commit takes. Returns how far it came.
    fn catch_up_some(
        &self,
        governance: &Governance,
        to: (&Partnership, &OrganizationId),
        from: u64,
        until: u64,
        now: Moment,
    ) -> Result<u64, ObserveError> {
        let (partnership, recipient) = to;
        let mut releases = Releases::begin(self, governance, now);
        let mut writes = Vec::new();
        let mut found = 0;
        let mut upto = from;
        for recorded in self.store().entries(from, until) {
            let recorded = recorded?;
            upto = recorded.index + 1;
            if let Some((id, facts)) = observed_here(&recorded)? {
                let (_, more) = releases.release_to(partnership, recipient, id, &facts)?;
                writes.extend(more);
                found += 1;
            }
            if found >= COMMIT_OBSERVATIONS_MAX {
                break;
            }
        }
        // Entries without observations are passed over without a commit until there are many.
        if found > 0 || upto - from >= PASSED_OVER_MAX {
            writes.push(Write::Judged {
                outbox: BoxKey::new(&partnership.terms().partnership, recipient),
                upto: Some(upto),
            });
            self.store().commit(self.commit_of(now.passed(), writes))?;
            releases.keep();
        }
        Ok(upto)
    }

    fn judge_undecided(
        &self,
        governance: &Governance,
        partnership: &Partnership,
        recipient: &OrganizationId,
        now: Moment,
    ) -> Result<(), ObserveError> {
        let outbox = BoxKey::new(&partnership.terms().partnership, recipient);
        for id in self.store().undecided(&outbox)? {
            let Some((id, facts)) = self.observed_facts(&id)? else {
                continue;
            };
            let mut releases = Releases::begin(self, governance, now);
            let (verdict, writes) = releases.release_to(partnership, recipient, id, &facts)?;
            // Still undecided: the entry that says so is in the ledger already.
            if verdict != Verdict::Undecided {
                self.store().commit(self.commit_of(now.passed(), writes))?;
                releases.keep();
            }
        }
        Ok(())
    }
}

fn observed_here(recorded: &Recorded) -> Result<Option<(ObservationId, Facts)>, StoreError> {
    let Body::Observed(observed) = &recorded.body else {
        return Ok(None);
    };
    let observation = own_observation(&observed.observation)?;
    Ok(Some((observation.id(), observation.facts().clone())))
}
