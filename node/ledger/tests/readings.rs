//! Which groups of readings are one observation, and which belong to which facts.

use crate::cose::bytes;
use crate::samples::{self, named};
use ambit_ledger::{
    CodecError, Digest, Facts, ITEM_BYTES_MAX, Name, PartialReadings, Quality, READINGS_MAX,
    Reading, Readings, ReadingsError, Time, When,
};
use coset::cbor::Value;
use std::collections::BTreeSet;

fn reading(when: When) -> Reading {
    Reading {
        path: named("A"),
        when,
        quality: Quality::Good,
        value: Some("1".to_owned()),
        value_type: None,
        unit: None,
        element: None,
        attachment: None,
    }
}

fn at(text: &str) -> Reading {
    reading(When::Instant { at: named(text) })
}

fn over(from: &str, to: &str) -> Reading {
    let (from, to) = (named(from), named(to));
    reading(When::Interval { from, to })
}

fn group(readings: Vec<Reading>) -> Readings {
    Readings {
        salt: samples::salt(1),
        readings,
    }
}

/// Facts that name these readings.
fn facts_of(readings: &Readings) -> Facts {
    let (observed_from, observed_to) = readings.span().unwrap();
    Facts {
        observed_from,
        observed_to,
        readings: readings.digest().unwrap(),
        reading_count: readings.readings.len().try_into().unwrap(),
        ..samples::least_facts()
    }
}

#[test]
fn a_block_is_read_against_its_facts() {
    let readings = samples::readings();
    let bytes = readings.encode().unwrap();
    assert_eq!(
        Readings::decode(&bytes, &samples::facts()).unwrap(),
        readings
    );
    assert_eq!(
        readings.span(),
        Some((named("2026-05-01T07:30:00Z"), named("2026-05-01T08:00:06Z")))
    );
    assert_eq!(group(Vec::new()).span(), None);
}

/// A whole block put together by hand: the leaves' paths and how many readings each has.
fn block(leaves: &[(&str, usize)]) -> Vec<u8> {
    let map = |values: Vec<Value>| {
        let pairs = (0..).zip(values);
        Value::Map(
            pairs
                .map(|(key, value)| (Value::from(key), value))
                .collect(),
        )
    };
    let instant = samples::begun().as_nanos();
    let when = map(vec![map(vec![Value::from(instant)])]);
    let reading = map(vec![when, Value::from(0)]);
    let leaf = |(path, count): &(&str, usize)| {
        map(vec![
            Value::from(*path),
            Value::Array(vec![reading.clone(); *count]),
        ])
    };
    let leaves = Value::Array(leaves.iter().map(leaf).collect());
    let salt = Value::Bytes(samples::salt(1).as_bytes().to_vec());
    bytes(&map(vec![map(vec![salt, leaves])]))
}

#[test]
fn from_one_reading_to_a_thousand() {
    let times = |count: usize| group(vec![at("2026-05-01T08:00:00Z"); count]);
    for count in [1, READINGS_MAX] {
        let readings = times(count);
        let bytes = readings.encode().unwrap();
        let facts = facts_of(&readings);
        assert_eq!(Readings::decode(&bytes, &facts).unwrap(), readings);
        Readings::decode(&block(&[("A", count)]), &facts).unwrap_err();
    }
    for count in [0, READINGS_MAX + 1] {
        assert!(matches!(
            times(count).encode(),
            Err(ReadingsError::Count(found)) if found == count
        ));
        // From outside.
        assert!(matches!(
            Readings::decode(&block(&[("A", count)]), &samples::facts()),
            Err(ReadingsError::Count(_))
        ));
    }
}

