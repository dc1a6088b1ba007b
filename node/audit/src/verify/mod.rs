//! Verifies a ledger: walks its entries once, in order, and holds each against what stands above it.
//!
//! Nothing is judged here. Nothing in the bundle vouches for itself: every key goes back to a trusted root.
//! A fault never ends the walk, so that a report names all of them; only a ledger whose own root is not trusted, or whose
//! checkpoint is not of its entries, is not walked at all, and one that takes more than its allowance not to its end.

mod acknowledgements;
mod admissions;
mod attestations;
mod checkpoint;
mod contents;
mod decisions;
mod disclosures;
mod fault;
mod in_force;
mod instants;
mod item;
mod keys;
mod offers;
mod outboxes;
mod partnerships;
mod preparation;
mod succession;
mod terms;
#[cfg(test)]
mod tests;
mod weakening;
mod withdrawals;

pub(crate) use decisions::replay_fault;
pub(crate) use fault::{At, Checks, Fault};

use crate::allowance::{Allowance, Budget};
use crate::bundle::Bundle;
use crate::cores::share;
use crate::report::{Report, Task, error_chain};
use crate::rule::{Basis, Rule, Severity};
use crate::trust::Trust;
use admissions::Inbox;
use ambit_ledger::{
    Attestations, Body, Digest, Entry, Frontier, Kind, ObservationId, Opened, OrganizationId, Time,
};
use ambit_policy::Replayer;
use contents::Contents;
use decisions::Decisions;
use disclosures::Recorded;
use in_force::InForce;
use keys::{Keys, Known};
use outboxes::{Outboxes, OwnObservations};
use preparation::{Prepared, Statements};
use std::borrow::Cow;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use terms::TermsRead;

/// Verifies a bundle against the roots an auditor trusts: signatures, the tree and its checkpoint, and that
/// every entry follows from those above it. Judges nothing again, but shows the shipped profiles what an operator's own
/// ones let through.
#[must_use]
pub fn verify(bundle: &Bundle, trust: &Trust) -> Report {
    verify_within(bundle, trust, Allowance::unlimited())
}

/// The same, within an allowance of time and memory: beyond it, the report says so, and its verdict is *incomplete* at best.
#[must_use]
pub fn verify_within(bundle: &Bundle, trust: &Trust, allowance: Allowance) -> Report {
    Audit::run(bundle, trust, Task::Verify, allowance).report
}

/// The entries before any is prepared ahead: a ledger begins with its keys and its first agreements. Tests have
/// small ledgers.
const FIRST_BATCH: usize = if cfg!(test) { 2 } else { 64 };

/// The entries that are prepared at a time: some ten milliseconds of work. Nothing is prepared beside the walk over the last
/// ones, so that few are better.
const BATCH: usize = if cfg!(test) { 3 } else { 512 };

/// How far the walk came.
#[derive(Debug)]
struct Walked {
    entries: u64,
    tree: Frontier,
    last: Time,
}

impl Default for Walked {
    fn default() -> Self {
        Self {
            entries: 0,
            tree: Frontier::default(),
            last: Time::EARLIEST,
        }
    }
}

/// An audit under way: what the entries so far established.
pub(crate) struct Audit<'a> {
    pub(crate) bundle: &'a Bundle,
    pub(crate) report: Report,
    pub(crate) replayer: Replayer,
    pub(crate) decisions: Decisions,
    budget: Budget,
    /// Whether it took more than it may: nothing that is left is looked at.
    pub(crate) is_over: bool,
    own: OrganizationId,
    /// What the checkpoint came to, where that is not certain before the walk.
    checkpoint: Checks,
    keys: Keys,
    contents: Contents,
    in_force: InForce,
    terms_read: TermsRead,
    attestations: Attestations,
    observed: HashMap<ObservationId, Rc<Recorded>>,
    /// The first observation with these readings: of each, its salt makes them its own.
    by_readings: HashMap<Digest, ObservationId>,
    /// The first observation of these facts, of those that have readings twice.
    by_facts: HashMap<Digest, ObservationId>,
    own_observations: OwnObservations,
    outboxes: Outboxes,
    inbox: Inbox,
    /// The first entry of a kind that is not read, or not checked: it may have changed keys, editions or outboxes.
    unread: Option<u64>,
}

