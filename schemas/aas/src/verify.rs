//! Verification against the constraints of the metamodel (IDTA-01001). It reports and never alters, and what it reports
//! on was read nonetheless: published submodels break these rules.

use std::collections::{BTreeMap, HashSet};

use crate::element::SubmodelElement;
use crate::elements::{Entity, SubmodelElementList};
use crate::finding::{Finding, Rule};
use crate::identifier::{IdShort, IdentifierError};
use crate::lexical::matches_type;
use crate::members::Members;
use crate::objects::{LangString, Qualifier};
use crate::operation::OperationVariable;
use crate::submodel::Submodel;
use crate::value_type::DataTypeDefXsd;
use crate::whole::Presence;

/// All that `submodel` breaks of the rules in [`Rule`], in the order of the file. Statements of entities, annotations of
/// relationships and variables of operations are looked into; elements that are kept whole as JSON are not.
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
    findings.check_named("", submodel.elements(), Rule::IdShortDuplicate);
    findings.0
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

    fn check_named<'element>(
        &mut self,
        parent: &str,
        siblings: impl IntoIterator<Item = &'element SubmodelElement>,
        duplicate: Rule,
    ) {
        let separator = if parent.is_empty() { "" } else { "." };
        let mut names = HashSet::new();
        for (index, element) in siblings.into_iter().enumerate() {
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
                        self.report(&path, duplicate, message);
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
        for qualifier in &qualifiers {
            let name = qualifier.qualifier_type().unwrap_or_default();
            let owner = format!("qualifier `{name}`");
            self.check_lexical(path, &owner, qualifier.value_type(), qualifier.value());
            let kinds = ["ValueQualifier", "ConceptQualifier", "TemplateQualifier"];
            self.check_listed(path, "kind of a qualifier", qualifier.kind(), &kinds);
        }
        for extension in members.extensions() {
            let owner = format!("extension `{}`", extension.name().unwrap_or_default());
            self.check_lexical(path, &owner, extension.value_type(), extension.value());
        }
    }

    fn check_lexical(
        &mut self,
        path: &str,
        owner: &str,
        value_type: Option<&str>,
        value: Option<&str>,
    ) {
        let Some((name, value)) = value_type.zip(value) else {
            return;
        };
        match name.parse::<DataTypeDefXsd>() {
            Ok(value_type) if matches_type(value_type, value) => {}
            Ok(_) => {
                let message = format!("the value `{value}` of the {owner} is no `{name}`");
                self.report(path, Rule::ValueLexical, message);
            }
            Err(_) => {
                let message =
                    format!("the valueType `{name}` of the {owner} is none of the metamodel's");
                self.report(path, Rule::ValueType, message);
            }
        }
    }

    fn check_listed(&mut self, path: &str, member: &str, text: Option<&str>, listed: &[&str]) {
        if let Some(text) = text.filter(|text| !listed.contains(text)) {
            let listed = listed.join("`, `");
            let message = format!("the {member} is `{text}`, and none of `{listed}`");
            self.report(path, Rule::Enumeration, message);
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
                self.check_named(path, collection.value(), Rule::IdShortDuplicate);
            }
            SubmodelElement::AnnotatedRelationshipElement(relation) => {
                self.check_named(path, relation.annotations(), Rule::IdShortDuplicate);
                for annotation in relation.annotations() {
                    let model_type = annotation.model_type();
                    if !is_kind_of(model_type, "DataElement") {
                        let message =
                            format!("an annotation is a `{model_type}`, which is no data element");
                        self.report(path, Rule::AnnotationKind, message);
                    }
                }
            }
            SubmodelElement::Entity(entity) => self.check_entity(path, entity),
            SubmodelElement::Operation(operation) => {
                let values = operation.variables().filter_map(OperationVariable::value);
                self.check_named(path, values, Rule::VariableDuplicate);
            }
            SubmodelElement::BasicEventElement(event) => {
                let directions = ["input", "output"];
                self.check_listed(path, "direction", event.direction(), &directions);
                self.check_listed(path, "state", event.state(), &["on", "off"]);
            }
            SubmodelElement::SubmodelElementList(list) => self.check_list(path, list),
            SubmodelElement::MultiLanguageProperty(texts) => {
                self.check_languages(path, "value", &texts.value().unwrap_or_default());
            }
            SubmodelElement::File(_)
            | SubmodelElement::Blob(_)
            | SubmodelElement::ReferenceElement(_)
            | SubmodelElement::RelationshipElement(_)
            | SubmodelElement::Capability(_)
            | SubmodelElement::Whole(_) => {}
        }
    }

    fn check_entity(&mut self, path: &str, entity: &Entity) {
        let kinds = ["SelfManagedEntity", "CoManagedEntity"];
        self.check_listed(path, "entityType", entity.entity_type(), &kinds);
        let is_given = |name| entity.members().presence(name) == Presence::Given;
        if entity.entity_type() == Some("SelfManagedEntity")
            && !is_given("globalAssetId")
            && !is_given("specificAssetIds")
        {
            let message =
                "a self-managed entity has a globalAssetId or a specificAssetId".to_owned();
            self.report(path, Rule::EntityAsset, message);
        }
        self.check_named(path, entity.statements(), Rule::IdShortDuplicate);
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
