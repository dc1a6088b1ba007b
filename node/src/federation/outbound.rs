//! The link that carries this node's outbox to one other member, opened again whenever it ends.

mod acknowledging;
mod asks;
mod ended;
pub(super) mod ready;

use self::ended::Ended;
use self::ready::{ITEMS_MAX, Judged, Ready};
use super::control::{Heard, Told, take_control};
use super::members::is_still_known;
use super::reading::{FRAMES_AHEAD, read, read_waiting};
use super::trouble::{Answers, AsksHeard, Complaint, Trouble};
use crate::link::{Arrived, Divergence, Frame, Outgoing, Parties, Sender, SenderOutput};
use crate::mesh::{Fault, Link, LinkSender, MeshHandle, OpenError, PeerKey};
use crate::node::{LinkNews, LinkTrouble, Node, Way};
use crate::release::{bodies, outgoing_some};
use crate::store::BoxKey;
use ambit_ledger::{OrganizationId, PartnershipId, RefusalCode, Salt};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::MissedTickBehavior;

/// How often the machine is told the time, to notice a stall.
const TICK: Duration = Duration::from_secs(5);
/// How long to wait at first before a link that ended is opened again: twice as long each time it ends at once.
const REOPEN_AFTER: Duration = Duration::from_millis(500);
/// The longest such wait.
const REOPEN_AFTER_MAX: Duration = Duration::from_secs(30);
/// A link that lasted so long was good: the waiting starts over.
const GOOD_AFTER: Duration = Duration::from_secs(10);
/// How often the clock is looked at while it is wrong and no link is opened.
const CLOCK_PAUSE: Duration = Duration::from_secs(1);
/// How long to wait after stores disagree: only an operator can mend that.
const REOPEN_AFTER_DIVERGENCE: Duration = Duration::from_secs(60);

/// Keeps the link open as long as the peer is connected. Runs until it is aborted.
#[tracing::instrument(skip_all, fields(%partnership, %recipient))]
pub(super) async fn keep(
    node: Arc<Node>,
    mesh: MeshHandle,
    trouble: Trouble,
    mut connected: watch::Receiver<BTreeSet<PeerKey>>,
    peer: PeerKey,
    partnership: PartnershipId,
    recipient: OrganizationId,
) {
    let mut wait = REOPEN_AFTER;
    let mut changes = node.changes();
    loop {
        let is_connected = |peers: &BTreeSet<PeerKey>| peers.contains(&peer);
        if !is_connected(&connected.borrow()) {
            let news = LinkNews::Disconnected;
            node.note_link_news(&partnership, &recipient, Way::Outbound, news);
        }
        if connected.wait_for(is_connected).await.is_err() {
            return;
        }
        if node.instant(crate::clock::now()).is_err() {
            // The node says what is wrong with the clock, once for all links.
            tokio::time::sleep(CLOCK_PAUSE).await;
            continue;
        }
        let opened = tokio::time::Instant::now();
        match mesh.open_link(peer).await {
            Ok(link) => {
                let ended = session(&node, &trouble, link, &partnership, &recipient).await;
                if let Some(why) = ended.trouble() {
                    node.note_link(&partnership, &recipient, Way::Outbound, Some(why));
                }
                match ended {
                    Ended::Diverged(_) => {
                        if let Some(count) = trouble.count(&peer, Complaint::Divergence) {
                            let text = "nothing is sent until the two stores agree; `ambit status` says how they differ";
                            tracing::error!(%ended, count, "{text}");
                        }
                        // Nothing that happens here mends it.
                        tokio::time::sleep(REOPEN_AFTER_DIVERGENCE).await;
                        continue;
                    }
                    Ended::Frame(_) | Ended::Store(_) | Ended::Task(_) => {
                        let error = &ended as &dyn std::error::Error;
                        tracing::error!(error, "the link ended");
                    }
                    Ended::Stalled => tracing::warn!(%ended, "the link ended"),
                    Ended::AcknowledgementKey { .. } | Ended::Dated(_) => {}
                    Ended::NoCommonVersion => trouble.note_newer(&peer, RefusalCode::NewerVersion),
                    Ended::NoPartnership
                    | Ended::TransportKey
                    | Ended::Connection
                    | Ended::Clock(_) => {
                        tracing::debug!(%ended, "the link ended");
                    }
                }
            }
            Err(error) => {
                let why = match error {
                    OpenError::Unsupported => Some(LinkTrouble::NoCommonVersion),
                    OpenError::TooMany => Some(LinkTrouble::TooManyLinks),
                    _ => None,
                };
                if why.is_some() {
                    node.note_link(&partnership, &recipient, Way::Outbound, why);
                }
                tracing::debug!(%error, "no link could be opened");
            }
        }
        if opened.elapsed() >= GOOD_AFTER {
            wait = REOPEN_AFTER;
        }
        // What is in force may change, or the peer come back, so that the link is welcome then.
        tokio::select! {
            () = tokio::time::sleep(wait) => wait = (wait * 2).min(REOPEN_AFTER_MAX),
            changed = changes.changed() => {
                if changed.is_err() {
                    return;
                }
                tokio::time::sleep(REOPEN_AFTER).await;
            }
            changed = connected.changed() => {
                if changed.is_err() {
                    return;
                }
                wait = REOPEN_AFTER;
            }
        }
    }
}