impl<'a> Audit<'a> {
    pub(crate) fn run(bundle: &'a Bundle, trust: &Trust, task: Task, allowance: Allowance) -> Self {
        let size = bundle.entry_count();
        let mut audit = Self {
            bundle,
            report: Report::begin(task, bundle.organization(), size),
            replayer: Replayer::new(),
            decisions: Decisions::default(),
            budget: Budget::begin(allowance, bundle.size_bytes()),
            is_over: false,
            own: bundle.organization().clone(),
            checkpoint: Ok(()),
            keys: Keys::trusting(trust),
            contents: Contents::default(),
            in_force: InForce::default(),
            terms_read: TermsRead::default(),
            attestations: Attestations::new(bundle.organization().clone()),
            observed: HashMap::new(),
            by_readings: HashMap::new(),
            by_facts: HashMap::new(),
            own_observations: OwnObservations::default(),
            outboxes: Outboxes::default(),
            inbox: Inbox::default(),
            unread: None,
        };
        match audit.check_opened() {
            Ok(opened) if audit.is_signed(&opened) => {
                audit.walk(&opened);
                if !audit.is_over {
                    audit.finish();
                }
            }
            Ok(_) => {}
            Err(fault) => audit.note_whole(Err(fault)),
        }
        audit
    }

    /// Whether there is time and memory for more.
    fn look(&mut self) -> Checks {
        self.budget.look(self.replayer.foreign_bytes())
    }

    /// Whether there is time left for something that may take so long.
    pub(crate) fn affords(&mut self, work: Duration) -> bool {
        let foreign_bytes = self.replayer.foreign_bytes();
        let looked = self.look();
        match looked.and_then(|()| self.budget.affords(foreign_bytes, work)) {
            Ok(()) => !self.is_over,
            Err(fault) => {
                self.end(fault);
                false
            }
        }
    }

    /// Ends the audit: it took more than it may.
    fn end(&mut self, fault: Fault) {
        if !self.is_over {
            self.is_over = true;
            self.note_whole(Err(fault));
        }
    }

    /// Notes what a check of one entry found.
    fn note(&mut self, at: At, checked: Checks) {
        self.note_at(at.index, checked);
    }

    fn note_at(&mut self, index: u64, checked: Checks) {
        if let Err(fault) = checked {
            let Fault { rule, how } = self.unless_unread(fault, index);
            self.report.add(rule, Some(index), how);
            if rule == Rule::EntryKind {
                self.unread.get_or_insert(index);
            }
        }
    }

    fn note_whole(&mut self, checked: Checks) {
        if let Err(fault) = checked {
            let Fault { rule, how } = self.unless_unread(fault, u64::MAX);
            self.report.add(rule, None, how);
        }
    }

    /// What rests on the entries above is not known to be wrong where one of them is not read, or where the own root was
    /// good too late for some of them.
    fn unless_unread(&self, fault: Fault, index: u64) -> Fault {
        if fault.rule.basis() != Basis::Above {
            return fault;
        }
        let is_accused = fault.rule.severity() == Severity::Integrity;
        let reason = if is_accused && !self.keys.can_verify(&self.own) {
            format!(
                "that the trusted root of `{}` was not good yet for all that it signed",
                self.own
            )
        } else if let Some(unread) = self.unread.filter(|unread| *unread < index) {
            format!("entry {unread} is of a kind that this version does not check, and")
        } else {
            return fault;
        };
        Rule::Unchecked.broken(format!(
            "{reason} may be the reason; by the others, {}: {}",
            fault.rule.text(),
            fault.how
        ))
    }

