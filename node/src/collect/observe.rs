//! Observations of what is at hand: a submodel in JSON, or single values, all at one instant.

use super::cell::missing;
use super::draft::{BLOCK_BYTES_MAX, Draft, Grouping, TooLarge, block_bytes};
use super::facts::{DraftFacts, FactsError, FactsFile};
use super::instant::{AheadError, check_ahead};
use crate::platform::shell_option;
use ambit_aas::{
    DataTypeDefXsd, IdShortPath, IdShortPathError, Leaf, ParseError, SkipReason, Submodel,
    ValueOnlyError, is_representable, is_xml_character, leaves, submodels_from_json,
    value_only_property,
};
use ambit_ledger::{Name, NameError, Quality, Reading, Time, When};
use std::collections::{BTreeMap, BTreeSet};

/// The most characters of a value that are shown.
const VALUE_SHOWN_MAX: usize = 60;
/// How many of the elements that were left out are named where nothing else is there.
const LEFT_OUT_SHOWN_MAX: usize = 20;

/// Why a submodel or a value is not observed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CollectError {
    /// Not a submodel, nor an environment.
    #[error("failed to read the submodel")]
    Submodel(#[from] ParseError),
    /// Its values are examples.
    #[error(
        "the submodel `{0}` is a template: its values are no observations; set its `kind` to \"Instance\""
    )]
    Template(String),
    /// No value anywhere.
    #[error(
        "there is no value to observe: give one with --set PATH=VALUE, or a submodel that holds values"
    )]
    Nothing,
    /// No value, in elements that are no readings.
    #[error("there is no value to observe, and everything else was left out: {}", listed(.0))]
    AllLeftOut(Vec<String>),
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
    /// A number without a type that no reader of JSON holds.
    #[error(
        "the value `{text}` of `{path}` is beyond what a double holds: give it a type that has no bounds, such as {}",
        shell_option("--type", &format!("{path}=xs:string"))
    )]
    Untyped {
        /// The element.
        path: String,
        /// What was given.
        text: String,
    },
    /// A character that is none of XML, so that no AAS holds it.
    #[error(
        "the value of `{path}` holds the control character U+{:04X}: take it out",
        u32::from(*character)
    )]
    Character {
        /// The element.
        path: String,
        /// The first such character.
        character: char,
    },
    /// The time lies in the future.
    #[error("the time of the observation cannot be used")]
    Ahead(#[from] AheadError),
    /// Larger than an observation.
    #[error(
        "the value of `{path}` takes {bytes} bytes, more than the {BLOCK_BYTES_MAX} that an observation holds: split it, or leave it out"
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
    /// Elements whose value is not of their type, so that its quality is *uncertain*, each with the reason.
    pub uncertain: Vec<String>,
}

