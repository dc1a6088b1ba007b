//! What the store keeps beside entries, and what callers hand it to commit.

use super::StoreError;
use super::index_key::IndexKey;
use super::journal::Position;
use super::keys::BoxKey;
use crate::link::{AcknowledgementReach, Inbox};
use ambit_ledger::{
    Body, Digest, Facts, Frontier, Name, ObservationId, OfferedAgain, OrganizationId,
    PartnershipId, Salt, Time,
};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// How far the store is committed. Nothing above it is read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Head {
    /// The version of the records.
    pub(super) version: u32,
    /// The tree over all entries.
    pub(super) frontier: Frontier,
    /// The time of the last entry.
    pub(super) time: Time,
    /// The next key slot never used.
    pub(super) slot: u64,
    /// Names this store: a store that was lost and made anew is another.
    pub(super) incarnation: Salt,
    /// Keys the digests of what was imported.
    pub(super) import_key: Salt,
}

/// How far the journal is applied to the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Applied {
    /// Where the last group that was applied begins.
    pub(super) at: Position,
    /// Where the next one will.
    pub(super) after: Position,
    /// Names the key of the indexes that were made with it.
    pub(super) index_key: Digest,
}

impl Applied {
    /// Nothing is, and indexes will be made with this key.
    pub(super) fn nothing(key: &IndexKey) -> Self {
        Self {
            at: Position::START,
            after: Position::START,
            index_key: key.name(),
        }
    }

    /// One group more, which ends there.
    pub(super) fn next(self, after: Position) -> Self {
        Self {
            at: self.after,
            after,
            ..self
        }
    }
}

/// What a database says of itself, in one record: the engine writes one as a whole, where a batch of two costs it two writes more.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Standing<'a> {
    head: Cow<'a, Head>,
    applied: Applied,
}

/// The record of a database: the head it has, and how far the journal is applied to it.
pub(super) fn standing(head: &Head, applied: Applied) -> Vec<u8> {
    let head = Cow::Borrowed(head);
    ambit_ledger::encode(&Standing { head, applied })
}

/// Reads the record of a database.
///
/// # Errors
/// [`StoreError::Newer`] or [`StoreError::Older`] where another program wrote it; [`StoreError::Damaged`], also where it has
/// another shape.
pub(super) fn read_standing(bytes: &[u8]) -> Result<(Head, Applied), StoreError> {
    // A map of two, and at 0 the head; before that, the record was the head alone.
    check_version(bytes.strip_prefix(&[0xa2, 0]).unwrap_or(bytes))?;
    let read: Standing<'_> = ambit_ledger::decode(bytes)
        .map_err(|_| StoreError::Damaged("the record of a database cannot be read"))?;
    Ok((read.head.into_owned(), read.applied))
}

/// What is committed and kept in memory: the head and the states that go with it. It changes as one, once the group is in
/// the journal and the database, so that no reader sees a state whose entries are not there yet.
#[derive(Clone, Debug)]
pub(super) struct Published {
    pub(super) head: Head,
    pub(super) outboxes: BTreeMap<BoxKey, Outbox>,
    pub(super) inboxes: BTreeMap<BoxKey, Inbox>,
}

/// The version of the records this program writes. In the first, each entry had a record of its own; in the second, one
/// key led to the last offer of a disclosure and to the last acknowledgement of a number; in the third, there was no journal.
pub(super) const VERSION: u32 = 4;
/// The last version without a journal.
pub(super) const WITHOUT_JOURNAL: u32 = 3;

/// Reads the head.
///
/// # Errors
/// [`StoreError::Newer`] or [`StoreError::Older`] where another program wrote it; [`StoreError::Damaged`].
pub(super) fn read_head(bytes: &[u8]) -> Result<Head, StoreError> {
    check_version(bytes)?;
    ambit_ledger::decode(bytes).map_err(|_| StoreError::Damaged("the head cannot be read"))
}

/// Refuses the head of another version.
fn check_version(head: &[u8]) -> Result<(), StoreError> {
    // The version comes first in every version: a map, its key 0, a number below 24 in a byte of its own.
    if let [_, 0, version @ 0..=23, ..] = head {
        let version = u32::from(*version);
        if version > VERSION {
            return Err(StoreError::Newer(version));
        }
        if version < VERSION {
            return Err(StoreError::Older(version));
        }
    }
    Ok(())
}

/// The state of the outbox for one recipient in one partnership.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outbox {
    /// Under which agreement.
    pub partnership: PartnershipId,
    /// For whom.
    pub recipient: OrganizationId,
    /// The last sequence number given out; 0 before the first.
    pub last: u64,
    /// Entries below this index were judged for this recipient.
    pub judged: u64,
    /// What was withheld was judged again under all that came into force by entries below this index.
    pub offered: u64,
    /// How far the recipient acknowledged; absent before the first time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged: Option<AcknowledgementReach>,
    /// The latest instant at which it says that it acknowledged, and with which of its stores it did last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged_at: Option<AcknowledgedAt>,
    /// How many items the recipient did not take and may take another time, by the number of the code it said.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub untaken: BTreeMap<u16, u64>,
    /// What it asked for again, by that number.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub asked_for: BTreeMap<u16, AskedFor>,
}

/// When a recipient says that it acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AcknowledgedAt {
    /// The latest instant of all its acknowledgements.
    pub at: Time,
    /// The store by which the last one is.
    pub by: Salt,
}

