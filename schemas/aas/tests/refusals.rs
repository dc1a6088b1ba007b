//! Each type with a member of a wrong JSON type, and JSON that could not come back as it was.

#![expect(
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise, its helper functions too"
)]

use ambit_aas::{
    AssetAdministrationShell, ConceptDescription, Environment, ParseError, Submodel,
    SubmodelElement, submodels_from_json,
};
use serde_json::{Value, json};

fn accept(element: &Value) {
    let read = SubmodelElement::try_from(element.clone()).unwrap();
    assert_eq!(serde_json::to_string(&read).unwrap(), element.to_string());
    assert_eq!(
        matches!(read, SubmodelElement::Whole(_)),
        read.model_type() == "KindOfTheFuture"
    );
}

/// An element with `member`, which is accepted with `right` and refused with `wrong`, at `path`.
fn check(kind: &str, member: &str, right: Value, wrong: Value, path: &str) {
    let element =
        |value: Value| json!({"modelType": kind, "idShort": "Ab", member: value, "x": [1.0]});
    accept(&element(right));
    accept(&element(Value::Null));
    let error = SubmodelElement::try_from(element(wrong)).unwrap_err();
    assert_eq!(error.path().to_string(), path, "{error}");
}

#[test]
fn every_kind_of_element() {
    let reference = || json!({"type": "ExternalReference", "keys": [{"type": "GlobalReference", "value": "urn:x"}]});
    let broken = || json!({"keys": {}});
    let child = || json!({"modelType": "Capability"});
    for (kind, member, right, wrong, path) in [
        ("Property", "value", json!("1"), json!(1), "$.value"),
        (
            "Property",
            "valueId",
            reference(),
            broken(),
            "$.valueId.keys",
        ),
        (
            "MultiLanguageProperty",
            "value",
            json!([]),
            json!([{"text": 1}]),
            "$.value[0].text",
        ),
        ("Range", "max", json!("1"), json!([]), "$.max"),
        ("File", "contentType", json!(""), json!({}), "$.contentType"),
        ("Blob", "value", json!(""), json!(true), "$.value"),
        (
            "ReferenceElement",
            "value",
            reference(),
            json!("urn:x"),
            "$.value",
        ),
        (
            "RelationshipElement",
            "first",
            reference(),
            broken(),
            "$.first.keys",
        ),
        (
            "AnnotatedRelationshipElement",
            "second",
            reference(),
            json!([]),
            "$.second",
        ),
        (
            "AnnotatedRelationshipElement",
            "annotations",
            json!([child()]),
            json!([{}]),
            "$.annotations[0].modelType",
        ),
        (
            "SubmodelElementCollection",
            "value",
            json!([child()]),
            json!({}),
            "$.value",
        ),
        (
            "SubmodelElementList",
            "orderRelevant",
            json!(true),
            json!("true"),
            "$.orderRelevant",
        ),
        (
            "Entity",
            "statements",
            json!([child()]),
            json!([1]),
            "$.statements[0]",
        ),
        (
            "Entity",
            "specificAssetIds",
            json!([{"name": "a"}]),
            json!([{"name": 1}]),
            "$.specificAssetIds[0].name",
        ),
        (
            "Entity",
            "globalAssetId",
            json!("urn:x"),
            json!(7),
            "$.globalAssetId",
        ),
        (
            "Operation",
            "inputVariables",
            json!([{"value": child(), "y": null}, {}]),
            json!([{"value": "a"}]),
            "$.inputVariables[0].value",
        ),
        (
            "Operation",
            "outputVariables",
            json!([]),
            json!({"value": child()}),
            "$.outputVariables",
        ),
        (
            "Operation",
            "inoutputVariables",
            json!([{"value": null}]),
            json!([child(), 1]),
            "$.inoutputVariables[1]",
        ),
        (
            "Capability",
            "qualifiers",
            json!([{"kind": "ValueQualifier"}]),
            json!([{"kind": 1}]),
            "$.qualifiers[0].kind",
        ),
        (
            "BasicEventElement",
            "observed",
            reference(),
            broken(),
            "$.observed.keys",
        ),
        (
            "BasicEventElement",
            "lastUpdate",
            json!("now"),
            json!(0),
            "$.lastUpdate",
        ),
        (
            "KindOfTheFuture",
            "extensions",
            json!([{"name": "n", "refersTo": [reference()]}]),
            json!([{"refersTo": reference()}]),
            "$.extensions[0].refersTo",
        ),
    ] {
        check(kind, member, right, wrong, path);
    }
}

