//! The entity slice: what Cedar is shown of an inquiry, and the same bytes whoever derives it.
//!
//! Nothing here reads anything but its arguments. Taxonomies are not part of it: they are evidence of their own.

mod leaves;
mod party;
mod terms;

use crate::asking::Asking;
use crate::layers::Layers;
use crate::taxonomy::Taxonomies;
use crate::value::{Record, Reference, Type, Value, write_list, write_text};
use ambit_ledger::{
    Agreement, AgreementState, Assigned, Footprint, Name, OrganizationId, Purpose, Scope, Time,
};
use cedar_policy::Entity;
use leaves::{assigned, name, organization, organizations};
use party::{agent, party};
use std::borrow::Cow;
use std::collections::BTreeSet;
use terms::{labels, limits, output};

/// The resource is no particular observation: a class of them gets one answer.
const THIS: Reference<'static> = Reference {
    entity_type: Type::Observation,
    id: "this",
};

/// Attributes of the observation that are part of the slice, and of the class, only where a policy names them.
pub(crate) const READ_ONLY_IF_NAMED: [&str; 8] = [
    "asset", "lot", "order", "part", "process", "revision", "serial", "site",
];

/// A request without its purpose, and the entities it reaches but those of the taxonomies.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Slice<'a> {
    pub(crate) principal: Reference<'a>,
    pub(crate) action: &'static str,
    pub(crate) resource: Reference<'a>,
    pub(crate) purposes: Vec<&'a str>,
    pub(crate) context: Record<'a>,
    pub(crate) entities: Vec<Node<'a>>,
}

/// One entity; none of them has parents.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node<'a> {
    pub(crate) uid: Reference<'a>,
    pub(crate) attributes: Record<'a>,
    /// Only parties have tags.
    pub(crate) tags: Option<Record<'a>>,
}

impl<'a> Slice<'a> {
    /// The canonical JSON: keys ascending, no white space.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(4_096);
        out.extend_from_slice(b"{\"action\":");
        write_text(&mut out, self.action);
        out.extend_from_slice(b",\"context\":");
        self.context.write(&mut out);
        out.extend_from_slice(b",\"entities\":");
        write_list(&mut out, &self.entities, |out, node| node.write(out));
        out.extend_from_slice(b",\"principal\":");
        self.principal.write(&mut out);
        out.extend_from_slice(b",\"purposes\":");
        write_list(&mut out, &self.purposes, |out, id| write_text(out, id));
        out.extend_from_slice(b",\"resource\":");
        self.resource.write(&mut out);
        out.push(b'}');
        out
    }

    /// Every entity that it refers to, ascending, each once.
    pub(crate) fn references(&self) -> Vec<Reference<'a>> {
        let mut references = vec![self.principal, self.resource];
        self.context.collect_references(&mut references);
        for node in &self.entities {
            node.attributes.collect_references(&mut references);
            if let Some(tags) = &node.tags {
                tags.collect_references(&mut references);
            }
        }
        references.extend(self.purposes.iter().map(|id| Reference {
            entity_type: Type::Purpose,
            id,
        }));
        references.sort_unstable();
        references.dedup();
        references
    }

    /// Every instant that the clock may be compared with: all but the clock itself, and observed time, which
    /// policies compare with literals only.
    pub(crate) fn instants(&self) -> Vec<Time> {
        let mut instants = Vec::new();
        self.context
            .without(&["now"])
            .collect_instants(&mut instants);
        for node in &self.entities {
            let observed = ["observedFrom", "observedTo"];
            node.attributes
                .without(&observed)
                .collect_instants(&mut instants);
            if let Some(tags) = &node.tags {
                tags.collect_instants(&mut instants);
            }
        }
        instants
    }

    /// What Cedar is shown of a question.
    pub(crate) fn of(layers: &'a Layers, asking: Asking<'a>, now: Time) -> Self {
        let context = context(asking.partnership(), now);
        let (action, context, purposes) = match asking {
            Asking::Transfer(inquiry) => {
                let action = match inquiry.action {
                    ambit_ledger::Action::Disclose => "disclose",
                    ambit_ledger::Action::OnwardDisclose => "onward-disclose",
                    ambit_ledger::Action::Admit => "admit",
                };
                let context = context
                    .with("discloser", organization(&inquiry.discloser))
                    .with("hop", Value::Long(inquiry.hop.into()))
                    .with("retentionDays", Value::Long(inquiry.retention_days.into()));
                let purposes = inquiry.scope.purposes.iter().map(Purpose::as_str).collect();
                (action, context, purposes)
            }
            Asking::Retain(inquiry) => {
                let context = context.with("legalHold", Value::Bool(inquiry.legal_hold));
                ("retain", context, Vec::new())
            }
            Asking::Derive(inquiry) => {
                let context = context
                    .with("declassified", Value::Bool(inquiry.declassified))
                    .with("output", output(&inquiry.output));
                ("derive", context, vec![inquiry.purpose.as_str()])
            }
            Asking::Use(inquiry) => ("use", context, vec![inquiry.purpose.as_str()]),
        };
        let principal = principal(layers.taxonomies(), asking, now);
        Self {
            principal: principal.uid,
            action,
            resource: THIS,
            purposes,
            context,
            entities: entities(layers, asking, principal),
        }
    }
}

