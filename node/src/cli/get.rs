//! `ambit get`: one observation in full, or the latest values of a submodel.

use super::backend::Backend;
use super::exit::Exit;
use super::latest;
use super::output::OutputOption;
use super::table::{or_none, pairs, table};
use crate::failure::Failure;
use crate::holding::{GetObservation, HeldTerms, Item, ObservationDetail, ReadingView};
use ambit_ledger::Facts;
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
    #[command(flatten)]
    pub output: OutputOption,
}

/// An observation as people and programs read it: times as RFC 3339.
#[derive(Debug, Serialize)]
struct Shown {
    item: Item,
    facts: Value,
    terms: Option<Value>,
    readings: Vec<ReadingView>,
}

impl From<ObservationDetail> for Shown {
    fn from(detail: ObservationDetail) -> Self {
        Self {
            facts: facts_view(&detail.facts),
            terms: detail.terms.as_ref().map(terms_view),
            item: detail.item,
            readings: detail.readings,
        }
    }
}

pub(super) fn get(home: &Path, arguments: &GetArguments) -> Result<Exit, Failure> {
    let backend = Backend::open(home)?;
    if let Some(submodel) = &arguments.submodel {
        return latest::latest(&backend, submodel, arguments.output);
    }
    let id = arguments.id.clone().unwrap_or_default();
    let detail = Shown::from(backend.ask(GetObservation { id })?);
    arguments.output.print(&detail, detail_text)?;
    Ok(Exit::Done)
}

fn detail_text(detail: &Shown) -> String {
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

fn facts_view(facts: &Facts) -> Value {
    let mut view = serde_json::to_value(facts).unwrap_or_default();
    if let Some(members) = view.as_object_mut() {
        let times = [
            ("observed_from", facts.observed_from),
            ("observed_to", facts.observed_to),
        ];
        for (name, time) in times {
            members.insert(name.to_owned(), time.to_string().into());
        }
    }
    view
}

fn terms_view(terms: &HeldTerms) -> Value {
    let scope = &terms.scope;
    serde_json::json!({
        "discloser": terms.discloser,
        "recipients": scope.recipients,
        "purposes": scope.purposes,
        "not_after": scope.not_after.to_string(),
        "hold_until": scope.hold_until.to_string(),
        "keep_until": scope.keep_until.map(|time| time.to_string()),
        "erasure": scope.erasure,
        "onward_hops": scope.onward_hops,
        "derived": scope.derived,
    })
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
