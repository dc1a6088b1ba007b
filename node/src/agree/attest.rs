//! Attesting: what this node's organization says of others, and what issuers say whose root it pinned.
//!
//! Policies read what stands here and is in force; of what an organization says of itself they read seat, hosting and
//! personnel alone.

use super::attesting::{Attesting, attesting};
use super::enact::EnactError;
use super::timely::{PastError, check_signed};
use crate::clock::ClockError;
use crate::config::{OrganizationIdError, check_organization_id};
use crate::failure::{Failure, FailureKind};
use crate::node::{Ask, Node};
use crate::partnership::{ArmorError, ArmorLabel, Governance, read_armor};
use crate::platform::{Suggestion, fingerprint_option};
use crate::store::Write;
use ambit_ledger::{
    Attestation, AttestationError, AttestationRecorded, AttestationStatement, Authorization, Body,
    Name, OrganizationId, Standing, StatementError, Time, encode,
};
use ambit_policy::UnknownName;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

/// What is attested of one organization, in bytes: a quarter of the entry that holds a decision about it.
const ATTESTED_BYTES_MAX: usize = 16 * 1_024;

/// Signs an attestation, and takes it in.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attest {
    /// Of whom.
    pub subject: OrganizationId,
    /// What.
    pub what: Name,
    /// Its number.
    pub number: Option<Name>,
    /// Until when it is true; absent where it ends now.
    pub until: Option<Time>,
    /// What it allows.
    pub authorization: Option<Authorization>,
}

impl Ask for Attest {
    type Answer = Attesting;

    fn answer(self, node: &Node, now: Time) -> Result<Attesting, Failure> {
        Ok(node.attest(self, now)?)
    }
}

/// Takes in what another issuer attests.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TakeAttestation {
    /// The file's text.
    pub file: String,
}

impl Ask for TakeAttestation {
    type Answer = Attesting;

    fn answer(self, node: &Node, now: Time) -> Result<Attesting, Failure> {
        Ok(node.take_attestation(&self.file, now)?)
    }
}

