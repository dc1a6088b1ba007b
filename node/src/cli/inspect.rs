//! `ambit list`, `get ID` and `status`: what is held, on what terms, and how the node stands.

use super::backend::Backend;
use super::failure::{CommandError, Exit};
use super::output::{OutputOption, note};
use super::submodel;
use super::table::{or_none, pairs, short, shown, table};
use crate::api::Operation;
use crate::holding::{Filter, Item, ItemDetail, PartnerStatus, ReadingView, Status, withheld_by};
use ambit_ledger::{OrganizationId, Time};
use clap::Args;
use serde_json::Value;
use std::path::Path;

/// Which observations to list.
#[derive(Clone, Debug, Args)]
pub struct ListArguments {
    /// Of this part, by the part's own value
    #[arg(long, value_name = "VALUE")]
    pub part: Option<String>,
    /// Of this lot, by the lot's own value
    #[arg(long, value_name = "VALUE")]
    pub lot: Option<String>,
    /// Of this submodel
    #[arg(long, value_name = "ID")]
    pub submodel: Option<String>,
    /// Signed by this organization
    #[arg(long, value_name = "ORG")]
    pub origin: Option<OrganizationId>,
    /// Of this serial number
    #[arg(long, value_name = "VALUE")]
    pub serial: Option<String>,
    /// Of this program, by the program's own value
    #[arg(long, value_name = "VALUE")]
    pub program: Option<String>,
    /// Of this class of data
    #[arg(long, value_name = "CLASS")]
    pub class: Option<String>,
    /// Observed at this time or later, RFC 3339
    #[arg(long, value_name = "TIME")]
    pub from: Option<Time>,
    /// Observed before this time, RFC 3339
    #[arg(long, value_name = "TIME")]
    pub until: Option<Time>,
    /// At most so many: the newest, or the first after an entry
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
    /// The page after this entry, as `entry` of the last page's last one; 0 for the first page
    #[arg(long, value_name = "ENTRY")]
    pub after: Option<u64>,
    #[command(flatten)]
    #[expect(missing_docs, reason = "its own option describes it")]
    pub output: OutputOption,
}

/// Which observation to show, or which submodel.
#[derive(Clone, Debug, Args)]
pub struct GetArguments {
    /// The start of an observation's id
    #[arg(required_unless_present = "submodel")]
    pub id: Option<String>,
    /// The latest values of this submodel, instead of one observation
    #[arg(long, value_name = "ID", conflicts_with = "id")]
    pub submodel: Option<String>,
    #[command(flatten)]
    #[expect(missing_docs, reason = "its own option describes it")]
    pub output: OutputOption,
}

pub(super) fn list(home: &Path, arguments: &ListArguments) -> Result<Exit, CommandError> {
    let filter = Filter {
        part: arguments.part.clone(),
        lot: arguments.lot.clone(),
        submodel: arguments.submodel.clone(),
        origin: arguments.origin.clone(),
        serial: arguments.serial.clone(),
        program: arguments.program.clone(),
        data_class: arguments.class.clone(),
        from: arguments.from,
        until: arguments.until,
        after: arguments.after,
        limit: arguments.limit,
    };
    let backend = Backend::open(home)?;
    let items: Vec<Item> = backend.ask(Operation::List { filter })?;
    arguments.output.print(&items, |items| items_table(items))?;
    if items.is_empty() {
        note("no such observation is held here");
    }
    let is_full = arguments.after.is_some() && Some(items.len()) == arguments.limit;
    if let (Some(last), true) = (items.last(), is_full) {
        note(format!("the next page: --after {}", last.entry));
    }
    Ok(Exit::Done)
}

fn items_table(items: &[Item]) -> String {
    let header = [
        "id",
        "origin",
        "class",
        "part",
        "serial",
        "lot",
        "program",
        "observed from",
        "readings",
    ];
    table(
        &header,
        items.iter().map(|item| {
            vec![
                short(item.id),
                item.origin.to_string(),
                item.data_class.clone(),
                or_none(item.part.as_deref()),
                or_none(item.serial.as_deref()),
                or_none(item.lot.as_deref()),
                or_none(item.program.as_deref()),
                item.observed_from.clone(),
                item.readings.to_string(),
            ]
        }),
    )
}

pub(super) fn get(home: &Path, arguments: &GetArguments) -> Result<Exit, CommandError> {
    let backend = Backend::open(home)?;
    if let Some(submodel) = &arguments.submodel {
        return submodel::latest(&backend, submodel, arguments.output);
    }
    let id = arguments.id.clone().unwrap_or_default();
    let detail: ItemDetail = backend.ask(Operation::Get { id })?;
    arguments.output.print(&detail, detail_text)?;
    Ok(Exit::Done)
}

