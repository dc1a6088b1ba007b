//! Statements: COSE_Sign1 (RFC 9052 §4.2) with the issuer and the statement's kind in the protected header.
//!
//! ```text
//! bytes ──parse──▶ Statement ──verify(keyring)──▶ Verified
//! ```
//!
//! Only [`Verified`] gives the payload out, and only [`Statement::verify`] makes one. The signature is over
//! the bytes received; nothing is encoded again before it is checked.

use crate::codec::{self, CodecError, LabelMap, LabelValue};
use crate::digest::Digest;
use crate::keyring::{Keyring, KeyringError};
use crate::keys::{Fingerprint, KeyPurpose, SecretKey, Signature};
use crate::names::OrganizationId;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

/// Ed25519 as an algorithm of its own (RFC 9864 §2.2).
const ALGORITHM_ED25519: i128 = -19;
const LABEL_ALGORITHM: i128 = 1;
const LABEL_KEY_ID: i128 = 4;
/// CWT claims in the header (RFC 9597).
const LABEL_CLAIMS: i128 = 15;
/// The kind of the message (RFC 9596).
const LABEL_TYPE: i128 = 16;
const CLAIM_ISSUER: i128 = 1;
const CLAIM_SUBJECT: i128 = 2;

/// What a statement states. Its name is the header `typ`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatementKind {
    /// Facts and readings of one submodel.
    Observation,
    /// One observation, one scope, one recipient.
    Disclosure,
    /// What a recipient took and refused.
    Acknowledgement,
    /// A root certifies a key.
    Certificate,
    /// A member signs an edition of a partnership.
    Manifest,
    /// A member declines an edition.
    Decline,
}

impl StatementKind {
    const ALL: [Self; 6] = [
        Self::Observation,
        Self::Disclosure,
        Self::Acknowledgement,
        Self::Certificate,
        Self::Manifest,
        Self::Decline,
    ];

    /// The media type in the header.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Observation => "application/vnd.ambit.observation+cbor",
            Self::Disclosure => "application/vnd.ambit.disclosure+cbor",
            Self::Acknowledgement => "application/vnd.ambit.acknowledgement+cbor",
            Self::Certificate => "application/vnd.ambit.certificate+cbor",
            Self::Manifest => "application/vnd.ambit.manifest+cbor",
            Self::Decline => "application/vnd.ambit.decline+cbor",
        }
    }

    /// Which of the issuer's keys signs it.
    #[must_use]
    pub const fn signed_by(self) -> KeyPurpose {
        match self {
            Self::Certificate => KeyPurpose::Root,
            Self::Observation
            | Self::Disclosure
            | Self::Acknowledgement
            | Self::Manifest
            | Self::Decline => KeyPurpose::Statement,
        }
    }
}

/// Why bytes are not a statement that can be relied on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StatementError {
    /// Not deterministic CBOR, or not of a statement's shape.
    #[error("statement cannot be decoded")]
    Codec(#[from] CodecError),
    /// Without the tag of a COSE_Sign1.
    #[error("statement lacks COSE tag 18")]
    Untagged,
    /// A header is missing, unknown or of another type.
    #[error("statement has an unexpected header")]
    Header,
    /// Not of the kind expected.
    #[error("statement is of the kind `{found}`, not `{expected}`")]
    Kind {
        /// The kind it has.
        found: String,
        /// The kind asked for.
        expected: &'static str,
    },
    /// The key is not known.
    #[error("statement names a key that is not certified")]
    Key(#[from] KeyringError),
    /// The signature does not verify.
    #[error("signature does not verify")]
    Signature,
    /// The payload names another issuer or subject than the header.
    #[error("payload and header name different parties")]
    Parties,
    /// The payload breaks a rule of its kind.
    #[error("statement breaks a rule: {0}")]
    Rule(&'static str),
}

/// A statement whose shape was parsed and whose signature was not checked.
#[derive(Clone, Debug)]
pub struct Statement {
    kind: StatementKind,
    key: Fingerprint,
    issuer: OrganizationId,
    subject: String,
    payload: Vec<u8>,
    to_be_signed: Vec<u8>,
    signature: Signature,
    digest: Digest,
}

/// A statement whose signature was checked against a key that its issuer's root certifies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    issuer: OrganizationId,
    subject: String,
    payload: Vec<u8>,
    digest: Digest,
}

#[derive(Serialize, Deserialize)]
struct Sign1(ByteBuf, LabelMap, ByteBuf, Signature);

#[derive(Serialize)]
struct ToBeSigned<'a>(
    &'static str,
    &'a serde_bytes::Bytes,
    &'a serde_bytes::Bytes,
    &'a serde_bytes::Bytes,
);

