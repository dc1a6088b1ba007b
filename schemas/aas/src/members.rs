//! What every submodel and submodel element has in common: the JSON object it came as, whole and in order.

use serde::ser::{SerializeMap, Serializer};
use serde_json::{Map, Value};

use crate::element::SubmodelElement;
use crate::reference::{LangString, Qualifier, Reference, last_key_value};

/// The members of a submodel or submodel element, all of them, in the order in which they came.
///
/// Where child elements are read into types of their own, their member is found there and not here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Members {
    object: Map<String, Value>,
    /// The member whose place in the order is kept here, but whose elements were taken out.
    taken: Option<&'static str>,
}

impl Members {
    pub(crate) fn whole(object: Map<String, Value>) -> Self {
        Self {
            object,
            taken: None,
        }
    }

    pub(crate) fn without(object: Map<String, Value>, taken: Option<&'static str>) -> Self {
        Self { object, taken }
    }

    /// The member called `name`, known to the metamodel or not. `None` is absent; a `null` is there.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<&Value> {
        if self.taken == Some(name) {
            return None;
        }
        self.object.get(name)
    }

    /// The text of the member called `name`, if it is there and a text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.member(name).and_then(Value::as_str)
    }

    /// The name among siblings, as written.
    #[must_use]
    pub fn id_short(&self) -> Option<&str> {
        self.text("idShort")
    }

    /// What the element means: a reference into a dictionary.
    #[must_use]
    pub fn semantic_id(&self) -> Option<Reference> {
        self.member("semanticId").and_then(Reference::checked)
    }

    /// The value of the last key of the semantic id: the dictionary's own identifier.
    #[must_use]
    pub fn semantic_id_value(&self) -> Option<&str> {
        last_key_value(self.member("semanticId")?.as_object()?)
    }

    /// The names to show, one per language.
    #[must_use]
    pub fn display_name(&self) -> Vec<LangString> {
        self.items("displayName")
            .filter_map(LangString::checked)
            .collect()
    }

    /// The descriptions, one per language.
    #[must_use]
    pub fn description(&self) -> Vec<LangString> {
        self.items("description")
            .filter_map(LangString::checked)
            .collect()
    }

    /// The qualifiers.
    #[must_use]
    pub fn qualifiers(&self) -> Vec<Qualifier> {
        self.items("qualifiers")
            .filter_map(Qualifier::checked)
            .collect()
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

    fn items(&self, name: &str) -> impl Iterator<Item = &Value> {
        self.member(name)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
    }

    /// Writes all members in order, with `elements` where they were taken from.
    pub(crate) fn serialize_with<S: Serializer>(
        &self,
        elements: Option<&[SubmodelElement]>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.object.len()))?;
        for (name, value) in &self.object {
            match elements {
                Some(elements) if self.taken == Some(name.as_str()) => {
                    map.serialize_entry(name, elements)?;
                }
                Some(_) | None => map.serialize_entry(name, value)?,
            }
        }
        map.end()
    }
}
