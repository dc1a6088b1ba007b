//! Scopes: the widest allowed is not too wide, and every way to be wider is named.

use crate::fixture::{
    OEM_A, OEM_B, SUPPLIER, SUPPLIER_QUALITY, facts, id, limits, now, terms, time,
};
use ambit_ledger::{DerivedTerms, Digest, ErasureExtent, Limits, RecordDigest, Scope, Time};
use ambit_policy::{
    Bound, Taxonomies, Widening, check_scope, check_within_limits, check_within_parent,
    limits_in_force, scope_for,
};

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

#[test]
fn onward_hops_name_the_other_members() {
    let (mut terms, mut limits) = (terms(OEM_A, "quality"), limits(OEM_A, "quality"));
    terms.members.insert(1, crate::fixture::member(OEM_B, "DE"));
    (terms.onward_hops, limits.onward_hops) = (2, 1);
    let facts = facts(OEM_A, "inspection-result");
    let scope = scope_for(
        &terms,
        &limits,
        &facts,
        &id(OEM_A),
        &Taxonomies::builtin(),
        now(),
    );
    assert_eq!(scope.onward_hops, 1);
    assert_eq!(scope.recipients, [id(OEM_A), id(OEM_B)].into());
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
