//! Why no layer was asked: what of the observation, or of the agreement, no limits of the owner cover.

use ambit_ledger::{OrganizationId, Time};
use ambit_policy::NoLimits;
use serde::{Deserialize, Serialize};
use std::fmt::{Display, Formatter};

/// Why no layer was asked about an observation for a recipient.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "kebab-case")]
pub enum Unasked {
    /// It is another organization's, and this node passes nothing on.
    NotOwn {
        /// Whose it is.
        origin: OrganizationId,
    },
    /// The agreement is over.
    Ended {
        /// Since when.
        ended: Time,
    },
    /// The owner's limits leave nothing to ask.
    NoLimits(NoLimits),
}

impl Display for Unasked {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotOwn { origin } => write!(
                formatter,
                "it is held from `{origin}`, and this node passes nothing on, so no layer was asked"
            ),
            Self::Ended { ended } => write!(
                formatter,
                "the agreement ended at {ended}, so no layer was asked; nothing is disclosed under it any more"
            ),
            Self::NoLimits(missed) => write!(formatter, "no layer was asked: {missed}"),
        }
    }
}
