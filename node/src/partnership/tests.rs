//! Files that strangers send: whatever is changed in them, nothing panics, and nothing verifies that was not signed.

use super::card::sample::{key, member};
use super::declaration::{Declaration, sample};
use super::*;
use ambit_ledger::{
    Decline, Digest, KeyPurpose, ManifestSignature, Member, Name, OrganizationId, PartnershipTerms,
    Salt, decode, encode,
};
use ambit_policy::Taxonomies;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_bytes::ByteBuf;

const AERO: &str = "did:web:aero.example";
const PLATES: &str = "did:web:plates.example";

fn members() -> [Member; 2] {
    [
        member(AERO, "Aero", "US", 2),
        member(PLATES, "Plates", "DE", 1),
    ]
}

fn terms() -> PartnershipTerms {
    let [aero, plates] = members();
    let now = "2026-05-01T08:00:00Z".parse().unwrap();
    let declaration = Declaration::parse(sample::FULL).unwrap();
    let taxonomies = Taxonomies::builtin();
    let salt = Salt::from_bytes([3; 32]);
    let (terms, _) = declaration
        .terms(aero, vec![plates], now, salt, &taxonomies)
        .unwrap();
    terms
}

/// Signed by both, and declined on top.
fn file() -> PartnershipFile {
    let terms = terms();
    let signed = |name: &str, seed| {
        let key = key(seed, KeyPurpose::Agreement);
        let organization: OrganizationId = name.parse().unwrap();
        let at = "2026-05-01T09:00:00Z".parse().unwrap();
        ByteBuf::from(ManifestSignature::sign(&terms, &organization, at, &key))
    };
    let decline = Decline {
        edition: Digest::of(&encode(&terms)),
        member: PLATES.parse().unwrap(),
        reason: "no".parse::<Name>().unwrap(),
        at: "2026-05-02T08:00:00Z".parse().unwrap(),
    };
    PartnershipFile {
        statements: vec![signed(AERO, 2), signed(PLATES, 1)],
        decline: Some(ByteBuf::from(decline.sign(&key(1, KeyPurpose::Agreement)))),
    }
}

#[derive(Clone, Debug)]
enum Change {
    Set(Index, u8),
    Insert(Index, u8),
    Cut(Index),
    Double(Index, Index),
}

fn any_change() -> impl Strategy<Value = Change> {
    prop_oneof![
        any::<(Index, u8)>().prop_map(|(at, byte)| Change::Set(at, byte)),
        any::<(Index, u8)>().prop_map(|(at, byte)| Change::Insert(at, byte)),
        any::<Index>().prop_map(Change::Cut),
        any::<(Index, Index)>().prop_map(|(one, other)| Change::Double(one, other)),
    ]
}

fn changed(bytes: &[u8], changes: &[Change]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for change in changes {
        let size = bytes.len().max(1);
        match change {
            Change::Set(at, byte) => {
                if let Some(place) = bytes.get_mut(at.index(size)) {
                    *place = *byte;
                }
            }
            Change::Insert(at, byte) => bytes.insert(at.index(bytes.len() + 1), *byte),
            Change::Cut(at) => bytes.truncate(at.index(size)),
            Change::Double(one, other) if !bytes.is_empty() => {
                let (one, other) = (one.index(size), other.index(size));
                let part = bytes[one.min(other)..one.max(other)].to_vec();
                bytes.splice(one..one, part);
            }
            Change::Double(..) => {}
        }
    }
    bytes
}

