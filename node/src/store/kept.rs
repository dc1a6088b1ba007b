//! What was counted of the ledger, kept beside it so that it need not be counted again. It is in no journal: where it is gone,
//! or not whole, everything is counted anew.

use super::keys;
use super::packs::chunk_items;
use super::{Store, StoreError};
use ambit_ledger::Digest;

/// How much space must be left.
const FREE_BYTES_MIN: u64 = 64 * 1024 * 1024;

impl Store {
    /// Keeps this in the place of what was kept before, where space is left: a full disk must not stop who only reads.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub(crate) fn keep(&self, counted: &[u8]) -> Result<(), StoreError> {
        let free = crate::platform::free_bytes(self.shared.database.path());
        if self.is_stopped() || free.is_some_and(|free| free < FREE_BYTES_MIN) {
            return Ok(());
        }
        let length = (counted.len() as u64).to_be_bytes();
        let digest = Digest::of(counted);
        let bytes = [digest.as_bytes().as_slice(), &length, counted].concat();
        for item in chunk_items(&keys::kept(), &bytes) {
            self.shared.database.apply(item)?;
        }
        Ok(())
    }

    /// What was kept last, where it is whole.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub(crate) fn kept(&self) -> Result<Option<Vec<u8>>, StoreError> {
        let mut bytes = Vec::new();
        for pair in self.shared.database.scan(&keys::kept()) {
            bytes.extend(pair?.1);
        }
        let kept = bytes.split_first_chunk::<32>().and_then(|(digest, rest)| {
            let (length, rest) = rest.split_first_chunk::<8>()?;
            let length = usize::try_from(u64::from_be_bytes(*length)).ok()?;
            // Behind it may lie what is left of something longer.
            let counted = rest.get(..length)?;
            (Digest::of(counted).as_bytes() == digest).then(|| counted.to_vec())
        });
        Ok(kept)
    }
}
