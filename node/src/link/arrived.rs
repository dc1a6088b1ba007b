//! A frame from outside, read and no more. To read one takes as long as it is large, so it is done apart from the
//! machines, off the async threads.

use super::{Frame, FrameError};
use ambit_ledger::{Digest, DisclosureId, ItemBody, ObservationId, RefusalCode};

/// A frame that came, and what it takes to place it.
#[derive(Debug)]
pub struct Arrived {
    pub(super) frame: Result<Frame, FrameError>,
    pub(super) body: Option<ItemBody>,
    size: usize,
    digest: Digest,
}

impl Arrived {
    /// Reads the bytes of a frame, whatever they are.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Self {
        let frame = Frame::decode(bytes).and_then(Frame::unpacked);
        let body = match &frame {
            Ok(Frame::Item {
                observation,
                disclosure,
                ..
            }) => Some(ItemBody::Item {
                observation: ObservationId::of(observation),
                disclosure: DisclosureId::of(disclosure),
            }),
            Ok(Frame::Tombstone { .. }) => Some(ItemBody::Tombstone),
            Ok(
                Frame::Hello { .. }
                | Frame::Ack { .. }
                | Frame::Credit { .. }
                | Frame::Reject { .. }
                | Frame::Acknowledgement { .. }
                | Frame::Control { .. }
                | Frame::Evidence { .. }
                | Frame::Again { .. }
                // What was read is unpacked.
                | Frame::PackedItem { .. },
            )
            | Err(_) => None,
        };
        Self {
            digest: Digest::of(bytes),
            size: bytes.len(),
            frame,
            body,
        }
    }

    /// The statements of the observation and the disclosure and the readings, where it is an item.
    #[must_use]
    pub fn item(&self) -> Option<(&[u8], &[u8], &[u8])> {
        match &self.frame {
            Ok(Frame::Item {
                observation,
                disclosure,
                readings,
                ..
            }) => Some((observation, disclosure, readings)),
            _ => None,
        }
    }

    /// The id of the observation, where it is an item.
    #[must_use]
    pub fn observation(&self) -> Option<ObservationId> {
        match self.body {
            Some(ItemBody::Item { observation, .. }) => Some(observation),
            Some(ItemBody::Tombstone) | None => None,
        }
    }

    /// The number that it takes, where it takes one.
    #[must_use]
    pub fn number(&self) -> Option<u64> {
        match &self.frame {
            Ok(Frame::Item { seq, .. } | Frame::Tombstone { seq, .. }) => Some(*seq),
            _ => None,
        }
    }

    /// With which code it says that something was refused, and of which number, where it says no more.
    #[must_use]
    pub fn rejection(&self) -> Option<(u64, RefusalCode)> {
        match &self.frame {
            Ok(Frame::Reject { seq, code }) => Some((*seq, *code)),
            _ => None,
        }
    }

    /// How many bytes it had.
    #[must_use]
    pub fn size(&self) -> usize {
        self.size
    }

    /// The digest of its bytes, which names it where it is refused.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }
}