#[test]
fn data_specifications() {
    let specifications =
        |content: Value| json!([{"dataSpecification": null, "dataSpecificationContent": content}]);
    let iec = |member: &str, value: Value| {
        specifications(json!({"modelType": "DataSpecificationIec61360", member: value}))
    };
    let at =
        |rest: &str| format!("$.embeddedDataSpecifications[0].dataSpecificationContent.{rest}");
    for (member, right, wrong, path) in [
        ("preferredName", json!([]), json!("name"), "preferredName"),
        ("unit", json!("mm"), json!(1), "unit"),
        ("unitId", json!({}), json!("mm"), "unitId"),
        (
            "valueList",
            json!({"valueReferencePairs": [{"value": "1"}]}),
            json!({"valueReferencePairs": [{"value": 1}]}),
            "valueList.valueReferencePairs[0].value",
        ),
        (
            "levelType",
            json!({"min": true}),
            json!({"min": "true"}),
            "levelType.min",
        ),
    ] {
        check(
            "Property",
            "embeddedDataSpecifications",
            iec(member, right),
            iec(member, wrong),
            &at(path),
        );
    }
    // A content of another kind is none of the metamodel's business.
    accept(
        &json!({"modelType": "Property", "embeddedDataSpecifications": specifications(json!({"modelType": "Other", "unit": 1}))}),
    );
}

#[test]
fn shells_and_concepts() {
    let shell = |member: &str, value: Value| json!({"modelType": "AssetAdministrationShell", "id": "urn:x", member: value});
    for (member, right, wrong, path) in [
        (
            "assetInformation",
            json!({"assetKind": "Type"}),
            json!({"assetKind": 1}),
            "$.assetInformation.assetKind",
        ),
        (
            "assetInformation",
            json!({"defaultThumbnail": {}}),
            json!({"defaultThumbnail": "a"}),
            "$.assetInformation.defaultThumbnail",
        ),
        (
            "administration",
            json!({"version": "1"}),
            json!({"version": 1}),
            "$.administration.version",
        ),
        ("submodels", json!([]), json!(["urn:y"]), "$.submodels[0]"),
        (
            "modelType",
            json!("AssetAdministrationShell"),
            json!("Submodel"),
            "$.modelType",
        ),
    ] {
        let read = AssetAdministrationShell::try_from(shell(member, right.clone())).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), shell(member, right));
        let error = AssetAdministrationShell::try_from(shell(member, wrong)).unwrap_err();
        assert_eq!(error.path().to_string(), path);
    }
    let concept = json!({"isCaseOf": [{}], "id": "", "modelType": "ConceptDescription"});
    let read: ConceptDescription = serde_json::from_str(&concept.to_string()).unwrap();
    assert_eq!(serde_json::to_string(&read).unwrap(), concept.to_string());
    let wrong = json!({"isCaseOf": {}, "modelType": "ConceptDescription"});
    assert!(ConceptDescription::try_from(wrong).is_err());
}

