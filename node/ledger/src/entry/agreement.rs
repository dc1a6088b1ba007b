//! Bodies about agreements: editions, acts, records, authorities, patterns.

use crate::codec::is_unset;
use crate::digest::{Digest, DisclosureId};
use crate::keys::Fingerprint;
use crate::names::{Name, OrganizationId, PartnershipId};
use crate::time::Time;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

/// Where an edition of a partnership stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EditionStage {
    /// Some members have signed. Nothing is sent.
    Proposed,
    /// All members have signed.
    Active,
}

/// An edition of a partnership is proposed, signed or in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartnershipEdition {
    /// The agreement.
    pub partnership: PartnershipId,
    /// SHA-256 of the terms, a blob.
    pub edition: Digest,
    /// Where it stands.
    pub stage: EditionStage,
    /// SHA-256 of the signatures known, blobs, ascending.
    pub signatures: Vec<Digest>,
    /// The root fingerprints that were compared for the other members, ascending by organization.
    pub roots: Vec<ComparedRoot>,
    /// SHA-256 of the rendered Cedar text, a blob.
    pub profile: Digest,
}

/// A root key's fingerprint that someone compared out of band.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ComparedRoot {
    /// Whose root.
    pub organization: OrganizationId,
    /// Its fingerprint.
    pub root: Fingerprint,
}

/// A member declined an edition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartnershipDeclined {
    /// The agreement.
    pub partnership: PartnershipId,
    /// The statement.
    pub decline: ByteBuf,
}

/// A partnership is dissolved, for good.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartnershipDissolved {
    /// The agreement.
    pub partnership: PartnershipId,
    /// The edition that was in force.
    pub edition: Digest,
    /// SHA-256 of the acts that dissolved it, ascending.
    pub acts: Vec<Digest>,
}

/// This node set a partnership aside for itself, or took it up again. Nobody is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartnershipSetAside {
    /// The agreement.
    pub partnership: PartnershipId,
    /// Whether it was taken up again.
    #[serde(default, skip_serializing_if = "is_unset")]
    pub undone: bool,
}

/// This node did something to an agreement by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActMade {
    /// The statement.
    pub act: ByteBuf,
}

/// Another member did something to an agreement by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActHeard {
    /// The statement.
    pub act: ByteBuf,
    /// From whom it was heard.
    pub from: OrganizationId,
}

/// A member's card was seen. It holds at once but for what is material.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CardSeen {
    /// The statement.
    pub card: ByteBuf,
}

/// A person confirmed what is material on a card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CardConfirmed {
    /// Whose card.
    pub organization: OrganizationId,
    /// SHA-256 of the card's statement.
    pub card: Digest,
    /// The digest of its [`crate::Material`].
    pub material: Digest,
}

/// An issuer's root was compared and is trusted for attestations and grants, or no longer is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IssuerPinned {
    /// The issuer.
    pub issuer: OrganizationId,
    /// Its root's fingerprint.
    pub root: Fingerprint,
    /// The statements in which its root certifies its keys.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub certificates: Vec<ByteBuf>,
    /// Whether it is no longer trusted from here on.
    #[serde(default, skip_serializing_if = "is_unset")]
    pub undone: bool,
}

/// An attestation was verified under a pinned issuer, or is by this organization, and was taken in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttestationRecorded {
    /// The statement.
    pub attestation: ByteBuf,
}

/// A grant was verified, and taken in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GrantRecorded {
    /// The statement.
    pub grant: ByteBuf,
}

/// A mandate was given, or verified and taken in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MandateRecorded {
    /// The statement.
    pub mandate: ByteBuf,
}

/// A member joined by an agreement's own rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemberJoined {
    /// The agreement.
    pub partnership: PartnershipId,
    /// The statement.
    pub joined: ByteBuf,
}

/// A coordination pattern was signed by one more member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PatternSigned {
    /// The agreement.
    pub partnership: PartnershipId,
    /// The digest of the pattern.
    pub pattern: Digest,
    /// The statement.
    pub signature: ByteBuf,
}

/// A coordination pattern opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PatternOpened {
    /// The agreement.
    pub partnership: PartnershipId,
    /// The digest of the pattern.
    pub pattern: Digest,
    /// The trigger, by the digest of its evidence: it opens once.
    pub trigger: Digest,
    /// The statements that are the trigger's evidence.
    pub evidence: Vec<ByteBuf>,
    /// When it ends.
    pub until: Time,
}

/// An opening of a coordination pattern ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PatternEnded {
    /// The agreement.
    pub partnership: PartnershipId,
    /// The digest of the pattern.
    pub pattern: Digest,
    /// The trigger that opened it.
    pub trigger: Digest,
}

/// Someone signed two things of which he may sign one: two acts of one number, two checkpoints of one size.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EquivocationProved {
    /// Who.
    pub organization: OrganizationId,
    /// The two, statements or signed notes.
    pub statements: Vec<ByteBuf>,
    /// What in this ledger rests on one of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub disclosures: Vec<DisclosureId>,
    /// What it means, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remark: Option<Name>,
}
