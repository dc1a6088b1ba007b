//! Who is a peer, and under which agreement.

use crate::mesh::PeerKey;
use crate::node::peer_key;
use crate::partnership::{Governance, Partnership};
use ambit_ledger::{OrganizationId, PartnershipId, Time};

/// How long after its end a partnership's members stay peers, so that the last acknowledgements arrive.
const GRACE_DAYS: u32 = 30;

/// Until when a partnership's members are peers: not once it is over for good. A decline of this node's own still
/// has to be told, and what was disclosed before the end still to be acknowledged.
pub(super) fn end_of(partnership: &Partnership, me: &OrganizationId) -> Option<Time> {
    let is_refused = partnership
        .declined()
        .is_some_and(|declined| declined.member != *me);
    (!is_refused).then(|| partnership.terms().until.plus_days(GRACE_DAYS))
}

/// The partnership of this id in which the peer is another member, and which member it is. A partnership
/// that is not known and one the peer is not in look the same to it.
pub(super) fn membership<'a>(
    governance: &'a Governance,
    partnership: &PartnershipId,
    peer: PeerKey,
) -> Option<(&'a Partnership, &'a OrganizationId)> {
    let partnership = governance.partnership(partnership)?;
    let member = partnership
        .peers(governance.organization())
        .find(|member| peer_key(partnership, &member.card.organization) == Some(peer))?;
    Some((partnership, &member.card.organization))
}
