//! Offering what was withheld, which is no answer for good: where its grounds changed it is judged again, once per class, and
//! what is admissible now is released. What a recipient did not take comes again in `again.rs`.
//!
//! What is withheld is found by the decision that withholds it, so that nothing is read of a class whose grounds are
//! still in force. Others may observe, and change what is in force, between one stretch of it and the next.

use super::again::offer_kept_back;
use super::catch_up::JudgedAgain;
use super::observe::ObserveError;
use super::offering::{Extent, Offering};
use super::run::Moment;
use crate::failure::{Failure, FailureKind};
use crate::node::{Ask, Node};
use crate::partnership::Standing;
use crate::store::{BoxKey, StoreError};
use ambit_ledger::{Layer, OrganizationId, PartnershipId, Time};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Judges again what is withheld from the members of a partnership.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Offer {
    /// Under which partnership.
    pub partnership: PartnershipId,
    /// From this member; from every one where none is named.
    pub to: Option<OrganizationId>,
    /// Whether it is only said what would come of it.
    pub is_dry_run: bool,
}

impl Ask for Offer {
    type Answer = Vec<Offered>;

    fn answer(self, node: &Node, now: Time) -> Result<Vec<Offered>, Failure> {
        Ok(node.offer(&self.partnership, self.to.as_ref(), self.is_dry_run, now)?)
    }
}

/// What came of offering again to one member, in observations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offered {
    /// Under which partnership.
    pub partnership: PartnershipId,
    /// To whom.
    pub to: OrganizationId,
    /// Withheld before, and released now.
    pub released: u64,
    /// Still withheld.
    pub withheld: u64,
    /// Undecided: judged again when its inputs change.
    pub undecided: u64,
    /// How many each layer withholds; one observation may count at several.
    pub layers: BTreeMap<Layer, u64>,
    /// How many no layer was asked about, because no limits cover them.
    pub unasked: u64,
    /// Not taken by the recipient at first, asked for by it and then kept back here, and released now.
    pub offered_again: u64,
    /// Of these, still kept back.
    pub kept_back: u64,
    /// Not taken by the recipient, by code, as `ambit status` counts it.
    pub not_taken: BTreeMap<String, u64>,
}

/// Nothing can be offered again.
#[derive(Debug, thiserror::Error)]
pub enum OfferError {
    /// It cannot be judged or recorded.
    #[error(transparent)]
    Observe(#[from] ObserveError),
    /// Not known here.
    #[error("no partnership `{0}` is known here; `ambit partner list` shows those that are")]
    Unknown(PartnershipId),
    /// No other member.
    #[error("`{organization}` is no other member of `{partnership}`; `ambit peers` shows them")]
    NotMember {
        /// The partnership.
        partnership: PartnershipId,
        /// Who is not.
        organization: OrganizationId,
    },
    /// Nothing is disclosed under it.
    #[error(
        "`{partnership}` is {standing}: nothing is disclosed under it, so nothing can be offered again; `ambit partner list` says what it waits for, and what is over takes another agreement"
    )]
    NotInForce {
        /// The partnership.
        partnership: PartnershipId,
        /// How it stands.
        standing: Standing,
    },
}

impl From<OfferError> for Failure {
    fn from(error: OfferError) -> Self {
        match error {
            OfferError::Observe(error) => error.into(),
            OfferError::Unknown(_) => Self::new(FailureKind::NotFound, &error),
            OfferError::NotMember { .. } => Self::new(FailureKind::Usage, &error),
            OfferError::NotInForce { .. } => Self::new(FailureKind::Failed, &error),
        }
    }
}

