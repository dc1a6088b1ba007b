//! Observing: sign, judge for every recipient, commit all of it at once.

use super::{Node, random_salt};
use crate::collect::Draft;
use crate::decisions::Deciding;
use crate::partnership::{Governance, GovernanceError, Partnership};
use crate::release::{self, DisclosureContext, Signed};
use crate::store::{BoxKey, Recorded, StoreError, Write, own_observation};
use ambit_ledger::{
    Body, Digest, Facts, ObservationId, OrganizationId, PartnershipId, ReadingsError, Salt, Time,
    Verdict,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::{MutexGuard, PoisonError};

/// The most observations in one commit: enough to spread a sync thin, few enough that a crash costs little
/// work to do again.
const COMMIT_OBSERVATIONS_MAX: usize = 64;

/// For how many recipients an observation is judged in its own commit: their outboxes lie in the commit's last
/// batch, which is short.
const FUSED_RECIPIENTS_MAX: usize = 32;

/// After how many entries without an observation of this node's own a recipient's place is recorded all the
/// same, so that they are not read again at every start.
const PASSED_OVER_MAX: u64 = 4_096;

/// Observations cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ObserveError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What is in force cannot be read.
    #[error(transparent)]
    Governance(#[from] GovernanceError),
    /// The readings cannot be one observation.
    #[error(transparent)]
    Readings(#[from] ReadingsError),
    /// The owner is another organization.
    #[error(
        "the facts name the owner `{0}`; an observation is made by its owner, so set `owner` to this node's organization"
    )]
    Owner(OrganizationId),
    /// The class of data is not in the taxonomy.
    #[error("{0}")]
    DataClass(String),
    /// The system gave no randomness.
    #[error("the system gave no randomness")]
    Randomness(#[source] getrandom::Error),
    /// The clock cannot be believed.
    #[error(transparent)]
    Clock(#[from] crate::clock::ClockError),
}

/// What became of what was observed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObserveReport {
    /// The new observations.
    pub observed: Vec<Observed>,
    /// How many were imported before, and so were left out.
    pub known: u64,
}

/// One new observation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observed {
    /// Its id.
    pub id: ObservationId,
    /// How many readings it groups.
    pub readings: u32,
    /// What was decided for each recipient.
    pub outcomes: Vec<RecipientOutcome>,
}

/// What was decided for one recipient.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecipientOutcome {
    /// Under which partnership.
    pub partnership: PartnershipId,
    /// For whom.
    pub recipient: OrganizationId,
    /// The answer.
    pub verdict: Verdict,
}

impl Node {
    /// Signs, judges and commits what was collected. Drafts from a file are remembered: the same again adds
    /// nothing.
    ///
    /// # Errors
    /// Any [`ObserveError`]; drafts committed before it stay.
    pub fn observe(
        &self,
        drafts: Vec<Draft>,
        is_import: bool,
        now: Time,
    ) -> Result<ObserveReport, ObserveError> {
        let releasing = self.releasing_lock();
        let judging = self.judging();
        let now = self.instant(now)?;
        let governance = self.governance();
        for draft in &drafts {
            check_draft(&governance, draft)?;
        }
        self.catch_up_locked(&releasing, now)?;
        let mut report = ObserveReport::default();
        let mut seen = BTreeSet::new();
        let mut drafts = drafts.into_iter().peekable();
        while drafts.peek().is_some() {
            let mut signed = Vec::new();
            for draft in drafts.by_ref().take(COMMIT_OBSERVATIONS_MAX) {
                let import = is_import.then(|| self.store.import_digest(&draft.fingerprint()));
                if let Some(import) = import
                    && (!seen.insert(import) || self.store.was_imported(&import)?)
                {
                    report.known += 1;
                    continue;
                }
                signed.push(self.sign(draft, import)?);
            }
            report
                .observed
                .extend(self.commit_observed(&governance, signed, now)?);
        }
        drop(judging);
        drop(releasing);
        if !report.observed.is_empty() {
            self.notify();
        }
        Ok(report)
    }

