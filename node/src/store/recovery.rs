//! Takes back what a crash left above the committed head, before anything is read.

use super::StoreError;
use super::database::{Database, Item};
use super::index::{Mark, marks_of};
use super::reader::parse_entry;
use super::records::Head;
use super::{keys, packs};
use std::collections::BTreeMap;

/// Removes entries, readings and indexes above the head. Returns the head, with its slot counter past every
/// slot that was used up there: no slot is used twice, not even by what never counted.
///
/// It may be cut off as well, so the entries go last: as long as one is there, what it did to the indexes is
/// found again from it.
pub(super) fn take_back(database: &Database, head: Head) -> Result<Head, StoreError> {
    let above = Above::read(database, &head)?;
    if above.readings.is_empty() && above.entries.is_empty() {
        return Ok(head);
    }
    let head = Head {
        slot: above.slot,
        ..head
    };
    let records = above.readings.len() + above.entries.len() + above.indexes.len();
    tracing::warn!(records, "taking back an unfinished group of records");
    let indexes = indexes_below(database, head.frontier.size(), above.indexes)?;
    let head_item = (keys::HEAD.to_vec(), Some(ambit_ledger::encode(&head)));
    let units = [vec![head_item]]
        .into_iter()
        .chain(indexes.into_iter().map(|item| vec![item]))
        // Highest first: a crash in here leaves a shorter rest of the same kind.
        .chain(above.entries.into_iter().rev())
        .chain(above.readings.into_iter().rev().map(|item| vec![item]));
    database.apply_units(units)?;
    database.sync()?;
    Ok(head)
}

/// What lies above the head.
struct Above {
    /// The next slot never used.
    slot: u64,
    /// Removes the readings.
    readings: Vec<Item>,
    /// Removes the entries; all chunks of a pack in one unit, for only a whole one can be read.
    entries: Vec<Vec<Item>>,
    /// The index keys they wrote or took away.
    indexes: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
}

impl Above {
    fn read(database: &Database, head: &Head) -> Result<Self, StoreError> {
        let from = head.frontier.size();
        let mut above = Self {
            slot: head.slot,
            readings: Vec::new(),
            entries: Vec::new(),
            indexes: BTreeMap::new(),
        };
        for pair in database.scan_from(&keys::readings(from)) {
            let (key, value) = pair?;
            let is_first_chunk = key.ends_with(&[0, 0]);
            if is_first_chunk && let Some(slot) = packs::slots(&value).max() {
                above.slot = above.slot.max(slot + 1);
            }
            above.readings.push((key, None));
        }
        let mut next = from;
        while let Some(pack) = packs::pack_at(database, keys::entry, next)? {
            above
                .entries
                .push(pack.keys.into_iter().map(|key| (key, None)).collect());
            // The entries and their indexes were one batch, so they are whole.
            for (index, item) in packs::items(&pack.bytes) {
                check_order(index, next)?;
                for mark in marks_of(&parse_entry(index, item)?.body)? {
                    above.indexes.insert(mark.item(index).0, None);
                }
                next = index + 1;
            }
        }
        Ok(above)
    }
}

/// What these index keys hold by the entries that count: one of those taken back may have stood in the place of an
/// earlier one.
fn indexes_below(
    database: &Database,
    until: u64,
    mut indexes: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
) -> Result<BTreeMap<Vec<u8>, Option<Vec<u8>>>, StoreError> {
    if indexes.is_empty() {
        return Ok(indexes);
    }
    let mut next = 0;
    while next < until {
        let pack = packs::pack_at(database, keys::entry, next)?;
        let pack = pack.ok_or(StoreError::Damaged("an entry is missing"))?;
        for (index, item) in packs::items(&pack.bytes) {
            check_order(index, next)?;
            for mark in marks_of(&parse_entry(index, item)?.body)? {
                let is_first = matches!(mark, Mark::LeadsFirst(_));
                let (key, value) = mark.item(index);
                if let Some(held) = indexes.get_mut(&key)
                    && (!is_first || held.is_none())
                {
                    *held = value;
                }
            }
            next = index + 1;
        }
    }
    Ok(indexes)
}

fn check_order(index: u64, expected: u64) -> Result<(), StoreError> {
    if index == expected {
        Ok(())
    } else {
        Err(StoreError::Damaged("entries are out of order"))
    }
}
