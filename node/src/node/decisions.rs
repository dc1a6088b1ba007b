//! Decisions that stay true: judged once per class, used until their interval ends.
//!
//! What is remembered is recorded: a decision that a commit is still to record lives in a [`Deciding`] of its
//! own, and is remembered for others only once that commit is done.

use super::{InForce, JudgedWrites};
use crate::randomness::Randomness;
use crate::store::{Store, StoreError, Write};
use ambit_ledger::{Body, Decided, Decision, Digest, Inquiry, Time, Verdict};
use ambit_policy::{Layers, class_key, judge, recordable};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How many decisions are kept in memory; the rest are read from the store again.
const KEPT_MAX: usize = 4_096;
/// About how many bytes they take at most, some 2 KiB each.
pub const DECISIONS_BYTES: u64 = KEPT_MAX as u64 * 2 * 1024;

type ByClass = HashMap<Digest, (Arc<Decision>, Digest)>;

/// Remembers recorded decisions by class.
#[derive(Debug, Default)]
pub struct Decisions {
    kept: Mutex<ByClass>,
    /// When the first of those that keep something back is no longer true; absent where none ends.
    next_end: Mutex<Option<Time>>,
}

impl Decisions {
    /// Notes a decision that is in use: what it keeps back is judged again when it is no longer true.
    pub(crate) fn note_end(&self, decision: &Decision) {
        let Some(until) = decision.true_until else {
            return;
        };
        if decision.verdict() != Verdict::Admissible {
            let mut next = self.next_end();
            *next = Some(next.map_or(until, |next| next.min(until)));
        }
    }

    /// Whether one of them ended since this was asked last.
    pub(crate) fn has_ended(&self, now: Time) -> bool {
        let mut next = self.next_end();
        let has_ended = next.is_some_and(|next| next <= now);
        if has_ended {
            // Whoever judges again notes those that go on.
            *next = None;
        }
        has_ended
    }

    fn next_end(&self) -> MutexGuard<'_, Option<Time>> {
        self.next_end.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A decision and the digest that names it.
#[derive(Clone, Debug)]
pub struct Judgement<'g> {
    /// The decision.
    pub decision: Arc<Decision>,
    /// Its digest.
    pub digest: Digest,
    /// What is to be committed before anything refers to it; nothing where it is recorded already, or is to be
    /// by what was decided before.
    pub judged: JudgedWrites<'g>,
}

/// The decisions behind one commit, under what is in force until then.
#[derive(Debug)]
pub struct Deciding<'g> {
    in_force: &'g InForce<'g>,
    decisions: &'g Decisions,
    store: &'g Store,
    fresh: ByClass,
}

impl<'g> Deciding<'g> {
    pub(super) fn begin(
        in_force: &'g InForce<'g>,
        decisions: &'g Decisions,
        store: &'g Store,
    ) -> Self {
        Self {
            in_force,
            decisions,
            store,
            fresh: HashMap::new(),
        }
    }

    /// What is in force.
    #[must_use]
    pub fn in_force(&self) -> &'g InForce<'g> {
        self.in_force
    }

    /// The decision for an inquiry: one known for its class where it is still true, else a new one.
    ///
    /// # Errors
    /// [`StoreError`] where recorded decisions cannot be read, or the system gives no randomness.
    pub fn decide(
        &mut self,
        layers: &Layers,
        inquiry: &Inquiry,
        now: Time,
    ) -> Result<Judgement<'g>, StoreError> {
        let judgement = self.decide_class(layers, inquiry, now)?;
        self.decisions.note_end(&judgement.decision);
        if judgement.decision.leaves_undecided() {
            let node = self.in_force.node();
            node.note_undecided(&judgement.decision);
        }
        Ok(judgement)
    }

    fn decide_class(
        &mut self,
        layers: &Layers,
        inquiry: &Inquiry,
        now: Time,
    ) -> Result<Judgement<'g>, StoreError> {
        let class = class_key(layers, inquiry);
        if let Some((decision, digest)) = self.known(&class)?
            && decision.is_true_at(now)
        {
            return Ok(Judgement {
                decision,
                digest,
                judged: self.in_force.nothing_judged(),
            });
        }
        let judged = judge(layers, inquiry, now);
        let decision = recordable(judged.decision).salted(Randomness::default().salt()?);
        let digest = decision.digest();
        let decided = Body::Decided(Decided {
            decision: decision.clone(),
        });
        let decision = Arc::new(decision);
        self.fresh.insert(class, (Arc::clone(&decision), digest));
        let mut to_commit = self.in_force.nothing_judged();
        to_commit.push(Write::Blob(judged.slice));
        to_commit.push(Write::Entry(decided));
        Ok(Judgement {
            decision,
            digest,
            judged: to_commit,
        })
    }

    /// How many decisions are to be recorded.
    #[must_use]
    pub fn fresh(&self) -> usize {
        self.fresh.len()
    }

    /// Remembers what was decided, once it is committed. Dropped without, nothing is remembered.
    pub fn keep(self) {
        let mut kept = self
            .decisions
            .kept
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if kept.len() + self.fresh.len() > KEPT_MAX {
            kept.clear();
        }
        kept.extend(self.fresh);
    }

    fn known(&self, class: &Digest) -> Result<Option<(Arc<Decision>, Digest)>, StoreError> {
        if let Some(fresh) = self.fresh.get(class) {
            return Ok(Some(fresh.clone()));
        }
        let kept = self
            .decisions
            .kept
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(class)
            .cloned();
        if kept.is_some() {
            return Ok(kept);
        }
        let recorded = self.store.decision_of_class(class)?;
        Ok(recorded.map(|decision| {
            let digest = decision.digest();
            (Arc::new(decision), digest)
        }))
    }
}
