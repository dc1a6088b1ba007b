//! Observing: sign, judge for every recipient, commit all of it at once.

use super::catch_up::{JudgedAgain, catch_up, catch_up_these};
use super::disclose::SignError;
use super::run::{Moment, Releases};
use super::signing::{SignedChunk, Signing};
use crate::collect::{AheadError, Draft, check_ahead};
use crate::failure::{Failure, FailureKind};
use crate::node::{Ask, Counterpart, InForce, Node, Stands};
use crate::partnership::{Governance, GovernanceError};
use crate::randomness::RandomnessError;
use crate::store::{Pending, StoreError};
use ambit_ledger::{ObservationId, OrganizationId, PartnershipId, Time, Verdict};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::sync::mpsc;

/// Signs, judges and commits drafts.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Observe {
    /// What was collected.
    pub drafts: Vec<Draft>,
    /// Whether the same again is to add nothing.
    pub is_import: bool,
}

impl Ask for Observe {
    type Answer = ObserveReport;

    fn answer(self, node: &Node, now: Time) -> Result<ObserveReport, Failure> {
        Ok(node.observe(self.drafts, self.is_import, now)?)
    }
}

/// The most observations in one commit: enough to spread a sync thin, few enough that a crash costs little
/// work to do again, and that the next can be made ready meanwhile.
pub(super) const COMMIT_OBSERVATIONS_MAX: usize = 32;

/// How many commits' worth may be signed ahead of judging.
const CHUNKS_AHEAD_MAX: usize = 3;

/// How many commits may be on their way to the disk while the next is made ready: one that is being written, and
/// some for the writer to take together after it.
const COMMITS_AHEAD_MAX: usize = 12;

/// For how many recipients an observation is judged in its own commit: their outboxes lie in the commit's last
/// batch, which is short.
pub(super) const FUSED_RECIPIENTS_MAX: usize = 32;

