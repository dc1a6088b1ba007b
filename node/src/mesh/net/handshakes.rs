//! Handshakes that are going on: how many there may be, of whom, and how long one may wait before it begins.
//!
//! Nobody knows yet who comes. So one address holds a share only, and places are kept for addresses that members are known by: however
//! many strangers come, members get in.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures::{AsyncRead, AsyncReadExt as _, AsyncWrite};
use libp2p::swarm::ConnectionId;

use super::refusal::GateRefusal;
use crate::mesh::conduct::network;

/// How many inbound connections may be in their handshake: strangers can't hold more sockets than this.
pub(super) const HANDSHAKES_MAX: usize = 128;
/// How many of them may come from one IPv4 address, or from one IPv6 network of 64 bits.
pub(super) const HANDSHAKES_OF_ONE_MAX: usize = 32;
/// How many places are kept for addresses of members.
const HANDSHAKES_KEPT: usize = 32;
/// How many networks are remembered from which members came.
const KNOWN_MAX: usize = 1_024;
/// How long whoever connects may take until its first byte. An honest node sends it at once.
const FIRST_BYTE_WITHIN: Duration = Duration::from_secs(2);
/// How often it is told that some were turned away for want of a place.
const TOLD_EVERY: Duration = Duration::from_secs(60);

/// The handshakes that are going on.
#[derive(Debug, Default)]
pub(super) struct Handshakes {
    of: HashMap<ConnectionId, Option<IpAddr>>,
    known: HashSet<IpAddr>,
    turned_away: u64,
    told_at: Option<Instant>,
}

impl Handshakes {
    /// Lets one begin, where there is a place for it. `is_known` says whether a member is called at an address.
    pub(super) fn begin(
        &mut self,
        connection: ConnectionId,
        from: Option<IpAddr>,
        is_known: impl FnOnce(IpAddr) -> bool,
        now: Instant,
    ) -> Result<(), GateRefusal> {
        let from = from.map(network);
        let of_same = self.of.values().filter(|other| **other == from).count();
        let is_member = |from: IpAddr| self.known.contains(&from) || is_known(from);
        let most = HANDSHAKES_MAX - HANDSHAKES_KEPT;
        let has_place = of_same < HANDSHAKES_OF_ONE_MAX
            && (self.of.len() < most
                || (self.of.len() < HANDSHAKES_MAX && from.is_some_and(is_member)));
        if has_place {
            self.of.insert(connection, from);
            return Ok(());
        }
        self.turned_away += 1;
        let is_due = |told_at: Instant| now.duration_since(told_at) >= TOLD_EVERY;
        if self.told_at.is_none_or(is_due) {
            self.told_at = Some(now);
            tracing::warn!(
                count = self.turned_away,
                going_on = self.of.len(),
                "connections are turned away before their handshake, because too many are in it"
            );
        }
        Err(GateRefusal::TooManyHandshakes)
    }

    /// One ended. Whether it was going on.
    pub(super) fn end(&mut self, connection: ConnectionId) -> bool {
        self.of.remove(&connection).is_some()
    }

    /// A member came from there.
    pub(super) fn note_known(&mut self, from: IpAddr) {
        if self.known.len() < KNOWN_MAX {
            self.known.insert(network(from));
        }
    }
}

/// A connection whose first byte was read, and is given out again.
#[derive(Debug)]
pub(super) struct Begun<S> {
    first: Option<u8>,
    stream: S,
}

impl<S: AsyncRead + Unpin> Begun<S> {
    /// Waits for the first byte of whoever connected.
    pub(super) async fn by_other_end(mut stream: S) -> Result<Self, GateRefusal> {
        let mut first = [0];
        let read = tokio::time::timeout(FIRST_BYTE_WITHIN, stream.read(&mut first)).await;
        match read {
            Ok(Ok(1)) => Ok(Self {
                first: Some(first[0]),
                stream,
            }),
            _ => Err(GateRefusal::Silent),
        }
    }

    /// Of one that this end speaks first on.
    pub(super) fn by_this_end(stream: S) -> Self {
        Self {
            first: None,
            stream,
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Begun<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &mut [u8],
    ) -> Poll<std::io::Result<usize>> {
        if let (Some(first), Some(place)) = (self.first, bytes.first_mut()) {
            *place = first;
            self.first = None;
            return Poll::Ready(Ok(1));
        }
        Pin::new(&mut self.stream).poll_read(context, bytes)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Begun<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[std::io::IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, parts)
    }

    fn poll_flush(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_close(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_close(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_has_a_share_and_members_have_places() {
        let now = Instant::now();
        let mut handshakes = Handshakes::default();
        let mut next = 0;
        let mut begin = |handshakes: &mut Handshakes, from: [u8; 4], is_known: bool| {
            next += 1;
            let connection = ConnectionId::new_unchecked(next);
            let begun = handshakes.begin(connection, Some(from.into()), |_| is_known, now);
            begun.is_ok().then_some(connection)
        };
        let mut of_one = Vec::new();
        for _ in 0..HANDSHAKES_OF_ONE_MAX {
            of_one.extend(begin(&mut handshakes, [10, 0, 0, 1], false));
        }
        assert_eq!(of_one.len(), HANDSHAKES_OF_ONE_MAX);
        assert!(begin(&mut handshakes, [10, 0, 0, 1], false).is_none());
        // Many addresses have all places but those that are kept.
        let others = (0..=255).filter_map(|other| begin(&mut handshakes, [10, 1, 0, other], false));
        let free = HANDSHAKES_MAX - HANDSHAKES_KEPT - HANDSHAKES_OF_ONE_MAX;
        assert_eq!(others.count(), free);
        assert!(begin(&mut handshakes, [10, 2, 0, 1], true).is_some());
        handshakes.note_known([10, 2, 0, 2].into());
        assert!(begin(&mut handshakes, [10, 2, 0, 2], false).is_some());
        assert!(begin(&mut handshakes, [10, 2, 0, 3], false).is_none());
        assert!(handshakes.end(of_one[0]) && !handshakes.end(of_one[0]));
    }
}
