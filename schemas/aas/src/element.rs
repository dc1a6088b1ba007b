//! Submodel elements (IDTA-01001, `SubmodelElement`): all fourteen kinds have types, an element of any other kind is kept
//! whole as JSON. `modelType` chooses.

use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Serialize, Serializer};
use serde_json::Value;

use crate::elements::{
    AnnotatedRelationshipElement, BasicEventElement, Blob, Capability, Entity, File,
    MultiLanguageProperty, Property, Range, ReferenceElement, RelationshipElement,
    SubmodelElementCollection, SubmodelElementList, WholeElement,
};
use crate::json;
use crate::json_path::JsonPath;
use crate::members::{Children, Members};
use crate::operation::Operation;
use crate::shape::{ShapeError, check_members, object_of};

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
    /// That two things are related.
    RelationshipElement(RelationshipElement),
    /// That two things are related, and data about it.
    AnnotatedRelationshipElement(AnnotatedRelationshipElement),
    /// Elements with names.
    SubmodelElementCollection(SubmodelElementCollection),
    /// Elements of one kind, by position.
    SubmodelElementList(SubmodelElementList),
    /// A part and what is stated about it.
    Entity(Entity),
    /// Something that can be called.
    Operation(Operation),
    /// What an asset can do.
    Capability(Capability),
    /// That something may happen, and how it is told.
    BasicEventElement(BasicEventElement),
    /// Any other kind, of a later metamodel for one.
    Whole(WholeElement),
}

impl SubmodelElement {
    pub(crate) fn read(value: Value, at: &mut JsonPath) -> Result<Self, ShapeError> {
        let object = object_of(value, at)?;
        check_members(&object, Members::REFERABLE, at)?;
        check_members(&object, Members::QUALIFIABLE, at)?;
        let model_type = match object.get("modelType") {
            Some(Value::String(model_type)) => model_type.clone(),
            other => {
                let expected = "the name of a kind of element, such as `Property`";
                return Err(
                    at.within_member("modelType", |at| ShapeError::new(at, expected, other))
                );
            }
        };
        macro_rules! by_kind {
            ($($kind:ident),+ $(,)?) => {
                match model_type.as_str() {
                    $(stringify!($kind) => Self::$kind($kind::read(object, at)?),)+
                    _ => Self::Whole(WholeElement::read(object, at)?),
                }
            };
        }
        Ok(by_kind!(
            Property,
            MultiLanguageProperty,
            Range,
            File,
            Blob,
            ReferenceElement,
            RelationshipElement,
            AnnotatedRelationshipElement,
            SubmodelElementCollection,
            SubmodelElementList,
            Entity,
            Operation,
            Capability,
            BasicEventElement,
        ))
    }

    /// All members but child elements.
    #[must_use]
    pub fn members(&self) -> &Members {
        match self {
            Self::Property(element) => element.members(),
            Self::MultiLanguageProperty(element) => element.members(),
            Self::Range(element) => element.members(),
            Self::File(element) => element.members(),
            Self::Blob(element) => element.members(),
            Self::ReferenceElement(element) => element.members(),
            Self::RelationshipElement(element) => element.members(),
            Self::AnnotatedRelationshipElement(element) => element.members(),
            Self::SubmodelElementCollection(element) => element.members(),
            Self::SubmodelElementList(element) => element.members(),
            Self::Entity(element) => element.members(),
            Self::Operation(element) => element.members(),
            Self::Capability(element) => element.members(),
            Self::BasicEventElement(element) => element.members(),
            Self::Whole(element) => element.members(),
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
}

impl TryFrom<Value> for SubmodelElement {
    type Error = ShapeError;

    fn try_from(value: Value) -> Result<Self, Self::Error> {
        let mut at = JsonPath::default();
        json::check_names(&value, &mut at)?;
        Self::read(value, &mut at)
    }
}

impl Serialize for SubmodelElement {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let named = |name, elements| vec![(name, Children::Elements(elements))];
        let children = match self {
            Self::SubmodelElementCollection(element) => named("value", element.value()),
            Self::SubmodelElementList(element) => named("value", element.value()),
            Self::AnnotatedRelationshipElement(element) => {
                named("annotations", element.annotations())
            }
            Self::Entity(element) => named("statements", element.statements()),
            Self::Operation(element) => element.children().to_vec(),
            Self::Property(_)
            | Self::MultiLanguageProperty(_)
            | Self::Range(_)
            | Self::File(_)
            | Self::Blob(_)
            | Self::ReferenceElement(_)
            | Self::RelationshipElement(_)
            | Self::Capability(_)
            | Self::BasicEventElement(_)
            | Self::Whole(_) => Vec::new(),
        };
        self.members().serialize_with(&children, serializer)
    }
}

impl<'de> Deserialize<'de> for SubmodelElement {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = json::read(deserializer)?;
        Self::read(value, &mut JsonPath::default()).map_err(D::Error::custom)
    }
}
