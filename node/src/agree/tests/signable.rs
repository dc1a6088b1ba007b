//! What cannot be signed, or could not be read again, is not recorded, and the home opens afterwards.

use super::*;
use crate::agree::EnactError;
use crate::config::ClaimSettings;
use crate::node::ChangeError;
use crate::partnership::{CardError, read_card, write_card};
use ambit_ledger::{
    Authorization, Card, Claim, EditionStage, Jurisdiction, Member, PartnershipEdition, Regime,
    SignedCard, StatementError,
};
use std::collections::BTreeSet;

fn opens(scene: Scene) {
    let Scene {
        folder,
        customer,
        supplier,
        ..
    } = scene;
    drop((customer, supplier));
    for name in ["customer", "supplier"] {
        Node::open(&place(folder.path(), name)).unwrap();
    }
}

#[test]
fn terms_too_large_for_a_statement_are_not_declared() {
    let scene = Scene::new();
    let size = scene.customer.store().size();
    let forbids = format!("forbids = '''\n// {}\n'''", "x".repeat(62_500));
    let refused = scene.try_declare("large", scene.now.plus_days(9), &forbids);
    let Err(PartnerError::Unsignable(StatementError::TooLarge { .. })) = refused else {
        panic!("{refused:?}");
    };
    let (_, message) = kind(refused.unwrap_err());
    assert!(message.contains("at most 65535"), "{message}");
    unchanged(&scene.customer, size);
    opens(scene);
}

#[test]
fn a_claim_ends_on_a_whole_millisecond() {
    let fine: Time = "2030-01-01T00:00:00.0005Z".parse().unwrap();
    let mut settings = settings("supplier");
    settings.organization.claims = vec![ClaimSettings {
        what: "iso27001".parse().unwrap(),
        issuer: "did:web:auditor.example".parse().unwrap(),
        number: None,
        not_after: fine,
    }];
    let scene = Scene::with(settings);
    let member = read_card(&scene.supplier.card(scene.now).unwrap()).unwrap();
    let ends: Vec<Time> = member.claims.iter().map(|claim| claim.not_after).collect();
    assert_eq!(ends, [fine.start_of_millis()]);
    scene.declare("claims", scene.now.plus_days(9), "");
    // What another program wrote is not taken.
    let claims = member.claims.iter().cloned();
    let claims = claims.map(|claim| ambit_ledger::Claim {
        not_after: fine,
        ..claim
    });
    let other = Member {
        claims: claims.collect(),
        ..member
    };
    let refused = read_card(&write_card(&other));
    assert!(matches!(refused, Err(CardError::FinerThanMillis { instant, .. }) if instant == fine));
    opens(scene);
}

#[test]
fn terms_in_which_a_member_states_a_group_of_countries_are_not_signed() {
    let scene = Scene::new();
    let invitation = scene.declare("c/s/group", scene.now.plus_days(9), "").file;
    let before = scene.supplier.store().size();
    type Change = fn(&mut Card, Jurisdiction);
    let stated: [(&str, Change); 3] = [
        ("seat", |card, group| card.seat = group),
        ("hosting", |card, group| card.hosting = [group].into()),
        ("personnel", |card, group| card.personnel = [group].into()),
    ];
    for ((what, change), group) in stated.into_iter().zip(["NOT-EMBARGOED", "EU", "EAR-A5-US"]) {
        let forged = resigned(&scene.customer, &invitation, |terms| {
            let mut members = terms.members.iter_mut();
            let declarer = members.find(|member| member.card.organization == terms.declarer);
            let declarer = declarer.unwrap();
            let mut card = Card::clone(&declarer.card);
            change(&mut card, group.parse().unwrap());
            let statement = &scene.customer.keys().statement;
            declarer.card = SignedCard::issue(card, statement).unwrap();
        });
        for refused in [
            scene.supplier.review(&forged, scene.now),
            scene.accept(&forged, scene.now),
        ] {
            let (_, message) = kind(refused.unwrap_err());
            let told = format!("`did:web:customer.example` states `{group}` as {what}");
            assert!(message.contains(&told), "{message}");
            assert!(message.contains("hand out a new card"), "{message}");
        }
        unchanged(&scene.supplier, before);
    }
    opens(scene);
}

