//! Scopes: the widest allowed is not too wide, and every way to be wider is named.

use crate::fixture::{
    OEM_A, OEM_B, SUPPLIER, SUPPLIER_QUALITY, assigned, facts, id, layers_for, limits, now,
    rendered, terms, time, with_owner_rule,
};
use ambit_ledger::{
    AgreementState, Card, DerivedTerms, Digest, ErasureExtent, Facts, Limits, OrganizationId,
    PartnershipTerms, Party, Purpose, RecordDigest, Scope, SecretKey, SignedCard, Time,
};
use ambit_policy::{
    Bound, Layers, NoLimits, Taxonomies, Widening, agreement, check_scope, check_within_limits,
    check_within_parent, inquiry_for_disclosure, judge, limits_in_force, name_members, no_limits,
    scope_for,
};
use std::collections::BTreeSet;
use std::convert::Infallible;

fn widest() -> Scope {
    let (terms, limits) = (terms(OEM_A, "quality"), limits(OEM_A, "quality"));
    let facts = facts(OEM_A, "inspection-result");
    scope_for(
        &terms,
        &limits,
        &facts,
        &id(OEM_A),
        &Taxonomies::builtin(),
        now(),
    )
}

#[test]
fn the_widest_scope_is_within_both() {
    let scope = widest();
    assert_eq!(scope.recipients, [id(OEM_A)].into());
    assert_eq!(scope.purposes, [SUPPLIER_QUALITY.parse().unwrap()].into());
    assert_eq!(scope.not_after, time("2027-06-01T00:00:00Z"));
    assert_eq!(scope.hold_until, time("2028-05-01T00:00:00Z"));
    let taxonomies = Taxonomies::builtin();
    assert_eq!(
        check_scope(&terms(OEM_A, "quality"), &scope, now(), &taxonomies),
        Ok(())
    );
    assert_eq!(
        check_within_limits(&scope, &limits(OEM_A, "quality"), &taxonomies),
        Ok(())
    );
}

/// The agreement of the supplier with both manufacturers, to be passed on once.
fn of_three() -> (PartnershipTerms, Limits) {
    let (mut terms, mut limits) = (terms(OEM_A, "quality"), limits(OEM_A, "quality"));
    terms.members.insert(1, crate::fixture::member(OEM_B, "DE"));
    (terms.onward_hops, limits.onward_hops) = (2, 1);
    (rendered(terms), limits)
}

/// The scope for the first manufacturer, with whoever the owner's layers let be named.
fn named(layers: &Layers, terms: &PartnershipTerms, limits: &Limits, facts: &Facts) -> Scope {
    let recipient = id(OEM_A);
    let taxonomies = layers.taxonomies();
    let scope = scope_for(terms, limits, facts, &recipient, taxonomies, now());
    let agreement = agreement(terms, AgreementState::Active, terms.lease_until);
    let ask = |member: &OrganizationId, scope: &Scope| {
        let party = Party::from(terms.member(member).unwrap());
        let asked = inquiry_for_disclosure(facts, scope, &party, &agreement, Some(limits), now());
        Ok::<_, Infallible>(judge(layers, &asked, now()).decision.admitted())
    };
    name_members(scope, terms, &id(SUPPLIER), &recipient, ask).unwrap()
}

#[test]
fn only_members_whom_the_owners_layers_allow_are_named() {
    let (terms, limits) = of_three();
    let facts = facts(OEM_A, "inspection-result");
    let layers = layers_for(&terms);
    let scope = named(&layers, &terms, &limits, &facts);
    assert_eq!(scope.onward_hops, 1);
    assert_eq!(scope.recipients, [id(OEM_A), id(OEM_B)].into());

    // A layer of the owner's that says no to one, wherever it would go on from, leaves it unnamed.
    let rule = "@id(\"not-b\") forbid (principal is Ambit::Party, action, resource)\n\
                when { principal.organization == Ambit::Organization::\"did:web:oem-b.example\" };";
    let strict = with_owner_rule(&layers, rule);
    let scope = named(&strict, &terms, &limits, &facts);
    assert_eq!(scope.recipients, [id(OEM_A)].into());
    // So does a layer that cannot say.
    let unsure = "@id(\"sums\") forbid (principal is Ambit::Party, action, resource)\n\
                  when { principal.organization == Ambit::Organization::\"did:web:oem-b.example\" &&\n\
                  context has hop && context.hop + 9223372036854775807 + 1 > 0 };";
    let scope = named(&with_owner_rule(&layers, unsure), &terms, &limits, &facts);
    assert_eq!(scope.recipients, [id(OEM_A)].into());
    // Design data of the one is nothing for the other, though both are members.
    let mut design = facts;
    design.export_control.eccn = Some("2E003".parse().unwrap());
    let mut abroad = terms;
    let mut card: Card = (*abroad.members[1].card).clone();
    card.hosting.insert("BR".parse().unwrap());
    abroad.members[1].card = SignedCard::sign(card, &SecretKey::from_seed(&[1; 32]));
    let scope = named(
        &layers_for(&rendered(abroad.clone())),
        &rendered(abroad),
        &limits,
        &design,
    );
    assert_eq!(scope.recipients, [id(OEM_A)].into());
}

