//! Takes back what a crash left above the committed head, before anything is read.

use super::StoreError;
use super::database::{BATCH_ITEMS_MAX, Database, Item};
use super::index::marks_of;
use super::keys;
use super::packs;
use super::reader::parse_entry;
use super::records::Head;

/// Removes entries, readings and indexes above the head. Returns the head, with its slot counter past every
/// slot that was used up there: no slot is used twice, not even by what never counted.
pub(super) fn take_back(database: &Database, mut head: Head) -> Result<Head, StoreError> {
    let mut removed: Vec<Item> = Vec::new();
    let from = head.frontier.size();
    for pair in database.scan_from(&keys::readings(from)) {
        let (key, value) = pair?;
        let is_first_chunk = key.ends_with(&[0, 0]);
        if is_first_chunk {
            let last = packs::slots(&value).max();
            head.slot = head.slot.max(last.map_or(0, |slot| slot + 1));
        }
        removed.push((key, None));
    }
    let mut next = from;
    while let Some(pack) = packs::pack_at(database, keys::entry, next)? {
        removed.extend(pack.keys.into_iter().map(|key| (key, None)));
        // The entries and their indexes were one batch, so they are whole.
        for (index, item) in packs::items(&pack.bytes) {
            for mark in marks_of(&parse_entry(index, item)?.body)? {
                removed.push((mark.item(index).0, None));
            }
            next = index + 1;
        }
    }
    if removed.is_empty() {
        return Ok(head);
    }
    tracing::warn!(
        records = removed.len(),
        "taking back an unfinished group of records"
    );
    // Highest first: a crash in here leaves a shorter rest of the same kind.
    removed.reverse();
    for batch in removed.chunks(BATCH_ITEMS_MAX - 1) {
        let mut batch = batch.to_vec();
        batch.push((keys::HEAD.to_vec(), Some(ambit_ledger::encode(&head))));
        database.apply(batch)?;
    }
    index_again(database, from)?;
    database.sync()?;
    Ok(head)
}

/// Writes the indexes of every entry that counts again: one of those taken back may have stood in the place
/// of an earlier one.
fn index_again(database: &Database, until: u64) -> Result<(), StoreError> {
    let mut batch: Vec<Item> = Vec::new();
    let mut next = 0;
    while next < until
        && let Some(pack) = packs::pack_at(database, keys::entry, next)?
    {
        for (index, item) in packs::items(&pack.bytes) {
            for mark in marks_of(&parse_entry(index, item)?.body)? {
                if batch.len() >= BATCH_ITEMS_MAX {
                    database.apply(std::mem::take(&mut batch))?;
                }
                batch.push(mark.item(index));
            }
            next = index + 1;
        }
    }
    database.apply(batch)?;
    Ok(())
}
