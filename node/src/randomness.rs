//! Randomness for salts and nonces, asked of the system for many at a time.
//!
//! An observation takes five of them, and a call to the system each would cost more than judging it. No byte is
//! ever handed out twice. Keys are never drawn from here.

use ambit_ledger::Salt;
use zeroize::Zeroizing;

/// How much is asked for at a time: for some 25 observations.
const POOL_BYTES: usize = 4_096;

/// The system gave no randomness.
#[derive(Debug, thiserror::Error)]
#[error(
    "the system gave no randomness; let the node use getrandom(2) or /dev/urandom, then try again"
)]
pub struct RandomnessError(#[from] getrandom::Error);

/// Random bytes not handed out yet. Made for one piece of work, and not kept.
pub struct Randomness {
    pool: Zeroizing<[u8; POOL_BYTES]>,
    used: usize,
}

impl std::fmt::Debug for Randomness {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Randomness").finish_non_exhaustive()
    }
}

impl Default for Randomness {
    fn default() -> Self {
        Self {
            pool: Zeroizing::new([0; POOL_BYTES]),
            used: POOL_BYTES,
        }
    }
}

impl Randomness {
    /// The next bytes.
    ///
    /// # Errors
    /// [`RandomnessError`].
    pub fn take<const N: usize>(&mut self) -> Result<[u8; N], RandomnessError> {
        const { assert!(N <= POOL_BYTES, "the pool holds what is taken") }
        if POOL_BYTES - self.used < N {
            getrandom::fill(self.pool.as_mut()).map_err(RandomnessError)?;
            self.used = 0;
        }
        let mut taken = [0; N];
        let unused = self.pool.iter_mut().skip(self.used);
        for (to, from) in taken.iter_mut().zip(unused) {
            *to = std::mem::take(from);
        }
        self.used += N;
        Ok(taken)
    }

    /// A salt, or the nonce of an entry.
    ///
    /// # Errors
    /// [`RandomnessError`].
    pub fn salt(&mut self) -> Result<Salt, RandomnessError> {
        self.take().map(Salt::from_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn nothing_is_handed_out_twice() {
        let mut randomness = Randomness::default();
        let count = 3 * POOL_BYTES / 24;
        let taken: BTreeSet<[u8; 24]> = (0..count).map(|_| randomness.take().unwrap()).collect();
        assert_eq!(taken.len(), count);
        assert!(
            taken
                .iter()
                .all(|bytes| bytes.iter().any(|byte| *byte != 0))
        );
    }
}
