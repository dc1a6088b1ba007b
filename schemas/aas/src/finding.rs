//! What verification says: which rule is broken where, in words for people.

use std::fmt;

/// One broken rule at one element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The path of the element, empty for the submodel itself. The position among siblings in parentheses stands for a
    /// missing name, and a variable of an operation is named as if it were in a collection.
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
    /// A Property or Range has a value type, and it is one of the metamodel's, as is that of a qualifier or extension
    /// (`DataTypeDefXsd`).
    ValueType,
    /// A value is in the lexical space of its value type, that of a qualifier or extension too (AASd-020).
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
    /// The variables of an operation, in, out and both, have different idShorts (AASd-134).
    VariableDuplicate,
    /// An annotation is a data element (`AnnotatedRelationshipElement/annotations`).
    AnnotationKind,
    /// A self-managed entity names its asset (AASd-014).
    EntityAsset,
    /// A text is one of those the metamodel lists (`EntityType`, `Direction`, `StateOfEvent`, `QualifierKind`).
    Enumeration,
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
            Self::VariableDuplicate => "AASd-134",
            Self::AnnotationKind => "annotation-kind",
            Self::EntityAsset => "AASd-014",
            Self::Enumeration => "enumeration",
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}
