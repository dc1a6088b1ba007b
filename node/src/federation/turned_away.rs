//! When whoever asks for an agreement that it has no part in is answered: after a time that tells nothing of what was looked up, and
//! seldom, so that nobody learns by trying names.

use crate::mesh::PeerKey;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// From when its first frame arrived. Looking up any agreement takes a small part of it.
const AFTER: Duration = Duration::from_millis(50);
/// How many answers a peer gets at once: an honest one asks for as many agreements as it has and this node has not.
const AT_ONCE: u32 = 16;
/// How long it takes until it may have one more: sixteen a minute.
const EACH: Duration = Duration::from_millis(3_750);

/// When each peer has all its answers back.
#[derive(Clone, Debug, Default)]
pub(super) struct TurnedAway(Arc<Mutex<BTreeMap<PeerKey, Instant>>>);

/// When an answer is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Due {
    pub(super) at: Instant,
    /// Whether the peer asks more often than it is answered.
    pub(super) is_too_often: bool,
}

impl TurnedAway {
    /// When a peer is to be answered whose first frame arrived at an instant.
    pub(super) fn due(&self, peer: PeerKey, arrived: Instant) -> Due {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, back_at| *back_at > arrived);
        let back_at = all.entry(peer).or_insert(arrived);
        *back_at += EACH;
        let waits = back_at.saturating_duration_since(arrived);
        let beyond = waits.saturating_sub(EACH * AT_ONCE);
        Due {
            at: arrived + AFTER.max(beyond),
            is_too_often: !beyond.is_zero(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_is_answered_sixteen_times_a_minute_and_never_at_once() {
        let turned_away = TurnedAway::default();
        let (one, two) = (PeerKey([1; 32]), PeerKey([2; 32]));
        let begun = Instant::now();
        let after = |peer, arrived| {
            let due = turned_away.due(peer, arrived);
            (due.at - arrived, due.is_too_often)
        };
        for _ in 0..16 {
            assert_eq!(after(one, begun), (AFTER, false));
        }
        assert_eq!(after(one, begun), (EACH, true));
        assert_eq!(after(one, begun), (2 * EACH, true));
        // Others do not wait for it, and it not for ever.
        assert_eq!(after(two, begun), (AFTER, false));
        let minute = begun + Duration::from_secs(60) + 2 * EACH;
        for _ in 0..16 {
            assert_eq!(after(one, minute), (AFTER, false));
        }
        assert_eq!(after(one, minute), (EACH, true));
    }
}
