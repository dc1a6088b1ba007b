//! What a peer, or a stranger, may get wrong before it has to wait: plain tables that are told what happened.
//!
//! The set of admitted peers is signed, and still one of them may be broken, taken over or hostile. Whatever it does
//! costs this node work, so each has a limited patience, which faults spend and time gives back. Where it is spent,
//! the peer is *barred*: it loses its links and connections, and gets new ones when its time is over; each time in a
//! row it waits twice as long. What honest nodes do, restarts and races included, stays far below every limit here.
//!
//! It must never read a clock: `now` is an argument.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What a peer has. An honest one that fell out of step has at most 64 items on the way, one point each, and then
/// waits for a minute; this is some times as much. A hostile one gets milliseconds of this node's time for it.
const PATIENCE: Rate = Rate {
    burst: 512,
    per_second: 4,
};
/// How often a peer may open a link. One per partnership comes at once after a connection, at most 64 are held, and
/// an honest peer that is turned away asks twice a second. At a fraction of a millisecond each, this is some percent
/// of one core.
const LINKS: Rate = Rate {
    burst: 128,
    per_second: 64,
};
/// How often one address may be turned away after a handshake, or fail in it. A node that is not admitted yet comes
/// eight times in its first minute, and once a minute afterwards. A handshake costs half a millisecond.
const TURNED_AWAY: Rate = Rate {
    burst: 32,
    per_second: 2,
};
/// How many addresses are remembered. Who has more of them is limited by the number of handshakes alone.
const ADDRESSES_MAX: usize = 1_024;
/// The first time a peer is barred: short, because a fault of its program may be over after a restart.
const BARRED_MIN: Duration = Duration::from_secs(2);
/// The longest. An operator who mends a node does not wait for longer than that.
const BARRED_MAX: Duration = Duration::from_secs(3_600);
/// How long a peer must behave until one bar of those in a row is forgotten.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(3_600);
/// A frame in vain costs one point for its place, and one for each so many bytes: they were held and decrypted.
/// Items of the largest kind that fell out of step stay below the patience all the same.
const BYTES_PER_POINT: usize = 65_536;

/// What a peer did wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It made one more connection; that is no fault but where it happens again and again.
    Connection,
    /// It opened links faster than any honest peer.
    Link,
    /// A frame that can be read, of this size, and has no place or no use where it came. Races make some of them.
    OutOfTurn {
        /// Its size.
        bytes: usize,
    },
    /// A statement that had to be verified, and then could not be taken up. Nodes that disagree about an edition
    /// send some of them.
    InVain,
    /// What no honest node makes: bytes that are no frame, a signature or a digest that is wrong.
    Dishonest,
}

impl Fault {
    /// What it takes of a patience of 512.
    fn points(self) -> u32 {
        match self {
            Self::Connection | Self::InVain => 4,
            Self::Link => 1,
            Self::OutOfTurn { bytes } => {
                let size = u32::try_from(bytes / BYTES_PER_POINT).unwrap_or(u32::MAX);
                size.saturating_add(1)
            }
            Self::Dishonest => 16,
        }
    }
}

/// So many at once, and so many more with each second.
#[derive(Debug, Clone, Copy)]
struct Rate {
    burst: u32,
    per_second: u32,
}

/// How much of a rate is used up, as the instant at which all of it is back.
#[derive(Debug, Clone, Copy, Default)]
struct Spent {
    back_at: Option<Instant>,
}

impl Spent {
    /// Takes points, where there are as many.
    fn take(&mut self, points: u32, rate: Rate, now: Instant) -> bool {
        let each = Duration::from_secs(1) / rate.per_second;
        let from = self.back_at.map_or(now, |back_at| back_at.max(now));
        let back_at = from + each.saturating_mul(points);
        let has_enough = back_at.duration_since(now) <= each * rate.burst;
        if has_enough {
            self.back_at = Some(back_at);
        }
        has_enough
    }

