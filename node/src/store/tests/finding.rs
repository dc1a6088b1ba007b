//! What observations are found by.

use super::super::{Direction, FactValue, Store, StoreError, Wanted, Write};
use super::open;
use super::workload::{Random, commit, observed, opened};
use ambit_ledger::{Facts, Name, ObservationId, Time};
use std::collections::BTreeMap;

/// An observation that is held.
pub(super) struct Held {
    pub(super) index: u64,
    pub(super) id: ObservationId,
    pub(super) facts: Facts,
    pub(super) elements: Vec<(Name, Time)>,
}

impl Held {
    /// In how many lists it stands: four that each does, one of its time, those of what it has.
    pub(super) fn lists(&self) -> usize {
        let has = [self.facts.part.is_some(), self.facts.lot.is_some()];
        5 + has.into_iter().filter(|has| *has).count()
    }

    fn part(&self) -> Option<&str> {
        self.facts.part.as_ref().map(|part| part.value.as_str())
    }

    fn lot(&self) -> Option<&str> {
        self.facts.lot.as_ref().map(|lot| lot.value.as_str())
    }
}

pub(super) fn found(store: &Store, wanted: &Wanted<'_>, way: Direction) -> Vec<u64> {
    let found = store.found(wanted, way).unwrap();
    found.collect::<Result<_, StoreError>>().unwrap()
}

/// Compares what is found both ways with what is held.
#[track_caller]
fn compare(store: &Store, held: &[Held], wanted: &Wanted<'_>, is_wanted: impl Fn(&Held) -> bool) {
    let expected: Vec<u64> = held
        .iter()
        .filter(|held| is_wanted(held))
        .map(|held| held.index)
        .collect();
    // More may be found by time.
    let is_in_time = |index: &u64| {
        let found = held.iter().find(|held| held.index == *index).unwrap();
        wanted
            .from
            .is_none_or(|from| found.facts.observed_to >= from)
            && wanted
                .until
                .is_none_or(|until| found.facts.observed_from < until)
    };
    let in_time =
        |indexes: Vec<u64>| -> Vec<u64> { indexes.into_iter().filter(is_in_time).collect() };
    assert_eq!(in_time(found(store, wanted, Direction::From(0))), expected);
    let mut backwards = in_time(found(store, wanted, Direction::Before(u64::MAX)));
    backwards.reverse();
    assert_eq!(backwards, expected);
    if let Some(middle) = expected.get(expected.len() / 2) {
        let (before, after) = expected.split_at(expected.len() / 2);
        assert_eq!(
            in_time(found(store, wanted, Direction::From(*middle))),
            after
        );
        let mut backwards = in_time(found(store, wanted, Direction::Before(*middle)));
        backwards.reverse();
        assert_eq!(backwards, before);
    }
}

#[track_caller]
pub(super) fn compare_found(held: &[Held], store: &Store) {
    let of = |facts: Vec<Vec<FactValue<'static>>>| Wanted {
        facts,
        ..Wanted::default()
    };
    compare(store, held, &of(vec![]), |_| true);
    let part = |part| FactValue::Part(part);
    compare(store, held, &of(vec![vec![part("part-1")]]), |held| {
        held.part() == Some("part-1")
    });
    compare(
        store,
        held,
        &of(vec![vec![part("part-1"), part("part-2")]]),
        |held| held.part().is_some(),
    );
    let both = of(vec![vec![part("part-2")], vec![FactValue::Lot("lot-1")]]);
    compare(store, held, &both, |held| {
        held.part() == Some("part-2") && held.lot().is_some()
    });
    compare(
        store,
        held,
        &of(vec![vec![FactValue::Serial("part-1")]]),
        |_| false,
    );
    let instants: Vec<Time> = held.iter().map(|held| held.facts.observed_to).collect();
    for from in instants.iter().take(3) {
        for until in instants.iter().rev().take(3) {
            let within = Wanted {
                from: Some(*from),
                until: Some(*until),
                ..Wanted::default()
            };
            compare(store, held, &within, |held| {
                held.facts.observed_to >= *from && held.facts.observed_from < *until
            });
        }
    }
    let mut latest: BTreeMap<&Name, (Time, u64)> = BTreeMap::new();
    for held in held {
        for (path, at) in &held.elements {
            let known = latest.entry(path).or_insert((*at, held.index));
            *known = (*known).max((*at, held.index));
        }
    }
    let Some(first) = held.first() else {
        return;
    };
    let (submodel, origin) = (&first.facts.submodel, &first.facts.issuer);
    let found = store.latest_of(submodel.as_str(), None).unwrap();
    for (path, (at, index)) in &latest {
        let entry = found.iter().find(|found| found.entry == *index).unwrap();
        assert!(store.is_latest(entry, path, *at));
        assert!(!store.is_latest(entry, path, at.plus_seconds(1)));
    }
    assert_eq!(
        store.latest_of(submodel.as_str(), Some(origin)).unwrap(),
        found
    );
    assert!(store.latest_of("urn:other", None).unwrap().is_empty());
    let other = "did:web:other.example".parse().unwrap();
    let of_other = store.latest_of(submodel.as_str(), Some(&other)).unwrap();
    assert!(of_other.is_empty());
}

