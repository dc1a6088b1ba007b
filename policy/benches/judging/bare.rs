//! The yardstick: Cedar alone, as someone who knows the crate would ask it.
//!
//! What each question does: builds the party, the observation and the partnership as typed entities, and the context,
//! from the fields of an inquiry; has Cedar check entities and requests against the schema; asks its authorizer for
//! each purpose and layer. What it is spared: which organizations and which names of the taxonomies are needed is
//! worked out before and those entities are at hand; no class, interval or evidence is worked out, nothing is put
//! down, and of an answer only yes, no or error is read.

use ambit_ledger::{
    Action, AgreementState, Assigned, Attested, DerivedTerms, ErasureExtent, ExportControl,
    Inquiry, Limits, OrganizationId, Party, Scope, Time,
};
use ambit_policy::{Layers, judge, schema_text};
use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityId, EntityTypeName, EntityUid,
    PolicySet, Request, RestrictedExpression as Value, Schema,
};
use std::collections::{BTreeMap, BTreeSet};

/// Cedar with the schema, the types and the layers parsed.
pub struct Cedar {
    schema: Schema,
    authorizer: Authorizer,
    layers: Vec<PolicySet>,
    types: BTreeMap<&'static str, EntityTypeName>,
    taxonomies: BTreeMap<(&'static str, String), Entity>,
}

/// An inquiry with the entities that it is spared.
pub struct Bare<'a> {
    cedar: &'a Cedar,
    inquiry: &'a Inquiry,
    at_hand: Vec<Entity>,
}

const TYPES: [&str; 10] = [
    "Action",
    "AgreementState",
    "DataClass",
    "ErasureExtent",
    "Jurisdiction",
    "Observation",
    "Organization",
    "Partnership",
    "Party",
    "Purpose",
];

const TAXONOMIES: [(&str, &str); 3] = [
    ("DataClass", "data_classes"),
    ("Jurisdiction", "jurisdictions"),
    ("Purpose", "purposes"),
];

impl Cedar {
    pub fn new(layers: &Layers) -> Self {
        let mut cedar = Self {
            schema: Schema::from_cedarschema_str(schema_text()).unwrap().0,
            authorizer: Authorizer::new(),
            layers: layers
                .profiles()
                .map(|profile| profile.text().parse().unwrap())
                .collect(),
            types: TYPES
                .map(|name| (name, format!("Ambit::{name}").parse().unwrap()))
                .into(),
            taxonomies: BTreeMap::new(),
        };
        let file: serde_json::Value =
            serde_json::from_slice(layers.taxonomies().to_bytes()).unwrap();
        for (entity_type, key) in TAXONOMIES {
            for (name, node) in file[key].as_object().unwrap() {
                let parents = node["in"].as_array().into_iter().flatten();
                let parents =
                    parents.map(|parent| cedar.uid(entity_type, parent.as_str().unwrap()));
                let entity = Entity::new_no_attrs(cedar.uid(entity_type, name), parents.collect());
                cedar.taxonomies.insert((entity_type, name.clone()), entity);
            }
        }
        cedar
    }

    fn uid(&self, entity_type: &str, id: &str) -> EntityUid {
        EntityUid::from_type_name_and_id(self.types[entity_type].clone(), EntityId::new(id))
    }

    fn entity(&self, entity_type: &str, id: &str) -> Value {
        Value::new_entity_uid(self.uid(entity_type, id))
    }

