//! Each rule with a submodel that keeps it and one that breaks it.

#![expect(
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise, its helper functions too"
)]

use ambit_aas::{Rule, Submodel, verify};

fn findings_of(elements: &str) -> Vec<(String, Rule)> {
    let text = format!(
        r#"{{"modelType":"Submodel","id":"urn:x","idShort":"Sub","submodelElements":[{elements}]}}"#
    );
    let submodel = Submodel::from_json_str(&text).unwrap();
    let findings = verify(&submodel).into_iter();
    let findings = findings
        .map(|finding| (finding.path, finding.rule))
        .collect();
    assert_eq!(
        serde_json::to_string(&submodel).unwrap(),
        text,
        "verification alters nothing"
    );
    findings
}

fn check(rule: Rule, accepted: &str, rejected: &str, path: &str) {
    assert_eq!(findings_of(accepted), [], "{accepted}");
    assert_eq!(
        findings_of(rejected),
        [(path.to_owned(), rule)],
        "{rejected}"
    );
}

fn property(id_short: &str, value_type: &str, value: &str) -> String {
    format!(
        r#"{{"modelType":"Property","idShort":"{id_short}","valueType":"{value_type}","value":"{value}"}}"#
    )
}

fn collection(elements: &str) -> String {
    format!(r#"{{"modelType":"SubmodelElementCollection","idShort":"Coll","value":[{elements}]}}"#)
}

fn list(kind: &str, value_type: &str, elements: &str) -> String {
    format!(
        r#"{{"modelType":"SubmodelElementList","idShort":"List","typeValueListElement":"{kind}"{value_type},"value":[{elements}]}}"#
    )
}

const OF_INTEGERS: &str = r#","valueTypeListElement":"xs:int""#;
const INTEGER: &str = r#"{"modelType":"Property","valueType":"xs:int","value":"1"}"#;

#[test]
fn an_id_is_there_and_within_bounds() {
    let rules = |text: &str| {
        let submodel = Submodel::from_json_str(text).unwrap();
        verify(&submodel)
            .into_iter()
            .map(|finding| finding.rule)
            .collect::<Vec<_>>()
    };
    assert_eq!(rules(r#"{"modelType":"Submodel","id":"urn:x"}"#), []);
    assert_eq!(rules(r#"{"modelType":"Submodel"}"#), [Rule::IdMissing]);
    assert_eq!(
        rules(r#"{"modelType":"Submodel","id":""}"#),
        [Rule::IdMissing]
    );
    assert_eq!(
        rules(r#"{"modelType":"Submodel","id":null}"#),
        [Rule::IdMissing]
    );
    let long = format!(r#"{{"modelType":"Submodel","id":"{}"}}"#, "x".repeat(2_049));
    assert_eq!(rules(&long), [Rule::IdTooLong]);
    assert_eq!(
        rules(r#"{"modelType":"Submodel","id":"urn:x","idShort":"7x"}"#),
        [Rule::IdShortPattern]
    );
}

#[test]
fn id_shorts() {
    let int = |id_short| property(id_short, "xs:int", "1");
    check(Rule::IdShortPattern, &int("Ab-c_1"), &int("a"), "a");
    check(
        Rule::IdShortPattern,
        &collection(&int("Ab")),
        &collection(&int("1b")),
        "Coll.1b",
    );
    check(
        Rule::IdShortMissing,
        &collection(&int("Ab")),
        &collection(INTEGER),
        "Coll.(0)",
    );
    let twins = |second| format!("{},{}", int("Twin"), int(second));
    check(
        Rule::IdShortDuplicate,
        &twins("twin"),
        &twins("Twin"),
        "Twin",
    );
    let apart = format!("{},{}", int("Twin"), collection(&int("Twin")));
    check(
        Rule::IdShortDuplicate,
        &apart,
        &collection(&twins("Twin")),
        "Coll.Twin",
    );
    let accepted = list("Property", OF_INTEGERS, INTEGER);
    check(
        Rule::IdShortInList,
        &accepted,
        &list("Property", OF_INTEGERS, &int("Ab")),
        "List[0]",
    );
}

#[test]
fn values_are_of_their_type() {
    for (value_type, accepted, rejected) in [
        ("xs:boolean", "1", "yes"),
        ("xs:int", "-2147483648", "2147483648"),
        ("xs:integer", "+12345678901234567890", "1.0"),
        ("xs:unsignedByte", "255", "-1"),
        ("xs:decimal", "-0.50", "1e3"),
        ("xs:double", "-INF", "UNAVAILABLE"),
        ("xs:float", "NaN", ""),
        (
            "xs:dateTime",
            "2017-05-19T11:22:33.1234567Z",
            "2017-05-19 11:22:33",
        ),
        ("xs:date", "2016-02-29", "2017-02-29"),
    ] {
        let of = |value| property("Ab", value_type, value);
        check(Rule::ValueLexical, &of(accepted), &of(rejected), "Ab");
    }
    let range = |max| {
        format!(
            r#"{{"modelType":"Range","idShort":"Rng","valueType":"xs:int","min":"1","max":"{max}"}}"#
        )
    };
    check(Rule::ValueLexical, &range("9"), &range("9.5"), "Rng");
    let missing = r#"{"modelType":"Property","idShort":"Ab","valueType":"xs:int"}"#;
    let untyped = r#"{"modelType":"Property","idShort":"Ab","value":"1"}"#;
    check(Rule::ValueType, missing, untyped, "Ab");
    check(Rule::ValueType, missing, &property("Ab", "int", "1"), "Ab");
}

#[test]
fn lists_hold_what_they_name() {
    let range = r#"{"modelType":"Range","valueType":"xs:int"}"#;
    let both = format!("{INTEGER},{range}");
    let accepted = list("DataElement", OF_INTEGERS, &both);
    check(
        Rule::ListElementType,
        &accepted,
        &list("Property", OF_INTEGERS, &both),
        "List[1]",
    );
    let text = r#"{"modelType":"Property","valueType":"xs:string","value":"1"}"#;
    let accepted = list("Property", OF_INTEGERS, INTEGER);
    check(
        Rule::ListValueType,
        &accepted,
        &list("Property", OF_INTEGERS, text),
        "List[0]",
    );
    check(
        Rule::ListValueType,
        &accepted,
        &list("Property", "", INTEGER),
        "List",
    );
}

#[test]
fn texts_and_qualifiers_occur_once() {
    let texts = |member: &str, second: &str| {
        format!(
            r#"{{"modelType":"MultiLanguageProperty","idShort":"Mlp","{member}":[{{"language":"en","text":"a"}},{{"language":"{second}","text":"b"}}]}}"#
        )
    };
    for member in ["value", "displayName", "description"] {
        let (accepted, rejected) = (texts(member, "de"), texts(member, "en"));
        check(Rule::LanguageDuplicate, &accepted, &rejected, "Mlp");
    }
    let qualified = |second: &str| {
        format!(
            r#"{{"modelType":"Capability","idShort":"Cap","qualifiers":[{{"type":"Unit","valueType":"xs:string"}},{{"type":"{second}","valueType":"xs:string"}}]}}"#
        )
    };
    let (accepted, rejected) = (qualified("Method"), qualified("Unit"));
    check(Rule::QualifierDuplicate, &accepted, &rejected, "Cap");
}

#[test]
fn the_elements_of_a_list_mean_the_same() {
    let reference = |value: &str| {
        format!(
            r#"{{"type":"ExternalReference","keys":[{{"type":"GlobalReference","value":"{value}"}}]}}"#
        )
    };
    let meaning = format!(
        r#"{OF_INTEGERS},"semanticIdListElement":{}"#,
        reference("urn:a")
    );
    let element = |value| {
        format!(
            r#"{{"modelType":"Property","valueType":"xs:int","semanticId":{}}}"#,
            reference(value)
        )
    };
    let of = |value| list("Property", &meaning, &element(value));
    check(Rule::ListSemanticId, &of("urn:a"), &of("urn:b"), "List[0]");
}

#[test]
fn variables_annotations_and_statements_are_looked_into() {
    let operation = |second: &str| {
        format!(
            r#"{{"modelType":"Operation","idShort":"Op","inputVariables":[{{"value":{}}}],"inoutputVariables":[{{"value":{second}}},{{}}]}}"#,
            property("In", "xs:int", "1")
        )
    };
    let int = |name, value| property(name, "xs:int", value);
    let accepted = operation(&int("Out", "1"));
    check(
        Rule::VariableDuplicate,
        &accepted,
        &operation(&int("In", "2")),
        "Op.In",
    );
    check(
        Rule::ValueLexical,
        &accepted,
        &operation(&int("Out", "x")),
        "Op.Out",
    );
    check(
        Rule::IdShortMissing,
        &accepted,
        &operation(INTEGER),
        "Op.(1)",
    );

    let relation = |annotation: &str| {
        format!(
            r#"{{"modelType":"AnnotatedRelationshipElement","idShort":"Rel","annotations":[{annotation}]}}"#
        )
    };
    let accepted = relation(&int("Ab", "1"));
    check(
        Rule::ValueLexical,
        &accepted,
        &relation(&int("Ab", "")),
        "Rel.Ab",
    );
    let capability = r#"{"modelType":"Capability","idShort":"Cap"}"#;
    check(
        Rule::AnnotationKind,
        &accepted,
        &relation(capability),
        "Rel",
    );

    let entity = |more: &str, statement: &str| {
        format!(
            r#"{{"modelType":"Entity","idShort":"Ent","entityType":{more},"statements":[{statement}]}}"#
        )
    };
    let own = r#""SelfManagedEntity","globalAssetId":"urn:x""#;
    let accepted = entity(own, &int("Ab", "1"));
    check(
        Rule::ValueLexical,
        &accepted,
        &entity(own, &int("Ab", "1.5")),
        "Ent.Ab",
    );
    for broken in [
        r#""SelfManagedEntity""#,
        r#""SelfManagedEntity","specificAssetIds":[]"#,
    ] {
        check(
            Rule::EntityAsset,
            &accepted,
            &entity(broken, capability),
            "Ent",
        );
    }
    check(
        Rule::Enumeration,
        &accepted,
        &entity(r#""Selfmanaged""#, capability),
        "Ent",
    );
}

#[test]
fn events_qualifiers_and_extensions() {
    let event = |direction: &str, state: &str| {
        format!(
            r#"{{"modelType":"BasicEventElement","idShort":"Evt","direction":"{direction}","state":"{state}"}}"#
        )
    };
    let accepted = event("input", "off");
    check(Rule::Enumeration, &accepted, &event("in", "off"), "Evt");
    check(Rule::Enumeration, &accepted, &event("input", "OFF"), "Evt");
    let with = |member: &str, kind: &str, value_type: &str, value: &str| {
        format!(
            r#"{{"modelType":"Capability","idShort":"Cap","{member}":[{{"type":"t","name":"n","kind":"{kind}","valueType":"{value_type}","value":"{value}"}}]}}"#
        )
    };
    for member in ["qualifiers", "extensions"] {
        let accepted = with(member, "ValueQualifier", "xs:int", "1");
        let lexical = with(member, "ValueQualifier", "xs:int", "one");
        check(Rule::ValueLexical, &accepted, &lexical, "Cap");
        let unknown = with(member, "ValueQualifier", "int", "1");
        check(Rule::ValueType, &accepted, &unknown, "Cap");
    }
    let accepted = with("qualifiers", "TemplateQualifier", "xs:int", "1");
    let unknown = with("qualifiers", "Template", "xs:int", "1");
    check(Rule::Enumeration, &accepted, &unknown, "Cap");
}

#[test]
fn a_finding_reads_as_a_sentence() {
    let text = format!(
        r#"{{"modelType":"Submodel","submodelElements":[{}]}}"#,
        property("Ab", "xs:int", "x")
    );
    let findings = verify(&Submodel::from_json_str(&text).unwrap());
    let sentences: Vec<String> = findings.iter().map(ToString::to_string).collect();
    assert_eq!(
        sentences,
        [
            "submodel: the submodel has no id, or an empty one (id-missing)",
            "Ab: the value `x` is no `xs:int` (AASd-020)",
        ]
    );
}
