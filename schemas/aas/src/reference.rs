//! References, language strings and qualifiers: JSON objects kept whole, with accessors for the members the metamodel
//! defines.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::json_path::JsonPath;
use crate::shape::{ObjectShape, ShapeError};

macro_rules! whole_objects {
    ($($(#[$documentation:meta])+ $name:ident),+ $(,)?) => {$(
        $(#[$documentation])+
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(try_from = "Value", into = "Value")]
        pub struct $name {
            object: Map<String, Value>,
        }

        impl $name {
            /// The whole object, as it came.
            #[must_use]
            pub fn as_object(&self) -> &Map<String, Value> {
                &self.object
            }

            /// Wraps an object whose shape was checked with the element it belongs to.
            pub(crate) fn checked(value: &Value) -> Option<Self> {
                value.as_object().cloned().map(|object| Self { object })
            }

            fn text(&self, name: &str) -> Option<&str> {
                self.object.get(name).and_then(Value::as_str)
            }
        }

        impl TryFrom<Value> for $name {
            type Error = ShapeError;

            fn try_from(value: Value) -> Result<Self, Self::Error> {
                let mut at = JsonPath::default();
                ObjectShape::$name.check(&value, &mut at)?;
                match value {
                    Value::Object(object) => Ok(Self { object }),
                    other => Err(ShapeError::new(&at, "an object", Some(&other))),
                }
            }
        }

        impl From<$name> for Value {
            fn from(whole: $name) -> Self {
                Value::Object(whole.object)
            }
        }
    )+};
}

whole_objects! {
    /// A reference to something in or outside an environment: a type and a chain of keys (IDTA-01001, `Reference`).
    Reference,
    /// One key of a [`Reference`] (IDTA-01001, `Key`).
    Key,
    /// A text in one language (IDTA-01001, `AbstractLangString`).
    LangString,
    /// A statement that qualifies an element further (IDTA-01001, `Qualifier`).
    Qualifier,
}

impl Reference {
    /// `ExternalReference` or `ModelReference`, as written.
    #[must_use]
    pub fn reference_type(&self) -> Option<&str> {
        self.text("type")
    }

    /// The keys, outermost first.
    #[must_use]
    pub fn keys(&self) -> Vec<Key> {
        let keys = self.object.get("keys").and_then(Value::as_array);
        keys.into_iter()
            .flatten()
            .filter_map(Key::checked)
            .collect()
    }

    /// The value of the last key: what the reference finally names.
    #[must_use]
    pub fn last_key_value(&self) -> Option<&str> {
        last_key_value(&self.object)
    }
}

/// The value of the last key of a reference, without copying it.
pub(crate) fn last_key_value(reference: &Map<String, Value>) -> Option<&str> {
    reference
        .get("keys")?
        .as_array()?
        .last()?
        .get("value")?
        .as_str()
}

impl Key {
    /// The type of what the key names, e.g. `GlobalReference` or `Submodel`, as written.
    #[must_use]
    pub fn key_type(&self) -> Option<&str> {
        self.text("type")
    }

    /// The identifier, idShort or position the key names.
    #[must_use]
    pub fn value(&self) -> Option<&str> {
        self.text("value")
    }
}

impl LangString {
    /// The language tag (BCP 47), as written.
    #[must_use]
    pub fn language(&self) -> Option<&str> {
        self.text("language")
    }

    /// The text.
    #[must_use]
    pub fn content(&self) -> Option<&str> {
        self.text("text")
    }
}

impl Qualifier {
    /// The name of the statement, its `type`.
    #[must_use]
    pub fn qualifier_type(&self) -> Option<&str> {
        self.text("type")
    }

    /// The name of the value's data type, e.g. `xs:string`, as written.
    #[must_use]
    pub fn value_type(&self) -> Option<&str> {
        self.text("valueType")
    }

    /// The value in its lexical form.
    #[must_use]
    pub fn value(&self) -> Option<&str> {
        self.text("value")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_keeps_what_it_does_not_know() {
        let text = r#"{"keys":[{"value":"a","type":"Submodel","x":1.50},{"type":"Property","value":"b"}],"type":"ModelReference","y":null}"#;
        let reference: Reference = serde_json::from_str(text).unwrap();
        assert_eq!(reference.reference_type(), Some("ModelReference"));
        assert_eq!(reference.keys()[0].key_type(), Some("Submodel"));
        assert_eq!(reference.keys()[1].value(), Some("b"));
        assert_eq!(reference.last_key_value(), Some("b"));
        assert_eq!(serde_json::to_string(&reference).unwrap(), text);
    }

    #[test]
    fn a_wrong_json_type_is_refused_with_its_path() {
        let error = serde_json::from_str::<Reference>(r#"{"keys":[{"value":7}]}"#).unwrap_err();
        assert!(
            error
                .to_string()
                .contains("`$.keys[0].value` should be a text in quotes, but is the number 7"),
            "{error}"
        );
    }
}
