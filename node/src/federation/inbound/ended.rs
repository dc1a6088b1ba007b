//! Why a link that this node took ended, and what of that is told.

use crate::failure::one_line;
use crate::link::FrameError;
use crate::node::LinkTrouble;
use crate::store::StoreError;

/// Why a link ended.
#[derive(Debug, thiserror::Error)]
pub(super) enum Ended {
    #[error("the connection ended")]
    Connection,
    #[error("another link of the same peer took its place")]
    Replaced,
    #[error("the partnership is no longer in force")]
    NoPartnership,
    #[error("the key that the peer is known by is not good any more")]
    TransportKey,
    #[error("this node and the peer speak no version in common")]
    NoCommonVersion,
    #[error("what is to be said does not go over the link")]
    Frame(#[from] FrameError),
    #[error("the peer did not say what the link is for")]
    NoHello,
    #[error("the store failed")]
    Store(#[from] StoreError),
    #[error("a task was cut off")]
    Task(#[from] tokio::task::JoinError),
}

impl Ended {
    /// Whether it is neither the peer's doing nor what comes and goes.
    pub(super) const fn is_of_this_node(&self) -> bool {
        match self {
            Self::Frame(_) | Self::Store(_) | Self::Task(_) => true,
            Self::Connection
            | Self::Replaced
            | Self::NoPartnership
            | Self::TransportKey
            | Self::NoCommonVersion
            | Self::NoHello => false,
        }
    }

    /// What a person may have to mend.
    pub(super) fn trouble(&self) -> Option<LinkTrouble> {
        self.is_of_this_node()
            .then(|| LinkTrouble::OwnFault(one_line(self)))
    }
}