impl Node<'_> {
    /// # Errors
    /// Cedar's: a value that is none of its extension types' own.
    pub(crate) fn to_cedar(&self) -> Result<Entity, cedar_policy::EntityAttrEvaluationError> {
        let tags = self.tags.iter().flat_map(Record::to_cedar);
        Entity::new_with_tags(self.uid.to_cedar(), self.attributes.to_cedar(), [], tags)
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"attrs\":");
        self.attributes.write(out);
        out.extend_from_slice(b",\"parents\":[]");
        if let Some(tags) = &self.tags {
            out.extend_from_slice(b",\"tags\":");
            tags.write(out);
        }
        out.extend_from_slice(b",\"uid\":");
        self.uid.write(out);
        out.push(b'}');
    }
}

/// What the context of every request holds.
fn context(agreement: &Agreement, now: Time) -> Record<'_> {
    let partnership = agreement.partnership.as_str();
    Record::default()
        .with("now", Value::Instant(now))
        .with("partnership", Value::entity(Type::Partnership, partnership))
}

fn principal<'a>(taxonomies: &'a Taxonomies, asking: Asking<'a>, now: Time) -> Node<'a> {
    let control = &asking.footprint().export_control;
    match asking {
        Asking::Transfer(_) | Asking::Retain(_) | Asking::Derive(_) => {
            party(taxonomies, asking.party(), control, now)
        }
        Asking::Use(inquiry) => agent(&inquiry.holding.holder.organization, &inquiry.nationality),
    }
}

fn entities<'a>(layers: &'a Layers, asking: Asking<'a>, principal: Node<'a>) -> Vec<Node<'a>> {
    let mentioned = mentioned(asking).into_iter().map(|id| Node {
        uid: Reference {
            entity_type: Type::Organization,
            id: id.as_str(),
        },
        attributes: Record::default(),
        tags: None,
    });
    [
        principal,
        observation(layers, asking),
        partnership(asking.partnership()),
    ]
    .into_iter()
    .chain(mentioned)
    .collect()
}

