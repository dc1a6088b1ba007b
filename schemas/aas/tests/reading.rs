//! From a file to readings, and what is said about files that cannot be read.

use ambit_aas::{
    ParseError, SkipReason, Submodel, leaves, submodel_value_only, submodels_from_json,
};

const INSPECTION: &str = include_str!("../examples/inspection-result.json");
const CONDITION: &str = include_str!("../examples/machine-condition.json");

#[test]
fn the_value_only_form_of_a_submodel() {
    let submodel = Submodel::from_json_str(INSPECTION).unwrap();
    let expected = concat!(
        r#"{"PartNumber":"1001-A","InspectedAt":"2026-03-04T08:15:30.1234567Z","Passed":true,"#,
        r#""Remark":[{"en":"Burr on edge C removed by hand"},{"de":"Grat an Kante C von Hand entfernt"}],"#,
        r#""PocketDepth":{"Actual":12.700060,"Tolerance":{"min":12.650,"max":12.750},"Uncertainty":null},"#,
        r#""HoleDiameters":[6.350,null,6.340],"#,
        r#""Protocol":{"contentType":"application/pdf","value":"/aasx/inspection/plate-0007.pdf"},"#,
        r#""MeasuringMachine":{"type":"ExternalReference","keys":[{"type":"GlobalReference","#,
        r#""value":"urn:example:asset:coordinate-measuring-machine-2"}]}}"#,
    );
    assert_eq!(submodel_value_only(&submodel).to_string(), expected);
}

#[test]
fn the_leaves_of_a_submodel() {
    let found = leaves(&Submodel::from_json_str(INSPECTION).unwrap());
    let rows: Vec<String> = found
        .leaves
        .iter()
        .filter(|leaf| leaf.model_type == "Property" || leaf.model_type == "Range")
        .map(|leaf| {
            let or_dash = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
            let texts = [&leaf.value, &leaf.value_type, &leaf.unit, &leaf.semantic_id].map(or_dash);
            format!("{} {}", leaf.path, texts.join(" "))
        })
        .collect();
    assert_eq!(
        rows,
        [
            r#"PartNumber "1001-A" xs:string - -"#,
            r#"InspectedAt "2026-03-04T08:15:30.1234567Z" xs:dateTime - -"#,
            "Passed true xs:boolean - -",
            "PocketDepth.Actual 12.700060 xs:double mm urn:example:semantics:actual-value:1",
            r#"PocketDepth.Tolerance {"min":12.650,"max":12.750} xs:double mm -"#,
            "PocketDepth.Uncertainty - xs:double - -",
            "HoleDiameters[0] 6.350 xs:decimal - urn:example:semantics:hole-diameter:1",
            "HoleDiameters[1] - xs:decimal - urn:example:semantics:hole-diameter:1",
            "HoleDiameters[2] 6.340 xs:decimal - urn:example:semantics:hole-diameter:1",
        ]
    );
    assert_eq!(found.leaves.len(), 12);
    assert_eq!(found.skipped.len(), 1);
    assert_eq!(found.skipped[0].path, "Remeasuring");
    assert_eq!(found.skipped[0].model_type, "Capability");
    assert_eq!(found.skipped[0].reason, SkipReason::Kind);
}

#[test]
fn a_value_that_is_none_of_its_type_stays_text() {
    let found = leaves(&submodels_from_json(CONDITION).unwrap()[0]);
    let [speed, level, snapshot] = found.leaves.as_slice() else {
        panic!("three leaves, not {found:?}");
    };
    assert_eq!(speed.value.as_deref(), Some("11999.5000"));
    assert_eq!(speed.unit.as_deref(), Some("1/min"));
    assert!(speed.matches_value_type);
    assert_eq!(level.value.as_deref(), Some("\"UNAVAILABLE\""));
    assert!(!level.matches_value_type);
    assert_eq!(
        snapshot.value.as_deref(),
        Some(r#"{"contentType":"text/plain","value":"b2s="}"#)
    );
}

#[test]
fn what_no_type_holds_is_no_value_of_it() {
    let submodel = Submodel::from_json_str(
        r#"{"modelType":"Submodel","id":"urn:x","submodelElements":[
            {"modelType":"Property","idShort":"Vast","valueType":"xs:double","value":"1e400"},
            {"modelType":"Range","idShort":"Wide","valueType":"xs:float","min":"0","max":"1e39"},
            {"modelType":"Property","idShort":"Bell","valueType":"xs:string","value":"a\u0007"},
            {"modelType":"MultiLanguageProperty","idShort":"Texts","value":[{"language":"en","text":"\u0000"}]},
            {"modelType":"File","idShort":"Drawing","contentType":"text/plain","value":"/a\u001b"},
            {"modelType":"Property","idShort":"Lines","valueType":"xs:string","value":"a\n\tb"}]}"#,
    )
    .unwrap();
    let found = leaves(&submodel);
    let matching: Vec<_> = found
        .leaves
        .iter()
        .map(|leaf| (leaf.path.as_str(), leaf.matches_value_type))
        .collect();
    assert_eq!(
        matching,
        [
            ("Vast", false),
            ("Wide", false),
            ("Bell", false),
            ("Texts", false),
            ("Drawing", false),
            ("Lines", true),
        ]
    );
    assert_eq!(found.leaves[0].value.as_deref(), Some("\"1e400\""));
}