/// Observes every element that holds a value in a submodel, or in each submodel of an environment, at one instant.
/// The facts `submodel` and `semantic_id` come from the JSON and win over `facts`; `overrides` win over all.
///
/// # Errors
/// Any [`CollectError`].
pub fn observe_submodel(
    json: &[u8],
    facts: &FactsFile,
    overrides: &FactsFile,
    at: Time,
    now: Time,
) -> Result<ObservedSubmodels, CollectError> {
    check_ahead(at, now)?;
    let mut observed = ObservedSubmodels::default();
    for submodel in submodels_from_json(json)? {
        let facts = submodel_facts(&submodel, facts)?
            .overlaid(overrides)
            .complete()?;
        let found = leaves(&submodel);
        let mut readings = Vec::new();
        for leaf in found.leaves {
            let reading = leaf_reading(leaf, at)?;
            observed.uncertain.extend(uncertain(&reading));
            readings.push(reading);
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
        return Err(match observed.skipped.is_empty() {
            true => CollectError::Nothing,
            false => CollectError::AllLeftOut(observed.skipped),
        });
    }
    Ok(observed)
}

/// As many as a line can hold, and how many more there are.
fn listed(left_out: &[String]) -> String {
    let shown: Vec<&str> = left_out.iter().map(String::as_str).collect();
    let shown = shown.get(..LEFT_OUT_SHOWN_MAX).unwrap_or(&shown);
    let more = match left_out.len() - shown.len() {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    format!("{}{more}", shown.join("; "))
}

/// Observes single values at one instant. A value of a path in `types` is read as that data type, such as
/// `xs:double`; any other is taken as the JSON number, boolean or string that it spells, or else as text. An empty
/// value is a reading of quality *empty*.
///
/// # Errors
/// Any [`CollectError`] but those of submodels.
pub fn observe_values(
    values: &[(String, String)],
    types: &BTreeMap<String, String>,
    facts: &FactsFile,
    overrides: &FactsFile,
    at: Time,
    now: Time,
) -> Result<Vec<Draft>, CollectError> {
    check_ahead(at, now)?;
    let facts = facts.overlaid(overrides).complete()?;
    let mut paths = BTreeSet::new();
    let mut readings = Vec::new();
    for (path, text) in values {
        if !paths.insert(path) {
            return Err(CollectError::Repeated(path.clone()));
        }
        readings.push(value_reading(path, text, types.get(path), at)?);
    }
    if let Some(path) = types.keys().find(|path| !paths.contains(path)) {
        return Err(CollectError::TypeWithoutValue(path.clone()));
    }
    let drafts = group(readings, &facts)?;
    if drafts.is_empty() {
        return Err(CollectError::Nothing);
    }
    Ok(drafts)
}

fn submodel_facts(submodel: &Submodel, facts: &FactsFile) -> Result<FactsFile, CollectError> {
    if submodel.is_template() {
        return Err(CollectError::Template(submodel.id().to_owned()));
    }
    let mut stated = FactsFile::default();
    if !submodel.id().is_empty() {
        stated.submodel = Some(name(submodel.id())?);
    }
    stated.semantic_id = submodel.semantic_id_value().map(name).transpose()?;
    Ok(facts.overlaid(&stated))
}

fn leaf_reading(leaf: Leaf, at: Time) -> Result<Reading, CollectError> {
    let quality = match &leaf.value {
        None => Quality::Empty,
        Some(json) => missing_json(json).unwrap_or(if leaf.matches_value_type {
            Quality::Good
        } else {
            Quality::Uncertain
        }),
    };
    let is_missing = matches!(quality, Quality::Empty | Quality::Unavailable);
    let value = leaf.value.filter(|_| !is_missing);
    Ok(Reading {
        path: name(&leaf.path)?,
        when: When::Instant { at },
        quality,
        value,
        value_type: leaf.value_type.as_deref().map(name).transpose()?,
        // A unit is a help for people: one that is no name is left out, unlike a value.
        unit: leaf.unit.and_then(|unit| unit.parse().ok()),
        element: None,
        attachment: None,
    })
}

/// Why a reading is uncertain, for people to read.
fn uncertain(reading: &Reading) -> Option<String> {
    let value = reading.value.as_ref()?;
    if reading.quality != Quality::Uncertain {
        return None;
    }
    let shown: String = value.chars().take(VALUE_SHOWN_MAX).collect();
    let mark = if shown.len() < value.len() { "…" } else { "" };
    let reason = match &reading.value_type {
        Some(value_type) => format!("is no {value_type}"),
        None => "is of no type, or has characters that are none of XML".to_owned(),
    };
    Some(format!("`{}`: {shown}{mark} {reason}", reading.path))
}

/// The quality of a value-only form that holds no value: a text that says so, or no text at all.
fn missing_json(json: &str) -> Option<Quality> {
    match serde_json::from_str(json) {
        Ok(serde_json::Value::String(text)) => missing(&text),
        _ => matches!(json, "[]" | "{}").then_some(Quality::Empty),
    }
}

fn value_reading(
    path: &str,
    text: &str,
    value_type: Option<&String>,
    at: Time,
) -> Result<Reading, CollectError> {
    IdShortPath::parse(path).map_err(|source| CollectError::Path {
        path: path.to_owned(),
        source,
    })?;
    let (quality, value) = match (missing(text), value_type) {
        (Some(quality), _) => (quality, None),
        (None, None) => (Quality::Good, Some(spelled(path, text)?)),
        (None, Some(value_type)) => {
            check_characters(path, text)?;
            let value =
                value_only_property(value_type, text).map_err(|source| CollectError::Value {
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
        element: None,
        attachment: None,
    })
}

/// The JSON text that a value spells, else the value as a JSON string.
fn spelled(path: &str, text: &str) -> Result<String, CollectError> {
    use serde_json::Value;
    match serde_json::from_str(text) {
        Ok(Value::Number(_)) if !is_representable(DataTypeDefXsd::Double, text.trim()) => {
            Err(CollectError::Untyped {
                path: path.to_owned(),
                text: text.trim().to_owned(),
            })
        }
        Ok(Value::Number(_) | Value::Bool(_)) => Ok(text.trim().to_owned()),
        Ok(Value::String(spelled)) => {
            check_characters(path, &spelled)?;
            Ok(text.trim().to_owned())
        }
        Ok(Value::Null | Value::Array(_) | Value::Object(_)) | Err(_) => {
            check_characters(path, text)?;
            Ok(Value::from(text).to_string())
        }
    }
}

fn check_characters(path: &str, text: &str) -> Result<(), CollectError> {
    match text.chars().find(|character| !is_xml_character(*character)) {
        Some(character) => Err(CollectError::Character {
            path: path.to_owned(),
            character,
        }),
        None => Ok(()),
    }
}

fn group(readings: Vec<Reading>, facts: &DraftFacts) -> Result<Vec<Draft>, CollectError> {
    let mut grouping = Grouping::new();
    for reading in readings {
        let bytes = block_bytes(&reading).map_err(|TooLarge { bytes }| CollectError::TooLarge {
            path: reading.path.to_string(),
            bytes,
        })?;
        grouping.add((), reading, bytes, || Ok::<_, CollectError>(facts.clone()))?;
    }
    grouping.finish();
    Ok(std::iter::from_fn(|| grouping.next()).collect())
}

fn name(text: &str) -> Result<Name, CollectError> {
    text.parse().map_err(|source| CollectError::Identifier {
        text: text.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests;
