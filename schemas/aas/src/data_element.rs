//! Elements without child elements that hold one value (IDTA-01001, `DataElement`), and those that hold none.

use crate::reference::{LangString, Reference};
use crate::shape::{ONE_REFERENCE, ObjectShape, Shape};
use crate::whole::Whole;

/// Makes types of elements whose members are all kept as they came.
macro_rules! elements_without_children {
    ($($(#[$documentation:meta])+ $name:ident [$($member:literal: $shape:expr),*]),+ $(,)?) => {$(
        $(#[$documentation])+
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name {
            members: $crate::members::Members,
        }

        impl $name {
            pub(crate) fn read(
                object: ::serde_json::Map<String, ::serde_json::Value>,
                at: &mut $crate::json_path::JsonPath,
            ) -> Result<Self, $crate::shape::ShapeError> {
                $crate::shape::check_members(&object, &[$(($member, $shape)),*], at)?;
                Ok(Self { members: $crate::members::Members::whole(object) })
            }

            /// All members, those named here among them.
            #[must_use]
            pub fn members(&self) -> &$crate::members::Members {
                &self.members
            }
        }
    )+};
}
pub(crate) use elements_without_children;

elements_without_children! {
    /// One value of one data type (IDTA-01001, `Property`).
    Property ["valueType": Shape::Text, "value": Shape::Text, "valueId": ONE_REFERENCE],
    /// One text in several languages (IDTA-01001, `MultiLanguageProperty`).
    MultiLanguageProperty ["value": Shape::Array(ObjectShape::LangString), "valueId": ONE_REFERENCE],
    /// An interval, open where a bound is absent (IDTA-01001, `Range`).
    Range ["valueType": Shape::Text, "min": Shape::Text, "max": Shape::Text],
    /// The address of a file (IDTA-01001, `File`).
    File ["value": Shape::Text, "contentType": Shape::Text],
    /// A content in the element itself, as Base64 (IDTA-01001, `Blob`).
    Blob ["value": Shape::Text, "contentType": Shape::Text],
    /// A reference as the value (IDTA-01001, `ReferenceElement`).
    ReferenceElement ["value": ONE_REFERENCE],
    /// What an asset can do, told by its semantic id (IDTA-01001, `Capability`). It has no value.
    Capability [],
    /// An element of a kind the metamodel does not know, whole.
    WholeElement [],
}

impl Property {
    /// The name of the data type, e.g. `xs:double`, as written.
    #[must_use]
    pub fn value_type(&self) -> Option<&str> {
        self.members.text("valueType")
    }

    /// The value in its lexical form. `None` is a missing value, never an empty text or a zero.
    #[must_use]
    pub fn value(&self) -> Option<&str> {
        self.members.text("value")
    }

    /// What the value is, in a dictionary.
    #[must_use]
    pub fn value_id(&self) -> Option<Reference> {
        self.members.reference("valueId")
    }
}

impl MultiLanguageProperty {
    /// The texts, in the order in which they came. `None` is a missing value.
    #[must_use]
    pub fn value(&self) -> Option<Vec<LangString>> {
        let texts = self.members.member("value")?.as_array()?;
        Some(texts.iter().filter_map(LangString::checked).collect())
    }

    /// What the value is, in a dictionary.
    #[must_use]
    pub fn value_id(&self) -> Option<Reference> {
        self.members.reference("valueId")
    }
}

impl Range {
    /// The name of the data type of both bounds, as written.
    #[must_use]
    pub fn value_type(&self) -> Option<&str> {
        self.members.text("valueType")
    }

    /// The lower bound in its lexical form; without one the interval is open below.
    #[must_use]
    pub fn min(&self) -> Option<&str> {
        self.members.text("min")
    }

    /// The upper bound in its lexical form; without one the interval is open above.
    #[must_use]
    pub fn max(&self) -> Option<&str> {
        self.members.text("max")
    }
}

impl File {
    /// The path or address of the file.
    #[must_use]
    pub fn value(&self) -> Option<&str> {
        self.members.text("value")
    }

    /// The media type (RFC 2046).
    #[must_use]
    pub fn content_type(&self) -> Option<&str> {
        self.members.text("contentType")
    }
}

impl Blob {
    /// The content, in Base64.
    #[must_use]
    pub fn value(&self) -> Option<&str> {
        self.members.text("value")
    }

    /// The media type (RFC 2046).
    #[must_use]
    pub fn content_type(&self) -> Option<&str> {
        self.members.text("contentType")
    }
}

impl ReferenceElement {
    /// The reference.
    #[must_use]
    pub fn value(&self) -> Option<Reference> {
        self.members.reference("value")
    }
}
