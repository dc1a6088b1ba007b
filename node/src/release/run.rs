//! One run of releasing: what is observed or caught up on under one set of what is in force, at one instant.

use super::disclose::{self, DisclosureContext, Release, Signed};
use super::observe::{FUSED_RECIPIENTS_MAX, ObserveError, Observed, RecipientOutcome};
use crate::node::{Deciding, Node};
use crate::partnership::{Governance, Partnership};
use crate::randomness::Randomness;
use crate::store::{BoxKey, Prepared, Write};
use ambit_ledger::{Facts, ObservationId, OrganizationId, Time, Verdict};
use std::time::Instant;

/// When something began, which may take long: what is judged and recorded late in it is not dated back.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    began: Time,
    at: Instant,
}

impl Moment {
    pub(super) fn of(began: Time) -> Self {
        Self {
            began,
            at: Instant::now(),
        }
    }

    /// The instant it is by now, in whole seconds since it began.
    pub(super) fn passed(&self) -> Time {
        let seconds = self.at.elapsed().as_secs();
        self.began
            .plus_seconds(u32::try_from(seconds).unwrap_or(u32::MAX))
    }
}

/// Judges, and signs disclosures. Nothing of it counts before the commits it makes are on the disk.
#[derive(Debug)]
pub(super) struct Releases<'a> {
    node: &'a Node,
    governance: &'a Governance,
    deciding: Deciding<'a>,
    randomness: Randomness,
    now: Moment,
    /// For whom is judged: the same all the time, whatever ends meanwhile.
    recipients: Vec<Recipient<'a>>,
}

/// A member of a partnership, to whom something is released.
pub(super) type Recipient<'a> = (&'a Partnership, &'a OrganizationId);

/// A commit made ready, and what it says.
#[derive(Debug)]
pub(super) struct Ahead {
    pub(super) commit: Prepared,
    pub(super) observed: Vec<Observed>,
    /// Whether it records decisions that later commits may refer to.
    pub(super) decides: bool,
}

impl<'a> Releases<'a> {
    pub(super) fn begin(node: &'a Node, governance: &'a Governance, now: Moment) -> Self {
        Self {
            node,
            governance,
            deciding: node.decisions().begin(node.store()),
            randomness: Randomness::default(),
            recipients: governance.recipients(now.passed()).collect(),
            now,
        }
    }

    /// The recipients that an observation is judged for in its own commit, and the rest.
    pub(super) fn recipients(&self) -> (&[Recipient<'a>], &[Recipient<'a>]) {
        let fused = self.recipients.len().min(FUSED_RECIPIENTS_MAX);
        self.recipients.split_at(fused)
    }

    /// Remembers what was decided, once all of it is on the disk.
    pub(super) fn keep(self) {
        self.deciding.keep();
    }

    /// Judges and seals what was signed.
    pub(super) fn prepare(&mut self, signed: Vec<Signed>) -> Result<Ahead, ObserveError> {
        let decided_before = self.deciding.fresh();
        let mut writes = Vec::new();
        let mut observed = Vec::new();
        for signed in signed {
            observed.push(self.release(signed, &mut writes)?);
        }
        for (partnership, recipient) in self.recipients().0 {
            writes.push(Write::Judged {
                outbox: BoxKey::new(&partnership.terms().partnership, recipient),
                upto: None,
            });
        }
        let commit = self.node.commit_of(self.now.passed(), writes);
        Ok(Ahead {
            commit: self.node.store().prepare(commit)?,
            observed,
            decides: self.deciding.fresh() > decided_before,
        })
    }

    /// Judges an observation for the recipients that fit into its own commit.
    fn release(
        &mut self,
        signed: Signed,
        writes: &mut Vec<Write>,
    ) -> Result<Observed, ObserveError> {
        let Signed { id, facts, .. } = signed;
        writes.push(Write::Observed {
            id,
            statement: signed.statement,
            readings: signed.readings,
            import: signed.import,
        });
        let mut outcomes = Vec::new();
        for (partnership, recipient) in self.recipients().0.to_vec() {
            let (verdict, more) = self.release_to(partnership, recipient, id, &facts)?;
            writes.extend(more);
            outcomes.push(RecipientOutcome {
                partnership: partnership.terms().partnership.clone(),
                recipient: recipient.clone(),
                verdict,
            });
        }
        Ok(Observed {
            id,
            readings: facts.reading_count,
            outcomes,
        })
    }

    /// Judges one observation for one recipient. Returns what to commit with it.
    pub(super) fn release_to(
        &mut self,
        partnership: &Partnership,
        recipient: &OrganizationId,
        id: ObservationId,
        facts: &Facts,
    ) -> Result<(Verdict, Vec<Write>), ObserveError> {
        let released = self.judge(partnership, recipient, facts)?;
        let verdict = released.verdict;
        Ok((verdict, self.writes(released, partnership, recipient, id)?))
    }

    /// Judges one observation for one recipient, and signs nothing.
    pub(super) fn judge(
        &mut self,
        partnership: &Partnership,
        recipient: &OrganizationId,
        facts: &Facts,
    ) -> Result<Release, ObserveError> {
        let (governance, now) = (self.governance, self.now.passed());
        let deciding = &mut self.deciding;
        let judged = disclose::judge_for(deciding, governance, partnership, recipient, facts, now);
        Ok(judged?)
    }

    /// What to commit for what was judged.
    pub(super) fn writes(
        &mut self,
        released: Release,
        partnership: &Partnership,
        recipient: &OrganizationId,
        id: ObservationId,
    ) -> Result<Vec<Write>, ObserveError> {
        let context = DisclosureContext {
            discloser: self.governance.organization(),
            key: &self.node.keys().statement,
            salt: self.randomness.salt()?,
            now: self.now.passed(),
        };
        Ok(disclose::writes_for(
            released,
            partnership,
            recipient,
            id,
            &context,
        ))
    }
}
