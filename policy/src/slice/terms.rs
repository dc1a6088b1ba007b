//! Labels and terms: what sticks to data, the scope of a disclosure, the owner's limits.

use super::leaves::{assigned, data_classes, name, organization, organizations, purposes};
use crate::taxonomy::{Taxonomies, TaxonomyKind};
use crate::value::{Record, Type, Value};
use ambit_ledger::{
    DataClass, DerivedOutput, DerivedTerms, ErasureExtent, ExportControl, Limits, OrganizationId,
    Purpose, Scope,
};

/// What sticks to data, and to what is derived from it.
pub(super) fn labels<'a>(
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

pub(super) fn output(output: &DerivedOutput) -> Value<'_> {
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

pub(super) fn limits<'a>(taxonomies: &'a Taxonomies, limits: &'a Limits) -> Value<'a> {
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
