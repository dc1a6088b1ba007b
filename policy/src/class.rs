//! Classes of inquiries with one answer, and until when the answer stays true.
//!
//! Policies compare instants only with each other and with literals, so an answer can change only where an
//! instant is passed: at it (for `<`) and a millisecond after it (for `<=`).

use crate::layers::Layers;
use ambit_ledger::{
    Action, Agreement, Assigned, DataClass, Digest, ExportControl, Footprint, Inquiry, Limits,
    Name, OrganizationId, Party, Scope, Time, encode,
};
use serde::Serialize;
use std::collections::BTreeSet;

const CLASS_DOMAIN: &[u8] = b"ambit class 1\n";

/// What an answer depends on but the clock. Every field is always there, an absent one as null, so that two of
/// them never have one encoding.
#[derive(Serialize)]
struct Read<'a> {
    layers: Digest,
    action: Action,
    recipient: &'a Party,
    discloser: &'a OrganizationId,
    issuer: &'a OrganizationId,
    owner: &'a OrganizationId,
    design_authority: &'a Option<OrganizationId>,
    named: &'a BTreeSet<OrganizationId>,
    data_class: &'a DataClass,
    semantic_id: &'a Name,
    program: &'a Option<Assigned>,
    part: &'a Option<Assigned>,
    lot: &'a Option<Assigned>,
    site: &'a Option<Name>,
    asset: &'a Option<Name>,
    process: &'a Option<Name>,
    trade_secret: bool,
    export_control: &'a ExportControl,
    observed_from_cell: usize,
    observed_to_cell: usize,
    scope: &'a Scope,
    limits: &'a Option<Limits>,
    partnership: &'a Agreement,
    retention_days: u32,
    hop: u32,
}

/// Names the class of an inquiry: a digest over everything the layers read but the clock, with observed
/// time as its place between the instants that policies name. Inquiries of one class get one answer.
///
/// SHA-256 of `ambit class 1`, a line feed, and the deterministic encoding of a map: the digest of the layers (that of
/// `ambit layers 1`, a line feed, and the encoding of engine, schema, taxonomies and profiles), the action, recipient
/// and discloser, the footprint field by field, with the places of observed time, then scope, limits, partnership,
/// retention and hop.
#[must_use]
pub fn class_key(layers: &Layers, inquiry: &Inquiry) -> Digest {
    // Taken apart in full: a field that is added later must be added here, or the program does not compile.
    let Inquiry {
        action,
        recipient,
        discloser,
        footprint,
        scope,
        limits,
        partnership,
        retention_days,
        hop,
    } = inquiry;
    let Footprint {
        issuer,
        owner,
        design_authority,
        named,
        data_class,
        semantic_id,
        program,
        part,
        lot,
        site,
        asset,
        process,
        trade_secret,
        export_control,
        observed_from,
        observed_to,
    } = footprint;
    let read = Read {
        layers: layers.digest(),
        action: *action,
        recipient,
        discloser,
        issuer,
        owner,
        design_authority,
        named,
        data_class,
        semantic_id,
        program,
        part,
        lot,
        site,
        asset,
        process,
        trade_secret: *trade_secret,
        export_control,
        observed_from_cell: cell(layers.instants(), *observed_from),
        observed_to_cell: cell(layers.instants(), *observed_to),
        scope,
        limits,
        partnership,
        retention_days: *retention_days,
        hop: *hop,
    };
    Digest::of_parts(&[CLASS_DOMAIN, &encode(&read)])
}

/// How many breakpoints lie at or before an instant: each of `instants` makes two, itself and the
/// millisecond after it.
fn cell(instants: &[i64], time: Time) -> usize {
    let millis = time.as_millis();
    let at = instants.partition_point(|instant| *instant <= millis);
    let after = instants.partition_point(|instant| *instant < millis);
    at + after
}

/// The interval around `now` in which no instant is passed: from, and up to but without.
pub(crate) fn interval(layers: &Layers, inquiry: &Inquiry, now: Time) -> (Time, Option<Time>) {
    let now = now.as_millis();
    let breakpoints = layers
        .instants()
        .iter()
        .copied()
        .chain(inquiry_instants(inquiry).map(Time::as_millis))
        .flat_map(|instant| [instant, instant.saturating_add(1)]);
    let mut from = None;
    let mut until = None;
    for point in breakpoints {
        if point <= now {
            from = from.max(Some(point));
        } else if until.is_none_or(|until| point < until) {
            until = Some(point);
        }
    }
    let bounded = |millis: i64| Time::from_millis(millis).ok();
    (
        from.and_then(bounded).unwrap_or(Time::EARLIEST),
        until.and_then(bounded),
    )
}

/// All instants of an inquiry that the clock may be compared with.
fn inquiry_instants(inquiry: &Inquiry) -> impl Iterator<Item = Time> {
    let scope = &inquiry.scope;
    let agreement = &inquiry.partnership;
    let limits = inquiry.limits.iter();
    [
        scope.not_after,
        scope.hold_until,
        agreement.until,
        agreement.lease_until,
    ]
    .into_iter()
    .chain(scope.keep_until)
    .chain(limits.flat_map(|limits| [limits.not_after, limits.hold_until]))
    .chain(
        inquiry
            .recipient
            .attestations
            .iter()
            .map(|attested| attested.not_after),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_ends_at_an_instant_and_a_millisecond_after_it() {
        let cells: Vec<usize> = [9, 10, 11, 19, 20, 21]
            .into_iter()
            .map(|millis| cell(&[10, 20], Time::from_millis(millis).unwrap()))
            .collect();
        assert_eq!(cells, [0, 1, 2, 2, 3, 4]);
    }
}
