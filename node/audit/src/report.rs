//! The report: what was checked, what was found, and the exit code that follows.
//!
//! It must never say *verified* over a bundle in which nothing was checked.

use crate::rule::{Rule, Severity};
use ambit_ledger::{Digest, OrganizationId};
use serde::Serialize;
use std::fmt::{Display, Formatter};

/// Findings shown to people; the JSON holds all of them.
const FINDINGS_SHOWN_MAX: usize = 50;

/// The row that only a replay fills.
const REPLAYED: &str = "decisions judged again";

/// What an audit found.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    verdict: AuditVerdict,
    task: Task,
    organization: Option<OrganizationId>,
    size: u64,
    root: Option<Digest>,
    checked: Checked,
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

    /// The root over the bundle's entries.
    #[must_use]
    pub fn root(&self) -> Option<Digest> {
        self.root
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

    /// The report on a file that is no bundle.
    #[must_use]
    pub fn unreadable(task: Task, error: &crate::BundleError) -> Self {
        let mut report = Self::empty(task, None, 0);
        report.add(Rule::BundleShape, None, error_chain(error));
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
            root: None,
            checked: Checked::default(),
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

    pub(crate) fn set_root(&mut self, root: Digest) {
        self.root = Some(root);
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

impl Checked {
    fn rows(&self) -> [(&'static str, u64); 14] {
        [
            ("entries", self.entries),
            ("signatures verified", self.signatures),
            ("observations", self.observations),
            ("not judged yet", self.unjudged),
            ("decisions", self.decisions),
            (REPLAYED, self.decisions_replayed),
            ("disclosed", self.disclosures),
            ("withheld", self.withheld),
            ("withdrawn", self.withdrawn),
            ("admitted", self.admitted),
            ("refused", self.refused),
            ("acknowledgements", self.acknowledgements),
            ("readings blocks", self.readings),
            ("blobs", self.blobs),
        ]
    }
}

impl Display for Report {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> std::fmt::Result {
        if let Some(organization) = &self.organization {
            writeln!(formatter, "ledger of    {organization}")?;
            if let Some(root) = &self.root {
                writeln!(formatter, "checkpoint   {} entries, root {root}", self.size)?;
            }
            writeln!(formatter)?;
            for (name, count) in self.checked.rows() {
                if self.task == Task::Replay || name != REPLAYED {
                    writeln!(formatter, "{name:<24}{count:>10}")?;
                }
            }
            writeln!(formatter)?;
        }
        for finding in self.findings.iter().take(FINDINGS_SHOWN_MAX) {
            writeln!(formatter, "{finding}\n")?;
        }
        let more = self.findings.len().saturating_sub(FINDINGS_SHOWN_MAX);
        if more > 0 {
            writeln!(formatter, "and {more} more: see `--output json`\n")?;
        }
        writeln!(formatter, "{}", self.verdict.text())
    }
}

impl Display for Finding {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} ({})", self.severity.name(), self.rule)?;
        if let Some(entry) = self.entry {
            write!(formatter, " at entry {entry}")?;
        }
        write!(formatter, ": {}\n  {}", self.what, self.how)
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_gravest_finding_decides() {
        let mut report = Report::begin(Task::Replay, &"a".parse().unwrap(), 1);
        let mut codes = vec![report.exit_code()];
        for rule in [
            Rule::BlobMissing,
            Rule::ReplayDiffers,
            Rule::BlobMissing,
            Rule::Tree,
            Rule::ReplayDiffers,
            Rule::BundleShape,
        ] {
            report.add(rule, None, String::new());
            codes.push(report.exit_code());
        }
        assert_eq!(codes, [0, 3, 4, 4, 1, 1, 6]);
    }

    #[test]
    fn rules_have_names_of_their_own() {
        let names: BTreeSet<&str> = Rule::ALL.iter().map(|rule| rule.name()).collect();
        assert_eq!(names.len(), Rule::ALL.len());
    }

    #[test]
    fn people_and_programs_read_the_same() {
        let mut report = Report::begin(Task::Verify, &"did:web:acme.example".parse().unwrap(), 3);
        report.add(Rule::Sequence, Some(2), "3 follows 1".to_owned());
        let text = report.to_string();
        assert!(text.contains("ledger of    did:web:acme.example\n"));
        assert!(text.contains(
            "\nintegrity (sequence) at entry 2: sequence numbers leave one out, or repeat one\n  3 follows 1\n"
        ));
        assert!(text.ends_with("\nintegrity failure\n"));
        assert!(!text.contains("judged again"));
        let json = serde_json::to_value(&report).unwrap();
        assert_eq!(json["verdict"], "integrity-failure");
        assert_eq!(json["findings"][0]["rule"], "sequence");
        assert_eq!(json["findings"][0]["severity"], "integrity");
        assert_eq!(json["checked"]["entries"], 0);
    }
}
