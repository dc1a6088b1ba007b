//! Looking: what is held, from whom, on what terms, and how the node stands.

use super::Node;
use crate::store::{BoxKey, Recorded, StoreError};
use ambit_ledger::{
    Body, Disclosure, EditionStage, Facts, Fingerprint, Layer, Observation, ObservationId,
    OrganizationId, PartnershipId, Quality, Readings, Scope, Verdict, When,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Something asked for is not there, or cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No observation has such an id.
    #[error("no observation starts with `{0}`; `ambit list` shows the ids")]
    NotFound(String),
    /// Several observations have such an id.
    #[error("`{prefix}` is the start of {count} ids or more; give more digits")]
    Ambiguous {
        /// What was given.
        prefix: String,
        /// How many at least.
        count: usize,
    },
    /// Not the start of an id.
    #[error("`{0}` is not the start of an id: at least 4 hexadecimal digits")]
    NotAnId(String),
    /// The organization is in no partnership with this node.
    #[error(
        "no partnership in force has the member `{0}`; `ambit partner list` shows the partnerships"
    )]
    NoPartnership(OrganizationId),
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
    /// At most so many, the newest.
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
    /// The earliest instant observed, RFC 3339.
    pub observed_from: String,
    /// The latest instant observed, RFC 3339.
    pub observed_to: String,
    /// How many readings.
    pub readings: u32,
}

/// One observation in full.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ItemDetail {
    /// As in a list.
    pub item: Item,
    /// The facts, times as RFC 3339.
    pub facts: serde_json::Value,
    /// The terms it is held on; absent for this node's own.
    pub terms: Option<serde_json::Value>,
    /// The readings.
    pub readings: Vec<ReadingView>,
}

/// One reading, for people and programs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReadingView {
    /// The element's idShort path.
    pub path: String,
    /// The instant or the start of the interval, RFC 3339.
    pub from: String,
    /// The end of the interval, RFC 3339.
    pub to: Option<String>,
    /// The quality.
    pub quality: String,
    /// The AAS value-only form; absent where there is no value.
    pub value: Option<serde_json::Value>,
    /// The unit.
    pub unit: Option<String>,
}

/// How the node stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Whose node it is.
    pub organization: OrganizationId,
    /// The organization's name.
    pub name: String,
    /// Its root key's fingerprint.
    pub root_key: String,
    /// How many entries the ledger has.
    pub ledger_size: u64,
    /// The root of the tree over them.
    pub root: String,
    /// What is held, by who signed it.
    pub held: BTreeMap<OrganizationId, Held>,
    /// What was decided for each other member.
    pub pairs: Vec<Pair>,
    /// The partnerships.
    pub partnerships: Vec<PartnerStatus>,
}

/// What is held of one origin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// Observations.
    pub observations: u64,
    /// Readings in them.
    pub readings: u64,
}

/// What was decided for one recipient under one partnership, in observations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pair {
    /// Who discloses.
    pub from: OrganizationId,
    /// To whom.
    pub to: OrganizationId,
    /// Under which partnership.
    pub partnership: PartnershipId,
    /// Put into the outbox and not taken back.
    pub released: u64,
    /// Withheld.
    pub withheld: u64,
    /// Undecided, to be judged again.
    pub undecided: u64,
    /// Acknowledged by the recipient, taken or refused.
    pub acknowledged: u64,
    /// How many each layer withheld; one observation may count at several.
    pub layers: BTreeMap<Layer, u64>,
}

/// How a partnership stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartnerStatus {
    /// The agreement.
    pub partnership: PartnershipId,
    /// Its title.
    pub title: String,
    /// `proposed`, `active` or `declined`.
    pub stage: String,
    /// The edition's digest.
    pub edition: String,
    /// The members, and whether each has signed.
    pub members: BTreeMap<OrganizationId, bool>,
    /// Why it was declined.
    pub declined: Option<String>,
}

pub(super) struct Found {
    pub(super) recorded: Recorded,
    pub(super) observation: Observation,
    pub(super) scope: Option<(OrganizationId, Scope)>,
}

impl Node {
    /// The observations held, in the order of the ledger.
    ///
    /// # Errors
    /// Any [`InspectError`].
    pub fn list(&self, filter: &Filter) -> Result<Vec<Item>, InspectError> {
        let mut items = Vec::new();
        for recorded in self.store.entries(0, u64::MAX) {
            if let Some(found) = held(recorded?)? {
                let item = item(&found);
                if filter.takes(&item) {
                    items.push(item);
                }
            }
        }
        if let Some(limit) = filter.limit {
            items.drain(..items.len().saturating_sub(limit));
        }
        Ok(items)
    }

