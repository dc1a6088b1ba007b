use super::super::{Control, FRAME_BYTES_MAX, Frame, Hello};
use super::{first_hello, parties};
use ambit_ledger::{Digest, ITEM_BYTES_MAX, RefusalCode, Salt};
use proptest::prelude::*;

fn digest(byte: u8) -> Digest {
    Digest::from_bytes([byte; 32])
}

fn one_of_each() -> Vec<(Frame, String)> {
    let aa = "aa".repeat(32);
    let hello = Hello {
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
    vec![
        (
            Frame::Hello { hello },
            format!("a100a100a7006170015820{aa}025820{aa}035820{aa}041901f4055820{aa}061840"),
        ),
        (
            Frame::Hello { hello: opening },
            format!("a100a100a5006170015820{aa}025820{aa}04000600"),
        ),
        (
            Frame::Item {
                seq: 7,
                chain: digest(0xaa),
                observation: vec![1],
                disclosure: vec![2, 3],
                readings: Vec::new(),
            },
            format!("a101a50007015820{aa}0241010342020304 40").replace(' ', ""),
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
        (
            Frame::Reject {
                seq: 0,
                code: RefusalCode::TooLarge,
            },
            "a105a20000010f".to_owned(),
        ),
        (
            Frame::Acknowledgement {
                statement: vec![0xd2],
            },
            "a106a10041d2".to_owned(),
        ),
        (
            Frame::Control {
                message: Control::Signature {
                    statement: vec![0xd2],
                },
            },
            "a107a100a100a10041d2".to_owned(),
        ),
        (
            Frame::Control {
                message: Control::Declined {
                    statement: vec![0xd2],
                },
            },
            "a107a100a101a10041d2".to_owned(),
        ),
    ]
}

#[test]
fn bytes_of_each_kind_are_frozen() {
    for (frame, expected) in one_of_each() {
        let bytes = frame.encode().unwrap();
        assert_eq!(hex::encode(&bytes), expected, "{}", frame.kind());
        assert_eq!(Frame::decode(&bytes).unwrap(), frame);
    }
}

#[test]
fn looseness_is_refused_by_name() {
    let cases = [
        ("nothing", String::new()),
        ("an unknown kind", "a108a10000".to_owned()),
        ("a kind by its name", "a166437265646974a1001840".to_owned()),
        ("a field twice", "a104a200184000 1840".replace(' ', "")),
        ("an unknown field", "a104a2001840 0100".replace(' ', "")),
        ("fields as an array", "a104811840".to_owned()),
        ("a long integer", "a104a100190040".to_owned()),
        ("a null for an absent chain", {
            let aa = "aa".repeat(32);
            format!("a100a100a6006170015820{aa}025820{aa}040005f60600")
        }),
        ("a code beyond 65,535", "a105a20000011a00010000".to_owned()),
        ("a byte more", "a104a100184000".to_owned()),
        ("no statement but a text", "a106a1006161".to_owned()),
    ];
    for (what, text) in cases {
        let error = Frame::decode(&hex::decode(text).unwrap()).unwrap_err();
        assert_eq!(error.code(), RefusalCode::NotCanonical, "{what}");
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
        kind in 0..9_u8,
        field in prop::sample::select(vec![0xa0, 0xa1, 0xa2, 0xa5, 0xbf, 0x80, 0xf6, 0x5b, 0x9b]),
        rest in prop::collection::vec(prop_oneof![0..7_u8, any::<u8>()], 0..80),
    ) {
        read_back(&[&[0xa1, kind, field], rest.as_slice()].concat());
    }

    #[test]
    fn a_cut_or_joined_frame_is_none(
        kind in 0..10_usize,
        other in 0..10_usize,
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
        kind in 0..10_usize,
        other in 0..10_usize,
        at in any::<(prop::sample::Index, prop::sample::Index)>(),
    ) {
        let one = one_of_each()[kind].0.encode().unwrap();
        let other = one_of_each()[other].0.encode().unwrap();
        read_back(&[&one[..at.0.index(one.len())], &other[at.1.index(other.len())..]].concat());
    }

    #[test]
    fn changed_bytes_are_refused_or_stay_as_they_are(
        kind in 0..10_usize,
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
