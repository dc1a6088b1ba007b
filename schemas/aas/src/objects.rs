//! The objects of the metamodel that stand inside shells, submodels and elements (IDTA-01001, IDTA-01003-a): references,
//! texts in languages, qualifiers, data specifications, what a shell says of its asset. One table: see [`crate::table`].

use serde_json::{Map, Value};

use crate::json_path::JsonPath;
use crate::shape::{ShapeError, check_object, has_model_type};
use crate::whole::{Whole, whole_objects};

whole_objects! {
    /// A reference to something in or outside an environment: a type and a chain of keys (IDTA-01001, `Reference`).
    Reference {
        /// `ExternalReference` or `ModelReference`, as written.
        reference_type: text "type",
        /// The keys, outermost first.
        keys: several Key "keys",
        /// The semantic id of what the reference points to, as far as the reference itself says it.
        referred_semantic_id: one Reference "referredSemanticId",
    }
    /// One key of a [`Reference`] (IDTA-01001, `Key`).
    Key {
        /// The type of what the key names, e.g. `GlobalReference` or `Submodel`, as written.
        key_type: text "type",
        /// The identifier, idShort or position the key names.
        value: text "value",
    }
    /// A text in one language (IDTA-01001, `AbstractLangString`).
    LangString {
        /// The language tag (BCP 47), as written.
        language: text "language",
        /// The text.
        content: text "text",
    }
    /// A statement that qualifies an element further (IDTA-01001, `Qualifier`).
    Qualifier {
        /// `ValueQualifier`, `ConceptQualifier` or `TemplateQualifier`, as written.
        kind: text "kind",
        /// The name of the statement, its `type`.
        qualifier_type: text "type",
        /// The name of the value's data type, e.g. `xs:string`, as written.
        value_type: text "valueType",
        /// The value in its lexical form.
        value: text "value",
        /// What the value is, in a dictionary.
        value_id: one Reference "valueId",
        /// What the statement means.
        semantic_id: one Reference "semanticId",
        /// What else the statement means.
        supplemental_semantic_ids: several Reference "supplementalSemanticIds",
    }
    /// A proprietary addition to an element (IDTA-01001, `Extension`).
    Extension {
        /// The name.
        name: text "name",
        /// The name of the value's data type, as written; without one it is `xs:string`.
        value_type: text "valueType",
        /// The value in its lexical form.
        value: text "value",
        /// What the extension refers to.
        refers_to: several Reference "refersTo",
        /// What the extension means.
        semantic_id: one Reference "semanticId",
        /// What else the extension means.
        supplemental_semantic_ids: several Reference "supplementalSemanticIds",
    }
    /// The version of a shell, submodel or concept description, and who made it (IDTA-01001,
    /// `AdministrativeInformation`).
    AdministrativeInformation {
        /// The version.
        version: text "version",
        /// The revision of the version.
        revision: text "revision",
        /// Who made it.
        creator: one Reference "creator",
        /// The identifier of the template that was followed.
        template_id: text "templateId",
        /// The data specifications.
        embedded_data_specifications: several EmbeddedDataSpecification "embeddedDataSpecifications",
    }
    /// A data specification's content, and which one it follows (IDTA-01001, `EmbeddedDataSpecification`).
    EmbeddedDataSpecification {
        /// The data specification that the content follows.
        data_specification: one Reference "dataSpecification",
        /// The content, whatever its kind.
        content: object check_content "dataSpecificationContent",
    }
    /// What a concept is called, how it is defined and in which unit it is measured (IDTA-01003-a,
    /// `DataSpecificationIec61360`).
    DataSpecificationIec61360 {
        /// The names, one per language.
        preferred_name: several LangString "preferredName",
        /// The abbreviations, one per language.
        short_name: several LangString "shortName",
        /// The unit, as people write it.
        unit: text "unit",
        /// The unit, in a dictionary.
        unit_id: one Reference "unitId",
        /// Where the definition is from.
        source_of_definition: text "sourceOfDefinition",
        /// The symbol, as in formulas.
        symbol: text "symbol",
        /// The data type of IEC 61360, e.g. `REAL_MEASURE`, as written.
        data_type: text "dataType",
        /// The definitions, one per language.
        definition: several LangString "definition",
        /// The format of values.
        value_format: text "valueFormat",
        /// The values to choose from.
        value_list: one ValueList "valueList",
        /// The value, of a concept that is one, in its lexical form.
        value: text "value",
        /// Which values of a range belong to the concept.
        level_type: one LevelType "levelType",
    }
    /// The values a concept may take (IDTA-01003-a, `ValueList`).
    ValueList {
        /// The values, in the order in which they came.
        value_reference_pairs: several ValueReferencePair "valueReferencePairs",
    }
    /// One value a concept may take, and what it means (IDTA-01003-a, `ValueReferencePair`).
    ValueReferencePair {
        /// The value in its lexical form.
        value: text "value",
        /// What the value means.
        value_id: one Reference "valueId",
    }
    /// Which of minimum, nominal, typical and maximum value a concept has (IDTA-01003-a, `LevelType`).
    LevelType {
        /// Whether there is a minimum.
        min: flag "min",
        /// Whether there is a nominal value.
        nom: flag "nom",
        /// Whether there is a typical value.
        typ: flag "typ",
        /// Whether there is a maximum.
        max: flag "max",
    }
    /// Which asset a shell is about (IDTA-01001, `AssetInformation`).
    AssetInformation {
        /// `Type`, `Instance`, `Role` or `NotApplicable`, as written.
        asset_kind: text "assetKind",
        /// The global identifier of the asset.
        global_asset_id: text "globalAssetId",
        /// The other identifiers of the asset.
        specific_asset_ids: several SpecificAssetId "specificAssetIds",
        /// The identifier of the type of the asset.
        asset_type: text "assetType",
        /// A small picture of the asset.
        default_thumbnail: one Resource "defaultThumbnail",
    }
    /// An identifier of an asset that somebody gave it, such as a serial number (IDTA-01001, `SpecificAssetId`).
    SpecificAssetId {
        /// What kind of identifier it is.
        name: text "name",
        /// The identifier.
        value: text "value",
        /// Who gave it.
        external_subject_id: one Reference "externalSubjectId",
        /// What the identifier means.
        semantic_id: one Reference "semanticId",
        /// What else the identifier means.
        supplemental_semantic_ids: several Reference "supplementalSemanticIds",
    }
    /// The address of a file (IDTA-01001, `Resource`).
    Resource {
        /// The path or address of the file.
        path: text "path",
        /// The media type (RFC 2046).
        content_type: text "contentType",
    }
}

