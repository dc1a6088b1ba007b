//! Checkpoints: signed tree heads as C2SP tlog-checkpoint, which are C2SP signed notes.
//!
//! ```text
//! ambit-ledger/did:web:acme.example/6ff904c7a1b2c3d4     the origin
//! 12                                                     entries, decimal
//! CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=           root, base64
//! (extension lines, none empty, none written here)
//!
//! — ambit-ledger/did:web:acme.example/6ff904c7a1b2c3d4 Az3grl…     key id and Ed25519 signature, base64
//! (further signatures, of witnesses or of anybody)
//! ```

use crate::digest::Digest;
use crate::keys::{PublicKey, SecretKey, Signature};
use crate::names::OrganizationId;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

/// The signature type of Ed25519 in a note's key id (C2SP signed-note).
const TYPE_ED25519: u8 = 0x01;

/// The longest note that is read, in bytes: room for some hundred signatures.
const NOTE_BYTES_MAX: usize = 64 * 1_024;

/// How many bytes of the first leaf's hash an origin shows.
const LEAF_BYTES: usize = 8;

/// The name of one ledger, and of the key that signs its checkpoints.
///
/// `ambit-ledger/<organization>/<leaf>`: in the organization's id `%` and `+` and every white space are escaped as in
/// a URL (RFC 3986 §2.1, of their UTF-8); the leaf is the first eight bytes of the RFC 9162 leaf hash of entry 0, in
/// 16 lower-case hexadecimal digits. The nonce of entry 0 is random, so that two ledgers of one organization have
/// two origins.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin(String);

impl Origin {
    /// The origin of the ledger of this organization that begins with this leaf.
    #[must_use]
    pub fn of(organization: &OrganizationId, first_leaf: &Digest) -> Self {
        let leaf = first_leaf.as_bytes().iter().take(LEAF_BYTES);
        let leaf = leaf.fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
        Self(format!("{}{leaf}", Self::beginning(organization)))
    }

    /// The origin that a note claims, if it is one of a ledger of this organization. Nothing is verified.
    #[must_use]
    pub fn claimed(note: &str, organization: &OrganizationId) -> Option<Self> {
        let line = note.lines().next()?;
        let leaf = line.strip_prefix(&Self::beginning(organization))?;
        let is_leaf = leaf.len() == 2 * LEAF_BYTES
            && leaf
                .bytes()
                .all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
        is_leaf.then(|| Self(line.to_owned()))
    }

    fn beginning(organization: &OrganizationId) -> String {
        let escaped: String = organization
            .as_str()
            .chars()
            .map(|character| match character {
                '+' => "%2B".to_owned(),
                '%' => "%25".to_owned(),
                other if other.is_whitespace() => other
                    .encode_utf8(&mut [0; 4])
                    .bytes()
                    .fold(String::new(), |escaped, byte| {
                        format!("{escaped}%{byte:02X}")
                    }),
                other => other.to_string(),
            })
            .collect();
        format!("ambit-ledger/{escaped}/")
    }

    /// The origin line.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Origin {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.pad(&self.0)
    }
}

/// A tree head: which ledger, its size, its root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which ledger.
    pub origin: Origin,
    /// How many entries.
    pub size: u64,
    /// The root over them.
    pub root: Digest,
}

/// Why a text is no checkpoint that can be relied on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// Longer than any checkpoint.
    #[error("the checkpoint has {0} bytes, more than {NOTE_BYTES_MAX}")]
    TooLong(usize),
    /// Something that no note may hold.
    #[error("the checkpoint holds a control character, U+{0:04X}")]
    ControlCharacter(u32),
    /// No empty line, so nothing is signed.
    #[error(
        "the checkpoint has no signatures: after its text come an empty line and whole lines of them"
    )]
    NoSignatures,
    /// The text ends early.
    #[error("the checkpoint's text has {0} lines; origin, size and root are three")]
    Lines(usize),
    /// It is of another ledger.
    #[error("the checkpoint is of `{found}`, not of `{expected}`")]
    Origin {
        /// Its first line.
        found: String,
        /// Which ledger it had to be of.
        expected: Origin,
    },
    /// Its second line is no size.
    #[error("the checkpoint's size `{0}` is no decimal number without leading zeros")]
    Size(String),
    /// Its third line is no root.
    #[error("the checkpoint's root `{0}` is not 32 bytes in base64")]
    Root(String),
    /// A line after the text is no signature.
    #[error("signature {0} of the checkpoint is not `— name base64` with a key id in it")]
    SignatureLine(usize),
    /// None of the signatures is by one of the keys.
    #[error("the checkpoint is not signed by a certified checkpoint key of this ledger")]
    Unsigned,
    /// A signature names one of the keys and is not by it.
    #[error(
        "the checkpoint's signature by the key {0} does not verify: the text was changed, or another key signed"
    )]
    Signature(crate::keys::Fingerprint),
}

impl Checkpoint {
    /// The note's text, to be signed.
    fn text(&self) -> String {
        let root = BASE64.encode(self.root.as_bytes());
        format!("{}\n{}\n{root}\n", self.origin, self.size)
    }

