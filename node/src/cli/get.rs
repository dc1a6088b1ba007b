//! `ambit get`: one observation in full, or the latest values of a submodel.

use super::backend::Backend;
use super::exit::Exit;
use super::latest;
use super::output::OutputOption;
use super::table::{or_none, pairs, table};
use crate::failure::Failure;
use crate::holding::{GetLatest, GetObservation, ObservationDetail, ReadingView};
use crate::partnership::Standing;
use ambit_ledger::OrganizationId;
use clap::Args;
use serde::Serialize;
use serde_json::Value;
use std::path::Path;

/// Which observation to show, or which submodel.
#[derive(Clone, Debug, Args)]
pub struct GetArguments {
    /// The start of an observation's id
    #[arg(required_unless_present = "submodel")]
    pub id: Option<String>,
    /// The latest values of this submodel, instead of one observation
    #[arg(long, value_name = "ID", conflicts_with = "id")]
    pub submodel: Option<String>,
    /// Of the submodel, what this organization says alone
    #[arg(long, value_name = "ORG", requires = "submodel")]
    pub origin: Option<OrganizationId>,
    #[command(flatten)]
    pub output: OutputOption,
}

pub(super) fn get(home: &Path, arguments: &GetArguments) -> Result<Exit, Failure> {
    let backend = Backend::open(home)?;
    if let Some(submodel) = &arguments.submodel {
        let asked = GetLatest {
            submodel: submodel.clone(),
            origin: arguments.origin.clone(),
        };
        return latest::latest(&backend, asked, arguments.output);
    }
    let id = arguments.id.clone().unwrap_or_default();
    let detail = backend.ask(GetObservation { id })?;
    arguments.output.print(&detail, detail_text)?;
    Ok(Exit::Done)
}

fn detail_text(detail: &ObservationDetail) -> String {
    let head = [
        ("id".to_owned(), detail.item.id.to_string()),
        ("entry".to_owned(), detail.item.entry.to_string()),
    ];
    let facts = members(&as_value(&detail.facts))
        .into_iter()
        .map(|(name, value)| {
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
    for terms in &detail.terms {
        text.push_str("\nHELD ON THESE TERMS\n");
        let standing = match terms.agreement {
            Standing::Active => String::new(),
            other => format!(", which is {other}"),
        };
        let by = [
            (
                "partnership".to_owned(),
                format!("{}{standing}", terms.partnership),
            ),
            ("discloser".to_owned(), terms.discloser.to_string()),
        ];
        let scope = members(&as_value(&terms.scope)).into_iter();
        let scope = scope.map(|(name, value)| {
            let is_past = name == "hold_until" && terms.is_past;
            (name, if is_past { held_past(&value) } else { value })
        });
        let not_admitted = &terms.purposes_not_admitted;
        let not_admitted = (!not_admitted.is_empty())
            .then(|| ("not admitted".to_owned(), plain(&as_value(not_admitted))));
        text.push_str(&pairs(by.into_iter().chain(scope).chain(not_admitted)));
    }
    let header = ["path", "from", "to", "quality", "value", "unit"];
    text.push('\n');
    text.push_str(&table(&header, detail.readings.iter().map(reading_row)));
    text
}

/// An instant up to which something was to be held, and that is past.
pub(super) fn held_past(until: &str) -> String {
    format!("{until}, which is past; this version erases nothing by itself")
}

fn reading_row(reading: &ReadingView) -> Vec<String> {
    vec![
        reading.path.clone(),
        reading.from.to_string(),
        or_none(reading.to),
        reading.quality.clone(),
        or_none(reading.value.as_ref().map(plain)),
        or_none(reading.unit.as_deref()),
    ]
}

/// What is typed everywhere else, as names and values to be written.
fn as_value(data: &impl Serialize) -> Value {
    serde_json::to_value(data).unwrap_or_default()
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
}
