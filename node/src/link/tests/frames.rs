use super::super::{Arrived, FRAME_BYTES_MAX, Frame, FrameError, Hello, Versions, pack_readings};
use super::{first_hello, parties};
use ambit_ledger::{Digest, ITEM_BYTES_MAX, RefusalCode, Salt};
use proptest::prelude::*;

fn digest(byte: u8) -> Digest {
    Digest::from_bytes([byte; 32])
}

fn one_of_each() -> Vec<(Frame, String)> {
    let aa = "aa".repeat(32);
    let hello = Hello {
        versions: Versions::OWN,
        partnership: "p".parse().unwrap(),
        edition: digest(0xaa),
        incarnation: Salt::from_bytes([0xaa; 32]),
        peer_incarnation: Some(Salt::from_bytes([0xaa; 32])),
        cursor: 500,
        chain: Some(digest(0xaa)),
        credit: 64,
    };
    let opening = Hello {
        peer_incarnation: None,
        cursor: 0,
        chain: None,
        credit: 0,
        ..hello.clone()
    };
    let reject = |code| Frame::Reject { seq: 0, code };
    let control = |kind: u16| Frame::Control {
        kind: kind.into(),
        statement: vec![0xd2],
    };
    vec![
        (
            Frame::Hello { hello },
            format!(
                "a100a100a800a20002010301617002 5820{aa}035820{aa}045820{aa}051901f4065820{aa}071840"
            ),
        ),
        (
            Frame::Hello { hello: opening },
            format!("a100a100a600a200020103016170025820{aa}035820{aa}05000700"),
        ),
        (
            Frame::Item {
                seq: 7,
                chain: digest(0xaa),
                observation: vec![1],
                disclosure: vec![2, 3],
                readings: Vec::new(),
            },
            format!("a101a50007015820{aa}0241010342020304 40"),
        ),
        (
            Frame::Tombstone {
                seq: 24,
                chain: digest(0xaa),
            },
            format!("a102a2001818015820{aa}"),
        ),
        (
            Frame::Ack {
                upto: u64::MAX,
                chain: digest(0xaa),
            },
            format!("a103a2001bffffffffffffffff015820{aa}"),
        ),
        (Frame::Credit { items: 64 }, "a104a1001840".to_owned()),
        (reject(RefusalCode::TooLarge), "a105a20000010f".to_owned()),
        (
            reject(RefusalCode::NewerVersion),
            "a105a20000011903ea".to_owned(),
        ),
        (reject(417.into()), "a105a20000011901a1".to_owned()),
        (
            Frame::Acknowledgement {
                statement: vec![0xd2],
            },
            "a106a10041d2".to_owned(),
        ),
        (control(0), "a107a200000141d2".to_owned()),
        (control(1), "a107a200010141d2".to_owned()),
        (control(999), "a107a2001903e70141d2".to_owned()),
        (
            Frame::Evidence {
                seq: 7,
                statements: vec![vec![1].into(), vec![2].into()],
            },
            "a108a20007018241014102".to_owned(),
        ),
        (
            Frame::Again {
                code: RefusalCode::NotAdmissible,
                upto: 300,
            },
            "a109a2000e0119012c".to_owned(),
        ),
        (
            Frame::PackedItem {
                seq: 7,
                chain: digest(0xaa),
                observation: vec![1],
                disclosure: vec![2, 3],
                readings: vec![0, 4],
            },
            format!("a10aa50007015820{aa}024101034202030442 0004"),
        ),
    ]
}

const KINDS: usize = 16;

#[test]
fn bytes_of_each_kind_are_frozen() {
    for (frame, expected) in one_of_each() {
        let bytes = frame.encode().unwrap();
        let expected = expected.replace(' ', "");
        assert_eq!(hex::encode(&bytes), expected, "{}", frame.kind());
        assert_eq!(Frame::decode(&bytes).unwrap(), frame);
    }
}

#[test]
fn looseness_is_refused_by_name() {
    let cases = [
        ("nothing", String::new()),
        ("a kind by its name", "a166437265646974a1001840".to_owned()),
        ("two kinds", "a204a10018400aa0".to_owned()),
        ("a field twice", "a104a200184000 1840".replace(' ', "")),
        ("fields as an array", "a104811840".to_owned()),
        ("a field by a name", "a104a1616118 40".replace(' ', "")),
        ("a long integer", "a104a100190040".to_owned()),
        ("a null for an absent chain", {
            let aa = "aa".repeat(32);
            format!("a100a100a700a200020102016170025820{aa}035820{aa}050006f60700")
        }),
        (
            "a code that is no number of one",
            "a105a20000011a00010000".to_owned(),
        ),
        ("an ask that names no end", "a109a1000e".to_owned()),
        ("a byte more", "a104a100184000".to_owned()),
        ("no statement but a text", "a106a1006161".to_owned()),
        ("an unknown kind that is cut off", "a10ba1".to_owned()),
    ];
    for (what, text) in cases {
        let error = Frame::decode(&hex::decode(text).unwrap()).unwrap_err();
        assert_eq!(error.code(), RefusalCode::NotCanonical, "{what}");
    }
}

#[test]
fn what_a_newer_version_adds_is_told_from_what_nobody_writes() {
    let aa = "aa".repeat(32);
    let hello = format!("016170025820{aa}035820{aa}05000700");
    let cases = [
        ("the frame of a chunk", "a10ba10041d2".to_owned()),
        ("a frame of a high number", "a11903e880".to_owned()),
        ("a further field", "a104a20018400100".to_owned()),
        ("a further field of an item", {
            format!("a101a60007015820{aa}024101034202030440 05a10001").replace(' ', "")
        }),
        ("a further field of a hello", {
            let hello = hello.replace("0700", "07000800");
            format!("a100a100a700a200020102{hello}")
        }),
    ];
    for (what, text) in cases {
        let error = Frame::decode(&hex::decode(text).unwrap()).unwrap_err();
        assert!(matches!(error, FrameError::Newer), "{what}: {error}");
        assert_eq!(error.code(), RefusalCode::NewerVersion, "{what}");
    }
}