/// Observations cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ObserveError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What is in force cannot be read.
    #[error(transparent)]
    Governance(#[from] GovernanceError),
    /// What was collected cannot be one observation.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// The owner is another organization.
    #[error(
        "the facts name the owner `{0}`; an observation is made by its owner, so set `owner` to this node's organization"
    )]
    Owner(OrganizationId),
    /// The class of data is not in the taxonomy.
    #[error("{0}")]
    DataClass(String),
    /// A reading is of an instant that has not come yet.
    #[error("an observation cannot be of that time")]
    Ahead(#[from] AheadError),
    /// The system gave no randomness.
    #[error(transparent)]
    Randomness(#[from] RandomnessError),
    /// The clock cannot be believed.
    #[error(transparent)]
    Clock(#[from] crate::clock::ClockError),
}

impl From<ObserveError> for Failure {
    fn from(error: ObserveError) -> Self {
        let kind = match &error {
            ObserveError::Clock(_) => FailureKind::TryAgain,
            ObserveError::Store(_)
            | ObserveError::Governance(_)
            | ObserveError::Sign(_)
            | ObserveError::Owner(_)
            | ObserveError::DataClass(_)
            | ObserveError::Ahead(_)
            | ObserveError::Randomness(_) => FailureKind::Failed,
        };
        Self::new(kind, &error)
    }
}

/// What became of what was observed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObserveReport {
    /// The new observations.
    pub observed: Vec<NewObservation>,
    /// How many were imported before, and so were left out.
    pub known: u64,
}

/// One new observation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewObservation {
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
        // By the clock before the locks: to wait for them is no fault of the clock's.
        let instant = self.instant(now)?;
        let now = Moment::of(instant);
        let releasing = self.releasing();
        for draft in &drafts {
            check_draft(&releasing, draft, instant)?;
        }
        catch_up(&releasing, now, &mut JudgedAgain::default())?;
        let mut report = ObserveReport::default();
        let mut releases = Releases::begin(&releasing, now);
        let mut submitted = VecDeque::new();
        let signing = Signing::new(self, drafts, is_import);
        let done = if signing.is_short() {
            self.submit_all(signing, &mut releases, (&mut submitted, false), &mut report)
        } else {
            std::thread::scope(|scope| {
                let (chunks, signed) = mpsc::sync_channel(CHUNKS_AHEAD_MAX);
                scope.spawn(move || {
                    for chunk in signing {
                        let is_last = chunk.is_err();
                        // Nobody takes more once a commit failed.
                        if chunks.send(chunk).is_err() || is_last {
                            return;
                        }
                    }
                });
                self.submit_all(signed, &mut releases, (&mut submitted, true), &mut report)
            })
        };
        // What is on its way counts, whatever became of the others, and the first failure says why.
        let mut failed = done.err();
        while !submitted.is_empty() {
            if let Err(error) = self.wait_for(&mut submitted, &mut report) {
                failed.get_or_insert(error.into());
            }
        }
        if let Some(error) = failed {
            return Err(error);
        }
        let (_, rest) = releases.recipients();
        let rest = rest.to_vec();
        releases.keep();
        judge_for_rest(&releasing, &rest, &mut report.observed, now)?;
        if !rest.is_empty() {
            self.notify();
        }
        Ok(report)
    }

    /// Makes commits ready and hands them over, ahead of the disk where there are several. Some are still on their way when it returns.
    fn submit_all(
        &self,
        signed: impl IntoIterator<Item = Result<SignedChunk, ObserveError>>,
        releases: &mut Releases<'_>,
        (submitted, are_several): (&mut VecDeque<Submitted>, bool),
        report: &mut ObserveReport,
    ) -> Result<(), ObserveError> {
        for chunk in signed {
            let chunk = chunk?;
            report.known += chunk.known;
            if chunk.signed.is_empty() {
                continue;
            }
            let ahead = releases.prepare(chunk.signed)?;
            while is_to_wait(submitted) {
                self.wait_for(submitted, report)?;
            }
            let mut pending = releases.submit(ahead.commit)?;
            if are_several {
                pending.begin();
            }
            submitted.push_back(Submitted {
                pending,
                observed: ahead.observed,
                decides: ahead.decides,
            });
        }
        Ok(())
    }

    /// Waits until the oldest commit is on the disk.
    fn wait_for(
        &self,
        submitted: &mut VecDeque<Submitted>,
        report: &mut ObserveReport,
    ) -> Result<(), StoreError> {
        if let Some(oldest) = submitted.pop_front() {
            oldest.pending.wait()?;
            report.observed.extend(oldest.observed);
            self.notify();
        }
        Ok(())
    }
}

/// Judges what was just committed for the recipients that did not fit into that commit, each in one of its own.
fn judge_for_rest(
    in_force: &InForce<'_>,
    recipients: &[Counterpart<'_>],
    observed: &mut [NewObservation],
    now: Moment,
) -> Result<(), ObserveError> {
    let store = in_force.node().store();
    catch_up_these(in_force, recipients, now, &mut JudgedAgain::default())?;
    for to in recipients {
        let outbox = to.outbox();
        for observed in observed.iter_mut() {
            let said = Stands::now(store, &observed.id, &outbox)?;
            // Where nothing is said yet, nothing was disclosed.
            let verdict = said.map_or(Verdict::Withheld, |said| said.became.verdict());
            observed.outcomes.push(RecipientOutcome {
                partnership: to.partnership_id().clone(),
                recipient: to.organization().clone(),
                verdict,
            });
        }
    }
    Ok(())
}

/// A commit of observations on its way to the disk.
struct Submitted {
    pending: Pending,
    observed: Vec<NewObservation>,
    /// Whether it records decisions: what refers to them is handed over only once they are on the disk.
    decides: bool,
}

fn is_to_wait(submitted: &VecDeque<Submitted>) -> bool {
    submitted.len() >= COMMITS_AHEAD_MAX || submitted.iter().any(|commit| commit.decides)
}

fn check_draft(governance: &Governance, draft: &Draft, now: Time) -> Result<(), ObserveError> {
    if let Some((_, latest)) = draft.span() {
        check_ahead(latest, now)?;
    }
    if draft.facts.owner != *governance.organization() {
        return Err(ObserveError::Owner(draft.facts.owner.clone()));
    }
    governance
        .layers()
        .taxonomies()
        .check_class(&draft.facts.data_class)
        .map_err(|unknown| ObserveError::DataClass(unknown.to_string()))
}
