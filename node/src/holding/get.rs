//! One observation in full.

use super::held::InspectError;
use super::list::{Item, item};
use crate::failure::Failure;
use crate::node::{Ask, Node};
use crate::store::{StoreError, own_disclosure};
use ambit_ledger::{
    Body, Facts, ObservationId, OrganizationId, PartnershipId, Quality, Scope, Time, When,
};
use serde::{Deserialize, Serialize};

/// One observation in full.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GetObservation {
    /// The start of its id.
    pub id: String,
}

impl Ask for GetObservation {
    type Answer = ObservationDetail;

    fn answer(self, node: &Node, _now: Time) -> Result<ObservationDetail, Failure> {
        Ok(node.detail(&self.id)?)
    }
}

/// One observation in full.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ObservationDetail {
    /// As in a list.
    pub item: Item,
    /// The facts.
    pub facts: Facts,
    /// The terms it is held on, those of each agreement under which it came; none for this node's own.
    pub terms: Vec<HeldTerms>,
    /// The readings.
    pub readings: Vec<ReadingView>,
}

/// The terms an observation is held on under one agreement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldTerms {
    /// Under which partnership.
    pub partnership: PartnershipId,
    /// Who disclosed it.
    pub discloser: OrganizationId,
    /// On which terms.
    pub scope: Scope,
}

/// One reading, for people and programs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReadingView {
    /// The element's idShort path.
    pub path: String,
    /// The instant or the start of the interval.
    pub from: Time,
    /// The end of the interval.
    pub to: Option<Time>,
    /// The quality.
    pub quality: String,
    /// The AAS value-only form; absent where there is no value.
    pub value: Option<serde_json::Value>,
    /// The unit.
    pub unit: Option<String>,
}

impl Node {
    /// One observation, named by the start of its id.
    ///
    /// # Errors
    /// Any [`InspectError`].
    pub fn detail(&self, prefix: &str) -> Result<ObservationDetail, InspectError> {
        let found = self.find(prefix)?;
        let readings = self.readings(&found)?;
        Ok(ObservationDetail {
            item: item(&found),
            facts: found.observation.facts().clone(),
            terms: self.held_terms(&found.observation.id())?,
            readings: readings.readings.iter().map(reading_view).collect(),
        })
    }
}

impl Node {
    fn held_terms(&self, id: &ObservationId) -> Result<Vec<HeldTerms>, StoreError> {
        let mut all = Vec::new();
        for recorded in self.admissions(id)? {
            if let Body::Admitted(admitted) = &recorded.body {
                let disclosure = own_disclosure(&admitted.disclosure)?;
                all.push(HeldTerms {
                    partnership: disclosure.partnership,
                    discloser: disclosure.discloser,
                    scope: disclosure.scope,
                });
            }
        }
        Ok(all)
    }
}

pub(super) fn reading_view(reading: &ambit_ledger::Reading) -> ReadingView {
    let (from, to) = match reading.when {
        When::Instant { at } => (at, None),
        When::Interval { from, to } => (from, Some(to)),
    };
    ReadingView {
        path: reading.path.to_string(),
        from,
        to,
        quality: quality_text(reading.quality).to_owned(),
        value: value_view(reading),
        unit: reading.unit.as_ref().map(ToString::to_string),
    }
}

pub(super) fn quality_text(quality: Quality) -> &'static str {
    match quality {
        Quality::Good => "good",
        Quality::Uncertain => "uncertain",
        Quality::Bad => "bad",
        Quality::Unavailable => "unavailable",
        Quality::Empty => "empty",
    }
}

pub(super) fn value_view(reading: &ambit_ledger::Reading) -> Option<serde_json::Value> {
    reading.value.as_ref().map(|text| {
        serde_json::from_str(text).unwrap_or_else(|_| serde_json::Value::String(text.clone()))
    })
}