#[test]
fn a_member_is_named_for_all_purposes_or_not_at_all() {
    let (mut terms, mut limits) = of_three();
    let both: BTreeSet<Purpose> = [
        "urn:ambit:purpose:quality.spc".parse().unwrap(),
        SUPPLIER_QUALITY.parse().unwrap(),
    ]
    .into();
    terms.purposes.clone_from(&both);
    limits.purposes.clone_from(&both);
    let terms = rendered(terms);
    let facts = facts(OEM_A, "inspection-result");
    let layers = layers_for(&terms);
    let rule = |organization: &str| {
        format!(
            "@id(\"one\") forbid (principal is Ambit::Party, action in Ambit::Action::\"transfer\", resource)\n\
             when {{ principal.organization == Ambit::Organization::\"{organization}\" &&\n\
             context.purpose == Ambit::Purpose::\"{SUPPLIER_QUALITY}\" }};"
        )
    };
    let scope = named(&layers, &terms, &limits, &facts);
    assert_eq!((scope.recipients.len(), &scope.purposes), (2, &both));
    let strict = with_owner_rule(&layers, &rule(OEM_B));
    let scope = named(&strict, &terms, &limits, &facts);
    assert_eq!((scope.recipients.len(), &scope.purposes), (1, &both));
    // What the recipient itself does not get for a purpose, nobody gets from it.
    let strict = with_owner_rule(&layers, &rule(OEM_A));
    let scope = named(&strict, &terms, &limits, &facts);
    let spc: BTreeSet<Purpose> = ["urn:ambit:purpose:quality.spc".parse().unwrap()].into();
    assert_eq!((scope.recipients.len(), &scope.purposes), (2, &spc));
}

#[test]
fn a_trade_secret_goes_no_further() {
    let (terms, mut limits) = of_three();
    let mut facts = facts(OEM_A, "inspection-result");
    facts.trade_secret = true;
    let scope = named(&layers_for(&terms), &terms, &limits, &facts);
    assert_eq!(scope.onward_hops, 0);
    assert_eq!(scope.recipients, [id(OEM_A)].into());
    // What may be derived from it is what its owner's limits name, and nothing without them.
    assert_eq!(scope.derived, limits.derived);
    limits.derived = None;
    let scope = named(&layers_for(&terms), &terms, &limits, &facts);
    assert_eq!(scope.derived, None);
}

#[test]
fn derived_terms_are_what_agreement_and_limits_have_in_common() {
    let taxonomies = Taxonomies::builtin();
    let facts = facts(OEM_A, "inspection-result");
    let terms = terms(OEM_A, "quality");
    let derived = |change: fn(&mut DerivedTerms)| {
        let mut limits = limits(OEM_A, "quality");
        change(limits.derived.as_mut().unwrap());
        let scope = scope_for(&terms, &limits, &facts, &id(OEM_A), &taxonomies, now());
        assert_eq!(check_within_limits(&scope, &limits, &taxonomies), Ok(()));
        assert_eq!(check_scope(&terms, &scope, now(), &taxonomies), Ok(()));
        scope.derived
    };
    assert_eq!(derived(|_| ()), terms.derived);
    // A wider class or purpose leaves the narrower one.
    let wide = derived(|d| {
        d.data_classes = ["quality".parse().unwrap()].into();
        d.purposes = ["urn:ambit:purpose:quality".parse().unwrap()].into();
    });
    assert_eq!(wide, terms.derived);
    let narrow = derived(|d| d.data_classes = ["spc".parse().unwrap()].into());
    assert_eq!(
        narrow.unwrap().data_classes,
        ["spc".parse().unwrap()].into()
    );
    for nothing in [
        derived(|d| d.data_classes = ["toolpath".parse().unwrap()].into()),
        derived(|d| d.recipients = [id(SUPPLIER)].into()),
        derived(|d| d.purposes = ["urn:ambit:purpose:research".parse().unwrap()].into()),
    ] {
        assert_eq!(nothing, None);
    }
}

