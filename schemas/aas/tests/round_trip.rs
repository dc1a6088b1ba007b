//! What is read is written back the same: this crate's examples, and published submodels where they are at hand.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may stop at the first surprise, its helper functions too"
)]

use std::fs;
use std::path::{Path, PathBuf};

use ambit_aas::{IdShortPath, Submodel, leaves, submodels_from_json, verify};
use serde_json::Value;

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

#[test]
fn published_submodels() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let mut files: Vec<PathBuf> = ["aas-spec", "idta", "aas-test-env"]
        .iter()
        .filter_map(|folder| fs::read_dir(data.join(folder)).ok())
        .flatten()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "json")
        })
        // Schemas, and environments with shells or concept descriptions only.
        .filter(|path| {
            let file: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
            file.get("submodels").is_some()
        })
        .collect();
    if files.is_empty() {
        println!("skipped: no published submodels under {}", data.display());
        return;
    }
    files.sort();
    let mut values = 0;
    for path in &files {
        for submodel in assert_round_trip(path) {
            let found = leaves(&submodel);
            values += found
                .leaves
                .iter()
                .filter(|leaf| leaf.value.is_some())
                .count();
            println!(
                "{}: {} leaves, {} skipped, {} findings",
                path.file_name().unwrap().to_string_lossy(),
                found.leaves.len(),
                found.skipped.len(),
                verify(&submodel).len()
            );
            for finding in verify(&submodel) {
                println!("  {finding}");
            }
        }
    }
    assert!(values > 0);
}
