//! Who is admitted, who is connected, how they behave, and which links are open: the one table that the gate, the handle and the swarm share.
//!
//! A peer that is not in it has nothing. It must never hold its lock across an await.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::conduct::{Conduct, Fault};
use super::link::{Link, LinkEnd, LinkState};
use super::peer::PeerKey;

/// How many links one peer may have open at a time, in both directions together: one per partnership and direction, and room
/// for those of a connection that died and is not cleared yet.
pub(crate) const LINKS_PER_PEER_MAX: usize = 64;

/// Why a link was not entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LinkRefusal {
    NotAdmitted,
    Barred,
    TooMany,
    TooOften,
}

#[derive(Debug, Default)]
struct Member {
    addresses: Vec<String>,
    connected: bool,
    conduct: Conduct,
    links: Vec<Weak<LinkState>>,
}

/// The admitted peers.
#[derive(Debug, Default)]
pub(super) struct Roster {
    members: Mutex<BTreeMap<PeerKey, Member>>,
    barred: Notify,
}

impl Roster {
    /// Puts the full set in force. When this returns, those left out can open nothing more and their links are ended.
    pub(super) fn replace(&self, peers: BTreeMap<PeerKey, Vec<String>>) {
        let removed: Vec<Member> = {
            let mut members = self.lock();
            let mut before = std::mem::take(&mut *members);
            for (peer, addresses) in peers {
                let mut member = before.remove(&peer).unwrap_or_default();
                member.addresses = addresses;
                members.insert(peer, member);
            }
            before.into_values().collect()
        };
        for member in removed {
            end(&member.links, LinkEnd::NotAdmitted);
        }
    }

    pub(super) fn admits(&self, peer: &PeerKey) -> bool {
        self.lock().contains_key(peer)
    }

    /// Whether a peer is to wait; one that is not admitted is none of those.
    pub(super) fn is_barred(&self, peer: &PeerKey, now: Instant) -> bool {
        let members = self.lock();
        members
            .get(peer)
            .is_some_and(|member| member.conduct.is_barred(now))
    }

    /// Who is to wait, and for how long still.
    pub(super) fn barred(&self, now: Instant) -> BTreeMap<PeerKey, Duration> {
        let members = self.lock();
        let barred = members
            .iter()
            .filter_map(|(peer, member)| Some((*peer, member.conduct.barred_for(now)?)));
        barred.collect()
    }

    /// Notes a fault. Where it was one too many, the peer's links have ended when this returns.
    pub(super) fn note_fault(&self, peer: &PeerKey, fault: Fault, now: Instant) {
        let (barred, links) = {
            let mut members = self.lock();
            let Some(member) = members.get_mut(peer) else {
                return;
            };
            let Some(barred) = member.conduct.note(fault, now) else {
                return;
            };
            (barred, std::mem::take(&mut member.links))
        };
        // At most one line for each time, and those times grow.
        tracing::warn!(
            %peer,
            last = ?fault,
            seconds = barred.as_secs(),
            "a peer breaks the rules again and again and is kept out for a time"
        );
        end(&links, LinkEnd::Barred);
        self.barred.notify_one();
    }

    /// Waits until a peer was barred, and its connections are to be closed.
    pub(super) async fn some_barred(&self) {
        self.barred.notified().await;
    }

    pub(super) fn is_connected(&self, peer: &PeerKey) -> bool {
        self.lock().get(peer).is_some_and(|member| member.connected)
    }

    pub(super) fn note_connected(&self, peer: &PeerKey, connected: bool) {
        if let Some(member) = self.lock().get_mut(peer) {
            member.connected = connected;
        }
    }

    /// The admitted peers with their addresses.
    pub(super) fn addresses(&self) -> BTreeMap<PeerKey, Vec<String>> {
        self.lock()
            .iter()
            .map(|(peer, member)| (*peer, member.addresses.clone()))
            .collect()
    }

    /// Whether a member has an address of which this is so.
    pub(super) fn is_called_at(&self, is_it: impl Fn(&str) -> bool) -> bool {
        let members = self.lock();
        let mut addresses = members.values().flat_map(|member| &member.addresses);
        addresses.any(|address| is_it(address))
    }

    /// Enters a new link, so that it ends with its peer's admission.
    pub(super) fn enter(&self, link: &Link, now: Instant) -> Result<(), LinkRefusal> {
        let mut members = self.lock();
        let member = members
            .get_mut(&link.peer())
            .ok_or(LinkRefusal::NotAdmitted)?;
        if member.conduct.is_barred(now) {
            return Err(LinkRefusal::Barred);
        }
        member.links.retain(|link| link.strong_count() > 0);
        if member.links.len() >= LINKS_PER_PEER_MAX {
            return Err(LinkRefusal::TooMany);
        }
        member.links.push(Arc::downgrade(link.state()));
        Ok(())
    }

    /// The same for a link that the peer opened: not faster than is good.
    pub(super) fn enter_inbound(&self, link: &Link, now: Instant) -> Result<(), LinkRefusal> {
        let peer = link.peer();
        let may_open = {
            let mut members = self.lock();
            let member = members.get_mut(&peer).ok_or(LinkRefusal::NotAdmitted)?;
            member.conduct.may_open_link(now)
        };
        if !may_open {
            self.note_fault(&peer, Fault::Link, now);
            return Err(LinkRefusal::TooOften);
        }
        self.enter(link, now)
    }

    /// Ends all links of one peer.
    pub(super) fn end_links(&self, peer: &PeerKey, reason: LinkEnd) {
        let links = self
            .lock()
            .get_mut(peer)
            .map(|member| std::mem::take(&mut member.links));
        end(&links.unwrap_or_default(), reason);
    }

    /// Ends everything: the mesh has stopped.
    pub(super) fn end_all(&self) {
        let members = std::mem::take(&mut *self.lock());
        for member in members.into_values() {
            end(&member.links, LinkEnd::Stopped);
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<PeerKey, Member>> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn end(links: &[Weak<LinkState>], reason: LinkEnd) {
    for link in links.iter().filter_map(Weak::upgrade) {
        link.end(reason);
    }
}
