//! A whole environment: every kind of element, shells, concept descriptions, and what is refused.

#![expect(
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise, its helper functions too"
)]

use ambit_aas::{
    Environment, Presence, SkipReason, Submodel, SubmodelElement, leaves, leaves_in,
    submodel_value_only_text, verify,
};

const PRESS_LINE: &str = include_str!("../examples/press-line.json");

fn press_line() -> Environment {
    Environment::from_json_str(PRESS_LINE).unwrap()
}

#[test]
fn every_kind_of_element_has_a_type() {
    let environment = press_line();
    let submodel = &environment.submodels()[0];
    let elements = submodel.elements();
    assert_eq!(elements.len(), 14);
    assert!(
        !elements
            .iter()
            .any(|element| matches!(element, SubmodelElement::Whole(_)))
    );
    assert_eq!(verify(submodel), []);
    for element in elements {
        match element {
            SubmodelElement::Property(it) => {
                assert!(it.value_id().is_some());
            }
            SubmodelElement::RelationshipElement(it) => {
                let last = it.first().unwrap();
                assert_eq!(last.last_key_value(), Some("urn:example:asset:feeder-3"));
                assert!(it.second().is_some());
            }
            SubmodelElement::AnnotatedRelationshipElement(it) => {
                assert!(it.first().is_some() && it.second().is_some());
                let qualifiers = it.annotations()[0].members().qualifiers();
                assert_eq!(qualifiers[0].kind(), Some("ConceptQualifier"));
                assert_eq!(qualifiers[0].qualifier_type(), Some("Unit"));
                assert!(qualifiers[0].value_id().is_some());
                assert!(qualifiers[0].semantic_id().is_some());
            }
            SubmodelElement::Entity(it) => {
                assert_eq!(it.entity_type(), Some("SelfManagedEntity"));
                assert_eq!(it.global_asset_id(), Some("urn:example:asset:die-77"));
                assert_eq!(it.specific_asset_ids()[0].value(), Some("B-7"));
                assert_eq!(it.statements()[0].id_short(), Some("Wear"));
            }
            SubmodelElement::Operation(it) => {
                let named = |variables: &[ambit_aas::OperationVariable]| {
                    variables[0].value().unwrap().id_short().unwrap().to_owned()
                };
                assert_eq!(named(it.input_variables()), "Slowly");
                assert_eq!(named(it.output_variables()), "Released");
                assert_eq!(named(it.inoutput_variables()), "Pressure");
            }
            SubmodelElement::BasicEventElement(it) => {
                assert_eq!(it.observed().unwrap().last_key_value(), Some("Force"));
                assert_eq!((it.direction(), it.state()), (Some("output"), Some("on")));
                assert_eq!(it.message_topic(), Some("press-12/force"));
                assert!(it.message_broker().is_some());
                assert_eq!(it.last_update(), Some("2026-03-04T08:15:30.125Z"));
                assert_eq!(it.min_interval(), Some("PT0.5S"));
                assert_eq!(it.max_interval(), Some("PT1M"));
            }
            SubmodelElement::MultiLanguageProperty(_)
            | SubmodelElement::Range(_)
            | SubmodelElement::File(_)
            | SubmodelElement::Blob(_)
            | SubmodelElement::ReferenceElement(_)
            | SubmodelElement::SubmodelElementCollection(_)
            | SubmodelElement::SubmodelElementList(_)
            | SubmodelElement::Capability(_)
            | SubmodelElement::Whole(_) => {}
        }
    }
}

#[test]
fn the_shell_and_the_concept() {
    let environment = press_line();
    let shell = &environment.asset_administration_shells()[0];
    assert_eq!(shell.id(), "urn:example:shell:press-12");
    assert!(shell.derived_from().is_some());
    let asset = shell.asset_information().unwrap();
    assert_eq!(asset.asset_kind(), Some("Instance"));
    assert_eq!(asset.asset_type(), Some("urn:example:asset-type:press-k"));
    assert_eq!(asset.global_asset_id(), Some("urn:example:asset:press-12"));
    let serial = &asset.specific_asset_ids()[0];
    assert_eq!(
        (serial.name(), serial.value()),
        (Some("serial"), Some("K-0012"))
    );
    assert!(serial.external_subject_id().is_some());
    let thumbnail = asset.default_thumbnail().unwrap();
    assert_eq!(thumbnail.path(), Some("/aasx/press.png"));
    let administration = shell.administration().unwrap();
    assert_eq!(administration.version(), Some("2"));
    assert_eq!(administration.revision(), Some("1"));
    assert!(administration.creator().is_some());
    assert_eq!(
        administration.template_id(),
        Some("urn:example:template:press:2")
    );
    assert_eq!(
        shell.submodels()[0].last_key_value(),
        Some(environment.submodels()[0].id())
    );

    let concept = &environment.concept_descriptions()[0];
    assert_eq!(concept.is_case_of().len(), 1);
    let extension = &concept.members().extensions()[0];
    assert_eq!(extension.name(), Some("review"));
    assert_eq!(extension.value_type(), Some("xs:date"));
    assert_eq!(extension.value(), Some("2026-02-28"));
    let content = concept.iec61360().unwrap();
    assert_eq!(
        content.preferred_name()[0].content(),
        Some("pressing force")
    );
    assert_eq!(content.short_name()[0].language(), Some("en"));
    assert_eq!(content.unit(), Some("kN"));
    assert!(content.unit_id().is_some());
    assert_eq!(content.data_type(), Some("REAL_MEASURE"));
    assert_eq!(content.definition().len(), 1);
    assert_eq!(content.value_format(), Some("NR2 S..5.2"));
    assert_eq!(content.value(), Some("1.50e3"));
    let pairs = content.value_list().unwrap().value_reference_pairs();
    assert_eq!(pairs[0].value(), Some("1500"));
    assert!(pairs[0].value_id().is_some());
    let level = content.level_type().unwrap();
    assert_eq!((level.nom(), level.typ()), (Some(true), Some(false)));
}

