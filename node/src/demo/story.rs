//! What happens in the example: the customers declare, the supplier accepts and imports, and it crosses.

use super::example::{SOURCES, Source, supplier_facts};
use super::party::Party;
use super::{DemoError, tell};
use crate::clock;
use crate::collect::{self, Draft, FactsFile};
use crate::holding::Status;
use crate::node::Node;
use crate::partnership::{Declaration, Standing};
use std::collections::BTreeMap;
use std::io::Cursor;
use std::time::Duration;

/// How long loopback links may take, on a machine that is busy with other things too.
const SETTLE_TIMEOUT: Duration = Duration::from_secs(120);
/// How often it is looked whether they are done: reading these small ledgers takes a few milliseconds.
const SETTLE_INTERVAL: Duration = Duration::from_millis(50);
/// Drafts signed and judged at a time.
const DRAFTS_MAX: usize = 64;

/// Each customer declares its partnership and the supplier accepts it; the acceptance returns over the mesh.
pub(super) async fn agree(supplier: &Party, customers: &[Party]) -> Result<(), DemoError> {
    let card = supplier
        .ask(|node| Ok::<_, DemoError>(node.card(crate::clock::now())?))
        .await?;
    let root = supplier
        .ask(|node| Ok::<_, DemoError>(node.root_fingerprint()))
        .await?;
    for customer in customers {
        let Some(text) = customer.character.declaration else {
            continue;
        };
        let declaration = Declaration::parse(text).map_err(crate::agree::PartnerError::from)?;
        // In the example the telephone is this comparison: the file says what the customer was told.
        let told = declaration.members().first();
        if told.and_then(|member| member.fingerprint) != Some(root) {
            return Err(DemoError::Fingerprint(customer.organization.clone()));
        }
        let compared = BTreeMap::from([(supplier.organization.clone(), root)]);
        let cards = vec![card.clone()];
        let (proposal, customer_root) = customer
            .ask(move |node| {
                node.declare(text, &cards, &compared, clock::now())
                    .map(|proposal| (proposal, node.root_fingerprint()))
            })
            .await?;
        tell(&format!(
            "{} declares `{}`",
            customer.organization, proposal.partnership
        ));
        let compared = BTreeMap::from([(customer.organization.clone(), customer_root)]);
        supplier
            .ask(move |node| node.accept(&proposal.file, &compared, clock::now()))
            .await?;
        tell(&format!("{} accepts it", supplier.organization));
    }
    wait_for(
        "the acceptance to reach the customers",
        supplier,
        customers,
        |_, others| {
            others.iter().all(|status| {
                status
                    .partnerships
                    .iter()
                    .all(|known| known.state == Standing::Active)
            })
        },
    )
    .await
}

/// The supplier imports its files. Returns when every observation it may share is acknowledged.
pub(super) async fn share(supplier: &Party, customers: &[Party]) -> Result<(), DemoError> {
    for source in &SOURCES {
        let (observations, readings) = supplier
            .ask(move |node| import(node, source, &supplier_facts()?))
            .await?;
        tell(&format!(
            "{} imports {}: {observations} observations with {readings} readings",
            supplier.organization, source.name
        ));
    }
    wait_for(
        "everything to be acknowledged",
        supplier,
        customers,
        is_settled,
    )
    .await
}

fn import(node: &Node, source: &Source, facts: &FactsFile) -> Result<(usize, u64), DemoError> {
    let mut import = collect::import(
        Cursor::new(source.content),
        &source.map()?,
        facts,
        &FactsFile::default(),
        clock::now(),
        |_| (),
    )?;
    let (mut observations, mut readings) = (0, 0);
    loop {
        let drafts: Vec<Draft> = import.by_ref().take(DRAFTS_MAX).collect::<Result<_, _>>()?;
        if drafts.is_empty() {
            return Ok((observations, readings));
        }
        let report = node.observe(drafts, true, clock::now())?;
        observations += report.observed.len();
        readings += report
            .observed
            .iter()
            .map(|observed| u64::from(observed.readings))
            .sum::<u64>();
    }
}

/// Every own observation is decided for every customer, and what was released is acknowledged and held there.
fn is_settled(supplier: &Status, customers: &[Status]) -> bool {
    let held_by = |status: &Status| {
        let held = status.held.get(&supplier.organization);
        held.map_or(0, |held| held.observations)
    };
    let own = held_by(supplier);
    own > 0
        && supplier.pairs.len() == customers.len()
        && supplier.pairs.iter().all(|pair| {
            let recipient = customers
                .iter()
                .find(|status| status.organization == pair.to);
            pair.released + pair.withheld + pair.undecided == own
                && pair.acknowledged == pair.released
                && recipient.map(held_by) == Some(pair.released)
        })
}

async fn wait_for(
    what: &'static str,
    supplier: &Party,
    customers: &[Party],
    is_done: impl Fn(&Status, &[Status]) -> bool,
) -> Result<(), DemoError> {
    let waiting = async {
        let mut ticks = tokio::time::interval(SETTLE_INTERVAL);
        loop {
            ticks.tick().await;
            let status = supplier.status().await?;
            let mut others = Vec::new();
            for customer in customers {
                others.push(customer.status().await?);
            }
            if is_done(&status, &others) {
                return Ok(());
            }
        }
    };
    tokio::time::timeout(SETTLE_TIMEOUT, waiting)
        .await
        .unwrap_or(Err(DemoError::Unsettled {
            what,
            seconds: SETTLE_TIMEOUT.as_secs(),
        }))
}
