use super::*;

const FACTS: &str = r#"
        source = "cmm-1"
        data_class = "inspection-result"
        owner = "did:web:plates.example"
        trade_secret = false
    "#;

fn facts(more: &str) -> FactsFile {
    FactsFile::parse(&format!("{FACTS}{more}")).unwrap()
}

fn at() -> Time {
    "2026-05-01T08:00:00Z".parse().unwrap()
}

fn values(pairs: &[(&str, &str)], types: &[(&str, &str)]) -> Result<Vec<Draft>, CollectError> {
    let own = |(key, text): &(&str, &str)| ((*key).to_owned(), (*text).to_owned());
    let pairs: Vec<_> = pairs.iter().map(own).collect();
    let facts = facts("submodel = \"urn:s\"\nsemantic_id = \"urn:m\"");
    let types = types.iter().map(own).collect();
    observe_values(&pairs, &types, &facts, &FactsFile::default(), at(), at())
}

#[test]
fn values_are_what_they_spell() {
    let pairs = [
        ("A", "373.320060"),
        ("B", "true"),
        ("C", "\"7\""),
        ("D", "hello there"),
        ("E", ""),
        ("F", "UNAVAILABLE"),
        ("G", "null"),
        ("H", "007"),
        ("I", "INF"),
        ("J", "7"),
    ];
    let drafts = values(&pairs, &[("I", "xs:double"), ("J", "xs:string")]).unwrap();
    assert_eq!(drafts.len(), 1);
    let read: Vec<_> = drafts[0]
        .readings
        .iter()
        .map(|reading| (reading.quality, reading.value.as_deref().unwrap_or("-")))
        .collect();
    use Quality::{Empty, Good, Unavailable};
    assert_eq!(
        read,
        [
            (Good, "373.320060"),
            (Good, "true"),
            (Good, "\"7\""),
            (Good, "\"hello there\""),
            (Empty, "-"),
            (Unavailable, "-"),
            (Good, "\"null\""),
            (Good, "\"007\""),
            (Good, "\"INF\""),
            (Good, "\"7\""),
        ]
    );
}

#[test]
fn values_that_are_refused() {
    let told = |given: &[(&str, &str)]| values(given, &[]).unwrap_err().to_string();
    assert!(told(&[]).contains("no value to observe: give one with --set PATH=VALUE"));
    assert!(matches!(
        values(&[("a b", "1")], &[]),
        Err(CollectError::Path { .. })
    ));
    assert!(matches!(
        values(&[("A", "1"), ("A", "2")], &[]),
        Err(CollectError::Repeated(_))
    ));
    let types = [("A", "xs:int")];
    assert!(matches!(
        values(&[("A", "1.5")], &types),
        Err(CollectError::Value { .. })
    ));
    assert!(matches!(
        values(&[("B", "1")], &types),
        Err(CollectError::TypeWithoutValue(path)) if path == "A"
    ));
    for text in ["1e400", "-1E+400", "1e-400"] {
        assert!(matches!(
            values(&[("A", text)], &[]),
            Err(CollectError::Untyped { .. })
        ));
        assert!(values(&[("A", text)], &[("A", "xs:string")]).is_ok());
        assert!(matches!(
            values(&[("A", text)], &[("A", "xs:double")]),
            Err(CollectError::Value { .. })
        ));
    }
    for (text, types) in [
        ("bell\u{7}", &[][..]),
        ("bell\u{7}", &[("A", "xs:string")][..]),
        ("\"\\u0000\"", &[][..]),
    ] {
        let error = values(&[("A", text)], types).unwrap_err().to_string();
        assert!(error.contains("control character U+00"), "{error}");
    }
    let long = "x".repeat(70_000);
    assert!(told(&[("A", &long)]).ends_with(": split it, or leave it out"));
}

const SUBMODEL: &str = r#"{
        "modelType": "Submodel", "id": "urn:example:plate:7",
        "semanticId": {"type": "ExternalReference", "keys": [{"type": "GlobalReference", "value": "urn:example:meaning"}]},
        "submodelElements": [
            {"modelType": "Property", "idShort": "Flatness", "valueType": "xs:double", "value": "0.0040"},
            {"modelType": "Property", "idShort": "Count", "valueType": "xs:int", "value": "many"},
            {"modelType": "Property", "idShort": "Gone", "valueType": "xs:double"},
            {"modelType": "Property", "idShort": "Blank", "valueType": "xs:double", "value": ""},
            {"modelType": "Property", "idShort": "Note", "valueType": "xs:string", "value": " "},
            {"modelType": "Property", "idShort": "State", "valueType": "xs:string", "value": "UNAVAILABLE"},
            {"modelType": "Property", "idShort": "Speed", "valueType": "xs:int", "value": "UNAVAILABLE"},
            {"modelType": "MultiLanguageProperty", "idShort": "Remark", "value": []},
            {"modelType": "Property", "idShort": "Vast", "valueType": "xs:double", "value": "1e400"},
            {"modelType": "Property", "idShort": "Bell", "valueType": "xs:string", "value": "a\u0007"},
            {"modelType": "Capability", "idShort": "Drilling"}
        ]
    }"#;

