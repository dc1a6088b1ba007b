//! What the payload of a statement must know to be signed and verified, and the one way in which both are done.
//!
//! The fields of a payload are fixed. A field that is added later makes a new version of the statement, with a media
//! type of its own, so that no version reads into a statement what its signer did not know.

use crate::codec;
use crate::keyring::Keyring;
use crate::keys::SecretKey;
use crate::names::OrganizationId;
use crate::statement::{self, Statement, StatementError, StatementKind};
use crate::time::Time;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The payload of one kind of statement.
pub(crate) trait Payload: Serialize + DeserializeOwned {
    /// The kind.
    const KIND: StatementKind;

    /// Whether this organization may issue it.
    fn is_issued_by(&self, issuer: &OrganizationId) -> bool;

    /// What it is about.
    fn subject(&self) -> String;

    /// When it was issued: the issuer's key must have been good then.
    fn issued_at(&self) -> Time;

    /// What is wrong with it by itself.
    fn rule_broken(&self) -> Option<&'static str>;
}

/// Signs a payload. Returns the statement's bytes.
pub(crate) fn sign<P: Payload>(payload: &P, issuer: &OrganizationId, key: &SecretKey) -> Vec<u8> {
    let bytes = codec::encode(payload);
    statement::sign(P::KIND, issuer, &payload.subject(), &bytes, key)
}

/// Signs a payload that keeps its rules and is no larger than its kind may be, as everybody checks them who gets the
/// statement. Returns its bytes.
pub(crate) fn issue<P: Payload>(
    payload: &P,
    issuer: &OrganizationId,
    key: &SecretKey,
) -> Result<Vec<u8>, StatementError> {
    match payload.rule_broken() {
        Some(rule) => Err(StatementError::Rule(rule)),
        None => of_size(P::KIND, sign(payload, issuer, key)),
    }
}

/// A statement that is no larger than its kind may be.
pub(crate) fn of_size<B: AsRef<[u8]>>(kind: StatementKind, bytes: B) -> Result<B, StatementError> {
    let (size, limit) = (bytes.as_ref().len(), kind.bytes_max());
    if size > limit {
        return Err(StatementError::TooLarge { size, limit });
    }
    Ok(bytes)
}

/// Verifies a statement from outside. Returns its payload and who issued it.
pub(crate) fn verify<P: Payload>(
    bytes: &[u8],
    keyring: &Keyring,
) -> Result<(P, OrganizationId), StatementError> {
    let statement = parse(bytes, P::KIND)?;
    let payload: P = codec::decode(statement.unverified_payload())?;
    let verified = statement.verify(keyring, payload.issued_at())?;
    if !payload.is_issued_by(verified.issuer()) || verified.subject() != payload.subject() {
        return Err(StatementError::Parties);
    }
    match payload.rule_broken() {
        Some(rule) => Err(StatementError::Rule(rule)),
        None => Ok((payload, verified.issuer().clone())),
    }
}

/// Reads a payload from this node's own ledger, where it was verified before it was recorded.
pub(crate) fn recorded<P: Payload>(bytes: &[u8]) -> Result<P, StatementError> {
    let statement = parse(bytes, P::KIND)?;
    Ok(codec::decode(statement.unverified_payload())?)
}

/// Parses a statement that is not larger than its kind may be.
pub(crate) fn parse(bytes: &[u8], kind: StatementKind) -> Result<Statement, StatementError> {
    Statement::parse(of_size(kind, bytes)?, kind)
}

/// Makes a struct the payload of a kind of statement that the organization in one of its fields issues. The struct has
/// a method `broken_rule`.
macro_rules! issued_statement {
    ($payload:ident, $($rest:tt)*) => {
        $crate::payload::issued_statement!($payload is $payload, $($rest)*);
    };
    (
        $payload:ident is $kind:ident,
        issuer: $issuer:ident,
        at: $at:ident,
        subject: |$this:ident| $subject:expr $(,)?
    ) => {
        impl $crate::payload::Payload for $payload {
            const KIND: $crate::statement::StatementKind =
                $crate::statement::StatementKind::$kind;

            fn is_issued_by(&self, issuer: &$crate::names::OrganizationId) -> bool {
                self.$issuer == *issuer
            }

            fn subject(&self) -> String {
                let $this = self;
                $subject
            }

            fn issued_at(&self) -> $crate::time::Time {
                self.$at
            }

            fn rule_broken(&self) -> Option<&'static str> {
                self.broken_rule()
            }
        }

        impl $payload {
            /// Signs it, if it keeps its own rules and is not too large. Returns the statement's bytes: nobody who gets
            /// them refuses them for what they say.
            ///
            /// # Errors
            /// [`crate::StatementError::Rule`], [`crate::StatementError::TooLarge`].
            pub fn issue(
                &self,
                key: &$crate::keys::SecretKey,
            ) -> Result<Vec<u8>, $crate::statement::StatementError> {
                $crate::payload::issue(self, &self.$issuer, key)
            }

            /// Signs it whatever its rules say, as a forger would. A node issues. Returns the statement's bytes.
            #[must_use]
            pub fn sign(&self, key: &$crate::keys::SecretKey) -> Vec<u8> {
                $crate::payload::sign(self, &self.$issuer, key)
            }

            /// Verifies a statement from outside.
            ///
            /// # Errors
            /// Any [`crate::StatementError`].
            pub fn verify(
                bytes: &[u8],
                keyring: &$crate::keyring::Keyring,
            ) -> Result<Self, $crate::statement::StatementError> {
                $crate::payload::verify(bytes, keyring).map(|(payload, _)| payload)
            }

            /// Reads one from this node's own ledger, where it was verified before it was recorded. Bytes from
            /// anywhere else go through `verify`.
            ///
            /// # Errors
            /// [`crate::StatementError`] of the shape.
            pub fn from_own_ledger(
                bytes: &[u8],
            ) -> Result<Self, $crate::statement::StatementError> {
                $crate::payload::recorded(bytes)
            }
        }
    };
}

pub(crate) use issued_statement;
