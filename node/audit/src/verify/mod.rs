//! Verifies a ledger: walks its entries once, in order, and holds each against what stands above it.
//!
//! Nothing is judged here. Nothing in the bundle vouches for itself: every key goes back to a trusted root.
//! A fault never ends the walk, so that a report names all of them; only a ledger whose own root is not
//! trusted is not walked at all.

mod acknowledgements;
mod admissions;
mod decisions;
mod disclosures;
mod partnerships;
mod state;
mod statements;
#[cfg(test)]
mod tests;

pub use decisions::ISSUE_DELAY_SECONDS_MAX;
pub(crate) use decisions::replay_fault;

use crate::bundle::Bundle;
use crate::report::{Report, Task, error_chain};
use crate::rule::Rule;
use crate::trust::Trust;
use ambit_ledger::{
    Body, Checkpoint, Decision, Digest, Entry, Frontier, KeyPurpose, Keyring, Kind, Layer, Limits,
    ObservationId, Opened, OrganizationId, PartnershipId, ProfileActivated, Readings,
    TaxonomyActivated, Time, leaf_hash,
};
use ambit_policy::{Replayer, Taxonomies};
use state::{At, Checks, Edition, Outbox, Recorded};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// Verifies a bundle against the roots an auditor trusts: signatures, the tree and its checkpoint, and that
/// every entry follows from those above it. Judges nothing again.
#[must_use]
pub fn verify(bundle: &Bundle, trust: &Trust) -> Report {
    Audit::run(bundle, trust, Task::Verify).report
}

/// An audit under way: what the entries so far established.
pub(crate) struct Audit<'a> {
    pub(crate) bundle: &'a Bundle,
    pub(crate) report: Report,
    pub(crate) replayer: Replayer,
    /// Each decision with the entry it is first recorded in.
    pub(crate) decisions: BTreeMap<Digest, (At, Rc<Decision>)>,
    own: OrganizationId,
    keyring: Keyring,
    certificates: BTreeSet<Digest>,
    unverifiable: BTreeSet<OrganizationId>,
    /// Terms are missing, and with them certificates of members.
    lacks_terms: bool,
    named_blobs: BTreeSet<Digest>,
    named_readings: BTreeSet<ObservationId>,
    taxonomies: Option<(Digest, Option<Taxonomies>)>,
    schema: Option<Digest>,
    profiles: BTreeMap<Layer, Digest>,
    limits: Vec<Limits>,
    editions: BTreeMap<Digest, Rc<Edition>>,
    in_force: BTreeMap<PartnershipId, Digest>,
    observed: BTreeMap<ObservationId, Rc<Recorded>>,
    outboxes: BTreeMap<(PartnershipId, OrganizationId), Outbox>,
    taken: BTreeMap<(PartnershipId, OrganizationId), u64>,
    admitted: BTreeSet<(Digest, ObservationId)>,
}

impl<'a> Audit<'a> {
    pub(crate) fn run(bundle: &'a Bundle, trust: &Trust, task: Task) -> Self {
        let size = u64::try_from(bundle.entries().len()).unwrap_or(u64::MAX);
        let mut audit = Self {
            bundle,
            report: Report::begin(task, bundle.organization(), size),
            replayer: Replayer::new(),
            decisions: BTreeMap::new(),
            own: bundle.organization().clone(),
            keyring: trust.keyring(),
            certificates: BTreeSet::new(),
            unverifiable: BTreeSet::new(),
            lacks_terms: false,
            named_blobs: BTreeSet::new(),
            named_readings: BTreeSet::new(),
            taxonomies: None,
            schema: None,
            profiles: BTreeMap::new(),
            limits: Vec::new(),
            editions: BTreeMap::new(),
            in_force: BTreeMap::new(),
            observed: BTreeMap::new(),
            outboxes: BTreeMap::new(),
            taken: BTreeMap::new(),
            admitted: BTreeSet::new(),
        };
        match audit.check_opened() {
            Ok(opened) => {
                audit.walk(&opened);
                audit.finish();
            }
            Err(fault) => audit.note_whole(Err(fault)),
        }
        audit
    }

    /// Notes what a check of one entry found.
    fn note(&mut self, at: At, checked: Checks) {
        if let Err(fault) = checked {
            self.report.add(fault.rule, Some(at.index), fault.how);
        }
    }

