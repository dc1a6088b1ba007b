//! What is shown of observations and of the node: the shapes of answers.

use super::inspect::Found;
use ambit_ledger::{
    Facts, Layer, ObservationId, OrganizationId, PartnershipId, Quality, Scope, Time, When,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

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
    /// Of this class of data.
    pub data_class: Option<String>,
    /// Observed at this instant or later, in part at least.
    pub from: Option<Time>,
    /// Observed before this instant, in part at least.
    pub until: Option<Time>,
    /// In the ledger after this entry.
    pub after: Option<u64>,
    /// At most so many: the first after `after`, else the newest.
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
    /// Why nothing is judged, sent or taken in now; absent where the clock is right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<String>,
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
    /// How many were withheld because no limits cover them, so that no layer was asked.
    pub unasked: u64,
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

impl Filter {
    pub(super) fn takes(&self, item: &Item, facts: &Facts) -> bool {
        let is_same = |wanted: &Option<String>, found: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| found == Some(wanted))
        };
        is_same(&self.part, item.part.as_deref())
            && is_same(&self.lot, item.lot.as_deref())
            && is_same(&self.submodel, Some(&item.submodel))
            && is_same(&self.serial, item.serial.as_deref())
            && is_same(&self.program, item.program.as_deref())
            && is_same(&self.data_class, Some(&item.data_class))
            && self.from.is_none_or(|from| facts.observed_to >= from)
            && self.until.is_none_or(|until| facts.observed_from < until)
            && self.after.is_none_or(|after| item.entry > after)
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
        observed_from: facts.observed_from.to_string(),
        observed_to: facts.observed_to.to_string(),
        readings: facts.reading_count,
    }
}

pub(super) fn facts_view(facts: &Facts) -> serde_json::Value {
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

pub(super) fn scope_view(discloser: &OrganizationId, scope: &Scope) -> serde_json::Value {
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

pub(super) fn reading_view(reading: &ambit_ledger::Reading) -> ReadingView {
    let (from, to) = match reading.when {
        When::Instant { at } => (at, None),
        When::Interval { from, to } => (from, Some(to)),
    };
    ReadingView {
        path: reading.path.to_string(),
        from: from.to_string(),
        to: to.map(|to| to.to_string()),
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

/// Who withheld how much, in one line: the layers, and the limits that did not cover it. Empty where nobody did.
pub(crate) fn withheld_by(layers: &BTreeMap<Layer, u64>, unasked: u64) -> String {
    let layers = layers
        .iter()
        .map(|(layer, count)| format!("{layer} {count}"));
    let unasked = (unasked > 0).then(|| format!("no limits {unasked}"));
    layers.chain(unasked).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_layer_was_asked_about_is_counted_beside_the_layers() {
        let layers = BTreeMap::from([(Layer::Sticky, 2), (Layer::Ip, 1)]);
        assert_eq!(withheld_by(&layers, 0), "sticky 2, ip 1");
        assert_eq!(withheld_by(&layers, 3), "sticky 2, ip 1, no limits 3");
        assert_eq!(withheld_by(&BTreeMap::new(), 3), "no limits 3");
        assert_eq!(withheld_by(&BTreeMap::new(), 0), "");
    }
}
