//! Ed25519 keys (RFC 8032) and what they are for, the one place that names `ed25519-dalek`.
//!
//! Verification is always `verify_strict`: it refuses small-order keys and signatures that a batch would
//! pass and a single check would not.

use crate::digest::{Digest, byte_array};
use ed25519_dalek::pkcs8::{DecodePrivateKey, EncodePrivateKey, spki::der::pem::LineEnding};
use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

byte_array! {
    /// An Ed25519 public key.
    PublicKey, 32
}

byte_array! {
    /// An Ed25519 signature.
    Signature, 64
}

/// SHA-256 of a public key: the `kid` of statements, and the fingerprint people compare.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(Digest);

/// What a key is for. A key for one purpose never verifies for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyPurpose {
    /// Certifies the other keys.
    Root,
    /// Signs statements.
    Statement,
    /// Signs the ledger's checkpoints.
    Checkpoint,
    /// Cosigns other ledgers' checkpoints.
    Witness,
    /// Authenticates the node to its peers (libp2p).
    Transport,
}

impl KeyPurpose {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Root,
        Self::Statement,
        Self::Checkpoint,
        Self::Witness,
        Self::Transport,
    ];

    /// The name in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Statement => "statement",
            Self::Checkpoint => "checkpoint",
            Self::Witness => "witness",
            Self::Transport => "transport",
        }
    }
}

/// A key that signs. Wiped from memory when dropped; never shown.
pub struct SecretKey(SigningKey);

/// Why a key file holds no key.
#[derive(Debug, thiserror::Error)]
#[error("not an Ed25519 private key in PKCS #8 PEM (RFC 8410)")]
pub struct KeyFileError(#[source] ed25519_dalek::pkcs8::Error);

impl SecretKey {
    /// The key of this seed, which must be random.
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// The seed, for a library that holds the key itself.
    #[must_use]
    pub fn seed(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.to_bytes())
    }

    /// Reads PKCS #8 PEM (RFC 8410).
    ///
    /// # Errors
    /// [`KeyFileError`] where the text is none.
    pub fn from_pem(pem: &str) -> Result<Self, KeyFileError> {
        SigningKey::from_pkcs8_pem(pem)
            .map(Self)
            .map_err(KeyFileError)
    }

    /// Writes PKCS #8 PEM (RFC 8410).
    #[must_use]
    pub fn to_pem(&self) -> Zeroizing<String> {
        #[expect(
            clippy::expect_used,
            reason = "an Ed25519 key always has a PKCS #8 form"
        )]
        self.0
            .to_pkcs8_pem(LineEnding::LF)
            .expect("an Ed25519 key encodes")
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey::from_bytes(self.0.verifying_key().to_bytes())
    }

    /// Signs.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Signature {
        Signature::from_bytes(self.0.sign(message).to_bytes())
    }
}

impl std::fmt::Debug for SecretKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "SecretKey({})", self.public().fingerprint())
    }
}

impl PublicKey {
    /// SHA-256 of the key.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint(Digest::of(self.as_bytes()))
    }

    /// Whether the signature is this key's over the message.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &Signature) -> bool {
        self.verifier()
            .is_some_and(|verifier| verifier.verifies(message, signature))
    }

    /// The key made ready to verify with; `None` where the bytes are no point of the curve.
    pub(crate) fn verifier(&self) -> Option<Verifier> {
        VerifyingKey::from_bytes(self.as_bytes()).ok().map(Verifier)
    }
}

/// A public key as a point of the curve. Finding it takes a sixth of a verification, so that who verifies often
/// keeps it.
#[derive(Clone, Debug)]
pub(crate) struct Verifier(VerifyingKey);

impl Verifier {
    /// Whether the signature is this key's over the message.
    pub(crate) fn verifies(&self, message: &[u8], signature: &Signature) -> bool {
        let signature = ed25519_dalek::Signature::from_bytes(signature.as_bytes());
        self.0.verify_strict(message, &signature).is_ok()
    }
}

impl Fingerprint {
    /// The digest.
    #[must_use]
    pub const fn digest(&self) -> &Digest {
        &self.0
    }
}

impl From<Digest> for Fingerprint {
    fn from(digest: Digest) -> Self {
        Self(digest)
    }
}

/// Why a text is no fingerprint.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a fingerprint: 64 hexadecimal digits, spaces allowed")]
pub struct FingerprintError(String);

impl std::str::FromStr for Fingerprint {
    type Err = FingerprintError;
    /// Reads hexadecimal digits with or without white space and colons between them.
    fn from_str(text: &str) -> Result<Self, FingerprintError> {
        let digits: String = text
            .chars()
            .filter(|character| !character.is_whitespace() && *character != ':')
            .collect();
        digits
            .parse()
            .map(Self)
            .map_err(|_| FingerprintError(text.to_owned()))
    }
}

impl std::fmt::Display for Fingerprint {
    /// Sixteen groups of four digits, to read out over the telephone.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, pair) in self.0.as_bytes().chunks(2).enumerate() {
            if index > 0 {
                formatter.write_str(" ")?;
            }
            pair.iter()
                .try_for_each(|byte| write!(formatter, "{byte:02x}"))?;
        }
        Ok(())
    }
}

impl std::fmt::Debug for Fingerprint {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Fingerprint({})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc_8032_test_1() {
        let seed: PublicKey = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
            .parse()
            .unwrap();
        let key = SecretKey::from_seed(seed.as_bytes());
        assert_eq!(
            key.public().to_string(),
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
        );
        assert!(
            key.sign(b"")
                .to_string()
                .starts_with("e5564300c360ac729086e2cc806e828a")
        );
    }

    #[test]
    fn a_small_order_key_verifies_nothing() {
        let mut identity = [0; 32];
        identity[0] = 1;
        let mut signature = [0; 64];
        signature[0] = 1;
        assert!(!PublicKey::from_bytes(identity).verifies(b"x", &Signature::from_bytes(signature)));
    }

    #[test]
    fn pem_and_fingerprint_round_trip() {
        let key = SecretKey::from_seed(&[7; 32]);
        let again = SecretKey::from_pem(&key.to_pem()).unwrap();
        assert_eq!(again.public(), key.public());
        let fingerprint = key.public().fingerprint();
        assert_eq!(
            fingerprint.to_string().parse::<Fingerprint>().unwrap(),
            fingerprint
        );
        assert!("12 34".parse::<Fingerprint>().is_err());
        assert!(!format!("{key:?}").contains(&hex::encode([7; 32])));
        assert!(SecretKey::from_pem("nonsense").is_err());
    }
}
