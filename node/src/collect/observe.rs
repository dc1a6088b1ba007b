//! Observations of what is at hand: a submodel in JSON, or single values, all at one instant.

use super::draft::{BLOCK_BYTES_MAX, Draft, DraftFacts, Grouping, TooLarge, block_bytes};
use super::facts_file::{FactsError, FactsFile};
use ambit_aas::{
    IdShortPath, IdShortPathError, Leaf, ParseError, SkipReason, Submodel, ValueOnlyError, leaves,
    submodels_from_json, value_only_property,
};
use ambit_ledger::{Name, NameError, Quality, Reading, Time, When};
use std::collections::{BTreeMap, BTreeSet};

/// Why a submodel or a value is not observed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ObserveError {
    /// Not a submodel, nor an environment.
    #[error("failed to read the submodel")]
    Submodel(#[from] ParseError),
    /// Its values are examples.
    #[error(
        "the submodel `{0}` is a template: its values are no observations; set its `kind` to \"Instance\""
    )]
    Template(String),
    /// No value anywhere.
    #[error("there is no value to observe")]
    Nothing,
    /// Facts are missing.
    #[error(transparent)]
    Facts(#[from] FactsError),
    /// An identifier that cannot be a fact.
    #[error("the identifier `{text}` cannot be a fact")]
    Identifier {
        /// The identifier.
        text: String,
        /// What is wrong with it.
        #[source]
        source: NameError,
    },
    /// Not a path.
    #[error("`{path}` is no idShort path such as `Deviations.Flatness`")]
    Path {
        /// What was given.
        path: String,
        /// What is wrong with it.
        #[source]
        source: IdShortPathError,
    },
    /// Two values for one element at one instant.
    #[error("`{0}` is given twice")]
    Repeated(String),
    /// A type for no value.
    #[error("a type is given for `{0}`, but no value")]
    TypeWithoutValue(String),
    /// Not of the type.
    #[error("the value of `{path}` does not fit its type")]
    Value {
        /// The element.
        path: String,
        /// What is wrong with it.
        #[source]
        source: ValueOnlyError,
    },
    /// Larger than an observation.
    #[error(
        "the value of `{path}` takes {bytes} bytes, more than the {BLOCK_BYTES_MAX} that an observation holds: make it an attachment"
    )]
    TooLarge {
        /// The element.
        path: String,
        /// What it takes.
        bytes: usize,
    },
}

/// What submodels yielded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObservedSubmodels {
    /// At least one per submodel that holds values.
    pub drafts: Vec<Draft>,
    /// Elements that are no readings, each with the reason, for people to read.
    pub skipped: Vec<String>,
}

/// Observes every element that holds a value in a submodel, or in each submodel of an environment, at one instant.
/// The facts `submodel` and `semantic_id` come from the JSON and win over `facts`; `overrides` win over all.
///
/// # Errors
/// Any [`ObserveError`].
pub fn observe_submodel(
    json: &[u8],
    facts: &FactsFile,
    overrides: &FactsFile,
    at: Time,
) -> Result<ObservedSubmodels, ObserveError> {
    let mut observed = ObservedSubmodels::default();
    for submodel in submodels_from_json(json)? {
        let facts = submodel_facts(&submodel, facts)?
            .overlaid(overrides)
            .complete()?;
        let found = leaves(&submodel);
        let mut readings = Vec::new();
        for leaf in found.leaves {
            readings.push(leaf_reading(leaf, at)?);
        }
        observed.drafts.extend(group(readings, &facts)?);
        observed.skipped.extend(found.skipped.iter().map(|skipped| {
            let reason = match skipped.reason {
                SkipReason::Kind => "elements of this kind hold no reading",
                SkipReason::NoPath => "its idShort is missing or cannot stand in a path",
                SkipReason::SharedPath => "another element has the same path",
            };
            format!("`{}` ({}): {reason}", skipped.path, skipped.model_type)
        }));
    }
    if observed.drafts.is_empty() {
        return Err(ObserveError::Nothing);
    }
    Ok(observed)
}

