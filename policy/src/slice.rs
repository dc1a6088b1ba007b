//! The entity slice: what Cedar is shown of an inquiry, and the same bytes whoever derives it.
//!
//! Nothing here reads anything but its arguments. Taxonomies are not part of it: they are evidence of their own.

use crate::keeping::{Keeping, Output};
use crate::layers::Layers;
use crate::taxonomy::{Taxonomies, TaxonomyKind};
use crate::value::{Record, Reference, Type, Value, write_list, write_text};
use ambit_ledger::{
    Agreement, AgreementState, Assigned, Attested, DataClass, DerivedTerms, ErasureExtent,
    ExportControl, Footprint, Inquiry, Jurisdiction, Limits, Name, OrganizationId, Party, Purpose,
    Scope, Time,
};
use cedar_policy::Entity;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

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

    /// For a transfer.
    pub(crate) fn of_inquiry(layers: &'a Layers, inquiry: &'a Inquiry, now: Time) -> Self {
        let action = match inquiry.action {
            ambit_ledger::Action::Disclose => "disclose",
            ambit_ledger::Action::OnwardDisclose => "onward-disclose",
            ambit_ledger::Action::Admit => "admit",
        };
        let context = context(inquiry, now)
            .with("discloser", organization(&inquiry.discloser))
            .with("hop", Value::Long(inquiry.hop.into()))
            .with("retentionDays", Value::Long(inquiry.retention_days.into()));
        let control = &inquiry.footprint.export_control;
        let party = party(layers.taxonomies(), &inquiry.recipient, control, now);
        Self {
            principal: party.uid,
            action,
            resource: THIS,
            purposes: inquiry.scope.purposes.iter().map(Purpose::as_str).collect(),
            context,
            entities: entities(layers, inquiry, party, mentioned(inquiry)),
        }
    }

    /// For what a holder does with what it has.
    pub(crate) fn of_keeping(
        layers: &'a Layers,
        inquiry: &'a Inquiry,
        keeping: &'a Keeping,
        now: Time,
    ) -> Self {
        let control = &inquiry.footprint.export_control;
        let party = || party(layers.taxonomies(), &inquiry.recipient, control, now);
        let context = context(inquiry, now);
        let mut organizations = mentioned(inquiry);
        let (action, context, principal, purpose) = match keeping {
            Keeping::Retain { legal_hold } => {
                let context = context.with("legalHold", Value::Bool(*legal_hold));
                ("retain", context, party(), None)
            }
            Keeping::Derive {
                purpose,
                output: made,
                declassified,
            } => {
                let context = context
                    .with("declassified", Value::Bool(*declassified))
                    .with("output", output(made));
                organizations.extend(made.design_authority.iter());
                mention_scope(&made.scope, &mut organizations);
                ("derive", context, party(), Some(purpose))
            }
            Keeping::Use {
                purpose,
                nationality,
            } => {
                let agent = agent(&inquiry.recipient.organization, nationality);
                ("use", context, agent, Some(purpose))
            }
        };
        Self {
            principal: principal.uid,
            action,
            resource: THIS,
            purposes: purpose.into_iter().map(Purpose::as_str).collect(),
            context,
            entities: entities(layers, inquiry, principal, organizations),
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
fn context(inquiry: &Inquiry, now: Time) -> Record<'_> {
    let partnership = inquiry.partnership.partnership.as_str();
    Record::default()
        .with("now", Value::Instant(now))
        .with("partnership", Value::entity(Type::Partnership, partnership))
}

fn entities<'a>(
    layers: &'a Layers,
    inquiry: &'a Inquiry,
    principal: Node<'a>,
    organizations: BTreeSet<&'a OrganizationId>,
) -> Vec<Node<'a>> {
    let mentioned = organizations.into_iter().map(|id| Node {
        uid: Reference {
            entity_type: Type::Organization,
            id: id.as_str(),
        },
        attributes: Record::default(),
        tags: None,
    });
    [
        principal,
        observation(layers, inquiry),
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
        footprint.order.as_ref(),
        inquiry
            .limits
            .as_ref()
            .and_then(|limits| limits.program.as_ref()),
        inquiry.partnership.program.as_ref(),
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
    for Attested {
        issuer,
        attestation,
    } in &inquiry.recipient.attested
    {
        all.insert(issuer);
        all.extend(
            attestation
                .authorization
                .iter()
                .map(|allowed| &allowed.authority),
        );
    }
    let derived = inquiry.limits.iter().flat_map(|limits| &limits.derived);
    all.extend(derived.flat_map(|derived| &derived.recipients));
    mention_scope(&inquiry.scope, &mut all);
    all
}

fn mention_scope<'a>(scope: &'a Scope, all: &mut BTreeSet<&'a OrganizationId>) {
    all.extend(&scope.recipients);
    all.extend(scope.derived.iter().flat_map(|derived| &derived.recipients));
}

fn party<'a>(
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

fn agent<'a>(id: &'a OrganizationId, nationality: &'a Jurisdiction) -> Node<'a> {
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

fn partnership(agreement: &Agreement) -> Node<'_> {
    let state = match agreement.state {
        AgreementState::Proposed => "proposed",
        AgreementState::Active => "active",
        AgreementState::Suspended => "suspended",
        AgreementState::Dissolved => "dissolved",
        AgreementState::Ended => "ended",
        AgreementState::Closed => "closed",
    };
    let edition = Cow::Owned(agreement.edition.to_string());
    Node {
        uid: Reference {
            entity_type: Type::Partnership,
            id: agreement.partnership.as_str(),
        },
        attributes: Record::default()
            .with("edition", Value::Text(edition))
            .with("leaseUntil", Value::Instant(agreement.lease_until))
            .with("members", organizations(&agreement.members))
            .with_some("program", agreement.program.as_ref().map(assigned))
            .with("state", Value::entity(Type::AgreementState, state))
            .with("until", Value::Instant(agreement.until)),
        tags: None,
    }
}

