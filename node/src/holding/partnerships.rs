//! The partnerships that are known here, and how they stand.

use crate::agree::Difference;
use crate::failure::Failure;
use crate::node::{Ask, Node};
use crate::partnership::Standing;
use ambit_ledger::{OrganizationId, PartnershipId, Time};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The partnerships that are known here.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListPartnerships {}

impl Ask for ListPartnerships {
    type Answer = Vec<PartnershipStatus>;

    fn answer(self, node: &Node, now: Time) -> Result<Vec<PartnershipStatus>, Failure> {
        Ok(node.partner_list(now))
    }
}

/// How a partnership stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartnershipStatus {
    /// The agreement.
    pub partnership: PartnershipId,
    /// Its title.
    pub title: String,
    /// How it stands now.
    pub state: Standing,
    /// Since when, where time alone made it so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Time>,
    /// The edition's digest.
    pub edition: String,
    /// The members, and whether each has signed; absent where this node cannot tell, because it never compared the
    /// member's root.
    pub members: BTreeMap<OrganizationId, Option<bool>>,
    /// Why it was declined.
    pub declined: Option<String>,
    /// What this node's settings say otherwise than its record in it, by which the members go.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub differs: Vec<Difference>,
}

impl Node {
    /// The partnerships and how they stand.
    #[must_use]
    pub fn partner_list(&self, now: Time) -> Vec<PartnershipStatus> {
        let now = self.reading_instant(now);
        let governance = self.governance();
        governance
            .partnerships()
            .map(|partnership| PartnershipStatus {
                partnership: partnership.terms().partnership.clone(),
                title: partnership.terms().title.to_string(),
                state: partnership.standing(now),
                since: partnership.standing_since(now),
                edition: partnership.edition().to_string(),
                members: partnership
                    .terms()
                    .members
                    .iter()
                    .map(|member| {
                        let id = &member.card.organization;
                        let has_signed = partnership.signatures().contains_key(id);
                        let is_known = has_signed
                            || id == governance.organization()
                            || partnership.roots().contains_key(id);
                        (id.clone(), is_known.then_some(has_signed))
                    })
                    .collect(),
                declined: partnership
                    .declined()
                    .map(|declined| format!("{}: {}", declined.member, declined.reason)),
                differs: self.differences(partnership, now),
            })
            .collect()
    }
}