    /// The first entry says whose ledger it is; its root must be a trusted one before anything else counts.
    fn check_opened(&mut self) -> Checks<Opened> {
        let Some(first) = self.bundle.entries().next() else {
            let how = "export the ledger again; every ledger has entries".to_owned();
            return Err(Rule::NoEntries.broken(how));
        };
        let body = Entry::decode(&first).and_then(|entry| entry.body());
        let Ok(Body::Opened(opened)) = body else {
            return Err(Rule::FirstEntries.broken("entry 0 is not *opened*"));
        };
        if opened.organization != self.own {
            return Err(Rule::Organization.broken(format!(
                "the bundle is of `{}`, the ledger of `{}`",
                self.own, opened.organization
            )));
        }
        if self.keys.known.ring.trusts_root(&self.own, &opened.root) {
            return Ok(opened);
        }
        let root = opened.root;
        Err(if self.keys.known.ring.trusts(&self.own) {
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
        let mut entries = bundle.entries();
        let mut walked = Walked::default();
        // Where keys are certified, nothing can be verified ahead.
        for bytes in entries.by_ref().take(FIRST_BATCH) {
            let known = self.keys.known.clone();
            let prepared = Prepared::of(&bytes, bundle, &known.ring);
            self.step(&mut walked, opened, prepared, &known);
        }
        let mut batch = (Vec::new(), self.keys.known.clone());
        loop {
            let next = entries.batch(BATCH);
            let known = self.keys.known.clone();
            let work = |bytes: &Cow<'_, [u8]>| Prepared::of(bytes, bundle, &known.ring);
            let prepared = share(&next, work, || {
                for prepared in batch.0 {
                    self.step(&mut walked, opened, prepared, &batch.1);
                }
            });
            if self.is_over || next.is_empty() {
                break;
            }
            batch = (prepared, known);
        }
        // What was walked over is what is signed.
        if !self.is_over && Some(walked.tree.root()) != self.report.tree_root() {
            bundle.fail_as_changed();
        }
    }

    /// Takes one entry in, which was prepared with these keys.
    fn step(
        &mut self,
        walked: &mut Walked,
        opened: &Opened,
        prepared: Box<Prepared>,
        known: &Known,
    ) {
        if !self.affords(Duration::ZERO) {
            return;
        }
        let index = walked.entries;
        walked.entries += 1;
        self.report.checked_mut().entries += 1;
        let Prepared {
            leaf,
            entry,
            mut statements,
        } = *prepared;
        walked.tree.append(leaf);
        let (head, body) = match entry {
            Ok(entry) => entry,
            Err(error) => {
                let fault = Rule::EntryShape.broken(error_chain(&error));
                self.report.add(fault.rule, Some(index), fault.how);
                return;
            }
        };
        let time = head.time;
        let at = At { index, time };
        let checked = self.check_nonce(at, head.nonce);
        self.note(at, checked);
        if time < walked.last {
            let how = format!("{time} follows {}", walked.last);
            self.note(at, Err(Rule::TimeOrder.broken(how)));
        }
        walked.last = walked.last.max(time);
        // What verified may have lost its key since, what lacked one may have got it.
        let is_stale = self.keys.known.narrowings != known.narrowings
            || (statements.lacks_key() && !Arc::ptr_eq(&self.keys.known.ring, &known.ring));
        if is_stale {
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
            Body::PartnershipEdition(_)
            | Body::ProfileActivated(_)
            | Body::TaxonomyActivated(_)
            | Body::Observed(_)
            | Body::Decided(_)
            | Body::Disclosed(_)
            | Body::Withheld(_)
            | Body::Withdrawn(_)
            | Body::Admitted(_)
            | Body::Refused(_)
            | Body::Acknowledged(_)
            | Body::LimitsSet(_)
            | Body::PartnershipDeclined(_)
            | Body::IssuerPinned(_)
            | Body::SetAside(_)
            | Body::OfferedAgain(_)
            | Body::AttestationRecorded(_)
            | Body::Laid(_)
            | Body::Unread { .. } => at.index > 1,
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
            Body::SetAside(set_aside) => self.set_aside(at, set_aside),
            Body::OfferedAgain(offer) => self.offered_again(at, offer),
            Body::Acknowledged(acknowledged) => self.acknowledged(at, acknowledged, statements),
            Body::LimitsSet(set) => self.in_force.set_limits(set.limits.clone()),
            Body::PartnershipDeclined(declined) => self.declined(at, declined),
            Body::Laid(_) => {
                let name = Kind::from_number(body.kind()).map_or("unknown", Kind::name);
                let how = format!("*{name}*: this version reads it and does not check it yet");
                self.note(at, Err(Rule::Unchecked.broken(how)));
                self.unread.get_or_insert(at.index);
            }
            Body::IssuerPinned(pinned) => self.issuer_pinned(at, pinned),
            Body::AttestationRecorded(attested) => self.attested(at, attested),
            Body::Unread { kind, .. } => {
                let how = format!("kind {kind}: a later version wrote it; audit with that version");
                self.note(at, Err(Rule::EntryKind.broken(how)));
                self.unread.get_or_insert(at.index);
            }
        }
    }

    fn finish(&mut self) {
        let checkpoint = std::mem::replace(&mut self.checkpoint, Ok(()));
        self.note_whole(checkpoint);
        for step in [Self::find_strays, Self::close_outboxes, Self::show_rules] {
            if !self.is_over {
                step(self);
            }
        }
    }
}
