//! Which groups of readings are one observation, and which belong to which facts.

use crate::samples::{self, named};
use ambit_ledger::{
    Digest, Facts, ITEM_BYTES_MAX, Quality, READINGS_MAX, Reading, Readings, ReadingsError, Time,
    When,
};

fn reading(when: When) -> Reading {
    Reading {
        path: named("A"),
        when,
        quality: Quality::Good,
        value: Some("1".to_owned()),
        value_type: None,
        unit: None,
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

/// Facts that name this block as it is.
fn facts_of(readings: &Readings, bytes: &[u8]) -> Facts {
    let (observed_from, observed_to) = readings.span().unwrap();
    Facts {
        observed_from,
        observed_to,
        readings: Digest::of(bytes),
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
        Some((named("2026-05-01T07:30:00Z"), named("2026-05-01T08:00:03Z")))
    );
    assert_eq!(group(Vec::new()).span(), None);
}

#[test]
fn from_one_reading_to_a_thousand() {
    let times = |count: usize| group(vec![at("2026-05-01T08:00:00Z"); count]);
    for count in [1, READINGS_MAX] {
        let readings = times(count);
        let bytes = readings.encode().unwrap();
        let facts = facts_of(&readings, &bytes);
        assert_eq!(Readings::decode(&bytes, &facts).unwrap(), readings);
    }
    for count in [0, READINGS_MAX + 1] {
        let readings = times(count);
        assert!(matches!(
            readings.encode(),
            Err(ReadingsError::Count(found)) if found == count
        ));
        // From outside, with facts that agree.
        let bytes = ambit_ledger::encode(&readings);
        let facts = Facts {
            readings: Digest::of(&bytes),
            ..samples::facts()
        };
        assert!(matches!(
            Readings::decode(&bytes, &facts),
            Err(ReadingsError::Count(_))
        ));
    }
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
    let bytes = ambit_ledger::encode(&readings);
    assert!(matches!(
        Readings::decode(&bytes, &facts_of(&readings, &bytes)),
        Err(ReadingsError::Codec(
            ambit_ledger::CodecError::TooLarge { .. }
        ))
    ));
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
    let bytes = samples::readings().encode().unwrap();
    let mut other = samples::readings();
    other.salt = samples::salt(2);
    for bytes in [Vec::new(), bytes[1..].to_vec(), other.encode().unwrap()] {
        assert!(matches!(
            Readings::decode(&bytes, &samples::facts()),
            Err(ReadingsError::Digest)
        ));
    }
    let facts = Facts {
        readings: Digest::of(b"no readings"),
        ..samples::facts()
    };
    assert!(matches!(
        Readings::decode(b"no readings", &facts),
        Err(ReadingsError::Codec(_))
    ));
}

#[test]
fn facts_state_the_count_and_the_span() {
    let bytes = samples::readings().encode().unwrap();
    let facts = samples::facts();
    let earlier = |time: Time| Time::try_from(time.as_nanos() - 1).unwrap();
    for facts in [
        Facts {
            reading_count: 5,
            ..facts.clone()
        },
        Facts {
            reading_count: 7,
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