#[test]
fn what_could_not_be_read_again_is_not_recorded() {
    let scene = Scene::new();
    let node = &scene.customer;
    let size = node.store().size();
    let edition = Digest::of(b"nowhere");
    let writes = vec![Write::Entry(Body::PartnershipEdition(PartnershipEdition {
        partnership: "lost".parse().unwrap(),
        edition,
        stage: EditionStage::Proposed,
        signatures: Vec::new(),
        roots: Vec::new(),
        profile: edition,
    }))];
    let refused = node.enact(node.changing(), writes, scene.now);
    let Err(EnactError::Change(ChangeError::Unreadable(what))) = refused else {
        panic!("{refused:?}");
    };
    assert!(what.contains(&edition.to_string()), "{what}");
    unchanged(node, size);
    opens(scene);
}

#[test]
fn a_card_too_large_is_not_given_out() {
    let mut settings = settings("supplier");
    let address = |number| format!("/dns4/{}{number}.example/tcp/4001", "a".repeat(50));
    settings.mesh.announce = (0..300)
        .map(|number| address(number).parse().unwrap())
        .collect();
    let scene = Scene::with(settings);
    let (_, message) = kind(scene.supplier.card(scene.now).unwrap_err());
    assert!(
        message.contains("`announce`") && message.contains("at most 16384"),
        "{message}"
    );
}

#[test]
fn what_terms_say_otherwise_of_a_member_it_does_not_sign() {
    let mut settings = settings("supplier");
    let claim = |what: &str, number: &str| ClaimSettings {
        what: what.parse().unwrap(),
        number: Some(number.parse().unwrap()),
        issuer: "did:web:reg.example".parse().unwrap(),
        not_after: "2099-01-01T00:00:00Z".parse().unwrap(),
    };
    settings.organization.claims = vec![claim("a", "1"), claim("b", "2")];
    let scene = Scene::with(settings);
    let invitation = scene.declare("c/s/claims", scene.now.plus_days(9), "").file;
    let before = scene.supplier.store().size();
    // All are said in the same words: one that holds both, none, and one that allows something.
    type Change = fn(&mut BTreeSet<Claim>);
    let changes: [Change; 3] = [
        |claims| {
            let last = claims.pop_last().unwrap();
            let mut first = claims.pop_last().unwrap();
            let end = last.not_after;
            let both = format!("1 by {} until {end}, {} 2", first.issuer, last.what);
            first.number = Some(both.parse().unwrap());
            claims.insert(first);
        },
        BTreeSet::clear,
        |claims| {
            let mut last = claims.pop_last().unwrap();
            last.authorization = Some(Authorization {
                regime: Regime::Itar,
                items: ["VIII(h)".parse().unwrap()].into(),
                destinations: ["US".parse().unwrap()].into(),
                authority: last.issuer.clone(),
                number: "2".parse().unwrap(),
                not_after: last.not_after,
            });
            claims.insert(last);
        },
    ];
    for change in changes {
        let forged = resigned(&scene.customer, &invitation, |terms| {
            let mut members = terms.members.iter_mut();
            let supplier = members.find(|member| member.card.organization != terms.declarer);
            change(&mut supplier.unwrap().claims);
        });
        let (kind, message) = kind(scene.accept(&forged, scene.now).unwrap_err());
        assert_eq!(kind, FailureKind::NotAuthorized);
        assert!(
            message.contains("says otherwise of this organization"),
            "{message}"
        );
        assert!(message.contains("claims is "), "{message}");
    }
    unchanged(&scene.supplier, before);
    scene.accept(&invitation, scene.now).unwrap();
    opens(scene);
}
