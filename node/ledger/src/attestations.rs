//! What issuers attest, as far as it stands: of each number the latest statement, by issuers whose root is pinned or
//! by the ledger's own organization.
//!
//! A node and an auditor read it from the same entries in their order, and so come to the same. Nobody attests anything
//! of itself: that is a claim.

use crate::authority::Attested;
use crate::entry::IssuerPinned;
use crate::keyring::Keyring;
use crate::keys::Fingerprint;
use crate::names::{Name, OrganizationId};
use crate::statement::StatementError;
use crate::statements::AttestationStatement;
use crate::time::Time;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// What stands of what issuers attest.
#[derive(Clone, Debug)]
pub struct Attestations {
    own: OrganizationId,
    pinned: BTreeMap<OrganizationId, Pinned>,
    /// All keys that issuers were ever pinned with, each for as long as all that names it says.
    named: Keyring,
    /// By whom it is about.
    standing: BTreeMap<OrganizationId, BTreeMap<Place, Standing>>,
}

#[derive(Clone, Debug)]
struct Pinned {
    root: Fingerprint,
    keyring: Keyring,
}

/// Statements on one subject in one place replace each other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    issuer: OrganizationId,
    what: Name,
    number: Option<Name>,
}

/// A statement that no later one replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The statement's bytes.
    pub bytes: Vec<u8>,
    /// What it says.
    pub statement: AttestationStatement,
    /// The pinned root it was verified under; absent where it is this ledger's own organization that says it.
    root: Option<Fingerprint>,
}

/// A statement is not taken in.
#[derive(Debug, thiserror::Error)]
pub enum AttestationError {
    /// Not by a key that its issuer's root certifies, or not of its shape.
    #[error("the attestation cannot be relied on")]
    Statement(#[from] StatementError),
    /// Nobody compared the issuer's root.
    #[error("it is issued by `{0}`, whose root is not pinned")]
    Unpinned(OrganizationId),
    /// It speaks of its own issuer.
    #[error("`{0}` attests it of itself, which is a claim and no attestation")]
    OfItself(OrganizationId),
    /// A later one stands.
    #[error(
        "it was issued at {at}, and a later one of the same number stands, issued at {standing}"
    )]
    Older {
        /// When it was issued.
        at: Time,
        /// When the one that stands was.
        standing: Time,
    },
}

impl Attestations {
    /// None yet, in the ledger of this organization.
    #[must_use]
    pub fn new(own: OrganizationId) -> Self {
        Self {
            own,
            pinned: BTreeMap::new(),
            named: Keyring::new(),
            standing: BTreeMap::new(),
        }
    }

    /// Pins an issuer's root, or lets go of it. What it attested under another root counts no more. A key that it ended once
    /// stays ended, whichever card it is pinned by again.
    ///
    /// # Errors
    /// [`StatementError`] where a certificate is not by that root.
    pub fn pin(&mut self, body: &IssuerPinned) -> Result<(), StatementError> {
        if body.undone {
            self.pinned.remove(&body.issuer);
            return Ok(());
        }
        let mut keyring = Keyring::new();
        keyring.trust(body.issuer.clone(), body.root, Time::EARLIEST);
        for certificate in &body.certificates {
            keyring.certify(certificate)?;
        }
        self.named.extend(keyring.clone());
        let root = body.root;
        self.pinned
            .insert(body.issuer.clone(), Pinned { root, keyring });
        Ok(())
    }

    /// Verifies a statement: one by the ledger's own organization, or by a pinned issuer. `known` holds its own keys, and
    /// whatever else names those of others: what ended there is ended here. It is not taken in yet.
    ///
    /// # Errors
    /// Any [`AttestationError`].
    pub fn verify(&self, bytes: &[u8], known: &Keyring) -> Result<Standing, AttestationError> {
        let issuer = AttestationStatement::from_own_ledger(bytes)?.issuer;
        let (keyring, root) = match self.pinned.get(&issuer) {
            _ if issuer == self.own => (Cow::Borrowed(known), None),
            Some(pinned) => {
                let keyring = narrowed(Cow::Borrowed(&pinned.keyring), &self.named);
                (narrowed(keyring, known), Some(pinned.root))
            }
            None => return Err(AttestationError::Unpinned(issuer)),
        };
        let statement = AttestationStatement::verify(bytes, &keyring)?;
        if statement.attestation.subject == issuer {
            return Err(AttestationError::OfItself(issuer));
        }
        let about = self.standing.get(&statement.attestation.subject);
        let before = about.and_then(|about| about.get(&place(&statement)));
        match before.filter(|before| statement.at < before.statement.at) {
            Some(before) => Err(AttestationError::Older {
                at: statement.at,
                standing: before.statement.at,
            }),
            None => Ok(Standing {
                bytes: bytes.to_vec(),
                statement,
                root,
            }),
        }
    }