#[test]
fn what_has_no_path_of_its_own_is_set_aside() {
    let submodel = Submodel::from_json_str(
        r#"{"modelType":"Submodel","id":"urn:x","submodelElements":[
            {"modelType":"Property","idShort":"Ab","value":"1"},
            {"modelType":"Property","idShort":"Ab","value":"2"},
            {"modelType":"SubmodelElementCollection","value":[{"modelType":"Property","idShort":"Ab"}]},
            {"modelType":"Property","idShort":"a.b"},
            {"modelType":"Property","idShort":"a"}]}"#,
    )
    .unwrap();
    let found = leaves(&submodel);
    assert_eq!(found.leaves.len(), 1);
    assert_eq!(found.leaves[0].path, "a");
    let skipped: Vec<_> = found
        .skipped
        .iter()
        .map(|skipped| (skipped.path.as_str(), skipped.reason))
        .collect();
    assert_eq!(
        skipped,
        [
            ("(2)", SkipReason::NoPath),
            ("(3)", SkipReason::NoPath),
            ("Ab", SkipReason::SharedPath),
            ("Ab", SkipReason::SharedPath),
        ]
    );
}

#[test]
fn a_byte_order_mark_is_passed_over() {
    let marked = format!("\u{feff}{INSPECTION}");
    let plain = Submodel::from_json_str(INSPECTION).unwrap();
    assert_eq!(Submodel::from_json_str(&marked).unwrap(), plain);
    assert_eq!(submodels_from_json(marked.as_bytes()).unwrap(), [plain]);
}

#[test]
fn one_submodel_and_an_environment_are_told_apart() {
    assert_eq!(submodels_from_json(INSPECTION).unwrap().len(), 1);
    assert_eq!(submodels_from_json(CONDITION).unwrap().len(), 1);
    let error = Submodel::from_json_str(CONDITION).unwrap_err();
    assert!(matches!(error, ParseError::Environment { submodels: 1 }));
    for empty in [
        r#"{"submodels":[]}"#,
        r#"{"submodels":null}"#,
        r#"{"assetAdministrationShells":[]}"#,
    ] {
        assert!(
            matches!(submodels_from_json(empty), Err(ParseError::NoSubmodels)),
            "{empty}"
        );
    }
    for other in [
        "[]",
        "1",
        "{}",
        r#"{"modelType":"AssetAdministrationShell"}"#,
        r#"{"submodels":7}"#,
    ] {
        assert!(
            matches!(submodels_from_json(other), Err(ParseError::Shape { .. })),
            "{other}"
        );
    }
}

#[test]
fn errors_say_where() {
    let message = |text: &str| submodels_from_json(text).unwrap_err().to_string();
    assert_eq!(
        message("{\n \"a\": }"),
        "failed to read JSON at line 2 column 7"
    );
    let wrong = CONDITION.replace(r#""value": "UNAVAILABLE""#, r#""value": 7.50"#);
    let line = wrong
        .lines()
        .position(|line| line.contains("7.50"))
        .unwrap()
        + 1;
    let expected = format!(
        "failed to read the AAS JSON: `$.submodels[0].submodelElements[1].value` should be a text in quotes, \
         but is the number 7.50 (line {line} column "
    );
    assert!(
        message(&wrong).starts_with(&expected),
        "{}",
        message(&wrong)
    );
    let wrong = CONDITION.replace(r#""modelType": "Blob""#, r#""modelKind": "Blob""#);
    assert!(
        message(&wrong).contains(
            "`$.submodels[0].submodelElements[2].modelType` should be the name of a kind of element"
        ),
        "{}",
        message(&wrong)
    );
    let wrong = INSPECTION.replacen(r#""kind""#, r#""id": "urn:other", "kind""#, 1);
    assert!(
        message(&wrong)
            .starts_with("failed to read JSON: `$.id` is there twice, again at line 4 column "),
        "{}",
        message(&wrong)
    );
    let wrong = INSPECTION.replacen(r#""text""#, r#""language""#, 1);
    assert!(
        message(&wrong).contains("`$.submodelElements[3].value[0].language` is there twice"),
        "{}",
        message(&wrong)
    );
    assert!(matches!(
        submodels_from_json(b"{\"a\":\"\xff\"}"),
        Err(ParseError::NotUtf8 { offset: 6 })
    ));
    let deep = format!("{}{}", "[".repeat(1_000), "]".repeat(1_000));
    assert!(matches!(
        submodels_from_json(deep),
        Err(ParseError::Syntax { .. })
    ));
}
