//! What this version cannot keep is named in declarations and invitations.

use super::card::sample::member;
use super::declaration::{Declaration, sample};
use ambit_ledger::{
    AddedClass, AdmissionRule, AgreedElement, AtEnd, Delivery, DerivedTerms, Digest, ErasureExtent,
    LegalClause, LegalDocument, PartnershipTerms, Reach, Role, Salt, Time,
};
use ambit_policy::{Taxonomies, unbuilt};
use std::fmt::Debug;
use std::str::FromStr;

fn named<T: FromStr<Err: Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

fn terms() -> PartnershipTerms {
    let (terms, _) = Declaration::parse(sample::MINIMAL)
        .unwrap()
        .terms(
            member("did:web:aero.example", "Aero", "US", 2),
            vec![member("did:web:plates.example", "Plates", "DE", 1)],
            named("2026-05-01T08:00:00Z"),
            Salt::from_bytes([3; 32]),
            &Taxonomies::builtin(),
        )
        .unwrap();
    terms
}

fn derived() -> DerivedTerms {
    DerivedTerms {
        data_classes: [named("spc")].into(),
        recipients: [named("did:web:aero.example")].into(),
        purposes: [named("urn:ambit:purpose:quality")].into(),
        not_after: None,
        hold_until: None,
        onward_hops: None,
        again: false,
        outlives_inputs: false,
    }
}

type Change = fn(&mut PartnershipTerms);

/// Each field that this version cannot keep, and one value of it.
const FIELDS: [(&str, Change); 23] = [
    ("previous", |terms| {
        terms.previous = [Digest::of(b"an edition")].into();
    }),
    ("sign_by", |terms| terms.sign_by = Some(Time::LATEST)),
    ("needs", |terms| terms.needs = [named("forward")].into()),
    ("program", |terms| terms.program = None),
    ("parts", |terms| {
        let mut part = ambit_ledger::AgreedPart::from(terms.program.clone().unwrap());
        part.revision = Some(named("C"));
        terms.parts = [part].into();
    }),
    ("lots", |terms| {
        terms.lots = [terms.program.clone().unwrap()].into();
    }),
    ("elements", |terms| {
        let (semantic_id, path) = (None, named("Deviations"));
        terms.elements = [AgreedElement { semantic_id, path }].into();
    }),
    ("added_classes", |terms| {
        let (data_class, parent) = (named("quality.ours"), named("quality"));
        terms.added_classes = vec![AddedClass { data_class, parent }];
    }),
    ("known", |terms| {
        terms.known = [named("did:web:other.example")].into();
    }),
    ("hold_until", |terms| terms.hold_until = Some(Time::LATEST)),
    ("keep_days", |terms| terms.keep_days = Some(1)),
    ("erasure", |terms| terms.erasure = ErasureExtent::All),
    ("at_end", |terms| terms.at_end = AtEnd::Erase),
    ("delivery", |terms| terms.delivery = Delivery::OnRequest),
    ("onward_hops", |terms| terms.onward_hops = 1),
    ("derived", |terms| terms.derived = Some(derived())),
    ("roles", |terms| {
        let role = Role {
            name: named("insurer"),
            purposes: terms.purposes.clone(),
            reach: Reach::Onward,
        };
        terms.roles = [role].into();
    }),
    ("admission", |terms| {
        terms.admission = Some(AdmissionRule {
            role: None,
            attestations: [].into(),
            seats: [].into(),
            hosting: [].into(),
            sites: [].into(),
        });
    }),
    ("documents", |terms| {
        let document = LegalDocument {
            title: named("Framework agreement"),
            media_type: named("application/pdf"),
            digest: Digest::of(b"a document"),
        };
        terms.documents = [document].into();
    }),
    ("clauses", |terms| {
        terms.clauses = vec![LegalClause {
            title: named("Venue"),
            text: "Toulouse".to_owned(),
            prevails: false,
        }];
    }),
    ("role", |terms| {
        terms.members[0].role = Some(named("insurer"))
    }),
    ("deputies", |terms| {
        terms.members[1].deputies = [named("did:web:deputy.example")].into();
    }),
    ("evidence", |terms| {
        terms.members[0].evidence = vec![serde_bytes::ByteBuf::new()];
    }),
];

#[test]
fn what_this_version_keeps_passes() {
    assert_eq!(unbuilt(&terms()), []);
}

#[test]
fn each_field_that_it_cannot_keep_is_named_with_what_to_leave_out() {
    for (field, change) in FIELDS {
        let mut terms = terms();
        change(&mut terms);
        let found = unbuilt(&terms);
        let fields: Vec<&str> = found.iter().map(|found| found.field).collect();
        assert_eq!(fields, [field]);
        let text = found[0].to_string();
        assert!(text.starts_with(&format!("`{field}`: ")), "{text}");
        // The terms survive their encoding: what is refused here is refused where it is read.
        let bytes = ambit_ledger::encode(&terms);
        let read: PartnershipTerms = ambit_ledger::decode(&bytes).unwrap();
        assert_eq!(unbuilt(&read), found);
    }
}

#[test]
fn everything_at_once_is_named_once_each() {
    let mut terms = terms();
    for (_, change) in FIELDS {
        // A part and a lot take the program that is there.
        let program = terms.program.clone();
        change(&mut terms);
        terms.program = program;
    }
    terms.program = None;
    assert_eq!(unbuilt(&terms).len(), FIELDS.len());
}
