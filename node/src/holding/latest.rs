//! What is known of one submodel: the latest reading of each element, and where it came from.
//!
//! It puts together what several observations say, and never fills in what none of them says.

use super::get::{quality_text, value_view};
use super::held::{Found, InspectError};
use crate::failure::Failure;
use crate::node::{Ask, Node};
use crate::store::{Direction, FactValue, LatestReading, StoreError, Wanted};
use ambit_aas::{IdShortPath, IdShortPathStep};
use ambit_ledger::{ObservationId, OrganizationId, Time};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// How many unknown positions of lists are filled with null, over a whole submodel. A position comes from a reading,
/// and one that nobody meant must not cost the memory of all before it.
const PADDING_MAX: usize = 10_000;

/// The latest reading of an element.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Element {
    /// Its idShort path.
    pub path: String,
    /// The AAS value-only form; absent where there is no value.
    pub value: Option<Value>,
    /// The quality, which says why where there is no value.
    pub quality: String,
    /// The unit.
    pub unit: Option<String>,
    /// The instant or the end of the interval.
    pub at: Time,
    /// The observation it is in.
    pub observation: ObservationId,
    /// Who signed that.
    pub origin: OrganizationId,
}

/// The latest value of each element of a submodel, by who says so.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GetLatest {
    /// The submodel's id.
    pub submodel: String,
    /// What this organization says alone.
    pub origin: Option<OrganizationId>,
}

/// The elements of a submodel by path, by who signed them. What one organization says is never completed by another's.
pub type Latest = BTreeMap<OrganizationId, Vec<Element>>;

impl Ask for GetLatest {
    type Answer = Latest;

    fn answer(self, node: &Node, _now: Time) -> Result<Latest, Failure> {
        Ok(node.latest(&self.submodel, self.origin.as_ref())?)
    }
}

impl Node {
    /// The latest reading of each element of a submodel, for each organization that says something of it. Of two at the
    /// same instant it is the one that came into the ledger later.
    ///
    /// # Errors
    /// [`InspectError::NoSubmodel`] where nothing of it is held, [`InspectError::NoneOfOrigin`] where nothing of that origin is;
    /// [`InspectError::UnknownOrganization`], [`InspectError::Store`].
    pub fn latest(
        &self,
        submodel: &str,
        origin: Option<&OrganizationId>,
    ) -> Result<Latest, InspectError> {
        let mut latest: BTreeMap<OrganizationId, BTreeMap<String, Element>> = BTreeMap::new();
        for reading in self.store().latest_of(submodel, origin)? {
            let found = self.held_at(reading.entry)?;
            self.put_latest(
                &reading,
                &found,
                latest
                    .entry(found.observation.facts().issuer.clone())
                    .or_default(),
            )?;
        }
        if latest.is_empty() {
            return Err(self.no_submodel(submodel, origin)?);
        }
        let by_path = |elements: BTreeMap<String, Element>| {
            let mut elements: Vec<Element> = elements.into_values().collect();
            elements.sort_by_cached_key(|element| path_order(&element.path));
            elements
        };
        let latest = latest.into_iter();
        Ok(latest
            .map(|(origin, elements)| (origin, by_path(elements)))
            .collect())
    }

    /// Puts the readings of one observation that are the latest among those of its origin.
    fn put_latest(
        &self,
        latest: &LatestReading,
        found: &Found,
        elements: &mut BTreeMap<String, Element>,
    ) -> Result<(), StoreError> {
        let facts = found.observation.facts();
        let readings = self.readings(found)?.readings;
        if self.store().is_unknown(latest) {
            // They can be read again, and what lies behind them may be later.
            return Err(StoreError::Damaged(
                "readings of this submodel could not be read when it was built",
            ));
        }
        for reading in readings {
            let at = reading.when.to();
            if !self.store().is_latest(latest, &reading.path, at) {
                continue;
            }
            // Of two at the same instant it is the later one.
            let path = reading.path.to_string();
            let element = Element {
                path: path.clone(),
                value: value_view(&reading),
                quality: quality_text(reading.quality).to_owned(),
                unit: reading.unit.as_ref().map(ToString::to_string),
                at,
                observation: found.observation.id(),
                origin: facts.issuer.clone(),
            };
            elements.insert(path, element);
        }
        Ok(())
    }