/// The content of a data specification is whatever its `modelType` says it is.
fn check_content(value: &Value, at: &mut JsonPath) -> Result<(), ShapeError> {
    let is_iec61360 = |object| has_model_type(object, "DataSpecificationIec61360");
    let shapes = if value.as_object().is_some_and(is_iec61360) {
        DataSpecificationIec61360::SHAPES
    } else {
        &[]
    };
    check_object(value, shapes, at)
}

impl EmbeddedDataSpecification {
    /// The content, if its `modelType` is `DataSpecificationIec61360`.
    #[must_use]
    pub fn iec61360(&self) -> Option<DataSpecificationIec61360> {
        let content = self.content()?;
        has_model_type(content, "DataSpecificationIec61360")
            .then(|| DataSpecificationIec61360::wrap(content.clone()))
    }
}

impl Reference {
    /// The value of the last key: what the reference finally names.
    #[must_use]
    pub fn last_key_value(&self) -> Option<&str> {
        last_key_value(&self.object)
    }
}

/// The value of the last key of a reference, without copying it.
pub(crate) fn last_key_value(reference: &Map<String, Value>) -> Option<&str> {
    reference
        .get("keys")?
        .as_array()?
        .last()?
        .get("value")?
        .as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_keeps_what_it_does_not_know() {
        let text = r#"{"keys":[{"value":"a","type":"Submodel","x":1.50},{"type":"Property","value":"b"}],"type":"ModelReference","y":null}"#;
        let reference: Reference = serde_json::from_str(text).unwrap();
        assert_eq!(reference.reference_type(), Some("ModelReference"));
        assert_eq!(reference.keys()[0].key_type(), Some("Submodel"));
        assert_eq!(reference.keys()[1].value(), Some("b"));
        assert_eq!(reference.last_key_value(), Some("b"));
        assert_eq!(serde_json::to_string(&reference).unwrap(), text);
    }

    #[test]
    fn a_wrong_json_type_is_refused_with_its_path() {
        let error = serde_json::from_str::<Reference>(r#"{"keys":[{"value":7}]}"#).unwrap_err();
        assert!(
            error
                .to_string()
                .contains("`$.keys[0].value` should be a text in quotes, but is the number 7"),
            "{error}"
        );
    }
}
