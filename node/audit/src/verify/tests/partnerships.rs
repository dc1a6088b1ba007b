//! Rules of editions.

use crate::Rule;
use crate::fixture::{Keys, Ledger, customer, organization, supplier, terms, time};
use ambit_ledger::{
    Body, Decline, Digest, EditionStage, IssuerPinned, KeyPurpose, ManifestSignature, Member,
    PartnershipDeclined, PartnershipEdition, PartnershipTerms, SignedCard, Time, encode,
};
use serde_bytes::ByteBuf;

const PROPOSED: usize = 4;
const ACTIVE: usize = 5;

fn agreed(terms: &PartnershipTerms) -> Ledger {
    let mut ledger = Ledger::open(supplier());
    ledger.agree(terms);
    ledger
}

fn alter(index: usize, change: impl FnOnce(&mut PartnershipEdition)) -> Ledger {
    let mut ledger = agreed(&terms());
    ledger.alter(index, |body| {
        let Body::PartnershipEdition(body) = body else {
            panic!()
        };
        change(body);
    });
    ledger
}

#[test]
fn a_clean_edition() {
    agreed(&terms()).expect(&[]);
}

#[test]
fn terms_are_those_the_entry_names() {
    let mut other = terms();
    other.profile = Digest::of(b"another text");
    agreed(&other).expect(&[
        (Rule::EditionTerms, Some(PROPOSED)),
        (Rule::EditionProfile, Some(PROPOSED)),
        (Rule::EditionTerms, Some(ACTIVE)),
        (Rule::EditionProfile, Some(ACTIVE)),
    ]);
    let expected = [
        (Rule::EditionTerms, Some(PROPOSED)),
        (Rule::EditionTerms, Some(ACTIVE)),
    ];
    let mut other = terms();
    other.members.reverse();
    agreed(&other).expect(&expected);
    let ledger = alter(PROPOSED, |body| {
        body.partnership = "another".parse().unwrap()
    });
    ledger.expect(&expected[..1]);
    let mut ledger = agreed(&terms());
    let profile = ledger.put(b"no terms");
    ledger.push(Body::PartnershipEdition(PartnershipEdition {
        partnership: "another".parse().unwrap(),
        edition: profile,
        stage: EditionStage::Proposed,
        signatures: vec![],
        roots: vec![],
        profile,
    }));
    ledger.expect(&[(Rule::BlobShape, Some(6))]);
}

#[test]
fn roots_of_all_other_members_were_compared() {
    alter(PROPOSED, |body| body.roots.clear()).expect(&[]);
    let expected = [(Rule::EditionRoots, Some(ACTIVE))];
    alter(ACTIVE, |body| body.roots.clear()).expect(&expected);
    alter(ACTIVE, |body| body.roots.insert(0, supplier().compared())).expect(&expected);
    alter(ACTIVE, |body| body.roots.push(supplier().compared())).expect(&expected);
    alter(ACTIVE, |body| body.roots.push(customer().compared())).expect(&expected);
    alter(ACTIVE, |body| {
        body.roots[0].root = supplier().compared().root
    })
    .expect(&expected);
    let stranger = organization("did:web:stranger.example");
    alter(ACTIVE, |body| body.roots[0].organization = stranger).expect(&expected);
}

#[test]
fn an_edition_in_force_has_all_signatures_over_one_digest() {
    let expected = [(Rule::EditionSignatures, Some(ACTIVE))];
    alter(ACTIVE, |body| body.signatures.reverse()).expect(&expected);
    let mut ledger = alter(ACTIVE, |_| {});
    let all = ledger.entries[ACTIVE].body().unwrap();
    let Body::PartnershipEdition(all) = all else {
        panic!()
    };
    for signature in &all.signatures {
        let kept = *signature;
        ledger.alter(ACTIVE, |body| {
            let Body::PartnershipEdition(body) = body else {
                panic!()
            };
            body.signatures = vec![kept];
        });
        let found = ledger.verify();
        assert_eq!(found.findings()[0].rule, Rule::EditionSignatures);
    }

    // A signature under other terms.
    let mut other = terms();
    other.retention_days += 1;
    let keys = customer();
    let signature = ManifestSignature::sign(
        &other,
        &keys.organization,
        other.declared_at,
        &keys.agreement(),
    );
    let mut ledger = alter(ACTIVE, |_| {});
    let signature = ledger.put(&signature);
    ledger.alter(ACTIVE, |body| {
        let Body::PartnershipEdition(body) = body else {
            panic!()
        };
        body.signatures.push(signature);
        body.signatures.sort();
    });
    ledger.expect(&expected);
}

