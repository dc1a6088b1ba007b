//! A person's word that the clock is right.

use crate::failure::Failure;
use crate::node::{Ask, ClockAccepted, Node};
use ambit_ledger::Time;
use serde::{Deserialize, Serialize};

/// Confirms what the clock says.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AcceptClock {}

impl Ask for AcceptClock {
    type Answer = ClockAccepted;

    fn answer(self, node: &Node, now: Time) -> Result<ClockAccepted, Failure> {
        Ok(node.accept_clock(now)?)
    }
}
