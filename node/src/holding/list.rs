//! The observations that are held.

use super::held::{Found, InspectError};
use crate::failure::Failure;
use crate::node::{Ask, Node};
use crate::store::{Direction, FactValue, Wanted, own_disclosure};
use ambit_ledger::{Body, DataClass, Facts, ObservationId, OrganizationId, Time};
use ambit_policy::Taxonomies;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// How many one answer holds at most, whatever was asked for: neither a node nor who asks holds more of a list at a time.
pub const PAGE_MAX: usize = 1_000;

/// The observations that are held.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListObservations {
    /// Which.
    pub filter: Filter,
}

impl Ask for ListObservations {
    type Answer = Vec<Item>;

    fn answer(self, node: &Node, _now: Time) -> Result<Vec<Item>, Failure> {
        Ok(node.list(&self.filter)?)
    }
}

/// Which observations to list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    /// Of this part's value.
    pub part: Option<String>,
    /// Of this lot's value.
    pub lot: Option<String>,
    /// Of this submodel.
    pub submodel: Option<String>,
    /// Signed by this organization.
    pub origin: Option<OrganizationId>,
    /// Of this serial number.
    pub serial: Option<String>,
    /// Of this program's value.
    pub program: Option<String>,
    /// Of this class of data, or one that lies within it.
    pub data_class: Option<DataClass>,
    /// Observed at this instant or later, in part at least.
    pub from: Option<Time>,
    /// Observed before this instant, in part at least.
    pub until: Option<Time>,
    /// To be held no longer than until this instant, by one of the disclosures it came with at least: never this node's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_by: Option<Time>,
    /// In the ledger after this entry.
    pub after: Option<u64>,
    /// In the ledger before this entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<u64>,
    /// At most so many, and at most [`PAGE_MAX`]: the newest where it is given without `after`, otherwise the first.
    pub limit: Option<usize>,
}

/// One observation in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Its id.
    pub id: ObservationId,
    /// Its entry in the ledger.
    pub entry: u64,
    /// Who signed it.
    pub origin: OrganizationId,
    /// The class of data.
    pub data_class: String,
    /// The submodel.
    pub submodel: String,
    /// The part.
    pub part: Option<String>,
    /// The serial number.
    pub serial: Option<String>,
    /// The lot.
    pub lot: Option<String>,
    /// The program.
    pub program: Option<String>,
    /// The earliest instant observed.
    pub observed_from: Time,
    /// The latest instant observed.
    pub observed_to: Time,
    /// How many readings.
    pub readings: u32,
}

impl Node {
    /// The observations held, in the order of the ledger: a page of them.
    ///
    /// # Errors
    /// Any [`InspectError`].
    pub fn list(&self, filter: &Filter) -> Result<Vec<Item>, InspectError> {
        let governance = self.governance();
        let taxonomies = governance.layers().taxonomies();
        if let Some(class) = &filter.data_class {
            taxonomies.check_class(class)?;
        }
        let limit = filter.limit.map_or(PAGE_MAX, |limit| limit.min(PAGE_MAX));
        let way = match filter.after {
            Some(after) => Direction::From(after.saturating_add(1)),
            None if filter.limit.is_some() => Direction::Before(filter.before.unwrap_or(u64::MAX)),
            None => Direction::From(0),
        };
        let mut items = Vec::new();
        for index in self.store().found(&filter.wanted(taxonomies), way)? {
            if items.len() >= limit {
                break;
            }
            // What came under two partnerships is one observation, held on the terms of both.
            let found = self.held_at(index?)?;
            let item = item(&found);
            if filter.takes(&item, found.observation.facts(), taxonomies)
                && self.is_to_expire(&item.id, filter.expires_by)?
            {
                items.push(item);
            }
        }
        if matches!(way, Direction::Before(_)) {
            items.reverse();
        }
        if let (Some(origin), true) = (&filter.origin, items.is_empty()) {
            let held = self.held_origins()?;
            let members = governance.known_organizations();
            let known: BTreeSet<&OrganizationId> = members.chain(&held).collect();
            InspectError::check_organization(origin, &known)?;
        }
        Ok(items)
    }

    /// Whether an observation may be held no longer than until an instant, where one is given, under one agreement at least.
    fn is_to_expire(&self, id: &ObservationId, by: Option<Time>) -> Result<bool, InspectError> {
        let Some(by) = by else {
            return Ok(true);
        };
        for recorded in self.admissions(id)? {
            if let Body::Admitted(admitted) = &recorded.body
                && own_disclosure(&admitted.disclosure)?.scope.hold_until <= by
            {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl Filter {
    /// What leads to the observations that it takes.
    fn wanted<'a>(&'a self, taxonomies: &'a Taxonomies) -> Wanted<'a> {
        let one = |value: &'a Option<String>, fact: fn(&'a str) -> FactValue<'a>| {
            value.as_deref().map(|value| vec![fact(value)])
        };
        let classes = self.data_class.as_ref().map(|class| {
            let names = taxonomies.classes_within(class);
            names.map(FactValue::DataClass).collect()
        });
        let origin = self.origin.as_ref();
        let facts = [
            one(&self.part, FactValue::Part),
            one(&self.lot, FactValue::Lot),
            one(&self.submodel, FactValue::Submodel),
            one(&self.serial, FactValue::Serial),
            one(&self.program, FactValue::Program),
            classes,
            origin.map(|origin| vec![FactValue::Origin(origin.as_str())]),
        ];
        Wanted {
            facts: facts.into_iter().flatten().collect(),
            from: self.from,
            until: self.until,
            expires_by: self.expires_by,
        }
    }

    fn takes(&self, item: &Item, facts: &Facts, taxonomies: &Taxonomies) -> bool {
        let is_same = |wanted: &Option<String>, found: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| found == Some(wanted))
        };
        is_same(&self.part, item.part.as_deref())
            && is_same(&self.lot, item.lot.as_deref())
            && is_same(&self.submodel, Some(&item.submodel))
            && is_same(&self.serial, item.serial.as_deref())
            && is_same(&self.program, item.program.as_deref())
            && self
                .data_class
                .as_ref()
                .is_none_or(|class| taxonomies.class_is_within(&facts.data_class, class))
            && self.from.is_none_or(|from| facts.observed_to >= from)
            && self.until.is_none_or(|until| facts.observed_from < until)
            && self.after.is_none_or(|after| item.entry > after)
            && self.before.is_none_or(|before| item.entry < before)
            && self
                .origin
                .as_ref()
                .is_none_or(|origin| *origin == item.origin)
    }
}

pub(super) fn item(found: &Found) -> Item {
    let facts = found.observation.facts();
    let value =
        |pair: &Option<ambit_ledger::Assigned>| pair.as_ref().map(|pair| pair.value.to_string());
    Item {
        id: found.observation.id(),
        entry: found.recorded.index,
        origin: facts.issuer.clone(),
        data_class: facts.data_class.to_string(),
        submodel: facts.submodel.to_string(),
        part: value(&facts.part),
        serial: facts.serial.as_ref().map(ToString::to_string),
        lot: value(&facts.lot),
        program: value(&facts.program),
        observed_from: facts.observed_from,
        observed_to: facts.observed_to,
        readings: facts.reading_count,
    }
}
