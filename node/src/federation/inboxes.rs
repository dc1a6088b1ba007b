//! One link at a time for each inbox.

use super::reading::Places;
use crate::store::BoxKey;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{OwnedMutexGuard, watch};

/// One place per inbox: a new link ends the old one and waits until its last commit is done.
#[derive(Clone, Debug, Default)]
pub(super) struct Inboxes {
    places: Arc<Mutex<BTreeMap<BoxKey, Place>>>,
    looking: Places,
}

#[derive(Clone, Debug)]
struct Place {
    holder: Arc<tokio::sync::Mutex<()>>,
    generation: watch::Sender<u64>,
}

impl Inboxes {
    /// Where what the links bring is looked at.
    pub(super) fn looking(&self) -> Places {
        self.looking.clone()
    }

    /// Takes the place. The receiver changes when another link takes it.
    pub(super) async fn take(&self, inbox: BoxKey) -> (OwnedMutexGuard<()>, watch::Receiver<u64>) {
        let place = {
            let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
            places
                .entry(inbox)
                .or_insert_with(|| Place {
                    holder: Arc::default(),
                    generation: watch::Sender::new(0),
                })
                .clone()
        };
        place.generation.send_modify(|generation| *generation += 1);
        let mut replaced = place.generation.subscribe();
        replaced.mark_unchanged();
        (place.holder.lock_owned().await, replaced)
    }
}
