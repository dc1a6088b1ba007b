//! An entity: a part that has, or could have, an asset administration shell of its own (IDTA-01001).

use serde_json::{Map, Value};

use crate::element::SubmodelElement;
use crate::json_path::JsonPath;
use crate::members::Members;
use crate::shape::{ObjectShape, Shape, ShapeError, check_members, take_items};
use crate::shell::SpecificAssetId;
use crate::whole::{Presence, several};

/// A part and what is stated about it (IDTA-01001, `Entity`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entity {
    members: Members,
    statements: Option<Vec<SubmodelElement>>,
}

const ENTITY_MEMBERS: &[(&str, Shape)] = &[
    ("entityType", Shape::Text),
    ("globalAssetId", Shape::Text),
    (
        "specificAssetIds",
        Shape::Array(ObjectShape::SpecificAssetId),
    ),
];

impl Entity {
    pub(crate) fn read(
        mut object: Map<String, Value>,
        at: &mut JsonPath,
    ) -> Result<Self, ShapeError> {
        check_members(&object, ENTITY_MEMBERS, at)?;
        let statements = take_items(&mut object, "statements", at, SubmodelElement::read)?;
        let members = Members::without(
            object,
            [("statements", Presence::of_items(statements.as_deref()))],
        );
        Ok(Self {
            members,
            statements,
        })
    }

    /// All members but `statements`.
    #[must_use]
    pub fn members(&self) -> &Members {
        &self.members
    }

    /// The statements, in the order in which they came; none where they are absent or null.
    #[must_use]
    pub fn statements(&self) -> &[SubmodelElement] {
        self.statements.as_deref().unwrap_or_default()
    }

    /// `SelfManagedEntity` or `CoManagedEntity`, as written.
    #[must_use]
    pub fn entity_type(&self) -> Option<&str> {
        self.members.text("entityType")
    }

    /// The global identifier of the asset.
    #[must_use]
    pub fn global_asset_id(&self) -> Option<&str> {
        self.members.text("globalAssetId")
    }

    /// The other identifiers of the asset, such as serial numbers.
    #[must_use]
    pub fn specific_asset_ids(&self) -> Vec<SpecificAssetId> {
        several(self.members.member("specificAssetIds"))
    }
}