/// Compares what is found by when it expires with what was said of that.
#[track_caller]
pub(super) fn compare_expiring(expiring: &[(Time, u64)], store: &Store) {
    let by = |by: Time| {
        let wanted = Wanted {
            expires_by: Some(by),
            ..Wanted::default()
        };
        found(store, &wanted, Direction::From(0))
    };
    for (until, _) in expiring {
        let found = by(*until);
        for (other, index) in expiring {
            assert!(found.contains(index) || other > until);
            // Some that may be held a little longer are found as well.
            assert!(
                !found.contains(index) || *other <= until.plus_days(1) || {
                    let of_same = expiring.iter().filter(|(_, of)| of == index);
                    of_same
                        .min()
                        .is_some_and(|(least, _)| *least <= until.plus_days(1))
                }
            );
        }
        assert!(
            found
                .iter()
                .all(|index| expiring.iter().any(|(_, of)| of == index))
        );
    }
    assert!(by(Time::EARLIEST).is_empty());
}

#[test]
fn what_is_counted_is_kept_whole_or_not_at_all() {
    let home = tempfile::tempdir().unwrap();
    let store = open(home.path());
    store.commit(commit(vec![opened()])).unwrap();
    assert_eq!(store.kept().unwrap(), None);
    let long: Vec<u8> = (0..1_000_000_u32)
        .map(|number| number.to_le_bytes()[1])
        .collect();
    for counted in [&b"short"[..], &long, b"", &long[..7_000]] {
        store.keep(counted).unwrap();
        assert_eq!(store.kept().unwrap().as_deref(), Some(counted));
    }
    drop(store);
    assert_eq!(
        open(home.path()).kept().unwrap().as_deref(),
        Some(&long[..7_000])
    );
}

/// What is held once these are written from an index on.
fn held_by(index: u64, writes: &[Write]) -> Vec<Held> {
    let held = (index..).zip(writes).map(|(index, write)| {
        let Write::Observed {
            id,
            facts,
            elements,
            ..
        } = write
        else {
            panic!("not observed");
        };
        Held {
            index,
            id: *id,
            facts: (**facts).clone(),
            elements: elements.clone(),
        }
    });
    held.collect()
}

#[test]
fn many_are_found_in_many_groups_and_after_the_index_key_is_gone() {
    let home = tempfile::tempdir().unwrap();
    let store = open(home.path());
    let mut random = Random(7);
    let mut held = Vec::new();
    let mut number = 0;
    for _ in 0..60 {
        let mut writes = vec![];
        for _ in 0..=random.below(5) {
            number += 1;
            writes.push(observed(number, "1").1);
        }
        held.extend(held_by(store.size(), &writes));
        store.commit(commit(writes)).unwrap();
    }
    compare_found(&held, &store);
    drop(store);
    let key = home.path().join("index.key");
    let before = std::fs::read(&key).unwrap();
    std::fs::remove_file(&key).unwrap();
    let store = open(home.path());
    compare_found(&held, &store);
    assert_ne!(std::fs::read(&key).unwrap(), before);
}

/// More lists than parts are kept of, whose entries lie among each other.
#[test]
fn many_stretches_of_time_are_gone_through_side_by_side() {
    const STRETCHES: u64 = 1_100;
    let home = tempfile::tempdir().unwrap();
    let store = open(home.path());
    let mut held = Vec::new();
    for numbers in (0..3 * STRETCHES).collect::<Vec<_>>().chunks(300) {
        let writes = numbers.iter().map(|number| {
            // 7,919 has no divisor in common with it: each stretch is come upon three times, each time far from the others.
            let stretch = u32::try_from(number * 7_919 % STRETCHES).unwrap();
            let at = Time::EARLIEST
                .plus_days(20_000)
                .plus_seconds(stretch * 7_200);
            let mut write = observed(*number, "1").1;
            if let Write::Observed { facts, .. } = &mut write {
                (facts.observed_from, facts.observed_to) = (at, at);
            }
            write
        });
        let writes: Vec<_> = writes.collect();
        held.extend(held_by(store.size(), &writes));
        store.commit(commit(writes)).unwrap();
    }
    let ends = |held: &Held| held.facts.observed_to;
    let (first, last) = (held.iter().map(ends).min(), held.iter().map(ends).max());
    for (from, until) in [(first, None), (None, last), (None, None)] {
        let within = Wanted {
            from,
            until,
            facts: vec![vec![FactValue::Held]],
            ..Wanted::default()
        };
        compare(&store, &held, &within, |held| {
            from.is_none_or(|from| held.facts.observed_to >= from)
                && until.is_none_or(|until| held.facts.observed_from < until)
        });
    }
}
