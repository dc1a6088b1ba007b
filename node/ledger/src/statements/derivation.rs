//! Derivations: what derived data was made of, how, and what bounds it.

use crate::digest::{Digest, ObservationId, Salt};
use crate::facts::ExportControl;
use crate::names::{DataClass, Name, OrganizationId};
use crate::payload::issued_statement;
use crate::terms::Scope;
use crate::time::Time;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What derived data was made of. The payload of its statement, which travels with each disclosure of the output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Derivation {
    /// Who derived it; the issuer.
    pub deriver: OrganizationId,
    /// What was made.
    pub output: ObservationId,
    /// Of what, ascending by commitment; at least one. The commitments are those of the output's facts.
    pub inputs: Vec<DerivedInput>,
    /// What the scopes and the terms for derived data of all inputs allow together: no disclosure of the output is
    /// wider.
    pub bound: Scope,
    /// The distinct labels of the inputs; the output is judged once under each, and all must admit.
    pub labels: BTreeSet<Labels>,
    /// SHA-256 of the persons' signatures that took labels off.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub declassifications: BTreeSet<Digest>,
    /// How it was computed, so that it can be again; absent where it was set by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub computation: Option<Computation>,
    /// When.
    pub at: Time,
}

/// One input of a derivation: a salted commitment, which only who has the input can open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DerivedInput {
    /// As [`crate::input_commitment`] makes it.
    pub commitment: Digest,
    /// The salt it was made with.
    pub salt: Salt,
}

/// What sticks to data, and to what is derived from it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Labels {
    /// The class of data.
    pub data_class: DataClass,
    /// Whose data the input is.
    pub owner: OrganizationId,
    /// Who owns the design it follows from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub design_authority: Option<OrganizationId>,
    /// Whether it is a trade secret.
    pub trade_secret: bool,
    /// Its export control classification.
    pub export_control: ExportControl,
}

/// A computation in decimal arithmetic, over the values of elements of the inputs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Computation {
    /// What is computed.
    pub function: Function,
    /// Of what, in this order; at least one.
    pub of: Vec<ComputedTerm>,
    /// What is added, of a linear function: a decimal number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub constant: Option<Name>,
}

/// What a computation computes. Append-only: the numbers are on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Function {
    /// The arithmetic mean.
    Mean,
    /// The sum.
    Sum,
    /// The least value.
    Min,
    /// The greatest value.
    Max,
    /// How many values there are.
    Count,
    /// The sum of each value with its factor, and the constant.
    Linear,
}

/// The values of one element of one input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ComputedTerm {
    /// The input's place in the derivation, from 0.
    pub input: u32,
    /// The element's idShort path.
    pub path: Name,
    /// Its factor, of a linear function: a decimal number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub factor: Option<Name>,
}

issued_statement!(
    Derivation,
    issuer: deriver,
    at: at,
    subject: |derivation| derivation.output.to_string(),
);

impl Derivation {
    fn broken_rule(&self) -> Option<&'static str> {
        let is_ascending = self
            .inputs
            .is_sorted_by(|one, other| one.commitment < other.commitment);
        if self.inputs.is_empty() || !is_ascending {
            return Some("a derivation names its inputs, ascending by commitment");
        }
        if self.labels.is_empty() {
            return Some("a derivation names the labels of its inputs");
        }
        if let Some(computation) = &self.computation {
            let inputs = u32::try_from(self.inputs.len()).unwrap_or(u32::MAX);
            let is_of_inputs = computation.of.iter().all(|term| term.input < inputs);
            if computation.of.is_empty() || !is_of_inputs {
                return Some("a computation is over the inputs");
            }
        }
        self.bound.broken_rule()
    }
}