#[test]
fn a_block_has_one_encoding() {
    let read = |leaves: &[(&str, usize)]| Readings::decode(&block(leaves), &samples::facts());
    assert!(matches!(
        read(&[("A", 1), ("B", 2)]),
        Err(ReadingsError::Digest)
    ));
    for leaves in [
        &[("B", 1), ("A", 1)][..],
        &[("A", 1), ("A", 1)],
        &[("A", 1), ("B", 0)],
    ] {
        assert!(matches!(
            read(leaves),
            Err(ReadingsError::Codec(CodecError::NotCanonical))
        ));
    }
    // Whatever the order between paths, it is the same block; the order within one is kept.
    let one = samples::readings();
    let mut other = one.clone();
    other.readings.reverse();
    other
        .readings
        .sort_by_key(|reading| std::cmp::Reverse(reading.when.to()));
    assert_ne!(other.encode().unwrap(), one.encode().unwrap());
    other.readings.sort_by_key(|reading| reading.when.to());
    assert_ne!(other.readings, one.readings);
    assert_eq!(other.encode().unwrap(), one.encode().unwrap());
    assert_eq!(other.digest().unwrap(), one.digest().unwrap());
}

#[test]
fn a_block_fits_one_item() {
    let mut readings = group(vec![at("2026-05-01T08:00:00Z")]);
    let spare = ITEM_BYTES_MAX - readings.encode().unwrap().len();
    // The length of the longer text takes two bytes more.
    readings.readings[0].value = Some("1".repeat(spare - 1));
    assert_eq!(readings.encode().unwrap().len(), ITEM_BYTES_MAX);
    readings.readings[0].value = Some("1".repeat(spare));
    assert!(matches!(
        readings.encode(),
        Err(ReadingsError::TooLarge(size)) if size == ITEM_BYTES_MAX + 1
    ));
    assert!(matches!(
        Readings::decode(&vec![0; ITEM_BYTES_MAX + 1], &facts_of(&readings)),
        Err(ReadingsError::Codec(CodecError::TooLarge { .. }))
    ));
}

/// HMAC-SHA256 (RFC 2104) with nothing but SHA-256.
fn hmac(key: &[u8], message: &[&[u8]]) -> Digest {
    let pad = |byte: u8| -> Vec<u8> {
        let padded = key.iter().copied().chain(std::iter::repeat(0));
        padded.take(64).map(|each| each ^ byte).collect()
    };
    let inner_pad = pad(0x36);
    let inner = [&[inner_pad.as_slice()], message].concat();
    Digest::of_parts(&[&pad(0x5c), Digest::of_parts(&inner).as_bytes()])
}

/// The digest computed as the format states it, with none of the code that makes it.
#[test]
fn the_digest_is_the_root_over_salted_leaves() {
    let readings = samples::readings();
    let block: Value = coset::cbor::from_reader(readings.encode().unwrap().as_slice()).unwrap();
    let whole = block.into_map().unwrap().remove(0).1.into_map().unwrap();
    let leaves = whole[1].1.clone().into_array().unwrap();
    let drawn = hmac(&[0; 32], &[readings.salt.as_bytes()]);
    let mut hashes: Vec<Digest> = leaves
        .iter()
        .map(|leaf| {
            let path = leaf.as_map().unwrap()[0].1.as_text().unwrap();
            let info = [b"ambit/readings/1 leaf\0", path.as_bytes(), &[1]];
            let salt = hmac(drawn.as_bytes(), &info);
            Digest::of_parts(&[&[0], salt.as_bytes(), &bytes(leaf)])
        })
        .collect();
    assert_eq!(hashes.len(), 8);
    hashes.sort_unstable();
    assert_eq!(ambit_ledger::root(&hashes), readings.digest().unwrap());
}

