//! Sealing with XChaCha20-Poly1305: readings under the key of their slot.
//!
//! Associated data is the observation's id and the slot, so that no sealed block can stand in for another.

use super::slots::SlotKey;
use ambit_ledger::ObservationId;
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};

const NONCE_BYTES: usize = 24;

/// A sealed block does not open: another key, another observation, or changed bytes.
#[derive(Debug, thiserror::Error)]
#[error(
    "sealed readings do not open: they or their key in `slots` are damaged; restore the home from the latest whole backup"
)]
pub struct SealError;

fn associated(id: &ObservationId, slot: u64) -> Vec<u8> {
    [id.digest().as_bytes().as_slice(), &slot.to_be_bytes()].concat()
}

/// Seals a block. Returns nonce and ciphertext.
pub(super) fn seal(
    plain: &[u8],
    id: &ObservationId,
    slot: u64,
    key: &SlotKey,
    nonce: [u8; NONCE_BYTES],
) -> Result<Vec<u8>, SealError> {
    let cipher = XChaCha20Poly1305::new(&(**key).into());
    let payload = Payload {
        msg: plain,
        aad: &associated(id, slot),
    };
    let sealed = cipher
        .encrypt(&XNonce::from(nonce), payload)
        .map_err(|_| SealError)?;
    Ok([nonce.as_slice(), &sealed].concat())
}

/// Opens a block.
pub(super) fn open(
    sealed: &[u8],
    id: &ObservationId,
    slot: u64,
    key: &SlotKey,
) -> Result<Vec<u8>, SealError> {
    let (nonce, cipher_text) = sealed.split_at_checked(NONCE_BYTES).ok_or(SealError)?;
    let nonce: [u8; NONCE_BYTES] = nonce.try_into().map_err(|_| SealError)?;
    let payload = Payload {
        msg: cipher_text,
        aad: &associated(id, slot),
    };
    XChaCha20Poly1305::new(&(**key).into())
        .decrypt(&XNonce::from(nonce), payload)
        .map_err(|_| SealError)
}

#[cfg(test)]
mod tests {
    use super::*;
    use zeroize::Zeroizing;

    #[test]
    fn opens_only_with_its_own_key_id_and_slot() {
        let key = Zeroizing::new([1; 32]);
        let id = ObservationId::of(b"one");
        let sealed = seal(b"secret", &id, 5, &key, [2; 24]).unwrap();
        assert_eq!(open(&sealed, &id, 5, &key).unwrap(), b"secret");
        assert!(open(&sealed, &ObservationId::of(b"two"), 5, &key).is_err());
        assert!(open(&sealed, &id, 6, &key).is_err());
        assert!(open(&sealed, &id, 5, &Zeroizing::new([3; 32])).is_err());
        assert!(open(&sealed[..10], &id, 5, &key).is_err());
        assert!(!sealed.windows(6).any(|window| window == b"secret"));
    }
}