/// Observes single values at one instant. A value of a path in `types` is read as that data type, such as
/// `xs:double`; any other is taken as the JSON number, boolean or string that it spells, or else as text. An empty
/// value is a reading of quality *empty*.
///
/// # Errors
/// Any [`ObserveError`] but those of submodels.
pub fn observe_values(
    values: &[(String, String)],
    types: &BTreeMap<String, String>,
    facts: &FactsFile,
    overrides: &FactsFile,
    at: Time,
) -> Result<Vec<Draft>, ObserveError> {
    let facts = facts.overlaid(overrides).complete()?;
    let mut paths = BTreeSet::new();
    let mut readings = Vec::new();
    for (path, text) in values {
        if !paths.insert(path) {
            return Err(ObserveError::Repeated(path.clone()));
        }
        readings.push(value_reading(path, text, types.get(path), at)?);
    }
    if let Some(path) = types.keys().find(|path| !paths.contains(path)) {
        return Err(ObserveError::TypeWithoutValue(path.clone()));
    }
    let drafts = group(readings, &facts)?;
    if drafts.is_empty() {
        return Err(ObserveError::Nothing);
    }
    Ok(drafts)
}

fn submodel_facts(submodel: &Submodel, facts: &FactsFile) -> Result<FactsFile, ObserveError> {
    if submodel.is_template() {
        return Err(ObserveError::Template(submodel.id().to_owned()));
    }
    let mut stated = FactsFile::default();
    if !submodel.id().is_empty() {
        stated.submodel = Some(name(submodel.id())?);
    }
    stated.semantic_id = submodel.semantic_id_value().map(name).transpose()?;
    Ok(facts.overlaid(&stated))
}

fn leaf_reading(leaf: Leaf, at: Time) -> Result<Reading, ObserveError> {
    let (quality, value) = match leaf.value {
        None => (Quality::Empty, None),
        // An empty text where a number belongs is no value.
        Some(text) if text == "\"\"" && !leaf.matches_value_type => (Quality::Empty, None),
        Some(text) if leaf.matches_value_type => (Quality::Good, Some(text)),
        Some(text) => (Quality::Uncertain, Some(text)),
    };
    Ok(Reading {
        path: name(&leaf.path)?,
        when: When::Instant { at },
        quality,
        value,
        value_type: leaf.value_type.as_deref().map(name).transpose()?,
        // A unit is a help for people: one that is no name is left out, unlike a value.
        unit: leaf.unit.and_then(|unit| unit.parse().ok()),
    })
}

fn value_reading(
    path: &str,
    text: &str,
    value_type: Option<&String>,
    at: Time,
) -> Result<Reading, ObserveError> {
    IdShortPath::parse(path).map_err(|source| ObserveError::Path {
        path: path.to_owned(),
        source,
    })?;
    let (quality, value) = match (text.trim(), value_type) {
        ("", _) => (Quality::Empty, None),
        ("UNAVAILABLE", _) => (Quality::Unavailable, None),
        (_, None) => (Quality::Good, Some(spelled(text))),
        (_, Some(value_type)) => {
            let value =
                value_only_property(value_type, text).map_err(|source| ObserveError::Value {
                    path: path.to_owned(),
                    source,
                })?;
            let json = match value {
                // The digits as written: a number printed again may have its exponent in another form.
                serde_json::Value::Number(_) => text.to_owned(),
                other => other.to_string(),
            };
            (Quality::Good, Some(json))
        }
    };
    Ok(Reading {
        path: name(path)?,
        when: When::Instant { at },
        quality,
        value,
        value_type: value_type.map(|value_type| name(value_type)).transpose()?,
        unit: None,
    })
}

/// The JSON text that a value spells, else the value as a JSON string.
fn spelled(text: &str) -> String {
    use serde_json::Value;
    match serde_json::from_str(text) {
        Ok(Value::Number(_) | Value::Bool(_) | Value::String(_)) => text.trim().to_owned(),
        Ok(Value::Null | Value::Array(_) | Value::Object(_)) | Err(_) => {
            Value::from(text).to_string()
        }
    }
}

