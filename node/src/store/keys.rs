//! The key space: one sled tree, a one-byte prefix for each kind of record, big-endian numbers.
//!
//! Everything that belongs to an entry is found from the entry's index and body alone, so that all of it can be built again
//! from the journal; items of an outbox that came together, from the first of them.

use ambit_ledger::{Digest, DisclosureId, ObservationId, OrganizationId, PartnershipId, Salt};

/// The one record that says how far the store is committed, and the journal applied.
pub(super) const STANDING: &[u8] = b"h";
/// In the shape before, where the other held the head alone: how far the journal is applied.
pub(super) const APPLIED_BEFORE: &[u8] = b"j";

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
const OUTCOME: u8 = b'v';
const WITHHELD: u8 = b'u';
const ACKNOWLEDGED: u8 = b'k';
const ADMITTED: u8 = b'x';
const UNTAKEN: u8 = b'n';
const OFFERED: u8 = b'g';
const LIST: u8 = b'l';
const STRETCH: u8 = b't';
const LATEST: u8 = b'y';
const KEPT: u8 = b'z';
const EXPIRY: u8 = b'q';

/// Names the outbox for one recipient in one partnership, and likewise an inbox: a digest, so that keys
/// have one length and hold no name.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
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

    pub(super) fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// One of these, the same for the same box; all boxes are spread evenly over them, because a key is a digest.
    pub(crate) fn one_of<'a, T>(&self, all: &'a [T; 64]) -> &'a T {
        let ([first, ..], [byte, ..]) = (all, self.0);
        all.get(usize::from(byte) % all.len()).unwrap_or(first)
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

/// An entry that says what became of an observation for an outbox's recipient, and came after the group that brought it.
pub(super) fn outcome(id: &ObservationId, outbox: &BoxKey, index: u64) -> Vec<u8> {
    let parts: [&[u8]; 3] = [id.digest().as_bytes(), &outbox.0, &index.to_be_bytes()];
    join(OUTCOME, &parts)
}

/// Entries of one group, from this one on, that keep observations from an outbox's recipient because of a decision; of no
/// decision, because nothing was asked.
pub(super) fn withheld(outbox: &BoxKey, decision: Option<&Digest>, index: u64) -> Vec<u8> {
    let decision = decision.map_or(&[0; 32], Digest::as_bytes);
    join(WITHHELD, &[&outbox.0, decision, &index.to_be_bytes()])
}

/// All that is kept from an outbox's recipient.
pub(super) fn all_withheld(outbox: &BoxKey) -> Vec<u8> {
    join(WITHHELD, &[&outbox.0])
}

/// The outbox in a key of what is withheld; none of another key.
pub(super) fn withheld_in(key: &[u8]) -> Option<BoxKey> {
    let (prefix, rest) = key.split_first()?;
    let (outbox, _) = rest.split_first_chunk::<16>()?;
    (*prefix == WITHHELD).then_some(BoxKey(*outbox))
}

/// The decision and the first entry in a key of what is withheld.
pub(super) fn withheld_because(key: &[u8]) -> Option<(Option<Digest>, u64)> {
    let (rest, index) = key.split_last_chunk::<8>()?;
    let decision = rest.last_chunk::<32>()?;
    let decision = (*decision != [0; 32]).then(|| Digest::from_bytes(*decision));
    Some((decision, u64::from_be_bytes(*index)))
}

/// An acknowledgement of an outbox's items up to a number, by one store of its recipient.
pub(super) fn acknowledged(outbox: &BoxKey, incarnation: &Salt, upto: u64) -> Vec<u8> {
    join(
        ACKNOWLEDGED,
        &[&outbox.0, incarnation.as_bytes(), &upto.to_be_bytes()],
    )
}

/// All acknowledgements of an outbox's items by one store of its recipient.
pub(super) fn all_acknowledged(outbox: &BoxKey, incarnation: &Salt) -> Vec<u8> {
    join(ACKNOWLEDGED, &[&outbox.0, incarnation.as_bytes()])
}

/// The entry that offered a disclosure again under a number.
pub(super) fn offered(first: &DisclosureId, seq: u64) -> Vec<u8> {
    join(OFFERED, &[first.digest().as_bytes(), &seq.to_be_bytes()])
}

/// All entries that offered a disclosure again.
pub(super) fn all_offered(first: &DisclosureId) -> Vec<u8> {
    join(OFFERED, &[first.digest().as_bytes()])
}

/// An acknowledgement of an outbox's items that were not taken with a code, by its entry.
pub(super) fn untaken(outbox: &BoxKey, code: u16, index: u64) -> Vec<u8> {
    join(
        UNTAKEN,
        &[&outbox.0, &code.to_be_bytes(), &index.to_be_bytes()],
    )
}

/// All of them with one code.
pub(super) fn untakens(outbox: &BoxKey, code: u16) -> Vec<u8> {
    join(UNTAKEN, &[&outbox.0, &code.to_be_bytes()])
}

/// What was counted and is kept: nothing that the journal says.
pub(super) fn kept() -> Vec<u8> {
    vec![KEPT]
}

/// The list of the entries that hold an observation with a value, by the hash of that.
pub(super) fn list(hash: &[u8; 16]) -> Vec<u8> {
    join(LIST, &[hash])
}

/// The list of the entries that hold an observation which ended in a stretch of time, by the length and the number of that.
pub(super) fn stretch(level: u8, number: u64) -> Vec<u8> {
    join(STRETCH, &[&[level], &number.to_be_bytes()])
}

/// The list of the entries that say of something that it is to be held until an instant in a stretch of time, by the number of that.
pub(super) fn expiries(number: u64) -> Vec<u8> {
    join(EXPIRY, &[&number.to_be_bytes()])
}

/// A part of a list: its entries from this one on.
pub(super) fn list_part(list: &[u8], index: u64) -> Vec<u8> {
    let mut key = list.to_vec();
    key.extend_from_slice(&index.to_be_bytes());
    key
}

/// The latest reading of an element, by hashes of its submodel, of who says so, and of its path; all that begin so, where some are
/// absent.
pub(super) fn latest(
    submodel: &[u8; 16],
    origin: Option<&[u8; 16]>,
    path: Option<&[u8; 16]>,
) -> Vec<u8> {
    let hashes = [Some(submodel), origin, path];
    let hashes: Vec<&[u8]> = hashes
        .iter()
        .flatten()
        .map(|hash| hash.as_slice())
        .collect();
    join(LATEST, &hashes)
}

/// The key of one chunk of a longer value.
pub(super) fn chunk(key: &[u8], number: u16) -> Vec<u8> {
    let mut key = key.to_vec();
    key.extend_from_slice(&number.to_be_bytes());
    key
}
