//! Classes of inquiries with one answer, and until when the answer stays true.
//!
//! Policies compare instants only with each other and with literals, so an answer can change only where an
//! instant is passed: at it (for `<`) and a millisecond after it (for `<=`).

use crate::asking::Asking;
use crate::layers::Layers;
use crate::slice::Slice;
use ambit_ledger::{
    Action, Agreement, Assigned, DataClass, DeriveInquiry, DerivedOutput, Digest, ExportControl,
    Footprint, Holding, Inquiry, Jurisdiction, Limits, Name, OrganizationId, Party, Purpose,
    RetainInquiry, Scope, Time, UseInquiry, encode,
};
use serde::Serialize;
use std::collections::BTreeSet;

const CLASS_DOMAIN: &[u8] = b"ambit class 1\n";

/// What an answer depends on but the clock. Every field is always there, an absent one as null, so that two of
/// them never have one encoding.
#[derive(PartialEq, Eq, Serialize)]
struct Read<'a> {
    layers: Digest,
    issuer: &'a OrganizationId,
    owner: &'a OrganizationId,
    design_authority: &'a Option<OrganizationId>,
    named: &'a BTreeSet<OrganizationId>,
    data_class: &'a DataClass,
    semantic_id: &'a Name,
    program: &'a Option<Assigned>,
    part: Option<&'a Assigned>,
    revision: Option<&'a Name>,
    serial: Option<&'a Name>,
    lot: Option<&'a Assigned>,
    order: Option<&'a Assigned>,
    site: Option<&'a Name>,
    asset: Option<&'a Name>,
    process: Option<&'a Name>,
    trade_secret: bool,
    export_control: &'a ExportControl,
    observed_from_cell: usize,
    observed_to_cell: usize,
    scope: &'a Scope,
    limits: Option<&'a Limits>,
    partnership: &'a Agreement,
    own: Own<'a>,
}

/// What each kind of question has of its own.
#[derive(PartialEq, Eq, Serialize)]
enum Own<'a> {
    Transfer {
        action: Action,
        recipient: &'a Party,
        discloser: &'a OrganizationId,
        retention_days: u32,
        hop: u32,
    },
    Retain {
        held: Held<'a>,
        legal_hold: bool,
    },
    Derive {
        held: Held<'a>,
        purpose: &'a Purpose,
        output: &'a DerivedOutput,
        declassified: bool,
    },
    Use {
        held: Held<'a>,
        purpose: &'a Purpose,
        nationality: &'a Jurisdiction,
    },
}

/// By whom something is held, and how it came.
#[derive(PartialEq, Eq, Serialize)]
struct Held<'a> {
    holder: &'a Party,
    discloser: &'a OrganizationId,
    hop: u32,
}

impl<'a> From<&'a Holding> for Held<'a> {
    fn from(holding: &'a Holding) -> Self {
        let Holding {
            holder,
            discloser,
            footprint: _,
            scope: _,
            limits: _,
            partnership: _,
            hop,
        } = holding;
        Self {
            holder,
            discloser,
            hop: *hop,
        }
    }
}

/// Names the class of an inquiry: a digest over everything the layers read but the clock, with observed
/// time as its place between the instants that policies name. Inquiries of one class get one answer.
/// Byte by byte in `FORMATS.md`, section 3.
#[must_use]
pub fn class_key(layers: &Layers, inquiry: &Inquiry) -> Digest {
    class_of(layers, Asking::Transfer(inquiry))
}

/// Names the class of any question.
pub(crate) fn class_of(layers: &Layers, asking: Asking<'_>) -> Digest {
    Digest::of_parts(&[CLASS_DOMAIN, &encode(&read(layers, asking))])
}

/// Whether two inquiries are of one class: the same as comparing its names, in a fraction of the time.
pub(crate) fn is_one_class(layers: &Layers, one: &Inquiry, other: &Inquiry) -> bool {
    let [one, other] = [one, other].map(|inquiry| read(layers, Asking::Transfer(inquiry)));
    one == other
}

fn read<'a>(layers: &Layers, asking: Asking<'a>) -> Read<'a> {
    // Taken apart in full: a field that is added later must be added here, or the program does not compile.
    let Footprint {
        issuer,
        owner,
        design_authority,
        named,
        data_class,
        semantic_id,
        program,
        part,
        revision,
        serial,
        lot,
        order,
        site,
        asset,
        process,
        trade_secret,
        export_control,
        observed_from,
        observed_to,
    } = asking.footprint();
    Read {
        layers: layers.digest(),
        issuer,
        owner,
        design_authority,
        named,
        data_class,
        semantic_id,
        program,
        part: if_named(layers, "part", part.as_ref()),
        revision: if_named(layers, "revision", revision.as_ref()),
        serial: if_named(layers, "serial", serial.as_ref()),
        lot: if_named(layers, "lot", lot.as_ref()),
        order: if_named(layers, "order", order.as_ref()),
        site: if_named(layers, "site", site.as_ref()),
        asset: if_named(layers, "asset", asset.as_ref()),
        process: if_named(layers, "process", process.as_ref()),
        trade_secret: *trade_secret,
        export_control,
        observed_from_cell: cell(layers.instants(), *observed_from),
        observed_to_cell: cell(layers.instants(), *observed_to),
        scope: asking.scope(),
        limits: asking.limits(),
        partnership: asking.partnership(),
        own: own(asking),
    }
}

fn own(asking: Asking<'_>) -> Own<'_> {
    match asking {
        Asking::Transfer(inquiry) => {
            let Inquiry {
                action,
                recipient,
                discloser,
                footprint: _,
                scope: _,
                limits: _,
                partnership: _,
                retention_days,
                hop,
            } = inquiry;
            Own::Transfer {
                action: *action,
                recipient,
                discloser,
                retention_days: *retention_days,
                hop: *hop,
            }
        }
        Asking::Retain(RetainInquiry {
            holding,
            legal_hold,
        }) => Own::Retain {
            held: holding.into(),
            legal_hold: *legal_hold,
        },
        Asking::Derive(DeriveInquiry {
            holding,
            purpose,
            output,
            declassified,
        }) => Own::Derive {
            held: holding.into(),
            purpose,
            output,
            declassified: *declassified,
        },
        // Which agent it is no policy reads.
        Asking::Use(UseInquiry {
            holding,
            purpose,
            agent: _,
            nationality,
        }) => Own::Use {
            held: holding.into(),
            purpose,
            nationality,
        },
    }
}

/// A fact that may be absent, where a policy in force names it; else it is no part of the class.
fn if_named<'a, T>(layers: &Layers, attribute: &str, fact: Option<&'a T>) -> Option<&'a T> {
    fact.filter(|_| layers.reads(attribute))
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
///
/// The instants are those that the slice holds, so that none that a policy can read is forgotten, and those
/// between which an attestation is part of it.
pub(crate) fn interval(
    layers: &Layers,
    asking: Asking<'_>,
    slice: &Slice<'_>,
    now: Time,
) -> (Time, Option<Time>) {
    let now = now.as_millis();
    let attested = asking.party().attested.iter().flat_map(|attested| {
        let attestation = &attested.attestation;
        [
            attestation.not_before,
            attestation.not_after,
            attestation.ends(),
        ]
    });
    let breakpoints = layers
        .instants()
        .iter()
        .copied()
        .chain(slice.instants().into_iter().map(Time::as_millis))
        .chain(attested.map(Time::as_millis))
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
