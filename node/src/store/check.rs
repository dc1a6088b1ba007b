//! Checks a store that no node has open, or has its database built again: what every start does without being asked, done as a
//! whole and told.

use super::database::{Database, DatabaseError, Record};
use super::journal::{Damage, Journal, JournalError, Position, Salvaged};
use super::lock::Lock;
use super::opening::{self, Progress, Way};
use super::parts::Part;
use super::places::{CHECK, free, journal_path, remove};
use super::reader::parse_entry;
use super::records::Applied;
use super::replay::{self, Keys};
use super::slots::SlotError;
use super::{Store, StoreError, keys, watermark};
use ambit_ledger::{Body, Frontier, ObservationId, leaf_hash};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;

/// How many of one kind are named.
const NAMED_MAX: usize = 20;

/// What a check found.
#[derive(Debug, Default, Serialize)]
pub struct Checked {
    /// How many groups of the journal are whole.
    pub groups: u64,
    /// How many entries they hold.
    pub entries: u64,
    /// What is damaged in the journal, each with the entries that are lost with it.
    pub damaged: Vec<String>,
    /// Whether the database had to be built again.
    pub was_built_again: bool,
    /// How many entries the database holds beside a journal that is damaged; absent where that is whole, or it cannot be relied on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_database: Option<u64>,
    /// What a deep check found; absent where none was asked for, or the journal is damaged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deep: Option<Deep>,
}

/// What a deep check found.
#[derive(Debug, Default, Serialize)]
pub struct Deep {
    /// How many records of the database were compared with the journal.
    pub records: u64,
    /// How many are missing, more than there should be, or not what the journal says.
    pub different: u64,
    /// How many blocks of sealed readings opened with their keys.
    pub readings: u64,
    /// The entries whose readings do not: the first of them.
    pub unopened: Vec<u64>,
    /// How many those are.
    pub unopened_count: u64,
}

impl Checked {
    /// Whether nothing is wrong now.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        let is_deep_sound = |deep: &Deep| deep.different == 0 && deep.unopened_count == 0;
        self.damaged.is_empty() && self.deep.as_ref().is_none_or(is_deep_sound)
    }
}

/// What was built again.
#[derive(Debug, Serialize)]
pub struct Rebuilt {
    /// How many entries the database holds.
    pub entries: u64,
}

/// Reads the whole journal of a home, then opens the store as each start does. A deep check also builds the database a second
/// time beside it and compares the two, and opens all sealed readings.
///
/// # Errors
/// Any [`StoreError`]; what is damaged in the journal is none, but found.
pub fn check(home: &Path, is_deep: bool, told: &dyn Fn(Progress)) -> Result<Checked, StoreError> {
    opening::check_there(home, Way::Existing)?;
    let lock = Lock::take(home)?;
    let noted = watermark::read(home)?;
    let read = Journal::read_only(&journal_path(home), Position::START, noted.group);
    let mut checked = match read {
        Err(JournalError::Damaged(damage)) => {
            let mut checked = salvage(home, &damage)?;
            // It may be relied on all the same, until the next power cut.
            let opened = Store::open_locked(home, lock, Way::Existing, told);
            checked.in_database = opened.ok().map(|(store, _)| store.size());
            return Ok(checked);
        }
        Err(error) => return Err(error.into()),
        Ok((reader, _)) => {
            let mut tree = Tree::default();
            for group in reader.read(Position::START)? {
                tree.add(&group?)?;
            }
            Checked {
                groups: reader.end().group,
                entries: tree.frontier.size(),
                ..Checked::default()
            }
        }
    };
    let (store, was_built_again) = Store::open_locked(home, lock, Way::Existing, told)?;
    checked.was_built_again = was_built_again;
    if is_deep {
        checked.deep = Some(deep(home, &store, told)?);
    }
    Ok(checked)
}

