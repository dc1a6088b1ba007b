//! The entity slice: what Cedar is shown of an inquiry, as JSON, and the same bytes whoever derives it.
//!
//! Nothing here reads anything but its arguments. Taxonomies are not part of it: they are evidence of their own.

use crate::keeping::{Keeping, Output};
use ambit_ledger::{
    Agreement, AgreementState, Assigned, Attestation, DerivedTerms, ErasureExtent, ExportControl,
    Footprint, Inquiry, Limits, OrganizationId, Party, Scope, Time,
};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// A request without its purpose, and the entities it reaches but those of the taxonomies.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Slice {
    pub(crate) principal: Value,
    pub(crate) action: String,
    pub(crate) resource: Value,
    pub(crate) purposes: Vec<String>,
    pub(crate) context: Value,
    pub(crate) entities: Vec<Value>,
}

impl Slice {
    /// The canonical JSON: keys ascending, no white space.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut value = json!({
            "action": self.action,
            "context": self.context,
            "entities": self.entities,
            "principal": self.principal,
            "purposes": self.purposes,
            "resource": self.resource,
        });
        value.sort_all_objects();
        value.to_string().into_bytes()
    }

    /// For a transfer.
    pub(crate) fn of_inquiry(inquiry: &Inquiry, now: Time) -> Self {
        let context = json!({
            "now": instant(now),
            "partnership": entity("Ambit::Partnership", inquiry.partnership.partnership.as_str()),
            "discloser": organization(&inquiry.discloser),
            "retentionDays": inquiry.retention_days,
            "hop": inquiry.hop,
        });
        let action = match inquiry.action {
            ambit_ledger::Action::Disclose => "disclose",
            ambit_ledger::Action::OnwardDisclose => "onward-disclose",
            ambit_ledger::Action::Admit => "admit",
        };
        let purposes = inquiry.scope.purposes.iter();
        Self {
            principal: identifier("Ambit::Party", inquiry.recipient.organization.as_str()),
            action: action.to_owned(),
            resource: identifier("Ambit::Observation", "this"),
            purposes: purposes
                .map(|purpose| purpose.as_str().to_owned())
                .collect(),
            context,
            entities: entities(inquiry, party(&inquiry.recipient), mentioned(inquiry)),
        }
    }

    /// For what a holder does with what it has.
    pub(crate) fn of_keeping(inquiry: &Inquiry, keeping: &Keeping, now: Time) -> Self {
        let id = inquiry.recipient.organization.as_str();
        let mut context = json!({
            "now": instant(now),
            "partnership": entity("Ambit::Partnership", inquiry.partnership.partnership.as_str()),
        });
        let mut organizations = mentioned(inquiry);
        let (action, principal_type, principal, purposes) = match keeping {
            Keeping::Retain { legal_hold } => {
                insert(&mut context, "legalHold", json!(legal_hold));
                ("retain", "Ambit::Party", party(&inquiry.recipient), vec![])
            }
            Keeping::Derive {
                purpose,
                output: made,
                declassified,
            } => {
                insert(&mut context, "declassified", json!(declassified));
                insert(&mut context, "output", output(made));
                organizations.extend(made.design_authority.iter());
                mention_scope(&made.scope, &mut organizations);
                let purposes = vec![purpose.as_str().to_owned()];
                (
                    "derive",
                    "Ambit::Party",
                    party(&inquiry.recipient),
                    purposes,
                )
            }
            Keeping::Use {
                purpose,
                nationality,
            } => {
                let agent = json!({
                    "uid": identifier("Ambit::Agent", id),
                    "attrs": {
                        "organization": organization(&inquiry.recipient.organization),
                        "nationality": entity("Ambit::Jurisdiction", nationality.as_str()),
                    },
                    "parents": [],
                });
                (
                    "use",
                    "Ambit::Agent",
                    agent,
                    vec![purpose.as_str().to_owned()],
                )
            }
        };
        Self {
            principal: identifier(principal_type, id),
            action: action.to_owned(),
            resource: identifier("Ambit::Observation", "this"),
            purposes,
            context,
            entities: entities(inquiry, principal, organizations),
        }
    }
}

fn entities(
    inquiry: &Inquiry,
    principal: Value,
    organizations: BTreeSet<&OrganizationId>,
) -> Vec<Value> {
    let mentioned = organizations.into_iter().map(|id| {
        json!({ "uid": identifier("Ambit::Organization", id.as_str()), "attrs": {}, "parents": [] })
    });
    [
        principal,
        observation(inquiry),
        partnership(&inquiry.partnership),
    ]
    .into_iter()
    .chain(mentioned)
    .collect()
}

