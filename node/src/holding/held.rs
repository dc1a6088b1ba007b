//! What an entry holds, and finding it by the start of its id.

use crate::failure::{Failure, FailureKind, quoted};
use crate::node::Node;
use crate::store::{Recorded, StoreError, own_observation};
use ambit_ledger::{Body, Observation, ObservationId, OrganizationId, Readings};
use ambit_policy::{UnknownName, likely_meant};
use std::collections::BTreeSet;

/// Something asked for is not there, or cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No observation has such an id.
    #[error(
        "no observation starts with `{0}`: `ambit list` shows what is held here; one that was refused here, or never came, is not held, and its sender's `why` says what became of it"
    )]
    NotFound(String),
    /// No observation is of such a submodel.
    #[error(
        "no observation of the submodel `{0}` is held here; `ambit list --output json` shows the submodels"
    )]
    NoSubmodel(String),
    /// Observations of the submodel are held, and none of this origin.
    #[error(
        "no observation of the submodel `{submodel}` that is held here is of `{origin}`; there are some of {}",
        quoted(origins)
    )]
    NoneOfOrigin {
        /// The submodel.
        submodel: String,
        /// What was given.
        origin: OrganizationId,
        /// Of whom there are some.
        origins: BTreeSet<OrganizationId>,
    },
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
    /// There is no such class of data.
    #[error(transparent)]
    UnknownClass(#[from] UnknownName),
    /// Nobody here is called so.
    #[error(
        "no observation and no partnership here is of the organization `{organization}`{}",
        suggestion(near)
    )]
    UnknownOrganization {
        /// What was given.
        organization: OrganizationId,
        /// Who may be meant.
        near: Vec<String>,
    },
    /// It is this node's own organization.
    #[error(
        "`{0}` is this node's own organization: `ambit why ID` says on what terms an observation is held here, or whom it goes to"
    )]
    Itself(OrganizationId),
    /// The organization is in no partnership with this node.
    #[error(
        "no partnership in force has the member `{organization}`{}; `ambit partner list` shows the partnerships",
        suggestion(near)
    )]
    NoPartnership {
        /// What was given.
        organization: OrganizationId,
        /// Who may be meant.
        near: Vec<String>,
    },
}

/// What may be meant, to go on with after a name that is unknown.
fn suggestion(near: &[String]) -> String {
    if near.is_empty() {
        return String::new();
    }
    format!(": did you mean {}?", quoted(near))
}

fn near(organization: &OrganizationId, known: &BTreeSet<&OrganizationId>) -> Vec<String> {
    let known = known.iter().map(|known| known.as_str());
    let near = likely_meant(organization.as_str(), known);
    near.into_iter().map(str::to_owned).collect()
}

impl InspectError {
    /// Refuses an organization that nobody here is.
    pub(super) fn check_organization(
        organization: &OrganizationId,
        known: &BTreeSet<&OrganizationId>,
    ) -> Result<(), Self> {
        if known.contains(organization) {
            return Ok(());
        }
        Err(Self::UnknownOrganization {
            organization: organization.clone(),
            near: near(organization, known),
        })
    }

    /// No partnership in force has this member; these are known.
    pub(super) fn no_partnership(
        organization: &OrganizationId,
        known: &BTreeSet<&OrganizationId>,
    ) -> Self {
        Self::NoPartnership {
            organization: organization.clone(),
            near: near(organization, known),
        }
    }
}

impl From<InspectError> for Failure {
    fn from(error: InspectError) -> Self {
        let kind = match &error {
            InspectError::Store(_) => FailureKind::Failed,
            InspectError::NotFound(_)
            | InspectError::NoSubmodel(_)
            | InspectError::NoneOfOrigin { .. }
            | InspectError::UnknownOrganization { .. }
            | InspectError::NoPartnership { .. } => FailureKind::NotFound,
            InspectError::Ambiguous { .. }
            | InspectError::NotAnId(_)
            | InspectError::Itself(_)
            | InspectError::UnknownClass(_) => FailureKind::Usage,
        };
        Self::new(kind, &error)
    }
}

/// An observation, with the entry that it came by first.
pub(super) struct Found {
    pub(super) recorded: Recorded,
    pub(super) observation: Observation,
}

impl Node {
    /// The observation that an entry holds.
    pub(super) fn held_at(&self, index: u64) -> Result<Found, StoreError> {
        let recorded = self.store().entry(index)?;
        let found = recorded.map(held).transpose()?.flatten();
        found.ok_or(StoreError::Damaged("an observation is missing"))
    }

    /// Whose observations are held.
    pub(super) fn held_origins(&self) -> Result<BTreeSet<OrganizationId>, StoreError> {
        let mut tally = self.tally();
        tally.count(self.store(), self.store().size())?;
        Ok(tally.held().keys().cloned().collect())
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

    /// The entries that took an observation in, in their order: one for each agreement under which it came, and none for
    /// this node's own.
    pub(super) fn admissions(&self, id: &ObservationId) -> Result<Vec<Recorded>, StoreError> {
        let governance = self.governance();
        let mut entries = BTreeSet::new();
        for partnership in governance.partnerships() {
            entries.extend(self.store().admitted_under(&partnership.edition(), id)?);
        }
        let missing = StoreError::Damaged("an entry that took an observation in is missing");
        let entries = entries.into_iter().map(|index| self.store().entry(index));
        let entries: Option<Vec<_>> = entries.collect::<Result<_, _>>()?;
        entries.ok_or(missing)
    }
}

/// The observation in an entry, where there is one.
pub(super) fn held(recorded: Recorded) -> Result<Option<Found>, StoreError> {
    let observation = match &recorded.body {
        Body::Observed(observed) => own_observation(&observed.observation)?,
        Body::Admitted(admitted) => own_observation(&admitted.observation)?,
        Body::Opened(_)
        | Body::KeyCertified(_)
        | Body::PartnershipEdition(_)
        | Body::PartnershipDeclined(_)
        | Body::ProfileActivated(_)
        | Body::TaxonomyActivated(_)
        | Body::LimitsSet(_)
        | Body::Decided(_)
        | Body::Disclosed(_)
        | Body::Withheld(_)
        | Body::Withdrawn(_)
        | Body::Refused(_)
        | Body::SetAside(_)
        | Body::Acknowledged(_)
        | Body::OfferedAgain(_)
        | Body::IssuerPinned(_)
        | Body::AttestationRecorded(_)
        | Body::Laid(_)
        | Body::Unread { .. } => return Ok(None),
    };
    Ok(Some(Found {
        recorded,
        observation,
    }))
}