#[test]
fn environments() {
    for text in [
        "{}",
        r#"{"submodels":null,"x":1}"#,
        r#"{"conceptDescriptions":[],"submodels":[],"assetAdministrationShells":null}"#,
    ] {
        let environment = Environment::from_json_str(text).unwrap();
        assert_eq!(serde_json::to_string(&environment).unwrap(), text);
        assert!(environment.asset_administration_shells().is_empty());
    }
    let message = |text: &str| Environment::from_json_str(text).unwrap_err().to_string();
    assert_eq!(
        message("{\n\"assetAdministrationShells\": [{\"modelType\": \"Shell\"}]}"),
        "failed to read the AAS JSON: `$.assetAdministrationShells[0].modelType` should be the text \
         `AssetAdministrationShell`, but is the text `Shell` (line 2 column 44)"
    );
    assert!(message(r#"{"modelType":"Submodel"}"#).contains("`$.modelType` should be absent"));
    assert!(message("[]").contains("`$` should be an object"));
    assert!(message(r#"{"conceptDescriptions":{}}"#).contains("should be an array"));
}

const RESERVED: &str = "$serde_json::private::Number";

#[test]
fn an_object_that_looks_like_a_number_is_refused() {
    for inner in [
        format!(r#"{{"{RESERVED}": "12"}}"#),
        format!(r#"{{"{RESERVED}": "x"}}"#),
        format!(r#"{{"{RESERVED}": 12}}"#),
        format!(r#"{{"{RESERVED}": {{"{RESERVED}": "1"}}}}"#),
        format!(r#"{{"{RESERVED}": "1", "a": 2}}"#),
        format!(r#"{{"a": 2, "{RESERVED}": "1"}}"#),
        r#"{"\u0024serde_json::private::Number": "\u0031"}"#.to_owned(),
    ] {
        let text = format!("{{\"modelType\": \"Submodel\",\n \"x\": [{inner}]}}");
        let errors = [
            Submodel::from_json_str(&text).unwrap_err(),
            submodels_from_json(&text).unwrap_err(),
            Environment::from_json_str(&text).unwrap_err(),
        ];
        for error in errors {
            assert!(
                matches!(error, ParseError::ReservedMember { line: 2, .. }),
                "{error}"
            );
            let message = error.to_string();
            assert!(
                message.starts_with(&format!(
                    "failed to read JSON: `$.x[0].{RESERVED}` at line 2"
                )),
                "{message}"
            );
        }
        let error = serde_json::from_str::<Submodel>(&text).unwrap_err();
        assert!(error.to_string().contains("rename the member"), "{error}");
    }
    let made = json!({"modelType": "Capability", "x": {RESERVED: "12"}});
    let error = SubmodelElement::try_from(made).unwrap_err();
    assert!(
        error.to_string().contains("keeps its name for itself"),
        "{error}"
    );
}

#[test]
fn a_member_named_twice_is_refused_by_every_way_in() {
    let text = r#"{"modelType":"Submodel","a":{"b":1,"b":2}}"#;
    assert!(matches!(
        Submodel::from_json_str(text),
        Err(ParseError::DuplicateMember { .. })
    ));
    let error = serde_json::from_str::<Submodel>(text).unwrap_err();
    assert!(
        error.to_string().contains("`$.a.b` is there twice"),
        "{error}"
    );
}

#[test]
fn only_the_exponent_of_a_number_is_respelled() {
    for (written, back) in [
        ("1.5e3", "1.5e+3"),
        ("1E5", "1e+5"),
        ("1e+05", "1e+05"),
        ("-0.0E-07", "-0.0e-07"),
        ("-0", "-0"),
        ("1.500", "1.500"),
        (
            "123456789012345678901234567890.10",
            "123456789012345678901234567890.10",
        ),
    ] {
        let text = |number: &str| format!(r#"{{"modelType":"Capability","x":{number}}}"#);
        let element: SubmodelElement = serde_json::from_str(&text(written)).unwrap();
        assert_eq!(serde_json::to_string(&element).unwrap(), text(back));
        // Once respelled, it stays.
        let element: SubmodelElement = serde_json::from_str(&text(back)).unwrap();
        assert_eq!(serde_json::to_string(&element).unwrap(), text(back));
    }
}
