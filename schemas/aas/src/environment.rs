//! The environment: what an AAS file holds, shells, submodels and concept descriptions (IDTA-01001, `Environment`).

use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Serialize, Serializer};
use serde_json::Value;

use crate::identifiable::{AssetAdministrationShell, ConceptDescription};
use crate::json;
use crate::json_path::JsonPath;
use crate::members::{Children, Members};
use crate::parse::{ParseError, environment_from_slice};
use crate::shape::{ShapeError, object_of, take_items};
use crate::submodel::Submodel;
use crate::whole::Presence;

/// What an AAS file holds. Writing one yields the JSON it was read from, member for member, in the same order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    members: Members,
    shells: Option<Vec<AssetAdministrationShell>>,
    submodels: Option<Vec<Submodel>>,
    concepts: Option<Vec<ConceptDescription>>,
}

impl Environment {
    /// Reads an environment from a JSON text; a byte order mark before it is passed over.
    ///
    /// # Errors
    /// When the text is not JSON, names a member twice, holds something other than an environment, or has a JSON type
    /// the metamodel's schema does not allow.
    pub fn from_json_str(text: &str) -> Result<Self, ParseError> {
        Self::from_slice(text.as_bytes())
    }

    /// Reads an environment from the bytes of a JSON file in UTF-8.
    ///
    /// # Errors
    /// As [`Environment::from_json_str`], and when the bytes are not UTF-8.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, ParseError> {
        environment_from_slice(bytes)
    }

    pub(crate) fn read(value: Value, at: &mut JsonPath) -> Result<Self, ShapeError> {
        let mut object = object_of(value, at)?;
        if let Some(found) = object.get("modelType") {
            let expected = "absent, as an environment has none";
            return Err(
                at.within_member("modelType", |at| ShapeError::new(at, expected, Some(found)))
            );
        }
        let shells = take_items(
            &mut object,
            "assetAdministrationShells",
            at,
            AssetAdministrationShell::read,
        )?;
        let submodels = take_items(&mut object, "submodels", at, Submodel::read)?;
        let concepts = take_items(
            &mut object,
            "conceptDescriptions",
            at,
            ConceptDescription::read,
        )?;
        let taken = [
            (
                "assetAdministrationShells",
                Presence::of_items(shells.as_deref()),
            ),
            ("submodels", Presence::of_items(submodels.as_deref())),
            (
                "conceptDescriptions",
                Presence::of_items(concepts.as_deref()),
            ),
        ];
        Ok(Self {
            members: Members::without(object, taken),
            shells,
            submodels,
            concepts,
        })
    }

    /// All members but the three that the metamodel knows.
    #[must_use]
    pub fn members(&self) -> &Members {
        &self.members
    }

    /// The shells, in the order in which they came; none where they are absent or null.
    #[must_use]
    pub fn asset_administration_shells(&self) -> &[AssetAdministrationShell] {
        self.shells.as_deref().unwrap_or_default()
    }

    /// The submodels, in the order in which they came; none where they are absent or null.
    #[must_use]
    pub fn submodels(&self) -> &[Submodel] {
        self.submodels.as_deref().unwrap_or_default()
    }

    /// The concept descriptions, in the order in which they came; none where they are absent or null.
    #[must_use]
    pub fn concept_descriptions(&self) -> &[ConceptDescription] {
        self.concepts.as_deref().unwrap_or_default()
    }
}

impl TryFrom<Value> for Environment {
    type Error = ShapeError;

    fn try_from(value: Value) -> Result<Self, Self::Error> {
        let mut at = JsonPath::default();
        json::check_names(&value, &mut at)?;
        Self::read(value, &mut at)
    }
}

impl Serialize for Environment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let children = [
            (
                "assetAdministrationShells",
                Children::Shells(self.asset_administration_shells()),
            ),
            ("submodels", Children::Submodels(self.submodels())),
            (
                "conceptDescriptions",
                Children::Concepts(self.concept_descriptions()),
            ),
        ];
        self.members.serialize_with(&children, serializer)
    }
}

impl<'de> Deserialize<'de> for Environment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = json::read(deserializer)?;
        Self::read(value, &mut JsonPath::default()).map_err(D::Error::custom)
    }
}
