//! What a recipient acknowledges: recorded where it can be relied on, told where it cannot.

use super::ended::Ended;
use super::{Complaint, Fault, Session};
use crate::failure::one_line;
use crate::link::{Frame, untaken_since};
use crate::node::{LinkNews, LinkTrouble};
use crate::release::{UnreliableError, record_acknowledgement, verify_acknowledgement};
use crate::store::StoreError;
use ambit_ledger::{RefusalCode, Time};
use std::sync::Arc;

impl Session {
    /// Takes in a signed acknowledgement: recorded first, then confirmed.
    pub(super) async fn acknowledge(&mut self, statement: Vec<u8>, now: Time) -> Result<(), Ended> {
        let (node, outbox) = (Arc::clone(&self.node), self.outbox);
        let partnership = self.partnership.clone();
        let verifying = tokio::task::spawn_blocking(move || {
            let relied = verify_acknowledgement(&node, &partnership, &outbox, &statement, now)?;
            Ok::<_, StoreError>((relied, statement))
        });
        let (relied, statement) = verifying.await??;
        let acknowledgement = match relied.ok_or(Ended::NoPartnership)? {
            Ok(acknowledgement) => acknowledgement,
            Err(error) => {
                self.warn_of_acknowledgement(&error);
                match &error {
                    UnreliableError::Statement(error) => {
                        let code = RefusalCode::from(error);
                        self.trouble.charge_refusal(&self.link.peer(), code, 0);
                    }
                    UnreliableError::Otherwise(_) => self.charge(Fault::InVain),
                    // It signs anew on each link, and its clock may be right by then.
                    UnreliableError::Dated(_) => return Err(Ended::Dated(one_line(&error))),
                    // Keys that changed are no fault. What it says next is signed with the same one.
                    UnreliableError::Key { ended, .. } => {
                        return Err(self.end_for_key(*ended).await);
                    }
                }
                self.note_trouble(LinkTrouble::Unreliable(one_line(&error)));
                return Ok(());
            }
        };
        let before = self.node.store().outbox(&self.outbox);
        let before = before.and_then(|outbox| outbox.acknowledged);
        let upto = match self.machine.acknowledge(&acknowledgement) {
            Ok(upto) => upto,
            Err(error) => {
                self.charge(Fault::InVain);
                self.warn_of_acknowledgement(&error);
                // One that says again what is recorded already leaves nothing open.
                if !error.is_repeated() {
                    self.note_trouble(LinkTrouble::Unreliable(one_line(&error)));
                }
                return Ok(());
            }
        };
        let before = before.filter(|before| before.incarnation == upto.incarnation);
        let untaken = untaken_since(&acknowledgement, before.map_or(0, |before| before.upto));
        let node = Arc::clone(&self.node);
        let reached = (upto.clone(), acknowledgement.at, untaken);
        let partnership = self.partnership.clone();
        let recording = tokio::task::spawn_blocking(move || {
            let to = (&partnership, &outbox);
            record_acknowledgement(&node, to, statement, reached, now)
        });
        if let Err(error) = recording.await?? {
            // On the next link it is signed with a key that counts, or verified as this one was not any more.
            self.warn_of_acknowledgement(&error);
            let ended = match error {
                UnreliableError::Key { ended, .. } => ended,
                _ => None,
            };
            return Err(self.end_for_key(ended).await);
        }
        self.machine.acknowledgement_committed(&upto);
        self.note_news(LinkNews::Acknowledged);
        tracing::debug!(recipient = %self.recipient, upto = upto.upto, "acknowledged and recorded");
        Ok(())
    }

    /// Tells the recipient that its key does not count.
    async fn end_for_key(&mut self, ended: Option<Time>) -> Ended {
        let (seq, code) = (0, RefusalCode::UnknownKey);
        let _ = self.send(&Frame::Reject { seq, code }).await;
        Ended::AcknowledgementKey { ended }
    }

    fn warn_of_acknowledgement(&self, error: &(dyn std::error::Error + 'static)) {
        let peer = self.link.peer();
        if let Some(count) = self.trouble.count(&peer, Complaint::Acknowledgement) {
            tracing::warn!(error, count, "an acknowledgement cannot be relied on");
        }
    }
}
