//! Declarations that make terms, and those that make none.

use super::super::card::sample::member;
use super::sample::{FULL, MINIMAL};
use super::*;
use std::error::Error as _;

fn aero() -> Member {
    member("did:web:aero.example", "Aero", "US", 2)
}

fn plates() -> Member {
    member("did:web:plates.example", "Plates", "DE", 1)
}

fn terms_of(
    text: &str,
    cards: Vec<Member>,
) -> Result<(PartnershipTerms, Profile), DeclarationError> {
    let now = "2026-05-01T08:00:00Z".parse().unwrap();
    Declaration::parse(text)?.terms(
        aero(),
        cards,
        now,
        Salt::from_bytes([3; 32]),
        &Taxonomies::builtin(),
    )
}

fn shape_error(text: &str) -> String {
    let error = Declaration::parse(text).unwrap_err();
    error.source().unwrap().to_string()
}

fn terms_error(from: &str, to: &str) -> String {
    assert!(FULL.contains(from), "{from}");
    terms_of(&FULL.replacen(from, to, 1), vec![plates()])
        .unwrap_err()
        .to_string()
}

#[test]
fn everything_that_is_written_comes_into_the_terms() {
    let declaration = Declaration::parse(FULL).unwrap();
    assert_eq!(
        declaration.members()[0].card,
        PathBuf::from("supplier.card")
    );
    let fingerprint = Fingerprint::from(Digest::from_bytes([0xab; 32]));
    assert_eq!(declaration.members()[0].fingerprint, Some(fingerprint));
    let (terms, profile) = terms_of(FULL, vec![plates()]).unwrap();
    assert_eq!(terms.edition, 1);
    assert_eq!(terms.declarer, aero().card.organization);
    let declarer = Member {
        deputies: ["did:web:trustee.example".parse().unwrap()].into(),
        ..aero()
    };
    assert_eq!(terms.members, [declarer, plates()]);
    let program = terms.program.as_ref().unwrap();
    assert_eq!(program.to_string(), "F-ONE (did:web:aero.example)");
    let parts: Vec<String> = terms.parts.iter().map(ToString::to_string).collect();
    assert_eq!(
        parts,
        [
            "PLATE-1 (did:web:aero.example)",
            "P1 (did:web:plates.example)"
        ]
    );
    assert_eq!(terms.observed_until.to_string(), "2018-01-01T00:00:00Z");
    assert_eq!(terms.lease_until.to_string(), "2027-06-30T00:00:00Z");
    assert!(terms.derived.is_some());
    assert_eq!(terms.profile, profile.digest());
    assert!(profile.text().contains(terms.forbids.as_deref().unwrap()));
    // What is signed is what is sent: the terms survive their encoding.
    let again: PartnershipTerms = ambit_ledger::decode(&ambit_ledger::encode(&terms)).unwrap();
    assert_eq!(again, terms);
}

#[test]
fn what_is_left_out_has_its_default() {
    let declaration = Declaration::parse(MINIMAL).unwrap();
    assert_eq!(declaration.partnership().as_str(), "aero/plates/f-one");
    assert_eq!(declaration.members()[0].fingerprint, None);
    let (terms, _) = terms_of(MINIMAL, vec![plates()]).unwrap();
    assert_eq!(terms.lease_until, terms.until);
    assert_eq!(terms.erasure, ErasureExtent::Readings);
    assert!(terms.parts.is_empty());
    assert!(
        terms
            .members
            .iter()
            .all(|member| member.deputies.is_empty())
    );
    assert!(terms.forbids.is_none() && terms.derived.is_none());
}

