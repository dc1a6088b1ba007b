//! Chains over what a link carried: what was sent, and what became of it.
//!
//! Sender and recipient compute both by themselves. The first shows a link that lost or reordered a frame
//! or a store that went back in time; the second is what an acknowledgement signs.

use crate::digest::{Digest, DisclosureId, ObservationId, Salt};
use crate::names::{OrganizationId, PartnershipId};
use crate::refusal::RefusalCode;

/// What one sequence number carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemBody {
    /// An observation under a disclosure.
    Item {
        /// The observation.
        observation: ObservationId,
        /// The disclosure.
        disclosure: DisclosureId,
    },
    /// Nothing: a disclosure that was taken back.
    Tombstone,
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Taken in.
    Admitted,
    /// Refused, with a code that is a refusal.
    Refused(RefusalCode),
    /// Set aside, with a code that sets aside.
    SetAside(RefusalCode),
    /// A tombstone was noted.
    Noted,
}

impl Outcome {
    /// Of an item that was not taken in, by the code that says why.
    #[must_use]
    pub fn not_taken(code: RefusalCode) -> Self {
        if code.is_set_aside() {
            Self::SetAside(code)
        } else {
            Self::Refused(code)
        }
    }
}

impl ItemBody {
    /// Its digest.
    #[must_use]
    pub fn digest(&self) -> Digest {
        match self {
            Self::Item {
                observation,
                disclosure,
            } => Digest::of_parts(&[
                b"ambit/link/2 item",
                observation.digest().as_bytes(),
                disclosure.digest().as_bytes(),
            ]),
            Self::Tombstone => Digest::of(b"ambit/link/2 tombstone"),
        }
    }
}

/// A chain over bodies, or over bodies and outcomes, from sequence number 0 on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chain(Digest);

impl Chain {
    /// Where a link between two parties starts: bound to the partnership, both parties and the incarnation
    /// of the recipient's store.
    #[must_use]
    pub fn start(
        partnership: &PartnershipId,
        sender: &OrganizationId,
        recipient: &OrganizationId,
        incarnation: &Salt,
    ) -> Self {
        let parties = [partnership.as_str(), sender.as_str(), recipient.as_str()];
        // Names hold no control characters, so a zero byte keeps them apart.
        let joined = parties.join("\0");
        Self(Digest::of_parts(&[
            b"ambit/link/2 chain\0",
            joined.as_bytes(),
            &[0],
            incarnation.as_bytes(),
        ]))
    }

    /// The chain at a digest that was stored.
    #[must_use]
    pub const fn at(digest: Digest) -> Self {
        Self(digest)
    }

    /// The digest.
    #[must_use]
    pub const fn digest(&self) -> Digest {
        self.0
    }

    /// After the body of this sequence number.
    #[must_use]
    pub fn with_body(&self, seq: u64, body: &ItemBody) -> Self {
        Self(Digest::of_parts(&[
            self.0.as_bytes(),
            &seq.to_be_bytes(),
            body.digest().as_bytes(),
        ]))
    }

    /// After the body of this sequence number and what became of it.
    #[must_use]
    pub fn with_outcome(&self, seq: u64, body: &Digest, outcome: Outcome) -> Self {
        let (what, code) = match outcome {
            Outcome::Admitted => (0, 0),
            Outcome::Noted => (1, 0),
            Outcome::Refused(code) => (2, code.number()),
            Outcome::SetAside(code) => (3, code.number()),
        };
        Self(Digest::of_parts(&[
            self.0.as_bytes(),
            &seq.to_be_bytes(),
            body.as_bytes(),
            &[what],
            &code.to_be_bytes(),
        ]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_input_changes_the_chain() {
        let organization = |text: &str| text.parse::<OrganizationId>().unwrap();
        let partnership: PartnershipId = "p".parse().unwrap();
        let salt = Salt::from_bytes([1; 32]);
        let start = Chain::start(&partnership, &organization("a"), &organization("b"), &salt);
        assert_ne!(
            start,
            Chain::start(&partnership, &organization("b"), &organization("a"), &salt)
        );
        let body = ItemBody::Tombstone;
        assert_ne!(start.with_body(1, &body), start.with_body(2, &body));
        let digest = body.digest();
        let outcomes = [
            Outcome::Admitted,
            Outcome::Noted,
            Outcome::Refused(RefusalCode::NotCanonical),
            Outcome::Refused(RefusalCode::Replayed),
            Outcome::SetAside(RefusalCode::Undecided),
            Outcome::Refused(RefusalCode::Undecided),
        ];
        let ends: std::collections::BTreeSet<Digest> = outcomes
            .iter()
            .map(|outcome| start.with_outcome(1, &digest, *outcome).digest())
            .collect();
        assert_eq!(ends.len(), outcomes.len());
    }
}
