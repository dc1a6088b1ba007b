//! What a group of the journal holds: a record for each entry, block of sealed readings, content and changed state, and last
//! the head with all of them. Everything the database holds is found again from these.
//!
//! A record is a byte that says what it is, then its content:
//!
//! | byte | content |
//! | ---: | --- |
//! | 1 | an entry: its index (8 bytes, big-endian), its bytes as they are hashed |
//! | 2 | sealed readings: the index of their entry (8 bytes), the key slot (8 bytes), nonce and ciphertext of them as packed |
//! | 3 | a content that entries name by its digest |
//! | 4 | the state of an outbox, in deterministic CBOR |
//! | 5 | the state of an inbox, likewise |
//! | 6 | the head, likewise |

use super::StoreError;
use super::journal::Group;
use super::records::{Head, Outbox, read_head};
use crate::link::Inbox;

const ENTRY: u8 = 1;
const READINGS: u8 = 2;
const BLOB: u8 = 3;
const OUTBOX: u8 = 4;
const INBOX: u8 = 5;
const HEAD: u8 = 6;

/// One record of a group, read back.
pub(super) enum Part<'a> {
    Entry(u64, &'a [u8]),
    Readings(u64, &'a [u8]),
    Blob(&'a [u8]),
    Outbox(Outbox),
    Inbox(Inbox),
    Head(Head),
}

fn indexed(kind: u8, index: u64, bytes: &[u8]) -> Vec<u8> {
    [&[kind], index.to_be_bytes().as_slice(), bytes].concat()
}

pub(super) fn entry(index: u64, bytes: &[u8]) -> Vec<u8> {
    indexed(ENTRY, index, bytes)
}

pub(super) fn readings(index: u64, block: &[u8]) -> Vec<u8> {
    indexed(READINGS, index, block)
}

pub(super) fn blob(bytes: &[u8]) -> Vec<u8> {
    [&[BLOB], bytes].concat()
}

pub(super) fn outbox(outbox: &Outbox) -> Vec<u8> {
    [&[OUTBOX], ambit_ledger::encode(outbox).as_slice()].concat()
}

pub(super) fn inbox(inbox: &Inbox) -> Vec<u8> {
    [&[INBOX], ambit_ledger::encode(inbox).as_slice()].concat()
}

pub(super) fn head(head: &Head) -> Vec<u8> {
    [&[HEAD], ambit_ledger::encode(head).as_slice()].concat()
}

/// The head that a group ends with; none where it is none that a store wrote.
pub(super) fn head_of(group: &Group) -> Result<Option<Head>, StoreError> {
    for record in &group.records {
        if let Part::Head(head) = Part::read(group.number, &record.bytes)? {
            return Ok(Some(head));
        }
    }
    Ok(None)
}

impl<'a> Part<'a> {
    /// Reads one record of the group of this number.
    pub(super) fn read(group: u64, record: &'a [u8]) -> Result<Self, StoreError> {
        let unreadable = StoreError::Unreadable(group);
        let Some((kind, content)) = record.split_first() else {
            return Err(unreadable);
        };
        let part = match *kind {
            ENTRY | READINGS => {
                let Some((index, bytes)) = content.split_first_chunk::<8>() else {
                    return Err(unreadable);
                };
                let index = u64::from_be_bytes(*index);
                if *kind == ENTRY {
                    Self::Entry(index, bytes)
                } else {
                    Self::Readings(index, bytes)
                }
            }
            BLOB => Self::Blob(content),
            OUTBOX => Self::Outbox(ambit_ledger::decode(content).map_err(|_| unreadable)?),
            INBOX => Self::Inbox(ambit_ledger::decode(content).map_err(|_| unreadable)?),
            HEAD => match read_head(content) {
                Err(StoreError::Damaged(_)) => return Err(unreadable),
                read => Self::Head(read?),
            },
            _ => return Err(unreadable),
        };
        Ok(part)
    }
}
