//! Submodel elements (IDTA-01001, `SubmodelElement`): the eight kinds whose values a node reads have types, the others
//! are kept whole as JSON. `modelType` chooses.

use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Serialize, Serializer};
use serde_json::{Map, Value};

use crate::json_path::JsonPath;
use crate::members::Members;
use crate::reference::{LangString, Reference};
use crate::shape::{COMMON, ObjectShape, Shape, ShapeError, check_members};

/// An element of a submodel. Writing one yields the JSON it was read from, member for member, in the same order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SubmodelElement {
    /// One value of one data type.
    Property(Property),
    /// One text in several languages.
    MultiLanguageProperty(MultiLanguageProperty),
    /// An interval between two values of one data type.
    Range(Range),
    /// The address of a file.
    File(File),
    /// A content carried in the element itself.
    Blob(Blob),
    /// A reference as the value.
    ReferenceElement(ReferenceElement),
    /// Elements with names.
    SubmodelElementCollection(SubmodelElementCollection),
    /// Elements of one kind, by position.
    SubmodelElementList(SubmodelElementList),
    /// Any other kind (Operation, Entity, Capability, BasicEventElement, RelationshipElement,
    /// AnnotatedRelationshipElement, and kinds of later metamodels).
    Whole(WholeElement),
}

macro_rules! elements_without_children {
    ($($(#[$documentation:meta])+ $name:ident [$($member:literal: $shape:expr),*]),+ $(,)?) => {$(
        $(#[$documentation])+
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name {
            members: Members,
        }

        impl $name {
            fn read(object: Map<String, Value>, at: &mut JsonPath) -> Result<Self, ShapeError> {
                check_members(&object, &[$(($member, $shape)),*], at)?;
                Ok(Self { members: Members::whole(object) })
            }

            /// All members, those named here among them.
            #[must_use]
            pub fn members(&self) -> &Members {
                &self.members
            }
        }
    )+};
}

elements_without_children! {
    /// One value of one data type (IDTA-01001, `Property`).
    Property ["valueType": Shape::Text, "value": Shape::Text, "valueId": Shape::Object(ObjectShape::Reference)],
    /// One text in several languages (IDTA-01001, `MultiLanguageProperty`).
    MultiLanguageProperty ["value": Shape::Array(ObjectShape::LangString), "valueId": Shape::Object(ObjectShape::Reference)],
    /// An interval, open where a bound is absent (IDTA-01001, `Range`).
    Range ["valueType": Shape::Text, "min": Shape::Text, "max": Shape::Text],
    /// The address of a file (IDTA-01001, `File`).
    File ["value": Shape::Text, "contentType": Shape::Text],
    /// A content in the element itself, as Base64 (IDTA-01001, `Blob`).
    Blob ["value": Shape::Text, "contentType": Shape::Text],
    /// A reference as the value (IDTA-01001, `ReferenceElement`).
    ReferenceElement ["value": Shape::Object(ObjectShape::Reference)],
    /// An element whose kind has no type here, whole.
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
}

impl MultiLanguageProperty {
    /// The texts, in the order in which they came. `None` is a missing value.
    #[must_use]
    pub fn value(&self) -> Option<Vec<LangString>> {
        let texts = self.members.member("value")?.as_array()?;
        Some(texts.iter().filter_map(LangString::checked).collect())
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
        self.members.member("value").and_then(Reference::checked)
    }
}

/// Elements with names (IDTA-01001, `SubmodelElementCollection`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubmodelElementCollection {
    members: Members,
    value: Option<Vec<SubmodelElement>>,
}

impl SubmodelElementCollection {
    /// All members but `value`.
    #[must_use]
    pub fn members(&self) -> &Members {
        &self.members
    }

    /// The elements, in the order in which they came; none where `value` is absent or null.
    #[must_use]
    pub fn value(&self) -> &[SubmodelElement] {
        self.value.as_deref().unwrap_or_default()
    }
}

/// Elements of one kind, by position and without names (IDTA-01001, `SubmodelElementList`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubmodelElementList {
    members: Members,
    value: Option<Vec<SubmodelElement>>,
}

impl SubmodelElementList {
    /// All members but `value`.
    #[must_use]
    pub fn members(&self) -> &Members {
        &self.members
    }

    /// The elements by position; none where `value` is absent or null.
    #[must_use]
    pub fn value(&self) -> &[SubmodelElement] {
        self.value.as_deref().unwrap_or_default()
    }

    /// The `modelType` that every element of the list has.
    #[must_use]
    pub fn type_value_list_element(&self) -> Option<&str> {
        self.members.text("typeValueListElement")
    }

    /// The data type that every Property or Range of the list has.
    #[must_use]
    pub fn value_type_list_element(&self) -> Option<&str> {
        self.members.text("valueTypeListElement")
    }

