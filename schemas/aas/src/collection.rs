//! Elements made of other elements: by name in a collection, by position in a list (IDTA-01001).

use serde_json::{Map, Value};

use crate::element::SubmodelElement;
use crate::json_path::JsonPath;
use crate::members::Members;
use crate::reference::Reference;
use crate::shape::{ONE_REFERENCE, Shape, ShapeError, check_members, take_items};
use crate::whole::Presence;

/// Elements with names (IDTA-01001, `SubmodelElementCollection`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubmodelElementCollection {
    members: Members,
    value: Option<Vec<SubmodelElement>>,
}

impl SubmodelElementCollection {
    pub(crate) fn read(
        mut object: Map<String, Value>,
        at: &mut JsonPath,
    ) -> Result<Self, ShapeError> {
        let value = take_items(&mut object, "value", at, SubmodelElement::read)?;
        let members = Members::without(object, [("value", Presence::of_items(value.as_deref()))]);
        Ok(Self { members, value })
    }

    /// All members but `value`.
    #[must_use]
    pub fn members(&self) -> &Members {
        &self.members
    }

    /// The elements, in the order in which they came; none where `value` is absent or null.
    #[must_use]
    pub fn value(&self) -> &[SubmodelElement] {
        self.value.as_deref().unwrap_or_default()
    }
}

/// Elements of one kind, by position and without names (IDTA-01001, `SubmodelElementList`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubmodelElementList {
    members: Members,
    value: Option<Vec<SubmodelElement>>,
}

const LIST_MEMBERS: &[(&str, Shape)] = &[
    ("orderRelevant", Shape::Flag),
    ("semanticIdListElement", ONE_REFERENCE),
    ("typeValueListElement", Shape::Text),
    ("valueTypeListElement", Shape::Text),
];

impl SubmodelElementList {
    pub(crate) fn read(
        mut object: Map<String, Value>,
        at: &mut JsonPath,
    ) -> Result<Self, ShapeError> {
        check_members(&object, LIST_MEMBERS, at)?;
        let value = take_items(&mut object, "value", at, SubmodelElement::read)?;
        let members = Members::without(object, [("value", Presence::of_items(value.as_deref()))]);
        Ok(Self { members, value })
    }

    /// All members but `value`.
    #[must_use]
    pub fn members(&self) -> &Members {
        &self.members
    }

    /// The elements by position; none where `value` is absent or null.
    #[must_use]
    pub fn value(&self) -> &[SubmodelElement] {
        self.value.as_deref().unwrap_or_default()
    }

    /// Whether the order of the elements means something; without a word on it, it does.
    #[must_use]
    pub fn order_relevant(&self) -> Option<bool> {
        self.members.member("orderRelevant")?.as_bool()
    }

    /// The `modelType` that every element of the list has.
    #[must_use]
    pub fn type_value_list_element(&self) -> Option<&str> {
        self.members.text("typeValueListElement")
    }

    /// The data type that every Property or Range of the list has.
    #[must_use]
    pub fn value_type_list_element(&self) -> Option<&str> {
        self.members.text("valueTypeListElement")
    }

    /// What every element of the list means, if the list says so.
    #[must_use]
    pub fn semantic_id_list_element(&self) -> Option<Reference> {
        self.members.reference("semanticIdListElement")
    }
}
