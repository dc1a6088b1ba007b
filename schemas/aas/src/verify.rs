//! Verification against the constraints of the metamodel (IDTA-01001). It reports and never alters, and what it reports
//! on was read nonetheless: published submodels break these rules.

use std::collections::{BTreeMap, HashSet};
use std::fmt;

use crate::element::{SubmodelElement, SubmodelElementList};
use crate::identifier::{IdShort, IdentifierError};
use crate::lexical::matches_type;
use crate::members::Members;
use crate::reference::{LangString, Qualifier};
use crate::submodel::Submodel;
use crate::value_type::DataTypeDefXsd;

/// All that `submodel` breaks of the rules in [`Rule`], in the order of the file. What lies inside elements that are kept
/// whole as JSON is not looked into.
#[must_use]
pub fn verify(submodel: &Submodel) -> Vec<Finding> {
    let mut findings = Findings::default();
    match submodel.identifier() {
        Ok(_) => {}
        Err(IdentifierError::Empty) => {
            findings.report(
                "",
                Rule::IdMissing,
                "the submodel has no id, or an empty one".to_owned(),
            );
        }
        Err(IdentifierError::TooLong { characters }) => {
            let message =
                format!("the id has {characters} characters, and at most 2048 are allowed");
            findings.report("", Rule::IdTooLong, message);
        }
    }
    if let Some(id_short) = submodel.id_short() {
        findings.check_pattern("", id_short);
    }
    findings.check_texts_and_qualifiers("", submodel.members());
    findings.check_named("", submodel.elements());
    findings.0
}

/// One broken rule at one element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The path of the element, empty for the submodel itself. The position among siblings in parentheses stands for a
    /// missing name.
    pub path: String,
    /// The rule.
    pub rule: Rule,
    /// What is wrong, for people.
    pub message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = if self.path.is_empty() {
            "submodel"
        } else {
            &self.path
        };
        write!(formatter, "{path}: {} ({})", self.message, self.rule)
    }
}

/// The rules that verification knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// An Identifiable has an id, and it is not empty (`Identifiable/id`).
    IdMissing,
    /// An id has at most 2,048 characters (`Identifier`).
    IdTooLong,
    /// An idShort follows the pattern of V3.1 (AASd-002).
    IdShortPattern,
    /// An element outside a list has an idShort (AASd-117).
    IdShortMissing,
    /// Siblings have different idShorts (AASd-022).
    IdShortDuplicate,
    /// An element directly in a list has no idShort (AASd-120).
    IdShortInList,
    /// A Property or Range has a value type, and it is one of the metamodel's (`DataTypeDefXsd`).
    ValueType,
    /// A value is in the lexical space of its value type (AASd-020).
    ValueLexical,
    /// A name, description or value has one text per language (`MultiLanguageTextType`).
    LanguageDuplicate,
    /// An element has one qualifier per type (AASd-021).
    QualifierDuplicate,
    /// The elements of a list mean what it says they do, if they say anything (AASd-107).
    ListSemanticId,
    /// The elements of a list are of the kind it names (AASd-108).
    ListElementType,
    /// The properties and ranges of a list have the value type it names (AASd-109).
    ListValueType,
}

impl Rule {
    /// The short name: that of the constraint where the metamodel numbers it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::IdMissing => "id-missing",
            Self::IdTooLong => "id-too-long",
            Self::IdShortPattern => "AASd-002",
            Self::IdShortMissing => "AASd-117",
            Self::IdShortDuplicate => "AASd-022",
            Self::IdShortInList => "AASd-120",
            Self::ValueType => "value-type",
            Self::ValueLexical => "AASd-020",
            Self::LanguageDuplicate => "language-duplicate",
            Self::QualifierDuplicate => "AASd-021",
            Self::ListSemanticId => "AASd-107",
            Self::ListElementType => "AASd-108",
            Self::ListValueType => "AASd-109",
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn report(&mut self, path: &str, rule: Rule, message: String) {
        self.0.push(Finding {
            path: path.to_owned(),
            rule,
            message,
        });
    }

    fn check_pattern(&mut self, path: &str, id_short: &str) {
        if !IdShort::matches_pattern(id_short) {
            let message = format!(
                "the idShort `{id_short}` is not a letter followed by letters, digits, `_` or `-`, two characters at \
                 least, 128 at most, not ending in `-`"
            );
            self.report(path, Rule::IdShortPattern, message);
        }
    }

    fn check_named(&mut self, parent: &str, siblings: &[SubmodelElement]) {
        let separator = if parent.is_empty() { "" } else { "." };
        let mut names = HashSet::new();
        for (index, element) in siblings.iter().enumerate() {
            let path = match element.id_short() {
                Some(name) if !name.is_empty() => format!("{parent}{separator}{name}"),
                Some(_) | None => format!("{parent}{separator}({index})"),
            };
            match element.id_short() {
                None => self.report(
                    &path,
                    Rule::IdShortMissing,
                    "the element has no idShort".to_owned(),
                ),
                Some(name) => {
                    self.check_pattern(&path, name);
                    if !names.insert(name) {
                        let message =
                            format!("another element beside it has the idShort `{name}` too");
                        self.report(&path, Rule::IdShortDuplicate, message);
                    }
                }
            }
            self.check_element(&path, element);
        }
    }

