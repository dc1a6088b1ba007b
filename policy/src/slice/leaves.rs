//! Values that are one thing, or a set of things.

use crate::value::{Record, Type, Value};
use ambit_ledger::{Assigned, DataClass, Jurisdiction, Name, OrganizationId, Purpose};
use std::collections::BTreeSet;

pub(super) fn assigned(pair: &Assigned) -> Value<'_> {
    let record = Record::default()
        .with("assigner", organization(&pair.assigner))
        .with("value", name(&pair.value));
    Value::Record(record)
}

pub(super) fn name(name: &Name) -> Value<'_> {
    Value::text(name.as_str())
}

pub(super) fn organization(id: &OrganizationId) -> Value<'_> {
    Value::entity(Type::Organization, id.as_str())
}

pub(super) fn organizations(ids: &BTreeSet<OrganizationId>) -> Value<'_> {
    Value::entities(Type::Organization, ids.iter().map(OrganizationId::as_str))
}

pub(super) fn jurisdiction(code: &Jurisdiction) -> Value<'_> {
    Value::entity(Type::Jurisdiction, code.as_str())
}

pub(super) fn jurisdictions(codes: &BTreeSet<Jurisdiction>) -> Value<'_> {
    Value::entities(Type::Jurisdiction, codes.iter().map(Jurisdiction::as_str))
}

pub(super) fn purposes(all: &BTreeSet<Purpose>) -> Value<'_> {
    Value::entities(Type::Purpose, all.iter().map(Purpose::as_str))
}

pub(super) fn data_classes(all: &BTreeSet<DataClass>) -> Value<'_> {
    let ids = all.iter().map(DataClass::as_str);
    Value::entities(Type::DataClass, ids)
}