/// Nothing is attested, or nothing taken in.
#[derive(Debug, thiserror::Error)]
pub enum AttestError {
    /// Nobody of that name is known here.
    #[error(
        "no partnership that is known here has a member `{0}`; `ambit partner list` shows the members"
    )]
    UnknownOrganization(OrganizationId),
    /// It would be over when it is signed.
    #[error(
        "it would end at {until}, which has passed: it is {now} now; nothing was signed, give a later --until"
    )]
    Past {
        /// When it would end.
        until: Time,
        /// Now.
        now: Time,
    },
    /// An organization's word on itself.
    #[error(
        "`{0}` is your own organization, and nobody attests anything of itself: take in what an issuer says with `ambit attest --file`, or state it as a claim under [organization] in node.toml"
    )]
    OfItself(OrganizationId),
    /// Nobody who grants licences is called so.
    #[error("the authority is not named")]
    Authority(#[from] OrganizationIdError),
    /// A licence goes to a place that no taxonomy knows, and so to none.
    #[error(
        "a destination is not known; countries are written by their two letters, such as DE, and groups as EU"
    )]
    Destination(#[from] UnknownName),
    /// This node's own statement, which its ledger does not hold: a backup from before it was put back, perhaps.
    #[error(
        "it is your own attestation of `{0}`, which this node's ledger does not hold, and an own one is recorded when it is made: attest it again"
    )]
    OwnNotHeld(OrganizationId),
    /// There is nothing to end.
    #[error("this node attested no such thing of `{0}`; `ambit attest list` shows what stands")]
    NothingToEnd(OrganizationId),
    /// More than a decision can hold.
    #[error(
        "more is attested of `{0}` than a decision can hold; end what is no longer needed with {end}",
        end = Suggestion::new("attest").operand(.0).words("--as WHAT --number N --end")
    )]
    TooMuch(OrganizationId),
    /// Not in its armor.
    #[error(transparent)]
    Armor(#[from] ArmorError),
    /// It cannot be relied on, or says nothing new.
    #[error(transparent)]
    Attestation(#[from] AttestationError),
    /// It was not put in force.
    #[error(transparent)]
    Enact(#[from] EnactError),
    /// It was stated at an instant that has not come here.
    #[error(transparent)]
    Ahead(#[from] PastError),
    /// The clock cannot be believed.
    #[error(transparent)]
    Clock(#[from] ClockError),
}

impl From<AttestError> for Failure {
    fn from(error: AttestError) -> Self {
        let (kind, hint) = match &error {
            AttestError::UnknownOrganization(_) | AttestError::NothingToEnd(_) => {
                (FailureKind::NotFound, None)
            }
            AttestError::Past { .. }
            | AttestError::OfItself(_)
            | AttestError::Authority(_)
            | AttestError::Destination(_) => (FailureKind::Usage, None),
            AttestError::Attestation(AttestationError::Unpinned(issuer)) => (
                FailureKind::Verification,
                Some(format!(
                    "compare its root fingerprint on the telephone, then pin it: {}",
                    Suggestion::new("issuer pin")
                        .words("CARD")
                        .words(&fingerprint_option(issuer.as_str()))
                )),
            ),
            AttestError::Attestation(AttestationError::Statement(StatementError::Key(_))) => (
                FailureKind::Verification,
                Some("if its issuer has new keys, pin it again by its present card: `ambit issuer pin CARD`".into()),
            ),
            AttestError::Attestation(
                AttestationError::Statement(_) | AttestationError::OfItself(_),
            ) => (
                FailureKind::Verification,
                Some("ask whoever issued it for another file".into()),
            ),
            AttestError::Clock(_) | AttestError::Ahead(_) => (FailureKind::TryAgain, None),
            AttestError::Attestation(AttestationError::Older { .. })
            | AttestError::OwnNotHeld(_)
            | AttestError::TooMuch(_)
            | AttestError::Armor(_)
            | AttestError::Enact(_) => (FailureKind::Failed, None),
        };
        let failure = Self::new(kind, &error);
        match hint {
            Some(hint) => failure.hinted(hint),
            None => failure,
        }
    }
}

/// Where a statement comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Made {
    /// Just signed.
    Here,
    /// Read from a file.
    Elsewhere,
}

impl Node {
    /// Signs an attestation with this node's statement key, and takes it in: what was withheld or undecided for its
    /// subject is judged again.
    ///
    /// # Errors
    /// Any [`AttestError`]; but for [`EnactError::CatchUp`] nothing was recorded then.
    pub fn attest(&self, asked: Attest, now: Time) -> Result<Attesting, AttestError> {
        let now = self.instant(now)?;
        let governance = self.governance();
        let issuer = governance.organization().clone();
        if asked.subject == issuer {
            return Err(AttestError::OfItself(issuer));
        }
        let (not_before, not_after) = match asked.until {
            Some(until) => (now.start_of_millis(), until.start_of_millis()),
            None => {
                let number = asked.number.as_ref();
                let attestations = governance.attestations();
                let standing = attestations
                    .find(&issuer, &asked.subject, &asked.what, number)
                    .ok_or_else(|| AttestError::NothingToEnd(asked.subject.clone()))?;
                // What ended stays ended then, and its statement is handed out again.
                if standing.statement.attestation.is_over(now) {
                    self.catch_up(now).map_err(EnactError::CatchUp)?;
                    return Ok(attesting(&governance, standing, true, now));
                }
                ended(&standing.statement.attestation, now)
            }
        };
        if asked.until.is_some() {
            check_known(&self.governance(), &asked.subject)?;
            if not_after <= now {
                return Err(AttestError::Past {
                    until: not_after,
                    now,
                });
            }
        }
        let authorization = asked.authorization.map(|allowed| Authorization {
            not_after: allowed.not_after.start_of_millis(),
            ..allowed
        });
        if let Some(allowed) = &authorization {
            check_organization_id(&allowed.authority)?;
        }
        let destinations = authorization
            .iter()
            .flat_map(|allowed| &allowed.destinations);
        for destination in destinations {
            governance
                .layers()
                .taxonomies()
                .check_jurisdiction(destination)?;
        }
        let statement = AttestationStatement {
            issuer,
            attestation: Attestation {
                subject: asked.subject,
                what: asked.what,
                number: asked.number,
                not_before,
                not_after,
                authorization,
            },
            at: now,
        };
        let statement = statement
            .issue(&self.keys().statement)
            .map_err(AttestationError::Statement)?;
        self.record_attestation(&statement, Made::Here, now)
    }

    /// Takes in what an issuer attests whose root is pinned here.
    ///
    /// # Errors
    /// Any [`AttestError`]; but for [`EnactError::CatchUp`] nothing was recorded then.
    pub fn take_attestation(&self, file: &str, now: Time) -> Result<Attesting, AttestError> {
        let now = self.instant(now)?;
        let statement = read_armor(ArmorLabel::Attestation, file)?;
        self.record_attestation(&statement, Made::Elsewhere, now)
    }

    fn record_attestation(
        &self,
        statement: &[u8],
        made: Made,
        now: Time,
    ) -> Result<Attesting, AttestError> {
        let changing = self.changing();
        let attestations = changing.attestations();
        let verified = attestations.verify(statement, &changing.every_key())?;
        check_signed(&verified.statement.issuer, verified.statement.at, now)?;
        let subject = &verified.statement.attestation.subject;
        if subject != changing.organization() {
            check_known(&changing, subject)?;
        }
        let is_known = attestations
            .all()
            .any(|(standing, _)| standing.bytes == verified.bytes);
        let mut writes = Vec::new();
        if !is_known {
            if made == Made::Elsewhere && verified.statement.issuer == *changing.organization() {
                return Err(AttestError::OwnNotHeld(subject.clone()));
            }
            check_room(&changing, &verified, now)?;
            let body = Body::AttestationRecorded(AttestationRecorded {
                attestation: ByteBuf::from(statement.to_vec()),
            });
            writes.push(Write::Entry(body));
        }
        self.enact(changing, writes, now)?;
        Ok(attesting(&self.governance(), &verified, true, now))
    }
}

/// What is attested of an organization stands in every decision about it.
fn check_room(governance: &Governance, verified: &Standing, now: Time) -> Result<(), AttestError> {
    let attestations = governance.attestations();
    let said = |statement: &AttestationStatement| encode(&statement.attestation).len();
    let new = &verified.statement;
    let subject = &new.attestation.subject;
    // What ends something is always taken in: what it ends would count on.
    if new.attestation.is_over(now) {
        return Ok(());
    }
    let number = new.attestation.number.as_ref();
    let replaced = attestations.find(&new.issuer, subject, &new.attestation.what, number);
    let others: usize = attestations
        .all()
        .filter(|(standing, counts)| {
            let attestation = &standing.statement.attestation;
            *counts
                && attestation.subject == *subject
                && !attestation.is_over(now)
                && Some(*standing) != replaced
        })
        .map(|(standing, _)| said(&standing.statement))
        .sum();
    if others + said(new) <= ATTESTED_BYTES_MAX {
        return Ok(());
    }
    Err(AttestError::TooMuch(subject.clone()))
}

/// A name that nobody has is a slip of the pen, and would count for nothing in silence.
fn check_known(governance: &Governance, organization: &OrganizationId) -> Result<(), AttestError> {
    let is_known = governance
        .partnerships()
        .any(|partnership| partnership.terms().member(organization).is_some());
    if is_known {
        Ok(())
    } else {
        Err(AttestError::UnknownOrganization(organization.clone()))
    }
}

/// The span of an attestation that is over now: what has not begun yet never was.
fn ended(attestation: &Attestation, now: Time) -> (Time, Time) {
    let now = now.start_of_millis();
    let before = Time::from_millis(now.as_millis() - 1).unwrap_or(Time::EARLIEST);
    (attestation.not_before.min(before), now)
}