#[test]
fn a_signature_by_another_key_does_not_verify() {
    let keys = customer();
    let mut ledger = agreed(&terms());
    let forged = ManifestSignature::sign(
        &terms(),
        &keys.organization,
        terms().declared_at,
        &keys.checkpoint(),
    );
    let forged = ledger.put(&forged);
    ledger.alter(ACTIVE, |body| {
        let Body::PartnershipEdition(body) = body else {
            panic!()
        };
        body.signatures.push(forged);
        body.signatures.sort();
    });
    ledger.expect(&[(Rule::Key, Some(ACTIVE))]);
}

#[test]
fn the_partnership_layer_is_what_the_terms_render_to() {
    // All members signed terms that name a text beside them, which permits everything.
    let text = "@id(\"all\") permit (principal, action, resource);";
    let mut other = terms();
    other.profile = Digest::of(text.as_bytes());
    let mut ledger = agreed(&other);
    let profile = ledger.put(text.as_bytes());
    for index in [PROPOSED, ACTIVE] {
        ledger.alter(index, |body| {
            let Body::PartnershipEdition(body) = body else {
                panic!()
            };
            body.profile = profile;
        });
    }
    let rendered = Digest::of(ambit_policy::render(&other).unwrap().as_bytes());
    ledger.blobs.remove(&rendered);
    ledger.expect(&[
        (Rule::EditionProfile, Some(PROPOSED)),
        (Rule::EditionProfile, Some(ACTIVE)),
    ]);
    let report = ledger.verify();
    assert!(report.findings()[0].how.contains(&rendered.to_string()));
    assert!(
        report
            .to_string()
            .contains(": not what its terms render to\n"),
        "{report}"
    );
}

#[test]
fn terms_that_only_a_later_version_renders_are_left_open() {
    let mut later = terms();
    later.renderer += 1;
    let ledger = agreed(&later);
    ledger.expect(&[
        (Rule::Unchecked, Some(PROPOSED)),
        (Rule::Unchecked, Some(ACTIVE)),
    ]);
    let report = ledger.verify().to_string();
    assert!(report.contains(": not rendered again\n"), "{report}");
}

#[test]
fn an_edition_names_the_organization_whose_ledger_it_is_in() {
    let mut other = terms();
    other.members.pop();
    other.profile = Digest::of(ambit_policy::render(&other).unwrap().as_bytes());
    let report = agreed(&other).verify();
    let first = &report.findings()[0];
    assert_eq!(
        (first.rule, first.entry),
        (Rule::EditionTerms, Some(PROPOSED as u64))
    );
    assert_eq!(first.how, "`did:web:supplier.example` is no member");
}

#[test]
fn a_member_does_not_change_its_root_unseen() {
    let mut second = terms();
    second.edition = 2;
    second.previous = [terms().digest()].into();
    let other = Keys::of(crate::fixture::CUSTOMER, 70);
    let key = customer().statement();
    let mut card = customer().card();
    card.certificates = vec![other.certificate(KeyPurpose::Statement, &key)];
    second.members[0] = Member::of(SignedCard::sign(card, &key));
    second.profile = Digest::of(ambit_policy::render(&second).unwrap().as_bytes());
    let mut ledger = agreed(&terms());
    ledger.agree(&second);
    for index in [ACTIVE + 1, ACTIVE + 2] {
        ledger.alter(index, |body| {
            let Body::PartnershipEdition(body) = body else {
                panic!()
            };
            body.roots = vec![other.compared()];
        });
    }
    ledger.expect(&[(Rule::RootDiffers, Some(ACTIVE + 1))]);
}

#[test]
fn certificates_of_members_are_their_own() {
    let mut other = terms();
    let certificate = other.members[1].card.certificates[0].clone();
    let mut card = customer().card();
    card.certificates.push(certificate);
    other.members[0].card = SignedCard::sign(card, &customer().statement());
    let found = agreed(&other).verify();
    let rules: Vec<Rule> = found.findings().iter().map(|found| found.rule).collect();
    assert_eq!(rules[0], Rule::Certificate, "{found}");
}

