//! Reading: only what the committed head covers.

use super::database::{Database, DatabaseError};
use super::held_record::HeldRecord;
use super::keys;
use super::slots::{SlotError, SlotKey, Slots};
use super::{Store, StoreError, packs, seal};
use crate::link::unpack_readings;
use ambit_ledger::{
    Acknowledgement, Body, Decision, Digest, Disclosure, DisclosureId, Entry, Observation,
    ObservationId,
};
use std::sync::PoisonError;

/// An entry as it is in the ledger.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// Its index, from 0.
    pub index: u64,
    /// Its bytes: what the leaf is the hash of.
    pub bytes: Vec<u8>,
    /// The entry.
    pub entry: Entry,
    /// Its body.
    pub body: Body,
}

impl Recorded {
    /// The observation that the entry holds.
    pub(super) fn observation(&self) -> Option<ObservationId> {
        match &self.body {
            Body::Observed(observed) => Some(ObservationId::of(&observed.observation)),
            Body::Admitted(admitted) => Some(ObservationId::of(&admitted.observation)),
            _ => None,
        }
    }
}

const DAMAGED_ENTRY: &str = "an entry cannot be read";

/// Reads the item of an entry: its leaf hash, then its bytes.
fn parse_item(index: u64, item: &[u8]) -> Result<Recorded, StoreError> {
    let bytes = item.get(32..).filter(|bytes| !bytes.is_empty());
    parse_entry(index, bytes.ok_or(StoreError::Damaged(DAMAGED_ENTRY))?)
}

/// Reads an entry.
pub(super) fn parse_entry(index: u64, bytes: &[u8]) -> Result<Recorded, StoreError> {
    let bytes = bytes.to_vec();
    let entry = Entry::decode(&bytes).map_err(|_| StoreError::Damaged(DAMAGED_ENTRY))?;
    let body = entry
        .body()
        .map_err(|_| StoreError::Damaged(DAMAGED_ENTRY))?;
    Ok(Recorded {
        index,
        bytes,
        entry,
        body,
    })
}

/// The bytes of an entry, whether it counts or not.
pub(super) fn entry_of(database: &Database, index: u64) -> Result<Option<Vec<u8>>, StoreError> {
    let pack = packs::pack_of(database, keys::entry, index)?;
    let item = pack.as_deref().and_then(|pack| item_of(pack, index));
    Ok(item.and_then(|item| item.get(32..)).map(<[u8]>::to_vec))
}

/// Readings that are looked at to tell whether the keys are those that they were sealed with: more than there are keys in a page of
/// memory, which a disk may lose as a whole.
const LOOKED_AT: usize = 130;

/// Checks that the keys open what was sealed last. Where none of it opens, they are others. Where some of it does not, it is damaged by
/// itself, or the keys are older, which nobody can tell: then it is told.
pub(super) fn check_keys(database: &Database, slots: &mut Slots) -> Result<(), StoreError> {
    let (mut unopened, mut looked_at, mut next) = (0_usize, 0, u64::MAX);
    while looked_at < LOOKED_AT
        && let Some(pack) = packs::pack_of(database, keys::readings, next)?
    {
        let items: Vec<(u64, &[u8])> = packs::items(&pack).collect();
        let Some((first, _)) = items.first() else {
            break;
        };
        for (index, block) in items.iter().rev().take(LOOKED_AT - looked_at) {
            looked_at += 1;
            let bytes = entry_of(database, *index)?;
            let bytes = bytes.ok_or(StoreError::Damaged("an entry is missing"))?;
            let Some(id) = parse_entry(*index, &bytes)?.observation() else {
                return Err(StoreError::Damaged("readings lead to no observation"));
            };
            match open_packed(block, &id, |slot| slots.used_key(slot)) {
                // No key is zeroed by this version.
                Err(StoreError::Seal(_) | StoreError::Slot(SlotError::Erased(_))) => unopened += 1,
                Ok(_) => {
                    tell_unopened(unopened);
                    return Ok(());
                }
                Err(error) => return Err(error),
            }
        }
        let Some(before) = first.checked_sub(1) else {
            break;
        };
        next = before;
    }
    // One alone may be damaged.
    if unopened > 1 {
        return Err(slots.are_others().into());
    }
    tell_unopened(unopened);
    Ok(())
}

fn tell_unopened(unopened: usize) {
    if unopened > 0 {
        tracing::warn!(
            unopened,
            "so many of the latest readings do not open with their keys in `slots`: they are damaged, or an older copy is in its place; \
             `ambit store check --deep` names all that do not open"
        );
    }
}

/// Opens sealed readings: the slot of their key, then nonce and ciphertext.
pub(super) fn open_block(
    block: &[u8],
    id: &ObservationId,
    key_of: impl FnOnce(u64) -> Result<SlotKey, SlotError>,
) -> Result<Vec<u8>, StoreError> {
    let packed = open_packed(block, id, key_of)?;
    unpack_readings(&packed).ok_or(UNREADABLE)
}

pub(super) const UNREADABLE: StoreError = StoreError::Damaged("sealed readings cannot be read");