async fn session(
    node: &Arc<Node>,
    trouble: &Trouble,
    link: Link,
    partnership: &PartnershipId,
    recipient: &OrganizationId,
) -> Ended {
    let (sender, receiver) = link.split();
    let (frames, queue) = mpsc::channel(FRAMES_AHEAD);
    let reader = tokio::spawn(read(receiver, trouble.clone(), frames));
    let ended = match Session::open(node, trouble, sender, partnership, recipient).await {
        Ok(mut session) => match session.run(queue).await {
            Ok(()) => Ended::Connection,
            Err(ended) => ended,
        },
        Err(ended) => ended,
    };
    reader.abort();
    ended
}

struct Session {
    node: Arc<Node>,
    trouble: Trouble,
    link: LinkSender,
    machine: Sender,
    partnership: PartnershipId,
    recipient: OrganizationId,
    outbox: BoxKey,
    /// The recipient's store, where it is another one than the one that acknowledged last.
    new_store: Option<Salt>,
    ready: Ready,
    told: Told,
    heard: Heard,
    answers: Answers,
    asks: AsksHeard,
}

impl Session {
    async fn open(
        node: &Arc<Node>,
        trouble: &Trouble,
        link: LinkSender,
        partnership: &PartnershipId,
        recipient: &OrganizationId,
    ) -> Result<Self, Ended> {
        let governance = node.governance();
        let edition = governance
            .partnership(partnership)
            .ok_or(Ended::NoPartnership)?
            .edition();
        let outbox = BoxKey::new(partnership, recipient);
        let state = node.store().outbox(&outbox);
        let (last, acknowledged) =
            state.map_or((0, None), |state| (state.last, state.acknowledged));
        let parties = Parties {
            partnership: partnership.clone(),
            edition,
            sender: governance.organization().clone(),
            recipient: recipient.clone(),
        };
        let incarnation = node.store().incarnation();
        Ok(Self {
            machine: Sender::open(parties, incarnation, acknowledged, last),
            node: Arc::clone(node),
            trouble: trouble.clone(),
            link,
            partnership: partnership.clone(),
            recipient: recipient.clone(),
            outbox,
            new_store: None,
            ready: Ready::default(),
            told: Told::default(),
            heard: Heard::default(),
            answers: Answers::default(),
            asks: AsksHeard::default(),
        })
    }

    async fn run(&mut self, mut frames: mpsc::Receiver<Vec<u8>>) -> Result<(), Ended> {
        let mut changes = self.node.changes();
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        self.tell()?;
        loop {
            self.handle_all().await?;
            tokio::select! {
                frame = frames.recv() => match frame {
                    Some(frame) => {
                        for arrived in read_waiting(frame, &mut frames).await? {
                            self.take(arrived).await?;
                        }
                    }
                    None => return Ok(()),
                },
                changed = changes.changed() => {
                    if changed.is_err() {
                        return Ok(());
                    }
                    self.tell()?;
                    self.look_at_outbox();
                }
                // A link on which nothing is awaited costs nothing.
                _ = tick.tick(), if self.machine.is_waiting() || self.asks.has_waiting() => {
                    let now = crate::clock::now();
                    self.node.instant(now)?;
                    self.machine.tick(now);
                    self.offer_earned().await?;
                }
            }
        }
    }

