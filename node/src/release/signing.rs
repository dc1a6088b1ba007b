//! Signing: drafts to signed observations, a commit's worth at a time. It needs nothing of what is decided, so it
//! runs ahead of judging, on a thread of its own where there is more than one commit's worth.

use super::disclose::{self, SignError, Signed};
use super::observe::{COMMIT_OBSERVATIONS_MAX, ObserveError};
use crate::collect::Draft;
use crate::node::Node;
use crate::randomness::Randomness;
use ambit_ledger::{Digest, EncodedReadings, ObservationId, Salt};
use std::collections::{BTreeSet, VecDeque};

/// How many are signed for the first of several commits: what comes after signing soon has something to do. Each further one takes
/// twice as many, up to as many as a commit takes.
const FIRST_OBSERVATIONS: usize = 4;

/// Signs drafts, in their order. What was imported before is left out.
#[derive(Debug)]
pub(super) struct Signing<'a> {
    node: &'a Node,
    drafts: std::vec::IntoIter<Draft>,
    /// What this run imports, where the drafts are from files.
    imports: Option<BTreeSet<Digest>>,
    collected: VecDeque<Collected>,
    /// How many the next commit takes.
    next: usize,
    known: u64,
    /// What an example signed in this run.
    signed: BTreeSet<ObservationId>,
    randomness: Randomness,
}

/// Observations for one commit.
#[derive(Debug)]
pub(super) struct SignedChunk {
    pub(super) signed: Vec<Signed>,
    /// How many were left out before them.
    pub(super) known: u64,
}

/// A draft with what it takes to sign it.
#[derive(Debug)]
struct Collected {
    draft: Draft,
    readings: EncodedReadings,
    fingerprint: Digest,
    import: Option<Digest>,
}

impl<'a> Signing<'a> {
    pub(super) fn new(node: &'a Node, drafts: Vec<Draft>, is_import: bool) -> Self {
        let is_short = drafts.len() <= COMMIT_OBSERVATIONS_MAX;
        let next = if is_short {
            COMMIT_OBSERVATIONS_MAX
        } else {
            FIRST_OBSERVATIONS
        };
        Self {
            node,
            next,
            drafts: drafts.into_iter(),
            imports: is_import.then(BTreeSet::new),
            collected: VecDeque::new(),
            known: 0,
            signed: BTreeSet::new(),
            randomness: Randomness::default(),
        }
    }

    /// Whether all of it fits into one commit.
    pub(super) fn is_short(&self) -> bool {
        self.drafts.len() <= COMMIT_OBSERVATIONS_MAX
    }

    fn collect(&mut self) -> Result<(), ObserveError> {
        for draft in self.drafts.by_ref().take(self.next) {
            let readings = EncodedReadings::of(&draft.readings).map_err(SignError::from)?;
            let fingerprint = draft.fingerprint_with(readings.as_bytes());
            let store = self.node.store();
            let is_import = self.imports.is_some();
            self.collected.push_back(Collected {
                import: is_import.then(|| store.import_digest(&fingerprint)),
                draft,
                readings,
                fingerprint,
            });
        }
        let Some(imports) = &mut self.imports else {
            return Ok(());
        };
        for collected in std::mem::take(&mut self.collected) {
            if let Some(import) = collected.import
                && (!imports.insert(import) || self.node.store().was_imported(&import)?)
            {
                self.known += 1;
            } else {
                self.collected.push_back(collected);
            }
        }
        Ok(())
    }

    fn sign(&mut self, collected: Collected) -> Result<Signed, ObserveError> {
        let salt = match &self.node.settings().example {
            Some(example) => {
                let fingerprint = collected.fingerprint;
                Salt::from_bytes(example.derive("salt", &[fingerprint.as_bytes()]))
            }
            None => self.randomness.salt()?,
        };
        Ok(disclose::sign(
            collected.draft,
            &collected.readings,
            &self.node.settings().organization.id,
            &self.node.keys().statement,
            salt,
            collected.import,
        )?)
    }

    /// Whether the very same is observed already, which only a salt that is not drawn lets happen: that of an example.
    fn is_known(&mut self, id: ObservationId) -> Result<bool, ObserveError> {
        if self.node.settings().example.is_none() {
            return Ok(false);
        }
        Ok(!self.signed.insert(id) || self.node.store().observation(&id)?.is_some())
    }

    fn chunk(&mut self) -> Result<Option<SignedChunk>, ObserveError> {
        while self.collected.is_empty() && self.drafts.len() > 0 {
            self.collect()?;
        }
        let count = self.collected.len().min(self.next);
        self.next = (self.next * 2).min(COMMIT_OBSERVATIONS_MAX);
        let mut signed = Vec::with_capacity(count);
        for _ in 0..count {
            if let Some(collected) = self.collected.pop_front() {
                let one = self.sign(collected)?;
                if self.is_known(one.id)? {
                    self.known += 1;
                } else {
                    signed.push(one);
                }
            }
        }
        let known = std::mem::take(&mut self.known);
        Ok((count > 0 || known > 0).then_some(SignedChunk { signed, known }))
    }
}

impl Iterator for Signing<'_> {
    type Item = Result<SignedChunk, ObserveError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.chunk().transpose()
    }
}
