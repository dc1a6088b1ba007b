//! Acknowledgements: what a recipient did with what it was sent.

use crate::digest::{Digest, Salt};
use crate::names::{OrganizationId, PartnershipId};
use crate::payload::issued_statement;
use crate::refusal::RefusalCode;
use crate::time::Time;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What a recipient took, refused and set aside, cumulative. The payload of its statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Acknowledgement {
    /// Under which agreement.
    pub partnership: PartnershipId,
    /// Whose outbox.
    pub sender: OrganizationId,
    /// Who acknowledges; the issuer.
    pub recipient: OrganizationId,
    /// Which incarnation of the recipient's store.
    pub incarnation: Salt,
    /// The last sequence number taken, refused or set aside.
    pub upto: u64,
    /// The chain over bodies and outcomes up to there.
    pub outcomes: Digest,
    /// What was refused since the acknowledgement before, ascending. Numbers that it named already may be repeated.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<RefusedItem>,
    /// What was set aside since then, ascending: it was not refused, and comes again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub set_aside: Vec<RefusedItem>,
    /// The highest act heard of each member, ascending by author.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub heard: Vec<HeardActs>,
    /// When.
    pub at: Time,
}

/// One item that was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RefusedItem {
    /// Its sequence number.
    pub seq: u64,
    /// Why.
    pub code: RefusalCode,
}

/// How far a recipient has heard one member's acts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeardActs {
    /// Whose.
    pub author: OrganizationId,
    /// The number of the last act to all that was heard, from 1; 0 where none was.
    pub to_all: u64,
    /// The number of the last act to this recipient alone.
    pub to_recipient: u64,
}

issued_statement!(
    Acknowledgement,
    issuer: recipient,
    at: at,
    subject: |acknowledgement| acknowledgement.partnership.as_str().to_owned(),
);

impl Acknowledgement {
    /// What was not taken: refused, and after that set aside.
    pub fn not_taken(&self) -> impl Iterator<Item = &RefusedItem> {
        self.refused.iter().chain(&self.set_aside)
    }

    fn broken_rule(&self) -> Option<&'static str> {
        let is_refusal = |item: &RefusedItem| !item.code.is_set_aside();
        if !self.refused.iter().all(is_refusal) || self.set_aside.iter().any(is_refusal) {
            return Some("a refusal has the code of one, and what is set aside another");
        }
        let lists = [&self.refused, &self.set_aside];
        let is_ascending =
            |list: &&Vec<RefusedItem>| list.is_sorted_by(|one, other| one.seq < other.seq);
        let numbers = || lists.into_iter().flatten().map(|item| item.seq);
        let distinct: BTreeSet<u64> = numbers().collect();
        if !lists.iter().all(is_ascending)
            || distinct.len() != numbers().count()
            || !numbers().all(|seq| (1..=self.upto).contains(&seq))
        {
            return Some(
                "what was not taken ascends by number, each once, from 1 to the last covered",
            );
        }
        if !self
            .heard
            .is_sorted_by(|one, other| one.author < other.author)
        {
            return Some("acts heard are ascending by author");
        }
        None
    }
}
