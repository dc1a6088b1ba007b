//! The value-only form of submodels and elements (IDTA-01002, "ValueOnly-Serialization in JSON"). A missing value is
//! `null`, and a value that is not what its type says stays the text it is: neither ever becomes a number.

use serde_json::Value;
use thiserror::Error;

use crate::element::SubmodelElement;
use crate::lexical::{is_representable, matches_type};
use crate::members::Members;
use crate::objects::LangString;
use crate::submodel::Submodel;
use crate::value_form::ValueForm;
use crate::value_type::{DataTypeDefXsd, DataTypeDefXsdError};
use crate::whole::Presence;

/// The value-only form of one element, without its name:
///
/// * Property: a number, boolean or text by its `valueType`; a missing value is `null`
/// * MultiLanguageProperty: an array of `{language: text}`; a missing value is `null`
/// * Range: `{min, max}`, without an absent bound
/// * File, Blob: `{contentType, value}`, without what is absent
/// * ReferenceElement: the reference object, or `null`
/// * SubmodelElementCollection: an object by idShort; SubmodelElementList: an array
/// * RelationshipElement: `{first, second}`, AnnotatedRelationshipElement with `annotations` besides; Entity:
///   `{statements, entityType, globalAssetId, specificAssetIds}`; BasicEventElement: `{observed}`
///
/// Capability, Operation and unknown kinds have no value-only form: `null` here, left out of a collection.
#[must_use]
pub fn value_only(element: &SubmodelElement) -> Value {
    form(element).into_value()
}

/// The value-only form of one element as compact JSON text. Where [`value_only`] respells the exponent of a number
/// (`1.5E3` as `1.5e+3`), the text has it as written.
#[must_use]
pub fn value_only_text(element: &SubmodelElement) -> String {
    form(element).to_string()
}

/// The value-only form of a submodel: an object by idShort. Elements without an idShort cannot be named in it and are
/// left out; [`verify`](crate::verify()) reports them.
#[must_use]
pub fn submodel_value_only(submodel: &Submodel) -> Value {
    by_name(submodel.elements()).into_value()
}

/// The value-only form of a submodel as compact JSON text, with every number as written: see [`value_only_text`].
#[must_use]
pub fn submodel_value_only_text(submodel: &Submodel) -> String {
    by_name(submodel.elements()).to_string()
}

/// The value-only form of a Property value from its lexical form: a JSON number with the very digits given where JSON
/// permits them (`373.320060` stays so, an exponent is written like `e+5`), a boolean for `xs:boolean`, else a string.
/// JSON permits no `INF`, `NaN`, leading `+`, leading zeros or bare decimal point; such numbers are strings too, so
/// that no digit is lost.
///
/// # Errors
/// When the value type is none of the metamodel's, or the text is not in its lexical space, or is a number that it cannot
/// hold.
pub fn value_only_property(value_type: &str, lexical: &str) -> Result<Value, ValueOnlyError> {
    property_form(value_type, lexical).map(ValueForm::into_value)
}

/// Why a text has no value-only form.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ValueOnlyError {
    /// The value type is unknown.
    #[error("failed to write the value-only form: the value type is unknown")]
    ValueType(#[from] DataTypeDefXsdError),
    /// The text is not a value of that type.
    #[error("failed to write the value-only form: `{lexical}` is no `{value_type}`")]
    Lexical {
        /// The declared type.
        value_type: DataTypeDefXsd,
        /// The text.
        lexical: String,
    },
    /// The number would become infinite, or zero.
    #[error(
        "failed to write the value-only form: `{lexical}` is beyond what `{value_type}` holds; `xs:decimal` and `xs:string` have no bounds"
    )]
    Range {
        /// The declared type.
        value_type: DataTypeDefXsd,
        /// The text.
        lexical: String,
    },
}