    fn is_all_back(&self, now: Instant) -> bool {
        self.back_at.is_none_or(|back_at| back_at <= now)
    }
}

/// The conduct of one admitted peer.
#[derive(Debug, Default)]
pub(super) struct Conduct {
    patience: Spent,
    links: Spent,
    barred_until: Option<Instant>,
    /// How often in a row.
    bars: u32,
}

impl Conduct {
    pub(super) fn is_barred(&self, now: Instant) -> bool {
        self.barred_until.is_some_and(|until| now < until)
    }

    /// For how long it is barred still.
    pub(super) fn barred_for(&self, now: Instant) -> Option<Duration> {
        let until = self.barred_until?;
        (now < until).then(|| until - now)
    }

    /// Whether one more link may be opened now.
    pub(super) fn may_open_link(&mut self, now: Instant) -> bool {
        self.links.take(1, LINKS, now)
    }

    /// Notes a fault. Says for how long the peer is barred from now on, where this was one too many. A peer that
    /// is barred commits none: what still comes of it was on its way.
    pub(super) fn note(&mut self, fault: Fault, now: Instant) -> Option<Duration> {
        if self.is_barred(now) || self.patience.take(fault.points(), PATIENCE, now) {
            return None;
        }
        if let Some(until) = self.barred_until {
            let hours = now.duration_since(until).as_secs() / FORGOTTEN_AFTER.as_secs();
            let forgotten = u32::try_from(hours).unwrap_or(u32::MAX);
            self.bars = self.bars.saturating_sub(forgotten);
        }
        let barred = 2_u32
            .checked_pow(self.bars)
            .and_then(|factor| BARRED_MIN.checked_mul(factor))
            .map_or(BARRED_MAX, |barred| barred.min(BARRED_MAX));
        self.bars = self.bars.saturating_add(1);
        self.barred_until = Some(now + barred);
        // It comes back with all its patience, or an honest one would be barred again for a trifle.
        self.patience = Spent::default();
        Some(barred)
    }
}

/// Where those came from that were turned away lately.
#[derive(Debug, Default)]
pub(super) struct Arrivals(Mutex<HashMap<IpAddr, Spent>>);

impl Arrivals {
    /// Whether a connection from there is worth a handshake at once. Peers that are connected already notice nothing
    /// of it; those that share the address with whoever is turned away cannot get in while that goes on.
    pub(super) fn may_come(&self, from: IpAddr, now: Instant) -> bool {
        let turned_away = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let turned_away = turned_away.get(&network(from));
        turned_away.is_none_or(|spent| {
            let mut next = *spent;
            next.take(1, TURNED_AWAY, now)
        })
    }

    /// Notes that one from there was turned away, or did not complete its handshake.
    pub(super) fn note_turned_away(&self, from: IpAddr, now: Instant) {
        let mut turned_away = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if turned_away.len() >= ADDRESSES_MAX {
            turned_away.retain(|_, spent| !spent.is_all_back(now));
            if turned_away.len() >= ADDRESSES_MAX {
                turned_away.clear();
            }
        }
        let spent = turned_away.entry(network(from)).or_default();
        // Where nothing is left already, a handshake that began before is over only now.
        let _ = spent.take(1, TURNED_AWAY, now);
    }
}