    fn set<'a>(&self, entity_type: &str, ids: impl Iterator<Item = &'a str>) -> Value {
        Value::new_set(ids.map(|id| self.entity(entity_type, id)))
    }

    fn organization(&self, id: &OrganizationId) -> Value {
        self.entity("Organization", id.as_str())
    }

    fn organizations(&self, ids: &BTreeSet<OrganizationId>) -> Value {
        self.set("Organization", ids.iter().map(OrganizationId::as_str))
    }

    fn assigned(&self, pair: &Assigned) -> Value {
        record([
            ("assigner", self.organization(&pair.assigner)),
            ("value", text(pair.value.as_str())),
        ])
    }

    fn party(&self, party: &Party) -> Entity {
        let jurisdictions = |all: &BTreeSet<ambit_ledger::Jurisdiction>| {
            self.set("Jurisdiction", all.iter().map(|one| one.as_str()))
        };
        let attributes = [
            ("organization", self.organization(&party.organization)),
            ("seat", self.entity("Jurisdiction", party.seat.as_str())),
            ("hosting", jurisdictions(&party.hosting)),
            ("personnel", jurisdictions(&party.personnel)),
            ("hostingWithin", self.within(&party.hosting)),
            ("personnelWithin", self.within(&party.personnel)),
        ];
        let tag = |attested: &Attested| {
            let value = record([
                ("issuer", self.organization(&attested.issuer)),
                ("notBefore", instant(attested.attestation.not_before)),
                ("notAfter", instant(attested.attestation.not_after)),
            ]);
            (attested.attestation.what.to_string(), value)
        };
        let uid = self.uid("Party", party.organization.as_str());
        let tags = party.attested.iter().map(tag);
        Entity::new_with_tags(uid, named(attributes), [], tags).unwrap()
    }

    /// Every group in which all of these lie, as the taxonomies' entities have them.
    fn within(&self, codes: &BTreeSet<ambit_ledger::Jurisdiction>) -> Value {
        let mut common: Option<BTreeSet<String>> = None;
        for code in codes {
            let mut above = BTreeSet::new();
            let mut open = vec![code.to_string()];
            while let Some(name) = open.pop() {
                let entity = &self.taxonomies[&("Jurisdiction", name.clone())];
                let parents = entity.clone().into_inner().2;
                open.extend(
                    parents
                        .iter()
                        .map(|parent| parent.id().unescaped().to_owned()),
                );
                above.insert(name);
            }
            common = Some(match common {
                None => above,
                Some(common) => common.intersection(&above).cloned().collect(),
            });
        }
        let common = common.unwrap_or_default();
        self.set("Jurisdiction", common.iter().map(String::as_str))
    }

    fn partnership(&self, inquiry: &Inquiry) -> Entity {
        let agreement = &inquiry.partnership;
        let state = match agreement.state {
            AgreementState::Proposed => "proposed",
            AgreementState::Active => "active",
            AgreementState::Suspended => "suspended",
            AgreementState::Dissolved => "dissolved",
            AgreementState::Ended => "ended",
            AgreementState::Closed => "closed",
        };
        let attributes = [
            ("edition", text(&agreement.edition.to_string())),
            ("state", self.entity("AgreementState", state)),
            ("members", self.organizations(&agreement.members)),
            (
                "program",
                self.assigned(agreement.program.as_ref().expect("a program")),
            ),
            ("until", instant(agreement.until)),
            ("leaseUntil", instant(agreement.lease_until)),
        ];
        let uid = self.uid("Partnership", agreement.partnership.as_str());
        Entity::new_with_tags(uid, named(attributes), [], []).unwrap()
    }

    fn observation(&self, inquiry: &Inquiry) -> Entity {
        let footprint = &inquiry.footprint;
        let attributes = [
            ("issuer", Some(self.organization(&footprint.issuer))),
            ("owner", Some(self.organization(&footprint.owner))),
            (
                "designAuthority",
                footprint
                    .design_authority
                    .as_ref()
                    .map(|id| self.organization(id)),
            ),
            ("named", Some(self.organizations(&footprint.named))),
            (
                "dataClass",
                Some(self.entity("DataClass", footprint.data_class.as_str())),
            ),
            ("semanticId", Some(text(footprint.semantic_id.as_str()))),
            (
                "program",
                footprint.program.as_ref().map(|pair| self.assigned(pair)),
            ),
            (
                "part",
                footprint.part.as_ref().map(|pair| self.assigned(pair)),
            ),
            (
                "lot",
                footprint.lot.as_ref().map(|pair| self.assigned(pair)),
            ),
            (
                "site",
                footprint.site.as_ref().map(|name| text(name.as_str())),
            ),
            (
                "asset",
                footprint.asset.as_ref().map(|name| text(name.as_str())),
            ),
            (
                "process",
                footprint.process.as_ref().map(|name| text(name.as_str())),
            ),
            ("tradeSecret", Some(Value::new_bool(footprint.trade_secret))),
            (
                "exportControl",
                Some(export_control(&footprint.export_control)),
            ),
            ("observedFrom", Some(instant(footprint.observed_from))),
            ("observedTo", Some(instant(footprint.observed_to))),
            ("scope", Some(self.scope(&inquiry.scope))),
            (
                "limits",
                inquiry.limits.as_ref().map(|limits| self.limits(limits)),
            ),
        ];
        let uid = self.uid("Observation", "this");
        Entity::new_with_tags(uid, present(attributes), [], []).unwrap()
    }

    fn scope(&self, scope: &Scope) -> Value {
        let erasure = match scope.erasure {
            ErasureExtent::Readings => "readings",
            ErasureExtent::All => "all",
        };
        let attributes = [
            ("recipients", Some(self.organizations(&scope.recipients))),
            (
                "purposes",
                Some(self.set("Purpose", scope.purposes.iter().map(|one| one.as_str()))),
            ),
            ("notAfter", Some(instant(scope.not_after))),
            ("holdUntil", Some(instant(scope.hold_until))),
            ("keepUntil", scope.keep_until.map(instant)),
            ("erasure", Some(self.entity("ErasureExtent", erasure))),
            (
                "onwardHops",
                Some(Value::new_long(scope.onward_hops.into())),
            ),
            (
                "derived",
                scope.derived.as_ref().map(|terms| self.derived(terms)),
            ),
        ];
        Value::new_record(present(attributes)).unwrap()
    }

    fn derived(&self, terms: &DerivedTerms) -> Value {
        record([
            (
                "dataClasses",
                self.set(
                    "DataClass",
                    terms.data_classes.iter().map(|one| one.as_str()),
                ),
            ),
            ("recipients", self.organizations(&terms.recipients)),
            (
                "purposes",
                self.set("Purpose", terms.purposes.iter().map(|one| one.as_str())),
            ),
        ])
    }

    fn limits(&self, limits: &Limits) -> Value {
        let classes = limits.data_classes.iter().map(|one| one.as_str());
        let attributes = [
            (
                "program",
                limits.program.as_ref().map(|pair| self.assigned(pair)),
            ),
            ("dataClasses", Some(self.set("DataClass", classes))),
            (
                "purposes",
                Some(self.set("Purpose", limits.purposes.iter().map(|one| one.as_str()))),
            ),
            ("notAfter", Some(instant(limits.not_after))),
            ("holdUntil", Some(instant(limits.hold_until))),
            (
                "onwardHops",
                Some(Value::new_long(limits.onward_hops.into())),
            ),
            (
                "derived",
                limits.derived.as_ref().map(|terms| self.derived(terms)),
            ),
        ];
        Value::new_record(present(attributes)).unwrap()
    }
}

