//! Why a link that this node opened ended, and what of that is told.

use crate::clock::ClockError;
use crate::failure::one_line;
use crate::link::FrameError;
use crate::node::LinkTrouble;
use crate::release::HandOverError;
use crate::store::StoreError;
use ambit_ledger::Time;

/// Why a link ended.
#[derive(Debug, thiserror::Error)]
pub(super) enum Ended {
    #[error("the partnership is no longer in force")]
    NoPartnership,
    #[error("the key that the recipient is known by is not good any more")]
    TransportKey,
    #[error("the connection ended")]
    Connection,
    #[error("the recipient does not acknowledge")]
    Stalled,
    #[error("the recipient signs its acknowledgements with a key that does not count")]
    AcknowledgementKey {
        /// When it ended, where it did.
        ended: Option<Time>,
    },
    #[error("the recipient dates its acknowledgements wrongly")]
    Dated(String),
    #[error("the recipient's store and this one disagree: {0}")]
    Diverged(String),
    #[error("this node and the recipient speak no version in common")]
    NoCommonVersion,
    #[error("what is next does not go over the link")]
    Frame(#[from] FrameError),
    #[error("the clock cannot be believed")]
    Clock(#[from] ClockError),
    #[error("the store failed")]
    Store(#[from] StoreError),
    #[error("a task was cut off")]
    Task(#[from] tokio::task::JoinError),
}

impl Ended {
    /// What a person may have to mend, where it is more than a connection that comes and goes.
    pub(super) fn trouble(&self) -> Option<LinkTrouble> {
        match self {
            Self::Diverged(how) => Some(LinkTrouble::Diverged(how.clone())),
            Self::NoCommonVersion => Some(LinkTrouble::NoCommonVersion),
            Self::Stalled => Some(LinkTrouble::Stalled),
            Self::AcknowledgementKey { ended } => {
                Some(LinkTrouble::AcknowledgementKey { ended: *ended })
            }
            Self::Dated(how) => Some(LinkTrouble::Unreliable(how.clone())),
            Self::Frame(_) | Self::Store(_) | Self::Task(_) => {
                Some(LinkTrouble::OwnFault(one_line(self)))
            }
            Self::NoPartnership | Self::TransportKey | Self::Connection | Self::Clock(_) => None,
        }
    }
}

impl From<HandOverError> for Ended {
    fn from(error: HandOverError) -> Self {
        match error {
            HandOverError::Clock(error) => error.into(),
            HandOverError::Store(error) => error.into(),
        }
    }
}