#[test]
fn an_own_card_has_no_certificate_that_the_ledger_lacks() {
    let mut other = terms();
    let mut card = supplier().card();
    card.certificates.push(supplier().certificate(
        KeyPurpose::Person,
        &ambit_ledger::SecretKey::from_seed(&[0x77; 32]),
    ));
    other.members[1].card = SignedCard::sign(card, &supplier().statement());
    let found = agreed(&other).verify();
    let rules: Vec<Rule> = found.findings().iter().map(|found| found.rule).collect();
    assert_eq!(rules[0], Rule::Certificate, "{found}");
}

#[test]
fn a_members_card_is_signed_by_itself() {
    let mut other = terms();
    other.members[0].card = SignedCard::sign(customer().card(), &customer().checkpoint());
    let found = agreed(&other).verify();
    let rules: Vec<Rule> = found.findings().iter().map(|found| found.rule).collect();
    assert_eq!(rules, [Rule::Key, Rule::Key], "{found}");
}

#[test]
fn editions_follow_one_another() {
    let (first, mut second) = (terms(), terms());
    second.edition = 2;
    second.previous = [first.digest()].into();
    let succession = |next: &PartnershipTerms| {
        let mut ledger = agreed(&first);
        ledger.agree(next);
        ledger
    };
    succession(&second).expect(&[]);
    // Nobody names terms before they are declared, but for what clocks may be apart.
    second.declared_at = first.declared_at.minus_seconds(300);
    succession(&second).expect(&[]);
    second.declared_at = first.declared_at.minus_seconds(301);
    succession(&second).expect(&[(Rule::EditionChain, Some(7))]);
    // Nor do many editions get further than one.
    second.declared_at = first.declared_at.minus_seconds(200);
    let mut third = terms();
    (third.edition, third.previous) = (3, [second.digest()].into());
    third.declared_at = first.declared_at.minus_seconds(300);
    let mut ledger = succession(&second);
    ledger.agree(&third);
    ledger.expect(&[]);
    third.declared_at = first.declared_at.minus_seconds(301);
    let mut ledger = succession(&second);
    ledger.agree(&third);
    let last = ledger.entries.len() - 1;
    ledger.expect(&[(Rule::EditionChain, Some(last))]);
    second.declared_at = first.declared_at;
    second.previous = [Digest::of(b"another")].into();
    succession(&second).expect(&[(Rule::EditionChain, Some(7))]);
    second.previous = [].into();
    succession(&second).expect(&[(Rule::EditionChain, Some(7))]);
    // Another first edition beside the one in force.
    (second.edition, second.title) = (1, "Another".parse().unwrap());
    succession(&second).expect(&[(Rule::EditionChain, Some(7))]);
}

#[test]
fn an_edition_follows_what_was_complete_and_not_replaced() {
    let first = terms();
    let mut other = terms();
    other.title = "Another".parse().unwrap();
    let mut second = terms();
    second.edition = 2;
    second.previous = [first.digest(), other.digest()].into();
    let mut ledger = agreed(&first);
    ledger.agree(&other);
    // It is only proposed.
    ledger.truncate(ledger.entries.len() - 1);
    let mut incomplete = ledger.clone();
    incomplete.agree(&second);
    // Beside it only the blobs are found that the entry left out had named.
    let last = |ledger: &Ledger| {
        let report = ledger.verify();
        let found = report.findings().iter();
        let found = found.filter(|found| found.rule != Rule::BlobStray);
        let found: Vec<_> = found.map(|found| (found.rule, found.entry)).collect();
        assert_eq!(found.len(), 1, "{report}");
        assert_eq!(found[0].1, Some(ledger.entries.len() as u64 - 1));
        found[0].0
    };
    assert_eq!(last(&incomplete), Rule::Unchecked);
    let keys = customer();
    let decline = Decline {
        member: keys.organization.clone(),
        edition: other.digest(),
        reason: "Another price".parse().unwrap(),
        at: ledger.now,
    };
    ledger.push(Body::PartnershipDeclined(PartnershipDeclined {
        partnership: other.partnership.clone(),
        decline: ByteBuf::from(decline.sign(&keys.agreement())),
    }));
    ledger.agree(&second);
    assert_eq!(last(&ledger), Rule::EditionChain);
    // What it replaced is not followed any more.
    second.previous = [first.digest()].into();
    let mut third = terms();
    third.edition = 3;
    third.previous = [first.digest(), second.digest()].into();
    let mut ledger = agreed(&first);
    ledger.agree(&second);
    ledger.agree(&third);
    ledger.expect(&[(Rule::EditionChain, Some(ledger.entries.len() - 1))]);
    third.previous = [second.digest()].into();
    let mut ledger = agreed(&first);
    ledger.agree(&second);
    ledger.agree(&third);
    ledger.expect(&[]);
}

