//! Whether more may come from a member now, or has to wait at the sender.

use super::Node;
use crate::link::{Beyond, Brought, BroughtOn, Inbox};
use crate::store::StoreError;
use ambit_ledger::Time;
use std::fmt;

/// Why no more may come.
#[derive(Debug)]
pub(crate) enum HeldBack {
    /// The sender brought as much as it may today.
    Quota(Beyond),
    /// Too little space is free.
    Room(StoreError),
}

impl fmt::Display for HeldBack {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Quota(beyond) => beyond.fmt(formatter),
            Self::Room(error) => error.fmt(formatter),
        }
    }
}

impl Node {
    /// Why no more may come to an inbox now; nothing where more may. What came is never refused for that: it waits.
    pub(crate) fn holds_back(&self, inbox: Option<&Inbox>, now: Time) -> Option<HeldBack> {
        if let Some(beyond) = self.beyond_quota(inbox, now) {
            return Some(HeldBack::Quota(beyond));
        }
        self.store().want_of_room().map(HeldBack::Room)
    }

    /// By what a sender brought as much as it may today.
    pub(crate) fn beyond_quota(&self, inbox: Option<&Inbox>, now: Time) -> Option<Beyond> {
        let nothing = BroughtOn::and(None, Brought::default(), now);
        let brought = inbox.and_then(|inbox| inbox.brought).unwrap_or(nothing);
        brought.beyond(&self.settings().quotas, now)
    }
}
