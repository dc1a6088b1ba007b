//! Packs: what consecutive entries of one group bring, in as few records as it fits into. The engine's work grows
//! with the records, so small ones share one.
//!
//! A pack lies under the index of its first item; a larger item is a pack of its own, in chunks. An item is its
//! entry's index (8 bytes), its length (4 bytes), both big-endian, and its bytes.

use super::StoreError;
use super::database::{Database, Item, VALUE_BYTES_MAX};
use super::keys;

const HEAD_BYTES: usize = 12;

/// A pack while it is put together.
#[derive(Debug, Default)]
pub(super) struct Pack {
    first: u64,
    bytes: Vec<u8>,
}

impl Pack {
    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Whether an item of so many bytes fits into the same record.
    pub(super) fn has_room_for(&self, bytes: usize) -> bool {
        self.is_empty() || self.bytes.len() + HEAD_BYTES + bytes <= VALUE_BYTES_MAX
    }

    /// Adds the item of an entry, of parts that follow each other.
    pub(super) fn push(&mut self, index: u64, parts: &[&[u8]]) -> Result<(), StoreError> {
        let length: usize = parts.iter().map(|part| part.len()).sum();
        let length = u32::try_from(length).map_err(|_| StoreError::EntryTooLarge(length))?;
        if self.is_empty() {
            self.first = index;
        }
        self.bytes.extend_from_slice(&index.to_be_bytes());
        self.bytes.extend_from_slice(&length.to_be_bytes());
        parts
            .iter()
            .for_each(|part| self.bytes.extend_from_slice(part));
        Ok(())
    }

    /// The records of the pack; `key` names those of an index. The pack is empty after it.
    pub(super) fn take_records(&mut self, key: fn(u64) -> Vec<u8>) -> Vec<Item> {
        let bytes = std::mem::take(&mut self.bytes);
        chunk_items(&key(self.first), &bytes)
    }
}

/// The records of a value that may take several.
pub(super) fn chunk_items(key: &[u8], bytes: &[u8]) -> Vec<Item> {
    bytes
        .chunks(VALUE_BYTES_MAX)
        .zip(0_u16..)
        .map(|(chunk, number)| (keys::chunk(key, number), Some(chunk.to_vec())))
        .collect()
}

/// The items of a pack, up to the first that is not whole.
pub(super) fn items(mut pack: &[u8]) -> impl Iterator<Item = (u64, &[u8])> {
    std::iter::from_fn(move || {
        let (index, rest) = pack.split_first_chunk::<8>()?;
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (item, rest) = rest.split_at_checked(length)?;
        pack = rest;
        Some((u64::from_be_bytes(*index), item))
    })
}

/// The pack that the item of an index would lie in; `key` names its records.
pub(super) fn pack_of(
    database: &Database,
    key: fn(u64) -> Vec<u8>,
    index: u64,
) -> Result<Option<Vec<u8>>, StoreError> {
    let last = keys::chunk(&key(index), u16::MAX);
    let Some((found, value)) = database.last_within(&key(0), &last)? else {
        return Ok(None);
    };
    let Some((first, number)) = found.split_last_chunk::<2>() else {
        return Err(StoreError::Damaged("a key cannot be read"));
    };
    if *number == [0, 0] {
        return Ok(Some(value));
    }
    let mut bytes = Vec::new();
    for pair in database.scan(first) {
        bytes.extend(pair?.1);
    }
    Ok(Some(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_come_back_in_order_up_to_one_that_was_cut() {
        let mut pack = Pack::default();
        assert!(pack.has_room_for(60_000), "a large one goes alone");
        pack.push(7, &[b"one", b" part"]).unwrap();
        pack.push(9, &[b"two"]).unwrap();
        assert!(!pack.has_room_for(VALUE_BYTES_MAX));
        let records = pack.take_records(keys::entry);
        assert!(pack.is_empty());
        let [(key, Some(bytes))] = &records[..] else {
            panic!("not one record: {records:?}");
        };
        assert_eq!(*key, keys::chunk(&keys::entry(7), 0));
        let all: Vec<(u64, &[u8])> = items(bytes).collect();
        assert_eq!(all, [(7, b"one part".as_slice()), (9, b"two")]);
        assert_eq!(items(&bytes[..bytes.len() - 1]).count(), 1);
    }
}