#[test]
fn of_a_proposal_only_those_count_whose_roots_were_compared() {
    let third = Keys::of("third", 9);
    let mut proposed = terms();
    let card = SignedCard::sign(third.card(), &third.statement());
    proposed.members.push(Member::of(card));
    let by_name = |one: &Member, next: &Member| one.card.organization.cmp(&next.card.organization);
    proposed.members.sort_by(by_name);
    proposed.profile = Digest::of(ambit_policy::render(&proposed).unwrap().as_bytes());
    let recorded = |stage| {
        let mut ledger = Ledger::open(supplier());
        ledger.certify_agreement();
        let keys = customer();
        let (signer, key) = (&keys.organization, keys.agreement());
        let signature = ManifestSignature::sign(&proposed, signer, ledger.now, &key);
        ledger.put(ambit_policy::render(&proposed).unwrap().as_bytes());
        let edition = ledger.put(&encode(&proposed));
        let signatures = vec![ledger.put(&signature)];
        ledger.push(Body::PartnershipEdition(PartnershipEdition {
            partnership: proposed.partnership.clone(),
            edition,
            stage,
            signatures,
            roots: vec![keys.compared()],
            profile: proposed.profile,
        }));
        ledger
    };
    // No auditor is asked for the root of the third, nor are its keys taken in.
    recorded(EditionStage::Proposed).expect(&[]);
    let report = recorded(EditionStage::Active).verify();
    let rules: Vec<Rule> = report.findings().iter().map(|found| found.rule).collect();
    assert!(rules.contains(&Rule::EditionRoots), "{report}");
}

#[test]
fn what_an_entry_verified_stays_good_whatever_becomes_of_its_key() {
    let mut ledger = agreed(&terms());
    let mut active = None;
    ledger.alter(ACTIVE, |body| active = Some(body.clone()));
    ledger.truncate(ACTIVE);
    let keys = customer();
    // Since yesterday it signs nothing any more, and its card neither.
    let ended = |purpose, key| {
        let begun = time("2026-01-01T00:00:00Z");
        keys.certificate_between(purpose, &key, (begun, Some(begun.plus_days(1))))
    };
    ledger.push(Body::IssuerPinned(IssuerPinned {
        issuer: keys.organization.clone(),
        root: keys.root().public().fingerprint(),
        certificates: vec![
            ended(KeyPurpose::Agreement, keys.agreement()),
            ended(KeyPurpose::Statement, keys.statement()),
        ],
        undone: false,
    }));
    let mut first = ledger.clone();
    ledger.push(active.unwrap());
    ledger.expect(&[]);
    // What no entry has verified is looked at by what is known then.
    let mut other = terms();
    other.partnership = "customer/supplier/other".parse().unwrap();
    first.agree(&other);
    let report = first.verify();
    let rules: Vec<Rule> = report.findings().iter().map(|found| found.rule).collect();
    assert!(rules.contains(&Rule::KeyTime), "{report}");
}

