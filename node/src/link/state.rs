//! What each end of a link keeps from one link to the next, committed together with what it speaks of.

use ambit_ledger::{Digest, OrganizationId, PartnershipId, RefusedItem, Salt};
use serde::{Deserialize, Serialize};

/// How far a recipient's signed acknowledgement reaches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AcknowledgementReach {
    /// Which incarnation of the recipient's store.
    pub incarnation: Salt,
    /// The last sequence number covered.
    pub upto: u64,
    /// The chain over bodies at `upto`.
    pub bodies: Digest,
    /// The chain over bodies and outcomes at `upto`.
    pub outcomes: Digest,
}

/// The state of what one sender brings under one partnership.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inbox {
    /// Under which agreement.
    pub partnership: PartnershipId,
    /// From whom.
    pub sender: OrganizationId,
    /// The last sequence number taken or refused.
    pub cursor: u64,
    /// The chain over bodies at the cursor.
    pub bodies: Digest,
    /// The chain over bodies and outcomes at the cursor.
    pub outcomes: Digest,
    /// Refused since the last signed acknowledgement that the sender confirmed to have recorded.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<RefusedItem>,
    /// The last sequence number covered by a signed acknowledgement that the sender confirmed.
    pub signed: u64,
}
