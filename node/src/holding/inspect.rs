//! Looking: what is held, from whom, on what terms, and how the node stands.

use super::tally::Tally;
use super::view::{
    Filter, Item, ItemDetail, Pair, PartnerStatus, Status, facts_view, item, reading_view,
    scope_view,
};
use crate::failure::{Failure, FailureKind};
use crate::node::Node;
use crate::partnership::Partnership;
use crate::store::{BoxKey, Recorded, StoreError, own_disclosure, own_observation};
use ambit_ledger::{
    Body, EditionStage, Fingerprint, Observation, ObservationId, OrganizationId, PartnershipId,
    Readings, Scope, Time,
};

use std::collections::BTreeSet;

/// Something asked for is not there, or cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No observation has such an id.
    #[error("no observation starts with `{0}`; `ambit list` shows the ids")]
    NotFound(String),
    /// No observation is of such a submodel.
    #[error(
        "no observation of the submodel `{0}` is held here; `ambit list --output json` shows the submodels"
    )]
    NoSubmodel(String),
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

impl From<InspectError> for Failure {
    fn from(error: InspectError) -> Self {
        let kind = match &error {
            InspectError::Store(_) => FailureKind::Failed,
            InspectError::NotFound(_)
            | InspectError::NoSubmodel(_)
            | InspectError::NoPartnership(_) => FailureKind::NotFound,
            InspectError::Ambiguous { .. } | InspectError::NotAnId(_) => FailureKind::Usage,
        };
        Self::new(kind, &error)
    }
}

pub(super) struct Found {
    pub(super) recorded: Recorded,
    pub(super) observation: Observation,
    pub(super) scope: Option<(OrganizationId, Scope)>,
}

impl Node {
    /// The observations held, in the order of the ledger. A page after an entry is the first that fit, otherwise
    /// they are the newest.
    ///
    /// # Errors
    /// Any [`InspectError`].
    pub fn list(&self, filter: &Filter) -> Result<Vec<Item>, InspectError> {
        let mut items = Vec::new();
        let mut seen = BTreeSet::new();
        let limit = filter.limit.unwrap_or(usize::MAX);
        let is_page = filter.after.is_some();
        for recorded in self.store().entries(0, u64::MAX) {
            if is_page && items.len() >= limit {
                break;
            }
            // What came under two partnerships is one observation, held on the terms of both.
            if let Some(found) = held(recorded?)?
                && seen.insert(found.observation.id())
            {
                let item = item(&found);
                if filter.takes(&item, found.observation.facts()) {
                    items.push(item);
                }
            }
        }
        items.drain(..items.len().saturating_sub(limit));
        Ok(items)
    }

    /// One observation, named by the start of its id.
    ///
    /// # Errors
    /// Any [`InspectError`].
    pub fn detail(&self, prefix: &str) -> Result<ItemDetail, InspectError> {
        let found = self.find(prefix)?;
        let readings = self.readings(&found)?;
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

    pub(super) fn readings(&self, found: &Found) -> Result<Readings, StoreError> {
        let block = self
            .store()
            .readings(found.recorded.index, &found.observation.id())?;
        Readings::decode(&block, found.observation.facts())
            .map_err(|_| StoreError::Damaged("readings cannot be read"))
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
            .store()
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
            .store()
            .entry(index)?
            .ok_or_else(|| InspectError::NotFound(prefix.to_owned()))?;
        held(recorded)?.ok_or_else(|| InspectError::NotFound(prefix.to_owned()))
    }

    /// How the node stands. Reads what came into the ledger since it was asked last, the first time all of it.
    ///
    /// # Errors
    /// Any [`InspectError`].
    pub fn status(&self, now: Time) -> Result<Status, InspectError> {
        let governance = self.governance();
        let (ledger_size, root) = self.store().tree_head();
        let mut tally = self.tally();
        tally.count(self.store(), ledger_size)?;
        let mut pairs: Vec<Pair> = governance
            .recipients()
            .map(|(partnership, recipient)| {
                self.pair(&tally, &partnership.terms().partnership, recipient)
            })
            .collect();
        pairs.sort_by(|one, other| {
            (&one.partnership, &one.to).cmp(&(&other.partnership, &other.to))
        });
        Ok(Status {
            organization: governance.organization().clone(),
            name: governance.opened().name.to_string(),
            root_key: governance.opened().root.to_string(),
            ledger_size,
            root: root.to_string(),
            held: tally.held().clone(),
            pairs,
            partnerships: self.partner_list(),
            clock: self.instant(now).err().map(|error| error.to_string()),
        })
    }

    fn pair(&self, tally: &Tally, partnership: &PartnershipId, recipient: &OrganizationId) -> Pair {
        let outbox = self.store().outbox(&BoxKey::new(partnership, recipient));
        let acknowledged = outbox.and_then(|outbox| outbox.acknowledged);
        let counts = tally.decided(partnership, recipient);
        Pair {
            from: self.settings().organization.id.clone(),
            to: recipient.clone(),
            partnership: partnership.clone(),
            released: counts.released,
            withheld: counts.withheld,
            undecided: counts.undecided,
            acknowledged: acknowledged.map_or(0, |upto| upto.upto),
            layers: counts.layers,
            unasked: counts.unasked,
        }
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
                stage: stage(partnership).to_owned(),
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

/// How a partnership stands, in a word.
pub(super) fn stage(partnership: &Partnership) -> &'static str {
    match (partnership.stage(), partnership.declined()) {
        (EditionStage::Active, _) => "active",
        (EditionStage::Proposed, None) => "proposed",
        (EditionStage::Proposed, Some(_)) => "declined",
    }
}

/// The observation in an entry, and on what terms it is held, where there is one.
pub(super) fn held(recorded: Recorded) -> Result<Option<Found>, StoreError> {
    let (observation, scope) = match &recorded.body {
        Body::Observed(observed) => (own_observation(&observed.observation)?, None),
        Body::Admitted(admitted) => {
            let disclosure = own_disclosure(&admitted.disclosure)?;
            (
                own_observation(&admitted.observation)?,
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