#[test]
fn a_decline_is_by_a_member_of_a_proposed_edition() {
    let decline_at = |edition: Digest, partnership: &str, at: &str| {
        let keys = customer();
        let statement = Decline {
            member: keys.organization.clone(),
            edition,
            reason: "the window is too wide".parse().unwrap(),
            at: time(at),
        };
        let mut ledger = agreed(&terms());
        let active = ledger.entries[ACTIVE].body().unwrap();
        ledger.truncate(ACTIVE);
        // Signatures under the edition that is cut off.
        let Body::PartnershipEdition(edition) = &active else {
            panic!()
        };
        let Body::PartnershipEdition(proposed) = ledger.entries[PROPOSED].body().unwrap() else {
            panic!()
        };
        for signature in &edition.signatures {
            if !proposed.signatures.contains(signature) {
                ledger.blobs.remove(signature);
            }
        }
        ledger.push(Body::PartnershipDeclined(PartnershipDeclined {
            partnership: partnership.parse().unwrap(),
            decline: ByteBuf::from(statement.sign(&keys.agreement())),
        }));
        ledger
    };
    let decline = |edition: Digest, partnership: &str| {
        decline_at(edition, partnership, "2026-05-01T09:00:00Z")
    };
    let edition = terms().digest();
    decline(edition, terms().partnership.as_str()).expect(&[]);
    // Neither before the terms were declared, nor after it was recorded.
    for (at, found) in [
        ("2026-05-01T07:55:00Z", &[][..]),
        ("2026-05-01T07:54:59Z", &[(Rule::Decline, Some(ACTIVE))]),
        ("2026-05-01T09:10:00Z", &[(Rule::Decline, Some(ACTIVE))]),
    ] {
        decline_at(edition, terms().partnership.as_str(), at).expect(found);
    }
    decline(edition, "another").expect(&[(Rule::Decline, Some(ACTIVE))]);
    let unknown = Digest::of(&encode(&"unknown"));
    decline(unknown, terms().partnership.as_str()).expect(&[(Rule::Decline, Some(ACTIVE))]);
    let mut forged = decline(edition, terms().partnership.as_str());
    forged.alter(ACTIVE, |body| {
        let Body::PartnershipDeclined(body) = body else {
            panic!()
        };
        *body.decline.last_mut().unwrap() ^= 1;
    });
    forged.expect(&[(Rule::Signature, Some(ACTIVE))]);
    // What is in force can no longer be declined.
    let declined = decline(edition, terms().partnership.as_str());
    let declined = declined.entries.last().unwrap().body().unwrap();
    let mut late = agreed(&terms());
    late.push(declined.clone());
    late.expect(&[(Rule::Decline, Some(6))]);
    // Nor later, when another edition is in force; and it is not proposed again then.
    let (mut replaced, mut second) = (agreed(&terms()), terms());
    second.edition = 2;
    second.previous = [terms().digest()].into();
    replaced.agree(&second);
    let proposed = replaced.entries[PROPOSED].body().unwrap();
    replaced.push(declined.clone());
    replaced.push(proposed);
    replaced.expect(&[
        (Rule::Decline, Some(ACTIVE + 3)),
        (Rule::EditionChain, Some(ACTIVE + 4)),
    ]);
    // What was declined does not come into force.
    let mut ended = agreed(&terms());
    let active = ended.entries[ACTIVE].body().unwrap();
    ended.truncate(ACTIVE);
    ended.push(declined);
    ended.push(active);
    ended.expect(&[(Rule::Decline, Some(ACTIVE + 1))]);
}

/// The supplier's ledger with an agreement that it declined, at an instant.
fn declined_by_itself(at: Time) -> Ledger {
    let mut ledger = agreed(&terms());
    ledger.truncate(ACTIVE);
    let Body::PartnershipEdition(proposed) = ledger.entries[PROPOSED].body().unwrap() else {
        panic!()
    };
    let edition = proposed.edition;
    let known = [edition, proposed.profile, proposed.signatures[0]];
    ledger.blobs.retain(|digest, _| known.contains(digest));
    let own = supplier();
    let decline = Decline {
        member: own.organization.clone(),
        edition,
        reason: "the window is too wide".parse().unwrap(),
        at,
    };
    ledger.push(Body::PartnershipDeclined(PartnershipDeclined {
        partnership: terms().partnership,
        decline: ByteBuf::from(decline.sign(&own.agreement())),
    }));
    ledger
}

#[test]
fn nobody_signs_after_declining() {
    let now = agreed(&terms()).entries[ACTIVE].time;
    let mut ledger = declined_by_itself(now);
    let own = supplier();
    let at = ledger.now;
    let signature = ManifestSignature::sign(&terms(), &own.organization, at, &own.agreement());
    let signature = ledger.put(&signature);
    let Body::PartnershipEdition(mut proposed) = ledger.entries[PROPOSED].body().unwrap() else {
        panic!()
    };
    proposed.signatures.push(signature);
    proposed.signatures.sort();
    ledger.push(Body::PartnershipEdition(proposed));
    let last = ledger.entries.len() as u64 - 1;
    let report = ledger.verify();
    let mut found = report.findings().iter();
    assert!(
        found.any(|found| (found.rule, found.entry) == (Rule::Decline, Some(last))),
        "{report}"
    );
}

