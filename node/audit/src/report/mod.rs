//! The report: what was checked, what was found, and the exit code that follows.
//!
//! It must never say *verified* over a bundle in which nothing was checked.

mod rules;
#[cfg(test)]
mod tests;
mod text;

pub use rules::{Beyond, Instant, Origin, RuleInForce, RuleKind};

use crate::rule::{Rule, Severity};
use ambit_ledger::{Digest, Name, OrganizationId, PartnershipId, Time};
use serde::Serialize;

/// What an audit found.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    verdict: AuditVerdict,
    task: Task,
    organization: Option<OrganizationId>,
    size: u64,
    tree_root: Option<Digest>,
    checked: Checked,
    rules: Vec<RuleInForce>,
    attested: Vec<AttestedBy>,
    deliveries: Vec<Delivered>,
    findings: Vec<Finding>,
}

/// What was asked of the auditor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Task {
    /// Integrity and evidence, without judging.
    Verify,
    /// And every decision again.
    Replay,
}

/// The answer, from best to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AuditVerdict {
    /// Everything was there and everything fits.
    Verified,
    /// Nothing is wrong, but something that is needed is not there.
    Incomplete,
    /// A decision, judged again, comes out otherwise.
    DecisionDiffers,
    /// The ledger contradicts itself, its signatures or the trusted roots.
    IntegrityFailure,
    /// Its owner signed two histories of one ledger.
    Equivocation,
    /// The file is no bundle.
    Unreadable,
}

/// One thing held against the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The rule that is broken.
    pub rule: Rule,
    /// How grave it is.
    pub severity: Severity,
    /// The entry it is about, from 0; absent where it is about the whole.
    pub entry: Option<u64>,
    /// What is the case, in the rule's words.
    pub what: &'static str,
    /// How it shows, and what mends it where something can.
    pub how: String,
}

/// How much was checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Checked {
    /// Entries.
    pub entries: u64,
    /// Signatures that verified, certificates and the checkpoint among them.
    pub signatures: u64,
    /// Own observations.
    pub observations: u64,
    /// Observations for a recipient that were neither disclosed nor withheld yet, at the ledger's tail.
    pub unjudged: u64,
    /// Decisions recorded.
    pub decisions: u64,
    /// Decisions judged again, with the same outcome.
    pub decisions_replayed: u64,
    /// Disclosures.
    pub disclosures: u64,
    /// Observations withheld from a recipient.
    pub withheld: u64,
    /// Disclosures taken back.
    pub withdrawn: u64,
    /// Observations admitted.
    pub admitted: u64,
    /// What was refused.
    pub refused: u64,
    /// Acknowledgements.
    pub acknowledgements: u64,
    /// Readings blocks.
    pub readings: u64,
    /// Blobs.
    pub blobs: u64,
}

/// What decisions may count as attested of an organization from an entry on. Whether it is so, only its issuer can say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AttestedBy {
    /// The entry that holds the statement.
    pub entry: u64,
    /// Of whom.
    pub subject: OrganizationId,
    /// What, such as `export-licence`.
    pub what: Name,
    /// Its number in the issuer's register.
    pub number: Option<Name>,
    /// True from here,
    pub not_before: Time,
    /// up to, and without, here.
    pub not_after: Time,
    /// Who says so.
    pub issuer: OrganizationId,
    /// Whether that is the ledger's own organization: it counts on nobody's word but its own.
    pub is_own_word: bool,
}

/// What became of this ledger's own observations for one recipient in one partnership, each counted once, however often it was
/// disclosed anew or offered again. What was disclosed is the sum of admitted, refused, set aside, withdrawn and not
/// acknowledged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Delivered {
    /// The partnership.
    pub partnership: PartnershipId,
    /// The recipient.
    pub recipient: OrganizationId,
    /// Put into its outbox.
    pub disclosed: u64,
    /// Of these, what it signed to have admitted.
    pub admitted: u64,
    /// What it signed to have refused.
    pub refused: u64,
    /// What it could not decide, and signed to have set aside: that comes again.
    pub set_aside: u64,
    /// What was taken back before it left.
    pub withdrawn: u64,
    /// What it has not acknowledged yet, as far as its signatures can be verified.
    pub unacknowledged: u64,
    /// Whether its acknowledgements were passed over, because its root is not at hand or was good too late.
    pub is_unverified: bool,
    /// Observations withheld from it, and not disclosed since.
    pub withheld: u64,
    /// Observations neither disclosed to it nor withheld yet, at the ledger's tail.
    pub unjudged: u64,
}

