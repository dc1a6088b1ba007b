//! A key under a passphrase: PKCS #8 (RFC 5958) in PEM (RFC 7468), encrypted by PBES2 (RFC 8018) with scrypt (RFC 7914) and
//! AES-256 in CBC mode. The node's one place that names `pkcs8`.
//!
//! OpenSSL reads what is written here, and what OpenSSL writes is read. What is secret here is wiped when it is dropped; what
//! the libraries hold while they stretch a passphrase is not.

use ambit_ledger::SecretKey;
use pkcs8::der::Decode as _;
use pkcs8::der::asn1::{AnyRef, OctetStringRef};
use pkcs8::der::pem::PemLabel as _;
use pkcs8::pkcs5::EncryptionScheme;
use pkcs8::pkcs5::pbes2::{
    EncryptionScheme as Cipher, Kdf, Parameters, Pbkdf2Params, Pbkdf2Prf, Salt, ScryptParams,
};
use pkcs8::{
    AlgorithmIdentifierRef, EncryptedPrivateKeyInfoRef, LineEnding, PrivateKeyInfoRef,
    SecretDocument,
};
use zeroize::Zeroizing;

const PLAIN_LABEL: &str = "PRIVATE KEY";

/// scrypt's N and r: they take 128 × N × r = 16 MiB. OpenSSL takes no more than 32.
const SCRYPT_N: u64 = 1 << 14;
const SCRYPT_R: u16 = 8;
/// scrypt's p, which is time alone: a root key is opened some times a year, and may take a second each time.
const SCRYPT_P: u16 = 16;

/// What is spent at most to open what others wrote: of memory, and of passes over it.
const MEMORY_BYTES_MAX: u64 = 256 * 1024 * 1024;
const PASSES_MAX: u64 = 64;
/// The same of PBKDF2, which takes no memory.
const ITERATIONS_MAX: u32 = 10_000_000;

/// Characters of a new passphrase, at least: whoever has the file can guess without being seen.
const CHARACTERS_MIN: usize = 12;
/// Bytes of any.
const PASSPHRASE_BYTES_MAX: usize = 1_024;

/// What opens a key. Wiped from memory when dropped; never shown.
pub struct Passphrase(Zeroizing<String>);

/// Why a text is no passphrase.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PassphraseError {
    /// Nothing.
    #[error("the passphrase is empty; give the one that was chosen for the key")]
    Empty,
    /// More than anybody types.
    #[error("the passphrase is longer than {PASSPHRASE_BYTES_MAX} bytes; name the right file")]
    Long,
    /// Several lines, or what steers a terminal.
    #[error(
        "the passphrase is not one line of text; write it into a file as its only line, without other signs"
    )]
    Line,
    /// Too few characters for a new one.
    #[error(
        "the passphrase has fewer than {CHARACTERS_MIN} characters, and whoever finds the file can try as many as they like; \
         choose a longer one, such as six words drawn by lot"
    )]
    Short,
}

impl Passphrase {
    /// Takes a text that was typed or read, without the end of its line.
    ///
    /// # Errors
    /// [`PassphraseError`].
    pub fn new(text: Zeroizing<String>) -> Result<Self, PassphraseError> {
        if text.is_empty() {
            return Err(PassphraseError::Empty);
        }
        if text.len() > PASSPHRASE_BYTES_MAX {
            return Err(PassphraseError::Long);
        }
        if text.chars().any(char::is_control) {
            return Err(PassphraseError::Line);
        }
        Ok(Self(text))
    }

    /// Whether a key may be put under it: one that is there already is opened by whatever was chosen.
    ///
    /// # Errors
    /// [`PassphraseError::Short`].
    pub fn check_new(&self) -> Result<(), PassphraseError> {
        if self.0.chars().count() < CHARACTERS_MIN {
            return Err(PassphraseError::Short);
        }
        Ok(())
    }

    /// Whether both are the same.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl std::fmt::Debug for Passphrase {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Passphrase")
    }
}

