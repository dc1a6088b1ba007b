//! The JSON types the metamodel's schema asks for, and the check that an object has them. Only types are checked here,
//! never content: an empty text or a broken constraint is a matter of verification. `null` passes for any member,
//! and members the schema does not know pass whatever they are.

use serde_json::{Map, Value};
use thiserror::Error;

use crate::json_path::JsonPath;

/// The JSON does not have the types of the metamodel's schema, so it cannot be read at all.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("failed to read the AAS JSON: `{path}` should be {expected}, but is {found}")]
pub struct ShapeError {
    path: JsonPath,
    expected: &'static str,
    found: String,
}

impl ShapeError {
    pub(crate) fn new(path: &JsonPath, expected: &'static str, found: Option<&Value>) -> Self {
        let found = match found {
            None => "missing".to_owned(),
            Some(Value::Null) => "null".to_owned(),
            Some(Value::Bool(_)) => "a boolean".to_owned(),
            Some(Value::Number(number)) => format!("the number {number}"),
            Some(Value::String(text)) => format!("the text `{text}`"),
            Some(Value::Array(_)) => "an array".to_owned(),
            Some(Value::Object(_)) => "an object".to_owned(),
        };
        Self {
            path: path.clone(),
            expected,
            found,
        }
    }

    /// Where the value is, or should be.
    #[must_use]
    pub fn path(&self) -> &JsonPath {
        &self.path
    }
}

/// The JSON type of one member.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Shape {
    Text,
    Flag,
    Object(ObjectShape),
    Array(ObjectShape),
}

pub(crate) const ONE_REFERENCE: Shape = Shape::Object(ObjectShape::Reference);
pub(crate) const REFERENCES: Shape = Shape::Array(ObjectShape::Reference);
const LANG_STRINGS: Shape = Shape::Array(ObjectShape::LangString);
const DATA_SPECIFICATIONS: Shape = Shape::Array(ObjectShape::EmbeddedDataSpecification);

/// The kinds of object whose members are read.
#[derive(Debug, Clone, Copy)]
pub(crate) enum ObjectShape {
    Reference,
    Key,
    LangString,
    Qualifier,
    Extension,
    AdministrativeInformation,
    EmbeddedDataSpecification,
    /// Whatever its `modelType` says it is.
    DataSpecificationContent,
    DataSpecificationIec61360,
    ValueList,
    ValueReferencePair,
    LevelType,
    AssetInformation,
    SpecificAssetId,
    Resource,
}

/// What any shell, concept description, submodel and element may have (IDTA-01001, Referable, HasExtensions,
/// HasDataSpecification).
pub(crate) const REFERABLE: &[(&str, Shape)] = &[
    ("idShort", Shape::Text),
    ("category", Shape::Text),
    ("displayName", LANG_STRINGS),
    ("description", LANG_STRINGS),
    ("embeddedDataSpecifications", DATA_SPECIFICATIONS),
    ("extensions", Shape::Array(ObjectShape::Extension)),
];

/// What submodels and elements may have besides (IDTA-01001, HasSemantics, Qualifiable).
pub(crate) const QUALIFIABLE: &[(&str, Shape)] = &[
    ("semanticId", ONE_REFERENCE),
    ("supplementalSemanticIds", REFERENCES),
    ("qualifiers", Shape::Array(ObjectShape::Qualifier)),
];

/// What shells, concept descriptions and submodels have besides (IDTA-01001, Identifiable).
pub(crate) const IDENTIFIABLE: &[(&str, Shape)] = &[
    ("id", Shape::Text),
    (
        "administration",
        Shape::Object(ObjectShape::AdministrativeInformation),
    ),
];

