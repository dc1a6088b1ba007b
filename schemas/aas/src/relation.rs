//! Elements that point at others: relationships, with and without annotations, and events (IDTA-01001).

use serde_json::{Map, Value};

use crate::data_element::elements_without_children;
use crate::element::SubmodelElement;
use crate::json_path::JsonPath;
use crate::members::Members;
use crate::reference::Reference;
use crate::shape::{ONE_REFERENCE, Shape, ShapeError, check_members, take_items};
use crate::whole::Presence;

elements_without_children! {
    /// That two things are related (IDTA-01001, `RelationshipElement`).
    RelationshipElement ["first": ONE_REFERENCE, "second": ONE_REFERENCE],
    /// That something may happen to what is observed, and how it is told (IDTA-01001, `BasicEventElement`).
    BasicEventElement [
        "observed": ONE_REFERENCE,
        "direction": Shape::Text,
        "state": Shape::Text,
        "messageTopic": Shape::Text,
        "messageBroker": ONE_REFERENCE,
        "lastUpdate": Shape::Text,
        "minInterval": Shape::Text,
        "maxInterval": Shape::Text
    ],
}

impl RelationshipElement {
    /// What is related, the subject.
    #[must_use]
    pub fn first(&self) -> Option<Reference> {
        self.members.reference("first")
    }

    /// To what it is related, the object.
    #[must_use]
    pub fn second(&self) -> Option<Reference> {
        self.members.reference("second")
    }
}

/// That two things are related, and data about it (IDTA-01001, `AnnotatedRelationshipElement`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnnotatedRelationshipElement {
    members: Members,
    annotations: Option<Vec<SubmodelElement>>,
}

impl AnnotatedRelationshipElement {
    pub(crate) fn read(
        mut object: Map<String, Value>,
        at: &mut JsonPath,
    ) -> Result<Self, ShapeError> {
        let related = [("first", ONE_REFERENCE), ("second", ONE_REFERENCE)];
        check_members(&object, &related, at)?;
        let annotations = take_items(&mut object, "annotations", at, SubmodelElement::read)?;
        let members = Members::without(
            object,
            [("annotations", Presence::of_items(annotations.as_deref()))],
        );
        Ok(Self {
            members,
            annotations,
        })
    }

    /// All members but `annotations`.
    #[must_use]
    pub fn members(&self) -> &Members {
        &self.members
    }

    /// What is related, the subject.
    #[must_use]
    pub fn first(&self) -> Option<Reference> {
        self.members.reference("first")
    }

    /// To what it is related, the object.
    #[must_use]
    pub fn second(&self) -> Option<Reference> {
        self.members.reference("second")
    }

    /// The annotations, in the order in which they came; none where they are absent or null.
    #[must_use]
    pub fn annotations(&self) -> &[SubmodelElement] {
        self.annotations.as_deref().unwrap_or_default()
    }
}

impl BasicEventElement {
    /// What is observed.
    #[must_use]
    pub fn observed(&self) -> Option<Reference> {
        self.members.reference("observed")
    }

    /// `input` or `output`, as written.
    #[must_use]
    pub fn direction(&self) -> Option<&str> {
        self.members.text("direction")
    }

    /// `on` or `off`, as written.
    #[must_use]
    pub fn state(&self) -> Option<&str> {
        self.members.text("state")
    }

    /// The topic under which it is told.
    #[must_use]
    pub fn message_topic(&self) -> Option<&str> {
        self.members.text("messageTopic")
    }

    /// Through whom it is told.
    #[must_use]
    pub fn message_broker(&self) -> Option<Reference> {
        self.members.reference("messageBroker")
    }

    /// When it was last told, an `xs:dateTime` in UTC, in its lexical form.
    #[must_use]
    pub fn last_update(&self) -> Option<&str> {
        self.members.text("lastUpdate")
    }

    /// The least time between two tellings, an `xs:duration`, in its lexical form.
    #[must_use]
    pub fn min_interval(&self) -> Option<&str> {
        self.members.text("minInterval")
    }

    /// The most time between two tellings, an `xs:duration`, in its lexical form.
    #[must_use]
    pub fn max_interval(&self) -> Option<&str> {
        self.members.text("maxInterval")
    }
}