fn form(element: &SubmodelElement) -> ValueForm {
    match element {
        SubmodelElement::SubmodelElementCollection(collection) => by_name(collection.value()),
        SubmodelElement::SubmodelElementList(list) => {
            ValueForm::Array(list.value().iter().map(form).collect())
        }
        SubmodelElement::AnnotatedRelationshipElement(relation) => {
            let presence = relation.members().presence("annotations");
            let annotations = || relation.annotations().chunks(1).map(by_name).collect();
            let annotations = (!matches!(presence, Presence::Absent | Presence::Null))
                .then(|| ValueForm::Array(annotations()));
            let mut members = related(element.members());
            members.extend(annotations.map(|form| ("annotations", form)));
            ValueForm::object(members)
        }
        SubmodelElement::Entity(entity) => {
            let mut members = vec![("statements", by_name(entity.statements()))];
            members.extend(asset(element.members()));
            ValueForm::object(members)
        }
        SubmodelElement::Property(_)
        | SubmodelElement::MultiLanguageProperty(_)
        | SubmodelElement::Range(_)
        | SubmodelElement::File(_)
        | SubmodelElement::Blob(_)
        | SubmodelElement::ReferenceElement(_)
        | SubmodelElement::RelationshipElement(_)
        | SubmodelElement::Operation(_)
        | SubmodelElement::Capability(_)
        | SubmodelElement::BasicEventElement(_)
        | SubmodelElement::Whole(_) => own_form(element),
    }
}

/// The value-only form of what the element holds itself, without its child elements.
pub(crate) fn own_form(element: &SubmodelElement) -> ValueForm {
    match element {
        SubmodelElement::Property(property) => property.value().map_or(ValueForm::NULL, |value| {
            typed_form(property.value_type(), value)
        }),
        SubmodelElement::MultiLanguageProperty(texts) => {
            texts.value().map_or(ValueForm::NULL, |texts| {
                ValueForm::Array(texts.iter().map(text_by_language).collect())
            })
        }
        SubmodelElement::Range(range) => {
            let bounds = [("min", range.min()), ("max", range.max())];
            ValueForm::object(
                bounds.into_iter().filter_map(|(name, bound)| {
                    Some((name, typed_form(range.value_type(), bound?)))
                }),
            )
        }
        SubmodelElement::File(_) | SubmodelElement::Blob(_) => {
            let members = element.members();
            let texts = ["contentType", "value"]
                .into_iter()
                .filter_map(|name| Some((name, ValueForm::from(members.text(name)?))));
            ValueForm::object(texts)
        }
        SubmodelElement::ReferenceElement(element) => element
            .value()
            .map_or(ValueForm::NULL, |value| ValueForm::Json(value.into())),
        SubmodelElement::RelationshipElement(_)
        | SubmodelElement::AnnotatedRelationshipElement(_) => {
            ValueForm::object(related(element.members()))
        }
        SubmodelElement::Entity(_) => ValueForm::object(asset(element.members())),
        SubmodelElement::BasicEventElement(_) => {
            ValueForm::object(copies(element.members(), &["observed"]))
        }
        SubmodelElement::SubmodelElementCollection(_)
        | SubmodelElement::SubmodelElementList(_)
        | SubmodelElement::Operation(_)
        | SubmodelElement::Capability(_)
        | SubmodelElement::Whole(_) => ValueForm::NULL,
    }
}

fn related(members: &Members) -> Vec<(&'static str, ValueForm)> {
    copies(members, &["first", "second"])
}

fn asset(members: &Members) -> Vec<(&'static str, ValueForm)> {
    copies(
        members,
        &["entityType", "globalAssetId", "specificAssetIds"],
    )
}

