//! Finding observations: going through lists of entries that agree, and what is latest of a submodel.
//!
//! What is shown costs what is shown: of several lists, those entries are skipped over that are not in the shortest.

use super::agreeing::standing_of;
use super::database::Database;
use super::finding::{FactValue, expiry_of, latest_of, path_hash, stretches, unknown_hash};
use super::index_key::Hash;
use super::packing::{latest_in, numbers_in};
use super::{Store, StoreError, keys};
use ambit_ledger::{Name, OrganizationId, Time};
use std::collections::{BTreeMap, BTreeSet};

/// Which observations are looked for.
#[derive(Clone, Debug, Default)]
pub struct Wanted<'a> {
    /// Of each of these, one value at least.
    pub facts: Vec<Vec<FactValue<'a>>>,
    /// Observed at this instant or later, in part at least: others may be among those that are found.
    pub from: Option<Time>,
    /// Observed before this instant, in part at least; likewise.
    pub until: Option<Time>,
    /// To be held no longer than until this instant, by one disclosure at least; likewise.
    pub expires_by: Option<Time>,
}

/// An entry with the latest readings of some elements of a submodel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LatestReading {
    /// The entry.
    pub entry: u64,
    /// The instants of the latest readings that it holds, by the hashes of their paths.
    elements: BTreeMap<Hash, Time>,
}

impl Store {
    /// The entries that hold what is looked for, from one on or the other way from one before which they are.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub fn found(
        &self,
        wanted: &Wanted<'_>,
        way: Direction,
    ) -> Result<impl Iterator<Item = Result<u64, StoreError>> + '_, StoreError> {
        let mut found = self.found_by(wanted)?;
        // Only what counts now.
        let size = self.size();
        let mut next = match way {
            Direction::From(index) => Some(index),
            Direction::Before(index) => index.min(size).checked_sub(1),
        };
        let is_up = matches!(way, Direction::From(_));
        Ok(std::iter::from_fn(move || {
            let place = next.take()?;
            let agreed = agreed(&mut found, place, is_up);
            if let Ok(Some(index)) = agreed {
                next = if is_up {
                    index.checked_add(1)
                } else {
                    index.checked_sub(1)
                };
            }
            agreed.transpose()
        })
        .take_while(move |index| index.as_ref().map_or(true, |index| *index < size)))
    }

    fn found_by(&self, wanted: &Wanted<'_>) -> Result<Vec<Found<'_>>, StoreError> {
        let (database, key) = (&self.shared.database, &self.shared.index_key);
        let list = |fact: &FactValue<'_>| List {
            database,
            key: fact.list(key).key(),
            part: Vec::new(),
        };
        let one_of = |facts: &Vec<FactValue<'_>>| Found::OneOf(facts.iter().map(list).collect());
        let mut found: Vec<Found<'_>> = wanted.facts.iter().map(one_of).collect();
        if wanted.from.is_some() || wanted.until.is_some() {
            found.push(Found::These(self.within(wanted.from, wanted.until)?));
        }
        if let Some(by) = wanted.expires_by
            && self.knows_what_expires()?
        {
            found.push(Found::These(self.expiring(by)?));
        }
        if found.is_empty() {
            found.push(one_of(&vec![FactValue::Held]));
        }
        Ok(found)
    }

    /// The entries of what may have been observed between two instants.
    fn within(&self, from: Option<Time>, until: Option<Time>) -> Result<BTreeSet<u64>, StoreError> {
        let mut entries = BTreeSet::new();
        for (first, last) in stretches(from, until) {
            let last = keys::list_part(&last, u64::MAX);
            for pair in self.shared.database.scan_within(&first, last) {
                entries.extend(numbers_in(&pair?.1)?);
            }
        }
        Ok(entries)
    }

    /// Whether the database has records of what is to be held until when: one of the shape before, which is only read, has none.
    fn knows_what_expires(&self) -> Result<bool, StoreError> {
        let standing = standing_of(&self.shared.database)?;
        let key = &self.shared.index_key;
        Ok(standing.is_none_or(|(_, applied)| applied.index_key == key.name()))
    }

    /// The entries of what is to be held no longer than until an instant, and some that may be a little longer.
    fn expiring(&self, by: Time) -> Result<BTreeSet<u64>, StoreError> {
        let last = keys::expiry(expiry_of(by), u64::MAX);
        let mut entries = BTreeSet::new();
        let found = self.shared.database.scan_within(&keys::expiry(0, 0), last);
        for pair in found {
            entries.extend(numbers_in(&pair?.1)?);
        }
        Ok(entries)
    }

    /// The entries with the latest readings of a submodel; of an origin, where one is given.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub fn latest_of(
        &self,
        submodel: &str,
        origin: Option<&OrganizationId>,
    ) -> Result<Vec<LatestReading>, StoreError> {
        let prefix = latest_of(&self.shared.index_key, submodel, origin);
        let mut entries: BTreeMap<u64, BTreeMap<Hash, Time>> = BTreeMap::new();
        for pair in self.shared.database.scan(&prefix) {
            let (key, value) = pair?;
            let (at, entry) = latest_in(&value)?;
            self.counting(|| Ok(Some(entry)))?;
            let path = key.last_chunk().copied();
            let path = path.ok_or(StoreError::Damaged("a key cannot be read"))?;
            entries.entry(entry).or_default().insert(path, at);
        }
        let entries = entries.into_iter();
        Ok(entries
            .map(|(entry, elements)| LatestReading { entry, elements })
            .collect())
    }

    /// Whether it was not known what this entry holds when the database was built, so that what is latest is not known either.
    #[must_use]
    pub fn is_unknown(&self, latest: &LatestReading) -> bool {
        let unknown = unknown_hash(&self.shared.index_key);
        latest.elements.contains_key(&unknown)
    }

    /// Whether the latest reading of a path is at this instant in this entry.
    #[must_use]
    pub fn is_latest(&self, latest: &LatestReading, path: &Name, at: Time) -> bool {
        let path = path_hash(&self.shared.index_key, path.as_str());
        latest.elements.get(&path) == Some(&at)
    }
}

