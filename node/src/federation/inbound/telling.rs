//! Telling an operator what is not taken on a link, and why it ends.

use super::Session;
use crate::federation::trouble::Complaint;
use crate::link::is_of_divergence;
use crate::node::{LinkTrouble, Way};
use ambit_ledger::RefusalCode;

impl Session {
    /// Tells what the sender refuses, and so why it ends the link, where it is told with that.
    pub(super) fn note_rejected(&self, seq: u64, code: RefusalCode) {
        let (peer, from, partnership) = (self.link.peer(), &self.from, &self.partnership);
        let (complaint, why) = if code == RefusalCode::NewerVersion {
            return self.trouble.note_newer(&peer, code);
        } else if code == RefusalCode::UnknownKey {
            (Complaint::OwnKey, LinkTrouble::OwnKeyRefused)
        } else if is_of_divergence(code) {
            let why = LinkTrouble::SenderDiverged { seq, code };
            (Complaint::Divergence, why)
        } else {
            if let Some(count) = self.trouble.count(&peer, Complaint::Rejected) {
                tracing::info!(seq, %code, count, "the sender refused a frame");
            }
            return;
        };
        if !self.has_diverged {
            self.node
                .note_link(partnership, from, Way::Inbound, Some(why));
        }
        if let Some(count) = self.trouble.count(&peer, complaint) {
            let text = "the sender refuses what this node took or signed, and sends no more; `ambit status` says why";
            tracing::error!(seq, %code, count, %from, %partnership, "{text}");
        }
    }

    /// Tells an operator that an item was not taken.
    pub(super) fn note_untaken(&self, seq: u64, code: RefusalCode) {
        let peer = self.link.peer();
        let from = &self.from;
        if !code.is_set_aside() {
            if let Some(count) = self.trouble.count(&peer, Complaint::Item) {
                tracing::info!(seq, %code, count, %from, "refused an item");
            }
        } else if let Some(count) = self.trouble.count(&peer, Complaint::Doubt) {
            let partnership = &self.partnership;
            let text = "set an item aside, because this node cannot decide it now; it comes again";
            tracing::warn!(seq, %code, count, %from, %partnership, "{text}");
        }
    }
}