#[test]
fn every_part_is_read_against_the_same_facts() {
    let (whole, facts) = (samples::readings(), samples::facts());
    let paths: BTreeSet<&Name> = whole.readings.iter().map(|reading| &reading.path).collect();
    assert_eq!(paths.len(), 8);
    for chosen in 1..(1_u32 << paths.len()) - 1 {
        let kept: BTreeSet<&Name> = (0..)
            .zip(&paths)
            .filter(|(index, _)| chosen >> index & 1 == 1)
            .map(|(_, path)| *path)
            .collect();
        let part = whole.part(|path| kept.contains(path)).unwrap().unwrap();
        assert_eq!(part.digest(), facts.readings);
        let bytes = part.encode().unwrap();
        // Not the salt from which every leaf's follows, and none of what is absent.
        let holds = |secret: &[u8]| bytes.windows(secret.len()).any(|window| window == secret);
        assert!(!holds(whole.salt.as_bytes()));
        for path in &paths {
            assert_eq!(
                holds(path.as_str().as_bytes()),
                kept.contains(path),
                "{path}"
            );
        }
        let read = PartialReadings::decode(&bytes, &facts).unwrap();
        assert_eq!(read, part);
        let expected = whole
            .readings
            .iter()
            .filter(|reading| kept.contains(&reading.path));
        assert!(read.readings().eq(expected.cloned()));
        assert_eq!(read.hashes().len() + read.absent().len(), paths.len());
        assert!(matches!(
            Readings::decode(&bytes, &facts),
            Err(ReadingsError::Part)
        ));
        // A part of a part is the same part of the whole.
        let least = *kept.first().unwrap();
        if let Some(less) = read.part(|path| path == least) {
            assert_eq!(Some(less), whole.part(|path| path == least).unwrap());
        } else {
            assert_eq!(kept.len(), 1);
        }
    }
    assert_eq!(whole.part(|_| true).unwrap(), None);
    assert_eq!(whole.part(|_| false).unwrap(), None);
}

#[test]
fn a_part_that_is_not_of_the_whole_is_refused() {
    type Change = fn(&mut Vec<(Value, Value)>);
    let (whole, facts) = (samples::readings(), samples::facts());
    let part = whole
        .part(|path| path.as_str() != "Energy")
        .unwrap()
        .unwrap();
    let read = |change: Change| {
        let value: Value = coset::cbor::from_reader(part.encode().unwrap().as_slice()).unwrap();
        let mut block = value.into_map().unwrap();
        let fields = block[0].1.as_map_mut().unwrap();
        change(fields);
        PartialReadings::decode(&bytes(&Value::Map(block)), &facts)
    };
    fn list(field: &mut (Value, Value)) -> &mut Vec<Value> {
        field.1.as_array_mut().unwrap()
    }
    read(|_| ()).unwrap();
    let cases: [(&str, Change); 6] = [
        ("less of it", |fields| drop(list(&mut fields[0]).pop())),
        ("nothing absent", |fields| list(&mut fields[1]).clear()),
        ("more absent", |fields| {
            list(&mut fields[1]).push(Value::Bytes(vec![0xff; 32]));
        }),
        ("a leaf twice", |fields| {
            let leaf = list(&mut fields[0])[0].clone();
            list(&mut fields[0]).insert(0, leaf);
        }),
        ("leaves unsorted", |fields| list(&mut fields[0]).reverse()),
        ("another salt", |fields| {
            let leaf = list(&mut fields[0])[0].as_map_mut().unwrap();
            leaf[0].1 = Value::Bytes(vec![0; 32]);
        }),
    ];
    for (case, change) in cases {
        assert!(read(change).is_err(), "{case}");
    }
    let whole = whole.encode().unwrap();
    assert!(matches!(
        PartialReadings::decode(&whole, &facts),
        Err(ReadingsError::Part)
    ));
    for facts in [
        Facts {
            reading_count: 8,
            ..facts.clone()
        },
        Facts {
            observed_to: samples::begun(),
            ..facts
        },
    ] {
        assert!(matches!(
            PartialReadings::decode(&part.encode().unwrap(), &facts),
            Err(ReadingsError::Facts)
        ));
    }
}

