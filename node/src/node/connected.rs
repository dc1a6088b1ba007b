//! Who of the peers is connected: told by the federation, kept for those who ask.

use super::Node;
use crate::mesh::PeerKey;
use crate::partnership::{Governance, Partnership};
use ambit_ledger::{OrganizationId, Time};
use std::collections::BTreeSet;
use std::sync::PoisonError;

impl Node {
    /// The peers that are connected now; nothing while the node does not run.
    #[must_use]
    pub fn connected(&self) -> Option<BTreeSet<PeerKey>> {
        self.connected
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Who is connected from now on; nothing once the node does not run any more.
    pub(crate) fn set_connected(&self, connected: Option<BTreeSet<PeerKey>>) {
        *self
            .connected
            .write()
            .unwrap_or_else(PoisonError::into_inner) = connected;
    }
}

/// The key that a member's connections are known by at an instant, where its card is in order and the key is good then.
pub(crate) fn peer_key(
    governance: &Governance,
    partnership: &Partnership,
    member: &OrganizationId,
    now: Time,
) -> Option<PeerKey> {
    let key = governance.transport_key(partnership, member, now)?;
    Some(PeerKey(*key.as_bytes()))
}

/// The key that a member's card names for its connections, good or not, for people to read. It lets nobody in.
pub(crate) fn peer_key_on_card(
    partnership: &Partnership,
    member: &OrganizationId,
) -> Option<PeerKey> {
    let key = partnership.transport_key(member)?;
    Some(PeerKey(*key.as_bytes()))
}
