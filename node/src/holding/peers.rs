//! The other members of every partnership: how they are reached, and what waits for them.

use super::held::InspectError;
use crate::failure::Failure;
use crate::mesh::peer_id_text;
use crate::node::{Ask, Node, peer_key_on_card};
use crate::partnership::{Reach, Standing};
use crate::store::{BoxKey, Outbox};
use ambit_ledger::{OrganizationId, PartnershipId, Time};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Another member of a partnership.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerStatus {
    /// The member.
    pub organization: OrganizationId,
    /// Its name.
    pub name: String,
    /// The agreement.
    pub partnership: PartnershipId,
    /// How the agreement stands now.
    pub state: Standing,
    /// Since when, where time alone made it so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Time>,
    /// The libp2p peer id of its connections; absent where its card names no usable key.
    pub peer_id: Option<String>,
    /// The multiaddresses it is called at.
    pub addresses: Vec<String>,
    /// Whether it is connected now; absent where this node does not run.
    pub connected: Option<bool>,
    /// Why it is not, where the cards say so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why_not_connected: Option<String>,
    /// How many items of its outbox it has not acknowledged, and will get.
    pub waiting: u64,
    /// How many it has not acknowledged and will never get, because the agreement is over.
    pub stranded: u64,
    /// Of what was released to it, how much it acknowledged, whether it took it or not.
    pub acknowledged: u64,
    /// How many of this node's observations are withheld from it.
    pub withheld: u64,
    /// How many of them are withheld because nobody can say.
    pub undecided: u64,
    /// How many of what was disclosed to it it did not take, by code.
    pub not_taken: BTreeMap<String, u64>,
    /// How many it did not take, has asked for again, and does not get because this node's own layers keep them back now.
    pub kept_back: u64,
    /// How many of what it sent were refused here, by code.
    pub refused: BTreeMap<String, u64>,
    /// How many of what it sent were set aside here, because this node cannot decide them now, by code: they come again.
    pub set_aside: BTreeMap<String, u64>,
    /// What is wrong between the two nodes, that a person may have to mend.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub troubles: Vec<String>,
}

/// The other members of every partnership, and who of them is connected.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListPeers {}

impl Ask for ListPeers {
    type Answer = Vec<PeerStatus>;

    fn answer(self, node: &Node, now: Time) -> Result<Vec<PeerStatus>, Failure> {
        Ok(node.peers(now)?)
    }
}

impl Node {
    /// The other members of every partnership, one for each partnership a member is in. Reads what came into the
    /// ledger since it was counted last.
    ///
    /// # Errors
    /// Any [`InspectError`].
    pub fn peers(&self, now: Time) -> Result<Vec<PeerStatus>, InspectError> {
        let now = self.reading_instant(now);
        let governance = self.governance();
        let mut tally = self.tally();
        tally.count(self.store(), self.store().size())?;
        let connected = self.connected();
        let mut peers = Vec::new();
        for partnership in governance.partnerships() {
            let terms = partnership.terms();
            for member in partnership.peers(governance.organization()) {
                let key = peer_key_on_card(partnership, &member.card.organization);
                let outbox = BoxKey::new(&terms.partnership, &member.card.organization);
                let outbox = self.store().outbox(&outbox);
                let counts = tally.outgoing(&terms.partnership, &member.card.organization);
                let not_taken = counts.not_taken(outbox.as_ref());
                let waiting = self.waiting(outbox.as_ref())?;
                let is_over = partnership.standing(now) == Standing::Ended;
                let (goes, stranded) = match is_over {
                    true => (0, waiting.items),
                    false => (waiting.items, 0),
                };
                let is_connected = connected
                    .as_ref()
                    .map(|connected| key.is_some_and(|key| connected.contains(&key)));
                let is_apart =
                    is_connected == Some(false) && partnership.standing(now) == Standing::Active;
                let own = terms.member(governance.organization());
                let troubles =
                    self.troubles(&governance, partnership, &member.card.organization, now);
                let incoming = self.incoming(&tally, &terms.partnership, &member.card.organization);
                peers.push(PeerStatus {
                    organization: member.card.organization.clone(),
                    name: member.card.name.to_string(),
                    partnership: terms.partnership.clone(),
                    state: partnership.standing(now),
                    since: partnership.standing_since(now),
                    peer_id: key.as_ref().map(peer_id_text),
                    addresses: member
                        .card
                        .addresses
                        .iter()
                        .map(ToString::to_string)
                        .collect(),
                    connected: is_connected,
                    why_not_connected: own.filter(|_| is_apart).and_then(|own| {
                        near_only([
                            Reach::of(&own.card.addresses),
                            Reach::of(&member.card.addresses),
                        ])
                    }),
                    waiting: goes,
                    stranded,
                    acknowledged: counts.released.saturating_sub(waiting.released),
                    withheld: counts.withheld,
                    undecided: counts.undecided,
                    not_taken,
                    kept_back: outbox.as_ref().map_or(0, Outbox::kept_back),
                    refused: incoming.refused,
                    set_aside: incoming.set_aside,
                    troubles,
                });
            }
        }
        Ok(peers)
    }
}

/// Why two nodes connect on one machine only, if they do; where neither has any address, that is a trouble of its own.
fn near_only(reaches: [Reach; 2]) -> Option<String> {
    let is_near = reaches.contains(&Reach::OwnMachine) && !reaches.contains(&Reach::Network);
    is_near.then(|| {
        "neither its card in the agreement nor this node's names an address that another machine can call, so that the two \
         connect only where both run on one machine"
            .to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::partnership::Reach::{Network, Nowhere, OwnMachine};

    #[test]
    fn nodes_of_one_machine_are_told_from_those_that_others_call() {
        for (reaches, is_near) in [
            ([OwnMachine, OwnMachine], true),
            ([OwnMachine, Nowhere], true),
            ([Nowhere, Nowhere], false),
            ([OwnMachine, Network], false),
            ([Network, Nowhere], false),
        ] {
            assert_eq!(near_only(reaches).is_some(), is_near, "{reaches:?}");
        }
    }
}
