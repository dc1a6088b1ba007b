//! The entities that a policy names: of which taxonomy each is, and where it stands.

use crate::taxonomy::TaxonomyKind;
use cedar_policy::{EntityUid, Policy};
use std::collections::BTreeMap;

/// The taxonomy that has an entity of this type; `None` for a type that is in none.
pub(crate) fn kind_of(literal: &EntityUid) -> Option<TaxonomyKind> {
    let entity_type = literal.type_name().to_string();
    let mut kinds = TaxonomyKind::ALL.into_iter();
    kinds.find(|kind| kind.entity_type().name() == entity_type)
}

/// The one of these literals that stands first in a policy, with the byte where it does: the policy's own, where that cannot
/// be told. Goes through the policy once, however many they are.
pub(crate) fn first_of(
    policy: &Policy,
    literals: Vec<(TaxonomyKind, EntityUid)>,
) -> Option<(usize, (TaxonomyKind, EntityUid))> {
    if literals.is_empty() {
        return None;
    }
    let mut places: BTreeMap<String, Option<usize>> = literals
        .iter()
        .map(|(_, literal)| (literal.to_string(), None))
        .collect();
    let condition = policy.as_ref().condition();
    // A literal holds no other expression, and is short to write out.
    let parts = condition.subexpressions();
    for part in parts.filter(|part| part.subexpressions().nth(1).is_none()) {
        let Some(place) = part.source_loc() else {
            continue;
        };
        if let Some(first) = places.get_mut(&part.to_string()) {
            *first = Some(first.map_or(place.start(), |first| first.min(place.start())));
        }
    }
    let start = policy.as_ref().loc().map_or(0, |place| place.start());
    let placed = literals.into_iter().map(|(kind, literal)| {
        let place = places.get(&literal.to_string()).copied().flatten();
        (place.unwrap_or(start), (kind, literal))
    });
    placed.min_by_key(|(place, _)| *place)
}
