//! One run of releasing: what is observed or caught up on under one set of what is in force, at one instant.

use super::disclose::{self, DisclosureContext, Release, Signed};
use super::observe::{FUSED_RECIPIENTS_MAX, NewObservation, ObserveError, RecipientOutcome};
use crate::node::{Counterpart, Deciding, InForce, JudgedWrites, Ready};
use crate::randomness::Randomness;
use crate::store::{Pending, StoreError, Write};
use ambit_ledger::{Facts, ObservationId, Time, Verdict};
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

    /// The same under what is in force, which may have come into force while its guard was waited for: nothing is judged
    /// or signed at an instant before that.
    pub(super) fn under(self, in_force: &InForce<'_>) -> Self {
        let since = in_force.since();
        if self.passed() < since {
            Self::of(since)
        } else {
            self
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
pub(super) struct Releases<'g> {
    in_force: &'g InForce<'g>,
    deciding: Deciding<'g>,
    randomness: Randomness,
    now: Moment,
    /// For whom is judged: the same all the time, whatever ends meanwhile.
    recipients: Vec<Counterpart<'g>>,
}

/// A commit made ready, and what it says.
#[derive(Debug)]
pub(super) struct Ahead<'g> {
    pub(super) commit: Ready<'g>,
    pub(super) observed: Vec<NewObservation>,
    /// Whether it records decisions that later commits may refer to.
    pub(super) decides: bool,
}

impl<'g> Releases<'g> {
    pub(super) fn begin(in_force: &'g InForce<'g>, now: Moment) -> Self {
        let now = now.under(in_force);
        Self {
            in_force,
            deciding: in_force.deciding(),
            randomness: Randomness::default(),
            recipients: in_force.recipients(now.passed()).collect(),
            now,
        }
    }

    /// The recipients that an observation is judged for in its own commit, and the rest.
    pub(super) fn recipients(&self) -> (&[Counterpart<'g>], &[Counterpart<'g>]) {
        let fused = self.recipients.len().min(FUSED_RECIPIENTS_MAX);
        self.recipients.split_at(fused)
    }

    /// The instant it is by now, for the commit of what was judged.
    pub(super) fn passed(&self) -> Time {
        self.now.passed()
    }

    /// Remembers what was decided, once all of it is on the disk.
    pub(super) fn keep(self) {
        self.deciding.keep();
    }

    /// Hands a commit over to the writer.
    pub(super) fn submit(&self, commit: Ready<'g>) -> Result<Pending, StoreError> {
        self.in_force.submit(commit)
    }

    /// Judges and seals what was signed.
    pub(super) fn prepare(&mut self, signed: Vec<Signed>) -> Result<Ahead<'g>, ObserveError> {
        let decided_before = self.deciding.fresh();
        let mut judged = self.in_force.nothing_judged();
        let mut observed = Vec::new();
        for signed in signed {
            observed.push(self.release(signed, &mut judged)?);
        }
        for to in self.recipients().0 {
            judged.push(Write::Judged {
                outbox: to.outbox(),
                upto: None,
            });
        }
        Ok(Ahead {
            commit: self.in_force.prepare(self.now.passed(), judged)?,
            observed,
            decides: self.deciding.fresh() > decided_before,
        })
    }

    /// Judges an observation for the recipients that fit into its own commit.
    fn release(
        &mut self,
        signed: Signed,
        judged: &mut JudgedWrites<'g>,
    ) -> Result<NewObservation, ObserveError> {
        let Signed { id, facts, .. } = signed;
        judged.push(Write::Observed {
            id,
            // Only an example's salt is not drawn.
            is_new: self.in_force.node().settings().example.is_none(),
            facts: Box::new(facts.clone()),
            elements: signed.elements,
            statement: signed.statement,
            readings: signed.readings,
            import: signed.import,
        });
        let mut outcomes = Vec::new();
        for to in self.recipients().0.to_vec() {
            let (verdict, more) = self.release_to(to, id, &facts)?;
            judged.extend(more);
            outcomes.push(RecipientOutcome {
                partnership: to.partnership_id().clone(),
                recipient: to.organization().clone(),
                verdict,
            });
        }
        Ok(NewObservation {
            id,
            readings: facts.reading_count,
            outcomes,
        })
    }

    /// Judges one observation for one recipient. Returns what to commit with it.
    pub(super) fn release_to(
        &mut self,
        to: Counterpart<'g>,
        id: ObservationId,
        facts: &Facts,
    ) -> Result<(Verdict, JudgedWrites<'g>), StoreError> {
        let released = self.judge(to, facts)?;
        let verdict = released.verdict;
        Ok((verdict, self.judged(released, to, id)?))
    }

    /// Judges one observation for one recipient, and signs nothing.
    pub(super) fn judge(
        &mut self,
        to: Counterpart<'g>,
        facts: &Facts,
    ) -> Result<Release<'g>, StoreError> {
        let now = self.now.passed();
        disclose::judge_for(&mut self.deciding, to, facts, now)
    }

    /// What to commit for what was judged.
    pub(super) fn judged(
        &mut self,
        released: Release<'g>,
        to: Counterpart<'g>,
        id: ObservationId,
    ) -> Result<JudgedWrites<'g>, StoreError> {
        let context = DisclosureContext {
            discloser: self.in_force.organization(),
            key: &self.in_force.node().keys().statement,
            salt: self.randomness.salt()?,
            now: self.now.passed(),
        };
        disclose::release_to(self.in_force, released, to, id, &context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::Node;

    #[test]
    fn what_began_before_something_came_into_force_goes_on_after_it() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().join("home");
        let begun: Time = "2026-05-01T08:00:00.25Z".parse().unwrap();
        let settings = "[organization]\nid = \"did:web:a.example\"\nname = \"A\"\nseat = \"DE\"\n\
                        hosting = [\"DE\"]\npersonnel = [\"DE\"]\n";
        Node::init(&home, &toml::from_str(settings).unwrap(), begun).unwrap();
        let node = Node::open(&home).unwrap();
        let in_force = node.judging();
        assert_eq!(in_force.since(), begun);
        let earlier = Moment::of("2026-05-01T08:00:00Z".parse().unwrap());
        assert!(earlier.under(&in_force).passed() >= begun);
        let later: Time = "2026-05-01T08:00:00.75Z".parse().unwrap();
        assert!(Moment::of(later).under(&in_force).passed() >= later);
    }
}
