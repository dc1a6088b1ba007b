//! What submodels and elements carry besides their values: qualifiers, extensions, and who keeps them in which version.

use crate::data_specification::EmbeddedDataSpecification;
use crate::reference::Reference;
use crate::whole::{one, several, text, whole_objects};

whole_objects! {
    /// A statement that qualifies an element further (IDTA-01001, `Qualifier`).
    Qualifier,
    /// A proprietary addition to an element (IDTA-01001, `Extension`).
    Extension,
    /// The version of a shell, submodel or concept description, and who made it (IDTA-01001,
    /// `AdministrativeInformation`).
    AdministrativeInformation,
}

impl Qualifier {
    /// `ValueQualifier`, `ConceptQualifier` or `TemplateQualifier`, as written.
    #[must_use]
    pub fn kind(&self) -> Option<&str> {
        text(&self.object, "kind")
    }

    /// The name of the statement, its `type`.
    #[must_use]
    pub fn qualifier_type(&self) -> Option<&str> {
        text(&self.object, "type")
    }

    /// The name of the value's data type, e.g. `xs:string`, as written.
    #[must_use]
    pub fn value_type(&self) -> Option<&str> {
        text(&self.object, "valueType")
    }

    /// The value in its lexical form.
    #[must_use]
    pub fn value(&self) -> Option<&str> {
        text(&self.object, "value")
    }

    /// What the value is, in a dictionary.
    #[must_use]
    pub fn value_id(&self) -> Option<Reference> {
        one(&self.object, "valueId")
    }

    /// What the statement means.
    #[must_use]
    pub fn semantic_id(&self) -> Option<Reference> {
        one(&self.object, "semanticId")
    }

    /// What else the statement means.
    #[must_use]
    pub fn supplemental_semantic_ids(&self) -> Vec<Reference> {
        several(self.object.get("supplementalSemanticIds"))
    }
}

impl Extension {
    /// The name.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        text(&self.object, "name")
    }

    /// The name of the value's data type, as written; without one it is `xs:string`.
    #[must_use]
    pub fn value_type(&self) -> Option<&str> {
        text(&self.object, "valueType")
    }

    /// The value in its lexical form.
    #[must_use]
    pub fn value(&self) -> Option<&str> {
        text(&self.object, "value")
    }

    /// What the extension refers to.
    #[must_use]
    pub fn refers_to(&self) -> Vec<Reference> {
        several(self.object.get("refersTo"))
    }

    /// What the extension means.
    #[must_use]
    pub fn semantic_id(&self) -> Option<Reference> {
        one(&self.object, "semanticId")
    }

    /// What else the extension means.
    #[must_use]
    pub fn supplemental_semantic_ids(&self) -> Vec<Reference> {
        several(self.object.get("supplementalSemanticIds"))
    }
}

impl AdministrativeInformation {
    /// The version.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        text(&self.object, "version")
    }

    /// The revision of the version.
    #[must_use]
    pub fn revision(&self) -> Option<&str> {
        text(&self.object, "revision")
    }

    /// Who made it.
    #[must_use]
    pub fn creator(&self) -> Option<Reference> {
        one(&self.object, "creator")
    }

    /// The identifier of the template that was followed.
    #[must_use]
    pub fn template_id(&self) -> Option<&str> {
        text(&self.object, "templateId")
    }

    /// The data specifications.
    #[must_use]
    pub fn embedded_data_specifications(&self) -> Vec<EmbeddedDataSpecification> {
        several(self.object.get("embeddedDataSpecifications"))
    }
}
