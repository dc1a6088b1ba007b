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
mod preparation;
mod state;
mod statements;
#[cfg(test)]
mod tests;

pub use decisions::ISSUE_DELAY_SECONDS_MAX;
pub(crate) use decisions::replay_fault;

use crate::bundle::Bundle;
use crate::cores::share;
use crate::report::{Report, Task, error_chain};
use crate::rule::Rule;
use crate::trust::Trust;
use ambit_ledger::{
    Body, Checkpoint, Decision, Digest, Entry, Frontier, KeyPurpose, Keyring, Kind, Layer, Limits,
    ObservationId, Opened, OrganizationId, PartnershipId, ProfileActivated, ReadingsError,
    TaxonomyActivated, Time,
};
use ambit_policy::{Replayer, Taxonomies};
use preparation::{Prepared, Statements};
use state::{At, Checks, Edition, Outbox, Recorded};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;

/// Verifies a bundle against the roots an auditor trusts: signatures, the tree and its checkpoint, and that
/// every entry follows from those above it. Judges nothing again.
#[must_use]
pub fn verify(bundle: &Bundle, trust: &Trust) -> Report {
    Audit::run(bundle, trust, Task::Verify).report
}

/// The entries before any is prepared ahead: a ledger begins with its keys and its first agreements. Tests have
/// small ledgers.
const FIRST_BATCH: usize = if cfg!(test) { 2 } else { 64 };

/// The entries that are prepared at a time: some hundred milliseconds of work, some megabytes.
const BATCH: usize = if cfg!(test) { 3 } else { 4_096 };

/// How far the walk came.
#[derive(Debug)]
struct Walked {
    entries: u64,
    last: Time,
}

impl Default for Walked {
    fn default() -> Self {
        Self {
            entries: 0,
            last: Time::EARLIEST,
        }
    }
}