/// The same, as they were packed.
fn open_packed(
    block: &[u8],
    id: &ObservationId,
    key_of: impl FnOnce(u64) -> Result<SlotKey, SlotError>,
) -> Result<Vec<u8>, StoreError> {
    let Some((slot, sealed)) = block.split_first_chunk::<8>() else {
        return Err(UNREADABLE);
    };
    let slot = u64::from_be_bytes(*slot);
    Ok(seal::open(sealed, id, slot, &key_of(slot)?)?)
}

fn item_of(pack: &[u8], index: u64) -> Option<&[u8]> {
    packs::items(pack)
        .find(|(of, _)| *of == index)
        .map(|(_, item)| item)
}

pub(super) fn index_of(value: &[u8]) -> Result<u64, StoreError> {
    value
        .try_into()
        .map(u64::from_be_bytes)
        .map_err(|_| StoreError::Damaged("an index cannot be read"))
}

/// The number at the end of a key.
pub(super) fn last_number(key: &[u8]) -> Result<u64, StoreError> {
    key.last_chunk::<8>()
        .map(|bytes| u64::from_be_bytes(*bytes))
        .ok_or(StoreError::Damaged("a key cannot be read"))
}

/// Reads an observation of this node's own ledger.
pub(crate) fn own_observation(statement: &[u8]) -> Result<Observation, StoreError> {
    Observation::from_own_ledger(statement)
        .map_err(|_| StoreError::Damaged("an observation cannot be read"))
}

/// Reads a disclosure of this node's own ledger.
pub(crate) fn own_disclosure(statement: &[u8]) -> Result<Disclosure, StoreError> {
    Disclosure::from_own_ledger(statement)
        .map_err(|_| StoreError::Damaged("a disclosure cannot be read"))
}

/// Reads an acknowledgement of this node's own ledger.
pub(crate) fn own_acknowledgement(statement: &[u8]) -> Result<Acknowledgement, StoreError> {
    Acknowledgement::from_own_ledger(statement)
        .map_err(|_| StoreError::Damaged("an acknowledgement cannot be read"))
}

