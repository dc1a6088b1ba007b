//! The JSON types the metamodel's schema asks for, and the check that an object has them. Only types are checked here,
//! never content: an empty text or a broken constraint is a matter of verification. `null` passes for any member,
//! and members the schema does not know pass whatever they are.

use serde_json::{Map, Value};
use thiserror::Error;

use crate::json_path::JsonPath;

/// The JSON does not have the types of the metamodel's schema, so it cannot be read at all.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("failed to read an AAS submodel: `{path}` should be {expected}, but is {found}")]
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

/// The kinds of object whose members are read.
#[derive(Debug, Clone, Copy)]
pub(crate) enum ObjectShape {
    Reference,
    Key,
    LangString,
    Qualifier,
    EmbeddedDataSpecification,
    Any,
}

/// What any submodel and submodel element may have (IDTA-01001, Referable, HasSemantics, Qualifiable,
/// HasDataSpecification, HasExtensions).
pub(crate) const COMMON: &[(&str, Shape)] = &[
    ("idShort", Shape::Text),
    ("category", Shape::Text),
    ("displayName", Shape::Array(ObjectShape::LangString)),
    ("description", Shape::Array(ObjectShape::LangString)),
    ("semanticId", Shape::Object(ObjectShape::Reference)),
    (
        "supplementalSemanticIds",
        Shape::Array(ObjectShape::Reference),
    ),
    ("qualifiers", Shape::Array(ObjectShape::Qualifier)),
    (
        "embeddedDataSpecifications",
        Shape::Array(ObjectShape::EmbeddedDataSpecification),
    ),
    ("extensions", Shape::Array(ObjectShape::Any)),
];

impl ObjectShape {
    fn members(self) -> &'static [(&'static str, Shape)] {
        match self {
            Self::Reference => &[
                ("type", Shape::Text),
                ("keys", Shape::Array(Self::Key)),
                ("referredSemanticId", Shape::Object(Self::Reference)),
            ],
            Self::Key => &[("type", Shape::Text), ("value", Shape::Text)],
            Self::LangString => &[("language", Shape::Text), ("text", Shape::Text)],
            Self::Qualifier => &[
                ("type", Shape::Text),
                ("kind", Shape::Text),
                ("valueType", Shape::Text),
                ("value", Shape::Text),
                ("valueId", Shape::Object(Self::Reference)),
                ("semanticId", Shape::Object(Self::Reference)),
            ],
            Self::EmbeddedDataSpecification => &[
                ("dataSpecification", Shape::Object(Self::Reference)),
                ("dataSpecificationContent", Shape::Object(Self::Any)),
            ],
            Self::Any => &[],
        }
    }

    pub(crate) fn check(self, value: &Value, at: &mut JsonPath) -> Result<(), ShapeError> {
        match value {
            Value::Object(object) => check_members(object, self.members(), at),
            other => Err(ShapeError::new(at, "an object", Some(other))),
        }
    }
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
