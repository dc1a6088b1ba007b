//! Data specifications as they are embedded in elements and concept descriptions, and the one the standard defines, of
//! IEC 61360 (IDTA-01003-a).

use serde_json::{Map, Value};

use crate::reference::{LangString, Reference};
use crate::shape::has_model_type;
use crate::whole::{Whole, one, several, text, whole_objects};

whole_objects! {
    /// A data specification's content, and which one it follows (IDTA-01001, `EmbeddedDataSpecification`).
    EmbeddedDataSpecification,
    /// What a concept is called, how it is defined and in which unit it is measured (IDTA-01003-a,
    /// `DataSpecificationIec61360`).
    DataSpecificationIec61360,
    /// The values a concept may take (IDTA-01003-a, `ValueList`).
    ValueList,
    /// One value a concept may take, and what it means (IDTA-01003-a, `ValueReferencePair`).
    ValueReferencePair,
    /// Which of minimum, nominal, typical and maximum value a concept has (IDTA-01003-a, `LevelType`).
    LevelType,
}

impl EmbeddedDataSpecification {
    /// The data specification that the content follows.
    #[must_use]
    pub fn data_specification(&self) -> Option<Reference> {
        one(&self.object, "dataSpecification")
    }

    /// The content, whatever its kind.
    #[must_use]
    pub fn content(&self) -> Option<&Map<String, Value>> {
        self.object
            .get("dataSpecificationContent")
            .and_then(Value::as_object)
    }

    /// The content, if its `modelType` is `DataSpecificationIec61360`.
    #[must_use]
    pub fn iec61360(&self) -> Option<DataSpecificationIec61360> {
        let content = self.content()?;
        has_model_type(content, "DataSpecificationIec61360")
            .then(|| DataSpecificationIec61360::wrap(content.clone()))
    }
}

impl DataSpecificationIec61360 {
    /// The names, one per language.
    #[must_use]
    pub fn preferred_name(&self) -> Vec<LangString> {
        several(self.object.get("preferredName"))
    }

    /// The abbreviations, one per language.
    #[must_use]
    pub fn short_name(&self) -> Vec<LangString> {
        several(self.object.get("shortName"))
    }

    /// The unit, as people write it.
    #[must_use]
    pub fn unit(&self) -> Option<&str> {
        text(&self.object, "unit")
    }

    /// The unit, in a dictionary.
    #[must_use]
    pub fn unit_id(&self) -> Option<Reference> {
        one(&self.object, "unitId")
    }

    /// Where the definition is from.
    #[must_use]
    pub fn source_of_definition(&self) -> Option<&str> {
        text(&self.object, "sourceOfDefinition")
    }

    /// The symbol, as in formulas.
    #[must_use]
    pub fn symbol(&self) -> Option<&str> {
        text(&self.object, "symbol")
    }

    /// The data type of IEC 61360, e.g. `REAL_MEASURE`, as written.
    #[must_use]
    pub fn data_type(&self) -> Option<&str> {
        text(&self.object, "dataType")
    }

    /// The definitions, one per language.
    #[must_use]
    pub fn definition(&self) -> Vec<LangString> {
        several(self.object.get("definition"))
    }

    /// The format of values.
    #[must_use]
    pub fn value_format(&self) -> Option<&str> {
        text(&self.object, "valueFormat")
    }

    /// The values to choose from.
    #[must_use]
    pub fn value_list(&self) -> Option<ValueList> {
        one(&self.object, "valueList")
    }

    /// The value, of a concept that is one, in its lexical form.
    #[must_use]
    pub fn value(&self) -> Option<&str> {
        text(&self.object, "value")
    }

    /// Which values of a range belong to the concept.
    #[must_use]
    pub fn level_type(&self) -> Option<LevelType> {
        one(&self.object, "levelType")
    }
}

impl ValueList {
    /// The values, in the order in which they came.
    #[must_use]
    pub fn value_reference_pairs(&self) -> Vec<ValueReferencePair> {
        several(self.object.get("valueReferencePairs"))
    }
}

impl ValueReferencePair {
    /// The value in its lexical form.
    #[must_use]
    pub fn value(&self) -> Option<&str> {
        text(&self.object, "value")
    }

    /// What the value means.
    #[must_use]
    pub fn value_id(&self) -> Option<Reference> {
        one(&self.object, "valueId")
    }
}

impl LevelType {
    /// Whether there is a minimum.
    #[must_use]
    pub fn min(&self) -> Option<bool> {
        self.flag("min")
    }

    /// Whether there is a nominal value.
    #[must_use]
    pub fn nom(&self) -> Option<bool> {
        self.flag("nom")
    }

    /// Whether there is a typical value.
    #[must_use]
    pub fn typ(&self) -> Option<bool> {
        self.flag("typ")
    }

    /// Whether there is a maximum.
    #[must_use]
    pub fn max(&self) -> Option<bool> {
        self.flag("max")
    }

    fn flag(&self, name: &str) -> Option<bool> {
        self.object.get(name).and_then(Value::as_bool)
    }
}