/// Builds the database of a home again from its journal.
///
/// # Errors
/// Any [`StoreError`].
pub fn rebuild(home: &Path, told: &dyn Fn(Progress)) -> Result<Rebuilt, StoreError> {
    opening::check_there(home, Way::Rebuild)?;
    let lock = Lock::take(home)?;
    let (store, _) = Store::open_locked(home, lock, Way::Rebuild, told)?;
    Ok(Rebuilt {
        entries: store.size(),
    })
}

/// The tree over the entries of the groups, made anew.
#[derive(Default)]
struct Tree {
    frontier: Frontier,
}

impl Tree {
    /// Adds a group that follows those before.
    fn add(&mut self, group: &super::journal::Group) -> Result<(), StoreError> {
        let unreadable = || StoreError::Unreadable(group.number);
        let mut is_same = false;
        for record in &group.records {
            match Part::read(group.number, &record.bytes)? {
                Part::Entry(index, bytes) if index == self.frontier.size() => {
                    self.frontier.append(leaf_hash(bytes));
                }
                Part::Entry(..) => return Err(unreadable()),
                Part::Head(head) => is_same = head.frontier == self.frontier,
                Part::Readings(..) | Part::Blob(_) | Part::Outbox(_) | Part::Inbox(_) => {}
            }
        }
        if is_same { Ok(()) } else { Err(unreadable()) }
    }
}

/// What is whole of a damaged journal, and which entries are lost with what is not.
fn salvage(home: &Path, first: &Damage) -> Result<Checked, StoreError> {
    let mut checked = Checked::default();
    let mut gaps: Vec<Damage> = Vec::new();
    let mut next = 0;
    for found in Journal::salvage(&journal_path(home))? {
        match found? {
            Salvaged::Gap(damage) => gaps.push(damage),
            Salvaged::Torn { .. } => {}
            Salvaged::Group(group) => {
                let mut entries = Vec::new();
                let mut size = None;
                for record in &group.records {
                    match Part::read(group.number, &record.bytes)? {
                        Part::Entry(index, _) => entries.push(index),
                        Part::Head(head) => size = Some(head.frontier.size()),
                        _ => {}
                    }
                }
                let size = size.ok_or(StoreError::Unreadable(group.number))?;
                let begin = entries.first().copied().unwrap_or(size);
                checked.name(&mut gaps, next, Some(begin));
                next = size;
                checked.groups += 1;
                checked.entries += entries.len() as u64;
            }
        }
    }
    // What was acknowledged and is not there at the end, no gap knows of.
    if let (Some(gap), false) = (gaps.last_mut(), first.groups.is_empty()) {
        gap.groups = first.groups.clone();
    }
    checked.name(&mut gaps, next, None);
    if checked.damaged.is_empty() {
        // Only known from what was acknowledged: nothing behind it is there to say so.
        checked.name(&mut vec![first.clone()], next, None);
    }
    Ok(checked)
}

impl Checked {
    fn name(&mut self, gaps: &mut Vec<Damage>, from: u64, to: Option<u64>) {
        for gap in gaps.drain(..) {
            let entries = match to {
                Some(to) if to <= from => "no entry is lost with it".to_owned(),
                Some(to) if to == from + 1 => format!("entry {from} is lost"),
                Some(to) => format!("entries {from} to {} are lost", to - 1),
                None if gap.groups.is_empty() => {
                    format!(
                        "no entry is known to be lost with it; the last that is whole is {}",
                        last(from)
                    )
                }
                None => format!("the entries from {from} on are lost"),
            };
            self.damaged.push(format!("{gap}: {entries}"));
        }
    }
}

fn last(size: u64) -> String {
    size.checked_sub(1)
        .map_or_else(|| "none".to_owned(), |last| last.to_string())
}

fn deep(home: &Path, store: &Store, told: &dyn Fn(Progress)) -> Result<Deep, StoreError> {
    let path = free(home, CHECK);
    let deep = build_and_compare(home, &path, store, told);
    // Also where it failed: it may be what filled the disk.
    remove(&path)?;
    deep
}

