//! Answering a link.

use super::ended::Ended;
use crate::link::Frame;
use crate::mesh::LinkSender;
use ambit_ledger::RefusalCode;

/// Answers a link that has no place here. Unknown and not-a-member get the same bytes.
pub(super) async fn turn_away(sender: &mut LinkSender, code: RefusalCode) -> Result<(), Ended> {
    send(sender, &Frame::Reject { seq: 0, code }).await
}

pub(super) async fn send(sender: &mut LinkSender, frame: &Frame) -> Result<(), Ended> {
    let bytes = frame.encode()?;
    sender.send(&bytes).await.map_err(|_| Ended::Connection)
}