/// Reads a file as far as it goes. Returns how many of its signatures verify with the members' own keys.
fn verified(text: &str) -> usize {
    let Ok(read) = PartnershipFile::read(text) else {
        return 0;
    };
    let originals = file();
    assert_eq!(PartnershipFile::read(&read.write()).unwrap(), read);
    if let Ok(Some(terms)) = read.unverified_terms() {
        // What a person would be shown before anything is verified.
        let me = PLATES.parse().unwrap();
        let page = plain_words(
            &terms,
            &me,
            "",
            &[].into(),
            &Taxonomies::builtin(),
            terms.declared_at,
        );
        assert!(!page.is_empty());
    }
    let roots = members().map(|member| {
        (
            member.card.organization.clone(),
            card_root(&member).unwrap(),
        )
    });
    let keyring = keyring_for(&members(), &roots.into()).unwrap();
    let signed = read.statements.iter().filter(|statement| {
        let is_verified = ManifestSignature::verify(statement, &keyring).is_ok();
        assert!(!is_verified || originals.statements.contains(statement));
        is_verified
    });
    let signed = signed.count();
    if let Some(decline) = &read.decline
        && Decline::verify(decline, &keyring).is_ok()
    {
        assert_eq!(read.decline, originals.decline);
    }
    signed
}

#[test]
fn an_unchanged_file_verifies() {
    assert_eq!(verified(&file().write()), 2);
}

#[test]
fn a_declaration_nested_deeply_is_refused() {
    for open in ["[", "{a=", "[{a="] {
        let text = format!("partnership = {}", open.repeat(100_000));
        assert!(Declaration::parse(&text).is_err());
    }
    let dotted = format!("a{} = 1", ".a".repeat(100_000));
    assert!(Declaration::parse(&dotted).is_err());
}

proptest! {
    #[test]
    fn a_changed_text_of_a_card_never_gets_other_keys(changes in vec(any_change(), 1..4)) {
        let [card, _] = members();
        let text = changed(write_card(&card).as_bytes(), &changes);
        if let Ok(read) = read_card(&String::from_utf8_lossy(&text)) {
            prop_assert_eq!(card_root(&read).unwrap(), card_root(&card).unwrap());
            prop_assert_eq!(transport_key(&read).unwrap(), transport_key(&card).unwrap());
        }
    }

    #[test]
    fn a_changed_card_in_armor_never_gets_other_keys(changes in vec(any_change(), 1..4)) {
        let [card, _] = members();
        let payload = changed(&encode(&card), &changes);
        if let Ok(read) = read_card(&write_armor(ArmorLabel::IdentityCard, &payload)) {
            // What no certificate covers may be another; the keys may not.
            prop_assert_eq!(card_root(&read).unwrap(), card_root(&card).unwrap());
            prop_assert_eq!(transport_key(&read).unwrap(), transport_key(&card).unwrap());
            prop_assert_eq!(&read.card.organization, &card.card.organization);
        }
    }

    #[test]
    fn any_payload_is_no_card_and_no_agreement(payload in vec(any::<u8>(), 0..300)) {
        prop_assert!(read_card(&write_armor(ArmorLabel::IdentityCard, &payload)).is_err());
        prop_assert_eq!(verified(&write_armor(ArmorLabel::Partnership, &payload)), 0);
    }

    #[test]
    fn changed_agreements_verify_only_what_was_signed(changes in vec(any_change(), 1..4)) {
        let text = changed(file().write().as_bytes(), &changes);
        verified(&String::from_utf8_lossy(&text));
        let payload = changed(&encode(&file()), &changes);
        verified(&write_armor(ArmorLabel::Partnership, &payload));
    }

    #[test]
    fn changed_terms_are_shown_without_a_panic(changes in vec(any_change(), 1..3)) {
        if let Ok(terms) = decode::<PartnershipTerms>(&changed(&encode(&terms()), &changes)) {
            let me = PLATES.parse().unwrap();
            let page = plain_words(&terms, &me, "", &[].into(), &Taxonomies::builtin(), terms.declared_at);
            prop_assert!(!page.is_empty());
            let _ = ambit_policy::check_terms(&terms, &Taxonomies::builtin());
        }
    }

    #[test]
    fn a_changed_declaration_is_read_or_refused(changes in vec(any_change(), 1..4)) {
        let text = changed(sample::FULL.as_bytes(), &changes);
        let _ = Declaration::parse(&String::from_utf8_lossy(&text));
    }

    #[test]
    fn any_text_is_a_declaration_or_refused(text in "[a-z_=\\[\\]{}\"'.,:0-9 \n#-]{0,200}") {
        let _ = Declaration::parse(&text);
    }
}