#[test]
fn a_submodel_names_itself_and_each_leaf_is_a_reading() {
    let overrides = FactsFile::parse("serial = \"7\"").unwrap();
    let base = facts("submodel = \"urn:other\"");
    let json = SUBMODEL.as_bytes();
    let observed = observe_submodel(json, &base, &overrides, at(), at()).unwrap();
    let [draft] = observed.drafts.as_slice() else {
        panic!("{observed:?}");
    };
    assert_eq!(draft.facts.submodel.as_str(), "urn:example:plate:7");
    assert_eq!(draft.facts.semantic_id.as_str(), "urn:example:meaning");
    assert_eq!(draft.facts.serial.as_ref().unwrap().as_str(), "7");
    let read: Vec<_> = draft
        .readings
        .iter()
        .map(|reading| {
            (
                reading.path.as_str(),
                reading.quality,
                reading.value.as_deref(),
            )
        })
        .collect();
    assert_eq!(
        read,
        [
            ("Flatness", Quality::Good, Some("0.0040")),
            ("Count", Quality::Uncertain, Some("\"many\"")),
            ("Gone", Quality::Empty, None),
            ("Blank", Quality::Empty, None),
            ("Note", Quality::Empty, None),
            ("State", Quality::Unavailable, None),
            ("Speed", Quality::Unavailable, None),
            ("Remark", Quality::Empty, None),
            ("Vast", Quality::Uncertain, Some("\"1e400\"")),
            ("Bell", Quality::Uncertain, Some("\"a\\u0007\"")),
        ]
    );
    assert_eq!(observed.skipped.len(), 1);
    assert!(observed.skipped[0].starts_with("`Drilling` (Capability)"));
    assert_eq!(
        observed.uncertain,
        [
            "`Count`: \"many\" is no xs:int",
            "`Vast`: \"1e400\" is no xs:double",
            "`Bell`: \"a\\u0007\" is no xs:string",
        ]
    );
}

#[test]
fn submodels_that_are_refused() {
    let facts = facts("");
    let observe =
        |json: &str| observe_submodel(json.as_bytes(), &facts, &FactsFile::default(), at(), at());
    assert!(matches!(
        observe("[]"),
        Err(CollectError::Submodel(_) | CollectError::Nothing)
    ));
    assert!(matches!(observe("{"), Err(CollectError::Submodel(_))));
    let template = SUBMODEL.replacen("\"id\"", "\"kind\": \"Template\", \"id\"", 1);
    assert!(matches!(observe(&template), Err(CollectError::Template(_))));
    let without = SUBMODEL.replace("urn:example:plate:7", "");
    assert!(matches!(
        observe(&without),
        Err(CollectError::Facts(FactsError::Missing("submodel")) | CollectError::Submodel(_))
    ));
}

#[test]
fn nothing_is_observed_before_it_happens() {
    let facts = facts("submodel = \"urn:s\"\nsemantic_id = \"urn:m\"");
    let none = FactsFile::default();
    let pairs = [("A".to_owned(), "1".to_owned())];
    let types = BTreeMap::new();
    for (at, is_refused) in [
        ("2026-05-01T08:05:00Z", false),
        ("2026-05-01T08:05:00.000000001Z", true),
        ("2199-01-01T00:00:00Z", true),
    ] {
        let then = at.parse().unwrap();
        let now = self::at();
        let values = observe_values(&pairs, &types, &facts, &none, then, now);
        let submodel = observe_submodel(SUBMODEL.as_bytes(), &facts, &none, then, now);
        assert_eq!(
            matches!(values, Err(CollectError::Ahead(_))),
            is_refused,
            "{at}"
        );
        assert_eq!(
            matches!(submodel, Err(CollectError::Ahead(_))),
            is_refused,
            "{at}"
        );
    }
}
