//! Whether a database goes with its journal: what it says of itself, and what the journal says of that.

use super::StoreError;
use super::database::Database;
use super::index_key::IndexKey;
use super::journal::{Group, Position, Reader};
use super::keys;
use super::parts::{Part, head_of};
use super::reader::entry_of;
use super::records::{self, Applied, Head};
use ambit_ledger::Salt;

/// What a database is to its journal.
pub(super) enum Agreed {
    /// It is of this store and as far as it says, with indexes of this shape under the key that is there.
    As(Head, Applied),
    /// It is, but for its indexes, which are of another shape or under another key.
    Outdated,
    /// It is of no use, or of another course of the store.
    Not,
}

/// The head of a database and how far it is, as it says itself.
///
/// # Errors
/// [`StoreError::Newer`] or [`StoreError::Older`] where another program wrote it.
pub(super) fn standing_of(database: &Database) -> Result<Option<(Head, Applied)>, StoreError> {
    let Some(bytes) = database.read(keys::STANDING)? else {
        return Ok(None);
    };
    match records::read_standing(&bytes) {
        Err(StoreError::Damaged(_)) => {}
        read => return read.map(Some),
    }
    let applied = database.read(keys::APPLIED_BEFORE)?;
    let applied = applied.and_then(|applied| ambit_ledger::decode(&applied).ok());
    Ok(records::read_head(&bytes).ok().zip(applied))
}

/// Compares a database with its journal: it is of this store, and the group of the journal that it applied last is the one it says.
pub(super) fn agreed(
    database: &Database,
    journal: &Reader,
    index_key: &IndexKey,
) -> Result<Agreed, StoreError> {
    let Some((head, applied)) = standing_of(database)? else {
        return Ok(Agreed::Not);
    };
    if head.incarnation != incarnation_of(journal)? {
        return Ok(Agreed::Not);
    }
    let (from, to) = (journal.end().group, applied.after.group);
    if to > from {
        return if has_all_of(database, journal)? {
            Err(StoreError::Lost { from, to: to - 1 })
        } else {
            // It is of another course of the same store, such as of a copy of its home.
            Ok(Agreed::Not)
        };
    }
    // Where there is no such group, it is the database that names it; what is damaged is found once all of it is read.
    let read = journal.read(applied.at).map(|mut groups| groups.next());
    let Ok(Some(Ok(group))) = read else {
        return Ok(Agreed::Not);
    };
    let mut is_same = group.after == applied.after;
    for record in &group.records {
        is_same &= match Part::read(group.number, &record.bytes)? {
            Part::Entry(index, bytes) => entry_of(database, index)?.as_deref() == Some(bytes),
            Part::Head(read) => read == head,
            _ => true,
        };
    }
    Ok(match is_same {
        true if applied.index_key == index_key.name() => Agreed::As(head, applied),
        true => Agreed::Outdated,
        false => Agreed::Not,
    })
}

/// Whether a database holds every entry of a journal. Where the journal is damaged, nothing says that it does not.
fn has_all_of(database: &Database, journal: &Reader) -> Result<bool, StoreError> {
    for group in journal.read(Position::START)? {
        let Ok(group) = group else {
            return Ok(true);
        };
        if !has_entries_of(database, &group)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether a database holds every entry of a group.
pub(super) fn has_entries_of(database: &Database, group: &Group) -> Result<bool, StoreError> {
    for record in &group.records {
        if let Part::Entry(index, bytes) = Part::read(group.number, &record.bytes)?
            && entry_of(database, index)?.as_deref() != Some(bytes)
        {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Which store a journal is of, as its first group says.
fn incarnation_of(journal: &Reader) -> Result<Salt, StoreError> {
    let first = journal.read(Position::START)?.next().transpose()?;
    let head = first.as_ref().map(head_of).transpose()?.flatten();
    head.map(|head| head.incarnation)
        .ok_or(StoreError::Unreadable(0))
}
