//! Takes back what a crash left above the committed head, before anything is read.

use super::StoreError;
use super::database::{BATCH_ITEMS_MAX, Database, DatabaseError, Item};
use super::index::marks_of;
use super::keys;
use super::reader::{join_chunks, parse_entry};
use super::records::Head;

/// Removes entries, readings and indexes above the head. Returns the head, with its slot counter past every
/// slot that was used up there: no slot is used twice, not even by what never counted.
pub(super) fn take_back(database: &Database, mut head: Head) -> Result<Head, StoreError> {
    let mut removed: Vec<Item> = Vec::new();
    let from = head.frontier.size();
    for pair in database.scan_from(&keys::readings(from)) {
        let (key, value) = pair?;
        let is_first_chunk = key.ends_with(&[0, 0]);
        if is_first_chunk && let Some(slot) = value.first_chunk::<8>() {
            head.slot = head.slot.max(u64::from_be_bytes(*slot) + 1);
        }
        removed.push((key, None));
    }
    for index in from.. {
        let chunks: Vec<_> = database
            .scan(&keys::entry(index))
            .collect::<Result<_, DatabaseError>>()?;
        if chunks.is_empty() {
            break;
        }
        removed.extend(chunks.iter().map(|(key, _)| (key.clone(), None)));
        // The entry and its indexes were one batch, so it is whole.
        let entry = parse_entry(&join_chunks(chunks))?;
        let body = entry
            .body()
            .map_err(|_| StoreError::Damaged("an entry above the head cannot be read"))?;
        removed.extend(
            marks_of(&body)?
                .into_iter()
                .map(|mark| (mark.item(index).0, None)),
        );
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
    for index in 0..until {
        let chunks: Vec<_> = database
            .scan(&keys::entry(index))
            .collect::<Result<_, DatabaseError>>()?;
        let entry = parse_entry(&join_chunks(chunks))?;
        let body = entry
            .body()
            .map_err(|_| StoreError::Damaged("an entry cannot be read"))?;
        for mark in marks_of(&body)? {
            if batch.len() >= BATCH_ITEMS_MAX {
                database.apply(std::mem::take(&mut batch))?;
            }
            batch.push(mark.item(index));
        }
    }
    database.apply(batch)?;
    Ok(())
}
