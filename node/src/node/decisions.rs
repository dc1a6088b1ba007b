//! Decisions that stay true: judged once per class, used until their interval ends.
//!
//! What is remembered is recorded: a decision that a commit is still to record lives in a [`Deciding`] of its
//! own, and is remembered for others only once that commit is done. Decisions that are never recorded, about what a peer sent and
//! was not taken, are few and remembered apart, so that nobody who sends such things has others forgotten.

use super::{InForce, JudgedWrites};
use crate::randomness::Randomness;
use crate::store::{Store, StoreError, Write};
use ambit_ledger::{Body, Decided, Decision, Digest, Inquiry, Time, Verdict};
use ambit_policy::{Layers, class_key, judge, recordable};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How many bytes of recorded decisions are kept in memory, as they are written; the rest are read from the store again.
pub const DECISIONS_BYTES: u64 = 8 * 1024 * 1024;
/// How many bytes of those that are recorded nowhere.
const UNRECORDED_BYTES: u64 = 512 * 1024;

type ByClass = HashMap<Digest, Known>;

/// A decision, the digest that names it, and its length.
#[derive(Clone, Debug)]
struct Known {
    decision: Arc<Decision>,
    digest: Digest,
    bytes: u64,
}

impl Known {
    fn of(decision: Decision) -> Self {
        // As `Decision::digest` has it, encoded once for both.
        let encoded = ambit_ledger::encode(&decision);
        Self {
            digest: Digest::of(&encoded),
            bytes: encoded.len() as u64,
            decision: Arc::new(decision),
        }
    }
}

/// Decisions that are remembered.
#[derive(Debug, Default)]
struct Kept {
    by_class: ByClass,
    bytes: u64,
}

impl Kept {
    /// Remembers more of them. Where they do not fit, all that were remembered are forgotten.
    fn extend(&mut self, more: ByClass, bytes_max: u64) {
        let added: u64 = more.values().map(|known| known.bytes).sum();
        if self.bytes + added > bytes_max {
            *self = Self::default();
        }
        for (class, known) in more {
            if self.bytes + known.bytes > bytes_max {
                return;
            }
            self.bytes += known.bytes;
            if let Some(before) = self.by_class.insert(class, known) {
                self.bytes -= before.bytes;
            }
        }
    }
}

/// Remembers recorded decisions by class.
#[derive(Debug, Default)]
pub struct Decisions {
    kept: Mutex<Kept>,
    unrecorded: Mutex<Kept>,
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

    /// How many are remembered that are recorded, and how many that are not.
    #[cfg(test)]
    pub(crate) fn remembered(&self) -> [usize; 2] {
        [&self.kept, &self.unrecorded].map(|kept| lock(kept).by_class.len())
    }

    fn of_class(&self, class: &Digest) -> Option<Known> {
        let in_one = |kept: &Mutex<Kept>| lock(kept).by_class.get(class).cloned();
        in_one(&self.kept).or_else(|| in_one(&self.unrecorded))
    }

    fn next_end(&self) -> MutexGuard<'_, Option<Time>> {
        self.next_end.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn lock(kept: &Mutex<Kept>) -> MutexGuard<'_, Kept> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
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
    unrecorded: ByClass,
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
            unrecorded: HashMap::new(),
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
        if let Some(known) = self.known(&class)?
            && known.decision.is_true_at(now)
        {
            return Ok(Judgement {
                decision: known.decision,
                digest: known.digest,
                judged: self.in_force.nothing_judged(),
            });
        }
        let judged = judge(layers, inquiry, now);
        let decision = recordable(judged.decision).salted(Randomness::default().salt()?);
        let decided = Body::Decided(Decided {
            decision: decision.clone(),
        });
        let known = Known::of(decision);
        self.fresh.insert(class, known.clone());
        let mut to_commit = self.in_force.nothing_judged();
        to_commit.push(Write::Blob(judged.slice));
        to_commit.push(Write::Entry(decided));
        Ok(Judgement {
            decision: known.decision,
            digest: known.digest,
            judged: to_commit,
        })
    }

    /// How many decisions are to be recorded.
    #[must_use]
    pub fn fresh(&self) -> usize {
        self.fresh.len()
    }

    /// How many decisions were made, whether they are to be recorded or not.
    #[must_use]
    pub fn made(&self) -> usize {
        self.fresh.len() + self.unrecorded.len()
    }

    /// A decision of this [`Deciding`] that nothing will refer to, so that it is not recorded.
    pub fn leave_unrecorded(&mut self, decision: &Digest) {
        let mut fresh = self.fresh.iter();
        let class = fresh.find(|(_, known)| known.digest == *decision);
        if let Some(class) = class.map(|(class, _)| *class)
            && let Some(known) = self.fresh.remove(&class)
        {
            self.unrecorded.insert(class, known);
        }
    }

    /// Remembers what was decided, once it is committed. Dropped without, nothing is remembered.
    pub fn keep(self) {
        lock(&self.decisions.kept).extend(self.fresh, DECISIONS_BYTES);
        lock(&self.decisions.unrecorded).extend(self.unrecorded, UNRECORDED_BYTES);
    }

    fn known(&self, class: &Digest) -> Result<Option<Known>, StoreError> {
        let here = self.fresh.get(class).or_else(|| self.unrecorded.get(class));
        let known = here.cloned().or_else(|| self.decisions.of_class(class));
        if known.is_some() {
            return Ok(known);
        }
        let recorded = self.store.decision_of_class(class)?;
        Ok(recorded.map(Known::of))
    }
}
