//! Why nothing goes over a link: what is told of it, and by what it is over.

use crate::mesh::LINKS_PER_PEER_MAX;
use ambit_ledger::{Digest, RefusalCode, Time};

/// What is left where a store went back: what was sent over the link meanwhile has no place on it any more.
const ON_FROM_A_RESTORE: &str = "put the newer home back where there is one; otherwise this agreement does not go on, and \
     one declared under another name does";

/// Which way a link carries observations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Way {
    /// To the other member.
    Outbound,
    /// From it.
    Inbound,
}

/// Why nothing goes over a link, though the peer is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LinkTrouble {
    /// The two stores disagree about the past, and how.
    Diverged(String),
    /// The two programs speak no version in common.
    NoCommonVersion,
    /// The two nodes have different editions of the agreement.
    EditionDiffers {
        /// The other node's.
        theirs: Digest,
        /// This one's.
        own: Digest,
    },
    /// Its connection carries no more links.
    TooManyLinks,
    /// The recipient does not acknowledge.
    Stalled,
    /// The recipient does not know the agreement.
    NotKnown,
    /// The recipient signs its acknowledgements with a key that does not count.
    AcknowledgementKey {
        /// When it ended, where it did; otherwise its card does not certify it.
        ended: Option<Time>,
    },
    /// The recipient's acknowledgements cannot be relied on, and why.
    Unreliable(String),
    /// The sender says that what this node took is not what it sent.
    SenderDiverged {
        /// Up to which sequence number it looked.
        seq: u64,
        /// As what it refuses that.
        code: RefusalCode,
    },
    /// The sender does not rely on the key that this node signs its acknowledgements with.
    OwnKeyRefused,
    /// Something failed at this node, and what.
    OwnFault(String),
}

/// What a link shows as it goes on, by which some of what was wrong is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LinkNews {
    /// The recipient took it.
    Opened,
    /// This node took it, and found nothing wrong itself.
    Accepted,
    /// Something goes over it, or there is nothing that has to.
    Goes,
    /// The peer is not there, so that nothing can be wrong with what it does.
    Disconnected,
    /// What went over it is acknowledged, with a signature that counts.
    Acknowledged,
}

impl LinkTrouble {
    /// Whether the news show that it holds no longer.
    pub(super) const fn is_over_with(&self, news: LinkNews) -> bool {
        match news {
            LinkNews::Opened => matches!(
                self,
                Self::NotKnown | Self::NoCommonVersion | Self::TooManyLinks
            ),
            // What the other end finds it says only now.
            LinkNews::Accepted => {
                !matches!(self, Self::SenderDiverged { .. } | Self::OwnKeyRefused)
            }
            LinkNews::Disconnected => {
                matches!(self, Self::NotKnown | Self::Stalled | Self::TooManyLinks)
            }
            LinkNews::Goes => !self.is_of_acknowledgements(),
            LinkNews::Acknowledged => true,
        }
    }

    /// Whether what is sent may arrive all the same.
    pub(super) const fn is_of_acknowledgements(&self) -> bool {
        matches!(self, Self::AcknowledgementKey { .. } | Self::Unreliable(_))
    }

    /// What a person reads of it.
    pub(super) fn told(&self, way: Way) -> String {
        match (self, way) {
            (Self::Diverged(how), Way::Outbound) => format!(
                "its store and this one disagree about what was sent, so that nothing is ({how}); ask its operator \
                 whether one of the two was restored from an older backup: {ON_FROM_A_RESTORE}"
            ),
            (Self::Diverged(how), Way::Inbound) => format!(
                "its store and this one disagree about what it sent, so that nothing of it is taken in ({how}); ask its \
                 operator whether one of the two was restored from an older backup: {ON_FROM_A_RESTORE}"
            ),
            (Self::NoCommonVersion, Way::Outbound | Way::Inbound) => {
                "its program and this one speak no version of the link in common; update the older one".to_owned()
            }
            (Self::EditionDiffers { theirs, own }, Way::Outbound | Way::Inbound) => format!(
                "it has edition {theirs} of the agreement and this node {own}, so that nothing is sent until both have \
                 the same; whoever declared it knows which one counts, and hands its file to the other"
            ),
            (Self::TooManyLinks, Way::Outbound | Way::Inbound) => format!(
                "no further link fits into its connection, which has {LINKS_PER_PEER_MAX}, two for each agreement, so that this \
                 one waits for another to end; make one agreement of several, or ask its operator why its node opens more"
            ),
            (Self::Stalled, Way::Outbound | Way::Inbound) => {
                "it is connected and does not acknowledge what it is sent; ask its operator whether its node can write \
                 to its disk"
                    .to_owned()
            }
            (Self::NotKnown, Way::Outbound | Way::Inbound) => {
                "it is connected and does not have this agreement, so that nothing goes to it; its home may have been \
                 restored from a backup from before the agreement: hand the file over again (`ambit partner invite \
                 PARTNERSHIP -o FILE`), and have its operator accept it there"
                    .to_owned()
            }
            (Self::AcknowledgementKey { ended }, Way::Outbound | Way::Inbound) => {
                let why = ended.map_or_else(
                    || "that its card does not certify, or not yet".to_owned(),
                    |at| format!("that ended at {at}"),
                );
                format!(
                    "its acknowledgements are signed with a key {why}, so that none counts and it gets no more than so \
                     many items without one; take its new card in: ask it for one, and declare an agreement under \
                     another name with that"
                )
            }
            (Self::Unreliable(how), Way::Outbound | Way::Inbound) => format!(
                "its acknowledgements cannot be relied on ({how}), so that it gets no more than so many items without \
                 one; ask its operator what its node does"
            ),
            (Self::SenderDiverged { seq, code }, Way::Outbound | Way::Inbound) => format!(
                "its store and this one disagree about what it sent, so that nothing of it comes (it refuses what this \
                 node took up to {seq}, as `{code}`); ask its operator whether one of the two was restored from an \
                 older backup: {ON_FROM_A_RESTORE}"
            ),
            (Self::OwnKeyRefused, Way::Outbound | Way::Inbound) => {
                "it does not rely on the key that this node signs its acknowledgements with, because a card of this \
                 organization that it took in ends that key or lacks it, so that it sends no more; hand it a card with \
                 the key that counts (`ambit key card -o FILE`), and have an agreement declared under another name \
                 with that"
                    .to_owned()
            }
            (Self::OwnFault(how), Way::Outbound | Way::Inbound) => format!(
                "this node failed on the link, which is opened again ({how}); if that goes on, see to its disk and its log"
            ),
        }
    }
}
