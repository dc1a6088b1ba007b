//! Observations: facts that their issuer signed.

use crate::codec;
use crate::digest::ObservationId;
use crate::facts::Facts;
use crate::keyring::Keyring;
use crate::keys::SecretKey;
use crate::payload;
use crate::statement::{self, Statement, StatementError, StatementKind};
use crate::time::Time;

/// A verified observation. Its payload is its facts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    id: ObservationId,
    facts: Facts,
}

impl Observation {
    /// Signs facts that keep their rules and are not too large. Returns the statement's bytes.
    ///
    /// # Errors
    /// [`StatementError::Rule`], [`StatementError::TooLarge`].
    pub fn issue(facts: &Facts, key: &SecretKey) -> Result<Vec<u8>, StatementError> {
        match facts.broken_rule() {
            Some(rule) => Err(StatementError::Rule(rule)),
            None => payload::of_size(StatementKind::Observation, Self::sign(facts, key)),
        }
    }

    /// Signs facts whatever their rules say, as a forger would. A node issues. Returns the statement's bytes.
    #[must_use]
    pub fn sign(facts: &Facts, key: &SecretKey) -> Vec<u8> {
        statement::sign(
            StatementKind::Observation,
            &facts.issuer,
            &facts.readings.to_string(),
            &codec::encode(facts),
            key,
        )
    }

    /// Verifies a statement from outside, whose key must have been good at this instant. Facts do not say when they
    /// were signed: it is the instant of the entry in the issuer's own ledger, and elsewhere that of the disclosure
    /// they came with.
    ///
    /// # Errors
    /// Any [`StatementError`].
    pub fn verify(bytes: &[u8], keyring: &Keyring, at: Time) -> Result<Self, StatementError> {
        let statement = payload::parse(bytes, StatementKind::Observation)?;
        let verified = statement.verify(keyring, at)?;
        let facts: Facts = codec::decode(verified.payload())?;
        if facts.issuer != *verified.issuer() || verified.subject() != facts.readings.to_string() {
            return Err(StatementError::Parties);
        }
        if let Some(rule) = facts.broken_rule() {
            return Err(StatementError::Rule(rule));
        }
        Ok(Self {
            id: ObservationId::of(bytes),
            facts,
        })
    }

    /// Reads an observation from this node's own ledger, where it was verified before it was recorded.
    /// Bytes from anywhere else go through [`Observation::verify`].
    ///
    /// # Errors
    /// [`StatementError`] of the shape.
    pub fn from_own_ledger(bytes: &[u8]) -> Result<Self, StatementError> {
        let statement = Statement::parse(bytes, StatementKind::Observation)?;
        Ok(Self {
            id: ObservationId::of(bytes),
            facts: codec::decode(statement.unverified_payload())?,
        })
    }

    /// SHA-256 of its bytes.
    #[must_use]
    pub fn id(&self) -> ObservationId {
        self.id
    }

    /// Its facts.
    #[must_use]
    pub fn facts(&self) -> &Facts {
        &self.facts
    }
}
