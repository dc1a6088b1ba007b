//! What judged: profiles, partnership layers and taxonomies, from when to when, and whose they are.

use crate::verify::At;
use ambit_ledger::{Digest, Layer, PartnershipId, Time};
use serde::Serialize;

/// One text that judged while it was in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RuleInForce {
    /// Which part of judging it is.
    #[serde(flatten)]
    pub kind: RuleKind,
    /// SHA-256 of the text, a blob of the bundle.
    pub digest: Digest,
    /// Whose it is.
    #[serde(flatten)]
    pub origin: Origin,
    /// The entry that put it in force.
    pub from: Instant,
    /// The entry that put another one in its place; absent where it is in force at the ledger's end.
    pub until: Option<Instant>,
    /// What the check of profiles says against it, one line each.
    pub against: Vec<String>,
    /// Why it was put in force although the check of profiles spoke against it; absent where no reason is recorded.
    pub anyway: Option<String>,
    /// What it lets through that the shipped one does not; absent where it is not an operator's own.
    pub beyond: Option<Beyond>,
}

/// Which part of judging a text is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "rule", content = "name", rename_all = "kebab-case")]
pub enum RuleKind {
    /// The profile of a layer.
    Layer(Layer),
    /// The layer of one partnership.
    Partnership(PartnershipId),
    /// The taxonomies of classes, purposes and jurisdictions.
    Taxonomies,
}

/// Whose a text is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "origin", rename_all = "kebab-case")]
pub enum Origin {
    /// It came with the program.
    Shipped {
        /// With which version.
        version: String,
    },
    /// It is rendered from the terms that the members signed.
    Rendered,
    /// The operator's own.
    Operator,
    /// The terms it should be rendered from are not at hand, or only a later version renders them.
    Unknown,
}

/// A place in the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Instant {
    /// The entry, from 0.
    pub entry: u64,
    /// Its time.
    pub time: Time,
}

/// An operator's own profile beside the shipped one, over the decisions that were recorded or used while it was in force.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Beyond {
    /// Decisions that both were asked about.
    pub compared: u64,
    /// Decisions that cannot be judged again here.
    pub not_compared: u64,
    /// Those in which it admits, for some purpose, what the shipped profile does not: the first entry that records or uses
    /// each while it was in force.
    pub entries: Vec<u64>,
}

impl From<At> for Instant {
    fn from(at: At) -> Self {
        Self {
            entry: at.index,
            time: at.time,
        }
    }
}

impl RuleInForce {
    /// Whether it was in force for this entry.
    #[must_use]
    pub fn covers(&self, entry: u64) -> bool {
        self.from.entry < entry && self.until.is_none_or(|until| entry < until.entry)
    }
}