/// Every organization the question mentions.
fn mentioned(asking: Asking<'_>) -> BTreeSet<&OrganizationId> {
    let footprint = asking.footprint();
    let limits = asking.limits();
    let assigned = [
        footprint.program.as_ref(),
        footprint.part.as_ref(),
        footprint.lot.as_ref(),
        footprint.order.as_ref(),
        limits.and_then(|limits| limits.program.as_ref()),
        asking.partnership().program.as_ref(),
    ];
    let party = asking.party();
    let mut all = BTreeSet::from([
        &party.organization,
        asking.discloser(),
        &footprint.issuer,
        &footprint.owner,
    ]);
    all.extend(&footprint.design_authority);
    all.extend(&footprint.named);
    all.extend(&asking.partnership().members);
    all.extend(assigned.into_iter().flatten().map(|pair| &pair.assigner));
    for attested in &party.attested {
        let authorization = attested.attestation.authorization.iter();
        all.insert(&attested.issuer);
        all.extend(authorization.map(|allowed| &allowed.authority));
    }
    let derived = limits.and_then(|limits| limits.derived.as_ref());
    all.extend(derived.into_iter().flat_map(|derived| &derived.recipients));
    mention_scope(asking.scope(), &mut all);
    if let Asking::Derive(inquiry) = asking {
        all.extend(&inquiry.output.design_authority);
        mention_scope(&inquiry.output.scope, &mut all);
    }
    all
}

fn mention_scope<'a>(scope: &'a Scope, all: &mut BTreeSet<&'a OrganizationId>) {
    all.extend(&scope.recipients);
    all.extend(scope.derived.iter().flat_map(|derived| &derived.recipients));
}

fn partnership(agreement: &Agreement) -> Node<'_> {
    // Taken apart in full: what is added to an agreement must be shown to policies, or the program does not compile.
    let Agreement {
        partnership,
        edition,
        state,
        members,
        program,
        until,
        lease_until,
    } = agreement;
    let state = match state {
        AgreementState::Proposed => "proposed",
        AgreementState::Active => "active",
        AgreementState::Suspended => "suspended",
        AgreementState::Dissolved => "dissolved",
        AgreementState::Ended => "ended",
        AgreementState::Closed => "closed",
    };
    let edition = Cow::Owned(edition.to_string());
    Node {
        uid: Reference {
            entity_type: Type::Partnership,
            id: partnership.as_str(),
        },
        attributes: Record::default()
            .with("edition", Value::Text(edition))
            .with("leaseUntil", Value::Instant(*lease_until))
            .with("members", organizations(members))
            .with_some("program", program.as_ref().map(assigned))
            .with("state", Value::entity(Type::AgreementState, state))
            .with("until", Value::Instant(*until)),
        tags: None,
    }
}

fn observation<'a>(layers: &'a Layers, asking: Asking<'a>) -> Node<'a> {
    let footprint = asking.footprint();
    let attributes = labels(
        footprint.data_class.as_str(),
        footprint.design_authority.as_ref(),
        footprint.trade_secret,
        &footprint.export_control,
        asking.scope(),
    )
    .with("issuer", organization(&footprint.issuer))
    .with("named", organizations(&footprint.named))
    .with("observedFrom", Value::Instant(footprint.observed_from))
    .with("observedTo", Value::Instant(footprint.observed_to))
    .with("owner", organization(&footprint.owner))
    .with("semanticId", name(&footprint.semantic_id));
    Node {
        uid: THIS,
        attributes: with_options(layers, attributes, footprint).with_some(
            "limits",
            asking
                .limits()
                .map(|given| limits(layers.taxonomies(), given)),
        ),
        tags: None,
    }
}

