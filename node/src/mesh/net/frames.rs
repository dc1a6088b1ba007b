//! What frames of yamux cost: what they carry lies in memory until it is read, each in an allocation of its own, which takes more than
//! a byte or two in it does. So it is counted how many frames that carry little lie unread.

use std::collections::{HashMap, VecDeque};
use std::error::Error;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use futures::{AsyncRead, AsyncWrite};
use yamux::Stream;

/// The head of a frame (yamux's specification, *Framing*): the version, a type, flags, a stream and a length.
const HEAD_BYTES: usize = 12;
/// The type of a frame that as many bytes follow as it says. Lengths of others are windows and codes.
const DATA: u8 = 0;
/// The type of a frame that grants more of a stream, and may open it.
const WINDOW: u8 = 1;
const SYN: u8 = 1;
const RST: u8 = 8;
/// What carries less takes as much again in memory, and more.
const SMALL_BYTES: u32 = 64;
/// How many of those may lie unread on a connection: some 4 MiB. A link has some hundreds of frames on their way.
const SMALL_UNREAD_MAX: usize = 65_536;
/// How many streams are counted: more than yamux holds, some of which were let go by one end alone.
const STREAMS_MAX: usize = 512;

/// Frames that carry little, or streams, in a number that nobody has use for.
#[derive(Debug, thiserror::Error)]
#[error("too many frames that carry little each lie unread")]
pub(super) struct TooSmall;