impl Store {
    /// The entry at an index; `None` above the head.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub fn entry(&self, index: u64) -> Result<Option<Recorded>, StoreError> {
        if index >= self.size() {
            return Ok(None);
        }
        let pack = packs::pack_of(&self.shared.database, keys::entry, index)?;
        let item = pack.as_deref().and_then(|pack| item_of(pack, index));
        let item = item.ok_or(StoreError::Damaged("an entry is missing"))?;
        parse_item(index, item).map(Some)
    }

    /// The entries from an index up to, and without, another, which is at most the head.
    pub fn entries(
        &self,
        from: u64,
        until: u64,
    ) -> impl Iterator<Item = Result<Recorded, StoreError>> + '_ {
        // Those that follow lie in the same pack more often than not.
        let mut pack = Vec::new();
        (from..until.min(self.size())).map(move |index| {
            if item_of(&pack, index).is_none() {
                let found = packs::pack_of(&self.shared.database, keys::entry, index)?;
                pack = found.unwrap_or_default();
            }
            let item = item_of(&pack, index);
            parse_item(
                index,
                item.ok_or(StoreError::Damaged("an entry is missing"))?,
            )
        })
    }

    /// The entries that say who is who and what is in force, in order.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub fn control_entries(&self) -> Result<Vec<Recorded>, StoreError> {
        self.shared
            .database
            .scan(&keys::controls())
            .map(|pair| last_number(&pair?.0))
            .filter_map(|index| index.and_then(|index| self.entry(index)).transpose())
            .collect()
    }

    pub(super) fn committed(&self, key: &[u8]) -> Result<Option<u64>, StoreError> {
        self.counting(|| {
            let index = self.shared.database.read(key)?;
            index.map(|value| index_of(&value)).transpose()
        })
    }

    /// The index of an entry, once it counts: what leads to one that does not yet stands in the place of what led to an
    /// earlier one. Its group is committed by then, and only on its way into the database.
    pub(super) fn counting(
        &self,
        read: impl Fn() -> Result<Option<u64>, StoreError>,
    ) -> Result<Option<u64>, StoreError> {
        loop {
            let index = read()?;
            let Some(early) = index.filter(|index| *index >= self.size()) else {
                return Ok(index);
            };
            drop(self.shared.applying());
            if early >= self.size() {
                return Err(if self.is_stopped() {
                    self.stop_reason()
                } else {
                    StoreError::Damaged("an index leads to no entry")
                });
            }
        }
    }

    /// The content of this digest.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub fn blob(&self, digest: &Digest) -> Result<Option<Vec<u8>>, StoreError> {
        let chunks = self.shared.database.scan(&keys::blob(digest));
        let chunks: Vec<_> = chunks.collect::<Result<_, DatabaseError>>()?;
        let bytes = chunks.iter().flat_map(|(_, chunk)| chunk).copied();
        Ok((!chunks.is_empty()).then(|| bytes.collect()))
    }

    /// The entry with this observation.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub fn observation(&self, id: &ObservationId) -> Result<Option<u64>, StoreError> {
        self.counting(|| {
            let held = HeldRecord::read(&self.shared.database, id)?;
            Ok(held.map(|held| held.index))
        })
    }

    /// The observations whose id starts with these bytes, at most `limit` of them.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub fn observations_with_prefix(
        &self,
        prefix: &[u8],
        limit: usize,
    ) -> Result<Vec<(ObservationId, u64)>, StoreError> {
        let size = self.size();
        self.shared
            .database
            .scan(&keys::observations(prefix))
            .map(|pair| {
                let (key, value) = pair?;
                let digest = key
                    .get(1..)
                    .and_then(|bytes| Digest::try_from(bytes).ok())
                    .ok_or(StoreError::Damaged("a key cannot be read"))?;
                Ok((
                    ObservationId::from_digest(digest),
                    HeldRecord::parse(&value)?.index,
                ))
            })
            .filter(|found| {
                found
                    .as_ref()
                    .map_or(true, |(_, index): &(_, u64)| *index < size)
            })
            .take(limit)
            .collect()
    }

    /// Whether this was imported before.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub fn was_imported(&self, import: &Digest) -> Result<bool, StoreError> {
        Ok(self.committed(&keys::import(import))?.is_some())
    }

    /// The readings block of the observation recorded at this entry.
    ///
    /// # Errors
    /// [`StoreError::Slot`] where they were erased; any other [`StoreError`].
    pub fn readings(&self, index: u64, id: &ObservationId) -> Result<Vec<u8>, StoreError> {
        unpack_readings(&self.packed_readings(index, id)?).ok_or(UNREADABLE)
    }

    /// The same, packed.
    ///
    /// # Errors
    /// As [`Store::readings`].
    pub fn packed_readings(&self, index: u64, id: &ObservationId) -> Result<Vec<u8>, StoreError> {
        let pack = packs::pack_of(&self.shared.database, keys::readings, index)?;
        let block = pack.as_deref().and_then(|pack| item_of(pack, index));
        let block = block.ok_or(StoreError::Damaged("sealed readings are missing"))?;
        open_packed(block, id, self.slot_keys())
    }

    /// Opens sealed readings as they lie in the journal and the database.
    pub(super) fn open_block(
        &self,
        block: &[u8],
        id: &ObservationId,
    ) -> Result<Vec<u8>, StoreError> {
        open_block(block, id, self.slot_keys())
    }

    fn slot_keys(&self) -> impl FnOnce(u64) -> Result<SlotKey, SlotError> {
        |slot| {
            let allotment = self.shared.allotment.lock();
            let mut allotment = allotment.unwrap_or_else(PoisonError::into_inner);
            allotment.key(slot)
        }
    }

    /// The latest decision of a class.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub fn decision_of_class(&self, class_key: &Digest) -> Result<Option<Decision>, StoreError> {
        self.decision_at(self.committed(&keys::class(class_key))?)
    }

    /// The decision of this digest.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub fn decision(&self, digest: &Digest) -> Result<Option<Decision>, StoreError> {
        self.decision_at(self.decision_entry(digest)?)
    }

    /// The numbers under which a disclosure was put into an outbox below an entry: the first, which is given, and those
    /// under which it was offered again, in their order.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub fn numbers(
        &self,
        first: &DisclosureId,
        seq: u64,
        until: u64,
    ) -> Result<Vec<u64>, StoreError> {
        let until = until.min(self.size());
        let (mut disclosures, mut numbers) = (vec![*first], vec![seq]);
        while let Some(id) = disclosures.pop() {
            let prefix = keys::all_offered(&id);
            for pair in self.shared.database.scan_from(&prefix) {
                let (key, value) = pair?;
                let index = index_of(&value)?;
                if !key.starts_with(&prefix) || index >= until {
                    break;
                }
                let recorded = self.entry(index)?;
                let Some(Body::OfferedAgain(offer)) = recorded.map(|recorded| recorded.body) else {
                    return Err(StoreError::Damaged("an offer is missing"));
                };
                numbers.push(offer.seq);
                // Another disclosure took its place, which may itself have been offered again.
                let renewed = offer.disclosure.iter();
                disclosures.extend(renewed.map(|statement| DisclosureId::of(statement)));
            }
        }
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// The entry that holds the decision of this digest.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub fn decision_entry(&self, digest: &Digest) -> Result<Option<u64>, StoreError> {
        self.committed(&keys::decision(digest))
    }

    fn decision_at(&self, index: Option<u64>) -> Result<Option<Decision>, StoreError> {
        let recorded = index.map(|index| self.entry(index)).transpose()?.flatten();
        match recorded.map(|recorded| recorded.body) {
            Some(Body::Decided(decided)) => Ok(Some(decided.decision)),
            Some(_) => Err(StoreError::Damaged("a decision is missing")),
            None => Ok(None),
        }
    }

    /// The entry that took an observation in under an edition of a partnership.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub fn admitted_under(
        &self,
        edition: &Digest,
        id: &ObservationId,
    ) -> Result<Option<u64>, StoreError> {
        self.committed(&keys::admitted(edition, id))
    }
}