fn observation<'a>(layers: &'a Layers, inquiry: &'a Inquiry) -> Node<'a> {
    let footprint = &inquiry.footprint;
    let attributes = labels(
        footprint.data_class.as_str(),
        footprint.design_authority.as_ref(),
        footprint.trade_secret,
        &footprint.export_control,
        &inquiry.scope,
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
            inquiry
                .limits
                .as_ref()
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

/// What sticks to data, and to what is derived from it.
fn labels<'a>(
    data_class: &'a str,
    design_authority: Option<&'a OrganizationId>,
    trade_secret: bool,
    control: &'a ExportControl,
    terms: &'a Scope,
) -> Record<'a> {
    Record::default()
        .with("dataClass", Value::entity(Type::DataClass, data_class))
        .with_some("designAuthority", design_authority.map(organization))
        .with("exportControl", export_control(control))
        .with("scope", scope(terms))
        .with("tradeSecret", Value::Bool(trade_secret))
}

fn output(output: &Output) -> Value<'_> {
    Value::Record(labels(
        output.data_class.as_str(),
        output.design_authority.as_ref(),
        output.trade_secret,
        &output.export_control,
        &output.scope,
    ))
}

fn scope(scope: &Scope) -> Value<'_> {
    let erasure = match scope.erasure {
        ErasureExtent::Readings => "readings",
        ErasureExtent::All => "all",
    };
    let record = Record::default()
        .with_some("derived", scope.derived.as_ref().map(derived))
        .with("erasure", Value::entity(Type::ErasureExtent, erasure))
        .with("holdUntil", Value::Instant(scope.hold_until))
        .with_some("keepUntil", scope.keep_until.map(Value::Instant))
        .with("notAfter", Value::Instant(scope.not_after))
        .with("onwardHops", Value::Long(scope.onward_hops.into()))
        .with("purposes", purposes(&scope.purposes))
        .with("recipients", organizations(&scope.recipients));
    Value::Record(record)
}

fn derived(terms: &DerivedTerms) -> Value<'_> {
    let record = Record::default()
        .with("dataClasses", data_classes(&terms.data_classes))
        .with("purposes", purposes(&terms.purposes))
        .with("recipients", organizations(&terms.recipients));
    Value::Record(record)
}

fn limits<'a>(taxonomies: &'a Taxonomies, limits: &'a Limits) -> Value<'a> {
    // With everything below: Cedar cannot ask whether every element of a set lies in one of another's.
    let derived = limits.derived.as_ref().map(|terms| {
        let classes = terms.data_classes.iter().map(DataClass::as_str);
        let purposes = terms.purposes.iter().map(Purpose::as_str);
        let classes = taxonomies.with_all_below(TaxonomyKind::DataClass, classes);
        let purposes = taxonomies.with_all_below(TaxonomyKind::Purpose, purposes);
        let record = Record::default()
            .with(
                "dataClasses",
                Value::entities(Type::DataClass, classes.into_iter()),
            )
            .with(
                "purposes",
                Value::entities(Type::Purpose, purposes.into_iter()),
            )
            .with("recipients", organizations(&terms.recipients));
        Value::Record(record)
    });
    let record = Record::default()
        .with("dataClasses", data_classes(&limits.data_classes))
        .with_some("derived", derived)
        .with("holdUntil", Value::Instant(limits.hold_until))
        .with("notAfter", Value::Instant(limits.not_after))
        .with("onwardHops", Value::Long(limits.onward_hops.into()))
        .with_some("program", limits.program.as_ref().map(assigned))
        .with("purposes", purposes(&limits.purposes));
    Value::Record(record)
}

fn export_control(control: &ExportControl) -> Value<'_> {
    let record = Record::default()
        .with("determined", Value::Bool(control.determined))
        .with_some("eccn", control.eccn.as_ref().map(name))
        .with_some("euAnnexI", control.eu_annex_i.as_ref().map(name))
        .with("itar", Value::Bool(control.itar))
        .with_some("licence", control.licence.as_ref().map(name))
        .with_some("usml", control.usml.as_ref().map(name));
    Value::Record(record)
}

fn assigned(pair: &Assigned) -> Value<'_> {
    let record = Record::default()
        .with("assigner", organization(&pair.assigner))
        .with("value", name(&pair.value));
    Value::Record(record)
}

fn name(name: &Name) -> Value<'_> {
    Value::text(name.as_str())
}

fn organization(id: &OrganizationId) -> Value<'_> {
    Value::entity(Type::Organization, id.as_str())
}

fn organizations(ids: &BTreeSet<OrganizationId>) -> Value<'_> {
    Value::entities(Type::Organization, ids.iter().map(OrganizationId::as_str))
}

fn jurisdiction(code: &Jurisdiction) -> Value<'_> {
    Value::entity(Type::Jurisdiction, code.as_str())
}

fn jurisdictions(codes: &BTreeSet<Jurisdiction>) -> Value<'_> {
    Value::entities(Type::Jurisdiction, codes.iter().map(Jurisdiction::as_str))
}

fn purposes(all: &BTreeSet<Purpose>) -> Value<'_> {
    Value::entities(Type::Purpose, all.iter().map(Purpose::as_str))
}

fn data_classes(all: &BTreeSet<DataClass>) -> Value<'_> {
    let ids = all.iter().map(DataClass::as_str);
    Value::entities(Type::DataClass, ids)
}
