//! What shells and concept descriptions have in common: an identifier, and no child elements (IDTA-01001,
//! `Identifiable`).

/// Makes types of identified objects whose members are all kept as they came.
macro_rules! identifiable_objects {
    ($($(#[$documentation:meta])+ $name:ident $expected:literal [$($member:literal: $shape:expr),*]),+ $(,)?) => {$(
        $(#[$documentation])+
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name {
            members: $crate::members::Members,
        }

        impl $name {
            pub(crate) fn read(
                value: ::serde_json::Value,
                at: &mut $crate::json_path::JsonPath,
            ) -> Result<Self, $crate::shape::ShapeError> {
                use $crate::shape::{self, IDENTIFIABLE, REFERABLE, ShapeError};
                let object = shape::object_of(value, at)?;
                if !shape::has_model_type(&object, stringify!($name)) {
                    let found = object.get("modelType");
                    return Err(
                        at.within_member("modelType", |at| ShapeError::new(at, $expected, found))
                    );
                }
                shape::check_members(&object, REFERABLE, at)?;
                shape::check_members(&object, IDENTIFIABLE, at)?;
                shape::check_members(&object, &[$(($member, $shape)),*], at)?;
                Ok(Self { members: $crate::members::Members::whole(object) })
            }

            /// All members.
            #[must_use]
            pub fn members(&self) -> &$crate::members::Members {
                &self.members
            }

            /// The identifier as written; empty where there is none.
            #[must_use]
            pub fn id(&self) -> &str {
                self.members.text("id").unwrap_or_default()
            }

            /// The name to show beside the identifier, as written.
            #[must_use]
            pub fn id_short(&self) -> Option<&str> {
                self.members.id_short()
            }

            /// The version, and who made it.
            #[must_use]
            pub fn administration(&self) -> Option<$crate::qualifier::AdministrativeInformation> {
                self.members.administration()
            }
        }

        impl TryFrom<::serde_json::Value> for $name {
            type Error = $crate::shape::ShapeError;

            fn try_from(value: ::serde_json::Value) -> Result<Self, Self::Error> {
                let mut at = $crate::json_path::JsonPath::default();
                $crate::json::check_names(&value, &mut at)?;
                Self::read(value, &mut at)
            }
        }

        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                self.members.serialize_with(&[], serializer)
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let value = $crate::json::read(deserializer)?;
                Self::read(value, &mut $crate::json_path::JsonPath::default())
                    .map_err(::serde::de::Error::custom)
            }
        }
    )+};
}
pub(crate) use identifiable_objects;
