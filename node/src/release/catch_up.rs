//! Catching up: judging for recipients what was committed before it could be judged for them.

use super::observe::{COMMIT_OBSERVATIONS_MAX, ObserveError};
use super::run::{Moment, Releases};
use crate::node::Node;
use crate::partnership::{Governance, Partnership};
use crate::store::{BoxKey, Recorded, StoreError, Write, own_observation};
use ambit_ledger::{Body, Facts, ObservationId, OrganizationId, Time};
use std::sync::MutexGuard;

/// After how many entries without an observation of this node's own a recipient's place is recorded all the
/// same, so that they are not read again at every start.
const PASSED_OVER_MAX: u64 = 4_096;

impl Node {
    /// Judges for every recipient what was not judged for it yet: a partnership came into force, or the
    /// node stopped in between. And judges again what was withheld on grounds that are no longer those.
    ///
    /// # Errors
    /// Any [`ObserveError`].
    pub fn catch_up(&self, now: Time) -> Result<(), ObserveError> {
        let now = Moment::of(self.instant(now)?);
        {
            let releasing = self.releasing_lock();
            let _judging = self.judging();
            self.catch_up_locked(&releasing, now)?;
        }
        self.offer_what_changed(now)?;
        self.notify();
        Ok(())
    }

    pub(super) fn catch_up_locked(
        &self,
        _releasing: &MutexGuard<'_, ()>,
        now: Moment,
    ) -> Result<(), ObserveError> {
        let governance = self.governance();
        for (partnership, recipient) in governance.recipients(now.passed()) {
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
}

pub(super) fn observed_here(
    recorded: &Recorded,
) -> Result<Option<(ObservationId, Facts)>, StoreError> {
    let Body::Observed(observed) = &recorded.body else {
        return Ok(None);
    };
    let observation = own_observation(&observed.observation)?;
    Ok(Some((observation.id(), observation.facts().clone())))
}