#[test]
fn each_widening_of_the_agreement_is_named() {
    let agreement = Bound::Agreement;
    let day = time("2028-05-02T00:00:00Z");
    let purpose = || {
        "urn:ambit:purpose:research"
            .parse::<ambit_ledger::Purpose>()
            .unwrap()
    };
    let derived = |scope: &mut Scope, change: fn(&mut DerivedTerms)| {
        change(scope.derived.as_mut().unwrap());
    };
    let check = |change: &dyn Fn(&mut Scope)| {
        let mut scope = widest();
        change(&mut scope);
        check_scope(
            &terms(OEM_A, "quality"),
            &scope,
            now(),
            &Taxonomies::builtin(),
        )
        .unwrap_err()
    };
    assert_eq!(check(&|s| s.recipients.clear()), Widening::NoRecipient);
    assert_eq!(check(&|s| s.purposes.clear()), Widening::NoPurpose);
    assert_eq!(
        check(&|s| {
            s.recipients.insert(id(OEM_B));
        }),
        Widening::Recipient(id(OEM_B), agreement)
    );
    assert_eq!(
        check(&|s| {
            s.purposes.insert(purpose());
        }),
        Widening::Purpose(purpose(), agreement)
    );
    assert_eq!(
        check(&|s| s.not_after = day),
        Widening::NotAfter(day, agreement)
    );
    assert_eq!(
        check(&|s| s.hold_until = day),
        Widening::HoldUntil(day, agreement)
    );
    assert!(matches!(
        check(&|s| s.keep_until = Some(day)),
        Widening::KeepUntil { .. }
    ));
    assert_eq!(
        check(&|s| s.onward_hops = 1),
        Widening::OnwardHops(1, agreement)
    );
    assert!(matches!(
        check(&|s| derived(s, |d| {
            d.data_classes.insert("toolpath".parse().unwrap());
        })),
        Widening::DerivedClass(_, Bound::Agreement)
    ));
    assert!(matches!(
        check(&|s| derived(s, |d| {
            d.recipients.insert(id(SUPPLIER));
        })),
        Widening::DerivedRecipient(_, Bound::Agreement)
    ));
    assert!(matches!(
        check(&|s| derived(s, |d| {
            d.purposes
                .insert("urn:ambit:purpose:research".parse().unwrap());
        })),
        Widening::DerivedPurpose(_, Bound::Agreement)
    ));
    type More = (fn(&mut DerivedTerms), &'static str);
    let more: [More; 5] = [
        (|d| d.not_after = None, "be disclosed for longer"),
        (|d| d.hold_until = Some(Time::LATEST), "be held for longer"),
        (|d| d.onward_hops = Some(2), "be passed on more often"),
        (|d| d.again = true, "be derived from again"),
        (|d| d.outlives_inputs = true, "outlive its inputs"),
    ];
    for (change, what) in more {
        let mut bounded = terms(OEM_A, "quality");
        let outer = bounded.derived.as_mut().unwrap();
        outer.not_after = Some(day);
        outer.hold_until = Some(day);
        outer.onward_hops = Some(1);
        let mut scope = widest();
        scope.derived.clone_from(&bounded.derived);
        let taxonomies = Taxonomies::builtin();
        assert_eq!(check_scope(&bounded, &scope, now(), &taxonomies), Ok(()));
        derived(&mut scope, change);
        assert_eq!(
            check_scope(&bounded, &scope, now(), &taxonomies),
            Err(Widening::DerivedMore(what, agreement))
        );
    }
    let mut strict = terms(OEM_A, "quality");
    strict.erasure = ErasureExtent::All;
    strict.derived = None;
    let taxonomies = Taxonomies::builtin();
    let mut scope = widest();
    assert_eq!(
        check_scope(&strict, &scope, now(), &taxonomies),
        Err(Widening::Erasure(agreement))
    );
    scope.erasure = ErasureExtent::All;
    assert_eq!(
        check_scope(&strict, &scope, now(), &taxonomies),
        Err(Widening::Derived(agreement))
    );
}

#[test]
fn limits_and_parents_bound_as_well() {
    let taxonomies = Taxonomies::builtin();
    let limits = limits(OEM_A, "quality");
    let mut scope = widest();
    scope.hold_until = time("2030-01-01T00:00:00.000000001Z");
    assert_eq!(
        check_within_limits(&scope, &limits, &taxonomies),
        Err(Widening::HoldUntil(scope.hold_until, Bound::Limits))
    );
    let mut scope = widest();
    let research: ambit_ledger::Purpose = "urn:ambit:purpose:research".parse().unwrap();
    scope
        .derived
        .as_mut()
        .unwrap()
        .purposes
        .insert(research.clone());
    assert_eq!(
        check_within_limits(&scope, &limits, &taxonomies),
        Err(Widening::DerivedPurpose(research, Bound::Limits))
    );

    let mut none = limits;
    none.derived = None;
    assert_eq!(
        check_within_limits(&widest(), &none, &taxonomies),
        Err(Widening::Derived(Bound::Limits))
    );

    let parent = widest();
    assert_eq!(check_within_parent(&parent, &parent, &taxonomies), Ok(()));
    let mut child = parent.clone();
    child.recipients = [id(SUPPLIER)].into();
    assert_eq!(
        check_within_parent(&child, &parent, &taxonomies),
        Err(Widening::Recipient(id(SUPPLIER), Bound::Parent))
    );
    let mut child = parent.clone();
    child.not_after = parent.not_after.plus_seconds(1);
    assert!(matches!(
        check_within_parent(&child, &parent, &taxonomies),
        Err(Widening::NotAfter(_, Bound::Parent))
    ));
    let record = |byte: u8| RecordDigest {
        organization: id(OEM_A),
        material: Digest::of(&[byte]),
    };
    let mut judged = parent.clone();
    judged.records = [record(1)].into();
    let mut child = judged.clone();
    child.records = [record(2)].into();
    assert_eq!(
        check_within_parent(&child, &judged, &taxonomies),
        Err(Widening::Record(id(OEM_A), Bound::Parent))
    );
    let mut falling = parent.clone();
    falling.falls_with_inputs = true;
    assert_eq!(
        check_within_parent(&parent, &falling, &taxonomies),
        Err(Widening::OutlivesInputs(Bound::Parent))
    );
}

#[test]
fn the_last_limits_that_cover_are_in_force() {
    let taxonomies = Taxonomies::builtin();
    let facts = facts(OEM_A, "inspection-result");
    let of = |class: &str, hops: u32| Limits {
        onward_hops: hops,
        ..limits(OEM_A, class)
    };
    let entries = [
        of("quality", 1),
        of("inspection-result", 2),
        of("toolpath", 3),
    ];
    let hops = |entries: &[Limits]| {
        limits_in_force(entries, &facts, &taxonomies).map(|limits| limits.onward_hops)
    };
    assert_eq!(hops(&entries), Some(2));
    assert_eq!(hops(&entries[..1]), Some(1));
    assert_eq!(hops(&entries[2..]), None);
    let mut other = of("quality", 4);
    other.program = None;
    assert_eq!(hops(&[other]), None);
}

#[test]
fn what_limits_miss_is_named_with_both_values() {
    let taxonomies = Taxonomies::builtin();
    let facts = facts(OEM_A, "inspection-result");
    let agreed: BTreeSet<Purpose> = ["urn:ambit:purpose:quality".parse().unwrap()].into();
    let why = |entries: &[Limits], facts: &Facts, agreed: &BTreeSet<Purpose>| {
        no_limits(entries, facts, agreed, &taxonomies)
    };
    let quality = limits(OEM_A, "quality");
    assert_eq!(why(std::slice::from_ref(&quality), &facts, &agreed), None);
    assert_eq!(why(&[], &facts, &agreed), Some(NoLimits::None));

    let mut another = facts.clone();
    another.program = Some(assigned(OEM_A, "F100"));
    let missed = why(std::slice::from_ref(&quality), &another, &agreed).unwrap();
    assert_eq!(
        missed.to_string(),
        "it names program `F100 (did:web:oem-a.example)`, and the limits are for program `F99 \
         (did:web:oem-a.example)`: name the program where it is collected, or sign an agreement about it"
    );
    another.program = None;
    let missed = why(std::slice::from_ref(&quality), &another, &agreed).unwrap();
    assert!(missed.to_string().starts_with("it names no program, and"));

    let mut toolpath = facts.clone();
    toolpath.data_class = "toolpath".parse().unwrap();
    let missed = why(std::slice::from_ref(&quality), &toolpath, &agreed).unwrap();
    assert_eq!(
        missed,
        NoLimits::Class {
            stated: "toolpath".parse().unwrap(),
            limited: ["quality".parse().unwrap()].into()
        }
    );
    assert!(
        missed.to_string().contains(
            "it is of class `toolpath`, and the limits for its program are for `quality`"
        )
    );

    let research: BTreeSet<Purpose> = ["urn:ambit:purpose:research".parse().unwrap()].into();
    let missed = why(std::slice::from_ref(&quality), &facts, &research).unwrap();
    assert_eq!(
        missed,
        NoLimits::Purpose {
            agreed: research,
            limited: quality.purposes
        }
    );
    assert!(
        missed
            .to_string()
            .contains("for `urn:ambit:purpose:research`, and the limits that cover it are for")
    );
}
