//! A link: one ordered stream of whole frames to and from one peer.
//!
//! On the wire a frame is its length as a big-endian `u32`, then that many bytes, at most [`FRAME_BYTES_MAX`]. The side that
//! accepts a link opens it with one empty frame, so that the side that asked knows that somebody took it.
//! The link must never allocate what a peer merely declares, and never wait without a limit for a peer that does not read.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use futures::{AsyncRead, AsyncWrite};
use tokio::sync::watch;

use super::peer::PeerKey;
use super::record::{Direction, FrameRecord};

/// The most bytes one frame's body may hold: 256 KiB. It holds the largest observation with its readings and certificates
/// several times over; what is larger goes in chunks.
pub const FRAME_BYTES_MAX: usize = 262_144;
/// How much of a frame's body is allocated ahead of the bytes that arrive.
const BODY_STEP_BYTES: usize = 16_384;
/// How long one frame may take to be handed over. 256 KiB in this time is 70 kbit/s: below that a peer is not reading, or grants
/// no window.
const SEND_TIMEOUT: Duration = Duration::from_secs(30);

/// Why this node ended a link that might otherwise have gone on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkEnd {
    /// The peer is no longer in the admitted set.
    NotAdmitted,
    /// The peer gave no sign of life for too long.
    Silent,
    /// The peer broke the rules too often, and is barred for a time.
    Barred,
    /// The mesh was stopped.
    Stopped,
    /// The other half of the link failed or was dropped before its direction was finished, or a send was cancelled half-way.
    Broken,
}

/// Why a frame could not be sent or received. After any of these the link is closed in both directions.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The caller's frame is too large.
    #[error("failed to send a frame of {bytes} bytes: a frame holds at most {FRAME_BYTES_MAX}")]
    FrameTooLarge {
        /// Length of the body.
        bytes: usize,
    },
    /// The peer declared a frame that is too large.
    #[error(
        "failed to receive a frame: the peer declared {bytes} bytes, a frame holds at most {FRAME_BYTES_MAX}"
    )]
    PeerFrameTooLarge {
        /// Length the peer declared.
        bytes: u32,
    },
    /// The stream ended in the middle of a frame.
    #[error("failed to receive a frame: the stream ended inside it")]
    Truncated,
    /// The peer did not take a frame in time.
    #[error(
        "failed to send a frame: the peer did not take it within {} seconds",
        SEND_TIMEOUT.as_secs()
    )]
    Stalled,
    /// The connection failed.
    #[error("failed to move a frame over the link")]
    Io(#[source] io::Error),
    /// This node ended the link.
    #[error("failed to move a frame: this node ended the link ({0:?})")]
    Ended(LinkEnd),
}

/// One ordered, two-way stream of frames with one peer. Dropping it closes it in both directions.
#[derive(Debug)]
pub struct Link {
    sender: LinkSender,
    receiver: LinkReceiver,
}

impl Link {
    pub(super) fn new(
        peer: PeerKey,
        stream: Box<dyn Duplex>,
        record: Option<Arc<FrameRecord>>,
    ) -> Self {
        let state = Arc::new(LinkState {
            peer,
            stream: Mutex::new(Some(stream)),
            ended: watch::Sender::new(None),
        });
        Self {
            sender: LinkSender {
                state: Arc::clone(&state),
                record: record.clone(),
                buffer: Vec::new(),
                sending: false,
                finished: false,
            },
            receiver: LinkReceiver {
                state,
                record,
                header: [0; 4],
                declared: None,
                body: Vec::new(),
                filled: 0,
                finished: false,
            },
        }
    }

    /// The peer at the other end, as authenticated by the connection.
    pub fn peer(&self) -> PeerKey {
        self.sender.peer()
    }

    /// Sends one frame. See [`LinkSender::send`].
    pub async fn send(&mut self, body: &[u8]) -> Result<(), LinkError> {
        self.sender.send(body).await
    }

    /// Receives one frame. See [`LinkReceiver::recv`].
    pub async fn recv(&mut self) -> Result<Option<Vec<u8>>, LinkError> {
        self.receiver.recv().await
    }

    /// Tells the peer that no more frames come, and closes the link. That is no sign that the peer got any of them.
    pub async fn close(self) -> Result<(), LinkError> {
        self.sender.close().await
    }

    /// Takes the link apart, for two tasks.
    pub fn split(self) -> (LinkSender, LinkReceiver) {
        (self.sender, self.receiver)
    }

