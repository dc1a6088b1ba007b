//! References and texts in languages: JSON objects kept whole, with accessors for the members the metamodel defines.

use serde_json::{Map, Value};

use crate::whole::{one, several, text, whole_objects};

whole_objects! {
    /// A reference to something in or outside an environment: a type and a chain of keys (IDTA-01001, `Reference`).
    Reference,
    /// One key of a [`Reference`] (IDTA-01001, `Key`).
    Key,
    /// A text in one language (IDTA-01001, `AbstractLangString`).
    LangString,
}

impl Reference {
    /// `ExternalReference` or `ModelReference`, as written.
    #[must_use]
    pub fn reference_type(&self) -> Option<&str> {
        text(&self.object, "type")
    }

    /// The keys, outermost first.
    #[must_use]
    pub fn keys(&self) -> Vec<Key> {
        several(self.object.get("keys"))
    }

    /// The semantic id of what the reference points to, as far as the reference itself says it.
    #[must_use]
    pub fn referred_semantic_id(&self) -> Option<Self> {
        one(&self.object, "referredSemanticId")
    }

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

impl Key {
    /// The type of what the key names, e.g. `GlobalReference` or `Submodel`, as written.
    #[must_use]
    pub fn key_type(&self) -> Option<&str> {
        text(&self.object, "type")
    }

    /// The identifier, idShort or position the key names.
    #[must_use]
    pub fn value(&self) -> Option<&str> {
        text(&self.object, "value")
    }
}

impl LangString {
    /// The language tag (BCP 47), as written.
    #[must_use]
    pub fn language(&self) -> Option<&str> {
        text(&self.object, "language")
    }

    /// The text.
    #[must_use]
    pub fn content(&self) -> Option<&str> {
        text(&self.object, "text")
    }
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