#[test]
fn what_an_organization_signs_it_records_at_once() {
    let now = agreed(&terms()).entries[ACTIVE].time;
    for (at, is_right) in [
        (now, true),
        (now.minus_seconds(600), true),
        (now.minus_seconds(601), false),
        (now.plus_seconds(1), false),
    ] {
        let found: &[_] = if is_right {
            &[]
        } else {
            &[(Rule::Decline, Some(ACTIVE))]
        };
        declined_by_itself(at).expect(found);

        // Its signature, in the first entry that has it: in what follows it is older, and right.
        let mut ledger = agreed(&terms());
        let own = supplier();
        let signature = ManifestSignature::sign(&terms(), &own.organization, at, &own.agreement());
        let signature = ledger.put(&signature);
        let Body::PartnershipEdition(proposed) = ledger.entries[PROPOSED].body().unwrap() else {
            panic!()
        };
        let mut before = Digest::of(b"");
        let sign = |body: &mut Body| {
            let Body::PartnershipEdition(body) = body else {
                panic!()
            };
            let others = &proposed.signatures;
            let own = body.signatures.iter().find(|own| !others.contains(own));
            before = *own.unwrap();
            body.signatures = vec![others[0], signature];
            body.signatures.sort();
        };
        ledger.alter(ACTIVE, sign);
        ledger.blobs.remove(&before);
        let active = ledger.entries[ACTIVE].body().unwrap();
        ledger.now = ledger.now.plus_seconds(3_600);
        ledger.push(active);
        let found: &[_] = if is_right {
            &[]
        } else {
            &[(Rule::EditionSignatures, Some(ACTIVE))]
        };
        ledger.expect(found);
    }
}

#[test]
fn a_stranger_signs_no_edition() {
    let mut ledger = agreed(&terms());
    let stranger = Keys::of("did:web:stranger.example", 90);
    let signature = ManifestSignature::sign(
        &terms(),
        &stranger.organization,
        ledger.now,
        &stranger.agreement(),
    );
    let signature = ledger.put(&signature);
    ledger.alter(ACTIVE, |body| {
        let Body::PartnershipEdition(body) = body else {
            panic!()
        };
        body.signatures.push(signature);
        body.signatures.sort();
    });
    ledger.expect(&[(Rule::EditionSignatures, Some(ACTIVE))]);
}

#[test]
fn an_agreement_is_signed_by_no_key_but_its_own() {
    let edition = alter(ACTIVE, |_| {});
    for keys in [supplier(), customer()] {
        for key in [keys.statement(), keys.checkpoint(), keys.root()] {
            let mut ledger = edition.clone();
            let signed =
                ManifestSignature::sign(&terms(), &keys.organization, terms().declared_at, &key);
            let signed = ledger.put(&signed);
            ledger.alter(ACTIVE, |body| {
                let Body::PartnershipEdition(body) = body else {
                    panic!()
                };
                body.signatures = vec![signed];
            });
            let report = ledger.verify();
            let found = &report.findings()[0];
            assert_eq!((found.rule, found.entry), (Rule::Key, Some(ACTIVE as u64)));
            assert_eq!(report.exit_code(), 1, "{report}");
        }
    }
    // Nor is a decline; and the agreement's key signs nothing else.
    let mut ledger = edition;
    let keys = customer();
    let decline = Decline {
        member: keys.organization.clone(),
        edition: terms().digest(),
        reason: "the window is too wide".parse().unwrap(),
        at: time("2026-05-01T09:00:00Z"),
    };
    ledger.push(Body::PartnershipDeclined(PartnershipDeclined {
        partnership: terms().partnership,
        decline: ByteBuf::from(decline.sign(&keys.statement())),
    }));
    ledger.expect(&[(Rule::Key, Some(ACTIVE + 1))]);
    let mut other = terms();
    other.members[0].card = SignedCard::sign(keys.card(), &keys.agreement());
    let report = agreed(&other).verify();
    let rules: Vec<Rule> = report.findings().iter().map(|found| found.rule).collect();
    assert_eq!(rules, [Rule::Key, Rule::Key], "{report}");
}

#[test]
fn a_member_signs_with_no_key_before_it_is_good() {
    let keys = customer();
    let mut card = keys.card();
    let later = time("2027-01-01T00:00:00Z");
    card.certificates[1] = keys.certificate_from(KeyPurpose::Agreement, &keys.agreement(), later);
    let mut other = terms();
    other.members[0] = Member::of(SignedCard::sign(card, &keys.statement()));
    other.profile = Digest::of(ambit_policy::render(&other).unwrap().as_bytes());
    let report = agreed(&other).verify();
    let found: Vec<_> = report
        .findings()
        .iter()
        .map(|found| (found.rule, found.entry))
        .collect();
    assert!(
        found.contains(&(Rule::KeyTime, Some(PROPOSED as u64))),
        "{report}"
    );
    assert_eq!(report.exit_code(), 1);
}

