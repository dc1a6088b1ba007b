//! Ed25519 keys (RFC 8032) and what keys are for, the one place that names `ed25519-dalek`.
//!
//! Verification is always `verify_strict`: it refuses small-order keys and signatures that a batch would
//! pass and a single check would not.

mod seal;

pub use seal::SealKey;

use crate::digest::{Digest, byte_array};
use ed25519_dalek::pkcs8::{
    self, DecodePrivateKey, EncodePrivateKey, KeypairBytes, spki::der::pem::LineEnding,
};
use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize as _, Zeroizing};

byte_array! {
    /// A public key: Ed25519, or X25519 where it is certified for [`KeyPurpose::Seal`].
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
    /// Signs statements, but for those that make or change an agreement.
    Statement,
    /// Signs the ledger's checkpoints.
    Checkpoint,
    /// Cosigns other ledgers' checkpoints.
    Witness,
    /// Authenticates the node to its peers (libp2p).
    Transport,
    /// Signs for one person.
    Person,
    /// Signs what makes an agreement or changes it.
    Agreement,
    /// Opens what is sealed to it, and signs nothing: an X25519 key.
    Seal,
}

impl KeyPurpose {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Root,
        Self::Statement,
        Self::Checkpoint,
        Self::Witness,
        Self::Transport,
        Self::Person,
        Self::Agreement,
        Self::Seal,
    ];

    /// Those of the keys that a root certifies for a node; every node has one of each.
    pub const OF_NODE: [Self; 6] = [
        Self::Statement,
        Self::Agreement,
        Self::Checkpoint,
        Self::Witness,
        Self::Transport,
        Self::Seal,
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
            Self::Person => "person",
            Self::Agreement => "agreement",
            Self::Seal => "seal",
        }
    }

    /// Whether its keys sign.
    #[must_use]
    pub const fn signs(self) -> bool {
        match self {
            Self::Root
            | Self::Statement
            | Self::Checkpoint
            | Self::Witness
            | Self::Transport
            | Self::Person
            | Self::Agreement => true,
            Self::Seal => false,
        }
    }
}

/// A key that signs. Wiped from memory when dropped; never shown.
pub struct SecretKey(SigningKey);

/// Why a key file holds no key.
#[derive(Debug, thiserror::Error)]
#[error("not an {algorithm} private key in PKCS #8 PEM (RFC 8410)")]
pub struct KeyFileError {
    algorithm: &'static str,
    source: pkcs8::Error,
}

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

    /// Reads PKCS #8 PEM (RFC 8410), with the public key in it or without.
    ///
    /// # Errors
    /// [`KeyFileError`] where the text is none.
    pub fn from_pem(pem: &str) -> Result<Self, KeyFileError> {
        SigningKey::from_pkcs8_pem(pem)
            .map(Self)
            .map_err(|source| KeyFileError {
                algorithm: "Ed25519",
                source,
            })
    }

    /// Writes PKCS #8 PEM, version 1 (RFC 5208, RFC 8410): the private key alone. The public key follows from it,
    /// and OpenSSL does not read the version that holds both.
    #[must_use]
    pub fn to_pem(&self) -> Zeroizing<String> {
        let seed = self.seed();
        let mut pair = KeypairBytes {
            secret_key: *seed,
            public_key: None,
        };
        let pem = pair.to_pkcs8_pem(LineEnding::LF);
        pair.secret_key.zeroize();
        #[expect(
            clippy::expect_used,
            reason = "an Ed25519 key always has a PKCS #8 form"
        )]
        pem.expect("an Ed25519 key encodes")
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

    /// Whether it could ever be used for this purpose: a point of the purpose's curve, not of small order, in its one
    /// encoding (RFC 8032 §5.1.3, RFC 7748 §5). Other bytes are certified for nobody.
    #[must_use]
    pub fn is_sound_for(&self, purpose: KeyPurpose) -> bool {
        if purpose.signs() {
            self.verifier().is_some()
        } else {
            seal::is_sound(self)
        }
    }

    /// The key made ready to verify with; `None` where the bytes are no sound Ed25519 key.
    pub(crate) fn verifier(&self) -> Option<Verifier> {
        let key = VerifyingKey::from_bytes(self.as_bytes()).ok()?;
        let is_canonical = key.to_edwards().compress().as_bytes() == self.as_bytes();
        (is_canonical && !key.is_weak()).then_some(Verifier(key))
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

    /// RFC 8032 §7.1: seed, public key, message, signature.
    const RFC_8032: [[&str; 4]; 4] = [
        [
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        ],
        [
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        ],
        [
            "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            "af82",
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
        ],
        [
            "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
            "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
            "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
        ],
    ];

    #[test]
    fn the_vectors_of_rfc_8032_are_met_to_the_last_byte() {
        for [seed, public, message, signature] in RFC_8032 {
            let seed: PublicKey = seed.parse().unwrap();
            let key = SecretKey::from_seed(seed.as_bytes());
            assert_eq!(key.public().to_string(), public);
            let message = hex::decode(message).unwrap();
            assert_eq!(key.sign(&message).to_string(), signature);
            assert!(key.public().is_sound_for(KeyPurpose::Statement));
            assert!(key.public().verifies(&message, &signature.parse().unwrap()));
        }
    }

    /// Small order, off the curve, and the point with y = 3 written as y = p + 3.
    const UNSOUND: [&str; 5] = [
        "0100000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "0200000000000000000000000000000000000000000000000000000000000000",
        "f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ];

    #[test]
    fn a_key_that_is_no_sound_point_verifies_nothing() {
        let mut signature = [0; 64];
        signature[0] = 1;
        for text in UNSOUND {
            let key: PublicKey = text.parse().unwrap();
            assert!(!key.is_sound_for(KeyPurpose::Statement), "{text}");
            assert!(
                !key.verifies(b"x", &Signature::from_bytes(signature)),
                "{text}"
            );
        }
        let canonical: PublicKey =
            "0300000000000000000000000000000000000000000000000000000000000000"
                .parse()
                .unwrap();
        assert!(canonical.is_sound_for(KeyPurpose::Statement));
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
        // Version 1, and nothing after the seed.
        let pem = key.to_pem();
        let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        let der = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, body);
        let expected = [
            &b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20"[..],
            &[7; 32],
        ];
        assert_eq!(der.unwrap(), expected.concat());
    }
}