/// Every organization the inquiry mentions.
fn mentioned(inquiry: &Inquiry) -> BTreeSet<&OrganizationId> {
    let footprint = &inquiry.footprint;
    let assigned = [
        footprint.program.as_ref(),
        footprint.part.as_ref(),
        footprint.lot.as_ref(),
        inquiry
            .limits
            .as_ref()
            .and_then(|limits| limits.program.as_ref()),
        Some(&inquiry.partnership.program),
    ];
    let mut all: BTreeSet<&OrganizationId> = [
        &inquiry.recipient.organization,
        &inquiry.discloser,
        &footprint.issuer,
        &footprint.owner,
    ]
    .into_iter()
    .collect();
    all.extend(&footprint.design_authority);
    all.extend(&footprint.named);
    all.extend(&inquiry.partnership.members);
    all.extend(assigned.into_iter().flatten().map(|pair| &pair.assigner));
    all.extend(
        inquiry
            .recipient
            .attestations
            .iter()
            .map(|attested| &attested.issuer),
    );
    mention_scope(&inquiry.scope, &mut all);
    all
}

fn mention_scope<'a>(scope: &'a Scope, all: &mut BTreeSet<&'a OrganizationId>) {
    all.extend(&scope.recipients);
    all.extend(scope.derived.iter().flat_map(|derived| &derived.recipients));
}

fn party(party: &Party) -> Value {
    let jurisdictions = |set: &BTreeSet<ambit_ledger::Jurisdiction>| {
        set_of(
            "Ambit::Jurisdiction",
            set.iter().map(ambit_ledger::Jurisdiction::as_str),
        )
    };
    json!({
        "uid": identifier("Ambit::Party", party.organization.as_str()),
        "attrs": {
            "organization": organization(&party.organization),
            "seat": entity("Ambit::Jurisdiction", party.seat.as_str()),
            "hosting": jurisdictions(&party.hosting),
            "personnel": jurisdictions(&party.personnel),
            "licences": party.licences.iter().map(ambit_ledger::Name::as_str).collect::<Vec<_>>(),
        },
        "parents": [],
        "tags": attestations(&party.attestations),
    })
}

/// One tag per name: of several attestations of one name the one that lasts longest.
fn attestations(all: &BTreeSet<Attestation>) -> Value {
    let mut latest: BTreeMap<&str, &Attestation> = BTreeMap::new();
    for attested in all {
        let held = latest.entry(attested.name.as_str()).or_insert(attested);
        if held.not_after < attested.not_after {
            *held = attested;
        }
    }
    let tags = latest.into_iter().map(|(name, attested)| {
        let value = json!({
            "issuer": organization(&attested.issuer),
            "notAfter": instant(attested.not_after),
        });
        (name.to_owned(), value)
    });
    Value::Object(tags.collect())
}

fn partnership(agreement: &Agreement) -> Value {
    let state = match agreement.state {
        AgreementState::Proposed => "proposed",
        AgreementState::Active => "active",
        AgreementState::Suspended => "suspended",
        AgreementState::Dissolved => "dissolved",
    };
    json!({
        "uid": identifier("Ambit::Partnership", agreement.partnership.as_str()),
        "attrs": {
            "edition": agreement.edition.to_string(),
            "state": entity("Ambit::AgreementState", state),
            "members": organizations(&agreement.members),
            "program": assigned(&agreement.program),
            "until": instant(agreement.until),
            "leaseUntil": instant(agreement.lease_until),
        },
        "parents": [],
    })
}

fn observation(inquiry: &Inquiry) -> Value {
    let footprint = &inquiry.footprint;
    let mut attributes = json!({
        "issuer": organization(&footprint.issuer),
        "owner": organization(&footprint.owner),
        "named": organizations(&footprint.named),
        "dataClass": entity("Ambit::DataClass", footprint.data_class.as_str()),
        "semanticId": footprint.semantic_id.as_str(),
        "tradeSecret": footprint.trade_secret,
        "exportControl": export_control(&footprint.export_control),
        "observedFrom": instant(footprint.observed_from),
        "observedTo": instant(footprint.observed_to),
        "scope": scope(&inquiry.scope),
    });
    insert_footprint_options(&mut attributes, footprint);
    insert_some(
        &mut attributes,
        "limits",
        inquiry.limits.as_ref().map(limits),
    );
    // The resource is no particular observation: a class of them gets one answer.
    json!({ "uid": identifier("Ambit::Observation", "this"), "attrs": attributes, "parents": [] })
}

fn insert_footprint_options(attributes: &mut Value, footprint: &Footprint) {
    let authority = footprint.design_authority.as_ref().map(organization);
    insert_some(attributes, "designAuthority", authority);
    let pairs = [
        ("program", &footprint.program),
        ("part", &footprint.part),
        ("lot", &footprint.lot),
    ];
    for (key, pair) in pairs {
        insert_some(attributes, key, pair.as_ref().map(assigned));
    }
    let names = [
        ("site", &footprint.site),
        ("asset", &footprint.asset),
        ("process", &footprint.process),
    ];
    for (key, name) in names {
        insert_some(
            attributes,
            key,
            name.as_ref().map(|name| json!(name.as_str())),
        );
    }
}

