//! Why a partnership operation failed.

use super::difference::Difference;
use super::enact::EnactError;
use super::timely::PastError;
use crate::clock::ClockError;
use crate::failure::{Failure, FailureKind, quoted};
use crate::partnership::{
    CardError, ComparisonError, DeclarationError, PartnershipFileError, Standing,
};
use crate::platform::Suggestion;
use crate::randomness::RandomnessError;
use ambit_ledger::{KeyPurpose, Name, OrganizationId, PartnershipId, StatementError, Time};
use ambit_policy::{TermsError, Unbuilt};

/// A partnership operation failed.
#[derive(Debug, thiserror::Error)]
pub enum PartnerError {
    /// It was not put in force.
    #[error(transparent)]
    Enact(#[from] EnactError),
    /// An identity card cannot be read.
    #[error(transparent)]
    Card(#[from] CardError),
    /// This node's own card cannot be signed.
    #[error(
        "this node's card cannot be made of its settings; shorten what `announce` lists in node.toml, or mend what is named"
    )]
    OwnCard(#[source] StatementError),
    /// The terms cannot be signed as one statement.
    #[error(
        "the agreement cannot be signed; name fewer members or classes, or shorten its texts, or mend what is named"
    )]
    Unsignable(#[source] StatementError),
    /// The declaration cannot be used.
    #[error(transparent)]
    Declaration(#[from] DeclarationError),
    /// A root fingerprint was not compared, or is another.
    #[error(transparent)]
    Comparison(#[from] ComparisonError),
    /// A root was compared of who is no member.
    #[error(
        "a fingerprint is given for `{stranger}`, which is none of the other members: give one for each of {}",
        quoted(others)
    )]
    Stranger {
        /// Whose.
        stranger: OrganizationId,
        /// The members beside this node.
        others: Vec<OrganizationId>,
    },
    /// The partnership file cannot be read.
    #[error(transparent)]
    File(#[from] PartnershipFileError),
    /// A card in a partnership file is not as its organization made it.
    #[error("a member's keys in the file cannot be relied on: it was altered; ask for it again")]
    Altered(#[source] CardError),
    /// What is over is not signed.
    #[error(transparent)]
    Past(#[from] PastError),
    /// The terms break a rule.
    #[error(transparent)]
    Terms(#[from] TermsError),
    /// A signature cannot be relied on.
    #[error(
        "a signature under the agreement cannot be relied on: it was altered, or its signer has other keys; ask for the file again"
    )]
    Signature(#[source] StatementError),
    /// A member has no key any more for what it has to do.
    #[error(
        "the {} key of `{organization}` ended at {at}; ask for a new card that has another one",
        purpose.name()
    )]
    KeyEnded {
        /// Whose.
        organization: OrganizationId,
        /// What the key was for.
        purpose: KeyPurpose,
        /// When.
        at: Time,
    },
    /// There is a partnership of this name with other terms.
    #[error(
        "there already is a partnership `{0}` with other terms; another agreement needs another name"
    )]
    Exists(PartnershipId),
    /// This node declared or signed it before.
    #[error(
        "`{0}` is known here already; {invite} gives its file again, and another agreement needs another name",
        invite = Suggestion::new("partner invite").operand(.0)
    )]
    Declared(PartnershipId),
    /// A member declined it.
    #[error(
        "`{partnership}` was declined by `{member}`: {reason}; what was declined stays so: a new proposal, by its declarer or by you, takes another name"
    )]
    Declined {
        /// The agreement.
        partnership: PartnershipId,
        /// Who declined.
        member: OrganizationId,
        /// Why.
        reason: Name,
    },
    /// Not known here.
    #[error("no partnership `{0}` is known here; `ambit partner list` shows those that are")]
    Unknown(PartnershipId),
    /// The terms name this node's organization with other keys, or not at all.
    #[error(
        "the proposal does not name this node as a member as it is: {0}; send the declarer a new card from `ambit key card`"
    )]
    NotThisNode(&'static str),
    /// The terms say of this node's organization what its settings do not.
    #[error(
        "the proposal says otherwise of this organization than `node.toml`: {}; where node.toml is right, send the declarer a new \
         card from `ambit key card`",
        listed(.0)
    )]
    NotAsSet(Vec<Difference>),
    /// The declarer did not sign.
    #[error("the declarer `{0}` has not signed the proposal; ask for a file that it signed")]
    DeclarerUnsigned(OrganizationId),
    /// The terms ask for what this version cannot do.
    #[error("this version cannot keep these terms yet; {}", listed(.0))]
    Unbuilt(Vec<Unbuilt>),
    /// Only an edition's first proposal can be taken here.
    #[error(
        "this version takes first editions only, not edition {0}; ask the declarer to declare the new terms under another name"
    )]
    Edition(u32),
    /// A file that only declines has nothing to accept.
    #[error(
        "nothing is proposed: what came declines a partnership that is not known here; take the invitation instead"
    )]
    NothingProposed,
    /// This node's own decline, which its ledger does not hold: a backup from before it was put back, perhaps.
    #[error(
        "it is your own decline of `{0}`, which this node's ledger does not hold, and an own one is recorded when it is made: decline the invitation again"
    )]
    OwnDecline(PartnershipId),
    /// A signed partnership is not declined.
    #[error(
        "this node has signed `{partnership}` already, and it is {standing}; this version takes no signature back: what is \
         signed is in force until it ends at its end"
    )]
    SignedAlready {
        /// Which.
        partnership: PartnershipId,
        /// How it stands.
        standing: Standing,
    },
    /// The system gave no randomness.
    #[error(transparent)]
    Randomness(#[from] RandomnessError),
    /// The clock cannot be believed.
    #[error(transparent)]
    Clock(#[from] ClockError),
}

fn listed(found: &[impl ToString]) -> String {
    let texts: Vec<String> = found.iter().map(ToString::to_string).collect();
    texts.join("; ")
}

impl PartnerError {
    /// The class that exit codes tell apart.
    #[must_use]
    pub fn kind(&self) -> FailureKind {
        match self {
            Self::Comparison(_)
            | Self::Altered(_)
            | Self::Signature(_)
            | Self::KeyEnded { .. }
            | Self::DeclarerUnsigned(_) => FailureKind::Verification,
            Self::File(error) if error.is_altered() => FailureKind::Verification,
            Self::Stranger { .. } => FailureKind::Usage,
            Self::Unknown(_) => FailureKind::NotFound,
            Self::NotThisNode(_) | Self::NotAsSet(_) => FailureKind::NotAuthorized,
            Self::Clock(_) => FailureKind::TryAgain,
            Self::Enact(_)
            | Self::Card(_)
            | Self::OwnCard(_)
            | Self::Unsignable(_)
            | Self::Declaration(_)
            | Self::File(_)
            | Self::Past(_)
            | Self::Terms(_)
            | Self::Exists(_)
            | Self::Declared(_)
            | Self::Declined { .. }
            | Self::Unbuilt(_)
            | Self::Edition(_)
            | Self::NothingProposed
            | Self::OwnDecline(_)
            | Self::SignedAlready { .. }
            | Self::Randomness(_) => FailureKind::Failed,
        }
    }
}

impl From<PartnerError> for Failure {
    fn from(error: PartnerError) -> Self {
        Self::new(error.kind(), &error)
    }
}
