//! What is read is written back the same: this crate's examples, and published submodels where they are at hand.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may stop at the first surprise, its helper functions too"
)]

#[path = "../../../tests/skipping/data.rs"]
mod published;
#[path = "../../../tests/skipping/mod.rs"]
mod skipping;

use std::fs;
use std::path::{Path, PathBuf};

use ambit_aas::{
    Environment, IdShortPath, Submodel, SubmodelElement, leaves, leaves_in, submodels_from_json,
    verify,
};
use proptest::prelude::*;
use serde_json::{Map, Value};

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples")
}

/// Texts are compared, for comparing values would overlook the order of members.
fn assert_round_trip(path: &Path) -> Vec<Submodel> {
    let bytes = fs::read(path).unwrap();
    let submodels =
        submodels_from_json(&bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let text = String::from_utf8(bytes).unwrap();
    let file: Value = serde_json::from_str(text.trim_start_matches('\u{feff}')).unwrap();
    let originals = match file.get("submodels") {
        Some(submodels) => submodels.as_array().unwrap().clone(),
        None => vec![file],
    };
    assert_eq!(originals.len(), submodels.len());
    for (original, submodel) in originals.iter().zip(&submodels) {
        assert_eq!(
            serde_json::to_value(submodel).unwrap(),
            *original,
            "{}",
            path.display()
        );
        let written = serde_json::to_string(submodel).unwrap();
        assert_eq!(written, original.to_string(), "{}", path.display());
        assert_eq!(Submodel::from_json_str(&written).unwrap(), *submodel);
        for leaf in leaves(submodel).leaves {
            assert_eq!(
                IdShortPath::parse(&leaf.path).unwrap().to_string(),
                leaf.path
            );
        }
    }
    submodels
}

#[test]
fn the_examples() {
    let inspection = assert_round_trip(&examples().join("inspection-result.json"));
    assert_eq!(verify(&inspection[0]), []);
    let text = fs::read_to_string(examples().join("machine-condition.json")).unwrap();
    let condition = assert_round_trip(&examples().join("machine-condition.json"));
    assert_eq!(condition[0].id(), "urn:example:submodel:condition:mill-4");
    // The layout aside, the very digits of numbers come back.
    assert!(text.contains("1.500e+3"));
    assert!(
        serde_json::to_string(&condition[0])
            .unwrap()
            .contains("\"vendorScale\":1.500e+3,")
    );
}

/// Shells and concept descriptions too. Texts are compared, as above.
fn assert_environment_round_trip(path: &Path) -> Environment {
    let bytes = fs::read(path).unwrap();
    let environment = Environment::from_slice(&bytes)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let text = String::from_utf8(bytes).unwrap();
    let file: Value = serde_json::from_str(text.trim_start_matches('\u{feff}')).unwrap();
    assert_eq!(serde_json::to_value(&environment).unwrap(), file);
    let written = serde_json::to_string(&environment).unwrap();
    assert_eq!(written, file.to_string(), "{}", path.display());
    assert_eq!(Environment::from_json_str(&written).unwrap(), environment);
    environment
}

#[test]
fn the_example_with_every_kind_of_element() {
    let path = examples().join("press-line.json");
    assert_environment_round_trip(&path);
    assert_round_trip(&path);
}

/// Any JSON, with names and texts that mean something to the metamodel among it.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        "-?(0|[1-9][0-9]{0,25})(\\.[0-9]{1,9})?(e[+-][0-9]{1,3})?"
            .prop_map(|digits| Value::Number(digits.parse().unwrap())),
        any::<String>().prop_map(Value::from),
        Just(Value::from("Property")),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            any_object(inner).prop_map(Value::Object),
        ]
    })
}

fn any_object(values: impl Strategy<Value = Value>) -> impl Strategy<Value = Map<String, Value>> {
    let name = prop_oneof![
        3 => any::<String>(),
        3 => proptest::sample::select(MEMBERS).prop_map(str::to_owned),
    ];
    proptest::collection::vec((name, values), 0..6)
        .prop_map(|members| members.into_iter().collect())
}

const MEMBERS: &[&str] = &[
    "idShort",
    "value",
    "modelType",
    "statements",
    "annotations",
    "inputVariables",
    "first",
    "qualifiers",
    "semanticId",
    "embeddedDataSpecifications",
    "valueType",
    "min",
    "keys",
];

const KINDS: &[&str] = &[
    "Property",
    "MultiLanguageProperty",
    "Range",
    "File",
    "Blob",
    "ReferenceElement",
    "RelationshipElement",
    "AnnotatedRelationshipElement",
    "SubmodelElementCollection",
    "SubmodelElementList",
    "Entity",
    "Operation",
    "Capability",
    "BasicEventElement",
    "Unknown",
];

