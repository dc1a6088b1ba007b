//! What an operator's own profiles let through that the shipped ones do not, over the ledger's own decisions.
//!
//! An operator may write rules of its own, and wider ones too; nobody should have to find that out by reading Cedar.

use super::Audit;
use crate::report::{Beyond, Origin, RuleKind};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::rc::Rc;
use std::time::Duration;

impl Audit<'_> {
    /// Puts everything that ever judged into the report.
    pub(super) fn show_rules(&mut self) {
        let mut rules = std::mem::take(&mut self.in_force.rules);
        for rule in &mut rules {
            if matches!(
                (&rule.kind, &rule.origin),
                (RuleKind::Layer(_), Origin::Operator)
            ) {
                rule.beyond = Some(Beyond::default());
            }
        }
        let bundle = self.bundle;
        let uses = self.decisions.uses();
        let mut uses: Vec<_> = uses
            .map(|(at, decision)| (at, Rc::clone(decision)))
            .collect();
        uses.sort_by_key(|(at, _)| at.index);
        // One decision may be used in several stretches, and says the same in each.
        let mut judged = BTreeMap::new();
        for (at, decision) in uses {
            if !self.affords(Duration::ZERO) {
                return;
            }
            // Those in force when it was used.
            let own = rules.iter_mut().filter(|rule| rule.covers(at.index));
            let own: Vec<_> = own
                .filter_map(|rule| match (&rule.kind, &mut rule.beyond) {
                    (RuleKind::Layer(layer), Some(beyond)) => Some((*layer, beyond)),
                    _ => None,
                })
                .collect();
            if own.is_empty() {
                continue;
            }
            let lookup = |digest: &_| bundle.blob(digest).map(Cow::into_owned);
            let wider = match judged.entry(decision.digest()) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(vacant) => {
                    // Once as it is, and once as shipped.
                    let effort = self.replayer.effort(&decision, lookup).unwrap_or_default();
                    if !self.affords(effort.saturating_mul(2)) {
                        return;
                    }
                    vacant.insert(self.replayer.wider_than_shipped(&decision, lookup))
                }
            };
            for (layer, beyond) in own {
                match wider {
                    Ok(layers) => {
                        beyond.compared += 1;
                        if layers.contains(&layer) {
                            beyond.entries.push(at.index);
                        }
                    }
                    // What cannot be judged again is a finding of a replay.
                    Err(_) => beyond.not_compared += 1,
                }
            }
        }
        self.report.set_rules(rules);
    }
}