fn detail_text(detail: &ItemDetail) -> String {
    let head = [
        ("id".to_owned(), detail.item.id.to_string()),
        ("entry".to_owned(), detail.item.entry.to_string()),
    ];
    let facts = members(&detail.facts).into_iter().map(|(name, value)| {
        // The fact is the digest; the readings themselves stand below.
        let is_digest = name == "readings";
        (
            if is_digest {
                "readings digest".to_owned()
            } else {
                name
            },
            value,
        )
    });
    let mut text = pairs(head.into_iter().chain(facts));
    if let Some(terms) = &detail.terms {
        text.push_str("\nHELD ON THESE TERMS\n");
        text.push_str(&pairs(members(terms)));
    }
    let header = ["path", "from", "to", "quality", "value", "unit"];
    text.push('\n');
    text.push_str(&table(&header, detail.readings.iter().map(reading_row)));
    text
}

fn reading_row(reading: &ReadingView) -> Vec<String> {
    vec![
        reading.path.clone(),
        reading.from.clone(),
        or_none(reading.to.as_deref()),
        reading.quality.clone(),
        or_none(reading.value.as_ref().map(plain)),
        or_none(reading.unit.as_deref()),
    ]
}

/// The members of an object that hold something, in its order.
fn members(object: &Value) -> Vec<(String, String)> {
    let members = object.as_object().into_iter().flatten();
    members
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| (name.clone(), plain(value)))
        .collect()
}

/// A value as people write it; what is nested, as a list of its parts.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) if items.is_empty() => "none".to_owned(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| format!("{name}: {}", plain(value)))
            .collect::<Vec<_>>()
            .join(", "),
        Value::Null => "none".to_owned(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

pub(super) fn status(home: &Path, output: OutputOption) -> Result<Exit, CommandError> {
    let backend = Backend::open(home)?;
    let status: Status = backend.ask(Operation::Status)?;
    let is_running = backend.is_running();
    output.print(&status, |status| status_text(status, is_running))?;
    Ok(Exit::Done)
}

fn status_text(status: &Status, is_running: bool) -> String {
    let running = if is_running { "yes" } else { "no" };
    let mut text = pairs([
        (
            "organization",
            format!("{} ({})", status.organization, status.name),
        ),
        ("root key", status.root_key.clone()),
        ("running", running.to_owned()),
        ("ledger", format!("{} entries", status.ledger_size)),
        ("tree root", status.root.clone()),
    ]);
    if let Some(alarm) = &status.clock {
        text.push_str(&format!(
            "\nALARM: nothing is judged, sent or taken in: {}\n",
            shown(alarm)
        ));
    }
    let held = status.held.iter().map(|(origin, held)| {
        vec![
            origin.to_string(),
            held.observations.to_string(),
            held.readings.to_string(),
        ]
    });
    let pairs = status.pairs.iter().map(|pair| {
        let withheld_by = withheld_by(&pair.layers, pair.unasked);
        vec![
            pair.to.to_string(),
            pair.partnership.to_string(),
            pair.released.to_string(),
            pair.acknowledged.to_string(),
            pair.withheld.to_string(),
            pair.undecided.to_string(),
            or_none(Some(withheld_by).filter(|text| !text.is_empty())),
        ]
    });
    let sections = [
        table(&["held of", "observations", "readings"], held),
        table(
            &[
                "to",
                "partnership",
                "released",
                "acknowledged",
                "withheld",
                "undecided",
                "withheld by",
            ],
            pairs,
        ),
        partners_table(&status.partnerships),
    ];
    for section in sections.iter().filter(|section| !section.is_empty()) {
        text.push('\n');
        text.push_str(section);
    }
    text
}

/// The partnerships and who signed them.
pub(super) fn partners_table(partnerships: &[PartnerStatus]) -> String {
    table(
        &["partnership", "stage", "title", "signed", "not signed"],
        partnerships.iter().map(|partnership| {
            let members = |has_signed: bool| {
                let members: Vec<&str> = partnership
                    .members
                    .iter()
                    .filter(|(_, signed)| **signed == has_signed)
                    .map(|(member, _)| member.as_str())
                    .collect();
                or_none(Some(members.join(", ")).filter(|text| !text.is_empty()))
            };
            let stage = match &partnership.declined {
                Some(declined) => format!("{} ({})", partnership.stage, shown(declined)),
                None => partnership.stage.clone(),
            };
            vec![
                partnership.partnership.to_string(),
                stage,
                partnership.title.clone(),
                members(true),
                members(false),
            ]
        }),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_are_shown_as_people_write_them() {
        let value = json!({"assigner": "did:web:a.example", "value": "1"});
        assert_eq!(plain(&value), "assigner: did:web:a.example, value: 1");
        assert_eq!(plain(&json!(["a", "b"])), "a, b");
        assert_eq!(plain(&json!(0.04)), "0.04");
        assert_eq!(
            members(&json!({"a": null, "b": true})),
            [("b".to_owned(), "true".to_owned())]
        );
    }

    #[test]
    fn empty_lists_make_no_table() {
        assert_eq!(items_table(&[]), "");
        assert_eq!(partners_table(&[]), "");
    }
}