/// What a recipient had not taken with one code, and asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AskedFor {
    /// The last sequence number that it asked about.
    pub upto: u64,
    /// The first acknowledgement, by its entry, that states any of it that could not be offered, or anything beyond it;
    /// `until` where none does.
    pub from: u64,
    /// Below which entry acknowledgements state all of it.
    pub until: u64,
    /// How many items of it could not be offered, because this node did not let them leave.
    pub kept_back: u64,
}

impl Outbox {
    /// The recipient's store of now: the one that acknowledged last.
    pub(crate) fn incarnation(&self) -> Option<Salt> {
        self.acknowledged.as_ref().map(|reach| reach.incarnation)
    }

    /// How many items the recipient asked for again, and this node did not let leave.
    pub(crate) fn kept_back(&self) -> u64 {
        self.asked_for.values().map(|asked| asked.kept_back).sum()
    }
}

impl AskedFor {
    /// With what was kept back since it was looked at: what was taken back under a further number, and may go once more.
    pub(crate) fn with_more(self, since: Option<Self>, now: Option<&Self>) -> Self {
        let Some(now) = now.filter(|now| since != Some(**now)) else {
            return self;
        };
        let before = since.map_or(0, |since| since.kept_back);
        Self {
            from: self.from.min(now.from),
            kept_back: self.kept_back + now.kept_back.saturating_sub(before),
            ..self
        }
    }

    /// With one more that is kept back: the acknowledgement of an entry states it.
    pub(crate) fn with_kept_back(self, stated: u64) -> Self {
        Self {
            from: self.from.min(stated),
            kept_back: self.kept_back + 1,
            ..self
        }
    }
}

/// One thing to commit.
#[derive(Clone, Debug)]
pub enum Write {
    /// An entry that needs nothing else.
    Entry(Body),
    /// Content that an entry names by its digest.
    Blob(Vec<u8>),
    /// An observation this node made, with its readings to be sealed.
    Observed {
        /// Its id.
        id: ObservationId,
        /// Whether nothing else can have this id, because its salt was just drawn.
        is_new: bool,
        /// Its facts.
        facts: Box<Facts>,
        /// Each path of its readings with the latest instant of it.
        elements: Vec<(Name, Time)>,
        /// Its statement.
        statement: Vec<u8>,
        /// The readings block.
        readings: Vec<u8>,
        /// The fingerprint of what it was imported from.
        import: Option<Digest>,
    },
    /// An observation taken in, with its readings to be sealed.
    Admitted {
        /// Its id.
        id: ObservationId,
        /// Under which edition of the partnership.
        edition: Digest,
        /// Its facts.
        facts: Box<Facts>,
        /// Each path of its readings with the latest instant of it.
        elements: Vec<(Name, Time)>,
        /// Its statement.
        statement: Vec<u8>,
        /// The disclosure's statement.
        disclosure: Vec<u8>,
        /// Until when it may be held, by that.
        hold_until: Time,
        /// The decision to admit it.
        decision: Digest,
        /// Its sequence number on the link.
        seq: u64,
        /// The readings block.
        readings: Vec<u8>,
    },
    /// A disclosure for an outbox; the sequence number is given at the commit.
    Disclosed {
        /// Whose outbox.
        outbox: BoxKey,
        /// Of which observation.
        observation: ObservationId,
        /// The disclosure's statement.
        statement: Vec<u8>,
    },
    /// What a recipient did not take, offered again; the sequence number is given at the commit.
    OfferedAgain {
        /// Whose outbox.
        outbox: BoxKey,
        /// The entry; its sequence number is of no account.
        offer: OfferedAgain,
    },
    /// What a recipient asked for was gone through, and what may leave was offered again.
    AskedFor {
        /// Whose outbox.
        outbox: BoxKey,
        /// The number of the code.
        code: u16,
        /// How far, and what is left.
        asked: AskedFor,
        /// How many items are asked for that were not before: they are not counted as not taken any more.
        newly: u64,
    },
    /// Makes an outbox, where there is none.
    OpenOutbox {
        /// Under which agreement.
        partnership: PartnershipId,
        /// For whom.
        recipient: OrganizationId,
    },
    /// Everything below this index was judged for the outbox; absent means everything committed with this.
    Judged {
        /// Which outbox.
        outbox: BoxKey,
        /// Up to, and without, this entry.
        upto: Option<u64>,
    },
    /// What is withheld was judged again under all that came into force below this index; 0 where some of it was not.
    Offered {
        /// Which outbox.
        outbox: BoxKey,
        /// Up to, and without, this entry.
        upto: u64,
    },
    /// How far a recipient acknowledged.
    OutboxAcknowledged {
        /// Which outbox.
        outbox: BoxKey,
        /// How far.
        upto: AcknowledgementReach,
        /// When it says so; absent where it only turned out that its store is another one.
        at: Option<Time>,
        /// How many more it did not take and may take another time, by the number of the code.
        untaken: BTreeMap<u16, u64>,
    },
    /// The state of an inbox.
    Inbox(Inbox),
}

/// What is committed together: all of it or nothing.
#[derive(Clone, Debug)]
pub struct Commit {
    /// Who caused it, by an opaque id.
    pub actor: Name,
    /// Why, where a person gave a reason.
    pub reason: Option<Name>,
    /// By the clock; an entry's time never goes back all the same.
    pub now: Time,
    /// What, in order.
    pub writes: Vec<Write>,
}

/// What a commit did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Committed {
    /// The indexes of the entries written, in order.
    pub entries: Vec<u64>,
}
