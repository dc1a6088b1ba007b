//! Many streams over one connection, by yamux, with bounds on what the other end can make this node hold.
//!
//! The multiplexer that comes with libp2p leaves a connection's windows at 1 GiB. Here all streams of one together have what yamux grants
//! each of them from its start, and some more, by which those that carry much grow with the time that an answer takes.

use futures::future::{Ready, ready};
use libp2p::core::UpgradeInfo;
use libp2p::core::muxing::{StreamMuxer, StreamMuxerEvent};
use libp2p::core::upgrade::{InboundConnectionUpgrade, OutboundConnectionUpgrade};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;
use std::iter::Once;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready as ready_or_return};
use yamux::{Config, Connection, ConnectionError, Mode, Stream};

/// How many streams one connection may hold: the 64 links of both directions, the pings, and those being opened or closed.
const STREAMS_MAX: usize = 80;
/// What yamux grants a stream before it is read from (its specification, *Flow control*).
const STREAM_BYTES: usize = 256 * 1024;
/// What streams may have beyond that together: 0.1 s at some 3 Gbit/s, as yamux grants twice what is under way.
const GROWTH_BYTES: usize = 44 * 1024 * 1024;
/// The most bytes of all streams of a connection that were received and not read, as yamux counts them. What each takes in memory it
/// does not count: a frame of one byte takes some forty.
pub(super) const UNREAD_BYTES_MAX: usize = STREAMS_MAX * STREAM_BYTES + GROWTH_BYTES;

/// The name of the protocol, as libp2p negotiates it.
const PROTOCOL: &str = "/yamux/1.0.0";

/// Makes many streams of a connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Multiplexing;

impl UpgradeInfo for Multiplexing {
    type Info = &'static str;
    type InfoIter = Once<Self::Info>;

    fn protocol_info(&self) -> Self::InfoIter {
        std::iter::once(PROTOCOL)
    }
}

impl<C: futures::AsyncRead + futures::AsyncWrite + Unpin> InboundConnectionUpgrade<C>
    for Multiplexing
{
    type Output = Multiplexer<C>;
    type Error = Infallible;
    type Future = Ready<Result<Multiplexer<C>, Infallible>>;

    fn upgrade_inbound(self, connection: C, _protocol: &'static str) -> Self::Future {
        ready(Ok(Multiplexer::over(connection, Mode::Server)))
    }
}

impl<C: futures::AsyncRead + futures::AsyncWrite + Unpin> OutboundConnectionUpgrade<C>
    for Multiplexing
{
    type Output = Multiplexer<C>;
    type Error = Infallible;
    type Future = Ready<Result<Multiplexer<C>, Infallible>>;

    fn upgrade_outbound(self, connection: C, _protocol: &'static str) -> Self::Future {
        ready(Ok(Multiplexer::over(connection, Mode::Client)))
    }
}

/// A connection of many streams.
#[derive(Debug)]
pub(super) struct Multiplexer<C> {
    connection: Connection<C>,
    /// Opened by the other end while it was driven for the sake of others; yamux bounds how many there are.
    opened: VecDeque<Stream>,
    /// Who waits for one.
    waiting: Option<Waker>,
}

impl<C: futures::AsyncRead + futures::AsyncWrite + Unpin> Multiplexer<C> {
    fn over(connection: C, mode: Mode) -> Self {
        let mut config = Config::default();
        config.set_max_num_streams(STREAMS_MAX);
        config.set_max_connection_receive_window(Some(UNREAD_BYTES_MAX));
        Self {
            connection: Connection::new(connection, config, mode),
            opened: VecDeque::new(),
            waiting: None,
        }
    }

    /// Drives the connection until the other end opens a stream.
    fn poll_opened(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Stream>> {
        let opened = ready_or_return!(self.connection.poll_next_inbound(context));
        let opened = opened.unwrap_or(Err(ConnectionError::Closed));
        Poll::Ready(opened.map_err(failed))
    }
}

fn failed(error: ConnectionError) -> io::Error {
    match error {
        ConnectionError::Io(error) => error,
        error => io::Error::other(error),
    }
}

impl<C: futures::AsyncRead + futures::AsyncWrite + Unpin> StreamMuxer for Multiplexer<C> {
    type Substream = Stream;
    type Error = io::Error;

    fn poll_inbound(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<Stream>> {
        if let Some(stream) = self.opened.pop_front() {
            return Poll::Ready(Ok(stream));
        }
        self.waiting = Some(context.waker().clone());
        self.poll_opened(context)
    }

    fn poll_outbound(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<Stream>> {
        let opened = ready_or_return!(self.connection.poll_new_outbound(context));
        Poll::Ready(opened.map_err(failed))
    }

    fn poll_close(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let closed = ready_or_return!(self.connection.poll_close(context));
        Poll::Ready(closed.map_err(failed))
    }

    fn poll(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<StreamMuxerEvent>> {
        let stream = ready_or_return!(self.poll_opened(context))?;
        self.opened.push_back(stream);
        if let Some(waiting) = self.waiting.take() {
            waiting.wake();
        }
        // There may be more to do at once.
        context.waker().wake_by_ref();
        Poll::Pending
    }
}