fn build_and_compare(
    home: &Path,
    path: &Path,
    store: &Store,
    told: &dyn Fn(Progress),
) -> Result<Deep, StoreError> {
    let mut deep = Deep::default();
    let mut database = Database::open(path)?;
    let acknowledged = watermark::read(home)?.group;
    let (reader, found) = Journal::read_only(&journal_path(home), Position::START, acknowledged)?;
    let keys = Keys {
        index: &store.shared.index_key,
        open: &|block, id| store.open_block(block, id),
    };
    let nothing = (None, Applied::nothing(keys.index));
    let groups = reader.read(Position::START)?;
    replay::apply_all(&database, keys, groups, nothing, |group| {
        told(Progress {
            done: group.number + 1,
            all: found.end.group,
        });
        deep.open_readings(store, group)
    })?;
    match deep.compare(&database, store) {
        // What cannot be read is not what the journal says.
        Err(error) if error.is_damage() => deep.different += 1,
        compared => compared?,
    }
    // That it could not be synced is of no account.
    let _ = database.close();
    Ok(deep)
}

impl Deep {
    fn open_readings(
        &mut self,
        store: &Store,
        group: &super::journal::Group,
    ) -> Result<(), StoreError> {
        let mut ids = BTreeMap::new();
        let mut blocks = Vec::new();
        for record in &group.records {
            match Part::read(group.number, &record.bytes)? {
                Part::Entry(index, bytes) => {
                    let id = match parse_entry(index, bytes)?.body {
                        Body::Observed(observed) => ObservationId::of(&observed.observation),
                        Body::Admitted(admitted) => ObservationId::of(&admitted.observation),
                        _ => continue,
                    };
                    ids.insert(index, id);
                }
                Part::Readings(index, block) => blocks.push((index, block)),
                _ => {}
            }
        }
        for (index, block) in blocks {
            let id = ids
                .get(&index)
                .ok_or(StoreError::Unreadable(group.number))?;
            match store.open_block(block, id) {
                Ok(_) => {
                    self.readings += 1;
                    continue;
                }
                // The disk does not say what is there.
                Err(
                    error @ StoreError::Slot(SlotError::File { .. } | SlotError::Stopped { .. }),
                ) => {
                    return Err(error);
                }
                Err(_) => {}
            }
            self.unopened_count += 1;
            if self.unopened.len() < NAMED_MAX {
                self.unopened.push(index);
            }
        }
        Ok(())
    }

    /// Goes through both in the order of their keys.
    fn compare(&mut self, expected: &Database, store: &Store) -> Result<(), StoreError> {
        let is_of_journal = |pair: &Result<Record, DatabaseError>| {
            let kept = keys::kept();
            pair.as_ref()
                .map_or(true, |(key, _)| !key.starts_with(&kept))
        };
        let mut expected = expected.scan(&[]).filter(is_of_journal);
        let mut found = store.shared.database.scan(&[]).filter(is_of_journal);
        let mut one = expected.next().transpose()?;
        let mut other = found.next().transpose()?;
        while one.is_some() || other.is_some() {
            let order = match (&one, &other) {
                (Some((one, _)), Some((other, _))) => one.cmp(other),
                (Some(_), None) => std::cmp::Ordering::Less,
                (None, _) => std::cmp::Ordering::Greater,
            };
            self.records += 1;
            let is_same = match (&one, &other) {
                (Some((key, whole)), found) if order.is_le() => {
                    let found = found.as_ref().filter(|_| order.is_eq());
                    let found = found.map_or(&[][..], |(_, found)| found);
                    match keys::withheld_in(key) {
                        // What a later entry replaced may be forgotten.
                        Some(outbox) => store.is_shortened(&outbox, whole, found)?,
                        None => order.is_eq() && whole == found,
                    }
                }
                _ => false,
            };
            self.different += u64::from(!is_same);
            if order.is_le() {
                one = expected.next().transpose()?;
            }
            if order.is_ge() {
                other = found.next().transpose()?;
            }
        }
        Ok(())
    }
}