    /// Why nothing is known of a submodel.
    fn no_submodel(
        &self,
        submodel: &str,
        origin: Option<&OrganizationId>,
    ) -> Result<InspectError, StoreError> {
        let Some(origin) = origin else {
            return Ok(InspectError::NoSubmodel(submodel.to_owned()));
        };
        let governance = self.governance();
        let held = self.held_origins()?;
        let known = governance.known_organizations().chain(&held).collect();
        if let Err(error) = InspectError::check_organization(origin, &known) {
            return Ok(error);
        }
        let mut origins = BTreeSet::new();
        for other in held {
            let of_other = FactValue::Origin(other.as_str());
            let wanted = Wanted {
                facts: vec![vec![FactValue::Submodel(submodel)], vec![of_other]],
                ..Wanted::default()
            };
            let mut found = self.store().found(&wanted, Direction::Before(u64::MAX))?;
            if found.next().transpose()?.is_some() {
                drop(found);
                origins.insert(other);
            }
        }
        Ok(if origins.is_empty() {
            InspectError::NoSubmodel(submodel.to_owned())
        } else {
            InspectError::NoneOfOrigin {
                submodel: submodel.to_owned(),
                origin: origin.clone(),
                origins,
            }
        })
    }
}

/// The order of elements: by path, and those without one last.
pub(crate) fn path_order(path: &str) -> (bool, Option<IdShortPath>) {
    let path = IdShortPath::parse(path).ok();
    (path.is_none(), path)
}

/// The value-only form of a submodel (IDTA-01002) from its elements: an object, nested by path. An element without a
/// value is null.
///
/// A list is an array, and null where nothing is known of a position; one with very many unknown positions is an
/// object by position. Where one element is said to have a value and elements below it as well, the elements below
/// stand. An element whose path is none is left out.
#[must_use]
pub fn value_form(elements: &[Element]) -> Value {
    let mut root = Branch::default();
    for element in elements {
        if let Ok(path) = IdShortPath::parse(&element.path) {
            root.branch(&path).own = Some(element.value.clone().unwrap_or_default());
        }
    }
    let mut padding = PADDING_MAX;
    match root.form(&mut padding) {
        Value::Null => Value::Object(Map::new()),
        form => form,
    }
}

/// What is known at a path, and below it.
#[derive(Debug, Default)]
struct Branch {
    own: Option<Value>,
    names: BTreeMap<String, Branch>,
    positions: BTreeMap<usize, Branch>,
}

impl Branch {
    fn branch(&mut self, path: &IdShortPath) -> &mut Self {
        let first = self.names.entry(path.first().to_string()).or_default();
        path.rest().iter().fold(first, |branch, step| match step {
            IdShortPathStep::Name(name) => branch.names.entry(name.to_string()).or_default(),
            IdShortPathStep::Index(index) => branch.positions.entry(*index).or_default(),
        })
    }

    fn form(self, padding: &mut usize) -> Value {
        if self.names.is_empty() && self.positions.is_empty() {
            return self.own.unwrap_or_default();
        }
        if self.names.is_empty() {
            return list(self.positions, padding);
        }
        let mut below = Map::new();
        for (name, branch) in self.names {
            below.insert(name, branch.form(padding));
        }
        // Said to be a list and a collection: both are shown.
        for (position, branch) in self.positions {
            below.insert(position.to_string(), branch.form(padding));
        }
        match self.own {
            Some(Value::Object(own)) => joined(own, below),
            _ => Value::Object(below),
        }
    }
}