/// The members called `names` as they are, without what is absent or null.
fn copies(members: &Members, names: &[&'static str]) -> Vec<(&'static str, ValueForm)> {
    let given = names.iter().filter_map(|name| {
        let value = members.member(name).filter(|value| !value.is_null())?;
        Some((*name, ValueForm::Json(value.clone())))
    });
    given.collect()
}

fn typed_form(value_type: Option<&str>, lexical: &str) -> ValueForm {
    property_form(value_type.unwrap_or_default(), lexical)
        .unwrap_or_else(|_refused| ValueForm::from(lexical))
}

fn property_form(value_type: &str, lexical: &str) -> Result<ValueForm, ValueOnlyError> {
    let value_type: DataTypeDefXsd = value_type.parse()?;
    if !matches_type(value_type, lexical) {
        return Err(ValueOnlyError::Lexical {
            value_type,
            lexical: lexical.to_owned(),
        });
    }
    if !is_representable(value_type, lexical) {
        return Err(ValueOnlyError::Range {
            value_type,
            lexical: lexical.to_owned(),
        });
    }
    Ok(match value_type {
        DataTypeDefXsd::Boolean => ValueForm::Json(Value::Bool(matches!(lexical, "true" | "1"))),
        numeric if numeric.is_numeric() => ValueForm::number(lexical),
        _ => ValueForm::from(lexical),
    })
}

fn text_by_language(text: &LangString) -> ValueForm {
    let content = text.content().map_or(ValueForm::NULL, ValueForm::from);
    ValueForm::object([(text.language().unwrap_or_default(), content)])
}

fn by_name(elements: &[SubmodelElement]) -> ValueForm {
    let named = elements.iter().filter_map(|element| match element {
        SubmodelElement::Operation(_)
        | SubmodelElement::Capability(_)
        | SubmodelElement::Whole(_) => None,
        SubmodelElement::Property(_)
        | SubmodelElement::MultiLanguageProperty(_)
        | SubmodelElement::Range(_)
        | SubmodelElement::File(_)
        | SubmodelElement::Blob(_)
        | SubmodelElement::ReferenceElement(_)
        | SubmodelElement::RelationshipElement(_)
        | SubmodelElement::AnnotatedRelationshipElement(_)
        | SubmodelElement::SubmodelElementCollection(_)
        | SubmodelElement::SubmodelElementList(_)
        | SubmodelElement::Entity(_)
        | SubmodelElement::BasicEventElement(_) => Some((element.id_short()?, form(element))),
    });
    ValueForm::object(named)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn form(json: Value) -> String {
        value_only(&SubmodelElement::try_from(json).unwrap()).to_string()
    }

    #[test]
    fn a_property_value_keeps_its_digits() {
        for (value_type, lexical, expected) in [
            ("xs:double", "373.320060", "373.320060"),
            ("xs:double", "-1.50E-07", "-1.50e-07"),
            ("xs:double", "1e300", "1e+300"),
            ("xs:double", "-0.0", "-0.0"),
            ("xs:double", "INF", "\"INF\""),
            ("xs:float", "NaN", "\"NaN\""),
            (
                "xs:decimal",
                "126789672374892739424.543233",
                "126789672374892739424.543233",
            ),
            ("xs:decimal", "0061707", "\"0061707\""),
            ("xs:decimal", ".5", "\".5\""),
            ("xs:decimal", "5.", "\"5.\""),
            ("xs:int", "42", "42"),
            ("xs:int", "+42", "\"+42\""),
            (
                "xs:integer",
                "126789675432332938792837429837429837429",
                "126789675432332938792837429837429837429",
            ),
            ("xs:boolean", "true", "true"),
            ("xs:boolean", "1", "true"),
            ("xs:boolean", "0", "false"),
            ("xs:string", "42", "\"42\""),
            ("xs:string", "", "\"\""),
            (
                "xs:dateTime",
                "2017-05-19T11:22:33Z",
                "\"2017-05-19T11:22:33Z\"",
            ),
        ] {
            let value = value_only_property(value_type, lexical).unwrap();
            assert_eq!(value.to_string(), expected, "{value_type} {lexical}");
            let element =
                json!({"modelType": "Property", "valueType": value_type, "value": lexical});
            let text = value_only_text(&SubmodelElement::try_from(element).unwrap());
            let is_number = !expected.starts_with('"') && value_type != "xs:boolean";
            assert_eq!(text, if is_number { lexical } else { expected });
        }
    }

    #[test]
    fn a_text_that_is_no_such_value_is_refused() {
        assert!(matches!(
            value_only_property("xs:int", "UNAVAILABLE"),
            Err(ValueOnlyError::Lexical { .. })
        ));
        assert!(matches!(
            value_only_property("xs:double", ""),
            Err(ValueOnlyError::Lexical { .. })
        ));
        assert!(matches!(
            value_only_property("xs:double", "1e400"),
            Err(ValueOnlyError::Range { .. })
        ));
        assert!(matches!(
            value_only_property("xs:string", "bell\u{7}"),
            Err(ValueOnlyError::Lexical { .. })
        ));
        assert!(matches!(
            value_only_property("double", "1"),
            Err(ValueOnlyError::ValueType(_))
        ));
    }

    #[test]
    fn each_kind_of_element() {
        let property = |value: Value| json!({"modelType": "Property", "idShort": "P", "valueType": "xs:int", "value": value});
        let texts = json!([{"language": "en", "text": "a"}, {"language": "de", "text": "b"}]);
        let reference = json!({"type": "ExternalReference", "keys": [{"type": "GlobalReference", "value": "urn:x"}]});
        for (element, expected) in [
            (property(json!("5")), "5"),
            (property(json!("UNAVAILABLE")), "\"UNAVAILABLE\""),
            (
                json!({"modelType": "Range", "valueType": "xs:double", "min": "1e400", "max": "1"}),
                r#"{"min":"1e400","max":1}"#,
            ),
            (property(json!("")), "\"\""),
            (property(Value::Null), "null"),
            (
                json!({"modelType": "Property", "valueType": "xs:int"}),
                "null",
            ),
            (
                json!({"modelType": "MultiLanguageProperty", "value": texts}),
                r#"[{"en":"a"},{"de":"b"}]"#,
            ),
            (json!({"modelType": "MultiLanguageProperty"}), "null"),
            (
                json!({"modelType": "Range", "valueType": "xs:double", "min": "0.10", "max": "INF"}),
                r#"{"min":0.10,"max":"INF"}"#,
            ),
            (
                json!({"modelType": "Range", "valueType": "xs:double", "max": "1"}),
                r#"{"max":1}"#,
            ),
            (
                json!({"modelType": "File", "contentType": "text/plain", "value": "/a"}),
                r#"{"contentType":"text/plain","value":"/a"}"#,
            ),
            (
                json!({"modelType": "Blob", "contentType": "text/plain"}),
                r#"{"contentType":"text/plain"}"#,
            ),
            (
                json!({"modelType": "ReferenceElement", "value": reference}),
                &reference.to_string(),
            ),
            (json!({"modelType": "ReferenceElement"}), "null"),
            (json!({"modelType": "SubmodelElementCollection"}), "{}"),
            (
                json!({"modelType": "SubmodelElementList", "value": [property(json!("1")), property(Value::Null)]}),
                "[1,null]",
            ),
            (
                json!({"modelType": "SubmodelElementCollection", "value": [
                    {"modelType": "Capability", "idShort": "C"},
                    property(json!("1")),
                    {"modelType": "BasicEventElement", "idShort": "E", "observed": reference},
                ]}),
                &format!(r#"{{"P":1,"E":{{"observed":{reference}}}}}"#),
            ),
            (
                json!({"modelType": "AnnotatedRelationshipElement", "first": reference, "second": reference, "annotations": [property(json!("1"))]}),
                &format!(
                    r#"{{"first":{reference},"second":{reference},"annotations":[{{"P":1}}]}}"#
                ),
            ),
            (
                json!({"modelType": "Entity", "entityType": "CoManagedEntity", "statements": [property(json!("1"))]}),
                r#"{"statements":{"P":1},"entityType":"CoManagedEntity"}"#,
            ),
            (json!({"modelType": "Operation"}), "null"),
        ] {
            assert_eq!(form(element.clone()), expected, "{element}");
        }
    }
}