#[test]
fn nobody_signs_terms_before_they_are_declared() {
    let signed = |at: &str| {
        let mut ledger = Ledger::open(supplier());
        ledger.agree_with(&terms(), time(at));
        ledger
    };
    let found = |ledger: Ledger| {
        let report = ledger.verify();
        let found = report.findings().iter().map(|found| found.rule);
        found.collect::<Vec<_>>()
    };
    assert!(!found(signed("2026-05-01T07:56:00Z")).contains(&Rule::EditionSignatures));
    assert!(found(signed("2026-05-01T07:54:00Z")).contains(&Rule::EditionSignatures));
}

#[test]
fn a_card_is_no_later_than_its_terms() {
    let carded = |number: &str| {
        let keys = customer();
        let mut card = keys.card();
        card.number = time(number);
        let mut other = terms();
        other.members[0] = Member::of(SignedCard::sign(card, &keys.statement()));
        other.profile = Digest::of(ambit_policy::render(&other).unwrap().as_bytes());
        agreed(&other)
    };
    carded("2026-05-01T08:05:00Z").expect(&[]);
    carded("2026-05-01T08:05:00.001Z").expect(&[(Rule::EditionTerms, Some(ACTIVE))]);
}

#[test]
fn of_two_cards_of_a_member_the_later_one_holds() {
    let keys = customer();
    let carded = |partnership: &str, number: &str, seat: &str| {
        let mut card = keys.card();
        card.number = time(number);
        card.seat = seat.parse().unwrap();
        card.hosting = [card.seat.clone()].into();
        let mut other = terms();
        other.partnership = partnership.parse().unwrap();
        other.members[0] = Member::of(SignedCard::sign(card, &keys.statement()));
        other.profile = Digest::of(ambit_policy::render(&other).unwrap().as_bytes());
        other
    };
    let (earlier, later) = ("2026-05-01T07:00:00Z", "2026-05-01T08:00:00Z");
    let both = |first: &PartnershipTerms, second: &PartnershipTerms| {
        let mut ledger = agreed(first);
        ledger.agree(second);
        ledger
    };
    let held = carded("customer/supplier/one", later, "DE");
    // The later one is the same, or the earlier one says the same.
    for (number, seat) in [
        (later, "DE"),
        (earlier, "DE"),
        ("2026-05-01T08:00:01Z", "FR"),
    ] {
        both(&held, &carded("customer/supplier/two", number, seat)).expect(&[]);
    }
    for number in [earlier, later] {
        let ledger = both(&held, &carded("customer/supplier/two", number, "FR"));
        ledger.expect(&[(Rule::CardOrder, Some(ACTIVE + 2))]);
    }
    // Nor is it hidden by another proposal of the agreement that has the later one, or by one without the root.
    for hides in [&carded("customer/supplier/one", earlier, "FR"), &held] {
        let mut ledger = agreed(&held);
        let edition = ledger.put(&encode(hides));
        let profile = ledger.put(ambit_policy::render(hides).unwrap().as_bytes());
        ledger.push(Body::PartnershipEdition(PartnershipEdition {
            partnership: hides.partnership.clone(),
            edition,
            stage: EditionStage::Proposed,
            signatures: Vec::new(),
            roots: Vec::new(),
            profile,
        }));
        ledger.agree(&carded("customer/supplier/two", earlier, "FR"));
        let last = ledger.entries.len() - 1;
        let report = ledger.verify();
        let found = report.findings().iter();
        let mut found = found.filter(|found| found.rule == Rule::CardOrder);
        assert_eq!(found.next().unwrap().entry, Some(last as u64), "{report}");
    }
    // Also where both were only proposed by then.
    for number in [earlier, later] {
        let mut ledger = agreed(&held);
        let first = ledger.entries.pop().unwrap().body().unwrap();
        ledger.agree(&carded("customer/supplier/two", number, "FR"));
        let second = ledger.entries.pop().unwrap().body().unwrap();
        ledger.push(first);
        // What is not accepted for it is no fault.
        let report = ledger.verify();
        let mut rules = report.findings().iter().map(|found| found.rule);
        assert!(rules.all(|rule| rule != Rule::CardOrder), "{report}");
        ledger.push(second);
        let last = ledger.entries.len() - 1;
        ledger.expect(&[(Rule::CardOrder, Some(last))]);
    }
    // What is proposed already was taken in before.
    let mut ledger = agreed(&carded("customer/supplier/two", earlier, "FR"));
    let active = ledger.entries.pop().unwrap().body().unwrap();
    ledger.agree(&held);
    ledger.push(active);
    ledger.expect(&[]);
}