/// What a file of a key holds.
#[derive(Debug)]
pub enum KeyFile {
    /// The key itself.
    Open(SecretKey),
    /// The key under a passphrase.
    Locked(LockedKey),
}

/// A key that its passphrase opens.
#[derive(Debug)]
pub struct LockedKey(SecretDocument);

/// Why a file holds no key, or none that is opened here.
#[derive(Debug, thiserror::Error)]
pub enum LockedKeyError {
    /// Neither a key nor one under a passphrase.
    #[error("not an Ed25519 private key in PKCS #8 PEM (RFC 8410), under a passphrase or not")]
    Plain,
    /// It says that it is under a passphrase, and is not of the form.
    #[error("not a whole private key under a passphrase in PKCS #8 PEM (RFC 5958)")]
    Malformed,
    /// It is encrypted by other means.
    #[error(
        "it is encrypted in a way that is not read here; convert it: \
         openssl pkcs8 -topk8 -scrypt -in FILE -out NEW"
    )]
    Scheme,
    /// It asks for more work than a key is worth, or for none that there is.
    #[error(
        "what it takes to open it is beyond {} MiB of memory, {PASSES_MAX} passes over it, or {ITERATIONS_MAX} iterations; convert it: \
         openssl pkcs8 -topk8 -scrypt -in FILE -out NEW",
        MEMORY_BYTES_MAX >> 20
    )]
    Cost,
}

/// A key does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the passphrase does not open it, or the file is damaged")]
pub struct PassphraseRefused;

impl KeyFile {
    /// Reads a key in PEM, under a passphrase or not.
    ///
    /// # Errors
    /// [`LockedKeyError`].
    pub fn parse(text: &str) -> Result<Self, LockedKeyError> {
        let label = EncryptedPrivateKeyInfoRef::PEM_LABEL;
        if !text.contains(&format!("-----BEGIN {label}-----")) {
            let key = SecretKey::from_pem(text).map_err(|_| LockedKeyError::Plain)?;
            return Ok(Self::Open(key));
        }
        let malformed = |_| LockedKeyError::Malformed;
        let (_, document) = SecretDocument::from_pem(text).map_err(malformed)?;
        check_cost(&encrypted(&document)?.encryption_algorithm)?;
        Ok(Self::Locked(LockedKey(document)))
    }
}

impl LockedKey {
    /// Puts a key under a passphrase. The randomness must be used for nothing else.
    ///
    /// # Errors
    /// [`LockedKeyError::Malformed`] where it cannot be written.
    pub fn lock(
        key: &SecretKey,
        passphrase: &Passphrase,
        [salt, iv]: [[u8; 16]; 2],
    ) -> Result<Self, LockedKeyError> {
        let malformed = |_| LockedKeyError::Malformed;
        let parameters = Parameters {
            kdf: Kdf::Scrypt(ScryptParams {
                salt: Salt::new(salt).map_err(malformed)?,
                cost_parameter: SCRYPT_N,
                block_size: SCRYPT_R,
                parallelization: SCRYPT_P,
                key_length: None,
            }),
            encryption: Cipher::Aes256Cbc { iv },
        };
        let pem = key.to_pem();
        let (_, document) = SecretDocument::from_pem(&pem).map_err(malformed)?;
        PrivateKeyInfoRef::try_from(document.as_bytes())
            .and_then(|info| info.encrypt_with_params(parameters, passphrase.0.as_bytes()))
            .map(Self)
            .map_err(|_| LockedKeyError::Malformed)
    }

    /// Opens it.
    ///
    /// # Errors
    /// [`PassphraseRefused`].
    pub fn open(&self, passphrase: &Passphrase) -> Result<SecretKey, PassphraseRefused> {
        let info = encrypted(&self.0).map_err(|_| PassphraseRefused)?;
        // What another passphrase gives is noise: whichever step stumbles over it, the reason is the same.
        let document = info
            .decrypt(passphrase.0.as_bytes())
            .map_err(|_| PassphraseRefused)?;
        let pem = document
            .to_pem(PLAIN_LABEL, LineEnding::LF)
            .map_err(|_| PassphraseRefused)?;
        SecretKey::from_pem(&pem).map_err(|_| PassphraseRefused)
    }