impl ObjectShape {
    fn members(self) -> &'static [(&'static str, Shape)] {
        match self {
            Self::Reference => &[
                ("type", Shape::Text),
                ("keys", Shape::Array(Self::Key)),
                ("referredSemanticId", ONE_REFERENCE),
            ],
            Self::Key => &[("type", Shape::Text), ("value", Shape::Text)],
            Self::LangString => &[("language", Shape::Text), ("text", Shape::Text)],
            Self::Qualifier => &[
                ("type", Shape::Text),
                ("kind", Shape::Text),
                ("valueType", Shape::Text),
                ("value", Shape::Text),
                ("valueId", ONE_REFERENCE),
                ("semanticId", ONE_REFERENCE),
                ("supplementalSemanticIds", REFERENCES),
            ],
            Self::Extension => &[
                ("name", Shape::Text),
                ("valueType", Shape::Text),
                ("value", Shape::Text),
                ("refersTo", REFERENCES),
                ("semanticId", ONE_REFERENCE),
                ("supplementalSemanticIds", REFERENCES),
            ],
            Self::AdministrativeInformation => &[
                ("version", Shape::Text),
                ("revision", Shape::Text),
                ("creator", ONE_REFERENCE),
                ("templateId", Shape::Text),
                ("embeddedDataSpecifications", DATA_SPECIFICATIONS),
            ],
            Self::EmbeddedDataSpecification => &[
                ("dataSpecification", ONE_REFERENCE),
                (
                    "dataSpecificationContent",
                    Shape::Object(Self::DataSpecificationContent),
                ),
            ],
            Self::DataSpecificationIec61360 => &[
                ("preferredName", LANG_STRINGS),
                ("shortName", LANG_STRINGS),
                ("unit", Shape::Text),
                ("unitId", ONE_REFERENCE),
                ("sourceOfDefinition", Shape::Text),
                ("symbol", Shape::Text),
                ("dataType", Shape::Text),
                ("definition", LANG_STRINGS),
                ("valueFormat", Shape::Text),
                ("valueList", Shape::Object(Self::ValueList)),
                ("value", Shape::Text),
                ("levelType", Shape::Object(Self::LevelType)),
            ],
            Self::ValueList => &[(
                "valueReferencePairs",
                Shape::Array(Self::ValueReferencePair),
            )],
            Self::ValueReferencePair => &[("value", Shape::Text), ("valueId", ONE_REFERENCE)],
            Self::LevelType => &[
                ("min", Shape::Flag),
                ("nom", Shape::Flag),
                ("typ", Shape::Flag),
                ("max", Shape::Flag),
            ],
            Self::AssetInformation => &[
                ("assetKind", Shape::Text),
                ("globalAssetId", Shape::Text),
                ("specificAssetIds", Shape::Array(Self::SpecificAssetId)),
                ("assetType", Shape::Text),
                ("defaultThumbnail", Shape::Object(Self::Resource)),
            ],
            Self::SpecificAssetId => &[
                ("name", Shape::Text),
                ("value", Shape::Text),
                ("externalSubjectId", ONE_REFERENCE),
                ("semanticId", ONE_REFERENCE),
                ("supplementalSemanticIds", REFERENCES),
            ],
            Self::Resource => &[("path", Shape::Text), ("contentType", Shape::Text)],
            Self::DataSpecificationContent => &[],
        }
    }

    pub(crate) fn check(self, value: &Value, at: &mut JsonPath) -> Result<(), ShapeError> {
        let Value::Object(object) = value else {
            return Err(ShapeError::new(at, "an object", Some(value)));
        };
        let is_iec61360 = || has_model_type(object, "DataSpecificationIec61360");
        let members = match self {
            Self::DataSpecificationContent if is_iec61360() => {
                Self::DataSpecificationIec61360.members()
            }
            other => other.members(),
        };
        check_members(object, members, at)
    }
}

pub(crate) fn has_model_type(object: &Map<String, Value>, model_type: &str) -> bool {
    object.get("modelType").and_then(Value::as_str) == Some(model_type)
}

/// The object that `value` is.
pub(crate) fn object_of(value: Value, at: &JsonPath) -> Result<Map<String, Value>, ShapeError> {
    match value {
        Value::Object(object) => Ok(object),
        other => Err(ShapeError::new(at, "an object", Some(&other))),
    }
}

/// Takes the array called `name` out of `object`, leaving its place in the order, and reads its items. Absent and null
/// are no items, and stay.
pub(crate) fn take_items<T>(
    object: &mut Map<String, Value>,
    name: &'static str,
    at: &mut JsonPath,
    read: impl Fn(Value, &mut JsonPath) -> Result<T, ShapeError>,
) -> Result<Option<Vec<T>>, ShapeError> {
    let taken = object.get_mut(name).map(Value::take);
    at.within_member(name, |at| match taken {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Array(items)) => items
            .into_iter()
            .enumerate()
            .map(|(index, item)| at.within_index(index, |at| read(item, at)))
            .collect::<Result<Vec<_>, _>>()
            .map(Some),
        Some(other) => Err(ShapeError::new(at, "an array", Some(&other))),
    })
}

pub(crate) fn check_members(
    object: &Map<String, Value>,
    shapes: &[(&str, Shape)],
    at: &mut JsonPath,
) -> Result<(), ShapeError> {
    for (name, shape) in shapes {
        match object.get(*name) {
            None | Some(Value::Null) => {}
            Some(value) => at.within_member(name, |at| check(*shape, value, at))?,
        }
    }
    Ok(())
}

fn check(shape: Shape, value: &Value, at: &mut JsonPath) -> Result<(), ShapeError> {
    match (shape, value) {
        (Shape::Text, Value::String(_)) | (Shape::Flag, Value::Bool(_)) => Ok(()),
        (Shape::Text, other) => Err(ShapeError::new(at, "a text in quotes", Some(other))),
        (Shape::Flag, other) => Err(ShapeError::new(at, "true or false", Some(other))),
        (Shape::Object(object), value) => object.check(value, at),
        (Shape::Array(item), Value::Array(items)) => items
            .iter()
            .enumerate()
            .try_for_each(|(index, value)| at.within_index(index, |at| item.check(value, at))),
        (Shape::Array(_), other) => Err(ShapeError::new(at, "an array", Some(other))),
    }
}