#[test]
fn own_keys_stand_in_key_certified_alone() {
    // The agreement's key is certified by its own entry; without that, the card alone certifies nothing.
    let mut ledger = agreed(&terms());
    ledger.entries.remove(PROPOSED - 1);
    let report = ledger.verify();
    let found = report.findings();
    assert!(
        found.iter().any(|found| found.rule == Rule::Key),
        "{report}"
    );
}

#[test]
fn what_all_members_signed_is_in_force() {
    alter(ACTIVE, |body| body.stage = EditionStage::Proposed)
        .expect(&[(Rule::EditionSignatures, Some(ACTIVE))]);
    // And what its own organization signed, it does not decline.
    let keys = customer();
    let mut own = Ledger::open(keys.clone());
    own.agree(&terms());
    let Body::PartnershipEdition(proposed) = own.entries[PROPOSED].body().unwrap() else {
        panic!()
    };
    own.truncate(PROPOSED + 1);
    let kept = [proposed.edition, proposed.profile, proposed.signatures[0]];
    own.blobs.retain(|digest, _| kept.contains(digest));
    own.expect(&[]);
    let decline = Decline {
        member: keys.organization.clone(),
        edition: proposed.edition,
        reason: "never agreed".parse().unwrap(),
        at: own.now,
    };
    own.push(Body::PartnershipDeclined(PartnershipDeclined {
        partnership: terms().partnership,
        decline: ByteBuf::from(decline.sign(&keys.agreement())),
    }));
    own.expect(&[(Rule::Decline, Some(ACTIVE))]);
}

#[test]
fn nothing_comes_into_force_that_is_over() {
    // An entry may come as late as a commit waits.
    for (late, is_right) in [(0, true), (1_200, false)] {
        let mut ended = terms();
        let opened = Ledger::open(supplier()).now;
        ended.lease_until = opened.plus_seconds(600).start_of_millis();
        ended.profile = Digest::of(ambit_policy::render(&ended).unwrap().as_bytes());
        let mut ledger = Ledger::open(supplier());
        ledger.now = opened.plus_seconds(late);
        ledger.agree(&ended);
        let found = ledger.verify();
        let found: Vec<_> = found.findings().iter().map(|found| found.rule).collect();
        let expected: &[Rule] = if is_right { &[] } else { &[Rule::EditionTerms] };
        assert_eq!(found, expected);
    }
}

#[test]
fn signatures_spread_over_entries_are_all_the_same() {
    let Body::PartnershipEdition(all) = agreed(&terms()).entries[ACTIVE].body().unwrap() else {
        panic!()
    };
    let Body::PartnershipEdition(first) = agreed(&terms()).entries[PROPOSED].body().unwrap() else {
        panic!()
    };
    let mut signatures = all.signatures.iter();
    let own = signatures.find(|own| **own != first.signatures[0]);
    let own = *own.unwrap();
    // The second entry lacks what the first has, and together all have signed.
    alter(ACTIVE, |body| {
        body.stage = EditionStage::Proposed;
        body.signatures = vec![own];
    })
    .expect(&[(Rule::EditionSignatures, Some(ACTIVE))]);
    // Or none at all is left of it.
    let mut ledger = alter(ACTIVE, |body| {
        body.stage = EditionStage::Proposed;
        body.signatures = vec![];
    });
    ledger.blobs.remove(&own);
    ledger.expect(&[(Rule::EditionSignatures, Some(ACTIVE))]);
    // What is said to be in force shows by itself that all signed, also another time.
    let mut ledger = agreed(&terms());
    let mut again = all.clone();
    again.signatures.clear();
    ledger.push(Body::PartnershipEdition(again));
    let last = ledger.entries.len() - 1;
    ledger.expect(&[(Rule::EditionSignatures, Some(last))]);
}
