//! An operation: something that can be called, with what goes in and what comes out (IDTA-01001). Calling it is not a
//! matter of this crate.

use serde::ser::{Serialize, Serializer};
use serde_json::{Map, Value};

use crate::element::SubmodelElement;
use crate::json_path::JsonPath;
use crate::members::{Children, Members};
use crate::shape::{ShapeError, object_of, take_items};
use crate::whole::Presence;

/// Something that can be called (IDTA-01001, `Operation`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    members: Members,
    input_variables: Option<Vec<OperationVariable>>,
    output_variables: Option<Vec<OperationVariable>>,
    inoutput_variables: Option<Vec<OperationVariable>>,
}

impl Operation {
    pub(crate) fn read(
        mut object: Map<String, Value>,
        at: &mut JsonPath,
    ) -> Result<Self, ShapeError> {
        let mut take = |name| take_items(&mut object, name, at, OperationVariable::read);
        let input_variables = take("inputVariables")?;
        let output_variables = take("outputVariables")?;
        let inoutput_variables = take("inoutputVariables")?;
        let taken = [
            (
                "inputVariables",
                Presence::of_items(input_variables.as_deref()),
            ),
            (
                "outputVariables",
                Presence::of_items(output_variables.as_deref()),
            ),
            (
                "inoutputVariables",
                Presence::of_items(inoutput_variables.as_deref()),
            ),
        ];
        Ok(Self {
            members: Members::without(object, taken),
            input_variables,
            output_variables,
            inoutput_variables,
        })
    }

    /// All members but the variables.
    #[must_use]
    pub fn members(&self) -> &Members {
        &self.members
    }

    /// What goes in; none where it is absent or null.
    #[must_use]
    pub fn input_variables(&self) -> &[OperationVariable] {
        self.input_variables.as_deref().unwrap_or_default()
    }

    /// What comes out; none where it is absent or null.
    #[must_use]
    pub fn output_variables(&self) -> &[OperationVariable] {
        self.output_variables.as_deref().unwrap_or_default()
    }

    /// What goes in and comes out altered; none where it is absent or null.
    #[must_use]
    pub fn inoutput_variables(&self) -> &[OperationVariable] {
        self.inoutput_variables.as_deref().unwrap_or_default()
    }

    /// All variables: in, out, and both.
    pub(crate) fn variables(&self) -> impl Iterator<Item = &OperationVariable> {
        let (input, output) = (self.input_variables(), self.output_variables());
        input.iter().chain(output).chain(self.inoutput_variables())
    }

    pub(crate) fn children(&self) -> [(&'static str, Children<'_>); 3] {
        [
            (
                "inputVariables",
                Children::Variables(self.input_variables()),
            ),
            (
                "outputVariables",
                Children::Variables(self.output_variables()),
            ),
            (
                "inoutputVariables",
                Children::Variables(self.inoutput_variables()),
            ),
        ]
    }
}

/// One variable of an operation: an element as its pattern (IDTA-01001, `OperationVariable`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperationVariable {
    members: Members,
    value: Option<Box<SubmodelElement>>,
}

impl OperationVariable {
    pub(crate) fn read(value: Value, at: &mut JsonPath) -> Result<Self, ShapeError> {
        let mut object = object_of(value, at)?;
        let value = match object.get_mut("value").map(Value::take) {
            None | Some(Value::Null) => None,
            Some(value) => {
                Some(Box::new(at.within_member("value", |at| {
                    SubmodelElement::read(value, at)
                })?))
            }
        };
        let members =
            Members::without(object, [("value", value.as_ref().map(|_| Presence::Given))]);
        Ok(Self { members, value })
    }

    /// All members but `value`.
    #[must_use]
    pub fn members(&self) -> &Members {
        &self.members
    }

    /// The element; none where `value` is absent or null.
    #[must_use]
    pub fn value(&self) -> Option<&SubmodelElement> {
        self.value.as_deref()
    }
}

impl Serialize for OperationVariable {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let value = self
            .value()
            .map(|element| ("value", Children::Element(element)));
        self.members.serialize_with(value.as_slice(), serializer)
    }
}