    /// One observation, named by the start of its id.
    ///
    /// # Errors
    /// Any [`InspectError`].
    pub fn detail(&self, prefix: &str) -> Result<ItemDetail, InspectError> {
        let found = self.find(prefix)?;
        let block = self
            .store
            .readings(found.recorded.index, &found.observation.id())?;
        let readings = Readings::decode(&block, found.observation.facts())
            .map_err(|_| StoreError::Damaged("readings cannot be read"))?;
        Ok(ItemDetail {
            item: item(&found),
            facts: facts_view(found.observation.facts()),
            terms: found
                .scope
                .as_ref()
                .map(|(discloser, scope)| scope_view(discloser, scope)),
            readings: readings.readings.iter().map(reading_view).collect(),
        })
    }

    /// The observation whose id starts so.
    pub(super) fn find(&self, prefix: &str) -> Result<Found, InspectError> {
        let not_an_id = || InspectError::NotAnId(prefix.to_owned());
        if prefix.len() < 4 || prefix.len() > 64 {
            return Err(not_an_id());
        }
        let lower = prefix.to_ascii_lowercase();
        let even = lower.get(..lower.len() / 2 * 2).ok_or_else(not_an_id)?;
        let bytes = hex::decode(even).map_err(|_| not_an_id())?;
        if !lower.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(not_an_id());
        }
        // An odd digit at the end narrows sixteenfold what the even ones find.
        let matches: Vec<(ObservationId, u64)> = self
            .store
            .observations_with_prefix(&bytes, 64)?
            .into_iter()
            .filter(|(id, _)| id.to_string().starts_with(&lower))
            .collect();
        let index = match matches.as_slice() {
            [] => return Err(InspectError::NotFound(prefix.to_owned())),
            [(_, index)] => *index,
            several => {
                return Err(InspectError::Ambiguous {
                    prefix: prefix.to_owned(),
                    count: several.len(),
                });
            }
        };
        let recorded = self
            .store
            .entry(index)?
            .ok_or_else(|| InspectError::NotFound(prefix.to_owned()))?;
        held(recorded)?.ok_or_else(|| InspectError::NotFound(prefix.to_owned()))
    }

    /// How the node stands. Reads the whole ledger.
    ///
    /// # Errors
    /// Any [`InspectError`].
    pub fn status(&self) -> Result<Status, InspectError> {
        let governance = self.governance();
        let (ledger_size, root) = self.store.tree_head();
        let mut held_by: BTreeMap<OrganizationId, Held> = BTreeMap::new();
        let mut pairs: BTreeMap<(PartnershipId, OrganizationId), Pair> = BTreeMap::new();
        for (partnership, recipient) in governance.recipients() {
            let id = partnership.terms().partnership.clone();
            let pair = self.empty_pair(&id, recipient)?;
            pairs.insert((id, recipient.clone()), pair);
        }
        for recorded in self.store.entries(0, ledger_size) {
            let recorded = recorded?;
            self.count(&recorded.body, &mut pairs)?;
            if let Some(found) = held(recorded)? {
                let facts = found.observation.facts();
                let held = held_by.entry(facts.issuer.clone()).or_default();
                held.observations += 1;
                held.readings += u64::from(facts.reading_count);
            }
        }
        Ok(Status {
            organization: governance.organization().clone(),
            name: governance.opened().name.to_string(),
            root_key: governance.opened().root.to_string(),
            ledger_size,
            root: root.to_string(),
            held: held_by,
            pairs: pairs.into_values().collect(),
            partnerships: self.partner_list(),
        })
    }

    fn empty_pair(
        &self,
        partnership: &PartnershipId,
        recipient: &OrganizationId,
    ) -> Result<Pair, StoreError> {
        let outbox = self.store.outbox(&BoxKey::new(partnership, recipient))?;
        let acknowledged = outbox.and_then(|outbox| outbox.acknowledged);
        Ok(Pair {
            from: self.settings.organization.id.clone(),
            to: recipient.clone(),
            partnership: partnership.clone(),
            released: 0,
            withheld: 0,
            undecided: 0,
            acknowledged: acknowledged.map_or(0, |upto| upto.upto),
            layers: BTreeMap::new(),
        })
    }

    fn count(
        &self,
        body: &Body,
        pairs: &mut BTreeMap<(PartnershipId, OrganizationId), Pair>,
    ) -> Result<(), StoreError> {
        match body {
            Body::Disclosed(disclosed) => {
                let disclosure = own_disclosure(&disclosed.disclosure)?;
                if let Some(pair) = pairs.get_mut(&(disclosure.partnership, disclosure.recipient)) {
                    pair.released += 1;
                }
            }
            Body::Withdrawn(withdrawn) => {
                let key = (withdrawn.partnership.clone(), withdrawn.recipient.clone());
                if let Some(pair) = pairs.get_mut(&key) {
                    pair.released = pair.released.saturating_sub(1);
                    pair.withheld += 1;
                }
            }
            Body::Withheld(withheld) => {
                let key = (withheld.partnership.clone(), withheld.recipient.clone());
                let Some(pair) = pairs.get_mut(&key) else {
                    return Ok(());
                };
                if withheld.undecided {
                    pair.undecided += 1;
                } else {
                    pair.withheld += 1;
                }
                let decision = withheld.decision.as_ref();
                let decision = decision
                    .map(|digest| self.store.decision(digest))
                    .transpose()?;
                for layer in Layer::ALL {
                    let says_no = decision.iter().flatten().any(|decision| {
                        decision.verdicts.iter().all(|purpose| {
                            purpose.layers.iter().any(|verdict| {
                                verdict.layer == layer && verdict.verdict != Verdict::Admissible
                            })
                        })
                    });
                    if says_no {
                        *pair.layers.entry(layer).or_default() += 1;
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// The partnerships and how they stand.
    #[must_use]
    pub fn partner_list(&self) -> Vec<PartnerStatus> {
        let governance = self.governance();
        governance
            .partnerships()
            .map(|partnership| PartnerStatus {
                partnership: partnership.terms().partnership.clone(),
                title: partnership.terms().title.to_string(),
                stage: match (partnership.stage(), partnership.declined()) {
                    (EditionStage::Active, _) => "active",
                    (EditionStage::Proposed, None) => "proposed",
                    (EditionStage::Proposed, Some(_)) => "declined",
                }
                .to_owned(),
                edition: partnership.edition().to_string(),
                members: partnership
                    .terms()
                    .members
                    .iter()
                    .map(|member| {
                        let has_signed =
                            partnership.signatures().contains_key(&member.organization);
                        (member.organization.clone(), has_signed)
                    })
                    .collect(),
                declined: partnership
                    .declined()
                    .map(|declined| format!("{}: {}", declined.member, declined.reason)),
            })
            .collect()
    }

    /// This node's own root key's fingerprint.
    #[must_use]
    pub fn root_fingerprint(&self) -> Fingerprint {
        self.governance().opened().root
    }
}

impl Filter {
    fn takes(&self, item: &Item) -> bool {
        let is_same = |wanted: &Option<String>, found: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| found == Some(wanted))
        };
        is_same(&self.part, item.part.as_deref())
            && is_same(&self.lot, item.lot.as_deref())
            && is_same(&self.submodel, Some(&item.submodel))
            && self
                .origin
                .as_ref()
                .is_none_or(|origin| *origin == item.origin)
    }
}

fn own_disclosure(bytes: &[u8]) -> Result<Disclosure, StoreError> {
    Disclosure::from_own_ledger(bytes)
        .map_err(|_| StoreError::Damaged("a disclosure cannot be read"))
}

fn held(recorded: Recorded) -> Result<Option<Found>, StoreError> {
    let read = |bytes: &[u8]| {
        Observation::from_own_ledger(bytes)
            .map_err(|_| StoreError::Damaged("an observation cannot be read"))
    };
    let (observation, scope) = match &recorded.body {
        Body::Observed(observed) => (read(&observed.observation)?, None),
        Body::Admitted(admitted) => {
            let disclosure = own_disclosure(&admitted.disclosure)?;
            (
                read(&admitted.observation)?,
                Some((disclosure.discloser, disclosure.scope)),
            )
        }
        _ => return Ok(None),
    };
    Ok(Some(Found {
        recorded,
        observation,
        scope,
    }))
}

fn item(found: &Found) -> Item {
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
        observed_from: facts.observed_from.to_string(),
        observed_to: facts.observed_to.to_string(),
        readings: facts.reading_count,
    }
}

fn facts_view(facts: &Facts) -> serde_json::Value {
    let mut view = serde_json::to_value(facts).unwrap_or_default();
    if let Some(members) = view.as_object_mut() {
        let times = [
            ("observed_from", facts.observed_from),
            ("observed_to", facts.observed_to),
        ];
        for (name, time) in times {
            members.insert(name.to_owned(), time.to_string().into());
        }
    }
    view
}

fn scope_view(discloser: &OrganizationId, scope: &Scope) -> serde_json::Value {
    serde_json::json!({
        "discloser": discloser,
        "recipients": scope.recipients,
        "purposes": scope.purposes,
        "not_after": scope.not_after.to_string(),
        "hold_until": scope.hold_until.to_string(),
        "keep_until": scope.keep_until.map(|time| time.to_string()),
        "erasure": scope.erasure,
        "onward_hops": scope.onward_hops,
        "derived": scope.derived,
    })
}

fn reading_view(reading: &ambit_ledger::Reading) -> ReadingView {
    let (from, to) = match reading.when {
        When::Instant { at } => (at, None),
        When::Interval { from, to } => (from, Some(to)),
    };
    ReadingView {
        path: reading.path.to_string(),
        from: from.to_string(),
        to: to.map(|to| to.to_string()),
        quality: match reading.quality {
            Quality::Good => "good",
            Quality::Uncertain => "uncertain",
            Quality::Bad => "bad",
            Quality::Unavailable => "unavailable",
            Quality::Empty => "empty",
        }
        .to_owned(),
        value: reading.value.as_ref().map(|text| {
            serde_json::from_str(text).unwrap_or_else(|_| serde_json::Value::String(text.clone()))
        }),
        unit: reading.unit.as_ref().map(ToString::to_string),
    }
}
