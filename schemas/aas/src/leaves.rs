//! How a submodel becomes readings: every element that holds a value, with its path. What cannot become a reading is
//! listed too, with the reason, so that nothing goes missing unseen.

use std::collections::HashMap;

use crate::element::SubmodelElement;
use crate::environment::Environment;
use crate::identifier::IdShort;
use crate::objects::last_key_value;
use crate::submodel::Submodel;
use crate::value_form::ValueForm;
use crate::value_only::{own_form, value_only_property};
use crate::whole::Presence;

/// All elements of `submodel` that hold a value, or could, in the order of the file. The elements in a collection, in a
/// list, among the statements of an entity and the annotations of a relationship have their own paths
/// (IDTA-01002, idShortPath); the variables of an operation have none, and their values are patterns, no observations.
#[must_use]
pub fn leaves(submodel: &Submodel) -> Leaves {
    Walk::default().leaves(submodel)
}

/// As [`leaves`]; where an element does not say its unit, that of the concept description in `environment` whose id is
/// the element's semantic id.
#[must_use]
pub fn leaves_in(environment: &Environment, submodel: &Submodel) -> Leaves {
    let mut walk = Walk::default();
    for concept in environment.concept_descriptions() {
        if let Some(unit) = concept.members().unit() {
            walk.units.entry(concept.id()).or_insert(unit);
        }
    }
    walk.leaves(submodel)
}

/// The elements of a submodel that hold values, and those that were passed over.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Leaves {
    /// Elements that hold a value, or could; no two have the same path.
    pub leaves: Vec<Leaf>,
    /// Elements that are no readings, with the reason.
    pub skipped: Vec<Skipped>,
}

/// One element that holds a value, or could.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaf {
    /// The path in the form of [`IdShortPath`](crate::IdShortPath), which reads it.
    pub path: String,
    /// The kind of element, e.g. `Property`.
    pub model_type: String,
    /// The value-only form as compact JSON text, a number as written (`1.5E3` stays so). Of an entity or an annotated
    /// relationship, what it holds itself: its statements or annotations are leaves of their own. `None` is a missing
    /// value: absent or null.
    pub value: Option<String>,
    /// The data type as written, e.g. `xs:double`, for a Property or Range that names one.
    pub value_type: Option<String>,
    /// Whether the value is one of its data type: in the lexical space, and a number that the type can hold. A missing
    /// value is one, and of a kind without data types every value whose texts have no characters but those of XML.
    pub matches_value_type: bool,
    /// The unit, where the element says it (see [`Members::unit`](crate::Members::unit)) or, in an environment, what
    /// the element means.
    pub unit: Option<String>,
    /// The value of the last key of the element's semantic id; in a list, of the list's, where the element has none.
    pub semantic_id: Option<String>,
}

/// An element that is no reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// The path; the position among siblings in parentheses stands for a name that is missing or unusable.
    pub path: String,
    /// The kind of element, as `modelType` names it.
    pub model_type: String,
    /// Why it was passed over.
    pub reason: SkipReason,
}

/// Why an element is no reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SkipReason {
    /// The kind of element has no value: an operation, whose variables are not visited, a capability, or a kind that
    /// is kept whole as JSON.
    Kind,
    /// It has no idShort, or one that cannot stand in a path; its children are not visited.
    NoPath,
    /// Another element has the same path, so neither can be told by it.
    SharedPath,
}

#[derive(Debug, Default)]
struct Walk<'environment> {
    found: Leaves,
    /// The unit of each concept description that names one, by its id.
    units: HashMap<&'environment str, &'environment str>,
}

