//! The key space: one sled tree, a one-byte prefix for each kind of record, big-endian numbers.
//!
//! Everything that belongs to an entry is found from the entry's index and body alone, so that a group
//! that was cut off can be taken back; items of an outbox that came together, from the first of them.

use ambit_ledger::{Digest, ObservationId, OrganizationId, PartnershipId};

/// The one record that says how far the store is committed.
pub(super) const HEAD: &[u8] = b"h";

const ENTRY: u8 = b'e';
const READINGS: u8 = b'r';
const BLOB: u8 = b'b';
const OBSERVATION: u8 = b'i';
const IMPORT: u8 = b'f';
const CLASS: u8 = b'd';
const DECISION: u8 = b'D';
const OUTBOX_ITEM: u8 = b'o';
const WITHDRAWN: u8 = b'w';
const OUTBOX: u8 = b's';
const INBOX: u8 = b'a';
const CONTROL: u8 = b'c';
const PAIR: u8 = b'v';
const UNDECIDED: u8 = b'u';
const ADMITTED: u8 = b'x';

/// Names the outbox for one recipient in one partnership, and likewise an inbox: a digest, so that keys
/// have one length and hold no name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BoxKey([u8; 16]);

impl BoxKey {
    /// The box for what passes between this node and `other` under `partnership`.
    #[must_use]
    pub fn new(partnership: &PartnershipId, other: &OrganizationId) -> Self {
        let digest = Digest::of_parts(&[
            partnership.as_str().as_bytes(),
            &[0],
            other.as_str().as_bytes(),
        ]);
        let mut key = [0; 16];
        key.iter_mut()
            .zip(digest.as_bytes())
            .for_each(|(to, from)| *to = *from);
        Self(key)
    }

    /// Tells an inbox from the outbox of the same two, where both are counted together.
    pub(super) fn of_inbox(mut self) -> Self {
        for byte in &mut self.0 {
            *byte = !*byte;
        }
        self
    }

    /// The box at the end of a record's key.
    pub(super) fn from_record(key: &[u8]) -> Option<Self> {
        key.last_chunk().copied().map(Self)
    }
}

fn join(prefix: u8, parts: &[&[u8]]) -> Vec<u8> {
    let mut key = vec![prefix];
    parts.iter().for_each(|part| key.extend_from_slice(part));
    key
}

pub(super) fn entry(index: u64) -> Vec<u8> {
    join(ENTRY, &[&index.to_be_bytes()])
}

pub(super) fn readings(index: u64) -> Vec<u8> {
    join(READINGS, &[&index.to_be_bytes()])
}

pub(super) fn blob(digest: &Digest) -> Vec<u8> {
    join(BLOB, &[digest.as_bytes()])
}

pub(super) fn observation(id: &ObservationId) -> Vec<u8> {
    join(OBSERVATION, &[id.digest().as_bytes()])
}

/// Every observation whose id starts with these bytes.
pub(super) fn observations(prefix: &[u8]) -> Vec<u8> {
    join(OBSERVATION, &[prefix])
}

pub(super) fn import(digest: &Digest) -> Vec<u8> {
    join(IMPORT, &[digest.as_bytes()])
}

pub(super) fn class(class_key: &Digest) -> Vec<u8> {
    join(CLASS, &[class_key.as_bytes()])
}

pub(super) fn decision(digest: &Digest) -> Vec<u8> {
    join(DECISION, &[digest.as_bytes()])
}

pub(super) fn outbox_item(outbox: &BoxKey, seq: u64) -> Vec<u8> {
    join(OUTBOX_ITEM, &[&outbox.0, &seq.to_be_bytes()])
}

pub(super) fn withdrawn(outbox: &BoxKey, seq: u64) -> Vec<u8> {
    join(WITHDRAWN, &[&outbox.0, &seq.to_be_bytes()])
}

pub(super) fn outbox(outbox: &BoxKey) -> Vec<u8> {
    join(OUTBOX, &[&outbox.0])
}

/// All outboxes.
pub(super) fn outboxes() -> Vec<u8> {
    vec![OUTBOX]
}

/// All inboxes.
pub(super) fn inboxes() -> Vec<u8> {
    vec![INBOX]
}

/// An observation taken in under an edition of a partnership.
pub(super) fn admitted(edition: &Digest, id: &ObservationId) -> Vec<u8> {
    join(ADMITTED, &[edition.as_bytes(), id.digest().as_bytes()])
}

pub(super) fn inbox(inbox: &BoxKey) -> Vec<u8> {
    join(INBOX, &[&inbox.0])
}

pub(super) fn control(index: u64) -> Vec<u8> {
    join(CONTROL, &[&index.to_be_bytes()])
}

pub(super) fn controls() -> Vec<u8> {
    vec![CONTROL]
}

pub(super) fn pair(id: &ObservationId, outbox: &BoxKey) -> Vec<u8> {
    join(PAIR, &[id.digest().as_bytes(), &outbox.0])
}

pub(super) fn undecided(outbox: &BoxKey, id: &ObservationId) -> Vec<u8> {
    join(UNDECIDED, &[&outbox.0, id.digest().as_bytes()])
}

pub(super) fn undecideds(outbox: &BoxKey) -> Vec<u8> {
    join(UNDECIDED, &[&outbox.0])
}

/// Whether a key says that something is undecided.
pub(super) fn is_undecided(key: &[u8]) -> bool {
    key.first() == Some(&UNDECIDED)
}

/// The key of one chunk of a longer value.
pub(super) fn chunk(key: &[u8], number: u16) -> Vec<u8> {
    let mut key = key.to_vec();
    key.extend_from_slice(&number.to_be_bytes());
    key
}