    pub(super) fn state(&self) -> &Arc<LinkState> {
        &self.sender.state
    }

    /// Writes the empty frame that tells the side that asked: this link was accepted.
    pub(super) async fn greet(&mut self) -> Result<(), LinkError> {
        self.sender.write_frame(&[]).await
    }

    /// Waits for the empty frame of the accepting side; false means that nobody took the link.
    pub(super) async fn await_greeting(&mut self) -> Result<bool, LinkError> {
        Ok(self
            .receiver
            .read_frame()
            .await?
            .is_some_and(|body| body.is_empty()))
    }
}

/// The sending half of a link. Dropping it without [`LinkSender::close`] ends the whole link.
#[derive(Debug)]
pub struct LinkSender {
    state: Arc<LinkState>,
    record: Option<Arc<FrameRecord>>,
    buffer: Vec<u8>,
    sending: bool,
    finished: bool,
}

impl LinkSender {
    /// The peer at the other end.
    pub fn peer(&self) -> PeerKey {
        self.state.peer
    }

    /// Sends one frame of at most [`FRAME_BYTES_MAX`] bytes and flushes it. `Ok` means handed to the connection, not
    /// delivered. A call that is dropped half-way leaves a torn frame, so the next one ends the link.
    pub async fn send(&mut self, body: &[u8]) -> Result<(), LinkError> {
        if body.len() > FRAME_BYTES_MAX {
            self.state.end(LinkEnd::Broken);
            return Err(LinkError::FrameTooLarge { bytes: body.len() });
        }
        // Recorded before it is written: the record holds at least what may have left.
        if let Some(record) = &self.record {
            record.append(Direction::Sent, &self.state.peer, body);
        }
        self.write_frame(body).await
    }

    /// Tells the peer that no more frames come. The receiving half stays usable.
    pub async fn close(mut self) -> Result<(), LinkError> {
        let state = Arc::clone(&self.state);
        let closing = poll_fn(|context| state.poll(|stream| stream.poll_close(context)));
        self.state.run_within_limit(closing).await?;
        self.finished = true;
        Ok(())
    }

    async fn write_frame(&mut self, body: &[u8]) -> Result<(), LinkError> {
        if self.sending {
            self.state.end(LinkEnd::Broken);
            return Err(LinkError::Ended(LinkEnd::Broken));
        }
        let bytes = body.len();
        let length = u32::try_from(bytes).map_err(|_| LinkError::FrameTooLarge { bytes })?;
        // Length and body go out in one write: small frames then fit one packet.
        self.buffer.clear();
        self.buffer.extend_from_slice(&length.to_be_bytes());
        self.buffer.extend_from_slice(body);
        self.sending = true;
        let written = self
            .state
            .run_within_limit(self.state.write_all(&self.buffer))
            .await;
        self.sending = false;
        written
    }
}

impl Drop for LinkSender {
    fn drop(&mut self) {
        if !self.finished {
            self.state.end(LinkEnd::Broken);
        }
    }
}

/// The receiving half of a link. Dropping it before the peer finished sending ends the whole link.
#[derive(Debug)]
pub struct LinkReceiver {
    state: Arc<LinkState>,
    record: Option<Arc<FrameRecord>>,
    header: [u8; 4],
    declared: Option<usize>,
    body: Vec<u8>,
    filled: usize,
    finished: bool,
}

impl LinkReceiver {
    /// The peer at the other end.
    pub fn peer(&self) -> PeerKey {
        self.state.peer
    }

    /// Receives one frame. `Ok(None)`: the peer sends no more, or its connection went away between two frames; the two look
    /// alike. May be dropped half-way, as in a `select`: the next call goes on where it stopped.
    pub async fn recv(&mut self) -> Result<Option<Vec<u8>>, LinkError> {
        let frame = self.read_frame().await?;
        if let (Some(record), Some(body)) = (&self.record, &frame) {
            record.append(Direction::Received, &self.state.peer, body);
        }
        Ok(frame)
    }

