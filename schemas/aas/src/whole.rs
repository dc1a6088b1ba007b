//! JSON objects that are kept whole, with typed views of the members the metamodel defines. A view never drops, reorders
//! or respells a member.

use serde_json::{Map, Value};

use crate::json_path::JsonPath;
use crate::shape::{Shape, ShapeError, check_object};

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
    /// The JSON types of the members that the metamodel defines.
    const SHAPES: &'static [(&'static str, Shape)];

    fn wrap(object: Map<String, Value>) -> Self;

    /// Wraps an object whose shape was checked with what it belongs to.
    fn checked(value: &Value) -> Option<Self> {
        value.as_object().cloned().map(Self::wrap)
    }

    fn check(value: &Value, at: &mut JsonPath) -> Result<(), ShapeError> {
        check_object(value, Self::SHAPES, at)
    }
}

/// The items of an array whose shape was checked; none where the member is absent or null.
pub(crate) fn several<T: Whole>(member: Option<&Value>) -> Option<Vec<T>> {
    let items = member?.as_array()?;
    Some(items.iter().filter_map(T::checked).collect())
}

/// Makes types of JSON objects from tables of their members: see [`crate::table`].
macro_rules! whole_objects {
    ($($(#[$documentation:meta])+ $name:ident { $($rows:tt)* })+) => {$(
        $(#[$documentation])+
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name {
            object: ::serde_json::Map<String, ::serde_json::Value>,
        }

        $crate::table::rows! { $name SHAPES $($rows)* }

        impl $name {
            fn get(&self, name: &str) -> Option<&::serde_json::Value> {
                self.object.get(name)
            }

            /// The whole object, as it came.
            #[must_use]
            pub fn as_object(&self) -> &::serde_json::Map<String, ::serde_json::Value> {
                &self.object
            }

            /// Whether the member called `name` is there: absent, null and empty told apart.
            #[must_use]
            pub fn presence(&self, name: &str) -> $crate::whole::Presence {
                $crate::whole::Presence::of(self.get(name))
            }
        }

        impl $crate::whole::Whole for $name {
            const SHAPES: &'static [(&'static str, $crate::shape::Shape)] = Self::SHAPES;

            fn wrap(object: ::serde_json::Map<String, ::serde_json::Value>) -> Self {
                Self { object }
            }
        }

        impl TryFrom<::serde_json::Value> for $name {
            type Error = $crate::shape::ShapeError;

            fn try_from(value: ::serde_json::Value) -> Result<Self, Self::Error> {
                let mut at = $crate::json_path::JsonPath::default();
                $crate::json::check_names(&value, &mut at)?;
                <Self as $crate::whole::Whole>::check(&value, &mut at)?;
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