    async fn handle_all(&mut self) -> Result<(), Ended> {
        while let Some(output) = self.machine.poll() {
            self.handle(output).await?;
        }
        Ok(())
    }

    async fn take(&mut self, arrived: Arrived) -> Result<(), Ended> {
        if !self.answers.take() {
            let bytes = arrived.size();
            self.charge(Fault::OutOfTurn { bytes });
        }
        self.machine.receive(arrived);
        self.handle_all().await
    }

    /// Sends what the recipient was not told yet on this link.
    fn tell(&mut self) -> Result<(), Ended> {
        let news = self.told.news(&self.node, &self.partnership);
        let (news, _) = news.ok_or(Ended::NoPartnership)?;
        for message in news {
            self.machine.send_control(message);
        }
        Ok(())
    }

    fn look_at_outbox(&mut self) {
        if let Some(state) = self.node.store().outbox(&self.outbox) {
            self.machine.outbox_grew(state.last);
        }
    }

    async fn handle(&mut self, output: SenderOutput) -> Result<(), Ended> {
        // A link on which nothing may be judged or recorded ends; it is opened again once the clock is right.
        let now = self.node.instant(crate::clock::now())?;
        let (partnership, recipient) = (&self.partnership, &self.recipient);
        if !is_still_known(&self.node, partnership, recipient, self.link.peer(), now) {
            return Err(Ended::TransportKey);
        }
        match output {
            SenderOutput::Send(frame) => {
                self.note_sent(&frame);
                self.send(&frame).await?;
            }
            SenderOutput::NeedBodies { from, upto } => {
                let (node, outbox) = (Arc::clone(&self.node), self.outbox);
                let bodies =
                    tokio::task::spawn_blocking(move || bodies(&node, &outbox, from, upto))
                        .await??;
                self.machine.supply_bodies(bodies);
            }
            SenderOutput::NeedItem { seq } => {
                let item = self.item(seq).await?;
                self.machine.supply_item(item);
            }
            SenderOutput::Acknowledgement { statement } => self.acknowledge(statement, now).await?,
            SenderOutput::Control(message) => {
                let peer = self.link.peer();
                take_control(&self.node, &self.trouble, peer, &mut self.heard, message).await;
            }
            SenderOutput::Again { code, upto } => self.offer_again(code, upto).await?,
            SenderOutput::NoCommonVersion => return Err(Ended::NoCommonVersion),
            SenderOutput::Opened { cursor } => {
                tracing::debug!(cursor, "the link is open");
                self.note_news(LinkNews::Opened);
                let state = self.node.store().outbox(&self.outbox);
                if state.as_ref().is_none_or(|state| state.last <= cursor) {
                    self.note_news(LinkNews::Goes);
                }
                // Nothing is left that could be acknowledged.
                let acknowledged = state.map(|state| (state.last, state.acknowledged));
                if acknowledged
                    .is_none_or(|(last, reach)| reach.map_or(0, |reach| reach.upto) >= last)
                {
                    self.note_news(LinkNews::Acknowledged);
                }
            }
            SenderOutput::StartsOver { incarnation } => {
                let (node, outbox) = (Arc::clone(&self.node), self.outbox);
                let checking = tokio::task::spawn_blocking(move || {
                    node.store().has_acknowledged(&outbox, &incarnation)
                });
                if checking.await?? {
                    let divergence = Divergence::StoreCameBack;
                    let (seq, code) = divergence.refusal();
                    let _ = self.send(&Frame::Reject { seq, code }).await;
                    return Err(Ended::Diverged(divergence.to_string()));
                }
                self.new_store = Some(incarnation);
                // A store is lost once in a long while; one that is new on every link costs a whole outbox each time.
                let peer = self.link.peer();
                self.trouble.charge(&peer, Fault::Dishonest);
                if let Some(count) = self.trouble.count(&peer, Complaint::Divergence) {
                    tracing::info!(
                        count,
                        "the recipient's store is new; everything is sent again"
                    );
                }
            }
            SenderOutput::EditionDiffers { own, theirs } => {
                self.note_trouble(LinkTrouble::EditionDiffers { theirs, own });
                tracing::info!(
                    "the recipient has another edition; nothing is sent until they agree"
                );
            }
            SenderOutput::Acked { upto } => {
                tracing::debug!(upto, "acknowledged");
                self.note_news(LinkNews::Goes);
            }
            SenderOutput::Rejected { seq: 0, code } => self.note_turned_away(code),
            SenderOutput::Rejected { seq, code } => {
                let peer = self.link.peer();
                if let Some(count) = self.trouble.count(&peer, Complaint::Rejected) {
                    tracing::info!(seq, %code, count, "the recipient refused an item");
                }
            }
            SenderOutput::Stalled => return Err(Ended::Stalled),
            SenderOutput::Diverged(divergence) => {
                let (seq, code) = divergence.refusal();
                // A recipient that is gone already is told by its next link.
                let _ = self.send(&Frame::Reject { seq, code }).await;
                return Err(Ended::Diverged(divergence.to_string()));
            }
        }
        Ok(())
    }

