//! Certificates: a root says whose a key is, what it is for, and from when until when.

use crate::codec;
use crate::keys::{KeyPurpose, PublicKey, SecretKey, Signature};
use crate::names::OrganizationId;
use crate::payload;
use crate::statement::{self, StatementError, StatementKind};
use crate::time::Time;
use serde::{Deserialize, Serialize};

/// What the certified key signs, before the certificate's encoding.
const PROOF_DOMAIN: &[u8] = b"ambit/certificate/1 proof\0";

/// A root certifies a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// Whose key it is.
    pub subject: OrganizationId,
    /// The root that certifies it.
    pub root: PublicKey,
    /// What the key is for.
    pub purpose: KeyPurpose,
    /// The key, of the curve that its purpose takes.
    pub key: PublicKey,
    /// Good from here,
    pub not_before: Time,
    /// up to, and without, here; absent for a key without an end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_after: Option<Time>,
}

/// The payload of a certificate's statement: what the root certifies, and the proof that whoever asked for it has the
/// key. Without one, a root could be made to certify another organization's key as its own, and what that key signs would
/// be its own too.
///
/// A key that others seal to cannot sign, so there is none, and none is missed: who has another's key certified cannot
/// open what is sealed to it, and nobody else opens it either, as what is sealed names for whom it is.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Proved {
    certificate: Certificate,
    /// By the certified key, over the domain and the certificate's encoding; absent of a key that signs nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    proof: Option<Signature>,
}

impl Certificate {
    /// Signs it with the key it certifies, and that with the root. Returns the statement's bytes.
    #[must_use]
    pub fn sign(&self, root: &SecretKey, key: &SecretKey) -> Vec<u8> {
        self.sign_with(root, Some(key.sign(&self.proved_bytes())))
    }

    /// Signs it with the root alone, of a key that signs nothing. Returns the statement's bytes.
    #[must_use]
    pub fn sign_unproved(&self, root: &SecretKey) -> Vec<u8> {
        self.sign_with(root, None)
    }

    fn sign_with(&self, root: &SecretKey, proof: Option<Signature>) -> Vec<u8> {
        let proved = Proved {
            certificate: self.clone(),
            proof,
        };
        statement::sign(
            StatementKind::Certificate,
            &self.subject,
            &self.key.fingerprint().digest().to_string(),
            &codec::encode(&proved),
            root,
        )
    }

    fn proved_bytes(&self) -> Vec<u8> {
        [PROOF_DOMAIN, &codec::encode(self)].concat()
    }

    /// Reads a certificate and checks that the root it names signed it, and the key it certifies too. Whether that
    /// root is to be trusted is a question for a [`crate::Keyring`].
    ///
    /// # Errors
    /// Any [`StatementError`].
    pub fn read(bytes: &[u8]) -> Result<Self, StatementError> {
        let statement = payload::parse(bytes, StatementKind::Certificate)?;
        let Proved { certificate, proof } = codec::decode(statement.unverified_payload())?;
        let verified = statement.verify_with(&certificate.root)?;
        let is_about_subject = *verified.issuer() == certificate.subject
            && verified.subject() == certificate.key.fingerprint().digest().to_string();
        if !is_about_subject {
            return Err(StatementError::Parties);
        }
        if certificate.purpose == KeyPurpose::Root {
            return Err(StatementError::Rule("a root is not certified but compared"));
        }
        if certificate.key == certificate.root {
            return Err(StatementError::Rule(
                "it certifies the root key itself, which signs nothing but certificates",
            ));
        }
        if certificate
            .not_after
            .is_some_and(|end| end <= certificate.not_before)
        {
            return Err(StatementError::Rule("a certificate ends after it begins"));
        }
        match certificate.proof_broken(proof.as_ref()) {
            Some(rule) => Err(StatementError::Rule(rule)),
            None => Ok(certificate),
        }
    }

    /// What a certificate says, whoever signed it: to see whether it is worth verifying.
    ///
    /// # Errors
    /// Those of its shape.
    pub fn unverified(bytes: &[u8]) -> Result<Self, StatementError> {
        let statement = payload::parse(bytes, StatementKind::Certificate)?;
        let Proved { certificate, .. } = codec::decode(statement.unverified_payload())?;
        Ok(certificate)
    }

    fn proof_broken(&self, proof: Option<&Signature>) -> Option<&'static str> {
        match (self.purpose.signs(), proof) {
            // A key that is no sound point verifies nothing, so that it has no proof either.
            (true, Some(proof)) => (!self.key.verifies(&self.proved_bytes(), proof))
                .then_some("the certified key did not sign its own certificate"),
            (true, None) => Some("a key that signs proves that it is there"),
            (false, Some(_)) => Some("a key that signs nothing has no proof"),
            (false, None) => (!self.key.is_sound_for(self.purpose))
                .then_some("the certified key is no sound key"),
        }
    }

    /// Leaves of the time in which the key is good what another certificate of it says too.
    pub(crate) fn narrow(&mut self, other: &Self) {
        self.not_before = self.not_before.max(other.not_before);
        let ends = [self.not_after, other.not_after];
        self.not_after = ends.into_iter().flatten().min();
    }

    /// Whether the key is good at an instant.
    #[must_use]
    pub fn is_good_at(&self, at: Time) -> bool {
        self.not_before <= at && self.not_after.is_none_or(|end| at < end)
    }
}
