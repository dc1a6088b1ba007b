//! Who is a peer, and under which agreement.

use crate::mesh::PeerKey;
use crate::node::{Node, peer_key, peer_key_on_card};
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

/// The instant by which keys and agreements are good or over. A wrong clock ends none.
pub(super) fn instant(node: &Node) -> Time {
    node.instant(crate::clock::now())
        .unwrap_or_else(|_| node.store().last_time())
}

/// The partnership of this id in which the peer is another member, and which member it is. A partnership
/// that is not known and one the peer is not in look the same to it, and so does one under which its key has ended.
pub(super) fn membership<'a>(
    governance: &'a Governance,
    partnership: &PartnershipId,
    peer: PeerKey,
    now: Time,
) -> Option<(&'a Partnership, &'a OrganizationId)> {
    let partnership = governance.partnership(partnership)?;
    let member = member_of(governance, partnership, peer, now)?;
    Some((partnership, member))
}

/// Whose the key of a peer is, under any agreement.
pub(super) fn organization_of(
    governance: &Governance,
    peer: PeerKey,
    now: Time,
) -> Option<&OrganizationId> {
    governance
        .partnerships()
        .find_map(|partnership| member_of(governance, partnership, peer, now))
}

fn member_of<'a>(
    governance: &'a Governance,
    partnership: &'a Partnership,
    peer: PeerKey,
    now: Time,
) -> Option<&'a OrganizationId> {
    let mut members = partnership
        .peers(governance.organization())
        .map(|member| &member.card.organization);
    // Whether a key is good is asked of the one that it is about: peers may ask for what is not here, again and again.
    let member = members.find(|member| peer_key_on_card(partnership, member) == Some(peer))?;
    peer_key(governance, partnership, member, now).map(|_| member)
}

/// Whether a member is still known by the key that its link was opened with: that may end while the link stands.
pub(super) fn is_still_known(
    node: &Node,
    partnership: &PartnershipId,
    member: &OrganizationId,
    peer: PeerKey,
    now: Time,
) -> bool {
    let governance = node.governance();
    let known = governance.partnership(partnership);
    known.is_none_or(|known| peer_key(&governance, known, member, now) == Some(peer))
}