proptest! {
    #[test]
    fn whatever_is_read_is_written_back_the_same(
        mut object in any_object(any_json()),
        kind in proptest::sample::select(KINDS),
        inner in any_object(any_json()),
        child in proptest::sample::select(&["value", "statements", "annotations", "inputVariables", "x"][..]),
    ) {
        let mut inner = inner;
        inner.insert("modelType".to_owned(), Value::from("Property"));
        let inner = match child {
            "inputVariables" => serde_json::json!({"value": inner}),
            _ => Value::Object(inner),
        };
        object.insert("modelType".to_owned(), Value::from(kind));
        object.entry(child).or_insert_with(|| Value::from(vec![inner]));
        let text = Value::Object(object.clone()).to_string();
        // What the schema does not allow is refused, never altered.
        let Ok(element) = serde_json::from_str::<SubmodelElement>(&text) else {
            prop_assert!(SubmodelElement::try_from(Value::Object(object)).is_err());
            return Ok(());
        };
        prop_assert_eq!(serde_json::to_string(&element).unwrap(), text);
        prop_assert_eq!(SubmodelElement::try_from(Value::Object(object)).unwrap(), element);
    }

    #[test]
    fn unknown_members_are_kept(
        unknown in proptest::collection::vec(("[x-z][a-z]{0,3}", any_json()), 0..6),
        kind in proptest::sample::select(KINDS),
    ) {
        let mut object: Map<String, Value> = unknown.into_iter().collect();
        object.insert("modelType".to_owned(), Value::from(kind));
        let text = Value::Object(object).to_string();
        let element: SubmodelElement = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(serde_json::to_string(&element).unwrap(), text);
    }
}

#[test]
fn absent_null_empty_unknown_and_order_are_kept() {
    let element =
        |rest: &str| format!(r#"{{"x":{{"b":1,"a":[1.0,1.00,1e+2,-0]}},"idShort":"Ab"{rest}}}"#);
    let elements = [
        element(r#","modelType":"SubmodelElementCollection""#),
        element(r#","value":null,"modelType":"SubmodelElementCollection""#),
        element(r#","value":[],"y":{},"modelType":"SubmodelElementCollection","z":"""#),
        element(
            r#","modelType":"SubmodelElementList","value":[{"modelType":"Property"},{"value":null,"modelType":"Property"}],"typeValueListElement":"Property""#,
        ),
        element(r#","modelType":"Property","value":"","valueType":null"#),
        element(
            r#","modelType":"MultiLanguageProperty","value":[{"text":"t","language":"en","w":null}]"#,
        ),
        element(r#","modelType":"Range","max":"2","min":null"#),
        element(
            r#","modelType":"Operation","inputVariables":[{"value":{"modelType":"Property"}}]"#,
        ),
        element(r#","modelType":"KindOfTheFuture","value":18446744073709551616.10"#),
    ];
    let text = format!(
        r#"{{"submodelElements":[{}],"id":"urn:x","extra":{{"k":[null,{{}}]}},"modelType":"Submodel","qualifiers":[]}}"#,
        elements.join(",")
    );
    let submodel = Submodel::from_json_str(&text).unwrap();
    assert_eq!(serde_json::to_string(&submodel).unwrap(), text);
    for text in [
        r#"{"modelType":"Submodel"}"#,
        r#"{"modelType":"Submodel","submodelElements":null}"#,
        r#"{"submodelElements":[],"modelType":"Submodel"}"#,
    ] {
        let submodel: Submodel = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&submodel).unwrap(), text);
        assert!(submodel.elements().is_empty());
    }
}

/// The published environments at hand.
fn published() -> Vec<PathBuf> {
    let data = published::data(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."));
    let mut files = Vec::new();
    let mut missing = Vec::new();
    for folder in ["aas-spec", "idta", "aas-test-env"] {
        let Ok(entries) = fs::read_dir(data.join(folder)) else {
            missing.push(folder);
            continue;
        };
        let paths = entries.map(|entry| entry.unwrap().path());
        files.extend(paths.filter(|path| {
            let name = path.file_name().unwrap().to_string_lossy();
            name.ends_with(".json") && !name.ends_with(".schema.json")
        }));
    }
    if !missing.is_empty() {
        let why = format!(
            "{} has no folder {}; AMBIT_DATA names another",
            data.display(),
            missing.join(", ")
        );
        skipping::skip("round_trip::published_environments", &why);
    }
    files.sort();
    files
}

#[test]
fn published_environments() {
    for path in &published() {
        let environment = assert_environment_round_trip(path);
        let mut values = 0;
        for submodel in environment.submodels() {
            let found = leaves_in(&environment, submodel).leaves;
            let plain = leaves(submodel).leaves;
            assert_eq!(found.len(), plain.len());
            values += found.iter().filter(|leaf| leaf.value.is_some()).count();
        }
        println!(
            "{}: {} shells, {} submodels with {values} values, {} concepts",
            path.file_name().unwrap().to_string_lossy(),
            environment.asset_administration_shells().len(),
            environment.submodels().len(),
            environment.concept_descriptions().len(),
        );
        if environment.submodels().is_empty() {
            continue;
        }
        for submodel in assert_round_trip(path) {
            for finding in verify(&submodel) {
                println!("  {finding}");
            }
        }
    }
}
