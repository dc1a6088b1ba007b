//! The checkpoint, before anything else: who did not sign these entries makes nobody work through them.
//!
//! It takes the leaves, and the keys that *key certified* says are the ledger's own. Nothing else of an entry is believed, or looked at.

use super::Audit;
use super::fault::Checks;
use super::{BATCH, Walked};
use crate::cores::share;
use crate::report::error_chain;
use crate::rule::{Basis, Rule};
use ambit_ledger::{
    Body, Checkpoint, CheckpointError, Digest, Entry, Frontier, KeyPurpose, Keyring, Kind, Opened,
    PublicKey, StatementError, Time, leaf_hash,
};
use std::collections::BTreeSet;

/// What a first look at one entry gives.
struct Glance {
    leaf: Digest,
    time: Option<Time>,
    /// Of *key certified*.
    certificate: Option<Vec<u8>>,
    /// Whether it is of a kind that changes no keys that this version does not know of.
    is_known: bool,
}

impl Glance {
    fn of(bytes: &[u8]) -> Self {
        let entry = Entry::decode(bytes).ok();
        let kind = entry
            .as_ref()
            .and_then(|entry| Kind::from_number(entry.kind));
        let certificate = entry
            .as_ref()
            .filter(|_| kind == Some(Kind::KeyCertified))
            .and_then(|entry| match entry.body() {
                Ok(Body::KeyCertified(certified)) => Some(certified.certificate.into_vec()),
                _ => None,
            });
        Self {
            leaf: leaf_hash(bytes),
            time: entry.as_ref().map(|entry| entry.time),
            certificate,
            is_known: entry.is_none() || kind.is_some_and(Kind::is_in_use),
        }
    }
}

/// What all entries together are signed by.
struct Signed {
    tree: Frontier,
    /// The ledger's own keys, in whichever entry they are.
    keyring: Keyring,
    /// The time of the last entry.
    last: Time,
    /// Whether the root was good too late for a key, or an entry may hold keys that this version does not read.
    is_unsure: bool,
}

impl Audit<'_> {
    /// Holds the checkpoint against the entries. Where it is certain that it is not theirs, that is noted, and nothing else is
    /// worth looking at: false. What is not certain yet is kept for the end of the walk.
    pub(super) fn is_signed(&mut self, opened: &Opened) -> bool {
        let signed = match self.signed(opened) {
            Ok(signed) => signed,
            Err(fault) => {
                self.end(fault);
                return false;
            }
        };
        self.report.set_tree_root(signed.tree.root());
        let checked = self.check_checkpoint(&signed);
        match &checked {
            Err(fault) if fault.rule.basis() == Basis::Itself || !signed.is_unsure => {
                self.note_whole(checked);
                false
            }
            Ok(()) | Err(_) => {
                self.checkpoint = checked;
                true
            }
        }
    }

    fn signed(&mut self, opened: &Opened) -> Checks<Signed> {
        let mut signed = Signed {
            tree: Frontier::default(),
            keyring: (*self.keys.known.ring).clone(),
            last: Walked::default().last,
            is_unsure: false,
        };
        let bundle = self.bundle;
        let mut seen = BTreeSet::new();
        let mut entries = bundle.entries();
        loop {
            let batch = entries.batch(BATCH);
            if batch.is_empty() {
                return Ok(signed);
            }
            self.look()?;
            for glance in share(&batch, |bytes| Glance::of(bytes), || {}) {
                signed.tree.append(glance.leaf);
                signed.last = signed.last.max(glance.time.unwrap_or(signed.last));
                signed.is_unsure |= !glance.is_known;
                if let Some(certificate) = glance.certificate
                    && seen.insert(Digest::of(&certificate))
                {
                    self.look()?;
                    self.certify_ahead(&mut signed, opened, &certificate);
                }
            }
        }
    }

    /// Takes one of the ledger's own certificates in. What is wrong with one, the walk says.
    fn certify_ahead(&mut self, signed: &mut Signed, opened: &Opened, bytes: &[u8]) {
        let is_own = ambit_ledger::Certificate::unverified(bytes).map(|claimed| {
            claimed.subject == self.own && claimed.root.fingerprint() == opened.root
        });
        let certified = match is_own {
            Ok(true) => signed.keyring.certify(bytes).map(drop),
            Ok(false) => Ok(()),
            Err(error) => Err(error),
        };
        signed.is_unsure |= certified.is_err_and(|error| {
            matches!(error, StatementError::Key(_)) || error.is_of_unknown_kind()
        });
    }

    /// The checkpoint is over the entries at hand, and by a key of this ledger.
    fn check_checkpoint(&mut self, signed: &Signed) -> Checks {
        let (size, root) = (signed.tree.size(), signed.tree.root());
        let ring = &signed.keyring;
        let keys: Vec<_> = ring.keys_for(&self.own, KeyPurpose::Checkpoint).collect();
        if keys.is_empty() && signed.is_unsure {
            return Ok(());
        }
        let Some(origin) = self.bundle.origin() else {
            return Ok(());
        };
        // It was signed after the last entry: by no key that had ended by then, or had not begun.
        let is_good = |key: &PublicKey| {
            let fingerprint = key.fingerprint();
            let found = ring.find(&self.own, &fingerprint, KeyPurpose::Checkpoint, signed.last);
            found.is_ok()
        };
        let keys = keys.into_iter().filter(is_good);
        let checkpoint = Checkpoint::verify(self.bundle.checkpoint(), &origin, keys);
        let checkpoint = checkpoint.map_err(|error| {
            let rule = match error {
                CheckpointError::Unsigned => Rule::CheckpointKey,
                CheckpointError::TooLong(_)
                | CheckpointError::ControlCharacter(_)
                | CheckpointError::NoSignatures
                | CheckpointError::Lines(_)
                | CheckpointError::Origin { .. }
                | CheckpointError::Size(_)
                | CheckpointError::Root(_)
                | CheckpointError::SignatureLine(_)
                | CheckpointError::Signature(_) => Rule::Checkpoint,
            };
            rule.broken(error_chain(&error))
        })?;
        self.report.checked_mut().signatures += 1;
        if (checkpoint.size, checkpoint.root) == (size, root) {
            return Ok(());
        }
        Err(Rule::Tree.broken(format!(
            "the checkpoint is over {} entries with root {}, the bundle holds {size} with root {root}; nothing else was \
             checked: get the bundle again",
            checkpoint.size, checkpoint.root
        )))
    }
}