    /// The keys that issuers were ever pinned with.
    #[must_use]
    pub fn keyring(&self) -> &Keyring {
        &self.named
    }

    /// Takes in what was verified, in the place of an earlier one.
    pub fn take(&mut self, verified: Standing) {
        let subject = verified.statement.attestation.subject.clone();
        let about = self.standing.entry(subject).or_default();
        about.insert(place(&verified.statement), verified);
    }

    /// What is attested of an organization and not over. What begins later is there: policies cannot read it until then,
    /// and what they answer ends when it begins.
    #[must_use]
    pub fn of(&self, subject: &OrganizationId, now: Time) -> BTreeSet<Attested> {
        self.counting(subject)
            .filter(|statement| !statement.attestation.is_over(now))
            .map(|statement| Attested {
                issuer: statement.issuer.clone(),
                attestation: statement.attestation.clone(),
            })
            .collect()
    }

    /// When what is attested of an organization ends, or ended.
    pub fn ends(&self, subject: &OrganizationId) -> impl Iterator<Item = Time> {
        self.counting(subject)
            .map(|statement| statement.attestation.not_after)
    }

    /// Whether it stands, word for word, and its issuer is trusted.
    #[must_use]
    pub fn support(&self, attested: &Attested) -> bool {
        let said = &attested.attestation;
        let standing = self.find(
            &attested.issuer,
            &said.subject,
            &said.what,
            said.number.as_ref(),
        );
        standing.is_some_and(|standing| {
            standing.statement.attestation == *said && self.counts(standing)
        })
    }

    /// Everything that stands, with whether its issuer is trusted.
    pub fn all(&self) -> impl Iterator<Item = (&Standing, bool)> {
        let standing = self.standing.values().flat_map(BTreeMap::values);
        standing.map(|standing| (standing, self.counts(standing)))
    }

    /// The latest statement of this issuer on this subject and number, whether or not it is in force.
    #[must_use]
    pub fn find(
        &self,
        issuer: &OrganizationId,
        subject: &OrganizationId,
        what: &Name,
        number: Option<&Name>,
    ) -> Option<&Standing> {
        self.standing.get(subject)?.get(&Place {
            issuer: issuer.clone(),
            what: what.clone(),
            number: number.cloned(),
        })
    }

    /// The pinned issuers with their roots.
    pub fn issuers(&self) -> impl Iterator<Item = (&OrganizationId, Fingerprint)> {
        let pinned = self.pinned.iter();
        pinned.map(|(issuer, pinned)| (issuer, pinned.root))
    }

    fn counting(&self, subject: &OrganizationId) -> impl Iterator<Item = &AttestationStatement> {
        let about = self.standing.get(subject).into_iter();
        about
            .flat_map(BTreeMap::values)
            .filter(|standing| self.counts(standing))
            .map(|standing| &standing.statement)
    }

    fn counts(&self, standing: &Standing) -> bool {
        let issuer = &standing.statement.issuer;
        match standing.root {
            None => *issuer == self.own,
            Some(root) => self
                .pinned
                .get(issuer)
                .is_some_and(|pinned| pinned.root == root),
        }
    }
}

/// The same keys, each no longer than the others say.
fn narrowed<'a>(keyring: Cow<'a, Keyring>, by: &Keyring) -> Cow<'a, Keyring> {
    keyring.narrowed_by(by).map_or(keyring, Cow::Owned)
}