/// Which way lists are gone through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From this entry on.
    From(u64),
    /// From what comes before this entry back.
    Before(u64),
}

/// Where an entry must stand.
enum Found<'a> {
    /// In one of these lists at least.
    OneOf(Vec<List<'a>>),
    /// Among these.
    These(BTreeSet<u64>),
}

/// The next entry from a place on, or back from it, that stands in all.
fn agreed(found: &mut [Found<'_>], mut place: u64, is_up: bool) -> Result<Option<u64>, StoreError> {
    loop {
        let begun_at = place;
        for found in &mut *found {
            match found.next(place, is_up)? {
                Some(next) => place = next,
                None => return Ok(None),
            }
        }
        if place == begun_at {
            return Ok(Some(place));
        }
    }
}

impl Found<'_> {
    fn next(&mut self, place: u64, is_up: bool) -> Result<Option<u64>, StoreError> {
        match self {
            Self::OneOf(lists) => {
                let next = lists.iter_mut().map(|list| list.next(place, is_up));
                let next: Vec<u64> = next
                    .filter_map(Result::transpose)
                    .collect::<Result<_, _>>()?;
                let next = next.into_iter();
                Ok(if is_up { next.min() } else { next.max() })
            }
            Self::These(entries) if is_up => Ok(entries.range(place..).next().copied()),
            Self::These(entries) => Ok(entries.range(..=place).next_back().copied()),
        }
    }
}

/// A list while it is gone through.
struct List<'a> {
    database: &'a Database,
    key: Vec<u8>,
    /// The part that was read last.
    part: Vec<u64>,
}

impl List<'_> {
    /// The first entry from a place on, or the last one up to it.
    fn next(&mut self, place: u64, is_up: bool) -> Result<Option<u64>, StoreError> {
        if !is_up {
            if self.part.first().is_none_or(|first| *first > place) {
                self.part = self.part_up_to(place)?;
            }
            return Ok(self.part.iter().rfind(|index| **index <= place).copied());
        }
        let is_in = |part: &[u64]| part.last().is_some_and(|last| *last >= place);
        if !(is_in(&self.part) && self.part.first().is_some_and(|first| *first <= place)) {
            self.part = self.part_up_to(place)?;
            if !is_in(&self.part) {
                self.part = self.part_after(place)?;
            }
        }
        Ok(self.part.iter().find(|index| **index >= place).copied())
    }

    /// The last part that begins at an entry, or before it.
    fn part_up_to(&self, index: u64) -> Result<Vec<u64>, StoreError> {
        let (first, last) = (
            keys::list_part(&self.key, 0),
            keys::list_part(&self.key, index),
        );
        let found = self.database.last_within(&first, &last)?;
        found.map_or_else(|| Ok(Vec::new()), |(_, value)| numbers_in(&value))
    }

    /// The first part that begins after an entry.
    fn part_after(&self, index: u64) -> Result<Vec<u64>, StoreError> {
        let from = keys::list_part(&self.key, index.saturating_add(1));
        let found = self.database.scan_from(&from).next().transpose()?;
        let found = found.filter(|(key, _)| key.starts_with(&self.key));
        found.map_or_else(|| Ok(Vec::new()), |(_, value)| numbers_in(&value))
    }
}