/// An audit under way: what the entries so far established.
pub(crate) struct Audit<'a> {
    pub(crate) bundle: &'a Bundle,
    pub(crate) report: Report,
    pub(crate) replayer: Replayer,
    /// Each decision with the entry it is first recorded in.
    pub(crate) decisions: BTreeMap<Digest, (At, Rc<Decision>)>,
    own: OrganizationId,
    /// Shared with what is prepared ahead; another one whenever a key is added.
    keyring: Arc<Keyring>,
    tree: Frontier,
    certificates: BTreeSet<Digest>,
    unverifiable: BTreeSet<OrganizationId>,
    /// Terms are missing, and with them certificates of members.
    lacks_terms: bool,
    named_blobs: BTreeSet<Digest>,
    named_readings: HashSet<ObservationId>,
    taxonomies: Option<(Digest, Option<Taxonomies>)>,
    schema: Option<Digest>,
    profiles: BTreeMap<Layer, Digest>,
    limits: Rc<Vec<Limits>>,
    editions: BTreeMap<Digest, Rc<Edition>>,
    in_force: BTreeMap<PartnershipId, Digest>,
    observed: HashMap<ObservationId, Rc<Recorded>>,
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
            keyring: Arc::new(trust.keyring()),
            tree: Frontier::default(),
            certificates: BTreeSet::new(),
            unverifiable: BTreeSet::new(),
            lacks_terms: false,
            named_blobs: BTreeSet::new(),
            named_readings: HashSet::new(),
            taxonomies: None,
            schema: None,
            profiles: BTreeMap::new(),
            limits: Rc::default(),
            editions: BTreeMap::new(),
            in_force: BTreeMap::new(),
            observed: HashMap::new(),
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

    /// Walks the entries in order, a batch at a time, while the other cores prepare the next one.
    fn walk(&mut self, opened: &Opened) {
        let bundle = self.bundle;
        let entries: Vec<&[u8]> = bundle.entries().collect();
        let (first, others) = entries.split_at(entries.len().min(FIRST_BATCH));
        let mut walked = Walked::default();
        // Where keys are certified, nothing can be verified ahead.
        for bytes in first {
            let keyring = Arc::clone(&self.keyring);
            let prepared = Prepared::of(bytes, bundle, &keyring);
            self.step(&mut walked, opened, prepared, &keyring);
        }
        let mut batch = (Vec::new(), Arc::clone(&self.keyring));
        for next in others.chunks(BATCH).chain([[].as_slice()]) {
            let keyring = Arc::clone(&self.keyring);
            let work = |bytes: &&[u8]| Prepared::of(bytes, bundle, &keyring);
            let prepared = share(next, work, || {
                for prepared in batch.0 {
                    self.step(&mut walked, opened, prepared, &batch.1);
                }
            });
            batch = (prepared, keyring);
        }
    }

    /// Takes one entry in, which was prepared with these keys.
    fn step(
        &mut self,
        walked: &mut Walked,
        opened: &Opened,
        prepared: Box<Prepared>,
        keyring: &Arc<Keyring>,
    ) {
        let index = walked.entries;
        walked.entries += 1;
        self.report.checked_mut().entries += 1;
        self.tree.append(prepared.leaf);
        let Prepared {
            entry,
            mut statements,
            ..
        } = *prepared;
        let (time, body) = match entry {
            Ok(entry) => entry,
            Err(error) => {
                let fault = Rule::EntryShape.broken(error_chain(&error));
                self.report.add(fault.rule, Some(index), fault.how);
                return;
            }
        };
        let at = At { index, time };
        if time < walked.last {
            let how = format!("{time} follows {}", walked.last);
            self.note(at, Err(Rule::TimeOrder.broken(how)));
        }
        walked.last = walked.last.max(time);
        if statements.lacks_key() && !Arc::ptr_eq(&self.keyring, keyring) {
            statements = Statements::default();
        }
        match body {
            Ok(body) => self.take(at, opened, &body, statements),
            Err(error) => self.note(at, Err(Rule::EntryShape.broken(error_chain(&error)))),
        }
    }

    fn take(&mut self, at: At, opened: &Opened, body: &Body, statements: Statements) {
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
            Body::Observed(observed) => self.observed(at, observed, statements),
            Body::Decided(decided) => self.decided(at, decided),
            Body::Disclosed(disclosed) => self.disclosed(at, disclosed, statements),
            Body::Withheld(withheld) => self.withheld(at, withheld),
            Body::Withdrawn(withdrawn) => self.withdrawn(at, withdrawn),
            Body::Admitted(admitted) => self.admitted(at, admitted, statements),
            Body::Refused(refused) => self.refused(at, refused),
            Body::Acknowledged(acknowledged) => self.acknowledged(at, acknowledged, statements),
            Body::LimitsSet(set) => Rc::make_mut(&mut self.limits).push(set.limits.clone()),
            Body::PartnershipDeclined(declined) => self.declined(at, declined),
            Body::KeyRotated(_)
            | Body::KeyRevoked(_)
            | Body::PartnershipDissolved(_)
            | Body::Used(_)
            | Body::Retained(_)
            | Body::Held(_)
            | Body::ReleasedFromHold(_)
            | Body::Erased(_)
            | Body::ErasureAttested(_)
            | Body::Declassified(_)
            | Body::Corrected(_)
            | Body::ElectronicSignature(_)
            | Body::PeerCheckpoint(_)
            | Body::Incident(_)
            | Body::ActMade(_)
            | Body::ActHeard(_)
            | Body::CardSeen(_)
            | Body::CardConfirmed(_)
            | Body::IssuerPinned(_)
            | Body::AttestationRecorded(_)
            | Body::GrantRecorded(_)
            | Body::MandateRecorded(_)
            | Body::SetAside(_)
            | Body::OfferedAgain(_)
            | Body::RetainDecided(_)
            | Body::DeriveDecided(_)
            | Body::UseDecided(_)
            | Body::Derived(_)
            | Body::SoftwareChanged(_)
            | Body::ClockAccepted(_)
            | Body::OutboxEnded(_)
            | Body::PartnershipSetAside(_)
            | Body::MemberJoined(_)
            | Body::PatternSigned(_)
            | Body::PatternOpened(_)
            | Body::PatternEnded(_)
            | Body::EquivocationProved(_)
            | Body::OnwardNoted(_) => {
                let name = Kind::from_number(body.kind()).map_or("unknown", Kind::name);
                let how = format!("*{name}*: this version reads it and does not check it yet");
                self.note(at, Err(Rule::Unchecked.broken(how)));
            }
            Body::Unread { kind, .. } => {
                let how = format!("kind {kind}: a later version wrote it; audit with that version");
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

    /// Notes that an entry names these readings; `found` is absent where they are missing.
    fn name_readings(
        &mut self,
        id: ObservationId,
        found: Option<Result<(), ReadingsError>>,
    ) -> Checks {
        if !self.named_readings.insert(id) {
            return Ok(());
        }
        let Some(found) = found else {
            return Err(Rule::ReadingsMissing.broken(format!("those of observation {id}")));
        };
        self.report.checked_mut().readings += 1;
        found.map_err(|error| Rule::ReadingsDiffer.broken(error_chain(&error)))
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
        let (size, root) = (self.tree.size(), self.tree.root());
        self.report.set_root(root);
        let keys: Vec<_> = self
            .keyring
            .keys_for(&self.own, KeyPurpose::Checkpoint)
            .collect();
        if keys.is_empty() && self.unverifiable.contains(&self.own) {
            return Ok(());
        }
        let Some(origin) = self.bundle.origin() else {
            return Ok(());
        };
        let checkpoint = Checkpoint::verify(self.bundle.checkpoint(), &origin, keys)
            .map_err(|error| Rule::Checkpoint.broken(error_chain(&error)))?;
        self.report.checked_mut().signatures += 1;
        if (checkpoint.size, checkpoint.root) == (size, root) {
            return Ok(());
        }
        Err(Rule::Tree.broken(format!(
            "the checkpoint is over {} entries with root {}, the bundle holds {size} with root {root}",
            checkpoint.size, checkpoint.root
        )))
    }
}