    /// Signs it. Returns the signed note.
    #[must_use]
    pub fn sign(&self, key: &SecretKey) -> String {
        let text = self.text();
        let mut signature = key_id(&self.origin, &key.public()).to_vec();
        signature.extend_from_slice(key.sign(text.as_bytes()).as_bytes());
        let signature = BASE64.encode(signature);
        format!("{text}\n\u{2014} {} {signature}\n", self.origin)
    }

    /// Reads a signed note from outside and checks that it is of this ledger and that one of these keys signed it.
    ///
    /// Signatures by names and keys that are not asked for say nothing, and are passed over (C2SP signed-note); one
    /// that names a key asked for must be by it. Extension lines are signed with the rest, and otherwise opaque.
    ///
    /// # Errors
    /// Any [`CheckpointError`].
    pub fn verify(
        note: &str,
        origin: &Origin,
        keys: impl IntoIterator<Item = PublicKey>,
    ) -> Result<Self, CheckpointError> {
        let (text, signatures) = split(note)?;
        let checkpoint = Self::read(text, origin)?;
        let keys: Vec<([u8; 4], PublicKey)> = keys
            .into_iter()
            .map(|key| (key_id(origin, &key), key))
            .collect();
        let mut is_signed = false;
        for (index, line) in signatures.lines().enumerate() {
            let (name, id, signature) =
                read_signature(line).ok_or(CheckpointError::SignatureLine(index + 1))?;
            if name != origin.as_str() {
                continue;
            }
            let signature = Signature::try_from(signature.as_slice()).ok();
            let by = keys.iter().filter(|(key_id, _)| *key_id == id);
            for (_, key) in by {
                let verifies = signature
                    .as_ref()
                    .is_some_and(|signature| key.verifies(text.as_bytes(), signature));
                if !verifies {
                    return Err(CheckpointError::Signature(key.fingerprint()));
                }
                is_signed = true;
            }
        }
        if is_signed {
            Ok(checkpoint)
        } else {
            Err(CheckpointError::Unsigned)
        }
    }

    fn read(text: &str, origin: &Origin) -> Result<Self, CheckpointError> {
        let lines: Vec<&str> = text.lines().collect();
        let [found, size, root, ..] = lines.as_slice() else {
            return Err(CheckpointError::Lines(lines.len()));
        };
        if *found != origin.as_str() {
            return Err(CheckpointError::Origin {
                found: (*found).to_owned(),
                expected: origin.clone(),
            });
        }
        let is_number = |number: &u64| number.to_string() == *size;
        Ok(Self {
            origin: origin.clone(),
            size: size
                .parse()
                .ok()
                .filter(is_number)
                .ok_or_else(|| CheckpointError::Size((*size).to_owned()))?,
            root: decode(root)
                .and_then(|bytes| Digest::try_from(bytes.as_slice()).ok())
                .ok_or_else(|| CheckpointError::Root((*root).to_owned()))?,
        })
    }
}

/// The text with its last line end, and the lines of the signatures.
fn split(note: &str) -> Result<(&str, &str), CheckpointError> {
    if note.len() > NOTE_BYTES_MAX {
        return Err(CheckpointError::TooLong(note.len()));
    }
    let control = note
        .chars()
        .find(|character| *character < ' ' && *character != '\n');
    if let Some(character) = control {
        return Err(CheckpointError::ControlCharacter(character.into()));
    }
    let parted = note.find("\n\n").and_then(|end| {
        let (text, signatures) = note.split_at_checked(end + 1)?;
        Some((text, signatures.strip_prefix('\n')?))
    });
    match parted {
        Some((text, signatures)) if signatures.ends_with('\n') => Ok((text, signatures)),
        _ => Err(CheckpointError::NoSignatures),
    }
}

/// The name, the key id and what follows it.
fn read_signature(line: &str) -> Option<(&str, [u8; 4], Vec<u8>)> {
    let (name, signature) = line.strip_prefix("\u{2014} ")?.split_once(' ')?;
    if name.is_empty() || name.contains(|c: char| c.is_whitespace() || c == '+') {
        return None;
    }
    let bytes = decode(signature)?;
    let (id, signature) = bytes.split_first_chunk::<4>()?;
    (!signature.is_empty()).then(|| (name, *id, signature.to_vec()))
}

fn key_id(origin: &Origin, key: &PublicKey) -> [u8; 4] {
    let name = origin.as_str().as_bytes();
    let digest = Digest::of_parts(&[name, b"\n", &[TYPE_ED25519], key.as_bytes()]);
    let [a, b, c, d, ..] = *digest.as_bytes();
    [a, b, c, d]
}

