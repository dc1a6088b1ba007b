//! Applies a group of the journal to the database, as it was applied when it was committed.

use super::StoreError;
use super::database::{Database, Item};
use super::index::marks_of;
use super::journal::Group;
use super::keys::{self, BoxKey};
use super::packing::Packing;
use super::parts::Part;
use super::reader::parse_entry;
use super::records::{Applied, Head};
use ambit_ledger::{Digest, Frontier, leaf_hash};

/// Applies one group that follows entries of this tree, and goes on with the tree. Returns the head with it.
pub(super) fn apply(
    database: &Database,
    frontier: &mut Frontier,
    applied: &Applied,
    group: &Group,
) -> Result<Head, StoreError> {
    let unreadable = || StoreError::Unreadable(group.number);
    let mut packing = Packing::new(database, frontier.size());
    let mut states: Vec<Item> = Vec::new();
    let mut head = None;
    for record in &group.records {
        if head.is_some() {
            return Err(unreadable());
        }
        match Part::read(group.number, &record.bytes)? {
            Part::Entry(index, bytes) => {
                if index != frontier.size() {
                    return Err(unreadable());
                }
                let leaf = leaf_hash(bytes);
                let recorded = parse_entry(index, bytes).map_err(|_| unreadable())?;
                let marks = marks_of(&recorded.body).map_err(|_| unreadable())?;
                packing.entry(index, &leaf, bytes, &marks)?;
                frontier.append(leaf);
            }
            Part::Readings(index, block) => packing.readings(index, block)?,
            Part::Blob(bytes) => packing.blob(&Digest::of(bytes), bytes),
            Part::Outbox(outbox) => {
                let key = BoxKey::new(&outbox.partnership, &outbox.recipient);
                states.push((keys::outbox(&key), Some(ambit_ledger::encode(&outbox))));
            }
            Part::Inbox(inbox) => {
                let key = BoxKey::new(&inbox.partnership, &inbox.sender);
                states.push((keys::inbox(&key), Some(ambit_ledger::encode(&inbox))));
            }
            Part::Head(read) => head = Some(read),
        }
    }
    // The tree is made anew, so that a journal whose entries are not those that were signed for is never taken for whole.
    let head = head.filter(|head| head.frontier == *frontier);
    let head = head.ok_or_else(unreadable)?;
    database.apply_group(packing.end(), states, &head, &applied.next(group.after))?;
    Ok(head)
}
