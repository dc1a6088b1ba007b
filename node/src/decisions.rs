//! Decisions that stay true: judged once per class, used until their interval ends.

use crate::store::{Store, StoreError, Write};
use ambit_ledger::{Body, Decided, Decision, Digest, Inquiry, Time};
use ambit_policy::{Layers, class_key, judge};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// How many decisions are kept in memory, some 2 KiB each; the rest are read from the store again.
const KEPT_MAX: usize = 4_096;

/// A decision and the digest that names it.
#[derive(Clone, Debug)]
pub struct Judgement {
    /// The decision.
    pub decision: Arc<Decision>,
    /// Its digest.
    pub digest: Digest,
    /// What is to be committed before anything refers to it; nothing where it is recorded already.
    pub writes: Vec<Write>,
}

/// Remembers decisions by class.
#[derive(Debug, Default)]
pub struct Decisions {
    kept: Mutex<HashMap<Digest, (Arc<Decision>, Digest)>>,
}

impl Decisions {
    /// The decision for an inquiry: one already recorded for its class where it is still true, else a new one.
    ///
    /// # Errors
    /// [`StoreError`] where recorded decisions cannot be read.
    pub fn decide(
        &self,
        store: &Store,
        layers: &Layers,
        inquiry: &Inquiry,
        now: Time,
    ) -> Result<Judgement, StoreError> {
        let class = class_key(layers, inquiry);
        if let Some((decision, digest)) = self.known(store, &class)?
            && decision.is_true_at(now)
        {
            return Ok(Judgement {
                decision,
                digest,
                writes: Vec::new(),
            });
        }
        let judged = judge(layers, inquiry, now);
        let digest = judged.decision.digest();
        let decided = Body::Decided(Decided {
            decision: judged.decision.clone(),
        });
        Ok(Judgement {
            decision: Arc::new(judged.decision),
            digest,
            writes: vec![Write::Blob(judged.slice), Write::Entry(decided)],
        })
    }

    /// Remembers a decision once it is committed.
    pub fn keep(&self, judgement: &Judgement) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT_MAX {
            kept.clear();
        }
        kept.insert(
            judgement.decision.class_key,
            (Arc::clone(&judgement.decision), judgement.digest),
        );
    }

    /// Forgets everything: what is recorded is read again.
    pub fn forget(&self) {
        self.kept
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }

    fn known(
        &self,
        store: &Store,
        class: &Digest,
    ) -> Result<Option<(Arc<Decision>, Digest)>, StoreError> {
        let kept = self
            .kept
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(class)
            .cloned();
        if kept.is_some() {
            return Ok(kept);
        }
        let recorded = store.decision_of_class(class)?;
        Ok(recorded.map(|decision| {
            let digest = decision.digest();
            (Arc::new(decision), digest)
        }))
    }
}
