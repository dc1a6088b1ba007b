//! What shells, concept descriptions, submodels and elements have in common: the JSON object they came as, whole and in
//! order.

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::{Map, Value};

use crate::element::SubmodelElement;
use crate::identifiable::{AssetAdministrationShell, ConceptDescription};
use crate::objects::{
    AdministrativeInformation, EmbeddedDataSpecification, Extension, LangString, Qualifier,
    Reference, last_key_value,
};
use crate::operation::OperationVariable;
use crate::shape::Shape;
use crate::submodel::Submodel;
use crate::table::rows;
use crate::whole::{Presence, Whole};

/// The members of an object, all of them, in the order in which they came.
///
/// Where child elements are read into types of their own, their member is found there and not here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Members {
    object: Map<String, Value>,
    /// The members whose places in the order are kept here, but whose values were taken out.
    taken: Vec<(&'static str, Presence)>,
}

/// What was taken out of an object into types of its own.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(untagged)]
pub(crate) enum Children<'a> {
    Element(&'a SubmodelElement),
    Elements(&'a [SubmodelElement]),
    Variables(&'a [OperationVariable]),
    Shells(&'a [AssetAdministrationShell]),
    Submodels(&'a [Submodel]),
    Concepts(&'a [ConceptDescription]),
}

// What any shell, concept description, submodel and element may have (IDTA-01001, Referable, HasExtensions,
// HasDataSpecification).
rows! {
    Members REFERABLE
    /// The name among siblings, as written.
    id_short: text "idShort",
    /// The category, as written; deprecated since V3.0.
    category: text "category",
    /// The names to show, one per language.
    display_name: several LangString "displayName",
    /// The descriptions, one per language.
    description: several LangString "description",
    /// The data specifications.
    embedded_data_specifications: several EmbeddedDataSpecification "embeddedDataSpecifications",
    /// The proprietary additions.
    extensions: several Extension "extensions",
}

// What submodels and elements may have besides (IDTA-01001, HasSemantics, Qualifiable).
rows! {
    Members QUALIFIABLE
    /// What the element means: a reference into a dictionary.
    semantic_id: one Reference "semanticId",
    /// What else the element means.
    supplemental_semantic_ids: several Reference "supplementalSemanticIds",
    /// The qualifiers.
    qualifiers: several Qualifier "qualifiers",
}

/// What shells, concept descriptions and submodels have besides (IDTA-01001, Identifiable).
pub(crate) const IDENTIFIABLE: &[(&str, Shape)] = &[
    ("id", Shape::Text),
    (
        "administration",
        Shape::Object(<AdministrativeInformation as Whole>::check),
    ),
];

impl Members {
    pub(crate) fn whole(object: Map<String, Value>) -> Self {
        Self::without(object, [])
    }

    /// The members of `object`, whose value was taken out where a name comes with what it was.
    pub(crate) fn without<const N: usize>(
        object: Map<String, Value>,
        taken: [(&'static str, Option<Presence>); N],
    ) -> Self {
        let taken = taken.into_iter();
        let taken = taken.filter_map(|(name, presence)| Some((name, presence?)));
        Self {
            object,
            taken: taken.collect(),
        }
    }

    fn taken(&self, name: &str) -> Option<Presence> {
        let mut taken = self.taken.iter();
        taken.find_map(|(taken, presence)| (*taken == name).then_some(*presence))
    }

    /// The member called `name`, known to the metamodel or not. `None` is absent; a `null` is there.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<&Value> {
        if self.taken(name).is_some() {
            return None;
        }
        self.object.get(name)
    }

    /// Whether the member called `name` is there: absent, null and empty told apart, child elements too.
    #[must_use]
    pub fn presence(&self, name: &str) -> Presence {
        self.taken(name)
            .unwrap_or_else(|| Presence::of(self.object.get(name)))
    }

    /// The text of the member called `name`, if it is there and a text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.member(name).and_then(Value::as_str)
    }

    fn get(&self, name: &str) -> Option<&Value> {
        self.member(name)
    }

    /// The value of the last key of the semantic id: the dictionary's own identifier.
    #[must_use]
    pub fn semantic_id_value(&self) -> Option<&str> {
        last_key_value(self.member("semanticId")?.as_object()?)
    }

    /// The unit of the values, where the element itself says it: the value of a qualifier whose type is `unit` (in any
    /// case, with or without a prefix such as `SMT/`), else the `unit` of an embedded IEC 61360 data specification.
    /// An empty text is no unit.
    #[must_use]
    pub fn unit(&self) -> Option<&str> {
        let qualifier = self.items("qualifiers").find_map(|qualifier| {
            let name = qualifier.get("type")?.as_str()?;
            let name = name.rsplit_once('/').map_or(name, |(_prefix, name)| name);
            let value = qualifier.get("value")?.as_str()?;
            (name.eq_ignore_ascii_case("unit") && !value.is_empty()).then_some(value)
        });
        qualifier.or_else(|| {
            self.items("embeddedDataSpecifications")
                .find_map(|specification| {
                    let unit = specification.get("dataSpecificationContent")?.get("unit")?;
                    unit.as_str().filter(|unit| !unit.is_empty())
                })
        })
    }

    pub(crate) fn administration(&self) -> Option<AdministrativeInformation> {
        let administration = self.member("administration");
        administration.and_then(AdministrativeInformation::checked)
    }

    fn items(&self, name: &str) -> impl Iterator<Item = &Value> {
        self.member(name)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
    }

    /// Writes all members in order, with `children` where they were taken from.
    pub(crate) fn serialize_with<S: Serializer>(
        &self,
        children: &[(&'static str, Children<'_>)],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.object.len()))?;
        for (name, value) in &self.object {
            let child = children.iter().find(|(child, _)| child == name);
            match child.filter(|(child, _)| self.taken(child).is_some()) {
                Some((_, children)) => map.serialize_entry(name, children)?,
                None => map.serialize_entry(name, value)?,
            }
        }
        map.end()
    }
}