fn group(readings: Vec<Reading>, facts: &DraftFacts) -> Result<Vec<Draft>, ObserveError> {
    let mut grouping = Grouping::new();
    for reading in readings {
        let bytes = block_bytes(&reading).map_err(|TooLarge { bytes }| ObserveError::TooLarge {
            path: reading.path.to_string(),
            bytes,
        })?;
        grouping.add((), reading, bytes, || Ok::<_, ObserveError>(facts.clone()))?;
    }
    grouping.finish();
    Ok(std::iter::from_fn(|| grouping.next()).collect())
}

fn name(text: &str) -> Result<Name, ObserveError> {
    text.parse().map_err(|source| ObserveError::Identifier {
        text: text.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
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

    fn values(pairs: &[(&str, &str)], types: &[(&str, &str)]) -> Result<Vec<Draft>, ObserveError> {
        let own = |(key, text): &(&str, &str)| ((*key).to_owned(), (*text).to_owned());
        let pairs: Vec<_> = pairs.iter().map(own).collect();
        let facts = facts("submodel = \"urn:s\"\nsemantic_id = \"urn:m\"");
        let types = types.iter().map(own).collect();
        observe_values(&pairs, &types, &facts, &FactsFile::default(), at())
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
        assert!(matches!(values(&[], &[]), Err(ObserveError::Nothing)));
        assert!(matches!(
            values(&[("a b", "1")], &[]),
            Err(ObserveError::Path { .. })
        ));
        assert!(matches!(
            values(&[("A", "1"), ("A", "2")], &[]),
            Err(ObserveError::Repeated(_))
        ));
        let types = [("A", "xs:int")];
        assert!(matches!(
            values(&[("A", "1.5")], &types),
            Err(ObserveError::Value { .. })
        ));
        assert!(matches!(
            values(&[("B", "1")], &types),
            Err(ObserveError::TypeWithoutValue(path)) if path == "A"
        ));
        let long = "x".repeat(70_000);
        assert!(matches!(
            values(&[("A", &long)], &[]),
            Err(ObserveError::TooLarge { .. })
        ));
    }

    const SUBMODEL: &str = r#"{
        "modelType": "Submodel", "id": "urn:example:plate:7",
        "semanticId": {"type": "ExternalReference", "keys": [{"type": "GlobalReference", "value": "urn:example:meaning"}]},
        "submodelElements": [
            {"modelType": "Property", "idShort": "Flatness", "valueType": "xs:double", "value": "0.0040"},
            {"modelType": "Property", "idShort": "Count", "valueType": "xs:int", "value": "many"},
            {"modelType": "Property", "idShort": "Gone", "valueType": "xs:double"},
            {"modelType": "Property", "idShort": "Blank", "valueType": "xs:double", "value": ""},
            {"modelType": "Capability", "idShort": "Drilling"}
        ]
    }"#;

    #[test]
    fn a_submodel_names_itself_and_each_leaf_is_a_reading() {
        let overrides = FactsFile::parse("serial = \"7\"").unwrap();
        let base = facts("submodel = \"urn:other\"");
        let observed = observe_submodel(SUBMODEL.as_bytes(), &base, &overrides, at()).unwrap();
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
            ]
        );
        assert_eq!(observed.skipped.len(), 1);
        assert!(observed.skipped[0].starts_with("`Drilling` (Capability)"));
    }

    #[test]
    fn submodels_that_are_refused() {
        let observe =
            |json: &str| observe_submodel(json.as_bytes(), &facts(""), &FactsFile::default(), at());
        assert!(matches!(
            observe("[]"),
            Err(ObserveError::Submodel(_) | ObserveError::Nothing)
        ));
        assert!(matches!(observe("{"), Err(ObserveError::Submodel(_))));
        let template = SUBMODEL.replacen("\"id\"", "\"kind\": \"Template\", \"id\"", 1);
        assert!(matches!(observe(&template), Err(ObserveError::Template(_))));
        let without = SUBMODEL.replace("urn:example:plate:7", "");
        assert!(matches!(
            observe(&without),
            Err(ObserveError::Facts(FactsError::Missing("submodel")) | ObserveError::Submodel(_))
        ));
    }
}