    fn check_texts_and_qualifiers(&mut self, path: &str, members: &Members) {
        self.check_languages(path, "displayName", &members.display_name());
        self.check_languages(path, "description", &members.description());
        let qualifiers = members.qualifiers();
        let types = qualifiers.iter().filter_map(Qualifier::qualifier_type);
        for repeated in repeated(types) {
            let message = format!("the element has more than one qualifier of type `{repeated}`");
            self.report(path, Rule::QualifierDuplicate, message);
        }
    }

    fn check_languages(&mut self, path: &str, member: &str, texts: &[LangString]) {
        for repeated in repeated(texts.iter().filter_map(LangString::language)) {
            let message = format!("the {member} has more than one text in `{repeated}`");
            self.report(path, Rule::LanguageDuplicate, message);
        }
    }

    fn check_element(&mut self, path: &str, element: &SubmodelElement) {
        self.check_texts_and_qualifiers(path, element.members());
        match element {
            SubmodelElement::Property(property) => {
                self.check_values(path, property.value_type(), &[("value", property.value())]);
            }
            SubmodelElement::Range(range) => {
                self.check_values(
                    path,
                    range.value_type(),
                    &[("min", range.min()), ("max", range.max())],
                );
            }
            SubmodelElement::SubmodelElementCollection(collection) => {
                self.check_named(path, collection.value())
            }
            SubmodelElement::SubmodelElementList(list) => self.check_list(path, list),
            SubmodelElement::MultiLanguageProperty(texts) => {
                self.check_languages(path, "value", &texts.value().unwrap_or_default());
            }
            SubmodelElement::File(_)
            | SubmodelElement::Blob(_)
            | SubmodelElement::ReferenceElement(_)
            | SubmodelElement::Whole(_) => {}
        }
    }

    fn check_values(
        &mut self,
        path: &str,
        value_type: Option<&str>,
        values: &[(&str, Option<&str>)],
    ) {
        let Some(value_type) = value_type else {
            return self.report(
                path,
                Rule::ValueType,
                "the element has no valueType".to_owned(),
            );
        };
        let value_type: DataTypeDefXsd = match value_type.parse() {
            Ok(value_type) => value_type,
            Err(_) => {
                let message = format!(
                    "the valueType `{value_type}` is none of the metamodel's, which are written like `xs:double`"
                );
                return self.report(path, Rule::ValueType, message);
            }
        };
        for (member, value) in values {
            if let Some(value) = value.filter(|value| !matches_type(value_type, value)) {
                let message = format!("the {member} `{value}` is no `{value_type}`");
                self.report(path, Rule::ValueLexical, message);
            }
        }
    }

    fn check_list(&mut self, path: &str, list: &SubmodelElementList) {
        let element_type = list.type_value_list_element();
        if matches!(element_type, Some("Property" | "Range"))
            && list.value_type_list_element().is_none()
        {
            let message =
                "a list of properties or ranges names their valueTypeListElement".to_owned();
            self.report(path, Rule::ListValueType, message);
        }
        for (index, element) in list.value().iter().enumerate() {
            let path = format!("{path}[{index}]");
            if let Some(id_short) = element.id_short() {
                let message = format!(
                    "an element of a list has the idShort `{id_short}`; its position is its name"
                );
                self.report(&path, Rule::IdShortInList, message);
            }
            let meaning = element.members().semantic_id();
            if let (Some(named), Some(meaning)) = (list.semantic_id_list_element(), meaning)
                && named.keys() != meaning.keys()
            {
                let message =
                    "the semanticId differs from the list's semanticIdListElement".to_owned();
                self.report(&path, Rule::ListSemanticId, message);
            }
            let model_type = element.model_type();
            if let Some(named) = element_type.filter(|named| !is_kind_of(model_type, named)) {
                let message =
                    format!("the element is a `{model_type}`, and the list is of `{named}`");
                self.report(&path, Rule::ListElementType, message);
            }
            let value_type = element.members().text("valueType");
            if let (Some(named), Some(value_type)) = (list.value_type_list_element(), value_type)
                && matches!(model_type, "Property" | "Range")
                && named != value_type
            {
                let message =
                    format!("the valueType is `{value_type}`, and the list is of `{named}`");
                self.report(&path, Rule::ListValueType, message);
            }
            self.check_element(&path, element);
        }
    }
}

/// What occurs more than once, once each.
fn repeated<'text>(texts: impl Iterator<Item = &'text str>) -> Vec<&'text str> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for text in texts {
        *counts.entry(text).or_default() += 1;
    }
    let repeated = counts.into_iter().filter(|(_, count)| *count > 1);
    repeated.map(|(text, _)| text).collect()
}

/// Whether an element with this `modelType` may be in a list of `named`, which may be an abstract kind
/// (IDTA-01001, `AasSubmodelElements`).
fn is_kind_of(model_type: &str, named: &str) -> bool {
    match named {
        "SubmodelElement" => true,
        "DataElement" => matches!(
            model_type,
            "Blob" | "File" | "MultiLanguageProperty" | "Property" | "Range" | "ReferenceElement"
        ),
        "EventElement" => model_type == "BasicEventElement",
        "RelationshipElement" => matches!(
            model_type,
            "RelationshipElement" | "AnnotatedRelationshipElement"
        ),
        named => model_type == named,
    }
}
