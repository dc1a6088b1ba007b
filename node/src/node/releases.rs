//! One run of releasing: what is observed or caught up on under one set of what is in force, at one instant.

use super::Node;
use super::observe::{FUSED_RECIPIENTS_MAX, ObserveError, Observed, RecipientOutcome};
use crate::collect::Draft;
use crate::decisions::Deciding;
use crate::partnership::{Governance, Partnership};
use crate::randomness::Randomness;
use crate::release::{self, DisclosureContext, Signed};
use crate::store::{BoxKey, Prepared, Write};
use ambit_ledger::{
    Digest, EncodedReadings, Facts, ObservationId, OrganizationId, Salt, Time, Verdict,
};
use std::collections::BTreeSet;

/// Signs and judges. Nothing of it counts before the commits it makes are on the disk.
#[derive(Debug)]
pub(super) struct Releases<'a> {
    node: &'a Node,
    governance: &'a Governance,
    deciding: Deciding<'a>,
    randomness: Randomness,
    now: Time,
}

/// A draft with what it takes to sign it.
#[derive(Debug)]
pub(super) struct Collected {
    draft: Draft,
    readings: EncodedReadings,
    fingerprint: Digest,
    import: Option<Digest>,
}

/// A commit made ready, and what it says.
#[derive(Debug)]
pub(super) struct Ahead {
    pub(super) commit: Prepared,
    pub(super) observed: Vec<Observed>,
    /// Whether it records decisions that later commits may refer to.
    pub(super) decides: bool,
}

impl<'a> Releases<'a> {
    pub(super) fn begin(node: &'a Node, governance: &'a Governance, now: Time) -> Self {
        Self {
            node,
            governance,
            deciding: node.decisions.begin(&node.store),
            randomness: Randomness::default(),
            now,
        }
    }

    /// Remembers what was decided, once all of it is on the disk.
    pub(super) fn keep(self) {
        self.deciding.keep();
    }

    /// Encodes drafts, and leaves out those imported before: they are counted as known. `imports` are those of this
    /// run, where the drafts are from files.
    // Looked up for many at once: each look waits while the writer applies a batch.
    pub(super) fn collect(
        &self,
        drafts: impl Iterator<Item = Draft>,
        mut imports: Option<&mut BTreeSet<Digest>>,
        known: &mut u64,
    ) -> Result<Vec<Collected>, ObserveError> {
        let collected = drafts.map(|draft| {
            let readings = EncodedReadings::of(&draft.readings)?;
            let fingerprint = draft.fingerprint_with(readings.as_bytes());
            let import = imports
                .is_some()
                .then(|| self.node.store.import_digest(&fingerprint));
            Ok(Collected {
                draft,
                readings,
                fingerprint,
                import,
            })
        });
        let collected = collected.collect::<Result<Vec<_>, ObserveError>>()?;
        let mut unknown = Vec::with_capacity(collected.len());
        for collected in collected {
            if let (Some(import), Some(imports)) = (collected.import, imports.as_mut())
                && (!imports.insert(import) || self.node.store.was_imported(&import)?)
            {
                *known += 1;
            } else {
                unknown.push(collected);
            }
        }
        Ok(unknown)
    }

    /// Signs, judges and seals what was collected.
    pub(super) fn prepare(
        &mut self,
        collected: impl Iterator<Item = Collected>,
    ) -> Result<Ahead, ObserveError> {
        let decided_before = self.deciding.fresh();
        let mut writes = Vec::new();
        let mut observed = Vec::new();
        for collected in collected {
            let signed = self.sign(collected)?;
            observed.push(self.release(signed, &mut writes)?);
        }
        for (partnership, recipient) in self.governance.recipients().take(FUSED_RECIPIENTS_MAX) {
            writes.push(Write::Judged {
                outbox: BoxKey::new(&partnership.terms().partnership, recipient),
                upto: None,
            });
        }
        let commit = self.node.commit_of(self.now, writes);
        Ok(Ahead {
            commit: self.node.store.prepare(commit)?,
            observed,
            decides: self.deciding.fresh() > decided_before,
        })
    }

    fn sign(&mut self, collected: Collected) -> Result<Signed, ObserveError> {
        let salt = match &self.node.settings.example {
            Some(example) => {
                let fingerprint = collected.fingerprint;
                Salt::from_bytes(example.derive("salt", &[fingerprint.as_bytes()]))
            }
            None => self.randomness.salt()?,
        };
        Ok(release::sign(
            collected.draft,
            &collected.readings,
            &self.node.settings.organization.id,
            &self.node.keys.statement,
            salt,
            collected.import,
        )?)
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
        let governance = self.governance;
        for (partnership, recipient) in governance.recipients().take(FUSED_RECIPIENTS_MAX) {
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
        let (governance, now) = (self.governance, self.now);
        let released = release::judge_for(
            &mut self.deciding,
            governance,
            partnership,
            recipient,
            facts,
            now,
        )?;
        let verdict = released.verdict;
        let context = DisclosureContext {
            discloser: governance.organization(),
            key: &self.node.keys.statement,
            salt: self.randomness.salt()?,
            now,
        };
        let writes = release::writes_for(released, partnership, recipient, id, &context);
        Ok((verdict, writes))
    }
}
