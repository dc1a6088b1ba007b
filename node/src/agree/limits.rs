//! Limits: the widest terms the owner allows at present for a kind of observation.

use crate::partnership::Governance;
use crate::store::Write;
use ambit_ledger::{Body, DerivedTerms, Limits, LimitsSet, PartnershipTerms, Time};

/// Signing allows what is signed: the limits for this kind of observation, widened to these terms. Where
/// other agreements of the program share a class with it, what they were allowed stays allowed, since the
/// last limits that cover an observation are the ones in force.
pub(super) fn limits_for(governance: &Governance, terms: &PartnershipTerms) -> Option<Write> {
    let taxonomies = governance.layers().taxonomies();
    let mut limits = Limits {
        program: terms.program.clone(),
        data_classes: terms.data_classes.clone(),
        purposes: terms.purposes.clone(),
        not_after: terms.until,
        hold_until: terms.until.plus_days(terms.retention_days),
        onward_hops: terms.onward_hops,
        derived: terms.derived.clone(),
    };
    let overlaps = |other: &Limits| {
        other.program == limits.program
            && other.data_classes.iter().any(|one| {
                terms.data_classes.iter().any(|class| {
                    taxonomies.class_is_within(one, class) || taxonomies.class_is_within(class, one)
                })
            })
    };
    let others: Vec<&Limits> = governance
        .limits()
        .iter()
        .filter(|other| overlaps(other))
        .collect();
    for other in &others {
        limits.purposes.extend(other.purposes.iter().cloned());
        limits.not_after = limits.not_after.max(other.not_after);
        limits.hold_until = limits.hold_until.max(other.hold_until);
        limits.onward_hops = limits.onward_hops.max(other.onward_hops);
        limits.derived = wider(limits.derived.take(), other.derived.as_ref());
    }
    if others.last().is_some_and(|last| **last == limits) {
        return None;
    }
    Some(Write::Entry(Body::LimitsSet(LimitsSet { limits })))
}

/// What either allows of derived data.
fn wider(one: Option<DerivedTerms>, other: Option<&DerivedTerms>) -> Option<DerivedTerms> {
    match (one, other) {
        (None, other) => other.cloned(),
        (one, None) => one,
        (Some(mut one), Some(other)) => {
            one.data_classes.extend(other.data_classes.iter().cloned());
            one.recipients.extend(other.recipients.iter().cloned());
            one.purposes.extend(other.purposes.iter().cloned());
            // No end is the latest there is, and no hops are none.
            let latest = |one: Option<Time>, other: Option<Time>| {
                one.zip(other).map(|(one, other)| one.max(other))
            };
            one.not_after = latest(one.not_after, other.not_after);
            one.hold_until = latest(one.hold_until, other.hold_until);
            one.onward_hops = one.onward_hops.max(other.onward_hops);
            one.again |= other.again;
            one.outlives_inputs |= other.outlives_inputs;
            Some(one)
        }
    }
}
