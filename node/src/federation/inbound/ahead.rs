//! Reading and verifying what comes ahead of its turn.

use crate::admit::{Ahead, verify_ahead};
use crate::federation::reading::{self, Places, read_all};
use crate::link::{Arrived, Receiver};
use crate::node::Node;
use ambit_ledger::{OrganizationId, PartnershipId};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::mpsc;

/// A frame, and what was found of the item in it.
pub(super) type Read = (Arrived, Option<Box<Ahead>>);

/// Which items are verified ahead: no more than an honest sender sends. What else comes is found out in its turn.
#[derive(Debug)]
pub(super) struct Turn {
    /// The number that is read next.
    next: AtomicU64,
    /// The last that may come by the credit that was given.
    granted: AtomicU64,
}

impl Turn {
    pub(super) fn of(machine: &Receiver) -> Arc<Self> {
        let (next, granted) = machine.turn();
        Arc::new(Self {
            next: AtomicU64::new(next),
            granted: AtomicU64::new(granted),
        })
    }

    /// Credit is given: to be called before that is told.
    pub(super) fn grant(&self, machine: &Receiver) {
        self.granted.store(machine.turn().1, Ordering::Relaxed);
    }

    /// How many were verified, or are being, of which this one is the next to be taken.
    pub(super) fn ahead_of(&self, next: u64) -> u64 {
        self.next.load(Ordering::Relaxed).saturating_sub(next)
    }

    fn is_due(&self, number: u64) -> bool {
        let next = self.next.load(Ordering::Relaxed);
        let is_due = number == next && number <= self.granted.load(Ordering::Relaxed);
        if is_due {
            self.next.store(next + 1, Ordering::Relaxed);
        }
        is_due
    }
}

/// Reads frames and verifies the items in them, ahead of their turn.
pub(super) fn read_ahead(
    node: &Arc<Node>,
    partnership: &PartnershipId,
    from: &OrganizationId,
    turn: &Arc<Turn>,
    places: Places,
    frames: mpsc::Receiver<Vec<u8>>,
) -> reading::Ahead<Read> {
    let (node, partnership, from) = (Arc::clone(node), partnership.clone(), from.clone());
    let turn = Arc::clone(turn);
    let read_in_order = move |frames: &[Vec<u8>]| {
        let arrived = read_all(frames).into_iter();
        let with_due = |arrived: Arrived| {
            let is_due = arrived.number().is_some_and(|number| turn.is_due(number));
            (arrived, is_due)
        };
        arrived.map(with_due).collect::<Vec<_>>()
    };
    let look_at = move |arrived: Vec<(Arrived, bool)>| {
        let ahead = verify_ahead(&node, &partnership, &from, &arrived).into_iter();
        let ahead = ahead.map(|ahead| ahead.map(Box::new));
        let arrived = arrived.into_iter().map(|(arrived, _)| arrived);
        arrived.zip(ahead).collect()
    };
    reading::Ahead::start(frames, places, read_in_order, look_at)
}
