//! Putting something in force: the one way an edition, a decline, a profile, limits, an issuer or what is attested get into
//! the ledger here, whoever brought them.

use crate::node::{ChangeError, Changing, Node};
use crate::release::{JudgedAgain, ObserveError};
use crate::store::Write;
use ambit_ledger::Time;

/// Something was not put in force, or what follows from it not done.
#[derive(Debug, thiserror::Error)]
pub enum EnactError {
    /// It was not recorded, or cannot be read back.
    #[error(transparent)]
    Change(#[from] ChangeError),
    /// It is in force, and what it opens is still to be judged.
    #[error(
        "it is in force, but what was observed before could not be judged again; start the node again, which does that first"
    )]
    CatchUp(#[source] ObserveError),
}

impl Node {
    /// Records what is to be in force, and then judges again for everybody what may be judged otherwise under it: what
    /// was observed before a recipient joined, and what was withheld or undecided. Returns what is answered otherwise. Where it is
    /// in force already and nothing is to be recorded, what follows from it may have been cut off, and is done.
    pub(super) fn enact(
        &self,
        changing: Changing<'_>,
        writes: Vec<Write>,
        now: Time,
    ) -> Result<JudgedAgain, EnactError> {
        if writes.is_empty() {
            drop(changing);
        } else {
            changing.commit(writes, now)?;
        }
        self.catch_up(now).map_err(EnactError::CatchUp)
    }
}
