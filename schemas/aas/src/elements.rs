//! The kinds of submodel elements whose members are plain, with or without child elements (IDTA-01001). One table: see
//! [`crate::table`]; a kind that has child elements names their accessor and member in brackets. An operation, whose
//! children are variables, is in [`crate::operation`].

use crate::objects::{LangString, Reference, SpecificAssetId};

/// Makes types of elements. All members are kept as they came; child elements are read into types of their own.
macro_rules! elements {
    ($(
        $(#[$documentation:meta])+
        $name:ident $([$(#[$child_documentation:meta])+ $children:ident: $child_member:literal])? { $($rows:tt)* }
    )+) => {$(
        $(#[$documentation])+
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name {
            members: $crate::members::Members,
            $($children: Option<Vec<$crate::element::SubmodelElement>>,)?
        }

        $crate::table::rows! { $name SHAPES $($rows)* }

        impl $name {
            pub(crate) fn read(
                object: ::serde_json::Map<String, ::serde_json::Value>,
                at: &mut $crate::json_path::JsonPath,
            ) -> Result<Self, $crate::shape::ShapeError> {
                $crate::shape::check_members(&object, Self::SHAPES, at)?;
                $(
                    let mut object = object;
                    let read = $crate::element::SubmodelElement::read;
                    let $children = $crate::shape::take_items(&mut object, $child_member, at, read)?;
                )?
                let taken = [$((
                    $child_member,
                    $crate::whole::Presence::of_items($children.as_deref()),
                ))?];
                Ok(Self {
                    members: $crate::members::Members::without(object, taken),
                    $($children,)?
                })
            }

            /// All members but child elements.
            #[must_use]
            pub fn members(&self) -> &$crate::members::Members {
                &self.members
            }

            $(
                $(#[$child_documentation])+
                #[must_use]
                pub fn $children(&self) -> &[$crate::element::SubmodelElement] {
                    self.$children.as_deref().unwrap_or_default()
                }
            )?

            #[allow(dead_code, reason = "some kinds have no members of their own")]
            fn get(&self, name: &str) -> Option<&::serde_json::Value> {
                self.members.member(name)
            }
        }
    )+};
}

elements! {
    /// One value of one data type (IDTA-01001, `Property`).
    Property {
        /// The name of the data type, e.g. `xs:double`, as written.
        value_type: text "valueType",
        /// The value in its lexical form. `None` is a missing value, never an empty text or a zero.
        value: text "value",
        /// What the value is, in a dictionary.
        value_id: one Reference "valueId",
    }
    /// One text in several languages (IDTA-01001, `MultiLanguageProperty`).
    MultiLanguageProperty {
        /// The texts, in the order in which they came. `None` is a missing value.
        value: given LangString "value",
        /// What the value is, in a dictionary.
        value_id: one Reference "valueId",
    }
    /// An interval, open where a bound is absent (IDTA-01001, `Range`).
    Range {
        /// The name of the data type of both bounds, as written.
        value_type: text "valueType",
        /// The lower bound in its lexical form; without one the interval is open below.
        min: text "min",
        /// The upper bound in its lexical form; without one the interval is open above.
        max: text "max",
    }
    /// The address of a file (IDTA-01001, `File`).
    File {
        /// The path or address of the file.
        value: text "value",
        /// The media type (RFC 2046).
        content_type: text "contentType",
    }
    /// A content in the element itself, as Base64 (IDTA-01001, `Blob`).
    Blob {
        /// The content, in Base64.
        value: text "value",
        /// The media type (RFC 2046).
        content_type: text "contentType",
    }
    /// A reference as the value (IDTA-01001, `ReferenceElement`).
    ReferenceElement {
        /// The reference.
        value: one Reference "value",
    }
    /// That two things are related (IDTA-01001, `RelationshipElement`).
    RelationshipElement {
        /// What is related, the subject.
        first: one Reference "first",
        /// To what it is related, the object.
        second: one Reference "second",
    }
    /// That two things are related, and data about it (IDTA-01001, `AnnotatedRelationshipElement`).
    AnnotatedRelationshipElement [
        /// The annotations, in the order in which they came; none where they are absent or null.
        annotations: "annotations"
    ] {
        /// What is related, the subject.
        first: one Reference "first",
        /// To what it is related, the object.
        second: one Reference "second",
    }
    /// Elements with names (IDTA-01001, `SubmodelElementCollection`).
    SubmodelElementCollection [
        /// The elements, in the order in which they came; none where `value` is absent or null.
        value: "value"
    ] {}
    /// Elements of one kind, by position and without names (IDTA-01001, `SubmodelElementList`).
    SubmodelElementList [
        /// The elements by position; none where `value` is absent or null.
        value: "value"
    ] {
        /// Whether the order of the elements means something; without a word on it, it does.
        order_relevant: flag "orderRelevant",
        /// What every element of the list means, if the list says so.
        semantic_id_list_element: one Reference "semanticIdListElement",
        /// The `modelType` that every element of the list has.
        type_value_list_element: text "typeValueListElement",
        /// The data type that every Property or Range of the list has.
        value_type_list_element: text "valueTypeListElement",
    }
    /// A part that has, or could have, a shell of its own, and what is stated about it (IDTA-01001, `Entity`).
    Entity [
        /// The statements, in the order in which they came; none where they are absent or null.
        statements: "statements"
    ] {
        /// `SelfManagedEntity` or `CoManagedEntity`, as written.
        entity_type: text "entityType",
        /// The global identifier of the asset.
        global_asset_id: text "globalAssetId",
        /// The other identifiers of the asset, such as serial numbers.
        specific_asset_ids: several SpecificAssetId "specificAssetIds",
    }
    /// What an asset can do, told by its semantic id (IDTA-01001, `Capability`). It has no value.
    Capability {}
    /// That something may happen to what is observed, and how it is told (IDTA-01001, `BasicEventElement`).
    BasicEventElement {
        /// What is observed.
        observed: one Reference "observed",
        /// `input` or `output`, as written.
        direction: text "direction",
        /// `on` or `off`, as written.
        state: text "state",
        /// The topic under which it is told.
        message_topic: text "messageTopic",
        /// Through whom it is told.
        message_broker: one Reference "messageBroker",
        /// When it was last told, an `xs:dateTime` in UTC, in its lexical form.
        last_update: text "lastUpdate",
        /// The least time between two tellings, an `xs:duration`, in its lexical form.
        min_interval: text "minInterval",
        /// The most time between two tellings, an `xs:duration`, in its lexical form.
        max_interval: text "maxInterval",
    }
    /// An element of a kind the metamodel does not know, whole.
    WholeElement {}
}
