//! Which key is the root of this node.

use crate::failure::Failure;
use crate::node::{Ask, Node};
use ambit_ledger::{Fingerprint, Time};
use serde::{Deserialize, Serialize};

/// The fingerprint of the root that this node's ledger was opened with.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GetRoot {}

impl Ask for GetRoot {
    type Answer = Fingerprint;

    fn answer(self, node: &Node, _now: Time) -> Result<Fingerprint, Failure> {
        Ok(node.governance().opened().root)
    }
}
