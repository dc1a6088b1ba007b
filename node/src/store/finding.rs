//! What an observation is found by: the values of some facts, when it was observed, and the elements it speaks of.
//!
//! For each value there is a list of the entries that hold such an observation, for each stretch of time as well, and for each
//! element of a submodel the entry with the latest reading, by who says so. Values stand there as keyed hashes. Of an
//! observation that came more than once it is the first entry that is found.

use super::index_key::{Hash, Hashes, IndexKey};
use super::keys;
use ambit_ledger::{Assigned, Facts, Name, OrganizationId, Time};

/// Observations as long as this, or shorter, lie in stretches of this length: some 73 minutes, in nanoseconds as a power of two.
const LEAST_LEVEL: u8 = 42;
/// The longest stretch holds all instants there are.
const LAST_LEVEL: u8 = 63;

/// Instants until which something is held lie in stretches of this length: some 20 hours, in nanoseconds as a power of two.
const EXPIRY_LEVEL: u8 = 46;

/// A fact, with a value of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactValue<'a> {
    /// Any: an observation is held.
    Held,
    /// Of this submodel.
    Submodel(&'a str),
    /// Signed by this organization.
    Origin(&'a str),
    /// Of this class of data.
    DataClass(&'a str),
    /// Of this part.
    Part(&'a str),
    /// Of this lot.
    Lot(&'a str),
    /// Of this serial number.
    Serial(&'a str),
    /// Of this program.
    Program(&'a str),
}

/// A list of entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum List {
    /// Of those that hold an observation with a value.
    Value(Hash),
    /// Of those that hold one which ended in a stretch of time: its length as a power of two, and its number.
    Stretch(u8, u64),
}

impl List {
    /// What its keys begin with.
    pub(super) fn key(self) -> Vec<u8> {
        match self {
            Self::Value(hash) => keys::list(&hash),
            Self::Stretch(level, number) => keys::stretch(level, number),
        }
    }
}

impl<'a> FactValue<'a> {
    /// The list of its entries.
    pub(super) fn list(self, key: &IndexKey) -> List {
        let (kind, value) = self.kind();
        List::Value(key.hash(kind, value))
    }

    fn kind(self) -> (u8, &'a str) {
        match self {
            Self::Held => (0, ""),
            Self::Submodel(value) => (1, value),
            Self::Origin(value) => (2, value),
            Self::DataClass(value) => (3, value),
            Self::Part(value) => (4, value),
            Self::Lot(value) => (5, value),
            Self::Serial(value) => (6, value),
            Self::Program(value) => (7, value),
        }
    }
}

/// The kinds of hashes in the keys of latest readings.
const LATEST_SUBMODEL: u8 = 16;
const LATEST_ORIGIN: u8 = 17;
const LATEST_PATH: u8 = 18;
/// In the place of a path, where the elements are not known. No element has such a path.
const UNKNOWN_PATH: &str = "";

/// The keys of all latest readings of a submodel; of an origin, where one is given.
pub(super) fn latest_of(
    key: &IndexKey,
    submodel: &str,
    origin: Option<&OrganizationId>,
) -> Vec<u8> {
    let submodel = key.hash(LATEST_SUBMODEL, submodel);
    let origin = origin.map(|origin| key.hash(LATEST_ORIGIN, origin.as_str()));
    keys::latest(&submodel, origin.as_ref(), None)
}

/// What stands at the end of such a key in the place of a path.
pub(super) fn path_hash(key: &IndexKey, path: &str) -> Hash {
    key.hash(LATEST_PATH, path)
}

/// The same where the elements are not known.
pub(super) fn unknown_hash(key: &IndexKey) -> Hash {
    path_hash(key, UNKNOWN_PATH)
}

fn value(assigned: Option<&Assigned>) -> Option<&str> {
    assigned.map(|assigned| assigned.value.as_str())
}

/// All that leads to one observation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FoundBy {
    /// The lists that it stands in.
    pub(super) lists: Vec<List>,
    /// Its submodel, and who says so.
    pub(super) of: (Hash, Hash),
    /// Each element that it speaks of, with the latest instant.
    pub(super) latest: Vec<(Hash, Time)>,
}

impl FoundBy {
    /// By its facts, and the elements of its readings. Where those are not known, what is latest of its submodel is not either,
    /// and whoever asks comes upon it.
    pub(super) fn of(
        hashes: &mut Hashes<'_>,
        facts: &Facts,
        elements: Option<&[(Name, Time)]>,
    ) -> Self {
        let facts_found = [
            Some(FactValue::Held),
            Some(FactValue::Submodel(facts.submodel.as_str())),
            Some(FactValue::Origin(facts.issuer.as_str())),
            Some(FactValue::DataClass(facts.data_class.as_str())),
            value(facts.part.as_ref()).map(FactValue::Part),
            value(facts.lot.as_ref()).map(FactValue::Lot),
            facts
                .serial
                .as_ref()
                .map(|serial| FactValue::Serial(serial.as_str())),
            value(facts.program.as_ref()).map(FactValue::Program),
        ];
        let mut lists = Vec::with_capacity(facts_found.len() + 1);
        for (kind, value) in facts_found.into_iter().flatten().map(FactValue::kind) {
            lists.push(List::Value(hashes.of(kind, value)));
        }
        let stretch = stretch_of(facts.observed_from, facts.observed_to);
        lists.push(stretch);
        let submodel = hashes.of(LATEST_SUBMODEL, facts.submodel.as_str());
        let origin = hashes.of(LATEST_ORIGIN, facts.issuer.as_str());
        let latest = match elements {
            Some(elements) => {
                let elements = elements.iter();
                elements
                    .map(|(path, at)| (hashes.of(LATEST_PATH, path.as_str()), *at))
                    .collect()
            }
            None => vec![(hashes.of(LATEST_PATH, UNKNOWN_PATH), facts.observed_to)],
        };
        Self {
            lists,
            of: (submodel, origin),
            latest,
        }
    }
}

fn nanos(time: Time) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(0)
}

/// The list of a stretch of time: the one that an observation ends in, as long as the observation at least, so that
/// it begins in that one or in the one before.
fn stretch_of(from: Time, to: Time) -> List {
    let length = nanos(to).saturating_sub(nanos(from));
    let bits = u8::try_from(u64::BITS - length.leading_zeros()).unwrap_or(LAST_LEVEL);
    let level = bits.clamp(LEAST_LEVEL, LAST_LEVEL);
    List::Stretch(level, nanos(to) >> level)
}

/// The stretch that an instant lies in until which something is held.
pub(super) fn expiry_of(hold_until: Time) -> u64 {
    nanos(hold_until) >> EXPIRY_LEVEL
}

/// The first and the last key of the lists in which what was observed from an instant on and before another one stands, at each
/// length of stretches. Not all that stand there were.
pub(super) fn stretches(
    from: Option<Time>,
    until: Option<Time>,
) -> impl Iterator<Item = (Vec<u8>, Vec<u8>)> {
    let from = from.map_or(0, nanos);
    let until = until.map_or(u64::MAX, nanos);
    (LEAST_LEVEL..=LAST_LEVEL).map(move |level| {
        // What begins before an instant ends before this one.
        let ended = until.saturating_add(1 << level);
        let first = keys::stretch(level, from >> level);
        (first, keys::stretch(level, ended >> level))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether an observation is looked for where it stands.
    fn is_found(observed: (i64, i64), from: Option<i64>, until: Option<i64>) -> bool {
        let at = |nanos: i64| Time::EARLIEST.plus_seconds(u32::try_from(nanos).unwrap());
        let stands = stretch_of(at(observed.0), at(observed.1)).key();
        stretches(from.map(at), until.map(at))
            .any(|(first, last)| first <= stands && stands <= last)
    }

    #[test]
    fn whatever_overlaps_is_looked_for() {
        let instants = [
            0,
            1,
            60,
            4_397,
            4_398,
            4_399,
            86_400,
            1_000_000,
            2_000_000_000,
        ];
        for (from, to) in instants
            .iter()
            .flat_map(|from| instants.map(|to| (*from, to)))
        {
            if from > to {
                continue;
            }
            for (begin, end) in instants
                .iter()
                .flat_map(|begin| instants.map(|end| (*begin, end)))
            {
                if to >= begin && from < end {
                    assert!(
                        is_found((from, to), Some(begin), Some(end)),
                        "{from} {to} {begin} {end}"
                    );
                }
            }
            assert!(is_found((from, to), None, None));
        }
        // What lies far away is not gone through.
        assert!(!is_found((0, 60), Some(1_000_000), None));
        assert!(!is_found((1_000_000, 1_000_060), None, Some(60)));
    }
}