    /// What every element of the list means, if the list says so.
    #[must_use]
    pub fn semantic_id_list_element(&self) -> Option<Reference> {
        self.members
            .member("semanticIdListElement")
            .and_then(Reference::checked)
    }
}

const LIST_MEMBERS: &[(&str, Shape)] = &[
    ("orderRelevant", Shape::Flag),
    (
        "semanticIdListElement",
        Shape::Object(ObjectShape::Reference),
    ),
    ("typeValueListElement", Shape::Text),
    ("valueTypeListElement", Shape::Text),
];

impl SubmodelElement {
    pub(crate) fn read(value: Value, at: &mut JsonPath) -> Result<Self, ShapeError> {
        let mut object = match value {
            Value::Object(object) => object,
            other => return Err(ShapeError::new(at, "an object", Some(&other))),
        };
        check_members(&object, COMMON, at)?;
        let model_type = match object.get("modelType") {
            Some(Value::String(model_type)) => model_type.clone(),
            other => {
                return Err(at.within_member("modelType", |at| {
                    ShapeError::new(
                        at,
                        "the name of a kind of element, such as `Property`",
                        other,
                    )
                }));
            }
        };
        Ok(match model_type.as_str() {
            "Property" => Self::Property(Property::read(object, at)?),
            "MultiLanguageProperty" => {
                Self::MultiLanguageProperty(MultiLanguageProperty::read(object, at)?)
            }
            "Range" => Self::Range(Range::read(object, at)?),
            "File" => Self::File(File::read(object, at)?),
            "Blob" => Self::Blob(Blob::read(object, at)?),
            "ReferenceElement" => Self::ReferenceElement(ReferenceElement::read(object, at)?),
            "SubmodelElementCollection" => {
                let value = take_elements(&mut object, "value", at)?;
                let members = Members::without(object, value.is_some().then_some("value"));
                Self::SubmodelElementCollection(SubmodelElementCollection { members, value })
            }
            "SubmodelElementList" => {
                check_members(&object, LIST_MEMBERS, at)?;
                let value = take_elements(&mut object, "value", at)?;
                let members = Members::without(object, value.is_some().then_some("value"));
                Self::SubmodelElementList(SubmodelElementList { members, value })
            }
            _ => Self::Whole(WholeElement::read(object, at)?),
        })
    }

    /// All members but child elements.
    #[must_use]
    pub fn members(&self) -> &Members {
        match self {
            Self::Property(element) => &element.members,
            Self::MultiLanguageProperty(element) => &element.members,
            Self::Range(element) => &element.members,
            Self::File(element) => &element.members,
            Self::Blob(element) => &element.members,
            Self::ReferenceElement(element) => &element.members,
            Self::SubmodelElementCollection(element) => &element.members,
            Self::SubmodelElementList(element) => &element.members,
            Self::Whole(element) => &element.members,
        }
    }

    /// The kind of element, as `modelType` names it.
    #[must_use]
    pub fn model_type(&self) -> &str {
        self.members().text("modelType").unwrap_or_default()
    }

    /// The name among siblings, as written.
    #[must_use]
    pub fn id_short(&self) -> Option<&str> {
        self.members().id_short()
    }

    fn elements(&self) -> Option<&[SubmodelElement]> {
        match self {
            Self::SubmodelElementCollection(element) => element.value.as_deref(),
            Self::SubmodelElementList(element) => element.value.as_deref(),
            Self::Property(_)
            | Self::MultiLanguageProperty(_)
            | Self::Range(_)
            | Self::File(_)
            | Self::Blob(_)
            | Self::ReferenceElement(_)
            | Self::Whole(_) => None,
        }
    }
}

/// Takes the elements out of `object`, leaving their place in the order. Absent and null are no elements, and stay.
pub(crate) fn take_elements(
    object: &mut Map<String, Value>,
    name: &'static str,
    at: &mut JsonPath,
) -> Result<Option<Vec<SubmodelElement>>, ShapeError> {
    let taken = object.get_mut(name).map(Value::take);
    at.within_member(name, |at| match taken {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Array(items)) => items
            .into_iter()
            .enumerate()
            .map(|(index, item)| at.within_index(index, |at| SubmodelElement::read(item, at)))
            .collect::<Result<Vec<_>, _>>()
            .map(Some),
        Some(other) => Err(ShapeError::new(at, "an array of elements", Some(&other))),
    })
}

impl TryFrom<Value> for SubmodelElement {
    type Error = ShapeError;

    fn try_from(value: Value) -> Result<Self, Self::Error> {
        Self::read(value, &mut JsonPath::default())
    }
}

impl Serialize for SubmodelElement {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.members().serialize_with(self.elements(), serializer)
    }
}

impl<'de> Deserialize<'de> for SubmodelElement {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::try_from(Value::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}