impl Walk<'_> {
    fn leaves(mut self, submodel: &Submodel) -> Leaves {
        self.visit_named("", submodel.elements());
        self.found.set_aside_shared_paths();
        self.found
    }

    fn visit_named(&mut self, parent: &str, elements: &[SubmodelElement]) {
        for (index, element) in elements.iter().enumerate() {
            match name_path(parent, element, index) {
                Ok(path) => self.visit(element, &path, None),
                Err(path) => {
                    let model_type = element.model_type();
                    self.found.skip(model_type, path, SkipReason::NoPath);
                }
            }
        }
    }

    fn visit(&mut self, element: &SubmodelElement, path: &str, list_meaning: Option<&str>) {
        match element {
            SubmodelElement::SubmodelElementCollection(collection) => {
                self.visit_named(path, collection.value());
            }
            SubmodelElement::SubmodelElementList(list) => {
                let meaning = list.members().member("semanticIdListElement");
                let meaning = meaning.and_then(|meaning| last_key_value(meaning.as_object()?));
                for (index, child) in list.value().iter().enumerate() {
                    self.visit(child, &format!("{path}[{index}]"), meaning);
                }
            }
            SubmodelElement::AnnotatedRelationshipElement(relation) => {
                self.add(element, path, list_meaning);
                self.visit_named(path, relation.annotations());
            }
            SubmodelElement::Entity(entity) => {
                self.add(element, path, list_meaning);
                self.visit_named(path, entity.statements());
            }
            SubmodelElement::Operation(_)
            | SubmodelElement::Capability(_)
            | SubmodelElement::Whole(_) => {
                let model_type = element.model_type();
                self.found
                    .skip(model_type, path.to_owned(), SkipReason::Kind);
            }
            SubmodelElement::Property(_)
            | SubmodelElement::MultiLanguageProperty(_)
            | SubmodelElement::Range(_)
            | SubmodelElement::File(_)
            | SubmodelElement::Blob(_)
            | SubmodelElement::ReferenceElement(_)
            | SubmodelElement::RelationshipElement(_)
            | SubmodelElement::BasicEventElement(_) => self.add(element, path, list_meaning),
        }
    }

    fn add(&mut self, element: &SubmodelElement, path: &str, list_meaning: Option<&str>) {
        let members = element.members();
        let (value_type, lexical) = match element {
            SubmodelElement::Property(property) => (property.value_type(), &["value"][..]),
            SubmodelElement::Range(range) => (range.value_type(), &["min", "max"][..]),
            SubmodelElement::MultiLanguageProperty(_)
            | SubmodelElement::File(_)
            | SubmodelElement::Blob(_)
            | SubmodelElement::ReferenceElement(_)
            | SubmodelElement::RelationshipElement(_)
            | SubmodelElement::AnnotatedRelationshipElement(_)
            | SubmodelElement::SubmodelElementCollection(_)
            | SubmodelElement::SubmodelElementList(_)
            | SubmodelElement::Entity(_)
            | SubmodelElement::Operation(_)
            | SubmodelElement::Capability(_)
            | SubmodelElement::BasicEventElement(_)
            | SubmodelElement::Whole(_) => (None, &[][..]),
        };
        let matches =
            |lexical| value_only_property(value_type.unwrap_or_default(), lexical).is_ok();
        let semantic_id = members.semantic_id_value().or(list_meaning);
        let unit_of_meaning = || semantic_id.and_then(|id| self.units.get(id).copied());
        let unit = members.unit().or_else(unit_of_meaning).map(str::to_owned);
        let form = has_value(element).then(|| own_form(element));
        let has_characters = form.as_ref().is_none_or(ValueForm::is_of_xml_characters);
        self.found.leaves.push(Leaf {
            path: path.to_owned(),
            model_type: element.model_type().to_owned(),
            value: form.map(|form| form.to_string()),
            value_type: value_type.map(str::to_owned),
            matches_value_type: has_characters
                && lexical
                    .iter()
                    .filter_map(|name| members.text(name))
                    .all(matches),
            unit,
            semantic_id: semantic_id.map(str::to_owned),
        });
    }
}

/// Whether any of the members that make up the value is there.
fn has_value(element: &SubmodelElement) -> bool {
    let members: &[&str] = match element {
        SubmodelElement::Property(_)
        | SubmodelElement::MultiLanguageProperty(_)
        | SubmodelElement::File(_)
        | SubmodelElement::Blob(_)
        | SubmodelElement::ReferenceElement(_) => &["value"],
        SubmodelElement::Range(_) => &["min", "max"],
        SubmodelElement::RelationshipElement(_)
        | SubmodelElement::AnnotatedRelationshipElement(_) => &["first", "second"],
        SubmodelElement::Entity(_) => &["entityType", "globalAssetId", "specificAssetIds"],
        SubmodelElement::BasicEventElement(_) => &["observed"],
        SubmodelElement::SubmodelElementCollection(_)
        | SubmodelElement::SubmodelElementList(_)
        | SubmodelElement::Operation(_)
        | SubmodelElement::Capability(_)
        | SubmodelElement::Whole(_) => &[],
    };
    let is_there = |name: &&str| {
        let presence = element.members().presence(name);
        !matches!(presence, Presence::Absent | Presence::Null)
    };
    members.iter().any(is_there)
}

impl Leaves {
    fn skip(&mut self, model_type: &str, path: String, reason: SkipReason) {
        self.skipped.push(Skipped {
            path,
            model_type: model_type.to_owned(),
            reason,
        });
    }

    /// Two values under one path would be indistinguishable readings.
    fn set_aside_shared_paths(&mut self) {
        let mut occurrences: HashMap<String, usize> = HashMap::new();
        for leaf in &self.leaves {
            *occurrences.entry(leaf.path.clone()).or_default() += 1;
        }
        let is_alone = |leaf: &Leaf| occurrences.get(&leaf.path) == Some(&1);
        let (alone, shared) = std::mem::take(&mut self.leaves)
            .into_iter()
            .partition(is_alone);
        self.leaves = alone;
        let shared: Vec<Leaf> = shared;
        for leaf in shared {
            self.skip(&leaf.model_type, leaf.path, SkipReason::SharedPath);
        }
    }
}

/// The path of an element by name; as an error, what stands for the path of an element that has no usable name.
fn name_path(parent: &str, element: &SubmodelElement, index: usize) -> Result<String, String> {
    let separator = if parent.is_empty() { "" } else { "." };
    match element.id_short().map(IdShort::parse) {
        Some(Ok(name)) => Ok(format!("{parent}{separator}{name}")),
        Some(Err(_)) | None => Err(format!("{parent}{separator}({index})")),
    }
}
