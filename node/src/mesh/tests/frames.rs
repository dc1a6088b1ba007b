//! Frames that are torn, too large or cut off.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::{linked_pair, within};
use crate::mesh::{FRAME_BYTES_MAX, Link, LinkEnd, LinkError, PeerKey};

#[tokio::test]
async fn a_frame_that_is_too_large_is_refused_and_closes_the_link() {
    let (_one, _two, mut ours, mut theirs) = linked_pair().await;
    let sent = ours.send(&vec![0; FRAME_BYTES_MAX + 1]).await;
    assert!(
        matches!(sent, Err(LinkError::FrameTooLarge { bytes }) if bytes == FRAME_BYTES_MAX + 1)
    );
    assert!(matches!(
        ours.send(b"").await,
        Err(LinkError::Ended(LinkEnd::Broken))
    ));
    assert!(matches!(
        within(theirs.recv()).await,
        Ok(None) | Err(LinkError::Io(_))
    ));
}

#[tokio::test]
async fn a_frame_declared_too_large_is_refused_before_it_arrives() {
    let declared = u32::try_from(FRAME_BYTES_MAX).unwrap() + 1;
    let mut link = link_from_bytes(&declared.to_be_bytes());
    let received = link.recv().await;
    assert!(matches!(received, Err(LinkError::PeerFrameTooLarge { bytes }) if bytes == declared));
    assert!(matches!(
        link.send(b"").await,
        Err(LinkError::Ended(LinkEnd::Broken))
    ));
}

#[tokio::test]
async fn the_end_of_the_stream_inside_a_frame_is_told_from_its_end_between_two() {
    let mut link = link_from_bytes(&[0, 0, 0, 2, b'o', b'k']);
    assert_eq!(link.recv().await.unwrap().unwrap(), b"ok");
    assert_eq!(link.recv().await.unwrap(), None);
    for torn in [&[0, 0][..], &[0, 0, 0, 3, b'o', b'k'][..]] {
        let mut link = link_from_bytes(torn);
        assert!(matches!(link.recv().await, Err(LinkError::Truncated)));
    }
}

#[tokio::test]
async fn a_receive_that_is_dropped_half_way_loses_nothing() {
    let mut link = link_from_bytes(&[0, 0, 0, 2, b'o', b'k', 0, 0, 0, 1, b'!']);
    let mut frames = Vec::new();
    // The source stalls before every byte, so each attempt is dropped at a new place.
    while frames.len() < 2 {
        tokio::select! {
            biased;
            frame = link.recv() => frames.push(frame.unwrap().unwrap()),
            () = std::future::ready(()) => {}
        }
    }
    assert_eq!(frames, [b"ok".to_vec(), b"!".to_vec()]);
}

#[tokio::test]
async fn a_dropped_half_ends_the_link() {
    let (_one, _two, ours, mut theirs) = linked_pair().await;
    let (sender, mut receiver) = ours.split();
    drop(sender);
    assert!(matches!(
        receiver.recv().await,
        Err(LinkError::Ended(LinkEnd::Broken))
    ));
    assert!(matches!(
        within(theirs.recv()).await,
        Ok(None) | Err(LinkError::Io(_))
    ));
}

/// A link whose peer sends these bytes, one at a time with a stall before each, and then ends the stream.
fn link_from_bytes(bytes: &[u8]) -> Link {
    let stream = Trickle {
        bytes: bytes.to_vec(),
        ready: false,
    };
    Link::new(PeerKey([9; 32]), Box::new(stream), None)
}

struct Trickle {
    bytes: Vec<u8>,
    ready: bool,
}

impl futures::AsyncRead for Trickle {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        self.ready = !self.ready;
        if self.ready {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        if self.bytes.is_empty() {
            return Poll::Ready(Ok(0));
        }
        buffer[0] = self.bytes.remove(0);
        Poll::Ready(Ok(1))
    }
}

impl futures::AsyncWrite for Trickle {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, b: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(b.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