    async fn read_frame(&mut self) -> Result<Option<Vec<u8>>, LinkError> {
        if self.finished {
            return Ok(None);
        }
        let Some(declared) = self.read_header().await? else {
            return Ok(None);
        };
        while self.filled < declared {
            // Memory follows the bytes that arrive, a step ahead of them.
            let step = declared.min(self.filled.saturating_add(BODY_STEP_BYTES));
            self.body.resize(step, 0);
            let free = self.body.get_mut(self.filled..).unwrap_or_default();
            match self.state.read(free).await? {
                0 => return Err(self.state.fail(LinkError::Truncated)),
                bytes => self.filled = self.filled.saturating_add(bytes),
            }
        }
        self.declared = None;
        self.filled = 0;
        Ok(Some(std::mem::take(&mut self.body)))
    }

    /// The length of the frame being received, `None` at the end of the stream.
    async fn read_header(&mut self) -> Result<Option<usize>, LinkError> {
        if self.declared.is_some() {
            return Ok(self.declared);
        }
        while let Some(free) = self.header.get_mut(self.filled..)
            && !free.is_empty()
        {
            match self.state.read(free).await? {
                0 if self.filled == 0 => {
                    self.finished = true;
                    return Ok(None);
                }
                0 => return Err(self.state.fail(LinkError::Truncated)),
                bytes => self.filled = self.filled.saturating_add(bytes),
            }
        }
        let bytes = u32::from_be_bytes(self.header);
        let declared = usize::try_from(bytes)
            .ok()
            .filter(|declared| *declared <= FRAME_BYTES_MAX)
            .ok_or_else(|| self.state.fail(LinkError::PeerFrameTooLarge { bytes }))?;
        self.declared = Some(declared);
        self.filled = 0;
        Ok(self.declared)
    }
}

impl Drop for LinkReceiver {
    fn drop(&mut self) {
        if !self.finished {
            self.state.end(LinkEnd::Broken);
        }
    }
}

/// The byte stream below a link.
pub(super) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// What both halves of a link, and those who may end it, share.
pub(super) struct LinkState {
    peer: PeerKey,
    /// Taken out when the link ends, which closes it on the wire whoever still holds a half.
    stream: Mutex<Option<Box<dyn Duplex>>>,
    ended: watch::Sender<Option<LinkEnd>>,
}

impl std::fmt::Debug for LinkState {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("LinkState")
            .field("peer", &self.peer)
            .field("ended", &*self.ended.borrow())
            .finish_non_exhaustive()
    }
}

impl LinkState {
    /// Ends the link at once, on the wire too; the first reason stays.
    pub(super) fn end(&self, reason: LinkEnd) {
        self.ended.send_if_modified(|ended| {
            let first = ended.is_none();
            *ended = Some(ended.unwrap_or(reason));
            first
        });
        let stream = self
            .stream
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        drop(stream);
    }

    fn fail(&self, error: LinkError) -> LinkError {
        self.end(LinkEnd::Broken);
        error
    }

    fn poll<T>(
        &self,
        operation: impl FnOnce(Pin<&mut dyn Duplex>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        let mut stream = self.stream.lock().unwrap_or_else(PoisonError::into_inner);
        match stream.as_mut() {
            Some(stream) => operation(Pin::new(stream.as_mut())),
            None => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }

    async fn read(&self, free: &mut [u8]) -> Result<usize, LinkError> {
        self.run(poll_fn(|context| {
            self.poll(|stream| stream.poll_read(context, free))
        }))
        .await
    }

    async fn write_all(&self, bytes: &[u8]) -> io::Result<()> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let write =
                |context: &mut Context<'_>| self.poll(|stream| stream.poll_write(context, rest));
            let written = poll_fn(write).await?;
            if written == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            rest = rest.get(written..).unwrap_or_default();
        }
        poll_fn(|context| self.poll(|stream| stream.poll_flush(context))).await
    }

    /// Runs `work` until it is done or the link ends.
    async fn run<T>(&self, work: impl Future<Output = io::Result<T>>) -> Result<T, LinkError> {
        let mut ended = self.ended.subscribe();
        let end = async {
            let reason = ended.wait_for(Option::is_some).await;
            reason.ok().and_then(|reason| *reason)
        };
        tokio::select! {
            biased;
            reason = end => Err(LinkError::Ended(reason.unwrap_or(LinkEnd::Broken))),
            done = work => done.map_err(|error| self.fail(LinkError::Io(error))),
        }
    }

    async fn run_within_limit<T>(
        &self,
        work: impl Future<Output = io::Result<T>>,
    ) -> Result<T, LinkError> {
        tokio::time::timeout(SEND_TIMEOUT, self.run(work))
            .await
            .unwrap_or_else(|_| Err(self.fail(LinkError::Stalled)))
    }
}