/// Signs a payload. Returns the statement's bytes.
#[must_use]
pub fn sign(
    kind: StatementKind,
    issuer: &OrganizationId,
    subject: &str,
    payload: &[u8],
    key: &SecretKey,
) -> Vec<u8> {
    let claims = LabelMap::from([
        (
            LabelValue::Integer(CLAIM_ISSUER),
            LabelValue::Text(issuer.as_str().to_owned()),
        ),
        (
            LabelValue::Integer(CLAIM_SUBJECT),
            LabelValue::Text(subject.to_owned()),
        ),
    ]);
    let fingerprint = key.public().fingerprint();
    let header = LabelMap::from([
        (
            LabelValue::Integer(LABEL_ALGORITHM),
            LabelValue::Integer(ALGORITHM_ED25519),
        ),
        (
            LabelValue::Integer(LABEL_KEY_ID),
            LabelValue::Bytes(fingerprint.digest().as_bytes().to_vec()),
        ),
        (LabelValue::Integer(LABEL_CLAIMS), LabelValue::Map(claims)),
        (
            LabelValue::Integer(LABEL_TYPE),
            LabelValue::Text(kind.media_type().to_owned()),
        ),
    ]);
    let protected = codec::encode(&header);
    let signature = key.sign(&to_be_signed(&protected, payload));
    codec::tag_sign1(&codec::encode(&Sign1(
        ByteBuf::from(protected),
        LabelMap::new(),
        ByteBuf::from(payload.to_vec()),
        signature,
    )))
}

fn to_be_signed(protected: &[u8], payload: &[u8]) -> Vec<u8> {
    codec::encode(&ToBeSigned(
        "Signature1",
        serde_bytes::Bytes::new(protected),
        serde_bytes::Bytes::new(&[]),
        serde_bytes::Bytes::new(payload),
    ))
}

impl Statement {
    /// Parses the shape of a statement from outside.
    ///
    /// # Errors
    /// [`StatementError::Codec`], `Untagged`, `Header`, `Kind`.
    pub fn parse(bytes: &[u8], expected: StatementKind) -> Result<Self, StatementError> {
        codec::scan(bytes, codec::ITEM_BYTES_MAX)?;
        let array = codec::untag_sign1(bytes).ok_or(StatementError::Untagged)?;
        let Sign1(protected, unprotected, payload, signature) = codec::decode(array)?;
        if !unprotected.is_empty() {
            return Err(StatementError::Header);
        }
        let header: LabelMap = codec::decode(&protected)?;
        let header = Header::read(&header).ok_or(StatementError::Header)?;
        let kind = StatementKind::ALL
            .into_iter()
            .find(|kind| kind.media_type() == header.media_type)
            .filter(|kind| *kind == expected)
            .ok_or_else(|| StatementError::Kind {
                found: header.media_type.clone(),
                expected: expected.media_type(),
            })?;
        Ok(Self {
            kind,
            key: header.key,
            issuer: header.issuer,
            subject: header.subject,
            to_be_signed: to_be_signed(&protected, &payload),
            payload: payload.into_vec(),
            signature,
            digest: Digest::of(bytes),
        })
    }

    /// The issuer it claims.
    #[must_use]
    pub fn issuer(&self) -> &OrganizationId {
        &self.issuer
    }

    /// The key it claims.
    #[must_use]
    pub fn key(&self) -> Fingerprint {
        self.key
    }

    pub(crate) fn unverified_payload(&self) -> &[u8] {
        &self.payload
    }

    /// Checks the signature with the issuer's key in the keyring.
    ///
    /// # Errors
    /// [`StatementError::Key`] and [`StatementError::Signature`].
    pub fn verify(self, keyring: &Keyring) -> Result<Verified, StatementError> {
        let purpose = self.kind.signed_by();
        let (message, signature) = (&self.to_be_signed, &self.signature);
        let is_signed = keyring.verifies(&self.issuer, &self.key, purpose, message, signature)?;
        self.verified(is_signed)
    }

    pub(crate) fn verify_with(
        self,
        key: &crate::keys::PublicKey,
    ) -> Result<Verified, StatementError> {
        let is_signed =
            key.fingerprint() == self.key && key.verifies(&self.to_be_signed, &self.signature);
        self.verified(is_signed)
    }

    fn verified(self, is_signed: bool) -> Result<Verified, StatementError> {
        if !is_signed {
            return Err(StatementError::Signature);
        }
        Ok(Verified {
            issuer: self.issuer,
            subject: self.subject,
            payload: self.payload,
            digest: self.digest,
        })
    }
}

impl Verified {
    /// Who signed.
    #[must_use]
    pub fn issuer(&self) -> &OrganizationId {
        &self.issuer
    }

    /// What it is about; opaque.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The payload's bytes.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// SHA-256 of the statement's bytes.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }
}

struct Header {
    key: Fingerprint,
    issuer: OrganizationId,
    subject: String,
    media_type: String,
}

impl Header {
    fn read(header: &LabelMap) -> Option<Self> {
        if header.len() != 4
            || header.get(&LabelValue::Integer(LABEL_ALGORITHM))
                != Some(&LabelValue::Integer(ALGORITHM_ED25519))
        {
            return None;
        }
        let LabelValue::Bytes(key) = header.get(&LabelValue::Integer(LABEL_KEY_ID))? else {
            return None;
        };
        let LabelValue::Map(claims) = header.get(&LabelValue::Integer(LABEL_CLAIMS))? else {
            return None;
        };
        let LabelValue::Text(media_type) = header.get(&LabelValue::Integer(LABEL_TYPE))? else {
            return None;
        };
        let LabelValue::Text(issuer) = claims.get(&LabelValue::Integer(CLAIM_ISSUER))? else {
            return None;
        };
        let LabelValue::Text(subject) = claims.get(&LabelValue::Integer(CLAIM_SUBJECT))? else {
            return None;
        };
        if claims.len() != 2 {
            return None;
        }
        Some(Self {
            key: Digest::try_from(key.as_slice()).ok()?.into(),
            issuer: issuer.parse().ok()?,
            subject: subject.clone(),
            media_type: media_type.clone(),
        })
    }
}