fn place(statement: &AttestationStatement) -> Place {
    let attestation = &statement.attestation;
    Place {
        issuer: statement.issuer.clone(),
        what: attestation.what.clone(),
        number: attestation.number.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authority::Attestation;
    use crate::certificate::Certificate;
    use crate::keys::{KeyPurpose, SecretKey};
    use serde_bytes::ByteBuf;

    const NOW: &str = "2026-05-01T08:00:00Z";

    fn id(name: &str) -> OrganizationId {
        format!("did:web:{name}.example").parse().unwrap()
    }

    fn time(text: &str) -> Time {
        text.parse().unwrap()
    }

    /// An organization's statement key, and the entry that pins the root which certifies it.
    fn issuer(name: &str, seed: u8) -> (SecretKey, IssuerPinned) {
        let root = SecretKey::from_seed(&[seed; 32]);
        let key = SecretKey::from_seed(&[seed ^ 0xff; 32]);
        let certificate = Certificate {
            subject: id(name),
            root: root.public(),
            purpose: KeyPurpose::Statement,
            key: key.public(),
            not_before: Time::EARLIEST,
            not_after: None,
        }
        .sign(&root, &key);
        let pinned = IssuerPinned {
            issuer: id(name),
            root: root.public().fingerprint(),
            certificates: vec![ByteBuf::from(certificate)],
            undone: false,
        };
        (key, pinned)
    }

    fn keyring(pinned: &IssuerPinned) -> Keyring {
        let mut keyring = Keyring::new();
        keyring.trust(pinned.issuer.clone(), pinned.root, Time::EARLIEST);
        keyring.certify(&pinned.certificates[0]).unwrap();
        keyring
    }

    fn statement(by: &str, of: &str, number: &str, until: &str, at: &str) -> AttestationStatement {
        AttestationStatement {
            issuer: id(by),
            attestation: Attestation {
                subject: id(of),
                what: "ddtc-registered".parse().unwrap(),
                number: Some(number.parse().unwrap()),
                not_before: time("2026-01-01T00:00:00Z"),
                not_after: time(until),
                authorization: None,
            },
            at: time(at),
        }
    }

    #[test]
    fn only_what_pinned_issuers_say_counts_and_of_each_number_the_latest() {
        let (own_key, own) = issuer("shop", 1);
        let (key, pinned) = issuer("register", 2);
        let own = keyring(&own);
        let mut attestations = Attestations::new(id("shop"));
        let first = statement("register", "customer", "M-1", "2027-01-01T00:00:00Z", NOW);
        let bytes = first.sign(&key);
        let unpinned = attestations.verify(&bytes, &own);
        assert!(matches!(unpinned, Err(AttestationError::Unpinned(by)) if by == id("register")));

        attestations.pin(&pinned).unwrap();
        let verified = attestations.verify(&bytes, &own).unwrap();
        attestations.take(verified);
        let count = |attestations: &Attestations, now: &str| {
            attestations.of(&id("customer"), time(now)).len()
        };
        assert_eq!(count(&attestations, NOW), 1);
        // It begins later, and is handed to policies, which leave it out until then.
        assert_eq!(count(&attestations, "2025-12-31T23:59:59Z"), 1);
        assert_eq!(count(&attestations, "2027-01-01T00:00:00Z"), 0);
        assert!(attestations.of(&id("other"), time(NOW)).is_empty());
        let held = attestations
            .of(&id("customer"), time(NOW))
            .pop_first()
            .unwrap();
        assert!(attestations.support(&held));

        // An older one of the number does not come back; a later one ends it.
        let late = "2026-06-01T00:00:00Z";
        let ended = statement("register", "customer", "M-1", late, late).sign(&key);
        let ended = attestations.verify(&ended, &own).unwrap();
        attestations.take(ended);
        assert_eq!(count(&attestations, late), 0);
        assert!(!attestations.support(&held));
        let older = attestations.verify(&bytes, &own);
        assert!(matches!(older, Err(AttestationError::Older { .. })));
        let another = statement("register", "customer", "M-2", "2027-01-01T00:00:00Z", NOW);
        let another = attestations.verify(&another.sign(&key), &own).unwrap();
        attestations.take(another);
        assert_eq!(count(&attestations, late), 1);

        // Its own word counts without a pin, but for others' alone.
        let mine = statement("shop", "customer", "M-3", "2027-01-01T00:00:00Z", NOW);
        let mine = attestations.verify(&mine.sign(&own_key), &own).unwrap();
        attestations.take(mine);
        assert_eq!(count(&attestations, late), 2);
        for (by, key) in [("shop", &own_key), ("register", &key)] {
            let itself = statement(by, by, "M-4", "2027-01-01T00:00:00Z", NOW).sign(key);
            let refused = attestations.verify(&itself, &own);
            assert!(matches!(refused, Err(AttestationError::OfItself(of)) if of == id(by)));
        }

        // Let go of, or of another root, it says nothing more.
        let undone = IssuerPinned {
            undone: true,
            certificates: Vec::new(),
            ..pinned.clone()
        };
        attestations.pin(&undone).unwrap();
        assert_eq!(count(&attestations, late), 1);
        attestations.pin(&issuer("register", 3).1).unwrap();
        assert_eq!(count(&attestations, late), 1);
        attestations.pin(&pinned).unwrap();
        assert_eq!(count(&attestations, late), 2);
        assert_eq!(attestations.all().filter(|(_, counts)| *counts).count(), 3);
    }

    #[test]
    fn another_key_than_the_pinned_roots_is_refused() {
        let (_, own) = issuer("shop", 1);
        let (_, pinned) = issuer("register", 2);
        let (stranger, _) = issuer("register", 9);
        let mut attestations = Attestations::new(id("shop"));
        attestations.pin(&pinned).unwrap();
        let forged = statement("register", "customer", "M-1", "2027-01-01T00:00:00Z", NOW);
        let refused = attestations.verify(&forged.sign(&stranger), &keyring(&own));
        assert!(matches!(refused, Err(AttestationError::Statement(_))));
        let other = IssuerPinned {
            root: own.root,
            ..pinned
        };
        assert!(attestations.pin(&other).is_err());
    }
}
