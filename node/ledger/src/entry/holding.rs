//! Bodies about what is held: judged, used, derived, held back from erasure, erased.

use crate::codec::is_unset;
use crate::digest::{Digest, DisclosureId, ObservationId, Salt};
use crate::holding::{DeriveDecision, RetainDecision, UseDecision};
use crate::names::{DataClass, Name, Purpose};
use crate::terms::ErasureExtent;
use crate::time::Time;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;
use std::collections::BTreeSet;

/// A class of what is held was judged for retention.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RetainDecided {
    /// The decision. Its digest names it.
    pub decision: RetainDecision,
}

/// Inputs of one class were judged for a derivation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeriveDecided {
    /// The decision. Its digest names it.
    pub decision: DeriveDecision,
}

/// A class of what is held was judged for a use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UseDecided {
    /// The decision. Its digest names it.
    pub decision: UseDecision,
}

/// What became of what was due, after a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RetainOutcome {
    /// It is held.
    Held,
    /// Nobody can say: it is neither used nor passed on, and not erased.
    Frozen,
    /// It is kept for evidence or under a hold, for compliance alone.
    Kept,
    /// It is to be erased.
    Erasing,
}

/// Retention was judged of what is held, once for a class.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retained {
    /// SHA-256 of the decisions, one for each disclosure it is held under.
    pub decisions: BTreeSet<Digest>,
    /// Of how many observations.
    pub count: u64,
    /// What became of them.
    pub outcome: RetainOutcome,
    /// When they are due again; absent where they are to be erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_due: Option<Time>,
}

/// Data was used: one agent, one purpose and one class for an hour. Committed before the first read is answered with
/// no reads, and again with their number when the hour is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Used {
    /// SHA-256 of the decision.
    pub decision: Digest,
    /// Who, by an opaque id.
    pub agent: Name,
    /// What for.
    pub purpose: Purpose,
    /// Of which class.
    pub data_class: DataClass,
    /// The start of the hour.
    pub hour: Time,
    /// How many observations were read; absent while the hour runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reads: Option<u64>,
}

/// An observation of this node was derived from others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Derived {
    /// The statement.
    pub derivation: ByteBuf,
    /// SHA-256 of the decisions, one for each class of inputs.
    pub decisions: BTreeSet<Digest>,
}

/// A legal hold began. The entry's reason says why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Held {
    /// The hold's number.
    pub hold: Name,
    /// Who ordered it, by an opaque id.
    pub person: Name,
    /// When it is to be looked at again.
    pub review: Time,
    /// What is held back from erasure.
    pub observations: BTreeSet<ObservationId>,
}

/// A legal hold ended, or let go of some of what it held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReleasedFromHold {
    /// The hold's number.
    pub hold: Name,
    /// Who ordered it, by an opaque id.
    pub person: Name,
    /// What it lets go of; empty means all.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub observations: BTreeSet<ObservationId>,
}

/// Observations were erased. Committed before their keys are overwritten.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Erased {
    /// Which, at least one.
    pub observations: Vec<ErasedItem>,
    /// What erasure took.
    pub extent: ErasureExtent,
    /// By which rule.
    pub rule: ErasureRule,
}

/// One observation that was erased, or some of its elements.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErasedItem {
    /// The observation.
    pub observation: ObservationId,
    /// The key slot that is overwritten.
    pub slot: u64,
    /// The leaves that were erased, where it was not all.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub leaves: BTreeSet<Digest>,
    /// The key slot that the rest is sealed with then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept_slot: Option<u64>,
}

/// By which rule something was erased.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum ErasureRule {
    /// No layer allowed to hold it any longer.
    Retention {
        /// SHA-256 of the decisions, one for each disclosure it was held under.
        decisions: BTreeSet<Digest>,
    },
    /// It was derived from what was erased.
    Input {
        /// The input.
        observation: ObservationId,
    },
    /// A person asked for it; of what this node owns, only so.
    Person {
        /// Who, by an opaque id.
        person: Name,
    },
}

/// A holder attests an erasure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErasureAttested {
    /// The statement.
    pub attestation: ByteBuf,
    /// Whether this node attests it itself.
    #[serde(default, skip_serializing_if = "is_unset")]
    pub is_own: bool,
}

/// A label that sticks to data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Label {
    /// The class of data.
    DataClass,
    /// The design authority.
    DesignAuthority,
    /// That it is a trade secret.
    TradeSecret,
    /// The export control classification.
    ExportControl,
}

/// A label was taken off derived data, by a person of the label's authority.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Declassified {
    /// The derived observation.
    pub observation: ObservationId,
    /// The labels.
    pub labels: BTreeSet<Label>,
    /// The person's signature, a statement.
    pub signature: ByteBuf,
}

/// An earlier observation was corrected by a later one, which commits to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Corrected {
    /// The earlier one.
    pub observation: ObservationId,
    /// The later one.
    pub by: ObservationId,
    /// The salt of the commitment.
    pub salt: Salt,
    /// The disclosures of the earlier one, which the later one follows.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub disclosures: BTreeSet<DisclosureId>,
}
