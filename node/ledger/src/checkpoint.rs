//! Checkpoints: signed tree heads as C2SP tlog-checkpoint, which are C2SP signed notes.

use crate::digest::Digest;
use crate::keys::{PublicKey, SecretKey, Signature};
use crate::names::OrganizationId;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

/// The signature type of Ed25519 in a note's key id (C2SP signed-note).
const TYPE_ED25519: u8 = 0x01;

/// A tree head: the ledger's origin, its size, its root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Whose ledger.
    pub organization: OrganizationId,
    /// How many entries.
    pub size: u64,
    /// The root over them.
    pub root: Digest,
}

/// Why a text is no checkpoint that can be relied on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// Not the text of a checkpoint, or not the very text this version writes.
    #[error("not a checkpoint as of C2SP tlog-checkpoint")]
    Shape,
    /// None of the keys signed it.
    #[error("checkpoint is not signed by a certified checkpoint key")]
    Unsigned,
}

impl Checkpoint {
    /// The note's text, to be signed.
    fn text(&self) -> String {
        format!(
            "{}\n{}\n{}\n",
            origin(&self.organization),
            self.size,
            BASE64.encode(self.root.as_bytes())
        )
    }

    /// Signs it. Returns the signed note.
    #[must_use]
    pub fn sign(&self, key: &SecretKey) -> String {
        let text = self.text();
        let name = origin(&self.organization);
        let mut signature = key_id(&name, &key.public()).to_vec();
        signature.extend_from_slice(key.sign(text.as_bytes()).as_bytes());
        format!("{text}\n\u{2014} {name} {}\n", BASE64.encode(signature))
    }

    /// Reads a signed note from outside and checks that one of these keys signed it.
    ///
    /// Only the very text that [`Checkpoint::sign`] writes is taken: one signature, no extension lines.
    ///
    /// # Errors
    /// Any [`CheckpointError`].
    pub fn verify(
        note: &str,
        organization: &OrganizationId,
        keys: impl IntoIterator<Item = PublicKey>,
    ) -> Result<Self, CheckpointError> {
        let (checkpoint, signature) = Self::read(note, organization)?;
        let text = checkpoint.text();
        let name = origin(organization);
        let is_signed = keys.into_iter().any(|key| {
            signature.split_at_checked(4).is_some_and(|(id, rest)| {
                id == key_id(&name, &key)
                    && Signature::try_from(rest)
                        .is_ok_and(|signature| key.verifies(text.as_bytes(), &signature))
            })
        });
        if is_signed {
            Ok(checkpoint)
        } else {
            Err(CheckpointError::Unsigned)
        }
    }

    fn read(note: &str, organization: &OrganizationId) -> Result<(Self, Vec<u8>), CheckpointError> {
        let (text, signatures) = note.split_once("\n\n").ok_or(CheckpointError::Shape)?;
        let mut lines = text.split('\n');
        let (Some(found), Some(size), Some(root), None) =
            (lines.next(), lines.next(), lines.next(), lines.next())
        else {
            return Err(CheckpointError::Shape);
        };
        let checkpoint = Self {
            organization: organization.clone(),
            size: size.parse().map_err(|_| CheckpointError::Shape)?,
            root: decode(root)
                .and_then(|bytes| Digest::try_from(bytes.as_slice()).ok())
                .ok_or(CheckpointError::Shape)?,
        };
        let name = origin(organization);
        let signature = signatures
            .strip_prefix(&format!("\u{2014} {name} "))
            .and_then(|rest| rest.strip_suffix('\n'))
            .and_then(decode)
            .ok_or(CheckpointError::Shape)?;
        // A number with a leading zero, or another way to write the same, is not what was signed.
        if found != name || checkpoint.text() != format!("{text}\n") {
            return Err(CheckpointError::Shape);
        }
        Ok((checkpoint, signature))
    }
}

/// The origin line, also the key's name in the signature: unique to the ledger, without white space or `+`.
fn origin(organization: &OrganizationId) -> String {
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
    format!("ambit-ledger/{escaped}")
}

fn key_id(name: &str, key: &PublicKey) -> [u8; 4] {
    let digest = Digest::of_parts(&[name.as_bytes(), b"\n", &[TYPE_ED25519], key.as_bytes()]);
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

    fn sample() -> Checkpoint {
        Checkpoint {
            organization: "did:web:acme.example".parse().unwrap(),
            size: 12,
            root: Digest::of(b"root"),
        }
    }

    #[test]
    fn any_changed_byte_is_refused() {
        let key = SecretKey::from_seed(&[3; 32]);
        let checkpoint = sample();
        let note = checkpoint.sign(&key);
        let verify =
            |note: &str| Checkpoint::verify(note, &checkpoint.organization, [key.public()]);
        assert_eq!(verify(&note).unwrap(), checkpoint);
        for index in 0..note.len() {
            let mut bytes = note.clone().into_bytes();
            bytes[index] ^= 1;
            if let Ok(changed) = String::from_utf8(bytes) {
                assert!(verify(&changed).is_err(), "byte {index}");
            }
        }
        assert!(verify(&note.replace("\n12\n", "\n012\n")).is_err());
        assert!(verify(&note.replace("\n12\n", "\n+12\n")).is_err());
    }

    #[test]
    fn another_key_is_refused() {
        let note = sample().sign(&SecretKey::from_seed(&[3; 32]));
        let other = SecretKey::from_seed(&[4; 32]).public();
        assert_eq!(
            Checkpoint::verify(&note, &sample().organization, [other]).unwrap_err(),
            CheckpointError::Unsigned
        );
    }
}
