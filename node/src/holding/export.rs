//! The bundle an auditor gets: every entry, everything they name, one signed checkpoint.

use crate::failure::{Failure, FailureKind};
use crate::node::{Ask, Node};
use crate::store::StoreError;
use ambit_audit::{BundleWriteError, BundleWriter, Trust, TrustedRoot};
use ambit_ledger::{Body, Checkpoint, Digest, ObservationId, Origin, Time, leaf_hash};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

/// A bundle cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The bundle cannot be written.
    #[error(transparent)]
    Write(#[from] BundleWriteError),
    /// What an entry names is not in the store.
    #[error(
        "the content {0} that the ledger names is missing from the store; restore the home from the latest whole backup"
    )]
    Missing(Digest),
    /// Sealed readings do not open.
    #[error(
        "the readings of entry {entry} cannot be read: with the node stopped, `ambit --read-only export` leaves out such readings and \
         names them, and `ambit store check --deep` finds all; restore the home from the latest whole backup"
    )]
    Readings {
        /// Whose.
        entry: u64,
        /// Why.
        #[source]
        source: StoreError,
    },
}

/// What was exported of a ledger that may be damaged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Salvaged {
    /// How many entries are in the bundle.
    pub entries: u64,
    /// Those of them whose readings cannot be read and are not in it.
    pub left_out: Vec<u64>,
}

/// The trust file for this node's own root.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GetTrust {}

impl Ask for GetTrust {
    type Answer = String;

    fn answer(self, node: &Node, _now: Time) -> Result<String, Failure> {
        node.trust()
            .map_err(|error| Failure::new(FailureKind::Failed, &error))
    }
}

impl Node {
    /// Writes a bundle of the whole ledger as it stands, and returns the number of entries.
    ///
    /// # Errors
    /// Any [`ExportError`].
    pub fn export<W: Write>(&self, out: W) -> Result<(W, u64), ExportError> {
        self.export_but(out, |entry, source| {
            Err(ExportError::Readings { entry, source })
        })
    }

    /// Writes a bundle as [`Node::export`] does, without the readings that cannot be read: an auditor misses them, and is shown
    /// what is whole.
    ///
    /// # Errors
    /// Any [`ExportError`] but [`ExportError::Readings`].
    pub fn salvage<W: Write>(&self, out: W) -> Result<Salvaged, ExportError> {
        let mut left_out = Vec::new();
        let (_, entries) = self.export_but(out, |entry, _| {
            left_out.push(entry);
            Ok(())
        })?;
        left_out.sort_unstable();
        Ok(Salvaged { entries, left_out })
    }

    /// Writes a bundle, and asks about each entry whose readings cannot be read.
    fn export_but<W: Write>(
        &self,
        out: W,
        mut lost: impl FnMut(u64, StoreError) -> Result<(), ExportError>,
    ) -> Result<(W, u64), ExportError> {
        let (size, root) = self.store().tree_head();
        let organization = self.settings().organization.id.clone();
        let first = self.store().entry(0)?.ok_or(BundleWriteError::Empty)?;
        let checkpoint = Checkpoint {
            origin: Origin::of(&organization, &leaf_hash(&first.bytes)),
            size,
            root,
        }
        .sign(&self.keys().checkpoint);
        let mut writer = BundleWriter::start(out, &organization, &checkpoint)?;
        let mut blobs = BTreeSet::new();
        let mut readings: BTreeMap<ObservationId, u64> = BTreeMap::new();
        for recorded in self.store().entries(0, size) {
            let recorded = recorded?;
            writer.entry(&recorded.bytes)?;
            named_blobs(&recorded.body, &mut blobs);
            let statement = match &recorded.body {
                Body::Observed(observed) => Some(&observed.observation),
                Body::Admitted(admitted) => Some(&admitted.observation),
                Body::Opened(_)
                | Body::KeyCertified(_)
                | Body::PartnershipEdition(_)
                | Body::PartnershipDeclined(_)
                | Body::ProfileActivated(_)
                | Body::TaxonomyActivated(_)
                | Body::LimitsSet(_)
                | Body::Decided(_)
                | Body::Disclosed(_)
                | Body::Withheld(_)
                | Body::Withdrawn(_)
                | Body::Refused(_)
                | Body::Acknowledged(_)
                | Body::IssuerPinned(_)
                | Body::AttestationRecorded(_)
                | Body::SetAside(_)
                | Body::OfferedAgain(_)
                | Body::Laid(_)
                | Body::Unread { .. } => None,
            };
            if let Some(statement) = statement {
                readings.insert(ObservationId::of(statement), recorded.index);
            }
        }
        for digest in &blobs {
            let blob = self
                .store()
                .blob(digest)?
                .ok_or(ExportError::Missing(*digest))?;
            writer.blob(&blob)?;
        }
        for (id, index) in &readings {
            match self.store().readings(*index, id) {
                Ok(block) => writer.readings(id, &block)?,
                Err(error) if error.is_of_readings() => lost(*index, error)?,
                Err(error) => return Err(error.into()),
            }
        }
        Ok((writer.finish()?, size))
    }

    /// The trust file for this node's own root, to hand over out of band.
    ///
    /// # Errors
    /// [`StoreError`] where the first entry cannot be read.
    pub fn trust(&self) -> Result<String, StoreError> {
        let governance = self.governance();
        let opened_at = self
            .store()
            .entry(0)?
            .map_or(Time::EARLIEST, |recorded| recorded.entry.time);
        let mut trust = Trust::new();
        trust.add(TrustedRoot {
            organization: governance.organization().clone(),
            fingerprint: governance.opened().root,
            // The first certificates begin with the millisecond in which the ledger did.
            from: opened_at.start_of_millis(),
        });
        Ok(trust.to_toml())
    }
}

/// The blobs that an entry names by digest.
fn named_blobs(body: &Body, blobs: &mut BTreeSet<Digest>) {
    match body {
        Body::PartnershipEdition(edition) => {
            blobs.extend([edition.edition, edition.profile]);
            blobs.extend(&edition.signatures);
        }
        Body::ProfileActivated(activated) => blobs.extend([activated.profile, activated.schema]),
        Body::TaxonomyActivated(activated) => {
            blobs.insert(activated.taxonomies);
        }
        Body::Disclosed(disclosed) => blobs.extend(&disclosed.evidence),
        Body::Admitted(admitted) => blobs.extend(&admitted.evidence),
        Body::Decided(decided) => {
            let decision = &decided.decision;
            blobs.extend([decision.schema, decision.taxonomies, decision.slice]);
            blobs.extend(decision.profiles.iter().map(|profile| profile.profile));
        }
        // The rest names none.
        Body::Opened(_)
        | Body::KeyCertified(_)
        | Body::PartnershipDeclined(_)
        | Body::LimitsSet(_)
        | Body::Observed(_)
        | Body::Withheld(_)
        | Body::Withdrawn(_)
        | Body::Refused(_)
        | Body::Acknowledged(_)
        | Body::IssuerPinned(_)
        | Body::AttestationRecorded(_)
        | Body::SetAside(_)
        | Body::OfferedAgain(_)
        | Body::Laid(_)
        | Body::Unread { .. } => {}
    }
}