#[test]
fn the_leaves_of_every_kind() {
    let environment = press_line();
    let submodel = &environment.submodels()[0];
    let found = leaves_in(&environment, submodel);
    let row = |path: &str| {
        let leaf = found.leaves.iter().find(|leaf| leaf.path == path).unwrap();
        (leaf.value.as_deref().unwrap_or("-"), leaf.unit.as_deref())
    };
    assert_eq!(row("Force"), ("1.50E3", Some("kN")));
    assert_eq!(row("ForceLimits"), (r#"{"min":0,"max":2e3}"#, None));
    assert_eq!(row("MountedOn.Torque"), ("84.50", Some("N m")));
    assert_eq!(row("Energy.Total"), ("7.1e-2", None));
    assert_eq!(
        row("Strokes[0]"),
        (r#"{"entityType":"CoManagedEntity"}"#, None)
    );
    assert_eq!(row("Strokes[0].Depth"), ("12.70", None));
    assert_eq!(row("Die.Wear"), ("3", None));
    let die = r#"{"entityType":"SelfManagedEntity","globalAssetId":"urn:example:asset:die-77","specificAssetIds":[{"name":"batch","value":"B-7"}]}"#;
    assert_eq!(row("Die"), (die, None));
    assert!(row("FeedsPress").0.starts_with(r#"{"first":{"type":"#));
    assert!(!row("MountedOn").0.contains("annotations"));
    assert!(row("ForceChanged").0.starts_with(r#"{"observed":{"type":"#));
    let skipped: Vec<_> = found
        .skipped
        .iter()
        .map(|skipped| (skipped.path.as_str(), skipped.reason))
        .collect();
    assert_eq!(
        skipped,
        [
            ("Release", SkipReason::Kind),
            ("Pressing", SkipReason::Kind)
        ]
    );
    assert_eq!(found.leaves.len(), 15);
    assert_eq!(leaves(submodel).leaves[0].unit, None);
}

#[test]
fn numbers_in_the_value_only_text_are_as_written() {
    let text = submodel_value_only_text(&press_line().submodels()[0]);
    assert!(text.starts_with(r#"{"Force":1.50E3,"Note":[{"en":"guard closed"},"#));
    assert!(
        text.contains(r#""annotations":[{"Torque":84.50}]"#),
        "{text}"
    );
    assert!(text.contains(r#""Die":{"statements":{"Wear":3},"entityType":"#));
    assert!(!text.contains("Release") && !text.contains("Pressing"));
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    let form = ambit_aas::submodel_value_only(&press_line().submodels()[0]);
    assert_eq!(value, form);
}

#[test]
fn absent_null_and_empty_are_told_apart() {
    let text = r#"{"modelType":"Submodel","submodelElements":[
        {"modelType":"Entity","idShort":"Ab","statements":[],"globalAssetId":"","entityType":null,
         "qualifiers":[{"type":"q","value":"","valueId":null}],
         "embeddedDataSpecifications":[{"dataSpecificationContent":
            {"modelType":"DataSpecificationIec61360","unit":"","valueFormat":null,"definition":[]}}]},
        {"modelType":"Operation","inputVariables":[{"value":null}],"outputVariables":null}]}"#;
    let submodel = Submodel::from_json_str(text).unwrap();
    let [entity, operation] = submodel.elements() else {
        panic!("two elements");
    };
    let presence = |name| entity.members().presence(name);
    assert_eq!(presence("statements"), Presence::Empty);
    assert_eq!(presence("globalAssetId"), Presence::Empty);
    assert_eq!(presence("entityType"), Presence::Null);
    assert_eq!(presence("specificAssetIds"), Presence::Absent);
    assert_eq!(presence("qualifiers"), Presence::Given);
    let qualifier = &entity.members().qualifiers()[0];
    assert_eq!(qualifier.presence("value"), Presence::Empty);
    assert_eq!(qualifier.presence("valueId"), Presence::Null);
    assert_eq!(qualifier.presence("kind"), Presence::Absent);
    let specification = &entity.members().embedded_data_specifications()[0];
    let content = specification.iec61360().unwrap();
    assert_eq!(content.presence("unit"), Presence::Empty);
    assert_eq!(content.presence("valueFormat"), Presence::Null);
    assert_eq!(content.presence("definition"), Presence::Empty);
    assert_eq!(content.presence("value"), Presence::Absent);
    let presence = |name| operation.members().presence(name);
    assert_eq!(presence("inputVariables"), Presence::Given);
    assert_eq!(presence("outputVariables"), Presence::Null);
    assert_eq!(presence("inoutputVariables"), Presence::Absent);
    assert_eq!(
        submodel.members().presence("submodelElements"),
        Presence::Given
    );
}
