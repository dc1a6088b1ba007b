//! What an agreement can say besides whom, what, what for and how long.

use crate::codec::is_unset;
use crate::digest::Digest;
use crate::names::{Assigned, DataClass, Jurisdiction, Name, OrganizationId, Purpose};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A part that an agreement is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgreedPart {
    /// The part.
    pub part: Assigned,
    /// Its revision; absent means any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<Name>,
}

impl std::fmt::Display for AgreedPart {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.revision {
            Some(revision) => write!(formatter, "{} revision {revision}", self.part),
            None => write!(formatter, "{}", self.part),
        }
    }
}

impl From<Assigned> for AgreedPart {
    fn from(part: Assigned) -> Self {
        Self {
            part,
            revision: None,
        }
    }
}

/// An element of submodels that an agreement is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgreedElement {
    /// The submodels' `semanticId`; absent means any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub semantic_id: Option<Name>,
    /// The idShort path (IDTA-01002), with everything below it.
    pub path: Name,
}

/// A class of data that the members add to the taxonomy for this agreement.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddedClass {
    /// The class.
    pub data_class: DataClass,
    /// The class it lies within: of the taxonomy, or added before it.
    pub parent: DataClass,
}

/// Whether data goes as it is observed, or when a recipient asks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Delivery {
    /// As it is observed.
    #[default]
    Push,
    /// When a recipient asks.
    OnRequest,
}

impl Delivery {
    /// Whether it is what is meant where nothing is said.
    pub(crate) fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}

/// What becomes of what is held when the agreement ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AtEnd {
    /// It is held for as long as its scope says.
    #[default]
    Hold,
    /// Retention ends with the agreement, but for what must be kept.
    Erase,
}

impl AtEnd {
    /// Whether it is what is meant where nothing is said.
    pub(crate) fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}

/// What members of a role get the data for, and from whom.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Role {
    /// Its name, as members' records name it.
    pub name: Name,
    /// The purposes, with everything below them.
    pub purposes: BTreeSet<Purpose>,
    /// From whom.
    pub reach: Reach,
}

/// From whom members of a role get data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reach {
    /// From its owner.
    FirstHand,
    /// From a member that has it.
    Onward,
}

/// Who may join without a new edition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdmissionRule {
    /// The role that who joins has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Name>,
    /// What must be attested of it; all of it.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub attestations: BTreeSet<RequiredAttestation>,
    /// Where it may have its seat, with everything within; empty means anywhere.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub seats: BTreeSet<Jurisdiction>,
    /// Where its node may store data; empty means anywhere.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub hosting: BTreeSet<Jurisdiction>,
    /// The sites of which it must have one; empty means none.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub sites: BTreeSet<Name>,
}

/// What must be attested, and by whom.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequiredAttestation {
    /// What, such as `iso27001`.
    pub name: Name,
    /// By one of these.
    pub issuers: BTreeSet<OrganizationId>,
}

/// A document that belongs to the agreement, for people and courts. No node reads it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LegalDocument {
    /// Its title.
    pub title: Name,
    /// Its media type (RFC 6838).
    pub media_type: Name,
    /// SHA-256 of it.
    pub digest: Digest,
}

/// A clause that only people and courts read. No node applies it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LegalClause {
    /// Its title.
    pub title: Name,
    /// Its text.
    pub text: String,
    /// Whether it takes precedence over what nodes apply, where people read both.
    #[serde(default, skip_serializing_if = "is_unset")]
    pub prevails: bool,
}
