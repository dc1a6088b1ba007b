//! What each end of a link keeps from one link to the next, committed together with what it speaks of.

use super::quota::BroughtOn;
use super::{ASK_EARNED_SECONDS, ASKS_AT_ONCE, Divergence, Hello, Parties};
use ambit_ledger::{
    Acknowledgement, Digest, OrganizationId, PartnershipId, RefusalCode, RefusedItem, Salt, Time,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

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
    /// The last sequence number taken, refused or set aside.
    pub cursor: u64,
    /// The chain over bodies at the cursor.
    pub bodies: Digest,
    /// The chain over bodies and outcomes at the cursor.
    pub outcomes: Digest,
    /// Refused since the last signed acknowledgement that the sender confirmed to have recorded.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<RefusedItem>,
    /// Set aside since then.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub set_aside: Vec<RefusedItem>,
    /// The last sequence number covered by a signed acknowledgement that the sender confirmed.
    pub signed: u64,
    /// What was not taken and may come again, by the number of the code it was not taken with.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub untaken: BTreeMap<u16, Untaken>,
    /// What was last asked for, by the number of the code.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub asked: BTreeMap<u16, Asked>,
    /// What came on the last day on which something did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brought: Option<BroughtOn>,
}

/// Items that were not taken with one code, since it was last asked for those.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Untaken {
    /// How many.
    pub count: u64,
    /// On what grounds all of them were judged: where those are others, they may be judged otherwise. Absent where they
    /// were judged on several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grounds: Option<Digest>,
    /// When the first of the answers is no longer true that were given for good reasons of time; absent where none ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
}

/// That it was asked for what was not taken with one code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// When; of those that follow each other at once each
    /// [`ASK_EARNED_SECONDS`] after the one before.
    pub at: Time,
    /// Up to which sequence number.
    pub upto: u64,
}

impl Asked {
    /// When one asked now counts as asked, after this one. Nothing where too many would follow each other.
    pub(super) fn next(self, now: Time) -> Option<Time> {
        let next = self.at.plus_seconds(ASK_EARNED_SECONDS).max(now);
        (next <= now.plus_seconds(ASK_EARNED_SECONDS * (ASKS_AT_ONCE - 1))).then_some(next)
    }
}

impl Inbox {
    /// How many items are set aside: they come again, and until then less may come.
    #[must_use]
    pub fn set_aside_count(&self) -> u64 {
        let set_aside = self.untaken.iter();
        let set_aside = set_aside.filter(|(code, _)| RefusalCode::from(**code).is_set_aside());
        set_aside.map(|(_, untaken)| untaken.count).sum()
    }

    /// The items that were not taken with a code and that the sender may not know of yet.
    pub(super) fn unconfirmed(&self, code: RefusalCode) -> impl Iterator<Item = u64> {
        let list = if code.is_set_aside() {
            &self.set_aside
        } else {
            &self.refused
        };
        let with_code = list.iter().filter(move |item| item.code == code);
        with_code.map(|item| item.seq)
    }
}

/// What one incarnation of this node's store begins with.
pub(super) fn empty_inbox(parties: &Parties, incarnation: &Salt) -> Inbox {
    let start = parties.start(incarnation).digest();
    Inbox {
        partnership: parties.partnership.clone(),
        sender: parties.sender.clone(),
        cursor: 0,
        bodies: start,
        outcomes: start,
        refused: Vec::new(),
        set_aside: Vec::new(),
        signed: 0,
        untaken: BTreeMap::new(),
        asked: BTreeMap::new(),
        brought: None,
    }
}

/// What the opener knows, against what this node has.
pub(super) fn compare(inbox: &Inbox, incarnation: &Salt, hello: &Hello) -> Option<Divergence> {
    let (cursor, confirmed) = (inbox.cursor, inbox.signed);
    let acknowledged = match hello.peer_incarnation {
        Some(known) if known == *incarnation => hello.cursor,
        Some(_) if confirmed > 0 => return Some(Divergence::OwnStoreCameBack { confirmed }),
        // It knows another store of this node, or none: nothing of this one.
        Some(_) | None => 0,
    };
    if acknowledged > cursor {
        Some(Divergence::RecipientWentBack {
            cursor,
            acknowledged,
        })
    } else if acknowledged < confirmed {
        Some(Divergence::SenderForgot {
            acknowledged,
            confirmed,
        })
    } else if acknowledged == cursor && cursor > 0 && hello.chain != Some(inbox.bodies) {
        Some(Divergence::Chain { upto: cursor })
    } else {
        None
    }
}

/// The sender has the acknowledgement up to here: its refusals need not be stated again.
pub(super) fn confirm(inbox: &mut Inbox, upto: u64) {
    inbox.signed = inbox.signed.max(upto);
    inbox.refused.retain(|refused| refused.seq > upto);
    inbox.set_aside.retain(|set_aside| set_aside.seq > upto);
}

/// How many items beyond a number were not taken and may be another time, by the number of the code. Those up to it were
/// counted before: the recipient repeats them until it knows that this node has them.
#[must_use]
pub fn untaken_since(acknowledgement: &Acknowledgement, upto: u64) -> BTreeMap<u16, u64> {
    let mut untaken = BTreeMap::new();
    for item in acknowledgement.not_taken() {
        if item.seq > upto && item.code.may_come_again() {
            let count: &mut u64 = untaken.entry(item.code.number()).or_default();
            *count = count.saturating_add(1);
        }
    }
    untaken
}
