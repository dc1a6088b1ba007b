//! The report as people read it.

use super::{
    AttestedBy, AuditVerdict, Beyond, Checked, Delivered, Finding, Origin, Report, RuleInForce,
    RuleKind, Task,
};
use std::fmt::{Display, Formatter, Result};

/// Findings shown to people; the JSON holds all of them.
const FINDINGS_SHOWN_MAX: usize = 50;

/// The row that only a replay fills.
const REPLAYED: &str = "decisions judged again";

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
    fn fmt(&self, formatter: &mut Formatter<'_>) -> Result {
        if let Some(organization) = &self.organization {
            writeln!(formatter, "ledger of    {organization}")?;
            if let Some(root) = &self.tree_root {
                writeln!(formatter, "entries      {}, of tree root {root}", self.size)?;
            }
            writeln!(formatter)?;
            for (name, count) in self.checked.rows() {
                if self.task == Task::Replay || name != REPLAYED {
                    writeln!(formatter, "{name:<24}{count:>10}")?;
                }
            }
            writeln!(formatter)?;
        }
        section(formatter, "judged by", &self.rules)?;
        section(formatter, "counted as attested", &self.attested)?;
        section(formatter, "delivered", &self.deliveries)?;
        for finding in self.findings.iter().take(FINDINGS_SHOWN_MAX) {
            writeln!(formatter, "{finding}\n")?;
        }
        let more = self.findings.len().saturating_sub(FINDINGS_SHOWN_MAX);
        if more > 0 {
            writeln!(formatter, "and {more} more: see `--output json`\n")?;
        }
        writeln!(formatter, "{}{}", self.verdict.text(), self.of_what())
    }
}

impl Report {
    /// Over what a good answer was given: never over nothing.
    fn of_what(&self) -> String {
        let Checked {
            entries,
            signatures,
            decisions,
            decisions_replayed,
            ..
        } = self.checked;
        if self.verdict != AuditVerdict::Verified {
            return String::new();
        }
        let judged = match self.task {
            _ if decisions == 0 => "no decision is recorded, so none was judged again".to_owned(),
            Task::Verify => {
                format!("{} not judged again", counted(decisions, "decision"))
            }
            Task::Replay => format!("{} judged again", counted(decisions_replayed, "decision")),
        };
        format!(
            ": {}, {}; {judged}",
            counted_in(entries, "entry", "entries"),
            counted(signatures, "signature"),
        )
    }
}

fn counted(count: u64, one: &str) -> String {
    counted_in(count, one, &format!("{one}s"))
}

fn counted_in(count: u64, one: &str, several: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { several })
}

fn section<T: Display>(formatter: &mut Formatter<'_>, title: &str, lines: &[T]) -> Result {
    if lines.is_empty() {
        return Ok(());
    }
    writeln!(formatter, "{title}")?;
    for line in lines {
        writeln!(formatter, "  {line}")?;
    }
    writeln!(formatter)
}

impl Display for RuleInForce {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> Result {
        match &self.kind {
            RuleKind::Layer(layer) => write!(formatter, "{layer}")?,
            RuleKind::Partnership(partnership) => {
                // A name may hold a quotation mark, and must not look as if it had ended there.
                let name = partnership.as_str().replace('`', "\\u{60}");
                write!(formatter, "partnership `{name}`")?;
            }
            RuleKind::Taxonomies => formatter.write_str("taxonomies")?,
        }
        write!(
            formatter,
            ", from {} (entry {})",
            self.from.time, self.from.entry
        )?;
        if let Some(until) = &self.until {
            write!(formatter, " to {} (entry {})", until.time, until.entry)?;
        }
        match &self.origin {
            Origin::Shipped { version } => write!(formatter, ": shipped with version {version}")?,
            Origin::Rendered => formatter.write_str(": rendered from its terms")?,
            Origin::Operator if matches!(self.kind, RuleKind::Partnership(_)) => {
                formatter.write_str(": not what its terms render to")?;
            }
            Origin::Operator => write!(formatter, ": operator's own, {}", self.digest)?,
            Origin::Unknown => formatter.write_str(": not rendered again")?,
        }
        for against in &self.against {
            write!(formatter, "; {against}")?;
        }
        if let Some(beyond) = &self.beyond {
            write!(formatter, "; {beyond}")?;
        }
        // Last, and quoted: it is the owner's word, and not the auditor's.
        let is_unopposed = self.against.is_empty();
        match &self.anyway {
            Some(reason) if is_unopposed => {
                write!(
                    formatter,
                    "; put in force with the reason {:?}",
                    reason.as_str()
                )
            }
            Some(reason) => write!(
                formatter,
                "; in force against the check's advice, with the reason {:?}",
                reason.as_str()
            ),
            None if !is_unopposed => formatter.write_str("; in force without a reason for it"),
            None => Ok(()),
        }
    }
}

impl Display for Beyond {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> Result {
        if self.compared == 0 && self.not_compared == 0 {
            return formatter.write_str("no decision recorded here was used under it");
        }
        match self.entries.first() {
            Some(first) => write!(
                formatter,
                "it admits what the shipped one does not in {} of {}, first in entry {first}",
                self.entries.len(),
                counted(self.compared, "decision"),
            )?,
            None => write!(
                formatter,
                "it admits nothing that the shipped one does not, in {}",
                counted(self.compared, "decision"),
            )?,
        }
        if self.not_compared > 0 {
            let count = counted(self.not_compared, "decision");
            write!(formatter, "; {count} could not be judged again")?;
        }
        Ok(())
    }
}

impl Display for AttestedBy {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> Result {
        write!(formatter, "of {}: {:?}", self.subject, self.what.as_str())?;
        if let Some(number) = &self.number {
            write!(formatter, ", number {:?}", number.as_str())?;
        }
        write!(
            formatter,
            ", from {} to {}, by {} (entry {})",
            self.not_before, self.not_after, self.issuer, self.entry
        )?;
        if self.is_own_word {
            formatter.write_str(": this ledger's own word")?;
        }
        Ok(())
    }
}

impl Display for Delivered {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> Result {
        write!(
            formatter,
            "to {} in `{}`: {} disclosed ({} admitted, {} refused, {} set aside, {} withdrawn, {} {}), {} withheld, {} \
             not judged yet",
            self.recipient,
            self.partnership,
            self.disclosed,
            self.admitted,
            self.refused,
            self.set_aside,
            self.withdrawn,
            self.unacknowledged,
            if self.is_unverified {
                "of which no acknowledgement was verified"
            } else {
                "not acknowledged yet"
            },
            self.withheld,
            self.unjudged,
        )
    }
}

impl Display for Finding {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> Result {
        write!(formatter, "{} ({})", self.severity.name(), self.rule)?;
        if let Some(entry) = self.entry {
            write!(formatter, " at entry {entry}")?;
        }
        write!(formatter, ": {}\n  {}", self.what, self.how)
    }
}
