//! Grounds: on what terms an observation is held here, and whom this node's own goes to.

use super::held::InspectError;
use super::why::Why;
use crate::failure::Failure;
use crate::node::{Ask, Node};
use crate::store::{StoreError, own_disclosure};
use ambit_ledger::{
    Admitted, Body, DataClass, Digest, ErasureExtent, ObservationId, OrganizationId, PartnershipId,
    Purpose, Time,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// How an observation stands here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grounds {
    /// The observation.
    pub observation: ObservationId,
    /// Who signed it.
    pub origin: OrganizationId,
    /// The entry that it is in.
    pub entry: u64,
    /// On what terms it is held, those of each agreement under which it came; none for this node's own.
    pub held: Vec<Holding>,
    /// This node's own: the answer now for every member of every partnership in force.
    pub recipients: Vec<Why>,
}

/// The terms on which an observation is held from another organization, under one agreement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holding {
    /// Who disclosed it.
    pub discloser: OrganizationId,
    /// Under which partnership.
    pub partnership: PartnershipId,
    /// Under which edition of it: its digest.
    pub edition: Digest,
    /// When it was disclosed.
    pub disclosed_at: Time,
    /// Until when it may be held.
    pub hold_until: Time,
    /// Whether that is past.
    pub is_past: bool,
    /// Until when it is to be kept as evidence.
    pub keep_until: Option<Time>,
    /// What erasure takes.
    pub erasure: ErasureExtent,
    /// What for: the purposes disclosed for, which this node's own layers admitted.
    pub purposes: BTreeSet<Purpose>,
    /// The purposes disclosed for, which they did not admit.
    pub purposes_not_admitted: BTreeSet<Purpose>,
    /// How many times it may be passed on; 0 for not at all.
    pub onward_hops: u32,
    /// To whom it may be passed on at most.
    pub recipients: BTreeSet<OrganizationId>,
    /// Before when it may be passed on.
    pub not_after: Time,
    /// What may be derived from it; absent where nothing may.
    pub derived: Option<Derivable>,
    /// The digest of the decision to admit it.
    pub decision: Digest,
    /// The entry that holds that decision.
    pub decision_entry: Option<u64>,
}

/// What something was taken in for.
pub(super) struct TakenFor {
    pub(super) decision: Digest,
    /// The purposes disclosed for, which that decision admits.
    pub(super) purposes: BTreeSet<Purpose>,
    /// The rest of them.
    pub(super) not_admitted: BTreeSet<Purpose>,
}

/// What may be derived.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Derivable {
    /// Which classes of data.
    pub data_classes: BTreeSet<DataClass>,
    /// For whom.
    pub recipients: BTreeSet<OrganizationId>,
    /// For what.
    pub purposes: BTreeSet<Purpose>,
}

/// On what terms an observation is held, and whom this node's own goes to.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AskGrounds {
    /// The start of its id.
    pub id: String,
}

impl Ask for AskGrounds {
    type Answer = Grounds;

    fn answer(self, node: &Node, now: Time) -> Result<Grounds, Failure> {
        Ok(node.grounds(&self.id, now)?)
    }
}

impl Node {
    /// On what terms an observation is held; or whom this node's own is admissible for now, without recording
    /// anything.
    ///
    /// # Errors
    /// Any [`InspectError`].
    pub fn grounds(&self, prefix: &str, now: Time) -> Result<Grounds, InspectError> {
        let found = self.find(prefix)?;
        let mut held = Vec::new();
        for recorded in self.admissions(&found.observation.id())? {
            held.extend(self.holding(&recorded.body, self.reading_instant(now))?);
        }
        let recipients = if held.is_empty() {
            self.why_of(&found, None, now)?
        } else {
            Vec::new()
        };
        Ok(Grounds {
            observation: found.observation.id(),
            origin: found.observation.facts().issuer.clone(),
            entry: found.recorded.index,
            held,
            recipients,
        })
    }

    fn holding(&self, body: &Body, now: Time) -> Result<Option<Holding>, StoreError> {
        let admitted = match body {
            Body::Admitted(admitted) => admitted,
            Body::Opened(_)
            | Body::KeyCertified(_)
            | Body::PartnershipEdition(_)
            | Body::PartnershipDeclined(_)
            | Body::ProfileActivated(_)
            | Body::TaxonomyActivated(_)
            | Body::LimitsSet(_)
            | Body::Observed(_)
            | Body::Decided(_)
            | Body::Disclosed(_)
            | Body::Withheld(_)
            | Body::Withdrawn(_)
            | Body::Refused(_)
            | Body::Acknowledged(_)
            | Body::IssuerPinned(_)
            | Body::AttestationRecorded(_)
            | Body::SetAside(_)
            | Body::OfferedAgain(_)
            | Body::Laid(_)
            | Body::Unread { .. } => return Ok(None),
        };
        let disclosure = own_disclosure(&admitted.disclosure)?;
        let scope = disclosure.scope;
        let taken = self.taken_for(admitted, scope.purposes)?;
        Ok(Some(Holding {
            discloser: disclosure.discloser,
            partnership: disclosure.partnership,
            edition: disclosure.edition,
            disclosed_at: disclosure.issued_at,
            hold_until: scope.hold_until,
            is_past: scope.hold_until <= now,
            keep_until: scope.keep_until,
            erasure: scope.erasure,
            purposes: taken.purposes,
            purposes_not_admitted: taken.not_admitted,
            onward_hops: scope.onward_hops,
            recipients: scope.recipients,
            not_after: scope.not_after,
            derived: scope.derived.map(|derived| Derivable {
                data_classes: derived.data_classes,
                recipients: derived.recipients,
                purposes: derived.purposes,
            }),
            decision: taken.decision,
            decision_entry: self.store().decision_entry(&taken.decision)?,
        }))
    }

    /// By which decision something was taken in, and for which of the purposes that it was disclosed for.
    pub(super) fn taken_for(
        &self,
        admitted: &Admitted,
        disclosed_for: BTreeSet<Purpose>,
    ) -> Result<TakenFor, StoreError> {
        // One for each of the labels of what was derived; this version takes nothing in that was.
        let Some(digest) = admitted.decisions.first() else {
            return Err(StoreError::Damaged("an admission names no decision"));
        };
        let decision = self.store().decision(digest)?;
        let admits = decision.map(|decision| decision.admitted());
        let admits = admits.unwrap_or_default();
        let (purposes, not_admitted) = disclosed_for
            .into_iter()
            .partition(|purpose| admits.contains(purpose));
        Ok(TakenFor {
            decision: *digest,
            purposes,
            not_admitted,
        })
    }
}
