//! A frame from outside, read and no more. To read one takes as long as it is large, so it is done apart from the
//! machines, off the async threads.

use super::{Frame, FrameError};
use ambit_ledger::{Digest, DisclosureId, ItemBody, ObservationId};

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