    /// What goes out under a number: judged now, or a moment ago together with others.
    async fn item(&mut self, seq: u64) -> Result<Outgoing, Ended> {
        let mut count = self.machine.sendable().clamp(1, ITEMS_MAX);
        loop {
            if let Some(item) = self.ready.take(&self.node, &self.outbox, seq)? {
                return Ok(item);
            }
            let (node, outbox) = (Arc::clone(&self.node), self.outbox);
            let how = (self.new_store, self.machine.takes_packed());
            let judged = Judged::now(&node);
            let judging = tokio::task::spawn_blocking(move || {
                outgoing_some(&node, &outbox, (seq, count), how)
            });
            let (first, rest) = judging.await??;
            // Judged alone, it leaves at once.
            if count == 1 {
                return Ok(first);
            }
            // While the others were judged something else may have come into force.
            self.ready.put(judged, seq, first, rest);
            count = 1;
        }
    }

    /// The recipient took no link, mostly because it does not know the agreement, or not yet; it is opened again later.
    fn note_turned_away(&self, code: RefusalCode) {
        let governance = self.node.governance();
        let known = governance.partnership(&self.partnership);
        // One that has not signed has no reason to know it yet.
        let has_signed =
            known.is_some_and(|known| known.signatures().contains_key(&self.recipient));
        if code != RefusalCode::WrongPartnership || !has_signed {
            return tracing::debug!(%code, "the recipient turned the link away");
        }
        self.note_trouble(LinkTrouble::NotKnown);
        if let Some(count) = self.trouble.count(&self.link.peer(), Complaint::NotKnown) {
            let text = "the recipient does not have this agreement, so that nothing goes to it; `ambit status` says how to \
                        mend that";
            tracing::warn!(count, "{text}");
        }
    }

    fn note_trouble(&self, why: LinkTrouble) {
        let (partnership, recipient) = (&self.partnership, &self.recipient);
        self.node
            .note_link(partnership, recipient, Way::Outbound, Some(why));
    }

    fn note_news(&self, news: LinkNews) {
        let (partnership, recipient) = (&self.partnership, &self.recipient);
        self.node
            .note_link_news(partnership, recipient, Way::Outbound, news);
    }

    async fn send(&mut self, frame: &Frame) -> Result<(), Ended> {
        let bytes = frame.encode()?;
        self.link.send(&bytes).await.map_err(|_| Ended::Connection)
    }

    fn charge(&self, fault: Fault) {
        self.trouble.charge(&self.link.peer(), fault);
    }

    /// An item lets the recipient answer; a frame of its own that is refused is charged to it.
    fn note_sent(&mut self, frame: &Frame) {
        match frame {
            Frame::Item { .. } | Frame::PackedItem { .. } | Frame::Tombstone { .. } => {
                self.answers.note_item();
            }
            Frame::Reject { code, .. } => {
                let peer = self.link.peer();
                self.trouble.charge_refusal(&peer, *code, 0);
            }
            Frame::Hello { .. }
            | Frame::Ack { .. }
            | Frame::Credit { .. }
            | Frame::Acknowledgement { .. }
            | Frame::Control { .. }
            | Frame::Evidence { .. }
            | Frame::Again { .. } => {}
        }
    }
}
