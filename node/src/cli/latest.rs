//! `ambit get --submodel`: the latest values of a submodel, and where each came from.

use super::backend::Backend;
use super::exit::Exit;
use super::get::plain;
use super::output::OutputOption;
use super::table::{or_none, short, table};
use crate::failure::Failure;
use crate::holding::{Element, GetLatest, value_form};
use serde::Serialize;
use serde_json::Value;

/// A submodel as programs read it. The form is made here: nested as deep as paths go, it could not be read back from
/// a node's answer.
#[derive(Debug, Serialize)]
struct Latest {
    value: Value,
    elements: Vec<Element>,
}

pub(super) fn latest(
    backend: &Backend,
    submodel: &str,
    output: OutputOption,
) -> Result<Exit, Failure> {
    let submodel = submodel.to_owned();
    let elements = backend.ask(GetLatest { submodel })?;
    let latest = Latest {
        value: value_form(&elements),
        elements,
    };
    output.print(&latest, |latest| elements_table(&latest.elements))?;
    Ok(Exit::Done)
}

fn elements_table(elements: &[Element]) -> String {
    table(
        &["path", "value", "unit", "quality", "observed at", "from"],
        elements.iter().map(|element| {
            vec![
                element.path.clone(),
                or_none(element.value.as_ref().map(plain)),
                or_none(element.unit.as_deref()),
                element.quality.clone(),
                element.at.clone(),
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
        let element = |path: &str, value: Option<Value>, quality: &str| Element {
            path: path.to_owned(),
            value,
            quality: quality.to_owned(),
            unit: None,
            at: "2026-05-01T08:00:00Z".to_owned(),
            observation: "ab".repeat(32).parse().unwrap(),
            origin: "did:web:a.example".parse().unwrap(),
        };
        let elements = [
            element("A", Some(json!(0)), "good"),
            element("B", None, "unavailable"),
        ];
        let rows = "PATH  VALUE  UNIT  QUALITY      OBSERVED AT           FROM\n\
                    A     0      -     good         2026-05-01T08:00:00Z  abababababab of did:web:a.example\n\
                    B     -      -     unavailable  2026-05-01T08:00:00Z  abababababab of did:web:a.example\n";
        assert_eq!(elements_table(&elements), rows);
    }
}