#[test]
fn a_fault_of_the_shape_is_named_with_its_place() {
    let text = shape_error(&FULL.replace("retention_days", "retention"));
    assert!(text.contains("line 12, column 1"), "{text}");
    assert!(
        text.contains("unknown field `retention`, expected one of"),
        "{text}"
    );
    assert!(text.contains("`retention_days`"), "{text}");
    let text = shape_error(&FULL.replace("card =", "cart ="));
    assert!(
        text.contains("unknown field `cart`, expected `card` or `fingerprint`"),
        "{text}"
    );
    let text = shape_error(&FULL.replace("assigner =", "assigned ="));
    assert!(text.contains("line 5"), "{text}");
    assert!(text.contains("unknown field `assigned`"), "{text}");
    let text = shape_error(&FULL.replace("2027-12-31T00:00:00Z", "2027-12-31"));
    assert!(text.contains("line 10"), "{text}");
    assert!(
        text.contains("`2027-12-31` is not an RFC 3339 instant such as"),
        "{text}"
    );
    let text = shape_error(&FULL.replace("abababab abababab", "abababab"));
    assert!(
        text.contains("is not a fingerprint: 64 hexadecimal digits"),
        "{text}"
    );
    let text = shape_error(&FULL.replace("program = \"F-ONE\"", "program = 1"));
    assert!(text.contains("write an identifier of yours"), "{text}");
    let text = shape_error(&FULL.replace("erasure = \"readings\"", "erasure = \"some\""));
    assert!(text.contains("expected `readings` or `all`"), "{text}");
    let text = shape_error(&FULL.replace("\nuntil = \"2027-12-31T00:00:00Z\"", ""));
    assert!(text.contains("missing field `until`"), "{text}");
}

#[test]
fn a_fault_of_the_terms_is_named_with_what_mends_it() {
    assert_eq!(
        terms_error("purpose:supplier-quality", "purpose:suplier-quality"),
        "unknown purpose `urn:ambit:purpose:suplier-quality`: did you mean `urn:ambit:purpose:supplier-quality`?"
    );
    assert_eq!(
        terms_error("[\"quality\"]", "[\"qualty\"]"),
        "unknown data class `qualty`: did you mean `quality`?"
    );
    assert_eq!(
        terms_error("2017-01-01T00:00:00Z", "2017-01-01T00:00:30Z"),
        "the window's instant 2017-01-01T00:00:30Z is no whole minute of UTC: observations are only that exact"
    );
    assert_eq!(
        terms_error("2027-06-30", "2028-06-30"),
        "the lease runs to 2028-06-30T00:00:00Z, beyond the end at 2027-12-31T00:00:00Z: shorten it"
    );
    assert_eq!(
        terms_error("2027-06-30", "2026-01-01"),
        "`lease_until` is 2026-01-01T00:00:00Z, which has passed: it is 2026-05-01T08:00:00Z now; choose a later one"
    );
    assert!(terms_error("2027-12-31", "2020-12-31").starts_with("`until` is 2020-12-31"));
    assert!(terms_error("2017-01-01", "2019-01-01").contains("must end after 2019-01-01"));
    assert!(terms_error("= 365", "= 0").contains("`retention_days` is 0"));
    assert!(terms_error("[\"quality\"]", "[]").contains("name at least one"));
    assert!(terms_error("forbid (", "permit (").contains("`no-flatness` permits"));
    let misspelt = terms_error("resource.semanticId", "resource.semanticld");
    assert!(
        misspelt.contains("line 3, column 8 of `forbids`: "),
        "{misspelt}"
    );
    assert!(
        terms_error("[\"did:web:aero.example\"]", "[\"did:web:x.example\"]")
            .contains("`did:web:x.example`, which is no member")
    );
}

#[test]
fn every_member_is_there_once() {
    let text = |cards| terms_of(FULL, cards).unwrap_err().to_string();
    assert!(text(vec![]).contains("has 1 `[[member]]` entries, but 0 cards"));
    assert!(text(vec![aero()]).starts_with("`did:web:aero.example` is your own organization"));
    let group = member("did:web:plates.example", "Plates", "EU", 1);
    assert_eq!(
        text(vec![group]),
        "`did:web:plates.example` states `EU` as seat, which is a group of countries: it must name countries in its \
         node.toml and hand out a new card"
    );
    let twice = format!("{FULL}\n[[member]]\ncard = \"again.card\"");
    assert_eq!(
        terms_of(&twice, vec![plates(), plates()])
            .unwrap_err()
            .to_string(),
        "`did:web:plates.example` is listed as a member twice: take one `[[member]]` entry away"
    );
    let alone = FULL.split("[[member]]").next().unwrap();
    assert!(matches!(
        terms_of(alone, vec![]),
        Err(DeclarationError::NoMembers)
    ));
}
