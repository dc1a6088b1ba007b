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
        let is_up = matches!(way, Direction::From(_));
        let mut found = self.found_by(wanted, is_up)?;
        // Only what counts now.
        let size = self.size();
        let mut next = match way {
            Direction::From(index) => Some(index),
            Direction::Before(index) => index.min(size).checked_sub(1),
        };
        Ok(std::iter::from_fn(move || {
            let place = next.take()?;
            let agreed = agreed(&mut found, place);
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

    fn found_by(&self, wanted: &Wanted<'_>, is_up: bool) -> Result<Vec<OneOf<'_>>, StoreError> {
        let key = &self.shared.index_key;
        let one_of = |facts: &Vec<FactValue<'_>>| {
            let keys = facts.iter().map(|fact| fact.list(key).key());
            self.one_of(keys.collect(), is_up)
        };
        let mut found: Vec<OneOf<'_>> = wanted.facts.iter().map(one_of).collect();
        if wanted.from.is_some() || wanted.until.is_some() {
            let stretches = stretches(wanted.from, wanted.until);
            found.push(self.one_of(self.lists_within(stretches)?, is_up));
        }
        if let Some(by) = wanted.expires_by
            && self.knows_what_expires()?
        {
            // Some that stand there may be held a little longer.
            let stretch = (keys::expiries(0), keys::expiries(expiry_of(by)));
            found.push(self.one_of(self.lists_within([stretch])?, is_up));
        }
        if found.is_empty() {
            found.push(one_of(&vec![FactValue::Held]));
        }
        Ok(found)
    }

    fn one_of(&self, lists: Vec<Vec<u8>>, is_up: bool) -> OneOf<'_> {
        let database = &self.shared.database;
        let lists = lists.into_iter().map(|key| List {
            database,
            key,
            part: Vec::new(),
        });
        OneOf {
            lists: lists.collect(),
            is_up,
            heads: None,
        }
    }

    /// The lists that there are between the first and the last of each pair, both included.
    fn lists_within(
        &self,
        pairs: impl IntoIterator<Item = (Vec<u8>, Vec<u8>)>,
    ) -> Result<Vec<Vec<u8>>, StoreError> {
        let mut lists = Vec::new();
        for (first, last) in pairs {
            let mut from = keys::list_part(&first, 0);
            // Each list is stepped over by its last possible part.
            while let Some(pair) = self.shared.database.scan_from(&from).next() {
                let (mut list, _) = pair?;
                list.truncate(first.len());
                if list > last {
                    break;
                }
                from = keys::list_part(&list, u64::MAX);
                lists.push(list);
            }
        }
        Ok(lists)
    }

    /// Whether the database has records of what is to be held until when: one of the shape before, which is only read, has none.
    fn knows_what_expires(&self) -> Result<bool, StoreError> {
        let standing = standing_of(&self.shared.database)?;
        let key = &self.shared.index_key;
        Ok(standing.is_none_or(|(_, applied)| applied.index_key == key.name()))
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

/// The next entry from a place on, or back from it, that stands in all.
fn agreed(found: &mut [OneOf<'_>], mut place: u64) -> Result<Option<u64>, StoreError> {
    loop {
        let begun_at = place;
        for found in &mut *found {
            match found.next(place)? {
                Some(next) => place = next,
                None => return Ok(None),
            }
        }
        if place == begun_at {
            return Ok(Some(place));
        }
    }
}

/// Of how many lists the part that was read last is kept: some 6 KiB each.
const PARTS_MAX: usize = 1_024;

/// Lists of which an entry must stand in one at least, while they are gone through side by side: of each, only the next entry
/// is known, so that long lists take no memory, however many entries are in them.
struct OneOf<'a> {
    lists: Vec<List<'a>>,
    is_up: bool,
    /// The next entry of each list that has one, and which list that is; absent before it was looked for.
    heads: Option<BTreeSet<(u64, usize)>>,
}

impl OneOf<'_> {
    /// The next entry from a place on, or back from it. Places only ever go on.
    fn next(&mut self, place: u64) -> Result<Option<u64>, StoreError> {
        let mut heads = match self.heads.take() {
            Some(heads) => heads,
            None => {
                let all = (0..self.lists.len()).map(|number| self.head(number, place));
                all.filter_map(Result::transpose)
                    .collect::<Result<_, _>>()?
            }
        };
        let next = loop {
            let head = if self.is_up {
                heads.first()
            } else {
                heads.last()
            };
            let Some(head) = head.copied() else {
                break None;
            };
            let is_passed = if self.is_up {
                head.0 < place
            } else {
                head.0 > place
            };
            if !is_passed {
                break Some(head.0);
            }
            heads.remove(&head);
            heads.extend(self.head(head.1, place)?);
        };
        self.heads = Some(heads);
        Ok(next)
    }

    /// The next entry of one list.
    fn head(&mut self, number: usize, place: u64) -> Result<Option<(u64, usize)>, StoreError> {
        let is_many = self.lists.len() > PARTS_MAX;
        let Some(list) = self.lists.get_mut(number) else {
            return Ok(None);
        };
        let next = list.next(place, self.is_up)?;
        if is_many {
            list.part = Vec::new();
        }
        Ok(next.map(|index| (index, number)))
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