    fn sign(&self, draft: Draft, import: Option<Digest>) -> Result<Signed, ObserveError> {
        let salt = match &self.settings.example {
            Some(example) => {
                let fingerprint = draft.fingerprint();
                Salt::from_bytes(example.derive("salt", &[fingerprint.as_bytes()]))
            }
            None => random_salt().map_err(ObserveError::Randomness)?,
        };
        Ok(release::sign(
            draft,
            &self.settings.organization.id,
            &self.keys.statement,
            salt,
            import,
        )?)
    }

    fn commit_observed(
        &self,
        governance: &Governance,
        signed: Vec<Signed>,
        now: Time,
    ) -> Result<Vec<Observed>, ObserveError> {
        if signed.is_empty() {
            return Ok(Vec::new());
        }
        let mut deciding = self.decisions.begin(&self.store);
        let mut writes = Vec::new();
        let mut observed = Vec::new();
        for signed in signed {
            let facts = signed.facts.clone();
            writes.push(Write::Observed {
                id: signed.id,
                statement: signed.statement,
                readings: signed.readings,
                import: signed.import,
            });
            let mut outcomes = Vec::new();
            for (partnership, recipient) in governance.recipients().take(FUSED_RECIPIENTS_MAX) {
                let (verdict, more) = self.release_to(
                    &mut deciding,
                    governance,
                    (partnership, recipient),
                    signed.id,
                    &facts,
                    now,
                )?;
                writes.extend(more);
                outcomes.push(RecipientOutcome {
                    partnership: partnership.terms().partnership.clone(),
                    recipient: recipient.clone(),
                    verdict,
                });
            }
            observed.push(Observed {
                id: signed.id,
                readings: facts.reading_count,
                outcomes,
            });
        }
        for (partnership, recipient) in governance.recipients().take(FUSED_RECIPIENTS_MAX) {
            writes.push(Write::Judged {
                outbox: BoxKey::new(&partnership.terms().partnership, recipient),
                upto: None,
            });
        }
        self.store.commit(self.commit_of(now, writes))?;
        deciding.keep();
        self.judge_for_rest(governance, &mut observed, now)?;
        Ok(observed)
    }

    /// Judges what was just committed for the recipients that did not fit into that commit, each in one of its own.
    fn judge_for_rest(
        &self,
        governance: &Governance,
        observed: &mut [Observed],
        now: Time,
    ) -> Result<(), ObserveError> {
        for (partnership, recipient) in governance.recipients().skip(FUSED_RECIPIENTS_MAX) {
            self.catch_up_one(governance, partnership, recipient, now)?;
            let outbox = BoxKey::new(&partnership.terms().partnership, recipient);
            for observed in observed.iter_mut() {
                let outcome = self.store.outcome_for(&observed.id, &outbox)?;
                let recorded = outcome.map(|index| self.store.entry(index)).transpose()?;
                let verdict = match recorded.flatten().map(|recorded| recorded.body) {
                    Some(Body::Disclosed(_)) => Verdict::Admissible,
                    Some(Body::Withheld(withheld)) if withheld.undecided => Verdict::Undecided,
                    _ => Verdict::Withheld,
                };
                observed.outcomes.push(RecipientOutcome {
                    partnership: partnership.terms().partnership.clone(),
                    recipient: recipient.clone(),
                    verdict,
                });
            }
        }
        Ok(())
    }

    /// Judges one observation for one recipient.
    fn release_to(
        &self,
        deciding: &mut Deciding<'_>,
        governance: &Governance,
        to: (&Partnership, &OrganizationId),
        id: ObservationId,
        facts: &Facts,
        now: Time,
    ) -> Result<(Verdict, Vec<Write>), ObserveError> {
        let (partnership, recipient) = to;
        let released =
            release::judge_for(deciding, governance, partnership, recipient, facts, now)?;
        let verdict = released.verdict;
        let context = DisclosureContext {
            discloser: governance.organization(),
            key: &self.keys.statement,
            salt: random_salt().map_err(ObserveError::Randomness)?,
            now,
        };
        let writes = release::writes_for(released, partnership, recipient, id, &context);
        Ok((verdict, writes))
    }

