//! What a recipient did not take and asks for again: gone through at once, or once it is earned.

use super::ended::Ended;
use super::{Fault, Session};
use crate::release::offer_again;
use ambit_ledger::RefusalCode;
use std::sync::Arc;
use tokio::time::Instant;

impl Session {
    /// The recipient's grounds have changed: what it did not take with a code, up to a number, is offered again.
    pub(super) async fn offer_again(&mut self, code: RefusalCode, upto: u64) -> Result<(), Ended> {
        if self.asks.take(code, upto, Instant::now()) {
            return self.go_through(code, upto).await;
        }
        self.charge(Fault::InVain);
        Ok(())
    }

    /// Goes through what it asked for too soon, as far as that is earned: it does not ask a second time on this link.
    pub(super) async fn offer_earned(&mut self) -> Result<(), Ended> {
        while let Some((code, upto)) = self.asks.earned(Instant::now()) {
            self.go_through(code, upto).await?;
        }
        Ok(())
    }

    async fn go_through(&mut self, code: RefusalCode, upto: u64) -> Result<(), Ended> {
        let (node, outbox) = (Arc::clone(&self.node), self.outbox);
        let offering = tokio::task::spawn_blocking(move || offer_again(&node, &outbox, code, upto));
        if let Some(offered) = offering.await?? {
            tracing::info!(%code, upto, offered, "offered again what the recipient had not taken");
            self.look_at_outbox();
        }
        Ok(())
    }
}