/// The facts that may be absent. Each of [`READ_ONLY_IF_NAMED`] is there only where a policy in force names it: an
/// observation for each serial number is no decision for each, unless somebody decides by serial numbers.
fn with_options<'a>(
    layers: &Layers,
    attributes: Record<'a>,
    footprint: &'a Footprint,
) -> Record<'a> {
    let pair = |pair: &'a Option<Assigned>| pair.as_ref().map(assigned);
    let text = |text: &'a Option<Name>| text.as_ref().map(name);
    let named: [(&str, Option<Value<'a>>); READ_ONLY_IF_NAMED.len()] = [
        ("asset", text(&footprint.asset)),
        ("lot", pair(&footprint.lot)),
        ("order", pair(&footprint.order)),
        ("part", pair(&footprint.part)),
        ("process", text(&footprint.process)),
        ("revision", text(&footprint.revision)),
        ("serial", text(&footprint.serial)),
        ("site", text(&footprint.site)),
    ];
    named
        .into_iter()
        .filter(|(name, _)| layers.reads(name))
        .fold(attributes, |attributes, (name, value)| {
            attributes.with_some(name, value)
        })
        .with_some("program", footprint.program.as_ref().map(assigned))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::schema_text;
    use ambit_ledger::{
        Attestation, Attested, Authorization, DeriveInquiry, DerivedOutput, DerivedTerms, Holding,
        Inquiry, Layer, Regime, RetainInquiry, UseInquiry,
    };

    /// Layers that name every fact that may be absent.
    fn reading_all() -> Layers {
        let named: Vec<String> = READ_ONLY_IF_NAMED
            .iter()
            .map(|name| format!("resource has {name}"))
            .collect();
        let text = format!(
            "@id(\"p\") permit (principal, action, resource);\n\
             @id(\"f\") forbid (principal, action, resource is Ambit::Observation) when {{ resource.tradeSecret && ({}) }};",
            named.join(" || ")
        );
        let layers = Layers::builtin().with_text(Layer::Owner, &text);
        assert_eq!(layers.broken().count(), 0);
        layers
    }

    /// With everything that may be absent, and instants that all differ.
    fn whole() -> (Inquiry, Time) {
        let (mut inquiry, now) = crate::cases::base();
        let mut number = 0;
        let mut instant = || {
            number += 1;
            now.plus_seconds(number)
        };
        let derived = DerivedTerms {
            data_classes: [inquiry.footprint.data_class.clone()].into(),
            recipients: inquiry.scope.recipients.clone(),
            purposes: inquiry.scope.purposes.clone(),
            not_after: None,
            hold_until: None,
            onward_hops: None,
            again: false,
            outlives_inputs: false,
        };
        inquiry.scope.derived = Some(derived.clone());
        inquiry.scope.not_after = instant();
        inquiry.scope.hold_until = instant();
        inquiry.scope.keep_until = Some(instant());
        let limits = inquiry.limits.as_mut().unwrap();
        limits.not_after = instant();
        limits.hold_until = instant();
        limits.derived = Some(derived);
        inquiry.partnership.until = instant();
        inquiry.partnership.lease_until = instant();
        let text = |text: &str| Some(text.parse().unwrap());
        let footprint = &mut inquiry.footprint;
        footprint.design_authority = Some(inquiry.discloser.clone());
        footprint.revision = text("B");
        footprint.serial = text("SN-1");
        footprint.order = footprint.lot.clone();
        footprint.export_control.usml = text("VIII(h)");
        footprint.export_control.eccn = text("2E003");
        footprint.export_control.eu_annex_i = text("2E003");
        footprint.export_control.licence = text("D-1");
        let mut attest = |what: &str, authorization| Attested {
            issuer: inquiry.discloser.clone(),
            attestation: Attestation {
                subject: inquiry.recipient.organization.clone(),
                what: what.parse().unwrap(),
                number: text("17"),
                not_before: Time::from_millis(now.as_millis() - number_of(what)).unwrap(),
                not_after: instant(),
                authorization,
            },
        };
        let registered = attest("ddtc-registered", None);
        let allowed = Authorization {
            authority: inquiry.discloser.clone(),
            number: "D-1".parse().unwrap(),
            not_after: Time::LATEST,
            regime: Regime::Ear,
            items: ["2E003".parse().unwrap()].into(),
            destinations: ["EU".parse().unwrap()].into(),
        };
        let licence = attest("export-licence", Some(allowed));
        inquiry.recipient.attested = [registered, licence].into();
        (inquiry, now)
    }

    fn number_of(what: &str) -> i64 {
        i64::try_from(what.len()).unwrap() * 1_000
    }

    /// The names of the schema's attributes, with those that are instants.
    fn schema_names() -> (BTreeSet<String>, BTreeSet<String>) {
        let (mut all, mut instants) = (BTreeSet::new(), BTreeSet::new());
        for line in schema_text().lines() {
            let code = line.split("//").next().unwrap();
            let words: Vec<&str> = code.split([' ', '{', ',', '(']).collect();
            for pair in words.windows(2) {
                let name = pair[0].trim_end_matches(':').trim_end_matches('?');
                if pair[0].ends_with(':') && !["principal", "resource", "context"].contains(&name) {
                    all.insert(name.to_owned());
                    if pair[1].trim_end_matches(';') == "datetime" {
                        instants.insert(name.to_owned());
                    }
                }
            }
        }
        (all, instants)
    }

    fn collect_names(
        value: &serde_json::Value,
        all: &mut BTreeSet<String>,
        instants: &mut Vec<String>,
    ) {
        if let Some(map) = value.as_object() {
            for (name, value) in map {
                if name.starts_with("__") {
                    continue;
                }
                all.insert(name.clone());
                if value.get("__extn").is_some() {
                    instants.push(name.clone());
                }
                collect_names(value, all, instants);
            }
        }
    }

    #[test]
    fn every_attribute_of_the_schema_is_shown_and_every_instant_ends_an_answer() {
        let layers = reading_all();
        let (inquiry, now) = whole();
        let holding = Holding {
            holder: inquiry.recipient.clone(),
            discloser: inquiry.discloser.clone(),
            footprint: inquiry.footprint.clone(),
            scope: inquiry.scope.clone(),
            limits: inquiry.limits.clone(),
            partnership: inquiry.partnership.clone(),
            hop: 0,
        };
        let purpose: Purpose = inquiry.scope.purposes.first().unwrap().clone();
        let retention = RetainInquiry {
            holding: holding.clone(),
            legal_hold: true,
        };
        let derivation = DeriveInquiry {
            holding: holding.clone(),
            purpose: purpose.clone(),
            output: DerivedOutput {
                data_class: holding.footprint.data_class.clone(),
                design_authority: holding.footprint.design_authority.clone(),
                trade_secret: true,
                export_control: holding.footprint.export_control.clone(),
                scope: holding.scope.clone(),
            },
            declassified: true,
        };
        let usage = UseInquiry {
            holding,
            purpose,
            agent: "press-line".parse().unwrap(),
            nationality: "FR".parse().unwrap(),
        };
        let (attributes, instants) = schema_names();
        assert!(instants.len() >= 9 && instants.is_subset(&attributes));
        let mut shown = BTreeSet::from(["purpose".to_owned()]);
        let mut shown_instants = BTreeSet::new();
        for asking in [
            Asking::Transfer(&inquiry),
            Asking::Retain(&retention),
            Asking::Derive(&derivation),
            Asking::Use(&usage),
        ] {
            let slice = layers.slice(asking, now);
            let json: serde_json::Value = serde_json::from_slice(&slice.to_bytes()).unwrap();
            let mut of_slice = Vec::new();
            collect_names(&json["context"], &mut shown, &mut of_slice);
            for entity in json["entities"].as_array().unwrap() {
                collect_names(&entity["attrs"], &mut shown, &mut of_slice);
                let tags = entity["tags"].as_object().into_iter().flatten();
                tags.for_each(|(_, tag)| collect_names(tag, &mut shown, &mut of_slice));
            }
            // All but the clock and observed time, each as often as it is shown.
            let compared =
                |name: &&String| !["now", "observedFrom", "observedTo"].contains(&name.as_str());
            assert_eq!(
                slice.instants().len(),
                of_slice.iter().filter(compared).count()
            );
            shown_instants.extend(of_slice);
        }
        assert_eq!(shown, attributes);
        assert_eq!(shown_instants, instants);
        // Each of them, passed, ends an answer; so do the ends of what is attested.
        let judged = crate::judge::judge(&layers, &inquiry, now).decision;
        assert_eq!(judged.true_until, Some(now.plus_seconds(1)));
    }
}