    pub(super) fn releasing_lock(&self) -> MutexGuard<'_, ()> {
        self.releasing
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Judges for every recipient what was not judged for it yet: a partnership came into force, or the
    /// node stopped in between. And judges again what was undecided.
    ///
    /// # Errors
    /// Any [`ObserveError`].
    pub fn catch_up(&self, now: Time) -> Result<(), ObserveError> {
        let now = self.instant(now)?;
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

    fn catch_up_locked(
        &self,
        _releasing: &MutexGuard<'_, ()>,
        now: Time,
    ) -> Result<(), ObserveError> {
        let governance = self.governance();
        for (partnership, recipient) in governance.recipients() {
            self.catch_up_one(&governance, partnership, recipient, now)?;
        }
        Ok(())
    }

    fn catch_up_one(
        &self,
        governance: &Governance,
        partnership: &Partnership,
        recipient: &OrganizationId,
        now: Time,
    ) -> Result<(), ObserveError> {
        let outbox = BoxKey::new(&partnership.terms().partnership, recipient);
        let judged = match self.store.outbox(&outbox) {
            Some(outbox) => outbox.judged,
            None => {
                let open = Write::OpenOutbox {
                    partnership: partnership.terms().partnership.clone(),
                    recipient: recipient.clone(),
                };
                self.store.commit(self.commit_of(now, vec![open]))?;
                0
            }
        };
        let until = self.store.size();
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
        now: Time,
    ) -> Result<u64, ObserveError> {
        let mut deciding = self.decisions.begin(&self.store);
        let mut writes = Vec::new();
        let mut found = 0;
        let mut upto = from;
        for recorded in self.store.entries(from, until) {
            let recorded = recorded?;
            upto = recorded.index + 1;
            if let Some((id, facts)) = observed_here(&recorded)? {
                let (_, more) = self.release_to(&mut deciding, governance, to, id, &facts, now)?;
                writes.extend(more);
                found += 1;
            }
            if found >= COMMIT_OBSERVATIONS_MAX {
                break;
            }
        }
        // Entries without observations are passed over without a commit until there are many.
        if found > 0 || upto - from >= PASSED_OVER_MAX {
            let (partnership, recipient) = to;
            writes.push(Write::Judged {
                outbox: BoxKey::new(&partnership.terms().partnership, recipient),
                upto: Some(upto),
            });
            self.store.commit(self.commit_of(now, writes))?;
            deciding.keep();
        }
        Ok(upto)
    }

    fn judge_undecided(
        &self,
        governance: &Governance,
        partnership: &Partnership,
        recipient: &OrganizationId,
        now: Time,
    ) -> Result<(), ObserveError> {
        let outbox = BoxKey::new(&partnership.terms().partnership, recipient);
        for id in self.store.undecided(&outbox)? {
            let index = self.store.observation(&id)?;
            let recorded = index.map(|index| self.store.entry(index)).transpose()?;
            let Some(recorded) = recorded.flatten() else {
                continue;
            };
            let Some((id, facts)) = observed_here(&recorded)? else {
                continue;
            };
            let mut deciding = self.decisions.begin(&self.store);
            let to = (partnership, recipient);
            let (verdict, writes) =
                self.release_to(&mut deciding, governance, to, id, &facts, now)?;
            // Still undecided: the entry that says so is in the ledger already.
            if verdict != Verdict::Undecided {
                self.store.commit(self.commit_of(now, writes))?;
                deciding.keep();
            }
        }
        Ok(())
    }
}

fn check_draft(governance: &Governance, draft: &Draft) -> Result<(), ObserveError> {
    if draft.facts.owner != *governance.organization() {
        return Err(ObserveError::Owner(draft.facts.owner.clone()));
    }
    governance
        .layers()
        .taxonomies()
        .check_class(&draft.facts.data_class)
        .map_err(|unknown| ObserveError::DataClass(unknown.to_string()))
}

fn observed_here(recorded: &Recorded) -> Result<Option<(ObservationId, Facts)>, StoreError> {
    let Body::Observed(observed) = &recorded.body else {
        return Ok(None);
    };
    let observation = own_observation(&observed.observation)?;
    Ok(Some((observation.id(), observation.facts().clone())))
}
