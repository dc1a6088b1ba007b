//! How the node stands.

use super::held::InspectError;
use super::partnerships::PartnershipStatus;
use super::profiles::{ProfileStatus, profiles};
use crate::failure::Failure;
use crate::node::{Ask, Held, Node, Tally};
use crate::partnership::Standing;
use crate::store::{BoxKey, Outbox, Sizes, StoreError};
use ambit_ledger::{Layer, OrganizationId, PartnershipId, Time};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How the node stands.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GetStatus {}

impl Ask for GetStatus {
    type Answer = Status;

    fn answer(self, node: &Node, now: Time) -> Result<Status, Failure> {
        Ok(node.status(now)?)
    }
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
    pub tree_root: String,
    /// What the store takes of the disk.
    #[serde(default)]
    pub disk: Sizes,
    /// What is held, by who signed it.
    pub held: BTreeMap<OrganizationId, Held>,
    /// What became of this node's observations for each other member.
    pub pairs: Vec<PairStatus>,
    /// The partnerships.
    pub partnerships: Vec<PartnershipStatus>,
    /// The profiles of this node's own layers.
    pub profiles: Vec<ProfileStatus>,
    /// What is wrong between this node and others, that a person may have to mend.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub troubles: Vec<String>,
    /// Why nothing is judged, sent or taken in now; absent where the clock is right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<String>,
}

/// What became of this node's observations for one recipient under one partnership, as it is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PairStatus {
    /// Who discloses.
    pub from: OrganizationId,
    /// To whom.
    pub to: OrganizationId,
    /// Under which partnership.
    pub partnership: PartnershipId,
    /// How the agreement stands now.
    pub state: Standing,
    /// Put into the outbox and not taken back.
    pub released: u64,
    /// Put into the outbox, and taken back before it left.
    pub withdrawn: u64,
    /// Withheld.
    pub withheld: u64,
    /// Undecided, to be judged again.
    pub undecided: u64,
    /// Of the released, what the recipient did not take, by code.
    pub not_taken: BTreeMap<String, u64>,
    /// Of the released, what the recipient did not take, has asked for again, and does not get because this node's own
    /// layers keep it back now.
    pub kept_back: u64,
    /// Of what the recipient sent, what was refused here, by code.
    pub refused: BTreeMap<String, u64>,
    /// Of what the recipient sent, what was set aside here, because this node cannot decide it now, by code: it comes again.
    pub set_aside: BTreeMap<String, u64>,
    /// Acknowledged by the recipient, taken or refused.
    pub acknowledged: u64,
    /// How many each layer withholds; one observation may count at several.
    pub layers: BTreeMap<Layer, u64>,
    /// How many are withheld because no limits cover them, so that no layer was asked.
    pub unasked: u64,
}

impl Node {
    /// How the node stands. Reads what came into the ledger since it was asked last, the first time all of it.
    ///
    /// # Errors
    /// Any [`InspectError`].
    pub fn status(&self, now: Time) -> Result<Status, InspectError> {
        let reading_at = self.reading_instant(now);
        let governance = self.governance();
        let (ledger_size, tree_root) = self.store().tree_head();
        let mut tally = self.tally();
        tally.count(self.store(), ledger_size)?;
        let pairs: Result<Vec<PairStatus>, StoreError> = governance
            .signed()
            .map(|(partnership, recipient)| {
                let state = partnership.standing(reading_at);
                self.pair(&tally, &partnership.terms().partnership, recipient, state)
            })
            .collect();
        let mut pairs = pairs?;
        pairs.sort_by(|one, other| {
            (&one.partnership, &one.to).cmp(&(&other.partnership, &other.to))
        });
        Ok(Status {
            organization: governance.organization().clone(),
            name: governance.opened().name.to_string(),
            root_key: governance.opened().root.to_string(),
            ledger_size,
            tree_root: tree_root.to_string(),
            disk: Sizes::of(self.home().path()),
            held: tally.held().clone(),
            pairs,
            partnerships: self.partner_list(now),
            profiles: profiles(&governance),
            troubles: self.all_troubles(reading_at),
            clock: self.clock_trouble(now).map(|error| error.to_string()),
        })
    }

    fn pair(
        &self,
        tally: &Tally,
        partnership: &PartnershipId,
        recipient: &OrganizationId,
        state: Standing,
    ) -> Result<PairStatus, StoreError> {
        let outbox = self.store().outbox(&BoxKey::new(partnership, recipient));
        let counts = tally.outgoing(partnership, recipient);
        let not_taken = counts.not_taken(outbox.as_ref());
        let waiting = self.waiting(outbox.as_ref())?;
        let incoming = self.incoming(tally, partnership, recipient);
        Ok(PairStatus {
            from: self.settings().organization.id.clone(),
            to: recipient.clone(),
            partnership: partnership.clone(),
            state,
            released: counts.released,
            withdrawn: counts.withdrawn,
            not_taken,
            kept_back: outbox.as_ref().map_or(0, Outbox::kept_back),
            refused: incoming.refused,
            set_aside: incoming.set_aside,
            withheld: counts.withheld,
            undecided: counts.undecided,
            acknowledged: counts.released.saturating_sub(waiting.released),
            layers: counts.layers,
            unasked: counts.unasked,
        })
    }
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
