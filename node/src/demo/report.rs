//! What the demo reports: who shared what, what was withheld by which layer, and what an audit says of it.

use super::DemoError;
use super::party::Party;
use crate::holding::{Filter, InspectError, Status, withheld_by};
use crate::node::Node;
use ambit_audit::{AuditVerdict, Bundle, Report, Trust, replay};
use ambit_ledger::{Digest, Layer, OrganizationId};
use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{Display, Formatter};

/// What came of the example.
#[derive(Debug, Serialize)]
pub(super) struct DemoReport {
    organizations: Vec<OrganizationReport>,
    pairs: Vec<PairReport>,
}

/// How one organization's node stands in the end.
#[derive(Debug, Serialize)]
struct OrganizationReport {
    id: OrganizationId,
    ledger_size: u64,
    tree_root: Option<Digest>,
    held: BTreeMap<OrganizationId, HeldReport>,
    /// Whether the observations held have the very ids of the example.
    ids_as_expected: bool,
    audit: Report,
}

#[derive(Clone, Copy, Debug, Serialize)]
struct HeldReport {
    observations: u64,
    readings: u64,
}

/// What was decided from one organization for another, in observations.
#[derive(Debug, Serialize)]
struct PairReport {
    from: OrganizationId,
    to: OrganizationId,
    released: u64,
    withheld: u64,
    undecided: u64,
    layers: BTreeMap<Layer, u64>,
    unasked: u64,
}

impl DemoReport {
    /// Looks at every node, and audits each ledger as an auditor would: from its bundle and the trust files
    /// of those whose statements are in it, and nothing else.
    pub(super) async fn collect(parties: &[Party]) -> Result<Self, DemoError> {
        let mut trusts = BTreeMap::new();
        for party in parties {
            let trust = party.ask(Node::trust).await?;
            trusts.insert(party.organization.clone(), Trust::parse(&trust)?);
        }
        let mut report = Self {
            organizations: Vec::new(),
            pairs: Vec::new(),
        };
        for party in parties {
            let status = party.status().await?;
            let trust = trust_for(&status, &trusts);
            let audit = party.ask(move |node| audit(node, &trust)).await?;
            let ids = party.ask(held_ids).await?;
            report.pairs.extend(pairs(&status));
            report.organizations.push(OrganizationReport {
                id: status.organization.clone(),
                ledger_size: audit.checked().entries,
                tree_root: audit.tree_root(),
                held: held(&status),
                ids_as_expected: ids == party.character.expected(),
                audit,
            });
        }
        Ok(report)
    }

    /// Whether every ledger audits clean and holds the very observations of the example.
    pub(super) fn is_as_expected(&self) -> bool {
        !self.organizations.is_empty()
            && self.organizations.iter().all(|organization| {
                organization.ids_as_expected
                    && organization.audit.verdict() == AuditVerdict::Verified
            })
    }
}

/// The roots of an organization itself and of those it is in a partnership with.
fn trust_for(status: &Status, trusts: &BTreeMap<OrganizationId, Trust>) -> Trust {
    let partners = status
        .partnerships
        .iter()
        .flat_map(|partnership| partnership.members.keys());
    let needed: BTreeSet<&OrganizationId> = partners.chain([&status.organization]).collect();
    let mut trust = Trust::new();
    for known in needed.into_iter().filter_map(|id| trusts.get(id)) {
        trust.merge(known.clone());
    }
    trust
}

fn audit(node: &Node, trust: &Trust) -> Result<Report, DemoError> {
    let (bytes, _) = node.export(Vec::new())?;
    Ok(replay(&Bundle::read(bytes.as_slice())?, trust))
}

fn held_ids(node: &Node) -> Result<BTreeSet<String>, InspectError> {
    let items = node.list(&Filter::default())?;
    Ok(items.iter().map(|item| item.id.to_string()).collect())
}

fn held(status: &Status) -> BTreeMap<OrganizationId, HeldReport> {
    let held = status.held.iter().map(|(origin, held)| {
        let report = HeldReport {
            observations: held.observations,
            readings: held.readings,
        };
        (origin.clone(), report)
    });
    held.collect()
}

fn pairs(status: &Status) -> impl Iterator<Item = PairReport> {
    status.pairs.iter().map(|pair| PairReport {
        from: pair.from.clone(),
        to: pair.to.clone(),
        released: pair.released,
        withheld: pair.withheld,
        undecided: pair.undecided,
        layers: pair.layers.clone(),
        unasked: pair.unasked,
    })
}

impl Display for DemoReport {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> std::fmt::Result {
        let pairs = self.pairs.iter().map(|pair| {
            vec![
                pair.from.to_string(),
                pair.to.to_string(),
                pair.released.to_string(),
                pair.withheld.to_string(),
                pair.undecided.to_string(),
                withheld_by(&pair.layers, pair.unasked),
            ]
        });
        let holdings = self.organizations.iter().flat_map(|organization| {
            organization.held.iter().map(|(origin, held)| {
                vec![
                    organization.id.to_string(),
                    origin.to_string(),
                    held.observations.to_string(),
                    held.readings.to_string(),
                ]
            })
        });
        let audits = self.organizations.iter().map(|organization| {
            let ids = if organization.ids_as_expected {
                "as in the example"
            } else {
                "not as in the example"
            };
            vec![
                organization.id.to_string(),
                organization.ledger_size.to_string(),
                organization.audit.checked().decisions_replayed.to_string(),
                ids.to_owned(),
                organization.audit.verdict().text().to_owned(),
            ]
        });
        writeln!(formatter, "What was decided, in observations\n")?;
        writeln!(formatter, "{}", table(&PAIRS_HEADER, pairs, 2..5))?;
        writeln!(formatter, "What each node holds\n")?;
        writeln!(formatter, "{}", table(&HOLDINGS_HEADER, holdings, 2..4))?;
        writeln!(formatter, "What an audit of each ledger says, offline\n")?;
        write!(formatter, "{}", table(&AUDITS_HEADER, audits, 1..3))?;
        for organization in &self.organizations {
            if organization.audit.verdict() != AuditVerdict::Verified {
                write!(formatter, "\n{}", organization.audit)?;
            }
        }
        Ok(())
    }
}

const PAIRS_HEADER: [&str; 6] = [
    "FROM",
    "TO",
    "RELEASED",
    "WITHHELD",
    "UNDECIDED",
    "WITHHELD BY",
];
const HOLDINGS_HEADER: [&str; 4] = ["NODE OF", "OBSERVED BY", "OBSERVATIONS", "READINGS"];
const AUDITS_HEADER: [&str; 5] = [
    "LEDGER OF",
    "ENTRIES",
    "DECISIONS JUDGED AGAIN",
    "IDS",
    "AUDIT",
];

/// Rows below a header, with these columns aligned as counts.
fn table(
    header: &[&str],
    rows: impl Iterator<Item = Vec<String>>,
    counts: std::ops::Range<usize>,
) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header(header);
    for row in rows {
        table.add_row(row);
    }
    for index in counts {
        if let Some(column) = table.column_mut(index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let lines = table.lines().map(|line| format!("{}\n", line.trim_end()));
    lines.collect::<Vec<_>>().concat()
}