fn scope(scope: &Scope) -> Value {
    let erasure = match scope.erasure {
        ErasureExtent::Readings => "readings",
        ErasureExtent::All => "all",
    };
    let mut value = json!({
        "recipients": organizations(&scope.recipients),
        "purposes": purposes(&scope.purposes),
        "notAfter": instant(scope.not_after),
        "holdUntil": instant(scope.hold_until),
        "erasure": entity("Ambit::ErasureExtent", erasure),
        "onwardHops": scope.onward_hops,
    });
    insert_some(&mut value, "keepUntil", scope.keep_until.map(instant));
    insert_some(&mut value, "derived", scope.derived.as_ref().map(derived));
    value
}

fn derived(terms: &DerivedTerms) -> Value {
    json!({
        "dataClasses": data_classes(&terms.data_classes),
        "recipients": organizations(&terms.recipients),
        "purposes": purposes(&terms.purposes),
    })
}

fn limits(limits: &Limits) -> Value {
    let mut value = json!({
        "dataClasses": data_classes(&limits.data_classes),
        "purposes": purposes(&limits.purposes),
        "notAfter": instant(limits.not_after),
        "holdUntil": instant(limits.hold_until),
        "onwardHops": limits.onward_hops,
    });
    insert_some(&mut value, "program", limits.program.as_ref().map(assigned));
    value
}

fn export_control(control: &ExportControl) -> Value {
    let mut value = json!({ "determined": control.determined, "itar": control.itar });
    let names = [
        ("usml", &control.usml),
        ("eccn", &control.eccn),
        ("euAnnexI", &control.eu_annex_i),
        ("licence", &control.licence),
    ];
    for (key, name) in names {
        insert_some(
            &mut value,
            key,
            name.as_ref().map(|name| json!(name.as_str())),
        );
    }
    value
}

fn output(output: &Output) -> Value {
    let mut value = json!({
        "dataClass": entity("Ambit::DataClass", output.data_class.as_str()),
        "tradeSecret": output.trade_secret,
        "exportControl": export_control(&output.export_control),
        "scope": scope(&output.scope),
    });
    let authority = output.design_authority.as_ref().map(organization);
    insert_some(&mut value, "designAuthority", authority);
    value
}

fn assigned(pair: &Assigned) -> Value {
    json!({ "assigner": organization(&pair.assigner), "value": pair.value.as_str() })
}

fn organization(id: &OrganizationId) -> Value {
    entity("Ambit::Organization", id.as_str())
}

fn organizations(ids: &BTreeSet<OrganizationId>) -> Value {
    set_of(
        "Ambit::Organization",
        ids.iter().map(OrganizationId::as_str),
    )
}

fn purposes(all: &BTreeSet<ambit_ledger::Purpose>) -> Value {
    set_of(
        "Ambit::Purpose",
        all.iter().map(ambit_ledger::Purpose::as_str),
    )
}

fn data_classes(all: &BTreeSet<ambit_ledger::DataClass>) -> Value {
    set_of(
        "Ambit::DataClass",
        all.iter().map(ambit_ledger::DataClass::as_str),
    )
}

fn set_of<'a>(entity_type: &str, ids: impl Iterator<Item = &'a str>) -> Value {
    ids.map(|id| entity(entity_type, id)).collect()
}

/// A reference, as a value (Cedar's JSON format for entities).
pub(crate) fn entity(entity_type: &str, id: &str) -> Value {
    json!({ "__entity": identifier(entity_type, id) })
}

pub(crate) fn identifier(entity_type: &str, id: &str) -> Value {
    json!({ "type": entity_type, "id": id })
}

/// An instant, at Cedar's resolution of a millisecond, rounded down.
fn instant(time: Time) -> Value {
    let millis = time.as_millis();
    let seconds = Time::from_millis(millis - millis % 1_000).unwrap_or(time);
    let text = seconds.to_string();
    let text = text.trim_end_matches('Z');
    json!({ "__extn": { "fn": "datetime", "arg": format!("{text}.{:03}Z", millis % 1_000) } })
}

fn insert_some(object: &mut Value, key: &str, value: Option<Value>) {
    if let Some(value) = value {
        insert(object, key, value);
    }
}

pub(crate) fn insert(object: &mut Value, key: &str, value: Value) {
    if let Value::Object(map) = object {
        let map: &mut Map<String, Value> = map;
        map.insert(key.to_owned(), value);
    }
}
