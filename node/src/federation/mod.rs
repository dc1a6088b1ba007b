//! The federation: keeps the mesh told whom to admit, and a link in each direction for every other member
//! of every partnership.
//!
//! It joins rooms and decides nothing: what may leave is `release`'s to say, what comes in is `admit`'s, in
//! which order `link`'s. One peer's trouble must never hold up another's link.

mod inbound;
mod outbound;
mod trouble;

use crate::link::Control;
use crate::mesh::{Fault, MeshEvent, MeshHandle, PeerKey};
use crate::node::{Node, peer_key};
use crate::partnership::{Governance, Partnership};
use ambit_ledger::{Digest, OrganizationId, PartnershipId, Time};
use inbound::Inboxes;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::MissedTickBehavior;
use trouble::{Complaint, Heard, Trouble, is_in_vain};

/// Frames read ahead of a link's task: as many as one credit.
const FRAMES_AHEAD: usize = 64;
/// How long after its end a partnership's members stay peers, so that the last acknowledgements arrive.
const GRACE_DAYS: u32 = 30;
/// How long links may take to record their last entries when the node stops.
const END_TIMEOUT: Duration = Duration::from_secs(5);
/// How often what was refused is recorded, where no commit took it along.
const REFUSALS_INTERVAL: Duration = Duration::from_secs(5);

/// Runs until `stop` changes or its sender is gone. Then every link ends; what was not acknowledged is sent
/// again the next time.
pub async fn run(
    node: Arc<Node>,
    mesh: MeshHandle,
    mut events: mpsc::Receiver<MeshEvent>,
    mut stop: watch::Receiver<bool>,
) {
    let mut federation = Federation {
        inboxes: Inboxes::default(),
        trouble: Trouble::new(mesh.clone()),
        connected: watch::Sender::new(BTreeSet::new()),
        outbound: BTreeMap::new(),
        inbound: JoinSet::new(),
        node,
        mesh,
        governance: None,
    };
    let mut changes = federation.node.changes();
    let mut tick = tokio::time::interval(REFUSALS_INTERVAL);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    federation.publish_connected();
    federation.refresh();
    loop {
        tokio::select! {
            event = events.recv() => match event {
                Some(event) => federation.take(event),
                None => break,
            },
            changed = changes.changed() => match changed {
                // An outbox grew, more often than not.
                Ok(()) => federation.refresh_after_change(),
                Err(_) => break,
            },
            Some(_) = federation.inbound.join_next() => {}
            _ = tick.tick() => {
                let recording = federation.record_refused();
                federation.inbound.spawn(recording);
                // An agreement ends by time as well.
                federation.refresh();
            }
            _ = stop.changed() => break,
        }
    }
    federation.end().await;
}

type LinkKey = (PartnershipId, OrganizationId, Digest);

struct Federation {
    node: Arc<Node>,
    mesh: MeshHandle,
    inboxes: Inboxes,
    trouble: Trouble,
    connected: watch::Sender<BTreeSet<PeerKey>>,
    outbound: BTreeMap<LinkKey, JoinHandle<()>>,
    inbound: JoinSet<()>,
    /// What was in force when the peers and links were last looked at.
    governance: Option<Arc<Governance>>,
}

impl Federation {
    fn take(&mut self, event: MeshEvent) {
        match event {
            MeshEvent::Connected { peer } => {
                self.connected.send_modify(|peers| {
                    peers.insert(peer);
                });
                self.publish_connected();
            }
            MeshEvent::Disconnected { peer } => {
                self.connected.send_modify(|peers| {
                    peers.remove(&peer);
                });
                self.publish_connected();
            }
            MeshEvent::Inbound { link, .. } => {
                let session = inbound::serve(
                    Arc::clone(&self.node),
                    self.inboxes.clone(),
                    self.trouble.clone(),
                    link,
                );
                self.inbound.spawn(session);
            }
        }
    }

    /// Lets the node say who is connected, to people who ask.
    fn publish_connected(&self) {
        self.node
            .set_connected(Some(self.connected.borrow().clone()));
    }

    fn refresh_after_change(&mut self) {
        let governance = self.node.governance();
        let is_known = self
            .governance
            .as_ref()
            .is_some_and(|known| Arc::ptr_eq(known, &governance));
        if !is_known {
            self.refresh();
        }
    }

    /// Tells the mesh whom to admit, and sees to it that every other member has its link.
    fn refresh(&mut self) {
        let governance = self.node.governance();
        self.governance = Some(Arc::clone(&governance));
        let me = governance.organization();
        let mut peers: BTreeMap<PeerKey, Vec<String>> = BTreeMap::new();
        let mut wanted = BTreeSet::new();
        // A wrong clock ends no partnership.
        let now = self
            .node
            .instant(crate::clock::now())
            .unwrap_or_else(|_| self.node.store().last_time());
        for partnership in governance.partnerships() {
            if !is_alive(partnership, me, now) {
                continue;
            }
            for member in partnership.peers(me) {
                let Some(peer) = peer_key(member) else {
                    continue;
                };
                let addresses = peers.entry(peer).or_default();
                addresses.extend(member.addresses.iter().map(ToString::to_string));
                let key = (
                    partnership.terms().partnership.clone(),
                    member.organization.clone(),
                    partnership.edition(),
                );
                wanted.insert(key.clone());
                self.outbound.entry(key).or_insert_with_key(|key| {
                    tokio::spawn(outbound::keep(
                        Arc::clone(&self.node),
                        self.mesh.clone(),
                        self.trouble.clone(),
                        self.connected.subscribe(),
                        peer,
                        key.0.clone(),
                        key.1.clone(),
                    ))
                });
            }
        }
        self.outbound.retain(|key, task| {
            let is_wanted = wanted.contains(key);
            if !is_wanted {
                task.abort();
            }
            is_wanted
        });
        self.mesh.set_peers(peers);
    }

