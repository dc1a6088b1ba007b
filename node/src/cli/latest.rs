//! `ambit get --submodel`: the latest values of a submodel, and where each came from.

use super::backend::Backend;
use super::exit::Exit;
use super::get::plain;
use super::output::{Format, OutputOption, note};
use super::table::{or_none, short, table};
use crate::failure::Failure;
use crate::holding::{Element, GetLatest, path_order, value_form};
use ambit_ledger::OrganizationId;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// What one organization says of a submodel, as programs read it. The form is made here: nested as deep as paths go, it
/// could not be read back from a node's answer.
#[derive(Debug, Serialize)]
struct Said {
    value: Value,
    elements: Vec<Element>,
}

pub(super) fn latest(
    backend: &Backend,
    asked: GetLatest,
    output: OutputOption,
) -> Result<Exit, Failure> {
    let latest = backend.ask(asked)?;
    let said: BTreeMap<OrganizationId, Said> = latest
        .into_iter()
        .map(|(origin, elements)| {
            let value = value_form(&elements);
            (origin, Said { value, elements })
        })
        .collect();
    output.print(&said, |said| {
        elements_table(said.values().flat_map(|said| &said.elements))
    })?;
    if said.len() > 1 && output.output == Format::Table {
        note("several organizations say something of it: --origin ORG shows one of them");
    }
    Ok(Exit::Done)
}

/// What each says of an element stands below each other, with who says it.
fn elements_table<'a>(elements: impl Iterator<Item = &'a Element>) -> String {
    let mut elements: Vec<&Element> = elements.collect();
    // Stable: organizations stay in their order.
    elements.sort_by_cached_key(|element| (path_order(&element.path), element.path.clone()));
    table(
        &["path", "value", "unit", "quality", "observed at", "from"],
        elements.into_iter().map(|element| {
            vec![
                element.path.clone(),
                or_none(element.value.as_ref().map(plain)),
                or_none(element.unit.as_deref()),
                element.quality.clone(),
                element.at.to_string(),
                format!("{} of {}", short(element.observation), element.origin),
            ]
        }),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_missing_value_is_shown_by_its_quality() {
        let element = |path: &str, value: Option<Value>, quality: &str, origin: &str| Element {
            path: path.to_owned(),
            value,
            quality: quality.to_owned(),
            unit: None,
            at: "2026-05-01T08:00:00Z".parse().unwrap(),
            observation: "ab".repeat(32).parse().unwrap(),
            origin: origin.parse().unwrap(),
        };
        let elements = [
            element("A", Some(json!(0)), "good", "did:web:a.example"),
            element("B", None, "unavailable", "did:web:a.example"),
            element("A", Some(json!(1)), "good", "did:web:b.example"),
        ];
        let rows = "PATH  VALUE  UNIT  QUALITY      OBSERVED AT           FROM\n\
                    A     0      -     good         2026-05-01T08:00:00Z  abababababab of did:web:a.example\n\
                    A     1      -     good         2026-05-01T08:00:00Z  abababababab of did:web:b.example\n\
                    B     -      -     unavailable  2026-05-01T08:00:00Z  abababababab of did:web:a.example\n";
        assert_eq!(elements_table(elements.iter()), rows);
    }
}