impl<'a> Bare<'a> {
    /// Finds out beforehand which entities the recorded slice of this inquiry refers to.
    pub fn new(cedar: &'a Cedar, layers: &Layers, inquiry: &'a Inquiry, now: Time) -> Self {
        let slice = judge(layers, inquiry, now).slice;
        let slice: serde_json::Value = serde_json::from_slice(&slice).unwrap();
        let mut names = BTreeSet::new();
        collect(&slice, &mut names);
        let mut at_hand = BTreeMap::new();
        for entity in slice["entities"].as_array().unwrap() {
            let (entity_type, id) = named_by(&entity["uid"]);
            if entity_type == "Organization" {
                let uid = cedar.uid(&entity_type, &id);
                at_hand.insert(uid.to_string(), Entity::with_uid(uid));
            }
        }
        while let Some((entity_type, id)) = names.pop_first() {
            let found = TYPES.iter().find(|name| **name == entity_type);
            let entity = found.and_then(|name| cedar.taxonomies.get(&(*name, id)));
            for entity in entity.into_iter() {
                at_hand.insert(entity.uid().to_string(), entity.clone());
                let parents = entity.clone().into_inner().2;
                let unescaped = parents
                    .iter()
                    .map(|parent| parent.id().unescaped().to_owned());
                names.extend(unescaped.map(|id| (entity_type.clone(), id)));
            }
        }
        let at_hand = at_hand.into_values().collect();
        Self {
            cedar,
            inquiry,
            at_hand,
        }
    }

