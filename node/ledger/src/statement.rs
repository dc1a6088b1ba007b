//! Statements: COSE_Sign1 (RFC 9052 §4.2) with the issuer and the statement's kind in the protected header.
//!
//! ```text
//! bytes ──parse──▶ Statement ──verify(keyring, instant)──▶ Verified
//! ```
//!
//! Only [`Verified`] gives the payload out, and only [`Statement::verify`] makes one. The signature is over
//! the bytes received; nothing is encoded again before it is checked.

use crate::codec::{self, CodecError, LabelMap, LabelValue};
use crate::digest::Digest;
use crate::keyring::{Keyring, KeyringError};
use crate::keys::{Fingerprint, KeyPurpose, SecretKey, Signature};
use crate::names::OrganizationId;
use crate::time::Time;
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

/// What the names of all our kinds start with.
const MEDIA_TYPE_PREFIX: &str = "application/vnd.ambit.";

/// What an entry holds of statements at most, in bytes; the rest is for its nonce, actor, reason and digests.
const ENTRY_STATEMENTS_BYTES_MAX: usize = 59 * 1_024;

/// Names the kinds, says which of the issuer's keys signs them, and how large they may be.
macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident $label:literal by $key:ident up to $bytes:expr;)*) => {
        /// What a statement states. Its name is the header `typ`. A kind's payload never gains a field: with one it
        /// is another version, and has a name of its own.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum StatementKind {
            $($(#[$doc])* $kind,)*
        }

        impl StatementKind {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$kind),*];

            /// The media type in the header.
            #[must_use]
            pub const fn media_type(self) -> &'static str {
                match self {
                    $(Self::$kind => concat!("application/vnd.ambit.", $label, "+cbor"),)*
                }
            }

            /// Which of the issuer's keys signs it.
            #[must_use]
            pub const fn signed_by(self) -> KeyPurpose {
                match self { $(Self::$kind => KeyPurpose::$key,)* }
            }

            /// The largest that is taken from outside, in bytes, so that the entry that records it stays within
            /// [`crate::ITEM_BYTES_MAX`] whatever a peer sends.
            #[must_use]
            pub const fn bytes_max(self) -> usize {
                match self { $(Self::$kind => $bytes,)* }
            }
        }
    };
}

kinds! {
    /// Facts and readings of one submodel. Shares its entry with a disclosure.
    Observation "observation" by Statement up to ENTRY_STATEMENTS_BYTES_MAX / 2;
    /// One observation, one scope, one recipient. Shares its entry with an observation.
    Disclosure "disclosure" by Statement up to ENTRY_STATEMENTS_BYTES_MAX / 2;
    /// What a recipient took, refused and set aside.
    Acknowledgement "acknowledgement" by Statement up to ENTRY_STATEMENTS_BYTES_MAX;
    /// A root certifies a key.
    Certificate "certificate" by Root up to 4_096;
    /// A member signs an edition of a partnership; a blob of its own.
    Manifest "manifest" by Agreement up to codec::ITEM_BYTES_MAX;
    /// A member declines an edition.
    Decline "decline" by Agreement up to 8_192;
    /// An organization states its own record; terms hold several.
    Card "card" by Statement up to 16_384;
    /// An issuer says something of an organization.
    Attestation "attestation" by Statement up to 16_384;
    /// An authority allows something.
    Grant "grant" by Statement up to 16_384;
    /// An owner lets another organization issue and disclose its data.
    Mandate "mandate" by Statement up to 16_384;
    /// What derived data was made of, and what bounds it.
    Derivation "derivation" by Statement up to ENTRY_STATEMENTS_BYTES_MAX;
    /// A holder attests that it no longer holds what was disclosed to it.
    ErasureAttestation "erasure-attestation" by Statement up to 16_384;
    /// A member narrows an agreement, widens it again, or ends it.
    Act "act" by Agreement up to 16_384;
    /// A member signs a coordination pattern.
    Pattern "pattern" by Agreement up to ENTRY_STATEMENTS_BYTES_MAX;
    /// The declarer lets a member join by the agreement's own rule.
    Joined "joined" by Agreement up to ENTRY_STATEMENTS_BYTES_MAX;
    /// A person signs.
    PersonSignature "person-signature" by Person up to 8_192;
}

/// Why bytes are not a statement that can be relied on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StatementError {
    /// Not deterministic CBOR, or not of a statement's shape.
    #[error("statement cannot be decoded")]
    Codec(#[from] CodecError),
    /// Larger than its kind may be.
    #[error("statement has {size} bytes; one of its kind has at most {limit}")]
    TooLarge {
        /// How large it is, in bytes.
        size: usize,
        /// How large it may be, in bytes.
        limit: usize,
    },
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
    #[error("statement names a key that does not count for it")]
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

impl StatementError {
    /// Whether the statement is of a kind that this version does not know, so that a later one may.
    #[must_use]
    pub fn is_of_unknown_kind(&self) -> bool {
        let Self::Kind { found, .. } = self else {
            return false;
        };
        let is_known = |kind: &StatementKind| kind.media_type() == found;
        found.starts_with(MEDIA_TYPE_PREFIX) && !StatementKind::ALL.iter().any(is_known)
    }
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
        if header.media_type != expected.media_type() {
            return Err(StatementError::Kind {
                found: header.media_type,
                expected: expected.media_type(),
            });
        }
        Ok(Self {
            kind: expected,
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

    /// Checks the signature with the issuer's key in the keyring, which must have been good at this instant.
    ///
    /// # Errors
    /// [`StatementError::Key`] and [`StatementError::Signature`].
    pub fn verify(self, keyring: &Keyring, at: Time) -> Result<Verified, StatementError> {
        let purpose = self.kind.signed_by();
        let verifier = keyring.verifier(&self.issuer, &self.key, purpose, at)?;
        let is_signed = verifier.verifies(&self.to_be_signed, &self.signature);
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
