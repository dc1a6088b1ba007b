//! Acts: what one member does to an agreement by itself.
//!
//! Numbers and chains run per author and addressee, so that nobody sees a gap of what is not for him.

use crate::digest::{Digest, DisclosureId};
use crate::names::{Name, OrganizationId, PartnershipId, Purpose};
use crate::payload::issued_statement;
use crate::time::Time;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The most bytes of hand-written rules in a restriction.
const FORBIDS_BYTES_MAX: usize = 8_192;

/// What a member does to an agreement by itself. The payload of its statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Act {
    /// Under which agreement,
    pub partnership: PartnershipId,
    /// and which edition of it.
    pub edition: Digest,
    /// Who acts; the issuer.
    pub author: OrganizationId,
    /// The member it is for; absent where it is for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub addressee: Option<OrganizationId>,
    /// Its number among the author's acts for this addressee, or for all, from 1.
    pub number: u64,
    /// SHA-256 of the statement of the act before; absent for the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<Digest>,
    /// What.
    pub act: ActKind,
    /// Why, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Name>,
    /// When.
    pub at: Time,
}

/// What an act does. Append-only: the numbers are on the wire.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum ActKind {
    /// Nothing crosses between author and addressee until *resume*.
    Suspend,
    /// It crosses again.
    Resume,
    /// Less crosses, until *lift*.
    Restrict {
        /// What stands in the way.
        restriction: Restriction,
    },
    /// A restriction of this author ends.
    Lift {
        /// The number of the act that restricted.
        number: u64,
    },
    /// The author's lease, or that of a member whose deputy it is, runs to here.
    Renew {
        /// Whose lease.
        member: OrganizationId,
        /// The lease's end.
        until: Time,
    },
    /// The author is no longer a member.
    Leave,
    /// The author wants the agreement to end; it does when all that remain say so.
    Dissolve,
    /// What was disclosed may be held no longer than the instant of the act.
    Recall {
        /// The disclosure, to the addressee.
        disclosure: DisclosureId,
    },
}

impl ActKind {
    /// Whether it only narrows: then it counts as soon as its signature verifies, whatever is missing before it.
    #[must_use]
    pub const fn narrows(&self) -> bool {
        match self {
            Self::Suspend
            | Self::Restrict { .. }
            | Self::Leave
            | Self::Dissolve
            | Self::Recall { .. } => true,
            Self::Resume | Self::Lift { .. } | Self::Renew { .. } => false,
        }
    }
}

/// What a restriction takes away; at least one of these.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Restriction {
    /// Hand-written Cedar that may only forbid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forbids: Option<String>,
    /// No disclosure from here on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
    /// Retention at most, in days, as terms count them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention_days: Option<u32>,
    /// How many times it may be passed on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub onward_hops: Option<u32>,
    /// The only purposes, with everything below them; absent means those of the terms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purposes: Option<BTreeSet<Purpose>>,
}

issued_statement!(
    Act,
    issuer: author,
    at: at,
    subject: |act| act.partnership.as_str().to_owned(),
);

impl Act {
    fn broken_rule(&self) -> Option<&'static str> {
        if self.number == 0 || (self.number == 1) != self.previous.is_none() {
            return Some("acts count from 1, and each but the first names the one before");
        }
        if self.addressee.as_ref() == Some(&self.author) {
            return Some("nobody acts towards himself");
        }
        let millis = match &self.act {
            ActKind::Recall { .. } if self.addressee.is_none() => {
                return Some("a recall is for the recipient of the disclosure alone");
            }
            ActKind::Lift { number } if *number == 0 || *number >= self.number => {
                return Some("what is lifted was done before");
            }
            ActKind::Restrict { restriction } => {
                if *restriction == Restriction::default() {
                    return Some("a restriction restricts something");
                }
                let forbids = restriction.forbids.as_ref();
                if forbids.is_some_and(|text| text.len() > FORBIDS_BYTES_MAX) {
                    return Some("the rules of a restriction are at most 8,192 bytes");
                }
                restriction.until
            }
            ActKind::Renew { until, .. } => Some(*until),
            ActKind::Suspend
            | ActKind::Resume
            | ActKind::Lift { .. }
            | ActKind::Leave
            | ActKind::Dissolve
            | ActKind::Recall { .. } => None,
        };
        let mut instants = millis.into_iter().chain([self.at]);
        (!instants.all(Time::is_whole_millis))
            .then_some("the instants of acts are whole milliseconds")
    }
}