    fn note_whole(&mut self, checked: Checks) {
        if let Err(fault) = checked {
            self.report.add(fault.rule, None, fault.how);
        }
    }

    /// The first entry says whose ledger it is; its root must be a trusted one before anything else counts.
    fn check_opened(&mut self) -> Checks<Opened> {
        let Some(first) = self.bundle.entries().next() else {
            let how = "export the ledger again; every ledger has entries".to_owned();
            return Err(Rule::NoEntries.broken(how));
        };
        let body = Entry::decode(first).and_then(|entry| entry.body());
        let Ok(Body::Opened(opened)) = body else {
            return Err(Rule::FirstEntries.broken("entry 0 is not *opened*"));
        };
        if opened.organization != self.own {
            return Err(Rule::Organization.broken(format!(
                "the bundle is of `{}`, the ledger of `{}`",
                self.own, opened.organization
            )));
        }
        if self.keyring.trusts_root(&self.own, &opened.root) {
            return Ok(opened);
        }
        let root = opened.root;
        Err(if self.keyring.trusts(&self.own) {
            Rule::RootDiffers.broken(format!(
                "the ledger of `{}` opens with the root {root}, which the trust file does not name; \
                 nothing else was checked",
                self.own
            ))
        } else {
            Rule::RootMissing.broken(format!(
                "obtain the root fingerprint of `{}` out of band and compare it with {root}; \
                 nothing else was checked",
                self.own
            ))
        })
    }

    fn walk(&mut self, opened: &Opened) {
        let mut last = Time::EARLIEST;
        for (index, bytes) in (0..).zip(self.bundle.entries()) {
            self.report.checked_mut().entries += 1;
            let entry = match Entry::decode(bytes) {
                Ok(entry) => entry,
                Err(error) => {
                    let fault = Rule::EntryShape.broken(error_chain(&error));
                    self.report.add(fault.rule, Some(index), fault.how);
                    continue;
                }
            };
            let at = At {
                index,
                time: entry.time,
            };
            if entry.time < last {
                let how = format!("{} follows {last}", entry.time);
                self.note(at, Err(Rule::TimeOrder.broken(how)));
            }
            last = last.max(entry.time);
            match entry.body() {
                Ok(body) => self.take(at, opened, &body),
                Err(error) => self.note(at, Err(Rule::EntryShape.broken(error_chain(&error)))),
            }
        }
    }

    fn take(&mut self, at: At, opened: &Opened, body: &Body) {
        let is_in_place = match body {
            Body::Opened(_) => at.index == 0,
            Body::KeyCertified(_) => at.index > 0,
            _ => at.index > 1,
        };
        if !is_in_place {
            let name = Kind::from_number(body.kind()).map_or("unknown", Kind::name);
            let how = format!("*{name}* has no place here");
            self.note(at, Err(Rule::FirstEntries.broken(how)));
        }
        match body {
            Body::Opened(_) => {}
            Body::KeyCertified(certified) => self.key_certified(at, opened, certified),
            Body::PartnershipEdition(edition) => self.edition(at, edition),
            Body::ProfileActivated(activated) => self.profile_activated(at, activated),
            Body::TaxonomyActivated(activated) => self.taxonomy_activated(at, activated),
            Body::Observed(observed) => self.observed(at, observed),
            Body::Decided(decided) => self.decided(at, decided),
            Body::Disclosed(disclosed) => self.disclosed(at, disclosed),
            Body::Withheld(withheld) => self.withheld(at, withheld),
            Body::Withdrawn(withdrawn) => self.withdrawn(at, withdrawn),
            Body::Admitted(admitted) => self.admitted(at, admitted),
            Body::Refused(refused) => self.refused(at, refused),
            Body::Acknowledged(acknowledged) => self.acknowledged(at, acknowledged),
            Body::LimitsSet(set) => self.limits.push(set.limits.clone()),
            Body::PartnershipDeclined(declined) => self.declined(at, declined),
            Body::Unread { kind, .. } => {
                let known = Kind::from_number(*kind).map(Kind::name);
                let how = known.map_or_else(
                    || format!("kind {kind}: a later version wrote it; audit with that version"),
                    |name| format!("kind {kind}, *{name}*: audit with the version that wrote it"),
                );
                self.note(at, Err(Rule::EntryKind.broken(how)));
            }
        }
    }