fn list(positions: BTreeMap<usize, Branch>, padding: &mut usize) -> Value {
    let last = positions.last_key_value().map_or(0, |(last, _)| *last);
    // There is at least one position, and each is at most the last.
    let unknown = last - positions.len().saturating_sub(1);
    let Some(left) = padding.checked_sub(unknown) else {
        let members = positions.into_iter();
        let members =
            members.map(|(position, branch)| (position.to_string(), branch.form(padding)));
        return Value::Object(members.collect());
    };
    *padding = left;
    let mut items = Vec::new();
    for (position, branch) in positions {
        items.resize(position, Value::Null);
        items.push(branch.form(padding));
    }
    Value::Array(items)
}

/// An entity with its statements, or a relationship with its annotations: the two kinds of elements that have a value
/// of their own and elements below.
fn joined(own: Map<String, Value>, below: Map<String, Value>) -> Value {
    let has_only = |names: &[&str]| own.keys().all(|name| names.contains(&name.as_str()));
    let mut form = Map::new();
    if has_only(&["entityType", "globalAssetId", "specificAssetIds"]) {
        form.insert("statements".to_owned(), Value::Object(below));
        form.extend(own);
    } else if has_only(&["first", "second"]) {
        form.extend(own);
        let annotations = below.into_iter();
        let annotations = annotations.map(|member| Value::Object(Map::from_iter([member])));
        form.insert("annotations".to_owned(), annotations.collect());
    } else {
        form = below;
    }
    Value::Object(form)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn form(values: &[(&str, Value)]) -> Value {
        let elements: Vec<Element> = values
            .iter()
            .map(|(path, value)| Element {
                path: (*path).to_owned(),
                value: (!value.is_null()).then(|| value.clone()),
                quality: "good".to_owned(),
                unit: None,
                at: "2026-05-01T08:00:00Z".parse().unwrap(),
                observation: "ab".repeat(32).parse().unwrap(),
                origin: "did:web:a.example".parse().unwrap(),
            })
            .collect();
        value_form(&elements)
    }

    #[test]
    fn paths_are_nested() {
        let values = [
            ("Flatness", json!(0.04)),
            ("Spindles[0].Speed", json!(1200)),
            ("Spindles[1].Speed", Value::Null),
            ("Spindles[1].State", json!("idle")),
            ("Grid[0][0]", json!(1)),
            ("Grid[0][1]", json!(2)),
        ];
        let expected = json!({
            "Flatness": 0.04,
            "Grid": [[1, 2]],
            "Spindles": [{"Speed": 1200}, {"Speed": null, "State": "idle"}],
        });
        assert_eq!(form(&values), expected);
        assert_eq!(form(&[]), json!({}));
    }

    #[test]
    fn an_unknown_position_is_null_and_a_far_one_costs_nothing() {
        assert_eq!(form(&[("A[2]", json!(1))]), json!({"A": [null, null, 1]}));
        let far = format!("A[{}]", usize::MAX);
        let expected = json!({"A": {"0": 1, usize::MAX.to_string(): 2}});
        assert_eq!(form(&[("A[0]", json!(1)), (&far, json!(2))]), expected);
        // Many lists share what may be filled.
        let deep = format!("A{}", "[9000]".repeat(100));
        assert!(form(&[(&deep, json!(1))]).to_string().len() < 100_000);
    }

    #[test]
    fn statements_and_annotations_have_their_place() {
        let reference = json!({"type": "ExternalReference", "keys": []});
        let values = [
            ("Asset", json!({"entityType": "CoManagedEntity"})),
            ("Asset.Mass", json!(2)),
            ("Link", json!({"first": reference, "second": reference})),
            ("Link.Note", json!("x")),
        ];
        let expected = json!({
            "Asset": {"statements": {"Mass": 2}, "entityType": "CoManagedEntity"},
            "Link": {"first": reference, "second": reference, "annotations": [{"Note": "x"}]},
        });
        assert_eq!(form(&values), expected);
    }

    #[test]
    fn what_cannot_be_nested_leaves_the_rest_alone() {
        let values = [
            ("A", json!(1)),
            ("A.B", json!(2)),
            ("C[0]", json!(3)),
            ("C.D", json!(4)),
            ("no path", json!(5)),
        ];
        assert_eq!(form(&values), json!({"A": {"B": 2}, "C": {"D": 4, "0": 3}}));
    }
}