impl TooSmall {
    /// Whether this was the cause. What an `io::Error` was made of is not its source.
    pub(super) fn is_in(error: &(dyn Error + 'static)) -> bool {
        let inner = match error.downcast_ref::<io::Error>() {
            Some(error) => error.get_ref().map(|inner| inner as &(dyn Error + 'static)),
            None => error.source(),
        };
        error.is::<Self>() || inner.is_some_and(Self::is_in)
    }
}

/// What lies unread on a connection, for its frames and its streams to count.
#[derive(Clone, Debug, Default)]
pub(super) struct Unread(Arc<Mutex<Counts>>);

impl Unread {
    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts the frames of a connection.
    pub(super) fn over<C>(&self, connection: C) -> Frames<C> {
        Watched {
            inner: connection,
            watch: Arriving {
                parser: Parser::default(),
                unread: self.clone(),
            },
        }
    }

    /// Counts what is read of a stream from now on.
    pub(super) fn of(&self, stream: Stream) -> Counted {
        let id = stream.id().val();
        self.lock().streams.entry(id).or_default();
        Watched {
            inner: stream,
            watch: Reading {
                id,
                unread: self.clone(),
            },
        }
    }
}

#[derive(Debug, Default)]
struct Counts {
    streams: HashMap<u32, OfStream>,
    /// Frames that carry little, of all streams.
    small: usize,
}

#[derive(Debug, Default)]
struct OfStream {
    received: u64,
    read: u64,
    /// Where in what was received each unread frame ends that carries little.
    small: VecDeque<u64>,
}

impl Counts {
    fn arrived(&mut self, frame: Head) -> Result<(), TooSmall> {
        let Head {
            kind,
            flags,
            stream,
            length,
        } = frame;
        if kind != DATA && kind != WINDOW || flags & RST != 0 {
            return Ok(());
        }
        if flags & SYN != 0 {
            self.streams.entry(stream).or_default();
            if self.streams.len() > STREAMS_MAX {
                return Err(TooSmall);
            }
        }
        // What comes for a stream that is gone is dropped where it is read.
        if kind == DATA
            && length > 0
            && let Some(stream) = self.streams.get_mut(&stream)
        {
            stream.received += u64::from(length);
            if length < SMALL_BYTES {
                stream.small.push_back(stream.received);
                self.small += 1;
            }
        }
        if self.small > SMALL_UNREAD_MAX {
            return Err(TooSmall);
        }
        Ok(())
    }

    fn read(&mut self, stream: u32, bytes: usize) {
        let Some(stream) = self.streams.get_mut(&stream) else {
            return;
        };
        stream.read += bytes as u64;
        while stream.small.front().is_some_and(|end| *end <= stream.read) {
            stream.small.pop_front();
            self.small -= 1;
        }
    }

    fn gone(&mut self, stream: u32) {
        let gone = self.streams.remove(&stream);
        self.small -= gone.map_or(0, |stream| stream.small.len());
    }
}

/// The head of a frame.
#[derive(Clone, Copy, Debug)]
struct Head {
    kind: u8,
    flags: u8,
    stream: u32,
    length: u32,
}

impl Head {
    fn of(bytes: [u8; HEAD_BYTES]) -> Self {
        let [_, kind, _, flags, a, b, c, d, length @ ..] = bytes;
        Self {
            kind,
            flags,
            stream: u32::from_be_bytes([a, b, c, d]),
            length: u32::from_be_bytes(length),
        }
    }
}

/// Where in the frames of a connection its next byte is.
#[derive(Debug, Default)]
struct Parser {
    head: [u8; HEAD_BYTES],
    head_bytes: usize,
    /// What the frame still carries.
    body_bytes: usize,
}

impl Parser {
    fn count(&mut self, mut received: &[u8], counts: &mut Counts) -> Result<(), TooSmall> {
        while !received.is_empty() {
            if self.body_bytes > 0 {
                let of_body = received.len().min(self.body_bytes);
                self.body_bytes -= of_body;
                received = received.get(of_body..).unwrap_or_default();
                continue;
            }
            let missing = self.head.iter_mut().skip(self.head_bytes);
            let of_head = missing.zip(received).map(|(to, from)| *to = *from).count();
            self.head_bytes += of_head;
            received = received.get(of_head..).unwrap_or_default();
            if self.head_bytes == HEAD_BYTES {
                self.head_bytes = 0;
                let head = Head::of(self.head);
                if head.kind == DATA {
                    self.body_bytes = usize::try_from(head.length).unwrap_or(usize::MAX);
                }
                counts.arrived(head)?;
            }
        }
        Ok(())
    }
}

/// What looks at each byte that is read of something.
pub(super) trait Watch {
    /// Counts what was read.
    fn read(&mut self, bytes: &[u8]) -> Result<(), TooSmall>;
}

/// A connection, or a stream of one, of which it is counted what is read.
#[derive(Debug)]
pub(super) struct Watched<C, W> {
    inner: C,
    watch: W,
}

/// A connection whose frames are counted as they arrive.
pub(super) type Frames<C> = Watched<C, Arriving>;
/// A stream of which it is counted what was read.
pub(super) type Counted = Watched<Stream, Reading>;

/// Counts frames as they arrive.
#[derive(Debug)]
pub(super) struct Arriving {
    parser: Parser,
    unread: Unread,
}

impl Watch for Arriving {
    fn read(&mut self, bytes: &[u8]) -> Result<(), TooSmall> {
        self.parser.count(bytes, &mut self.unread.lock())
    }
}

/// Counts what is read of a stream, for as long as that is there.
#[derive(Debug)]
pub(super) struct Reading {
    id: u32,
    unread: Unread,
}

impl Watch for Reading {
    fn read(&mut self, bytes: &[u8]) -> Result<(), TooSmall> {
        self.unread.lock().read(self.id, bytes.len());
        Ok(())
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.unread.lock().gone(self.id);
    }
}

impl<C: AsyncRead + Unpin, W: Watch + Unpin> AsyncRead for Watched<C, W> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let count = ready!(Pin::new(&mut self.inner).poll_read(context, buffer))?;
        let read = self.watch.read(buffer.get(..count).unwrap_or_default());
        Poll::Ready(read.map(|()| count).map_err(io::Error::other))
    }
}

impl<C: AsyncWrite + Unpin, W: Unpin> AsyncWrite for Watched<C, W> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(context, buffer)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_close(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_close(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, flags: u8, stream: u32, length: u32) -> Vec<u8> {
        let head = [
            &[0, kind, 0, flags][..],
            &stream.to_be_bytes(),
            &length.to_be_bytes(),
        ];
        let body = if kind == DATA { length } else { 0 };
        [head.concat(), vec![7; body as usize]].concat()
    }

    /// How many frames pass until one does not, of so many, however they are cut.
    fn passed(counts: &mut Counts, frame: &[u8], most: usize, cut: usize) -> usize {
        let mut parser = Parser::default();
        let mut parts = move || {
            let mut parts = frame.chunks(cut);
            parts.all(|part| parser.count(part, counts).is_ok())
        };
        (0..most).take_while(|_| parts()).count()
    }

    #[test]
    fn so_many_small_frames_lie_unread_whatever_else_comes() {
        for cut in [1, 5, 4_096] {
            let mut counts = Counts::default();
            assert_eq!(passed(&mut counts, &frame(WINDOW, SYN, 1, 0), 1, cut), 1);
            let small = frame(DATA, 0, 1, SMALL_BYTES - 1);
            let half = SMALL_UNREAD_MAX / 2;
            assert_eq!(passed(&mut counts, &small, half, cut), half);
            // Neither what is long, nor what carries nothing, nor what is for no stream, counts, or makes up for them.
            for other in [
                frame(DATA, 0, 1, SMALL_BYTES),
                frame(DATA, 0, 1, 0),
                frame(DATA, 0, 99_999, 200_000),
                frame(DATA, 0, 99_999, 1),
                frame(WINDOW, 0, 1, 262_144),
                frame(2, SYN, 0, 7),
            ] {
                assert_eq!(passed(&mut counts, &other, 200, cut), 200);
            }
            assert_eq!(passed(&mut counts, &small, SMALL_UNREAD_MAX, cut), half);
        }
    }

    #[test]
    fn what_was_read_or_is_gone_counts_no_more() {
        let mut counts = Counts::default();
        for stream in [1, 3] {
            assert_eq!(passed(&mut counts, &frame(DATA, SYN, stream, 2), 1, 7), 1);
            assert_eq!(passed(&mut counts, &frame(DATA, 0, stream, 100), 1, 7), 1);
            assert_eq!(passed(&mut counts, &frame(DATA, 0, stream, 3), 9, 7), 9);
        }
        assert_eq!(counts.small, 20);
        counts.read(1, 1);
        assert_eq!(counts.small, 20);
        counts.read(1, 1);
        assert_eq!(counts.small, 19);
        counts.read(1, 100 + 3 * 4 + 2);
        assert_eq!(counts.small, 15);
        counts.gone(3);
        assert_eq!(counts.small, 5);
        counts.read(1, 1_000);
        counts.read(3, 1_000);
        assert_eq!(counts.small, 0);
    }

    #[test]
    fn streams_that_were_never_there_are_not_counted_without_end() {
        let mut counts = Counts::default();
        let mut parser = Parser::default();
        let mut opens = |flags, stream| {
            let frame = frame(DATA, flags, stream, 0);
            parser.count(&frame, &mut counts).is_ok()
        };
        assert!((0..10_000).all(|stream| opens(SYN | RST, stream)));
        let opened = (0..10_000).take_while(|stream| opens(SYN, *stream)).count();
        assert_eq!(opened, STREAMS_MAX);
    }
}
