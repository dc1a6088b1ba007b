//! The submodel (IDTA-01001, `Submodel`): an identified set of elements about one aspect of an asset.

use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Serialize, Serializer};
use serde_json::Value;

use crate::element::{SubmodelElement, take_elements};
use crate::identifier::{Identifier, IdentifierError};
use crate::json_path::JsonPath;
use crate::members::Members;
use crate::parse::{ParseError, submodel_from_slice};
use crate::shape::{COMMON, Shape, ShapeError, check_members};

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
    /// [`verify`](crate::verify).
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
        let mut object = match value {
            Value::Object(object) => object,
            other => return Err(ShapeError::new(at, "an object", Some(&other))),
        };
        if object.get("modelType").and_then(Value::as_str) != Some("Submodel") {
            let found = object.get("modelType");
            return Err(at.within_member("modelType", |at| {
                ShapeError::new(at, "the text `Submodel`", found)
            }));
        }
        check_members(&object, COMMON, at)?;
        check_members(&object, &[("id", Shape::Text), ("kind", Shape::Text)], at)?;
        let elements = take_elements(&mut object, "submodelElements", at)?;
        let members = Members::without(object, elements.is_some().then_some("submodelElements"));
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
        Self::read(value, &mut JsonPath::default())
    }
}

impl Serialize for Submodel {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.members
            .serialize_with(self.elements.as_deref(), serializer)
    }
}

impl<'de> Deserialize<'de> for Submodel {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::try_from(Value::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}