    /// The same in PEM.
    ///
    /// # Errors
    /// [`LockedKeyError::Malformed`] where it cannot be written.
    pub fn to_pem(&self) -> Result<Zeroizing<String>, LockedKeyError> {
        self.0
            .to_pem(EncryptedPrivateKeyInfoRef::PEM_LABEL, LineEnding::LF)
            .map_err(|_| LockedKeyError::Malformed)
    }
}

fn encrypted(document: &SecretDocument) -> Result<EncryptedPrivateKeyInfoRef<'_>, LockedKeyError> {
    EncryptedPrivateKeyInfoRef::try_from(document.as_bytes()).map_err(|_| {
        let form = AnyRef::from_der(document.as_bytes()).and_then(|whole| {
            whole.sequence(|parts| {
                AlgorithmIdentifierRef::decode(parts)?;
                <&OctetStringRef>::decode(parts)
            })
        });
        match form {
            Ok(_) => LockedKeyError::Scheme,
            Err(_) => LockedKeyError::Malformed,
        }
    })
}

/// Refuses what would take all memory or hours, and what the library has no answer to.
fn check_cost(scheme: &EncryptionScheme) -> Result<(), LockedKeyError> {
    let EncryptionScheme::Pbes2(parameters) = scheme else {
        return Err(LockedKeyError::Scheme);
    };
    let is_within = match &parameters.kdf {
        Kdf::Scrypt(ScryptParams {
            cost_parameter,
            block_size,
            parallelization,
            ..
        }) => {
            let block_bytes = 128 * u64::from(*block_size);
            let memory_bytes = cost_parameter.checked_mul(block_bytes);
            *cost_parameter > 1
                && cost_parameter.is_power_of_two()
                && *block_size > 0
                && memory_bytes.is_some_and(|bytes| bytes <= MEMORY_BYTES_MAX)
                && (1..=PASSES_MAX).contains(&u64::from(*parallelization))
        }
        // The library has no SHA-1.
        Kdf::Pbkdf2(Pbkdf2Params {
            prf: Pbkdf2Prf::HmacWithSha1,
            ..
        }) => return Err(LockedKeyError::Scheme),
        Kdf::Pbkdf2(Pbkdf2Params {
            iteration_count, ..
        }) => (1..=ITERATIONS_MAX).contains(iteration_count),
        _ => return Err(LockedKeyError::Scheme),
    };
    if is_within {
        Ok(())
    } else {
        Err(LockedKeyError::Cost)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `openssl pkcs8 -topk8 -scrypt`, and `-v2 aes-256-cbc -v2prf hmacWithSHA256`, of the seed of 32 times 7.
    const OF_OPENSSL: [&str; 2] = [
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIGTME8GCSqGSIb3DQEFDTBCMCEGCSsGAQQB2kcECzAUBAhf14vLFWEIbQICQAAC\nAQgCAQEwHQYJYIZIAWUDBAEqBBDc87LKY77ee2FhZrfgwcSPBEDyZjKOdN6BzHRw\nRjz5lJy8PztXFamyiKqFPjOL6c2JJAna3kxmR2fQTNjFsPDJxIS+/FzJk8S/hEhI\nr6sK/HNu\n-----END ENCRYPTED PRIVATE KEY-----",
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAiwsSanXe8W6gICCAAw\nDAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEECTSwNl0OZ+Kii15hzd7q8wEQB6n\npzJIlK/ByN76Xs0tf75WnqtZOFNxuXZMIHv7VzA9lzxhh1b22XbUSOX0W60vx0m0\nrqqgCrXgn/eN3fjs1BI=\n-----END ENCRYPTED PRIVATE KEY-----",
    ];

    /// `openssl pkcs8 -topk8` with `-v2 des3`, `-v1 PBE-SHA1-3DES`, and `-v2prf hmacWithSHA1`, of the same.
    const OF_OLD_OPENSSL: [&str; 3] = [
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIGKME4GCSqGSIb3DQEFDTBBMCkGCSqGSIb3DQEFDDAcBAin7yS2Xpv8PwICCAAw\nDAYIKoZIhvcNAgkFADAUBggqhkiG9w0DBwQIo8Lt/X0ODNwEODK7sY4kRNdKgndO\naAl1MPCrb4L+I9ga8L02nzW3kewFid3qrIM5yynKvZ29Tk0SUonUOAS0MrO8\n-----END ENCRYPTED PRIVATE KEY-----",
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMFgwHAYKKoZIhvcNAQwBAzAOBAgdunlRCTrXVgICCAAEON4QNsX9s6UtsfbrUcQi\nZ8GTyo3olZeNrLA9SIxikGr8rB6jDXyv5SiG2cJi8sC1GnX/xu7R3ixw\n-----END ENCRYPTED PRIVATE KEY-----",
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIGNMEkGCSqGSIb3DQEFDTA8MBsGCSqGSIb3DQEFDDAOBAgvYZyXqYT1UAICCAAw\nHQYJYIZIAWUDBAEqBBDM960sICUxBzOAey2kMasgBEDRdPnJZjqMB2MygM0Q8W5/\n/HTrgLUsKyIADXdvq1Ih6GMz0KMrhYuJkIIQXg8WZ1PDxGp4vmFOrNXKVvdYe1A9\n-----END ENCRYPTED PRIVATE KEY-----",
    ];

    fn passphrase(text: &str) -> Passphrase {
        Passphrase::new(Zeroizing::new(text.to_owned())).unwrap()
    }

    fn key() -> SecretKey {
        SecretKey::from_seed(&[7; 32])
    }

    fn locked(pem: &str) -> LockedKey {
        match KeyFile::parse(pem).unwrap() {
            KeyFile::Locked(locked) => locked,
            KeyFile::Open(_) => panic!("no passphrase is needed"),
        }
    }

    #[test]
    fn a_locked_key_opens_by_its_passphrase_alone() {
        let right = passphrase("correct horse battery");
        let pem = LockedKey::lock(&key(), &right, [[1; 16], [2; 16]]);
        let pem = pem.unwrap().to_pem().unwrap();
        assert!(!pem.contains(key().to_pem().lines().nth(1).unwrap()));
        let again = locked(&pem);
        assert_eq!(again.open(&right).unwrap().public(), key().public());
        for wrong in ["Correct horse battery", "correct horse battery ", "x"] {
            assert_eq!(
                again.open(&passphrase(wrong)).unwrap_err(),
                PassphraseRefused
            );
        }
        assert!(matches!(
            KeyFile::parse(&key().to_pem()),
            Ok(KeyFile::Open(_))
        ));
        assert!(!format!("{again:?}{right:?}").contains("horse"));
    }

    #[test]
    fn what_openssl_locked_is_opened() {
        for pem in OF_OPENSSL {
            let opened = locked(pem).open(&passphrase("correct horse battery"));
            assert_eq!(opened.unwrap().public(), key().public(), "{pem}");
        }
    }

    #[test]
    fn what_is_not_read_is_told_how_to_be_converted() {
        for pem in OF_OLD_OPENSSL {
            let error = KeyFile::parse(pem).unwrap_err();
            assert!(matches!(error, LockedKeyError::Scheme), "{error}: {pem}");
            assert!(error.to_string().contains("convert it: openssl"), "{error}");
        }
    }

    /// A locked key whose derivation function is another.
    fn with(kdf: Kdf) -> Result<KeyFile, LockedKeyError> {
        let parameters = Parameters {
            kdf,
            encryption: Cipher::Aes256Cbc { iv: [0; 16] },
        };
        let info = EncryptedPrivateKeyInfoRef {
            encryption_algorithm: parameters.into(),
            encrypted_data: OctetStringRef::new(&[0; 64]).unwrap(),
        };
        let document = SecretDocument::encode_msg(&info).unwrap();
        let pem = document.to_pem(EncryptedPrivateKeyInfoRef::PEM_LABEL, LineEnding::LF);
        KeyFile::parse(&pem.unwrap())
    }

    fn scrypt(n: u64, r: u16, p: u16) -> Kdf {
        Kdf::Scrypt(ScryptParams {
            salt: Salt::new([0; 16]).unwrap(),
            cost_parameter: n,
            block_size: r,
            parallelization: p,
            key_length: None,
        })
    }

    #[test]
    fn what_takes_all_memory_or_hours_is_not_begun() {
        for taken in [scrypt(SCRYPT_N, SCRYPT_R, SCRYPT_P), scrypt(1 << 18, 8, 1)] {
            assert!(with(taken).is_ok());
        }
        for refused in [
            scrypt(0, 8, 1),
            scrypt(1, 8, 1),
            scrypt((1 << 14) + 1, 8, 1),
            scrypt(1 << 14, 0, 1),
            scrypt(1 << 14, 8, 0),
            scrypt(1 << 14, 8, 65),
            scrypt(1 << 19, 8, 1),
            scrypt(1 << 63, u16::MAX, u16::MAX),
        ] {
            let error = with(refused).unwrap_err();
            assert!(matches!(error, LockedKeyError::Cost), "{error}");
            assert!(error.to_string().contains("convert it: openssl"), "{error}");
        }
        for iteration_count in [0, ITERATIONS_MAX + 1] {
            let error = with(Kdf::Pbkdf2(Pbkdf2Params {
                salt: Salt::new([0; 16]).unwrap(),
                iteration_count,
                key_length: None,
                prf: Pbkdf2Prf::HmacWithSha256,
            }));
            assert!(matches!(error, Err(LockedKeyError::Cost)));
        }
    }

    #[test]
    fn a_changed_file_never_opens_as_if_it_were_whole() {
        let right = passphrase("correct horse battery");
        let locked_key = LockedKey::lock(&key(), &right, [[1; 16], [2; 16]]).unwrap();
        let bytes = locked_key.0.as_bytes();
        // What is before the key says how it is opened; what of it still is within bounds may take a while each time.
        for position in (0..bytes.len()).step_by(23) {
            let mut changed = bytes.to_vec();
            changed[position] ^= 1 << (position % 8);
            let Ok(document) = SecretDocument::try_from(changed) else {
                continue;
            };
            let pem = document.to_pem(EncryptedPrivateKeyInfoRef::PEM_LABEL, LineEnding::LF);
            if let Ok(KeyFile::Locked(locked)) = KeyFile::parse(&pem.unwrap())
                && let Ok(opened) = locked.open(&right)
            {
                // Only the seed itself carries no check: whoever needs the key compares its fingerprint.
                assert_ne!(opened.public(), key().public(), "{position}");
            }
        }
        let pem = locked_key.to_pem().unwrap();
        let half: String = pem.lines().take(3).collect::<Vec<_>>().join("\n");
        for broken in [half.as_str(), &pem.replace("\nMIG", "\nAIG"), ""] {
            assert!(KeyFile::parse(broken).is_err(), "{broken}");
        }
    }

    #[test]
    fn a_passphrase_is_one_line_and_a_new_one_is_long_enough() {
        let made = |text: &str| Passphrase::new(Zeroizing::new(text.to_owned()));
        for (text, error) in [
            ("", PassphraseError::Empty),
            ("a\nb", PassphraseError::Line),
            ("a\u{1b}b", PassphraseError::Line),
            (&"x".repeat(PASSPHRASE_BYTES_MAX + 1), PassphraseError::Long),
        ] {
            assert_eq!(made(text).unwrap_err(), error, "{text:?}");
        }
        assert_eq!(
            passphrase("eleven_sign").check_new(),
            Err(PassphraseError::Short)
        );
        assert_eq!(passphrase("zwölf_zeichn").check_new(), Ok(()));
    }
}