    /// How many of the purposes every layer allows.
    pub fn admitted(&self, now: Time) -> usize {
        let (cedar, inquiry) = (self.cedar, self.inquiry);
        let entities = [
            cedar.party(&inquiry.recipient),
            cedar.observation(inquiry),
            cedar.partnership(inquiry),
        ];
        let entities = entities.into_iter().chain(self.at_hand.iter().cloned());
        let entities = Entities::from_entities(entities, Some(&cedar.schema)).unwrap();
        let action = match inquiry.action {
            Action::Disclose => "disclose",
            Action::OnwardDisclose => "onward-disclose",
            Action::Admit => "admit",
        };
        let allowed = inquiry.scope.purposes.iter().filter(|purpose| {
            let partnership = inquiry.partnership.partnership.as_str();
            let context = Context::from_pairs(named([
                ("now", instant(now)),
                ("purpose", cedar.entity("Purpose", purpose.as_str())),
                ("partnership", cedar.entity("Partnership", partnership)),
                ("discloser", cedar.organization(&inquiry.discloser)),
                (
                    "retentionDays",
                    Value::new_long(inquiry.retention_days.into()),
                ),
                ("hop", Value::new_long(inquiry.hop.into())),
            ]));
            let request = Request::new(
                cedar.uid("Party", inquiry.recipient.organization.as_str()),
                cedar.uid("Action", action),
                cedar.uid("Observation", "this"),
                context.unwrap(),
                Some(&cedar.schema),
            )
            .unwrap();
            cedar.layers.iter().all(|layer| {
                let response = cedar.authorizer.is_authorized(&request, layer, &entities);
                response.decision() == Decision::Allow
                    && response.diagnostics().errors().next().is_none()
            })
        });
        allowed.count()
    }
}

fn export_control(control: &ExportControl) -> Value {
    let name = |name: &Option<ambit_ledger::Name>| name.as_ref().map(|name| text(name.as_str()));
    let attributes = [
        ("determined", Some(Value::new_bool(control.determined))),
        ("itar", Some(Value::new_bool(control.itar))),
        ("usml", name(&control.usml)),
        ("eccn", name(&control.eccn)),
        ("euAnnexI", name(&control.eu_annex_i)),
        ("licence", name(&control.licence)),
    ];
    Value::new_record(present(attributes)).unwrap()
}

fn text(text: &str) -> Value {
    Value::new_string(text.to_owned())
}

/// Whole seconds, as the bench has them.
fn instant(time: Time) -> Value {
    Value::new_datetime(time.to_string())
}

fn named<const N: usize>(attributes: [(&str, Value); N]) -> impl Iterator<Item = (String, Value)> {
    attributes
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
}

fn present<const N: usize>(
    attributes: [(&str, Option<Value>); N],
) -> impl Iterator<Item = (String, Value)> {
    attributes
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
}

fn record<const N: usize>(attributes: [(&str, Value); N]) -> Value {
    Value::new_record(named(attributes)).unwrap()
}

/// Every entity that a slice refers to.
fn collect(value: &serde_json::Value, names: &mut BTreeSet<(String, String)>) {
    match value {
        serde_json::Value::Object(map) => {
            names.extend(map.get("__entity").map(named_by));
            names.extend(map.get("purposes").into_iter().flat_map(asked_for));
            map.values().for_each(|value| collect(value, names));
        }
        serde_json::Value::Array(values) => values.iter().for_each(|value| collect(value, names)),
        _ => {}
    }
}

fn asked_for(purposes: &serde_json::Value) -> Vec<(String, String)> {
    let ids = purposes
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|purpose| purpose.as_str());
    ids.map(|id| ("Purpose".to_owned(), id.to_owned()))
        .collect()
}

fn named_by(value: &serde_json::Value) -> (String, String) {
    let entity_type = value["type"]
        .as_str()
        .unwrap()
        .trim_start_matches("Ambit::");
    (
        entity_type.to_owned(),
        value["id"].as_str().unwrap().to_owned(),
    )
}
