//! Bodies about what crosses: observed, judged, disclosed, withheld, withdrawn, admitted, refused, set aside.

use crate::codec::is_unset;
use crate::decision::{AgreementState, Decision};
use crate::digest::{Digest, DisclosureId, ObservationId};
use crate::names::{OrganizationId, PartnershipId};
use crate::refusal::RefusalCode;
use crate::terms::Limits;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;
use std::collections::BTreeSet;

/// This node made an observation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Observed {
    /// The statement.
    pub observation: ByteBuf,
    /// The key slot its readings are sealed with.
    pub slot: u64,
    /// What it was imported from, as a keyed digest, so that a second import of the same adds nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub import: Option<Digest>,
}

/// A class of observations was judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decided {
    /// The decision. Its digest names it.
    pub decision: Decision,
}

/// An observation was put into a recipient's outbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Disclosed {
    /// The statement.
    pub disclosure: ByteBuf,
    /// Its sequence number in the outbox, from 1.
    pub seq: u64,
    /// SHA-256 of the statements that travel with it, blobs: the disclosures before it, a mandate, a derivation.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub evidence: BTreeSet<Digest>,
}

/// An observation was withheld from a recipient.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Withheld {
    /// The observation.
    pub observation: ObservationId,
    /// Under which agreement.
    pub partnership: PartnershipId,
    /// From whom.
    pub recipient: OrganizationId,
    /// SHA-256 of the decision; absent where no limits cover the observation, so nothing was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<Digest>,
    /// Whether the decision was *undecided*; it is judged again when its inputs change.
    pub undecided: bool,
}

/// A disclosure was taken back before it left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Withdrawn {
    /// The disclosure.
    pub disclosure: DisclosureId,
    /// The observation it was of.
    pub observation: ObservationId,
    /// Under which agreement.
    pub partnership: PartnershipId,
    /// Whose outbox.
    pub recipient: OrganizationId,
    /// Its sequence number there.
    pub seq: u64,
    /// Why.
    pub grounds: Withdrawal,
}

/// An observation was taken in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Admitted {
    /// The observation's statement.
    pub observation: ByteBuf,
    /// The disclosure's statement.
    pub disclosure: ByteBuf,
    /// SHA-256 of the decisions to admit it: one, or one for each of the labels of derived data.
    pub decisions: BTreeSet<Digest>,
    /// Its sequence number on the link.
    pub seq: u64,
    /// The key slot its readings are sealed with.
    pub slot: u64,
    /// SHA-256 of the statements that came with it, blobs: the disclosures before it, a mandate, a derivation.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub evidence: BTreeSet<Digest>,
}

/// What a peer sent was refused. One entry for all that a commit group refused of one peer with one code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refused {
    /// Who sent it.
    pub sender: OrganizationId,
    /// On which partnership's link.
    pub partnership: PartnershipId,
    /// Why.
    pub code: RefusalCode,
    /// How many.
    pub count: u64,
    /// SHA-256 of what was sent, the first of them.
    pub digests: Vec<Digest>,
}

/// A recipient acknowledged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Acknowledged {
    /// The statement.
    pub acknowledgement: ByteBuf,
}

/// The owner set limits for a kind of observation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitsSet {
    /// The limits.
    pub limits: Limits,
}

/// Why a disclosure was taken back. An auditor finds in the ledger whether it is so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Withdrawal {
    /// It was judged again, and not admitted for all its purposes.
    Judged {
        /// SHA-256 of the decision.
        decision: Digest,
        /// Whether that decision was *undecided*; the observation is judged again when its inputs change.
        #[serde(default, skip_serializing_if = "is_unset")]
        undecided: bool,
    },
    /// The agreement was no longer in force.
    Agreement {
        /// How it stood.
        state: AgreementState,
    },
    /// Another edition was in force than the one it was made under.
    Edition {
        /// The digest of that edition.
        edition: Digest,
    },
    /// The recipient was no member of the edition in force.
    Membership,
    /// The observation was erased.
    Erased,
}

impl Withdrawal {
    /// SHA-256 of the decision that took it back, where one did.
    #[must_use]
    pub const fn decision(&self) -> Option<Digest> {
        match self {
            Self::Judged { decision, .. } => Some(*decision),
            Self::Agreement { .. } | Self::Edition { .. } | Self::Membership | Self::Erased => None,
        }
    }

    /// Whether nobody could say, so that the observation is judged again when its inputs change.
    #[must_use]
    pub const fn is_undecided(&self) -> bool {
        matches!(
            self,
            Self::Judged {
                undecided: true,
                ..
            }
        )
    }
}

/// What a peer sent was set aside: it was not refused, holds up nothing, and comes again. One entry for all that a
/// commit group set aside of one peer with one code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetAside {
    /// Who sent it.
    pub sender: OrganizationId,
    /// On which partnership's link.
    pub partnership: PartnershipId,
    /// Why: a code that sets aside.
    pub code: RefusalCode,
    /// How many.
    pub count: u64,
    /// SHA-256 of what was sent, the first of them.
    pub digests: Vec<Digest>,
}

/// What a recipient had not taken was offered again: the same disclosure under a further number, or a new one under
/// another edition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfferedAgain {
    /// The disclosure that is offered again: the one that the last number holds which was not taken back.
    pub first: DisclosureId,
    /// The number under which this very disclosure was put there first.
    pub first_seq: u64,
    /// The statement, where it is a new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disclosure: Option<ByteBuf>,
    /// Under which agreement.
    pub partnership: PartnershipId,
    /// Whose outbox.
    pub recipient: OrganizationId,
    /// Its number there now.
    pub seq: u64,
    /// SHA-256 of the decision to offer it again.
    pub decision: Digest,
}

/// What waited in an outbox was taken back at once, because of an end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutboxEnded {
    /// Under which agreement.
    pub partnership: PartnershipId,
    /// Whose outbox.
    pub recipient: OrganizationId,
    /// The first number taken back,
    pub from_seq: u64,
    /// and the last.
    pub to_seq: u64,
    /// Why; the same for all.
    pub grounds: Withdrawal,
}

/// Who got an observation from this node passed it on, and says so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OnwardNoted {
    /// Its disclosure's statement.
    pub disclosure: ByteBuf,
}