    fn profile_activated(&mut self, at: At, body: &ProfileActivated) {
        self.name_blob(at, &body.profile);
        self.name_blob(at, &body.schema);
        self.schema = Some(body.schema);
        self.profiles.insert(body.layer, body.profile);
        if body.layer == Layer::Partnership {
            let how = "the partnership layer comes with an edition, never by itself";
            self.note(at, Err(Rule::BlobShape.broken(how)));
        }
    }

    fn taxonomy_activated(&mut self, at: At, body: &TaxonomyActivated) {
        let parsed = self.name_blob(at, &body.taxonomies).map(|bytes| {
            std::str::from_utf8(bytes)
                .ok()
                .and_then(|text| Taxonomies::from_json(text).ok())
                .filter(|taxonomies| taxonomies.digest() == body.taxonomies)
        });
        if let Some(None) = parsed {
            let how = format!("blob {} holds no taxonomies", body.taxonomies);
            self.note(at, Err(Rule::BlobShape.broken(how)));
        }
        self.taxonomies = Some((body.taxonomies, parsed.flatten()));
    }

    /// Notes that an entry names this blob. `None` where it is missing, which is noted once.
    fn name_blob(&mut self, at: At, digest: &Digest) -> Option<&'a [u8]> {
        let found = self.bundle.blob(digest);
        if self.named_blobs.insert(*digest) && found.is_none() {
            let how = format!("blob {digest} is missing; export the ledger again");
            self.note(at, Err(Rule::BlobMissing.broken(how)));
        }
        found
    }

    /// Notes that an entry names these readings, and checks them against the facts.
    fn name_readings(&mut self, id: ObservationId, facts: &ambit_ledger::Facts) -> Checks {
        if !self.named_readings.insert(id) {
            return Ok(());
        }
        let Some(bytes) = self.bundle.readings_of(&id) else {
            return Err(Rule::ReadingsMissing.broken(format!("those of observation {id}")));
        };
        self.report.checked_mut().readings += 1;
        Readings::decode(bytes, facts)
            .map(|_| ())
            .map_err(|error| Rule::ReadingsDiffer.broken(error_chain(&error)))
    }

    fn finish(&mut self) {
        let checkpoint = self.check_checkpoint();
        self.note_whole(checkpoint);
        let stray_blobs: Vec<String> = self
            .bundle
            .blobs()
            .filter(|(digest, _)| !self.named_blobs.contains(digest))
            .map(|(digest, _)| format!("blob {digest}"))
            .collect();
        for how in stray_blobs {
            self.note_whole(Err(Rule::BlobStray.broken(how)));
        }
        let stray_readings: Vec<String> = self
            .bundle
            .readings()
            .filter(|(id, _)| !self.named_readings.contains(id))
            .map(|(id, _)| format!("observation {id}"))
            .collect();
        for how in stray_readings {
            self.note_whole(Err(Rule::ReadingsStray.broken(how)));
        }
        self.report.checked_mut().blobs =
            u64::try_from(self.bundle.blobs().len()).unwrap_or(u64::MAX);
        self.find_passed_over();
    }

    fn check_checkpoint(&mut self) -> Checks {
        let mut tree = Frontier::default();
        self.bundle
            .entries()
            .for_each(|entry| tree.append(leaf_hash(entry)));
        self.report.set_root(tree.root());
        let keys: Vec<_> = self
            .keyring
            .keys_for(&self.own, KeyPurpose::Checkpoint)
            .collect();
        if keys.is_empty() && self.unverifiable.contains(&self.own) {
            return Ok(());
        }
        let checkpoint = Checkpoint::verify(self.bundle.checkpoint(), &self.own, keys)
            .map_err(|error| Rule::Checkpoint.broken(error_chain(&error)))?;
        self.report.checked_mut().signatures += 1;
        if (checkpoint.size, checkpoint.root) == (tree.size(), tree.root()) {
            return Ok(());
        }
        Err(Rule::Tree.broken(format!(
            "the checkpoint is over {} entries with root {}, the bundle holds {} with root {}",
            checkpoint.size,
            checkpoint.root,
            tree.size(),
            tree.root()
        )))
    }
}
