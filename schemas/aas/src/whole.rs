//! JSON objects that are kept whole, with typed views of the members the metamodel defines. A view never drops, reorders
//! or respells a member.

use serde_json::{Map, Value};

/// Whether a member is there, and with what: what an `Option` would fold together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// The object has no such member.
    Absent,
    /// The member is `null`.
    Null,
    /// The member is an empty text, an empty array or an object without members.
    Empty,
    /// The member has a value.
    Given,
}

impl Presence {
    pub(crate) fn of(member: Option<&Value>) -> Self {
        match member {
            None => Self::Absent,
            Some(Value::Null) => Self::Null,
            Some(Value::String(text)) if text.is_empty() => Self::Empty,
            Some(Value::Array(items)) if items.is_empty() => Self::Empty,
            Some(Value::Object(object)) if object.is_empty() => Self::Empty,
            Some(_) => Self::Given,
        }
    }

    /// Of an array that was taken out of its object, if it was.
    pub(crate) fn of_items<T>(items: Option<&[T]>) -> Option<Self> {
        items.map(|items| {
            if items.is_empty() {
                Self::Empty
            } else {
                Self::Given
            }
        })
    }
}

/// A type that is a JSON object and nothing else.
pub(crate) trait Whole: Sized {
    fn wrap(object: Map<String, Value>) -> Self;

    /// Wraps an object whose shape was checked with what it belongs to.
    fn checked(value: &Value) -> Option<Self> {
        value.as_object().cloned().map(Self::wrap)
    }
}

pub(crate) fn text<'object>(
    object: &'object Map<String, Value>,
    name: &str,
) -> Option<&'object str> {
    object.get(name).and_then(Value::as_str)
}

pub(crate) fn one<T: Whole>(object: &Map<String, Value>, name: &str) -> Option<T> {
    object.get(name).and_then(T::checked)
}

pub(crate) fn several<T: Whole>(member: Option<&Value>) -> Vec<T> {
    let items = member.and_then(Value::as_array);
    items.into_iter().flatten().filter_map(T::checked).collect()
}

/// Makes types of JSON objects; each has a variant of its name in `ObjectShape`.
macro_rules! whole_objects {
    ($($(#[$documentation:meta])+ $name:ident),+ $(,)?) => {$(
        $(#[$documentation])+
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name {
            object: ::serde_json::Map<String, ::serde_json::Value>,
        }

        impl $name {
            /// The whole object, as it came.
            #[must_use]
            pub fn as_object(&self) -> &::serde_json::Map<String, ::serde_json::Value> {
                &self.object
            }

            /// Whether the member called `name` is there: absent, null and empty told apart.
            #[must_use]
            pub fn presence(&self, name: &str) -> $crate::whole::Presence {
                $crate::whole::Presence::of(self.object.get(name))
            }
        }

        impl $crate::whole::Whole for $name {
            fn wrap(object: ::serde_json::Map<String, ::serde_json::Value>) -> Self {
                Self { object }
            }
        }

        impl TryFrom<::serde_json::Value> for $name {
            type Error = $crate::shape::ShapeError;

            fn try_from(value: ::serde_json::Value) -> Result<Self, Self::Error> {
                let mut at = $crate::json_path::JsonPath::default();
                $crate::json::check_names(&value, &mut at)?;
                $crate::shape::ObjectShape::$name.check(&value, &mut at)?;
                Ok(Self { object: $crate::shape::object_of(value, &at)? })
            }
        }

        impl From<$name> for ::serde_json::Value {
            fn from(whole: $name) -> Self {
                ::serde_json::Value::Object(whole.object)
            }
        }

        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                self.object.serialize(serializer)
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let value = $crate::json::read(deserializer)?;
                Self::try_from(value).map_err(::serde::de::Error::custom)
            }
        }
    )+};
}
pub(crate) use whole_objects;
