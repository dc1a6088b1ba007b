//! The value-only form of submodels and elements (IDTA-01002, "ValueOnly-Serialization in JSON"). A missing value is
//! `null`, and a value that is not what its type says stays the text it is: neither ever becomes a number.

use serde_json::{Map, Number, Value};
use thiserror::Error;

use crate::element::SubmodelElement;
use crate::lexical::matches_type;
use crate::reference::LangString;
use crate::submodel::Submodel;
use crate::value_type::{DataTypeDefXsd, DataTypeDefXsdError};

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
    match element {
        SubmodelElement::Property(property) => typed_value(property.value_type(), property.value()),
        SubmodelElement::MultiLanguageProperty(texts) => {
            texts.value().map_or(Value::Null, |texts| {
                texts.iter().map(text_by_language).collect()
            })
        }
        SubmodelElement::Range(range) => {
            let bounds = [("min", range.min()), ("max", range.max())];
            object_of(bounds.map(|(name, bound)| {
                (
                    name,
                    bound.map(|bound| typed_value(range.value_type(), Some(bound))),
                )
            }))
        }
        SubmodelElement::File(file) => content(file.content_type(), file.value()),
        SubmodelElement::Blob(blob) => content(blob.content_type(), blob.value()),
        SubmodelElement::ReferenceElement(element) => {
            element.value().map_or(Value::Null, Value::from)
        }
        SubmodelElement::SubmodelElementCollection(collection) => by_name(collection.value()),
        SubmodelElement::SubmodelElementList(list) => list.value().iter().map(value_only).collect(),
        SubmodelElement::Whole(_) => whole_value_only(element).unwrap_or(Value::Null),
    }
}

/// The value-only form of a submodel: an object by idShort. Elements without an idShort cannot be named in it and are
/// left out; [`verify`](crate::verify) reports them.
#[must_use]
pub fn submodel_value_only(submodel: &Submodel) -> Value {
    by_name(submodel.elements())
}

/// The value-only form of a Property value from its lexical form: a JSON number with the very digits given where JSON
/// permits them (`373.320060` stays so, an exponent is written like `e+5`), a boolean for `xs:boolean`, else a string. JSON permits no `INF`, `NaN`, leading `+`,
/// leading zeros or bare decimal point; such numbers are strings too, so that no digit is lost.
///
/// # Errors
/// When the value type is none of the metamodel's, or the text is not in its lexical space.
pub fn value_only_property(value_type: &str, lexical: &str) -> Result<Value, ValueOnlyError> {
    let value_type: DataTypeDefXsd = value_type.parse()?;
    if !matches_type(value_type, lexical) {
        return Err(ValueOnlyError::Lexical {
            value_type,
            lexical: lexical.to_owned(),
        });
    }
    Ok(match value_type {
        DataTypeDefXsd::Boolean => Value::Bool(matches!(lexical, "true" | "1")),
        numeric if numeric.is_numeric() => json_number(lexical),
        _ => Value::String(lexical.to_owned()),
    })
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
}

fn typed_value(value_type: Option<&str>, lexical: Option<&str>) -> Value {
    let Some(lexical) = lexical else {
        return Value::Null;
    };
    value_only_property(value_type.unwrap_or_default(), lexical)
        .unwrap_or_else(|_refused| Value::String(lexical.to_owned()))
}

/// Digits are kept; of an exponent, `E5` becomes `e+5`, the one spelling that reading and writing again does not change.
fn json_number(lexical: &str) -> Value {
    lexical.parse::<Number>().map_or_else(
        |_no_json_number| Value::String(lexical.to_owned()),
        Value::Number,
    )
}

fn text_by_language(text: &LangString) -> Value {
    let content = text.content().map_or(Value::Null, Value::from);
    object_of([(text.language().unwrap_or_default(), Some(content))])
}

fn content(content_type: Option<&str>, value: Option<&str>) -> Value {
    object_of(
        [("contentType", content_type), ("value", value)]
            .map(|(name, text)| (name, text.map(Value::from))),
    )
}

fn object_of<const N: usize>(members: [(&str, Option<Value>); N]) -> Value {
    let present = members
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(present.collect())
}

fn by_name(elements: &[SubmodelElement]) -> Value {
    let mut object = Map::new();
    for element in elements {
        let value = match element {
            SubmodelElement::Whole(_) => whole_value_only(element),
            typed => Some(value_only(typed)),
        };
        if let (Some(name), Some(value)) = (element.id_short(), value) {
            object.insert(name.to_owned(), value);
        }
    }
    Value::Object(object)
}

fn whole_value_only(element: &SubmodelElement) -> Option<Value> {
    let member = |name: &str| element.members().member(name).cloned();
    let elements = |name: &str| match member(name)? {
        Value::Array(items) => Some(
            items
                .into_iter()
                .filter_map(|item| SubmodelElement::try_from(item).ok())
                .collect::<Vec<_>>(),
        ),
        _ => None,
    };
    match element.model_type() {
        "RelationshipElement" => Some(object_of([
            ("first", member("first")),
            ("second", member("second")),
        ])),
        "AnnotatedRelationshipElement" => {
            let annotations = elements("annotations");
            let annotations =
                annotations.map(|annotations| annotations.chunks(1).map(by_name).collect());
            Some(object_of([
                ("first", member("first")),
                ("second", member("second")),
                ("annotations", annotations),
            ]))
        }
        "Entity" => Some(object_of([
            (
                "statements",
                Some(by_name(&elements("statements").unwrap_or_default())),
            ),
            ("entityType", member("entityType")),
            ("globalAssetId", member("globalAssetId")),
            ("specificAssetIds", member("specificAssetIds")),
        ])),
        "BasicEventElement" => Some(object_of([("observed", member("observed"))])),
        _ => None,
    }
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
            ("xs:double", "1e400", "1e+400"),
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