fn decode(text: &str) -> Option<Vec<u8>> {
    let bytes = BASE64.decode(text).ok()?;
    (BASE64.encode(&bytes) == text).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> SecretKey {
        SecretKey::from_seed(&[3; 32])
    }

    fn sample() -> Checkpoint {
        let organization = "did:web:acme.example".parse().unwrap();
        Checkpoint {
            origin: Origin::of(&organization, &Digest::of(b"first")),
            size: 12,
            root: Digest::of(b"root"),
        }
    }

    fn verify(note: &str) -> Result<Checkpoint, CheckpointError> {
        Checkpoint::verify(note, &sample().origin, [key().public()])
    }

    /// Signs a text as it stands.
    fn signed(text: &str) -> String {
        let mut signature = key_id(&sample().origin, &key().public()).to_vec();
        signature.extend_from_slice(key().sign(text.as_bytes()).as_bytes());
        let signature = BASE64.encode(signature);
        format!("{text}\n\u{2014} {} {signature}\n", sample().origin)
    }

    #[test]
    fn any_changed_byte_is_refused() {
        let note = sample().sign(&key());
        assert_eq!(verify(&note).unwrap(), sample());
        for index in 0..note.len() {
            let mut bytes = note.clone().into_bytes();
            bytes[index] ^= 1;
            if let Ok(changed) = String::from_utf8(bytes) {
                assert!(verify(&changed).is_err(), "byte {index}");
            }
        }
    }

    #[test]
    fn signatures_of_others_and_extension_lines_are_passed_over() {
        let note = sample().sign(&key());
        let stranger = SecretKey::from_seed(&[4; 32]);
        let witness = format!("\u{2014} witness.example/w1 {}\n", BASE64.encode([7; 76]));
        let short = format!("\u{2014} another.example {}\n", BASE64.encode([7; 5]));
        let by_stranger = sample().sign(&stranger);
        let (_, by_stranger) = by_stranger.split_once("\n\n").unwrap();
        for further in [witness.as_str(), short.as_str(), by_stranger] {
            assert_eq!(verify(&format!("{note}{further}")).unwrap(), sample());
            let before = note.replacen("\n\n", &format!("\n\n{further}"), 1);
            assert_eq!(verify(&before).unwrap(), sample());
        }
        let extended = signed(&format!("{}extension line\nanother\n", sample().text()));
        assert_eq!(verify(&extended).unwrap(), sample());
        assert!(verify(&extended.replace("another\n", "other\n")).is_err());
    }

    #[test]
    fn what_is_wrong_with_a_text_is_told_apart() {
        use CheckpointError as E;
        let text = sample().text();
        let note = sample().sign(&key());
        let origin = sample().origin;
        let root = BASE64.encode(sample().root.as_bytes());
        let long = format!("{note}{}", "x".repeat(NOTE_BYTES_MAX));
        let size = |size: &str| signed(&text.replace("\n12\n", &format!("\n{size}\n")));
        let cases: Vec<(String, E)> = vec![
            (long.clone(), E::TooLong(long.len())),
            (note.replace("\n12\n", "\n12\r\n"), E::ControlCharacter(13)),
            (text.clone(), E::NoSignatures),
            (String::new(), E::NoSignatures),
            (note.trim_end().to_owned(), E::NoSignatures),
            (signed(&format!("{origin}\n12\n")), E::Lines(2)),
            (
                signed(&text.replace("acme", "other")),
                E::Origin {
                    found: origin.as_str().replace("acme", "other"),
                    expected: origin.clone(),
                },
            ),
            (size("012"), E::Size("012".to_owned())),
            (size("+12"), E::Size("+12".to_owned())),
            (size(""), E::Lines(1)),
            (
                signed(&text.replace(&root, "AAAA")),
                E::Root("AAAA".to_owned()),
            ),
            (format!("{note}\u{2014} name\n"), E::SignatureLine(2)),
            (format!("{note}- name AAAAAAAA\n"), E::SignatureLine(2)),
            (format!("{note}\n"), E::SignatureLine(2)),
            (format!("{note}\u{2014} n AAAAAA==\n"), E::SignatureLine(2)),
            (sample().sign(&SecretKey::from_seed(&[4; 32])), E::Unsigned),
            (
                note.replace("\n12\n", "\n13\n"),
                E::Signature(key().public().fingerprint()),
            ),
        ];
        for (note, error) in cases {
            assert_eq!(verify(&note).unwrap_err(), error, "{note}");
        }
    }

    fn other_note() -> String {
        let organization = "did:web:acme.example".parse().unwrap();
        let origin = Origin::of(&organization, &Digest::of(b"another first"));
        let other = Checkpoint { origin, ..sample() };
        other.sign(&key())
    }

    #[test]
    fn two_ledgers_of_one_organization_have_two_origins() {
        let organization = "did:web:acme.example".parse().unwrap();
        let other = Origin::of(&organization, &Digest::of(b"another first"));
        assert_ne!(other, sample().origin);
        let leaf = Digest::of(b"first").to_string();
        assert_eq!(
            sample().origin.as_str(),
            format!("ambit-ledger/did:web:acme.example/{}", &leaf[..16])
        );
        let claimed =
            |organization: &str| Origin::claimed(&other_note(), &organization.parse().unwrap());
        assert_eq!(claimed("did:web:acme.example"), Some(other));
        assert_eq!(claimed("did:web:acme"), None);
        assert_eq!(claimed("did:web:acme.example/x"), None);
    }
}
