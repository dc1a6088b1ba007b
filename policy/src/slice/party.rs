//! The principals: the organization that gets or holds the data, or someone inside one.

use super::Node;
use super::leaves::{jurisdiction, jurisdictions, name, organization};
use crate::taxonomy::{Taxonomies, TaxonomyKind};
use crate::value::{Record, Reference, Type, Value};
use ambit_ledger::{Attested, ExportControl, Jurisdiction, OrganizationId, Party, Time};
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn party<'a>(
    taxonomies: &'a Taxonomies,
    party: &'a Party,
    control: &'a ExportControl,
    now: Time,
) -> Node<'a> {
    let within = |codes: &'a BTreeSet<Jurisdiction>| {
        let codes = codes.iter().map(Jurisdiction::as_str);
        let within = taxonomies.common(TaxonomyKind::Jurisdiction, codes);
        Value::entities(Type::Jurisdiction, within.into_iter())
    };
    let allowed = authorization(taxonomies, party, control, now);
    Node {
        uid: Reference {
            entity_type: Type::Party,
            id: party.organization.as_str(),
        },
        attributes: Record::default()
            .with_some("authorization", allowed)
            .with("hosting", jurisdictions(&party.hosting))
            .with("hostingWithin", within(&party.hosting))
            .with("organization", organization(&party.organization))
            .with("personnel", jurisdictions(&party.personnel))
            .with("personnelWithin", within(&party.personnel))
            .with("seat", jurisdiction(&party.seat)),
        tags: Some(attestations(party, now)),
    }
}

pub(super) fn agent<'a>(id: &'a OrganizationId, nationality: &'a Jurisdiction) -> Node<'a> {
    Node {
        uid: Reference {
            entity_type: Type::Agent,
            id: id.as_str(),
        },
        attributes: Record::default()
            .with("nationality", jurisdiction(nationality))
            .with("organization", organization(id)),
        tags: None,
    }
}

/// What is attested of a party and in force: nobody can read what has not begun or is over, whatever a policy forgets.
fn in_force(party: &Party, now: Time) -> impl Iterator<Item = &Attested> {
    party.attested.iter().filter(move |attested| {
        attested.attestation.subject == party.organization && attested.attestation.is_in_force(now)
    })
}

/// One tag per name: of several attestations of one name the one that lasts longest.
fn attestations(party: &Party, now: Time) -> Record<'_> {
    let mut latest: BTreeMap<&str, &Attested> = BTreeMap::new();
    for attested in in_force(party, now) {
        let what = attested.attestation.what.as_str();
        let held = latest.entry(what).or_insert(attested);
        if held.attestation.not_after < attested.attestation.not_after {
            *held = attested;
        }
    }
    latest
        .into_iter()
        .fold(Record::default(), |tags, (name, attested)| {
            let Attested {
                issuer,
                attestation,
            } = attested;
            let value = Record::default()
                .with("issuer", organization(issuer))
                .with("notAfter", Value::Instant(attestation.not_after))
                .with("notBefore", Value::Instant(attestation.not_before))
                .with_some("number", attestation.number.as_ref().map(self::name));
            tags.with(name, Value::Record(value))
        })
}

/// The authorization that the facts' licence names, where it is attested and in force; of several of that number
/// the one that lasts longest.
fn authorization<'a>(
    taxonomies: &'a Taxonomies,
    party: &'a Party,
    control: &'a ExportControl,
    now: Time,
) -> Option<Value<'a>> {
    let licence = control.licence.as_ref()?;
    let (attestation, allowed) = in_force(party, now)
        .filter_map(|attested| {
            let allowed = attested.attestation.authorization.as_ref()?;
            Some((&attested.attestation, allowed))
        })
        .filter(|(attestation, allowed)| allowed.number == *licence && now < attestation.ends())
        .max_by_key(|(attestation, _)| attestation.ends())?;
    let destinations = allowed.destinations.iter().map(Jurisdiction::as_str);
    let destinations = taxonomies.with_all_below(TaxonomyKind::Jurisdiction, destinations);
    let record = Record::default()
        .with("authority", organization(&allowed.authority))
        .with(
            "destinations",
            Value::entities(Type::Jurisdiction, destinations.into_iter()),
        )
        .with(
            "items",
            Value::Set(allowed.items.iter().map(name).collect()),
        )
        .with("notAfter", Value::Instant(attestation.ends()))
        .with("notBefore", Value::Instant(attestation.not_before))
        .with("number", name(&allowed.number))
        .with("regime", Value::entity(Type::Regime, allowed.regime.name()));
    Some(Value::Record(record))
}
