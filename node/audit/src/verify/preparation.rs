//! What can be worked out about an entry without those above it, on any core: its leaf, its shape, and whether its
//! statements verify with the keys known so far.
//!
//! It must never decide anything: the walk does, entry by entry. Whatever keys that were certified, or ended, since
//! could change is worked out again there.

use crate::bundle::Bundle;
use ambit_ledger::{
    Acknowledgement, Body, CodecError, Digest, Disclosure, Entry, Keyring, Observation, Readings,
    ReadingsError, Salt, StatementError, Time, leaf_hash,
};

/// An entry, worked out ahead of the walk.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) leaf: Digest,
    pub(super) entry: Result<(Head, Result<Body, CodecError>), CodecError>,
    pub(super) statements: Statements,
}

/// What every entry begins with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    pub(super) nonce: Salt,
    pub(super) time: Time,
}

/// The statements of an entry; what is not there is worked out by whoever needs it.
#[derive(Debug, Default)]
pub(super) struct Statements {
    pub(super) observation: Option<ObservationClaim>,
    pub(super) disclosure: Option<Claim<Disclosure>>,
    pub(super) acknowledgement: Option<Result<Acknowledgement, StatementError>>,
}

/// What a statement says, and whether it verifies.
#[derive(Debug)]
pub(super) struct Claim<T> {
    pub(super) verified: Result<(), StatementError>,
    pub(super) said: Result<T, StatementError>,
}

/// An observation, and whether its readings are those that it names; absent where they are missing.
#[derive(Debug)]
pub(super) struct ObservationClaim {
    pub(super) claim: Claim<Observation>,
    pub(super) readings: Option<Result<(), ReadingsError>>,
}

impl Prepared {
    /// Boxed: it is some kilobytes, and changes hands.
    pub(super) fn of(bytes: &[u8], bundle: &Bundle, keyring: &Keyring) -> Box<Self> {
        let entry = Entry::decode(bytes).map(|entry| {
            let head = Head {
                nonce: entry.nonce,
                time: entry.time,
            };
            (head, entry.body())
        });
        let statements = match &entry {
            Ok((head, Ok(body))) => Statements::of(body, head.time, bundle, keyring),
            Ok((_, Err(_))) | Err(_) => Statements::default(),
        };
        Box::new(Self {
            leaf: leaf_hash(bytes),
            entry,
            statements,
        })
    }
}

impl Statements {
    fn of(body: &Body, time: Time, bundle: &Bundle, keyring: &Keyring) -> Self {
        let mut statements = Self::default();
        match body {
            Body::Observed(body) => {
                let claim = ObservationClaim::of(&body.observation, time, bundle, keyring);
                statements.observation = Some(claim);
            }
            Body::Disclosed(body) => {
                statements.disclosure = Some(Claim::disclosure(&body.disclosure, keyring));
            }
            Body::Admitted(body) => {
                let disclosure = Claim::disclosure(&body.disclosure, keyring);
                let at = disclosure.issued_at().unwrap_or(time);
                let claim = ObservationClaim::of(&body.observation, at, bundle, keyring);
                statements.observation = Some(claim);
                statements.disclosure = Some(disclosure);
            }
            Body::Acknowledged(body) => {
                let verified = Acknowledgement::verify(&body.acknowledgement, keyring);
                statements.acknowledgement = Some(verified);
            }
            // What brings keys along, and what is rare, is verified by the walk.
            Body::Opened(_)
            | Body::KeyCertified(_)
            | Body::Laid(_)
            | Body::PartnershipEdition(_)
            | Body::ProfileActivated(_)
            | Body::TaxonomyActivated(_)
            | Body::Decided(_)
            | Body::Withheld(_)
            | Body::Withdrawn(_)
            | Body::Refused(_)
            | Body::LimitsSet(_)
            | Body::PartnershipDeclined(_)
            | Body::IssuerPinned(_)
            | Body::SetAside(_)
            | Body::OfferedAgain(_)
            | Body::AttestationRecorded(_)
            | Body::Unread { .. } => {}
        }
        statements
    }

    /// Whether a key was missing that may be there by now.
    pub(super) fn lacks_key(&self) -> bool {
        let of_observation = self.observation.as_ref();
        let verified = [
            of_observation.map(|observation| &observation.claim.verified),
            self.disclosure.as_ref().map(|claim| &claim.verified),
        ];
        let acknowledged = self.acknowledgement.as_ref();
        verified
            .into_iter()
            .flatten()
            .any(|verified| matches!(verified, Err(StatementError::Key(_))))
            || acknowledged.is_some_and(|read| matches!(read, Err(StatementError::Key(_))))
    }
}

impl<T> Claim<T> {
    fn of(
        verified: Result<T, StatementError>,
        read: impl FnOnce() -> Result<T, StatementError>,
    ) -> Self {
        match verified {
            Ok(statement) => Self {
                verified: Ok(()),
                said: Ok(statement),
            },
            Err(error) => Self {
                verified: Err(error),
                said: read(),
            },
        }
    }
}

impl Claim<Disclosure> {
    pub(super) fn disclosure(bytes: &[u8], keyring: &Keyring) -> Self {
        let verified = Disclosure::verify(bytes, keyring);
        Self::of(verified, || Disclosure::from_own_ledger(bytes))
    }

    /// When it was issued: the instant that keys of another's ledger are held to.
    pub(super) fn issued_at(&self) -> Option<Time> {
        let said = self.said.as_ref().ok();
        said.map(|disclosure| disclosure.issued_at)
    }
}

impl ObservationClaim {
    /// `at` is when its key must have been good: when it was recorded by its issuer, or disclosed by it.
    pub(super) fn of(bytes: &[u8], at: Time, bundle: &Bundle, keyring: &Keyring) -> Self {
        let verified = Observation::verify(bytes, keyring, at);
        let claim = Claim::of(verified, || Observation::from_own_ledger(bytes));
        let readings = claim.said.as_ref().ok().and_then(|observation| {
            let block = bundle.readings_of(&observation.id())?;
            Some(Readings::decode(&block, observation.facts()).map(|_| ()))
        });
        Self { claim, readings }
    }
}
