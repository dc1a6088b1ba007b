//! Applies a group of the journal to the database, as it was applied when it was committed.

use super::StoreError;
use super::database::{Database, Item};
use super::index::marks_of;
use super::index_key::{Hashes, IndexKey};
use super::journal::{Group, JournalError};
use super::keys::{self as record_keys, BoxKey};
use super::packing::Packing;
use super::parts::Part;
use super::reader::parse_entry;
use super::records::{Applied, Head};
use super::slots::SlotError;
use ambit_ledger::{Body, Digest, Frontier, Name, ObservationId, Readings, Time, leaf_hash};

/// Opens sealed readings of an observation.
type Open<'a> = dyn Fn(&[u8], &ObservationId) -> Result<Vec<u8>, StoreError> + 'a;

/// What indexes are made with.
#[derive(Clone, Copy)]
pub(super) struct Keys<'a> {
    pub(super) index: &'a IndexKey,
    pub(super) open: &'a Open<'a>,
}

impl Keys<'_> {
    /// The elements of sealed readings; absent where they do not open, because they or their key are damaged.
    fn elements(
        &self,
        body: &Body,
        block: Option<&[u8]>,
    ) -> Result<Option<Vec<(Name, Time)>>, StoreError> {
        let observation = match body {
            Body::Observed(observed) => &observed.observation,
            Body::Admitted(admitted) => &admitted.observation,
            _ => return Ok(None),
        };
        let Some(block) = block else {
            return Ok(None);
        };
        match (self.open)(block, &ObservationId::of(observation)) {
            Ok(plain) => Ok(Readings::latest_instants_in_own_ledger(&plain).ok()),
            Err(StoreError::Slot(SlotError::Erased(_)) | StoreError::Seal(_)) => Ok(None),
            Err(error) if error.is_damage() => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Applies groups that follow what is applied already, or all there are; `told` is called after each. Returns the head and how
/// far it is, where there is one.
pub(super) fn apply_all(
    database: &Database,
    keys: Keys<'_>,
    groups: impl Iterator<Item = Result<Group, JournalError>>,
    (mut head, mut applied): (Option<Head>, Applied),
    mut told: impl FnMut(&Group) -> Result<(), StoreError>,
) -> Result<(Option<Head>, Applied), StoreError> {
    let frontier = head.as_ref().map(|head| head.frontier.clone());
    let mut frontier = frontier.unwrap_or_default();
    for group in groups {
        let group = group?;
        head = Some(apply(database, keys, &mut frontier, &applied, &group)?);
        applied = applied.next(group.after);
        told(&group)?;
    }
    Ok((head, applied))
}

/// Applies one group that follows entries of this tree, and goes on with the tree. Returns the head with it.
fn apply(
    database: &Database,
    keys: Keys<'_>,
    frontier: &mut Frontier,
    applied: &Applied,
    group: &Group,
) -> Result<Head, StoreError> {
    let unreadable = || StoreError::Unreadable(group.number);
    let mut packing = Packing::new(database, frontier.size());
    let mut states: Vec<Item> = Vec::new();
    let mut head = None;
    let mut sealed: Option<(u64, &[u8])> = None;
    let mut hashes = Hashes::with(keys.index);
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
                let block = sealed.filter(|(of, _)| *of == index);
                let elements = keys.elements(&recorded.body, block.map(|(_, block)| block))?;
                let marks = marks_of(&recorded.body, &mut hashes, elements.as_deref());
                let marks = marks.map_err(|_| unreadable())?;
                packing.entry(index, &leaf, bytes, &marks)?;
                frontier.append(leaf);
            }
            Part::Readings(index, block) => {
                packing.readings(index, block)?;
                sealed = Some((index, block));
            }
            Part::Blob(bytes) => packing.blob(&Digest::of(bytes), bytes),
            Part::Outbox(outbox) => {
                let key = BoxKey::new(&outbox.partnership, &outbox.recipient);
                states.push((
                    record_keys::outbox(&key),
                    Some(ambit_ledger::encode(&outbox)),
                ));
            }
            Part::Inbox(inbox) => {
                let key = BoxKey::new(&inbox.partnership, &inbox.sender);
                states.push((record_keys::inbox(&key), Some(ambit_ledger::encode(&inbox))));
            }
            Part::Head(read) => head = Some(read),
        }
    }
    // The tree is made anew, so that a journal whose entries are not those that were signed for is never taken for whole.
    let head = head.filter(|head| head.frontier == *frontier);
    let head = head.ok_or_else(unreadable)?;
    let items = packing.end()?.into_iter().chain(states);
    database.apply_group(items, &head, &applied.next(group.after))?;
    Ok(head)
}