#[test]
fn an_element_stands_beside_no_value_and_an_attachment_beside_its_digest() {
    let reading = at("2026-05-01T08:00:00Z");
    let attachment = samples::readings()
        .readings
        .into_iter()
        .find_map(|reading| reading.attachment)
        .unwrap();
    let refused = [
        Reading {
            element: Some("{}".to_owned()),
            ..reading.clone()
        },
        Reading {
            attachment: Some(attachment.clone()),
            ..reading.clone()
        },
        Reading {
            attachment: Some(attachment),
            value: None,
            ..reading
        },
    ];
    for reading in refused {
        assert!(matches!(
            group(vec![reading]).check(),
            Err(ReadingsError::Element(_))
        ));
    }
}

#[test]
fn instants_share_a_minute_and_intervals_need_not() {
    let first = "2026-05-01T08:00:00Z";
    let accepted = [
        vec![at(first), at("2026-05-01T08:00:59.999999999Z")],
        vec![over("2026-05-01T06:00:00Z", "2026-05-01T09:00:00Z")],
        vec![
            at(first),
            over("2026-05-01T06:00:00Z", "2026-05-01T07:00:00Z"),
        ],
        vec![over(first, first)],
    ];
    for readings in accepted {
        assert!(group(readings).check().is_ok());
    }
    let spans = [
        vec![at("2026-05-01T07:59:59.999999999Z"), at(first)],
        vec![
            at(first),
            over(first, first),
            at("2026-05-01T08:01:00Z"),
            at(first),
        ],
    ];
    for readings in spans {
        assert!(matches!(
            group(readings).check(),
            Err(ReadingsError::SpansMinutes)
        ));
    }
}

#[test]
fn an_interval_does_not_end_before_it_starts() {
    let readings = group(vec![over(
        "2026-05-01T08:00:00.000000001Z",
        "2026-05-01T08:00:00Z",
    )]);
    assert!(matches!(
        readings.encode(),
        Err(ReadingsError::Backwards(path)) if path.as_str() == "A"
    ));
}

#[test]
fn only_what_was_measured_has_a_value() {
    for (quality, can_have_value) in [
        (Quality::Good, true),
        (Quality::Uncertain, true),
        (Quality::Bad, true),
        (Quality::Unavailable, false),
        (Quality::Empty, false),
    ] {
        let mut reading = at("2026-05-01T08:00:00Z");
        reading.quality = quality;
        let outcome = group(vec![reading.clone()]).check();
        assert_eq!(outcome.is_ok(), can_have_value, "{quality:?}");
        if let Err(error) = outcome {
            assert!(matches!(error, ReadingsError::Quality(path) if path.as_str() == "A"));
        }
        reading.value = None;
        assert!(group(vec![reading]).check().is_ok());
    }
}

#[test]
fn other_bytes_than_the_facts_name_are_refused() {
    let mut other = samples::readings();
    other.salt = samples::salt(2);
    assert!(matches!(
        Readings::decode(&other.encode().unwrap(), &samples::facts()),
        Err(ReadingsError::Digest)
    ));
    let bytes = samples::readings().encode().unwrap();
    for bytes in [&[], &bytes[1..], b"no readings"] {
        assert!(matches!(
            Readings::decode(bytes, &samples::facts()),
            Err(ReadingsError::Codec(_))
        ));
    }
}

#[test]
fn facts_state_the_count_and_the_span() {
    let bytes = samples::readings().encode().unwrap();
    let facts = samples::facts();
    let earlier = |time: Time| Time::try_from(time.as_nanos() - 1).unwrap();
    for facts in [
        Facts {
            reading_count: 8,
            ..facts.clone()
        },
        Facts {
            reading_count: 10,
            ..facts.clone()
        },
        Facts {
            observed_from: earlier(facts.observed_from),
            ..facts.clone()
        },
        Facts {
            observed_to: earlier(facts.observed_to),
            ..facts
        },
    ] {
        assert!(matches!(
            Readings::decode(&bytes, &facts),
            Err(ReadingsError::Facts)
        ));
    }
}
