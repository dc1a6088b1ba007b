//! Keys and signatures: which certificates count, and what to make of a statement that does not verify.
//!
//! A statement whose issuer's root the auditor does not have is not false: it can't be checked. The root is
//! asked for once, and the walk goes on with what the statement says.

use super::Audit;
use super::fault::{At, Checks, Fault};
use crate::report::error_chain;
use crate::rule::Rule;
use crate::trust::Trust;
use ambit_ledger::{
    Certificate, Digest, Fingerprint, KeyCertified, Keyring, KeyringError, Member, Opened,
    OrganizationId, StatementError, Time,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The keys that go back to a trusted root, and for whom some are missing.
#[derive(Debug)]
pub(super) struct Keys {
    pub(super) known: Known,
    /// Those that were taken in.
    certificates: BTreeSet<Digest>,
    /// What reading one came to, which costs two signatures: entries and cards repeat them.
    read: BTreeMap<Digest, Checks<Certificate>>,
    /// Whose statements cannot be checked, which was noted.
    unverifiable: BTreeSet<OrganizationId>,
    /// Terms are missing, and with them certificates of members.
    lacks_terms: bool,
    /// What entries above verified and later ones record again: it stays good, whatever became of its key since.
    pub(super) signatures: BTreeMap<Digest, Signed>,
    pub(super) cards: BTreeSet<Digest>,
}

/// Who signed which edition, and when; absent where nobody knows whether it is the signer's word.
pub(super) type Signed = (OrganizationId, Digest, Option<Time>);

/// The keys that are certified, as far as the walk has come.
#[derive(Clone, Debug)]
pub(super) struct Known {
    /// Shared with what is prepared ahead; another one whenever a key is added.
    pub(super) ring: Arc<Keyring>,
    /// How many certificates so far may have ended a key that was there. What was verified before the last of them is
    /// verified again.
    pub(super) narrowings: u64,
}

impl Keys {
    pub(super) fn trusting(trust: &Trust) -> Self {
        Self {
            known: Known {
                ring: Arc::new(trust.keyring()),
                narrowings: 0,
            },
            certificates: BTreeSet::new(),
            read: BTreeMap::new(),
            unverifiable: BTreeSet::new(),
            lacks_terms: false,
            signatures: BTreeMap::new(),
            cards: BTreeSet::new(),
        }
    }

    /// Whether what an organization signs can be verified: its root is at hand, and was good for all of it.
    pub(super) fn can_verify(&self, organization: &OrganizationId) -> bool {
        !self.unverifiable.contains(organization)
    }

    /// A certificate, read once.
    fn read(&mut self, digest: Digest, bytes: &[u8]) -> Checks<Certificate> {
        let read = || Certificate::read(bytes).map_err(|error| uncertified(&error));
        self.read.entry(digest).or_insert_with(read).clone()
    }

    /// The fingerprints of the roots that certify a member's keys.
    pub(super) fn certified_by(&mut self, member: &Member) -> impl Iterator<Item = Fingerprint> {
        let certificates = member.card.certificates.iter();
        let read = certificates.filter_map(|bytes| self.read(Digest::of(bytes), bytes).ok());
        read.map(|certificate| certificate.root.fingerprint())
    }

    /// Terms that an entry names are missing.
    pub(super) fn lack_terms(&mut self) {
        self.lacks_terms = true;
    }
}

impl Audit<'_> {
    pub(super) fn key_certified(&mut self, at: At, opened: &Opened, body: &KeyCertified) {
        let own = self.own.clone();
        let digest = Digest::of(&body.certificate);
        let checked = self
            .keys
            .read(digest, &body.certificate)
            .and_then(|claimed| {
                let is_own = claimed.root.fingerprint() == opened.root;
                Rule::Certificate.check(is_own, || {
                    "another root signed it than the one the ledger opens with".to_owned()
                })
            })
            .and_then(|()| self.certify(at, &own, &body.certificate));
        self.note(at, checked.map(drop));
    }

    /// Takes a certificate from a member's card in. Those of this ledger's own organization count by *key certified*
    /// alone, and none stands on a card that is not there.
    pub(super) fn certify_member(
        &mut self,
        at: At,
        member: &OrganizationId,
        bytes: &[u8],
    ) -> Checks {
        if *member == self.own {
            let is_recorded = self.keys.certificates.contains(&Digest::of(bytes));
            return Rule::Certificate.check(is_recorded, || {
                format!("one on a card of `{member}` is in no *key certified* above")
            });
        }
        self.certify(at, member, bytes).map(drop)
    }

    /// Takes a certificate of this organization in. `None` where its root is not at hand, which is noted.
    pub(super) fn certify(
        &mut self,
        at: At,
        organization: &OrganizationId,
        bytes: &[u8],
    ) -> Checks<Option<Certificate>> {
        let digest = Digest::of(bytes);
        let claimed = self.keys.read(digest, bytes)?;
        Rule::Certificate.check(claimed.subject == *organization, || {
            format!("it is of `{}`, not `{organization}`", claimed.subject)
        })?;
        if !self.keys.certificates.insert(digest) {
            return Ok(Some(claimed));
        }
        let is_known = self
            .keys
            .known
            .ring
            .keys_for(organization, claimed.purpose)
            .any(|key| key == claimed.key);
        if is_known {
            self.keys.known.narrowings += 1;
        }
        match Arc::make_mut(&mut self.keys.known.ring).certify(bytes) {
            Ok(certificate) => {
                self.report.checked_mut().signatures += 1;
                Ok(Some(certificate))
            }
            Err(StatementError::Key(_)) => {
                self.trust_root(at, organization, claimed.root.fingerprint());
                if self.keys.unverifiable.insert(organization.clone()) {
                    return Err(Rule::RootFrom.broken(format!(
                        "a certificate of `{organization}` begins at {}; write an earlier `from` \
                         in the trust file if the root was good then",
                        claimed.not_before
                    )));
                }
                Ok(None)
            }
            Err(error) => Err(uncertified(&error)),
        }
    }

    /// Whether the auditor trusts this root; where not, that is noted once for each organization.
    pub(super) fn trust_root(&mut self, at: At, organization: &OrganizationId, root: Fingerprint) {
        if self.keys.known.ring.trusts_root(organization, &root)
            || !self.keys.unverifiable.insert(organization.clone())
        {
            return;
        }
        let fault = if self.keys.known.ring.trusts(organization) {
            Rule::RootDiffers.broken(format!(
                "the ledger goes by the root {root} of `{organization}`, which the trust file does \
                 not name"
            ))
        } else {
            Rule::RootMissing.broken(format!(
                "obtain the root fingerprint of `{organization}` out of band and compare it with \
                 {root}; its statements were not checked"
            ))
        };
        self.note(at, Err(fault));
    }

    /// What verifying a statement came to. `None` where its issuer's root is not at hand, which is noted.
    pub(super) fn verified<T>(
        &mut self,
        at: At,
        result: Result<T, StatementError>,
    ) -> Checks<Option<T>> {
        match result {
            Ok(verified) => {
                self.report.checked_mut().signatures += 1;
                Ok(Some(verified))
            }
            Err(StatementError::Key(error)) => {
                if self.is_unverifiable(at, &error) {
                    Ok(None)
                } else {
                    Err(unverified(&StatementError::Key(error)))
                }
            }
            Err(error) => Err(unverified(&error)),
        }
    }

    fn is_unverifiable(&mut self, at: At, error: &KeyringError) -> bool {
        let organization = match error {
            KeyringError::UntrustedOrganization(organization)
            | KeyringError::UntrustedRoot { organization, .. }
            | KeyringError::Uncertified { organization, .. }
            | KeyringError::Purpose { organization, .. }
            | KeyringError::Instant { organization, .. } => organization,
        };
        let may_be_certified_elsewhere = self.keys.lacks_terms
            && *organization != self.own
            && matches!(error, KeyringError::Uncertified { .. });
        if may_be_certified_elsewhere || self.keys.unverifiable.contains(organization) {
            return true;
        }
        if self.keys.known.ring.trusts(organization) {
            return false;
        }
        self.keys.unverifiable.insert(organization.clone());
        let how = format!(
            "obtain the root fingerprint of `{organization}` out of band; its statements were not \
             checked"
        );
        self.note(at, Err(Rule::RootMissing.broken(how)));
        true
    }
}

pub(super) fn unverified(error: &StatementError) -> Fault {
    let rule = match error {
        StatementError::Key(KeyringError::Instant { .. }) => Rule::KeyTime,
        StatementError::Key(_) => Rule::Key,
        _ => Rule::Signature,
    };
    unless_later(error, rule)
}

fn uncertified(error: &StatementError) -> Fault {
    unless_later(error, Rule::Certificate)
}

/// A statement of a kind that only a later version knows is not known to be wrong.
fn unless_later(error: &StatementError, rule: Rule) -> Fault {
    if error.is_of_unknown_kind() {
        let how = error_chain(error);
        return Rule::EntryKind.broken(format!("{how}: audit with the version that wrote it"));
    }
    rule.broken(error_chain(error))
}
