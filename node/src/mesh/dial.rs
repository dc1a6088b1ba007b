//! When to dial which peer: a plain table that is told what happened and asked what is due.
//!
//! It must never read a clock or open a socket: `now` is an argument.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::peer::PeerKey;

/// The first wait after a failure. Short, because most losses are a restart or a switch that blinked.
const DIAL_DELAY_MIN: Duration = Duration::from_millis(250);
/// The longest wait. A peer that comes back is found within a minute, and one that is gone costs a dial a minute. There is no
/// jitter: a node has few peers, and two that dial each other at once merely end up with two usable connections.
const DIAL_DELAY_MAX: Duration = Duration::from_secs(60);
/// How long a connection must live before it clears earlier failures. A peer that does not admit us yet closes every
/// connection at once, after it was established: without this limit it would be dialled without pause.
const STEADY_AFTER: Duration = Duration::from_secs(10);

#[derive(Debug)]
struct Plan {
    failures: u32,
    state: State,
}

#[derive(Debug, Clone, Copy)]
enum State {
    Waiting { until: Instant },
    Dialing,
    Connected { since: Instant },
}

/// The peers to be kept connected, and the next dial of each.
#[derive(Debug, Default)]
pub(super) struct Schedule {
    plans: BTreeMap<PeerKey, Plan>,
}

impl Schedule {
    /// Takes up a peer, or starts over with one whose addresses changed: it is due at once unless it is connected.
    pub(super) fn include(&mut self, peer: PeerKey, connected: bool, now: Instant) {
        let state = if connected {
            State::Connected { since: now }
        } else {
            State::Waiting { until: now }
        };
        self.plans.insert(peer, Plan { failures: 0, state });
    }

    /// Forgets a peer: it is dialled no more.
    pub(super) fn exclude(&mut self, peer: &PeerKey) {
        self.plans.remove(peer);
    }

    /// The peers to dial now. Each counts as being dialled from here on.
    pub(super) fn take_due(&mut self, now: Instant) -> Vec<PeerKey> {
        let mut due = Vec::new();
        for (peer, plan) in &mut self.plans {
            if matches!(plan.state, State::Waiting { until } if until <= now) {
                plan.state = State::Dialing;
                due.push(*peer);
            }
        }
        due
    }

    /// The instant of the next dial, if any peer waits for one.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.plans
            .values()
            .filter_map(|plan| match plan.state {
                State::Waiting { until } => Some(until),
                State::Dialing | State::Connected { .. } => None,
            })
            .min()
    }

    /// A dial failed. A peer that got connected meanwhile, by its own dial, stays so.
    pub(super) fn failed(&mut self, peer: &PeerKey, now: Instant) {
        if let Some(plan) = self.plans.get_mut(peer)
            && matches!(plan.state, State::Dialing)
        {
            plan.wait(now);
        }
    }

    /// The peer is connected, whoever dialled.
    pub(super) fn connected(&mut self, peer: &PeerKey, now: Instant) {
        if let Some(plan) = self.plans.get_mut(peer)
            && !matches!(plan.state, State::Connected { .. })
        {
            plan.state = State::Connected { since: now };
        }
    }

    /// The last connection to the peer is gone.
    pub(super) fn lost(&mut self, peer: &PeerKey, now: Instant) {
        if let Some(plan) = self.plans.get_mut(peer) {
            if let State::Connected { since } = plan.state
                && now.saturating_duration_since(since) >= STEADY_AFTER
            {
                plan.failures = 0;
            }
            plan.wait(now);
        }
    }
}

impl Plan {
    fn wait(&mut self, now: Instant) {
        let until = now + delay(self.failures);
        self.failures = self.failures.saturating_add(1);
        self.state = State::Waiting { until };
    }
}

fn delay(failures: u32) -> Duration {
    2_u32
        .checked_pow(failures)
        .and_then(|factor| DIAL_DELAY_MIN.checked_mul(factor))
        .map_or(DIAL_DELAY_MAX, |delay| delay.min(DIAL_DELAY_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEER: PeerKey = PeerKey([7; 32]);

    #[test]
    fn the_delay_doubles_up_to_its_cap() {
        let delays: Vec<u128> = (0..10).map(|n| delay(n).as_millis()).collect();
        assert_eq!(
            delays,
            [
                250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000
            ]
        );
        assert_eq!(delay(u32::MAX), DIAL_DELAY_MAX);
    }

    #[test]
    fn a_new_peer_is_due_at_once_and_only_once() {
        let now = Instant::now();
        let mut schedule = Schedule::default();
        schedule.include(PEER, false, now);
        assert_eq!(schedule.take_due(now), [PEER]);
        assert!(schedule.take_due(now + DIAL_DELAY_MAX).is_empty());
        assert_eq!(schedule.next_due(), None);
    }

    #[test]
    fn a_failed_dial_waits_before_the_next() {
        let now = Instant::now();
        let mut schedule = Schedule::default();
        schedule.include(PEER, false, now);
        schedule.take_due(now);
        schedule.failed(&PEER, now);
        assert!(schedule.take_due(now).is_empty());
        assert_eq!(schedule.next_due(), Some(now + DIAL_DELAY_MIN));
        assert_eq!(schedule.take_due(now + DIAL_DELAY_MIN), [PEER]);
    }

    #[test]
    fn a_connected_peer_is_never_due_even_if_its_own_dial_fails_late() {
        let now = Instant::now();
        let mut schedule = Schedule::default();
        schedule.include(PEER, false, now);
        schedule.take_due(now);
        schedule.connected(&PEER, now);
        schedule.failed(&PEER, now);
        assert_eq!(schedule.next_due(), None);
    }

    #[test]
    fn a_connection_that_is_closed_at_once_keeps_the_backoff_growing() {
        let mut now = Instant::now();
        let mut schedule = Schedule::default();
        schedule.include(PEER, false, now);
        let mut waits = Vec::new();
        for _ in 0..4 {
            assert_eq!(schedule.take_due(now), [PEER]);
            schedule.connected(&PEER, now);
            schedule.lost(&PEER, now);
            let next = schedule.next_due().unwrap();
            waits.push((next - now).as_millis());
            now = next;
        }
        assert_eq!(waits, [250, 500, 1_000, 2_000]);

        schedule.take_due(now);
        schedule.connected(&PEER, now);
        now += STEADY_AFTER;
        schedule.lost(&PEER, now);
        assert_eq!(schedule.next_due(), Some(now + DIAL_DELAY_MIN));
    }

    #[test]
    fn an_excluded_peer_is_dialled_no_more() {
        let now = Instant::now();
        let mut schedule = Schedule::default();
        schedule.include(PEER, false, now);
        schedule.exclude(&PEER);
        assert!(schedule.take_due(now).is_empty());
    }
}
