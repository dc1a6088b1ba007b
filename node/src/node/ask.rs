//! What is asked of a node: a type for each operation, which knows what its answer is.

use super::Node;
use crate::failure::Failure;
use ambit_ledger::Time;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// One operation, with what it takes. It stands beside the room that does it; `api` lists all there are.
pub trait Ask: Serialize + DeserializeOwned + Send + 'static {
    /// What comes of it.
    type Answer: Serialize + DeserializeOwned + Send + 'static;

    /// Runs it on an open node. Blocks on the store.
    ///
    /// # Errors
    /// [`Failure`]; each operation says what of it may have been recorded then.
    fn answer(self, node: &Node, now: Time) -> Result<Self::Answer, Failure>;
}