    /// Records what was refused.
    fn record_refused(&self) -> impl Future<Output = ()> + Send + 'static {
        let (node, trouble) = (Arc::clone(&self.node), self.trouble.clone());
        async move {
            let recording = tokio::task::spawn_blocking(move || trouble.record_refused(&node));
            match recording.await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "what was refused could not be recorded"
                ),
                Err(error) => tracing::error!(%error, "what was refused could not be recorded"),
            }
        }
    }

    async fn end(mut self) {
        self.node.set_connected(None);
        self.mesh.stop().await;
        // With the mesh gone every inbound link ends by itself, and records what it still has to record.
        let ended = async { while self.inbound.join_next().await.is_some() {} };
        if tokio::time::timeout(END_TIMEOUT, ended).await.is_err() {
            tracing::warn!("an inbound link did not end in time");
            self.inbound.shutdown().await;
        }
        self.record_refused().await;
        for task in self.outbound.into_values() {
            task.abort();
            // Once it ended, nothing of it holds the node any more; that it was cut off is no news.
            let _ = task.await;
        }
    }
}

/// Whether a partnership's members are peers: not once it is over for good. A decline of this node's own still
/// has to be told, and what was disclosed before the end still to be acknowledged.
fn is_alive(partnership: &Partnership, me: &OrganizationId, now: Time) -> bool {
    let is_refused = partnership
        .declined()
        .is_some_and(|declined| declined.member != *me);
    !is_refused && now < partnership.terms().until.plus_days(GRACE_DAYS)
}

/// The partnership of this id in which the peer is another member, and which member it is. A partnership
/// that is not known and one the peer is not in look the same to it.
fn membership<'a>(
    governance: &'a Governance,
    partnership: &PartnershipId,
    peer: PeerKey,
) -> Option<(&'a Partnership, &'a OrganizationId)> {
    let partnership = governance.partnership(partnership)?;
    let member = partnership
        .peers(governance.organization())
        .find(|member| peer_key(member) == Some(peer))?;
    Some((partnership, &member.organization))
}

/// What every member of a partnership is told besides observations: who signed, who declined.
fn control_messages(
    governance: &Governance,
    partnership: &Partnership,
    sent: &mut BTreeSet<Digest>,
) -> Vec<Control> {
    let signatures = partnership
        .signatures()
        .values()
        .map(|statement| Control::Signature {
            statement: statement.clone(),
        });
    let own_decline = partnership
        .declined()
        .filter(|declined| declined.member == *governance.organization())
        .map(|declined| Control::Declined {
            statement: declined.statement.clone(),
        });
    signatures
        .chain(own_decline)
        .filter(|message| {
            let statement = match message {
                Control::Signature { statement } | Control::Declined { statement } => statement,
            };
            sent.insert(Digest::of(statement))
        })
        .collect()
}

/// Takes in a control message. What cannot be relied on is counted and dropped; what came before costs no verification.
async fn take_control(
    node: &Arc<Node>,
    trouble: &Trouble,
    peer: PeerKey,
    heard: &mut Heard,
    message: Control,
) {
    let (Control::Signature { statement } | Control::Declined { statement }) = &message;
    if !heard.is_new(statement) {
        let bytes = statement.len();
        return trouble.charge(&peer, Fault::OutOfTurn { bytes });
    }
    let node = Arc::clone(node);
    let taken = tokio::task::spawn_blocking(move || {
        let now = crate::clock::now();
        match message {
            Control::Signature { statement } => {
                let is_new = node.take_signature(&statement, now)?;
                if is_new {
                    node.catch_up(now).map_err(|error| error.to_string())?;
                }
                Ok(())
            }
            Control::Declined { statement } => {
                node.take_decline(&statement, now).map(|_| ())?;
                Ok(())
            }
        }
    });
    let taken: Result<Result<(), TakeError>, _> = taken.await;
    let error = match taken {
        Ok(Ok(())) => return,
        Ok(Err(error)) => error,
        Err(error) => TakeError::Release(error.to_string()),
    };
    if matches!(&error, TakeError::Partner(error) if is_in_vain(error)) {
        trouble.charge(&peer, Fault::InVain);
    }
    if let Some(count) = trouble.count(&peer, Complaint::Control) {
        tracing::warn!(%error, count, "a control message was not taken in");
    }
}

/// Why a control message was not taken in.
#[derive(Debug, thiserror::Error)]
enum TakeError {
    #[error(transparent)]
    Partner(#[from] crate::agree::PartnerError),
    #[error("{0}")]
    Release(String),
}

impl From<String> for TakeError {
    fn from(text: String) -> Self {
        Self::Release(text)
    }
}

#[cfg(test)]
mod tests;
