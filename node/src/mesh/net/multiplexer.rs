//! Many streams over one connection, by yamux, with bounds on what the other end can make this node hold.
//!
//! The multiplexer that comes with libp2p leaves a connection's windows at 1 GiB. Here all streams of one together have what yamux grants
//! each of them from its start, and some more, by which those that carry much grow with the time that an answer takes.

use super::frames::{Counted, Frames, Unread};
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
/// The most bytes of all streams of a connection that were received and not read, as yamux counts them. What each frame takes beside
/// what it carries it does not count: that is bounded by [`Frames`].
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
    connection: Connection<Frames<C>>,
    /// Opened by the other end while it was driven for the sake of others; yamux bounds how many there are.
    opened: VecDeque<Counted>,
    /// Who waits for one.
    waiting: Option<Waker>,
    unread: Unread,
}

impl<C: futures::AsyncRead + futures::AsyncWrite + Unpin> Multiplexer<C> {
    fn over(connection: C, mode: Mode) -> Self {
        let mut config = Config::default();
        config.set_max_num_streams(STREAMS_MAX);
        config.set_max_connection_receive_window(Some(UNREAD_BYTES_MAX));
        let unread = Unread::default();
        Self {
            connection: Connection::new(unread.over(connection), config, mode),
            unread,
            opened: VecDeque::new(),
            waiting: None,
        }
    }

    fn counted(&self, opened: Result<Stream, ConnectionError>) -> io::Result<Counted> {
        let stream = opened.map_err(failed)?;
        Ok(self.unread.of(stream))
    }

    /// Drives the connection until the other end opens a stream.
    fn poll_opened(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Counted>> {
        let opened = ready_or_return!(self.connection.poll_next_inbound(context));
        let opened = opened.unwrap_or(Err(ConnectionError::Closed));
        Poll::Ready(self.counted(opened))
    }
}

fn failed(error: ConnectionError) -> io::Error {
    match error {
        ConnectionError::Io(error) => error,
        error => io::Error::other(error),
    }
}

impl<C: futures::AsyncRead + futures::AsyncWrite + Unpin> StreamMuxer for Multiplexer<C> {
    type Substream = Counted;
    type Error = io::Error;

    fn poll_inbound(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<Counted>> {
        if let Some(stream) = self.opened.pop_front() {
            return Poll::Ready(Ok(stream));
        }
        self.waiting = Some(context.waker().clone());
        self.poll_opened(context)
    }

    fn poll_outbound(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<Counted>> {
        let opened = ready_or_return!(self.connection.poll_new_outbound(context));
        Poll::Ready(self.counted(opened))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mesh::net::frames::TooSmall;
    use futures::future::poll_fn;
    use libp2p::swarm::ConnectionError as Closed;

    /// Opens a stream and sends one byte after the other in it, each in a frame of its own, for as long as it is read.
    #[derive(Default)]
    struct ByteByByte {
        sent: usize,
    }

    impl futures::AsyncRead for ByteByByte {
        fn poll_read(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            buffer: &mut [u8],
        ) -> Poll<io::Result<usize>> {
            const SYN: u8 = 1;
            for byte in buffer.iter_mut() {
                let flags = if self.sent < 13 { SYN } else { 0 };
                let frame = [0, 0, 0, flags, 0, 0, 0, 1, 0, 0, 0, 1, 7];
                *byte = frame[self.sent % frame.len()];
                self.sent += 1;
            }
            Poll::Ready(Ok(buffer.len()))
        }
    }

    impl futures::AsyncWrite for ByteByByte {
        fn poll_write(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            Poll::Ready(Ok(bytes.len()))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    #[tokio::test]
    async fn a_connection_of_frames_of_one_byte_is_ended_for_that() {
        let mut muxer = Multiplexer::over(ByteByByte::default(), Mode::Server);
        let error = loop {
            match poll_fn(|context| Pin::new(&mut muxer).poll(context)).await {
                Ok(_) => {}
                Err(error) => break error,
            }
        };
        assert!(TooSmall::is_in(&error), "{error}");
        // As libp2p hands it on.
        let closed = Closed::IO(io::Error::other(error));
        assert!(TooSmall::is_in(&closed), "{closed}");
        let other = Closed::IO(io::Error::other(ConnectionError::Closed));
        assert!(!TooSmall::is_in(&other));
    }
}