#[test]
fn two_ends_speak_the_newest_version_that_both_know() {
    let versions = |least, most| Versions { least, most };
    for (one, other, common) in [
        (versions(2, 2), versions(2, 2), Some(2)),
        (versions(2, 5), versions(1, 3), Some(3)),
        (versions(2, 2), versions(3, 4), None),
        (versions(4, 3), versions(2, 9), None),
    ] {
        assert_eq!(one.common(other), common);
        assert_eq!(other.common(one), common);
    }
}

#[test]
fn packed_readings_are_read_as_they_were() {
    let packed = |readings: Vec<u8>| Frame::PackedItem {
        seq: 1,
        chain: digest(0xaa),
        observation: vec![1],
        disclosure: vec![2],
        readings,
    };
    let plain = vec![7; ITEM_BYTES_MAX];
    let frame = packed(pack_readings(&plain));
    let bytes = frame.encode().unwrap();
    assert!(bytes.len() < 1_000, "{}", bytes.len());
    let Frame::Item { readings, .. } = Frame::decode(&bytes).unwrap().unpacked().unwrap() else {
        panic!("it is an item");
    };
    assert_eq!(readings, plain);
    // What unpacks to more than any item has, or is not packed as it says.
    let larger = pack_readings(&vec![7; ITEM_BYTES_MAX + 1]);
    for readings in [larger, vec![], vec![2, 0], vec![1, 0xff, 0xff]] {
        let bytes = packed(readings).encode().unwrap();
        let arrived = Arrived::read(&bytes);
        let error = arrived.frame.unwrap_err();
        assert_eq!(error.code(), RefusalCode::NotCanonical, "{error}");
        assert_eq!(arrived.body, None);
    }
}

#[test]
fn the_largest_item_fits_and_a_larger_frame_does_not() {
    let part = vec![0xff; ITEM_BYTES_MAX];
    let largest = Frame::Item {
        seq: u64::MAX,
        chain: parties().edition,
        observation: part.clone(),
        disclosure: part.clone(),
        readings: part,
    };
    let bytes = largest.encode().unwrap();
    assert_eq!(Frame::decode(&bytes).unwrap(), largest);

    let too_large = Frame::Acknowledgement {
        statement: vec![0; FRAME_BYTES_MAX],
    };
    assert_eq!(
        too_large.encode().unwrap_err().code(),
        RefusalCode::TooLarge
    );
    let bytes = vec![0; FRAME_BYTES_MAX + 1];
    assert_eq!(
        Frame::decode(&bytes).unwrap_err().code(),
        RefusalCode::TooLarge
    );
}

/// Whatever is read is what was written: one frame has one encoding.
fn read_back(bytes: &[u8]) {
    if let Ok(frame) = Frame::decode(bytes) {
        assert_eq!(frame.encode().unwrap(), bytes);
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        read_back(&bytes);
    }

    #[test]
    fn any_fields_of_a_frame_are_read_without_a_panic(
        kind in 0..12_u8,
        field in prop::sample::select(vec![0xa0, 0xa1, 0xa2, 0xa5, 0xbf, 0x80, 0xf6, 0x5b, 0x9b]),
        rest in prop::collection::vec(prop_oneof![0..7_u8, any::<u8>()], 0..80),
    ) {
        read_back(&[&[0xa1, kind, field], rest.as_slice()].concat());
    }

    #[test]
    fn a_cut_or_joined_frame_is_none(
        kind in 0..KINDS,
        other in 0..KINDS,
        position in any::<prop::sample::Index>(),
    ) {
        let (one, other) = (&one_of_each()[kind].0, &one_of_each()[other].0);
        let bytes = one.encode().unwrap();
        let cut = &bytes[..position.index(bytes.len())];
        prop_assert_eq!(Frame::decode(cut).unwrap_err().code(), RefusalCode::NotCanonical);
        let joined = [bytes.as_slice(), &other.encode().unwrap()].concat();
        prop_assert_eq!(Frame::decode(&joined).unwrap_err().code(), RefusalCode::NotCanonical);
    }

    #[test]
    fn frames_put_together_from_pieces_are_read_without_a_panic(
        kind in 0..KINDS,
        other in 0..KINDS,
        at in any::<(prop::sample::Index, prop::sample::Index)>(),
    ) {
        let one = one_of_each()[kind].0.encode().unwrap();
        let other = one_of_each()[other].0.encode().unwrap();
        read_back(&[&one[..at.0.index(one.len())], &other[at.1.index(other.len())..]].concat());
    }

    #[test]
    fn changed_bytes_are_refused_or_stay_as_they_are(
        kind in 0..KINDS,
        position in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut bytes = one_of_each()[kind].0.encode().unwrap();
        let position = position.index(bytes.len());
        bytes[position] = byte;
        if let Ok(frame) = Frame::decode(&bytes) {
            prop_assert_eq!(frame.encode().unwrap(), bytes);
        }
    }
}

#[test]
fn an_opener_that_knows_nothing_says_nothing() {
    let hello = first_hello();
    let bytes = Frame::Hello { hello }.encode().unwrap();
    let text = hex::encode(bytes);
    assert!(!text.contains("f6"), "an absent field is left out: {text}");
}