/// What one subscriber holds: an IPv4 address, or all 2^64 that begin like an IPv6 address.
pub(super) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let prefix = u128::from(address) & (u128::MAX << 64);
            IpAddr::V6(Ipv6Addr::from(prefix))
        }
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUT_OF_TURN: Fault = Fault::OutOfTurn { bytes: 100 };

    /// Repeats a fault until the peer is barred. Returns how often, and for how long.
    fn provoke(conduct: &mut Conduct, fault: Fault, now: Instant) -> (u32, Duration) {
        for count in 1..10_000 {
            if let Some(barred) = conduct.note(fault, now) {
                return (count, barred);
            }
        }
        panic!("never barred for {fault:?}");
    }

    #[test]
    fn each_fault_has_its_limit() {
        let now = Instant::now();
        for (fault, limit) in [
            (Fault::Connection, 129),
            (Fault::InVain, 129),
            (Fault::Link, 513),
            (OUT_OF_TURN, 513),
            (Fault::OutOfTurn { bytes: 262_144 }, 103),
            (Fault::OutOfTurn { bytes: usize::MAX }, 1),
            (Fault::Dishonest, 33),
        ] {
            let (count, barred) = provoke(&mut Conduct::default(), fault, now);
            assert_eq!((count, barred), (limit, BARRED_MIN), "{fault:?}");
        }
    }

    #[test]
    fn patience_comes_back_with_time() {
        let start = Instant::now();
        let mut conduct = Conduct::default();
        // Four a second for an hour: as a peer that restarts every second.
        for second in 0..3_600 {
            let now = start + Duration::from_secs(second);
            assert_eq!(conduct.note(Fault::Connection, now), None);
        }
    }

    #[test]
    fn each_bar_in_a_row_is_twice_as_long_up_to_an_hour() {
        let mut now = Instant::now();
        let mut conduct = Conduct::default();
        let mut seconds = Vec::new();
        for _ in 0..14 {
            let (_, barred) = provoke(&mut conduct, Fault::Dishonest, now);
            seconds.push(barred.as_secs());
            assert!(conduct.is_barred(now));
            // What was on its way changes nothing.
            assert_eq!(conduct.note(Fault::Dishonest, now), None);
            now += barred;
            assert!(!conduct.is_barred(now));
        }
        assert_eq!(
            seconds,
            [
                2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024, 2_048, 3_600, 3_600, 3_600
            ]
        );
        now += FORGOTTEN_AFTER * 12;
        let (count, barred) = provoke(&mut conduct, Fault::Dishonest, now);
        assert_eq!((count, barred.as_secs()), (33, 8));
        now += barred + FORGOTTEN_AFTER * 100;
        let (_, barred) = provoke(&mut conduct, Fault::Dishonest, now);
        assert_eq!(barred, BARRED_MIN);
    }

    #[test]
    fn links_are_opened_at_a_limited_rate() {
        let now = Instant::now();
        let mut conduct = Conduct::default();
        let opened = |conduct: &mut Conduct, now| {
            let opened = (0..1_000).take_while(|_| conduct.may_open_link(now));
            opened.count()
        };
        assert_eq!(opened(&mut conduct, now), 128);
        assert_eq!(opened(&mut conduct, now + Duration::from_secs(1)), 64);
    }

    #[test]
    fn an_address_that_is_turned_away_again_and_again_has_to_wait() {
        let now = Instant::now();
        let from: IpAddr = "192.0.2.7".parse().unwrap();
        let arrivals = Arrivals::default();
        for _ in 0..32 {
            assert!(arrivals.may_come(from, now));
            arrivals.note_turned_away(from, now);
        }
        assert!(!arrivals.may_come(from, now));
        assert!(!arrivals.may_come("::ffff:192.0.2.7".parse().unwrap(), now));
        assert!(arrivals.may_come("192.0.2.8".parse().unwrap(), now));
        // Asking costs nothing, so it gets in when its time has come, however often it asked.
        assert!(arrivals.may_come(from, now + Duration::from_millis(500)));
    }

    #[test]
    fn addresses_of_one_network_count_together_and_the_table_is_bounded() {
        let now = Instant::now();
        let arrivals = Arrivals::default();
        for host in 0..32_u128 {
            let address = Ipv6Addr::from((0x2001_0db8_u128 << 96) | host);
            arrivals.note_turned_away(address.into(), now);
        }
        assert_eq!(arrivals.0.lock().unwrap().len(), 1);
        assert!(!arrivals.may_come("2001:db8::ffff".parse().unwrap(), now));
        for network in 0..10_000_u32 {
            arrivals.note_turned_away(IpAddr::V4(network.into()), now);
            assert!(arrivals.0.lock().unwrap().len() <= ADDRESSES_MAX);
        }
    }
}
