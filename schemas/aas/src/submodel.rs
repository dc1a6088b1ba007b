//! The submodel (IDTA-01001, `Submodel`): an identified set of elements about one aspect of an asset.

use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Serialize, Serializer};
use serde_json::Value;

use crate::element::SubmodelElement;
use crate::identifier::{Identifier, IdentifierError};
use crate::json;
use crate::json_path::JsonPath;
use crate::members::{Children, IDENTIFIABLE, Members};
use crate::objects::AdministrativeInformation;
use crate::parse::{ParseError, submodel_from_slice};
use crate::shape::{Shape, ShapeError, check_members, object_of_type, take_items};
use crate::whole::Presence;

/// A submodel. Writing one yields the JSON it was read from, member for member, in the same order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submodel {
    members: Members,
    elements: Option<Vec<SubmodelElement>>,
}

impl Submodel {
    /// Reads one submodel from a JSON text; a byte order mark before it is passed over.
    ///
    /// # Errors
    /// When the text is not JSON, names a member twice, holds something other than one submodel (an environment, for
    /// one), or has a JSON type the metamodel's schema does not allow. Constraints are not checked: see
    /// [`verify`](crate::verify()).
    pub fn from_json_str(text: &str) -> Result<Self, ParseError> {
        Self::from_slice(text.as_bytes())
    }

    /// Reads one submodel from the bytes of a JSON file in UTF-8.
    ///
    /// # Errors
    /// As [`Submodel::from_json_str`], and when the bytes are not UTF-8.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, ParseError> {
        submodel_from_slice(bytes)
    }

    pub(crate) fn read(value: Value, at: &mut JsonPath) -> Result<Self, ShapeError> {
        let mut object = object_of_type(value, "Submodel", "the text `Submodel`", at)?;
        for shapes in [
            Members::REFERABLE,
            Members::QUALIFIABLE,
            IDENTIFIABLE,
            &[("kind", Shape::Text)],
        ] {
            check_members(&object, shapes, at)?;
        }
        let elements = take_items(&mut object, "submodelElements", at, SubmodelElement::read)?;
        let members = Members::without(
            object,
            [("submodelElements", Presence::of_items(elements.as_deref()))],
        );
        Ok(Self { members, elements })
    }

    /// All members but the elements.
    #[must_use]
    pub fn members(&self) -> &Members {
        &self.members
    }

    /// The identifier as written; empty where there is none.
    #[must_use]
    pub fn id(&self) -> &str {
        self.members.text("id").unwrap_or_default()
    }

    /// The identifier.
    ///
    /// # Errors
    /// When it is missing, empty or too long.
    pub fn identifier(&self) -> Result<Identifier, IdentifierError> {
        Identifier::parse(self.id())
    }

    /// The name to address the submodel by in its environment, as written.
    #[must_use]
    pub fn id_short(&self) -> Option<&str> {
        self.members.id_short()
    }

    /// The value of the last key of the semantic id: which submodel template this one follows.
    #[must_use]
    pub fn semantic_id_value(&self) -> Option<&str> {
        self.members.semantic_id_value()
    }

    /// The version, and who made it.
    #[must_use]
    pub fn administration(&self) -> Option<AdministrativeInformation> {
        self.members.administration()
    }

    /// Whether this is a template (`kind` is `Template`), whose values are examples and no observations.
    #[must_use]
    pub fn is_template(&self) -> bool {
        self.members.text("kind") == Some("Template")
    }

    /// The elements, in the order in which they came.
    #[must_use]
    pub fn elements(&self) -> &[SubmodelElement] {
        self.elements.as_deref().unwrap_or_default()
    }
}

impl TryFrom<Value> for Submodel {
    type Error = ShapeError;

    fn try_from(value: Value) -> Result<Self, Self::Error> {
        let mut at = JsonPath::default();
        json::check_names(&value, &mut at)?;
        Self::read(value, &mut at)
    }
}

impl Serialize for Submodel {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let elements = Children::Elements(self.elements());
        self.members
            .serialize_with(&[("submodelElements", elements)], serializer)
    }
}

impl<'de> Deserialize<'de> for Submodel {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = json::read(deserializer)?;
        Self::read(value, &mut JsonPath::default()).map_err(D::Error::custom)
    }
}
