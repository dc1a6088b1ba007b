//! JSON on its way out in which a number keeps the spelling it had as a text. [`Value`] would respell its exponent.

use std::collections::HashMap;
use std::fmt;

use serde_json::{Number, Value};

use crate::lexical::is_xml_character;

/// A value-only form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ValueForm {
    Json(Value),
    /// The text of a JSON number.
    Number(String),
    Array(Vec<ValueForm>),
    /// No name is there twice.
    Object(Vec<(String, ValueForm)>),
}

impl ValueForm {
    pub(crate) const NULL: Self = Self::Json(Value::Null);

    /// The number `lexical` as it is, or a text where JSON has no such number.
    pub(crate) fn number(lexical: &str) -> Self {
        match lexical.parse::<Number>() {
            Ok(_) => Self::Number(lexical.to_owned()),
            Err(_no_json_number) => Self::from(lexical),
        }
    }

    /// The object with these members; of two with one name the later value stands, in the place of the earlier.
    pub(crate) fn object<'name>(members: impl IntoIterator<Item = (&'name str, Self)>) -> Self {
        let mut places = HashMap::new();
        let mut object: Vec<(String, Self)> = Vec::new();
        for (name, form) in members {
            let place = *places.entry(name).or_insert(object.len());
            match object.get_mut(place) {
                Some((_, earlier)) => *earlier = form,
                None => object.push((name.to_owned(), form)),
            }
        }
        Self::Object(object)
    }

    /// Whether all its texts consist of characters of XML (IDTA-01001, constraint AASd-130).
    pub(crate) fn is_of_xml_characters(&self) -> bool {
        fn is_of(value: &Value) -> bool {
            match value {
                Value::String(text) => text.chars().all(is_xml_character),
                Value::Array(items) => items.iter().all(is_of),
                Value::Object(members) => members.values().all(is_of),
                Value::Null | Value::Bool(_) | Value::Number(_) => true,
            }
        }
        match self {
            Self::Json(value) => is_of(value),
            Self::Number(_) => true,
            Self::Array(items) => items.iter().all(Self::is_of_xml_characters),
            Self::Object(members) => members.iter().all(|(_, form)| form.is_of_xml_characters()),
        }
    }

    pub(crate) fn into_value(self) -> Value {
        match self {
            Self::Json(value) => value,
            Self::Number(digits) => digits
                .parse()
                .map_or_else(|_no_json_number| Value::String(digits), Value::Number),
            Self::Array(items) => items.into_iter().map(Self::into_value).collect(),
            Self::Object(members) => {
                let members = members.into_iter();
                Value::Object(
                    members
                        .map(|(name, form)| (name, form.into_value()))
                        .collect(),
                )
            }
        }
    }
}

impl From<&str> for ValueForm {
    fn from(text: &str) -> Self {
        Self::Json(Value::from(text))
    }
}

/// Compact JSON.
impl fmt::Display for ValueForm {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json(value) => write!(formatter, "{value}"),
            Self::Number(digits) => formatter.write_str(digits),
            Self::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    let before = if index == 0 { '[' } else { ',' };
                    write!(formatter, "{before}{item}")?;
                }
                formatter.write_str(if items.is_empty() { "[]" } else { "]" })
            }
            Self::Object(members) => {
                for (index, (name, form)) in members.iter().enumerate() {
                    let before = if index == 0 { '{' } else { ',' };
                    write!(formatter, "{before}{}:{form}", Value::from(name.as_str()))?;
                }
                formatter.write_str(if members.is_empty() { "{}" } else { "}" })
            }
        }
    }
}