impl Report {
    /// The answer.
    #[must_use]
    pub fn verdict(&self) -> AuditVerdict {
        self.verdict
    }

    /// The exit code of `ambit-audit`.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        self.verdict.exit_code()
    }

    /// Whose ledger, as the bundle says.
    #[must_use]
    pub fn organization(&self) -> Option<&OrganizationId> {
        self.organization.as_ref()
    }

    /// The root of the Merkle tree over the bundle's entries.
    #[must_use]
    pub fn tree_root(&self) -> Option<Digest> {
        self.tree_root
    }

    /// Everything that judged: which profile of each layer, from when to when, and whose it is.
    #[must_use]
    pub fn rules(&self) -> &[RuleInForce] {
        &self.rules
    }

    /// What decisions may count as attested, each with who says so.
    #[must_use]
    pub fn attested(&self) -> &[AttestedBy] {
        &self.attested
    }

    /// What became of everything for each recipient in each partnership.
    #[must_use]
    pub fn deliveries(&self) -> &[Delivered] {
        &self.deliveries
    }

    /// How much was checked.
    #[must_use]
    pub fn checked(&self) -> &Checked {
        &self.checked
    }

    /// What was found: entry by entry, then what is about the whole, then what a replay found.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// The report on a file that is no bundle, or that it takes too much memory to read.
    #[must_use]
    pub fn unreadable(task: Task, error: &crate::BundleError) -> Self {
        let mut report = Self::empty(task, None, 0);
        let rule = match error {
            crate::BundleError::Memory(_) => Rule::Limit,
            _ => Rule::BundleShape,
        };
        report.add(rule, None, error_chain(error));
        report
    }

    pub(crate) fn begin(task: Task, organization: &OrganizationId, size: u64) -> Self {
        Self::empty(task, Some(organization.clone()), size)
    }

    fn empty(task: Task, organization: Option<OrganizationId>, size: u64) -> Self {
        Self {
            verdict: AuditVerdict::Verified,
            task,
            organization,
            size,
            tree_root: None,
            checked: Checked::default(),
            rules: Vec::new(),
            attested: Vec::new(),
            deliveries: Vec::new(),
            findings: Vec::new(),
        }
    }

    pub(crate) fn add(&mut self, rule: Rule, entry: Option<u64>, how: String) {
        let severity = rule.severity();
        self.verdict = self.verdict.max(match severity {
            Severity::Incomplete => AuditVerdict::Incomplete,
            Severity::Differs => AuditVerdict::DecisionDiffers,
            Severity::Integrity => AuditVerdict::IntegrityFailure,
            Severity::Unreadable => AuditVerdict::Unreadable,
        });
        self.findings.push(Finding {
            rule,
            severity,
            entry,
            what: rule.text(),
            how,
        });
    }

    pub(crate) fn checked_mut(&mut self) -> &mut Checked {
        &mut self.checked
    }

    pub(crate) fn set_tree_root(&mut self, root: Digest) {
        self.tree_root = Some(root);
    }

    pub(crate) fn set_rules(&mut self, rules: Vec<RuleInForce>) {
        self.rules = rules;
    }

    pub(crate) fn add_attested(&mut self, attested: AttestedBy) {
        self.attested.push(attested);
    }

    pub(crate) fn add_delivery(&mut self, delivery: Delivered) {
        self.deliveries.push(delivery);
    }
}

impl AuditVerdict {
    /// The exit code of `ambit-audit`.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Verified => 0,
            Self::IntegrityFailure => 1,
            Self::Incomplete => 3,
            Self::DecisionDiffers => 4,
            Self::Equivocation => 5,
            Self::Unreadable => 6,
        }
    }

    /// The words in tables.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::Incomplete => "evidence incomplete",
            Self::DecisionDiffers => "a decision replays differently",
            Self::IntegrityFailure => "integrity failure",
            Self::Equivocation => "equivocation proved",
            Self::Unreadable => "unreadable",
        }
    }
}

/// An error with its causes, in one line.
pub(crate) fn error_chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
