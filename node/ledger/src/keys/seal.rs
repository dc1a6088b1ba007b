//! X25519 keys (RFC 7748) that others seal to, the one place that names `curve25519-dalek`.
//!
//! Such a key opens and never signs: it is no Ed25519 key, and none is ever made one.

use super::pkcs8::spki::{AlgorithmIdentifierRef, der::pem::LineEnding};
use super::pkcs8::{
    DecodePrivateKey, EncodePrivateKey, Error, KeyError, ObjectIdentifier, OctetStringRef,
    PrivateKeyInfoRef, Result, SecretDocument,
};
use super::{KeyFileError, PublicKey};
use curve25519_dalek::MontgomeryPoint;
use zeroize::Zeroizing;

/// `id-X25519` (RFC 8410 §3).
const ALGORITHM: AlgorithmIdentifierRef<'static> = AlgorithmIdentifierRef {
    oid: ObjectIdentifier::new_unwrap("1.3.101.110"),
    parameters: None,
};

/// The private key is an octet string in an octet string (RFC 8410 §7): this tag and this length, then the key.
const INNER: [u8; 2] = [0x04, 0x20];

/// An X25519 key that opens what is sealed to it. Wiped from memory when dropped; never shown.
pub struct SealKey(Zeroizing<[u8; 32]>);

impl SealKey {
    /// The key of this seed, which must be random.
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(Zeroizing::new(*seed))
    }

    /// The public half: what others seal to.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey::from_bytes(MontgomeryPoint::mul_base_clamped(*self.0).to_bytes())
    }

    /// Reads PKCS #8 PEM (RFC 8410), with the public key in it or without.
    ///
    /// # Errors
    /// [`KeyFileError`] where the text is none.
    pub fn from_pem(pem: &str) -> std::result::Result<Self, KeyFileError> {
        Encoded::from_pkcs8_pem(pem)
            .map(|Encoded(key)| key)
            .map_err(|source| KeyFileError {
                algorithm: "X25519",
                source,
            })
    }

    /// Writes PKCS #8 PEM, version 1, the private key alone.
    #[must_use]
    pub fn to_pem(&self) -> Zeroizing<String> {
        let pem = Encoded(Self(self.0.clone())).to_pkcs8_pem(LineEnding::LF);
        #[expect(
            clippy::expect_used,
            reason = "an X25519 key always has a PKCS #8 form"
        )]
        pem.expect("an X25519 key encodes")
    }
}

impl std::fmt::Debug for SealKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "SealKey({})", self.public().fingerprint())
    }
}

/// Keeps the traits of the encoding's crate to this file.
struct Encoded(SealKey);

impl EncodePrivateKey for Encoded {
    fn to_pkcs8_der(&self) -> Result<SecretDocument> {
        let mut inner = Zeroizing::new(Vec::with_capacity(34));
        inner.extend_from_slice(&INNER);
        inner.extend_from_slice(self.0.0.as_slice());
        let info = PrivateKeyInfoRef::new(ALGORITHM, OctetStringRef::new(&inner)?);
        info.try_into()
    }
}

impl TryFrom<PrivateKeyInfoRef<'_>> for Encoded {
    type Error = Error;

    fn try_from(info: PrivateKeyInfoRef<'_>) -> Result<Self> {
        info.algorithm.assert_algorithm_oid(ALGORITHM.oid)?;
        if info.algorithm.parameters.is_some() {
            return Err(Error::ParametersMalformed);
        }
        let seed = info.private_key.as_bytes().strip_prefix(&INNER);
        let seed = seed.and_then(|seed| <&[u8; 32]>::try_from(seed).ok());
        let key = SealKey::from_seed(seed.ok_or(KeyError::Invalid)?);
        let beside = info.public_key.and_then(|public| public.as_bytes());
        match beside {
            Some(public) if public != key.public().as_bytes() => Err(KeyError::Invalid.into()),
            _ => Ok(Self(key)),
        }
    }
}

/// Whether it is a key that somebody could have made: the coordinate of a point of the curve, not of its twist, not of
/// small order, in its one encoding. X25519 itself takes any bytes (RFC 7748 §5), and what is sealed to a point of small
/// order everybody opens.
pub(crate) fn is_sound(key: &PublicKey) -> bool {
    let point = MontgomeryPoint(*key.as_bytes()).to_edwards(0);
    point.is_some_and(|point| {
        let is_canonical = point.to_montgomery().as_bytes() == key.as_bytes();
        is_canonical && !point.is_small_order()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7748 §6.1: private and public key.
    const RFC_7748: [[&str; 2]; 2] = [
        [
            "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a",
            "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
        ],
        [
            "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb",
            "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f",
        ],
    ];

    #[test]
    fn the_keys_of_rfc_7748_are_met() {
        for [private, public] in RFC_7748 {
            let private: PublicKey = private.parse().unwrap();
            let key = SealKey::from_seed(private.as_bytes());
            assert_eq!(key.public().to_string(), public);
            assert!(is_sound(&key.public()));
        }
    }

    /// The points of small order (0, 1, both of order 8), the same written as p and p + 1, a point of the twist and its
    /// own of small order, the base point with its unused bit set and written as p + 9.
    const UNSOUND: [&str; 10] = [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0200000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0900000000000000000000000000000000000000000000000000000000000080",
        "f6ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ];

    #[test]
    fn what_nobody_could_have_made_is_no_sound_key() {
        for text in UNSOUND {
            assert!(!is_sound(&text.parse().unwrap()), "{text}");
        }
        let base = "0900000000000000000000000000000000000000000000000000000000000000";
        assert!(is_sound(&base.parse().unwrap()));
    }

    #[test]
    fn pem_is_that_of_x25519_and_of_nothing_else() {
        let key = SealKey::from_seed(&[7; 32]);
        let pem = key.to_pem();
        assert_eq!(
            SealKey::from_pem(&pem).unwrap().public(),
            key.public(),
            "{key:?}"
        );
        assert!(!format!("{key:?}").contains(&hex::encode([7; 32])));
        // Version 1, and nothing after the key.
        let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        let der = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, body);
        let expected = [
            &b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x6e\x04\x22\x04\x20"[..],
            &[7; 32],
        ];
        assert_eq!(der.unwrap(), expected.concat());

        let signing = super::super::SecretKey::from_seed(&[7; 32]);
        assert_ne!(signing.public(), key.public());
        let error = SealKey::from_pem(&signing.to_pem()).unwrap_err();
        assert!(error.to_string().contains("X25519"), "{error}");
        let error = super::super::SecretKey::from_pem(&pem).unwrap_err();
        assert!(error.to_string().contains("Ed25519"), "{error}");
    }
}