impl Node {
    /// Judges again what is withheld from the members of a partnership. What is admissible now is released, and where
    /// the answer is another no, that is recorded; a dry run does neither.
    ///
    /// # Errors
    /// Any [`OfferError`]; what was recorded before it stays.
    pub fn offer(
        &self,
        partnership: &PartnershipId,
        to: Option<&OrganizationId>,
        is_dry_run: bool,
        now: Time,
    ) -> Result<Vec<Offered>, OfferError> {
        let moment = Moment::of(self.instant(now).map_err(ObserveError::from)?);
        let governance = self.governance();
        let known = governance
            .partnership(partnership)
            .ok_or_else(|| OfferError::Unknown(partnership.clone()))?;
        if !known.is_judged(moment.passed()) {
            return Err(OfferError::NotInForce {
                partnership: partnership.clone(),
                standing: known.standing(moment.passed()),
            });
        }
        let others = known.others(governance.organization());
        let chosen: Vec<&OrganizationId> = others
            .filter(|member| to.is_none_or(|to| to == *member))
            .collect();
        if let (Some(to), []) = (to, chosen.as_slice()) {
            return Err(OfferError::NotMember {
                partnership: partnership.clone(),
                organization: to.clone(),
            });
        }
        let extent = if is_dry_run {
            Extent::DryRun
        } else {
            Extent::All
        };
        let offered = chosen
            .into_iter()
            .map(|recipient| {
                let (offered, _) = self.offer_to(partnership, recipient, extent, moment)?;
                Ok(Offered {
                    not_taken: self.not_taken(partnership, recipient)?,
                    ..offered
                })
            })
            .collect::<Result<_, ObserveError>>()?;
        self.notify();
        Ok(offered)
    }

    /// What the recipient did not take of what is in the ledger now.
    fn not_taken(
        &self,
        partnership: &PartnershipId,
        recipient: &OrganizationId,
    ) -> Result<BTreeMap<String, u64>, StoreError> {
        let mut tally = self.tally();
        tally.count(self.store(), self.store().size())?;
        let outbox = self.store().outbox(&BoxKey::new(partnership, recipient));
        let outgoing = tally.outgoing(partnership, recipient);
        Ok(outgoing.not_taken(outbox.as_ref()))
    }

    /// Judges again for every recipient what is withheld on grounds that changed.
    pub(super) fn offer_what_changed(
        &self,
        now: Moment,
        counts: &mut JudgedAgain,
    ) -> Result<(), ObserveError> {
        let governance = self.governance();
        for (partnership, recipient) in governance.signed() {
            if partnership.is_judged(now.passed()) {
                let id = &partnership.terms().partnership;
                let (offered, changed) = self.offer_to(id, recipient, Extent::Changed, now)?;
                counts.add(changed);
                counts.disclosed += offered.offered_again;
            }
        }
        Ok(())
    }

    /// What is withheld from the recipient, and what was kept back when it asked for it.
    fn offer_to(
        &self,
        partnership: &PartnershipId,
        recipient: &OrganizationId,
        extent: Extent,
        now: Moment,
    ) -> Result<(Offered, JudgedAgain), ObserveError> {
        let (offered, changed) = self.offer_withheld(partnership, recipient, extent, now)?;
        let outbox = BoxKey::new(partnership, recipient);
        let kept_back = offer_kept_back(self, &outbox, extent, now.passed())?;
        let offered = Offered {
            offered_again: kept_back.offered,
            kept_back: kept_back.kept_back,
            ..offered
        };
        Ok((offered, changed))
    }

    fn offer_withheld(
        &self,
        partnership: &PartnershipId,
        recipient: &OrganizationId,
        extent: Extent,
        now: Moment,
    ) -> Result<(Offered, JudgedAgain), ObserveError> {
        let mut offering = Offering::begin(self, partnership, recipient, extent, now);
        loop {
            let releasing = self.releasing();
            let now = now.under(&releasing);
            let to = releasing.counterpart(partnership, recipient);
            let Some(to) = to.filter(|to| to.partnership().is_judged(now.passed())) else {
                return Ok((offering.offered, offering.changed));
            };
            if offering.stretch(&releasing, to)? {
                return Ok((offering.offered, offering.changed));
            }
        }
    }
}
