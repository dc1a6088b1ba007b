//! What an environment identifies beside submodels: shells and concept descriptions, which have no child elements
//! (IDTA-01001, `Identifiable`). One table: see [`crate::table`].

use crate::objects::{AssetInformation, DataSpecificationIec61360, Reference};

/// Makes types of identified objects whose members are all kept as they came.
macro_rules! identifiable_objects {
    ($($(#[$documentation:meta])+ $name:ident { $($rows:tt)* })+) => {$(
        $(#[$documentation])+
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name {
            members: $crate::members::Members,
        }

        $crate::table::rows! { $name SHAPES $($rows)* }

        impl $name {
            pub(crate) fn read(
                value: ::serde_json::Value,
                at: &mut $crate::json_path::JsonPath,
            ) -> Result<Self, $crate::shape::ShapeError> {
                use $crate::members::{IDENTIFIABLE, Members};
                let expected = concat!("the text `", stringify!($name), "`");
                let object = $crate::shape::object_of_type(value, stringify!($name), expected, at)?;
                for shapes in [Members::REFERABLE, IDENTIFIABLE, Self::SHAPES] {
                    $crate::shape::check_members(&object, shapes, at)?;
                }
                Ok(Self { members: Members::whole(object) })
            }

            fn get(&self, name: &str) -> Option<&::serde_json::Value> {
                self.members.member(name)
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
            pub fn administration(&self) -> Option<$crate::objects::AdministrativeInformation> {
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

identifiable_objects! {
    /// The asset administration shell itself: which asset it is about, and which submodels belong to it. Writing one
    /// yields the JSON it was read from, member for member, in the same order (IDTA-01001,
    /// `AssetAdministrationShell`).
    AssetAdministrationShell {
        /// The shell that this one was made after.
        derived_from: one Reference "derivedFrom",
        /// Which asset the shell is about.
        asset_information: one AssetInformation "assetInformation",
        /// The submodels that belong to the shell.
        submodels: several Reference "submodels",
    }
    /// A dictionary entry that an environment brings along: what a semantic id in it means. Writing one yields the JSON
    /// it was read from, member for member, in the same order (IDTA-01001, `ConceptDescription`).
    ConceptDescription {
        /// The concepts elsewhere that this one is a case of.
        is_case_of: several Reference "isCaseOf",
    }
}

impl ConceptDescription {
    /// The first content that follows IEC 61360.
    #[must_use]
    pub fn iec61360(&self) -> Option<DataSpecificationIec61360> {
        let specifications = self.members.embedded_data_specifications();
        specifications
            .iter()
            .find_map(|specification| specification.iec61360())
    }
}
