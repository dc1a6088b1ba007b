//! How a submodel becomes readings: every element that holds a value, with its path. What cannot become a reading is
//! listed too, with the reason, so that nothing goes missing unseen.

use std::collections::HashMap;

use crate::element::SubmodelElement;
use crate::identifier::IdShort;
use crate::lexical::lexical_matches;
use crate::reference::last_key_value;
use crate::submodel::Submodel;
use crate::value_only::value_only;

/// All elements of `submodel` without children, in the order of the file.
#[must_use]
pub fn leaves(submodel: &Submodel) -> Leaves {
    let mut found = Leaves::default();
    for (index, element) in submodel.elements().iter().enumerate() {
        found.visit(element, &name_path("", element, index), None);
    }
    found.set_aside_shared_paths();
    found
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
    /// The value-only form as compact JSON text. `None` is a missing value: absent or null.
    pub value: Option<String>,
    /// The data type as written, e.g. `xs:double`, for a Property or Range that names one.
    pub value_type: Option<String>,
    /// Whether the value is in the lexical space of its data type. A missing value and a kind without data types are.
    pub matches_value_type: bool,
    /// The unit, where the element says it: see [`Members::unit`](crate::Members::unit).
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
    /// The kind of element is kept whole as JSON; its children, if any, are not visited.
    Kind,
    /// It has no idShort, or one that cannot stand in a path; its children are not visited.
    NoPath,
    /// Another element has the same path, so neither can be told by it.
    SharedPath,
}

impl Leaves {
    fn visit(
        &mut self,
        element: &SubmodelElement,
        path: &Result<String, String>,
        list_meaning: Option<&str>,
    ) {
        let path = match path {
            Ok(path) => path,
            Err(path) => return self.skip(element.model_type(), path.clone(), SkipReason::NoPath),
        };
        match element {
            SubmodelElement::SubmodelElementCollection(collection) => {
                for (index, child) in collection.value().iter().enumerate() {
                    self.visit(child, &name_path(path, child, index), None);
                }
            }
            SubmodelElement::SubmodelElementList(list) => {
                let meaning = list.members().member("semanticIdListElement");
                let meaning = meaning.and_then(|meaning| last_key_value(meaning.as_object()?));
                for (index, child) in list.value().iter().enumerate() {
                    self.visit(child, &Ok(format!("{path}[{index}]")), meaning);
                }
            }
            SubmodelElement::Whole(whole) => {
                let model_type = whole.members().text("modelType").unwrap_or_default();
                self.skip(model_type, path.clone(), SkipReason::Kind);
            }
            SubmodelElement::Property(_)
            | SubmodelElement::MultiLanguageProperty(_)
            | SubmodelElement::Range(_)
            | SubmodelElement::File(_)
            | SubmodelElement::Blob(_)
            | SubmodelElement::ReferenceElement(_) => {
                self.leaves.push(leaf(element, path, list_meaning))
            }
        }
    }

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

fn leaf(element: &SubmodelElement, path: &str, list_meaning: Option<&str>) -> Leaf {
    let (has_value, value_type, lexical) = match element {
        SubmodelElement::Property(property) => (
            property.value().is_some(),
            property.value_type(),
            vec![property.value()],
        ),
        SubmodelElement::Range(range) => (
            range.min().is_some() || range.max().is_some(),
            range.value_type(),
            vec![range.min(), range.max()],
        ),
        SubmodelElement::MultiLanguageProperty(texts) => (texts.value().is_some(), None, vec![]),
        SubmodelElement::File(file) => (file.value().is_some(), None, vec![]),
        SubmodelElement::Blob(blob) => (blob.value().is_some(), None, vec![]),
        SubmodelElement::ReferenceElement(reference) => (reference.value().is_some(), None, vec![]),
        SubmodelElement::SubmodelElementCollection(_)
        | SubmodelElement::SubmodelElementList(_)
        | SubmodelElement::Whole(_) => (false, None, vec![]),
    };
    let matches = |lexical| lexical_matches(value_type.unwrap_or_default(), lexical);
    Leaf {
        path: path.to_owned(),
        model_type: element.model_type().to_owned(),
        value: has_value.then(|| value_only(element).to_string()),
        value_type: value_type.map(str::to_owned),
        matches_value_type: lexical.into_iter().flatten().all(matches),
        unit: element.members().unit().map(str::to_owned),
        semantic_id: element
            .members()
            .semantic_id_value()
            .or(list_meaning)
            .map(str::to_owned),
    }
}
