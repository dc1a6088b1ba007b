//! One observation in full.

use super::held::InspectError;
use super::list::{Item, item};
use crate::failure::Failure;
use crate::node::{Ask, Node};
use crate::partnership::Standing;
use crate::store::{StoreError, own_disclosure};
use ambit_ledger::{
    Body, Facts, ObservationId, OrganizationId, PartnershipId, Purpose, Quality, Scope, Time, When,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// One observation in full.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GetObservation {
    /// The start of its id.
    pub id: String,
}

impl Ask for GetObservation {
    type Answer = ObservationDetail;

    fn answer(self, node: &Node, now: Time) -> Result<ObservationDetail, Failure> {
        Ok(node.detail(&self.id, now)?)
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
    /// On which terms, with those of its purposes that this node's own layers admitted.
    pub scope: Scope,
    /// The purposes disclosed for, which they did not admit.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub purposes_not_admitted: BTreeSet<Purpose>,
    /// Whether the time to hold it is past.
    pub is_past: bool,
    /// How the agreement stands now.
    pub agreement: Standing,
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
    pub fn detail(&self, prefix: &str, now: Time) -> Result<ObservationDetail, InspectError> {
        let found = self.find(prefix)?;
        let readings = self.readings(&found)?;
        Ok(ObservationDetail {
            item: item(&found),
            facts: found.observation.facts().clone(),
            terms: self.held_terms(&found.observation.id(), self.reading_instant(now))?,
            readings: readings.readings.iter().map(reading_view).collect(),
        })
    }
}

impl Node {
    fn held_terms(&self, id: &ObservationId, now: Time) -> Result<Vec<HeldTerms>, StoreError> {
        let governance = self.governance();
        let mut all = Vec::new();
        for recorded in self.admissions(id)? {
            if let Body::Admitted(admitted) = &recorded.body {
                let disclosure = own_disclosure(&admitted.disclosure)?;
                let mut scope = disclosure.scope;
                let disclosed_for = std::mem::take(&mut scope.purposes);
                let taken = self.taken_for(admitted, disclosed_for)?;
                scope.purposes = taken.purposes;
                let known = governance.partnership(&disclosure.partnership);
                all.push(HeldTerms {
                    agreement: known.map_or(Standing::Ended, |known| known.standing(now)),
                    partnership: disclosure.partnership,
                    discloser: disclosure.discloser,
                    is_past: scope.hold_until <= now,
                    scope,
                    purposes_not_admitted: taken.not_admitted,
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
