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

/// The check of one object.
pub(crate) type Check = fn(&Value, &mut JsonPath) -> Result<(), ShapeError>;

/// The JSON type of one member.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Shape {
    Text,
    Flag,
    Object(Check),
    Array(Check),
}

/// Checks that `value` is an object, and the members of it that have shapes.
pub(crate) fn check_object(
    value: &Value,
    shapes: &[(&str, Shape)],
    at: &mut JsonPath,
) -> Result<(), ShapeError> {
    match value {
        Value::Object(object) => check_members(object, shapes, at),
        other => Err(ShapeError::new(at, "an object", Some(other))),
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

/// The object that `value` is, if its `modelType` is the one that is `expected`.
pub(crate) fn object_of_type(
    value: Value,
    model_type: &str,
    expected: &'static str,
    at: &mut JsonPath,
) -> Result<Map<String, Value>, ShapeError> {
    let object = object_of(value, at)?;
    if has_model_type(&object, model_type) {
        return Ok(object);
    }
    let found = object.get("modelType");
    Err(at.within_member("modelType", |at| ShapeError::new(at, expected, found)))
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
        (Shape::Object(check), value) => check(value, at),
        (Shape::Array(check), Value::Array(items)) => items
            .iter()
            .enumerate()
            .try_for_each(|(index, value)| at.within_index(index, |at| check(value, at))),
        (Shape::Array(_), other) => Err(ShapeError::new(at, "an array", Some(other))),
    }
}
