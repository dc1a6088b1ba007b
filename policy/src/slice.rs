//! The entity slice: what Cedar is shown of an inquiry, and the same bytes whoever derives it.
//!
//! Nothing here reads anything but its arguments. Taxonomies are not part of it: they are evidence of their own.

use crate::keeping::{Keeping, Output};
use crate::value::{Record, Reference, Type, Value, write_list, write_text};
use ambit_ledger::{
    Agreement, AgreementState, Assigned, Attestation, DerivedTerms, ErasureExtent, ExportControl,
    Footprint, Inquiry, Jurisdiction, Limits, Name, OrganizationId, Party, Purpose, Scope, Time,
};
use cedar_policy::Entity;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// The resource is no particular observation: a class of them gets one answer.
const THIS: Reference<'static> = Reference {
    entity_type: Type::Observation,
    id: "this",
};

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

    /// For a transfer.
    pub(crate) fn of_inquiry(inquiry: &'a Inquiry, now: Time) -> Self {
        let action = match inquiry.action {
            ambit_ledger::Action::Disclose => "disclose",
            ambit_ledger::Action::OnwardDisclose => "onward-disclose",
            ambit_ledger::Action::Admit => "admit",
        };
        let context = context(inquiry, now)
            .with("discloser", organization(&inquiry.discloser))
            .with("hop", Value::Long(inquiry.hop.into()))
            .with("retentionDays", Value::Long(inquiry.retention_days.into()));
        let party = party(&inquiry.recipient);
        Self {
            principal: party.uid,
            action,
            resource: THIS,
            purposes: inquiry.scope.purposes.iter().map(Purpose::as_str).collect(),
            context,
            entities: entities(inquiry, party, mentioned(inquiry)),
        }
    }

    /// For what a holder does with what it has.
    pub(crate) fn of_keeping(inquiry: &'a Inquiry, keeping: &'a Keeping, now: Time) -> Self {
        let context = context(inquiry, now);
        let mut organizations = mentioned(inquiry);
        let (action, context, principal, purpose) = match keeping {
            Keeping::Retain { legal_hold } => {
                let context = context.with("legalHold", Value::Bool(*legal_hold));
                ("retain", context, party(&inquiry.recipient), None)
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
                ("derive", context, party(&inquiry.recipient), Some(purpose))
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
            entities: entities(inquiry, principal, organizations),
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
        .with("now", Value::instant(now))
        .with("partnership", Value::entity(Type::Partnership, partnership))
}

fn entities<'a>(
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

fn party(party: &Party) -> Node<'_> {
    let licences = party.licences.iter().map(name).collect();
    Node {
        uid: Reference {
            entity_type: Type::Party,
            id: party.organization.as_str(),
        },
        attributes: Record::default()
            .with("hosting", jurisdictions(&party.hosting))
            .with("licences", Value::Set(licences))
            .with("organization", organization(&party.organization))
            .with("personnel", jurisdictions(&party.personnel))
            .with("seat", jurisdiction(&party.seat)),
        tags: Some(attestations(&party.attestations)),
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

/// One tag per name: of several attestations of one name the one that lasts longest.
fn attestations(all: &BTreeSet<Attestation>) -> Record<'_> {
    let mut latest: BTreeMap<&str, &Attestation> = BTreeMap::new();
    for attested in all {
        let held = latest.entry(attested.name.as_str()).or_insert(attested);
        if held.not_after < attested.not_after {
            *held = attested;
        }
    }
    latest
        .into_iter()
        .fold(Record::default(), |tags, (name, attested)| {
            let value = Record::default()
                .with("issuer", organization(&attested.issuer))
                .with("notAfter", Value::instant(attested.not_after));
            tags.with(name, Value::Record(value))
        })
}

fn partnership(agreement: &Agreement) -> Node<'_> {
    let state = match agreement.state {
        AgreementState::Proposed => "proposed",
        AgreementState::Active => "active",
        AgreementState::Suspended => "suspended",
        AgreementState::Dissolved => "dissolved",
    };
    let edition = Cow::Owned(agreement.edition.to_string());
    Node {
        uid: Reference {
            entity_type: Type::Partnership,
            id: agreement.partnership.as_str(),
        },
        attributes: Record::default()
            .with("edition", Value::Text(edition))
            .with("leaseUntil", Value::instant(agreement.lease_until))
            .with("members", organizations(&agreement.members))
            .with("program", assigned(&agreement.program))
            .with("state", Value::entity(Type::AgreementState, state))
            .with("until", Value::instant(agreement.until)),
        tags: None,
    }
}

fn observation(inquiry: &Inquiry) -> Node<'_> {
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
    .with("observedFrom", Value::instant(footprint.observed_from))
    .with("observedTo", Value::instant(footprint.observed_to))
    .with("owner", organization(&footprint.owner))
    .with("semanticId", name(&footprint.semantic_id));
    Node {
        uid: THIS,
        attributes: with_options(attributes, footprint)
            .with_some("limits", inquiry.limits.as_ref().map(limits)),
        tags: None,
    }
}

fn with_options<'a>(attributes: Record<'a>, footprint: &'a Footprint) -> Record<'a> {
    attributes
        .with_some("asset", footprint.asset.as_ref().map(name))
        .with_some("lot", footprint.lot.as_ref().map(assigned))
        .with_some("part", footprint.part.as_ref().map(assigned))
        .with_some("process", footprint.process.as_ref().map(name))
        .with_some("program", footprint.program.as_ref().map(assigned))
        .with_some("site", footprint.site.as_ref().map(name))
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
        .with("holdUntil", Value::instant(scope.hold_until))
        .with_some("keepUntil", scope.keep_until.map(Value::instant))
        .with("notAfter", Value::instant(scope.not_after))
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

fn limits(limits: &Limits) -> Value<'_> {
    let record = Record::default()
        .with("dataClasses", data_classes(&limits.data_classes))
        .with("holdUntil", Value::instant(limits.hold_until))
        .with("notAfter", Value::instant(limits.not_after))
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

fn data_classes(all: &BTreeSet<ambit_ledger::DataClass>) -> Value<'_> {
    let ids = all.iter().map(ambit_ledger::DataClass::as_str);
    Value::entities(Type::DataClass, ids)
}
