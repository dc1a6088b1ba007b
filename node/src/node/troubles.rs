//! What is wrong between this node and its peers: told by the federation, kept for those who ask, and gone with the process.

use super::link_trouble::{LinkNews, LinkTrouble, Way};
use super::{Node, peer_key_on_card};
use crate::failure::one_line;
use crate::mesh::PeerKey;
use crate::partnership::{ANNOUNCE_HINT, Governance, KeyStanding, Partnership, Standing, apart};
use crate::store::BoxKey;
use ambit_ledger::{
    Decision, Digest, KeyPurpose, Layer, OrganizationId, PartnershipId, PartnershipTerms, Time,
    Verdict,
};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How many profiles are remembered as those that could not judge something: a few more than there are layers, for those
/// that were put in force one after the other.
const UNDECIDED_MAX: usize = 64;

/// What is known to be wrong.
#[derive(Debug, Default)]
pub(super) struct Troubles(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    /// Who is kept out, and until when.
    barred: BTreeMap<PeerKey, Time>,
    /// Why nothing goes over a link.
    links: BTreeMap<(PartnershipId, OrganizationId, Way), LinkTrouble>,
    /// The layers that could not judge something, by their profiles, and what they said last.
    undecided: BTreeMap<(Layer, Digest), CannotJudge>,
}

/// What a layer said that could not judge something.
#[derive(Clone, Debug)]
struct CannotJudge {
    error: String,
    /// Up to when it would say so, where it reads the clock.
    until: Option<Time>,
}

impl Troubles {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Node {
    /// Who is kept out from now on, and until when.
    pub(crate) fn note_barred(&self, barred: BTreeMap<PeerKey, Time>) {
        self.troubles.known().barred = barred;
    }

    /// A decision was made or used that leaves something undecided, and because of which layers.
    pub(crate) fn note_undecided(&self, decision: &Decision) {
        let profile = |layer: Layer| {
            let mut profiles = decision.profiles.iter();
            profiles.find(|profile| profile.layer == layer)
        };
        let said = decision.verdicts.iter().flat_map(|purpose| &purpose.layers);
        let mut known = self.troubles.known();
        for said in said.filter(|said| said.verdict == Verdict::Undecided) {
            if let (Some(profile), Some(error)) = (profile(said.layer), said.errors.first()) {
                let cannot = CannotJudge {
                    error: error.clone(),
                    until: decision.true_until,
                };
                let before = known
                    .undecided
                    .insert((said.layer, profile.profile), cannot);
                if before.is_none() {
                    tracing::warn!(layer = %said.layer, error, "a layer cannot judge, so that something is undecided");
                }
            }
        }
        while known.undecided.len() > UNDECIDED_MAX {
            known.undecided.pop_first();
        }
    }

    /// Why nothing goes over a link; nothing once something does.
    pub(crate) fn note_link(
        &self,
        partnership: &PartnershipId,
        member: &OrganizationId,
        way: Way,
        trouble: Option<LinkTrouble>,
    ) {
        let key = (partnership.clone(), member.clone(), way);
        let mut known = self.troubles.known();
        match trouble {
            // It follows from what is told already, and says less.
            Some(LinkTrouble::Stalled)
                if known
                    .links
                    .get(&key)
                    .is_some_and(LinkTrouble::is_of_acknowledgements) => {}
            Some(trouble) => {
                known.links.insert(key, trouble);
            }
            None => {
                known.links.remove(&key);
            }
        }
    }

    /// What a link shows: what was wrong and holds no longer is not told any more.
    pub(crate) fn note_link_news(
        &self,
        partnership: &PartnershipId,
        member: &OrganizationId,
        way: Way,
        news: LinkNews,
    ) {
        let key = (partnership.clone(), member.clone(), way);
        let mut known = self.troubles.known();
        let trouble = known.links.get(&key);
        if trouble.is_some_and(|trouble| trouble.is_over_with(news)) {
            known.links.remove(&key);
        }
    }

    /// What is wrong with one member under one partnership, for a person to read.
    pub(crate) fn troubles(
        &self,
        governance: &Governance,
        partnership: &Partnership,
        member: &OrganizationId,
        now: Time,
    ) -> Vec<String> {
        let is_over = match partnership.standing(now) {
            Standing::Declined | Standing::Ended => true,
            Standing::Proposed | Standing::Active | Standing::LeaseRunOut => false,
        };
        let standing = |purpose| {
            let standing = governance.key_standing(partnership, member, purpose, now);
            standing.filter(|_| !is_over)
        };
        let transport = standing(KeyPurpose::Transport).and_then(|standing| {
            let key = "the key by which its node is known to others (the transport key)";
            key_told(key, "this node neither calls it nor lets it in", standing)
        });
        // No link is open to who has no key for it, so that what was wrong with one is over.
        if transport.is_some() {
            return transport.into_iter().collect();
        }
        let statement = standing(KeyPurpose::Statement).and_then(|standing| {
            let so_that = "neither what it sends nor what it acknowledges counts";
            key_told(
                "the key that it signs its statements with",
                so_that,
                standing,
            )
        });
        let known = self.troubles.known();
        // Nothing goes under what is over, whatever its links do.
        let is_to_go = !is_over && !partnership.standing(now).is_over();
        let ways = [Way::Outbound, Way::Inbound].into_iter();
        let links = ways.filter(|_| is_to_go).filter_map(|way| {
            let key = (partnership.terms().partnership.clone(), member.clone(), way);
            let trouble = known.links.get(&key)?;
            let is_said = statement.is_some() && trouble.is_of_acknowledgements();
            (!is_said).then(|| trouble.told(way))
        });
        let peer = peer_key_on_card(partnership, member);
        let apart = is_to_go
            .then(|| self.apart_told(partnership, member))
            .flatten();
        let barred = peer.and_then(|peer| known.barred.get(&peer)).map(|until| {
            format!(
                "it broke the rules of the link again and again, and is kept out until {until}; ask its operator \
                 what its node does"
            )
        });
        let id = &partnership.terms().partnership;
        let inbox = self.store().inbox(&BoxKey::new(id, member));
        let beyond = self.beyond_quota(inbox.as_ref(), now);
        let beyond = beyond.filter(|_| is_to_go).map(|beyond| beyond.to_string());
        let moved = is_to_go
            .then(|| governance.moved_in(partnership, member))
            .flatten();
        let moved = moved.map(|other| {
            format!(
                "its later card, in the agreement `{other}`, says otherwise of its seat, its hosting or its personnel: what goes under \
                 this agreement is judged by the card that was signed with it, until it ends"
            )
        });
        statement
            .iter()
            .cloned()
            .chain(moved)
            .chain(links)
            .chain(apart)
            .chain(barred)
            .chain(beyond)
            .collect()
    }

    /// Why this node and a member's never connect, by the cards in the agreement.
    fn apart_told(&self, partnership: &Partnership, member: &OrganizationId) -> Option<String> {
        let apart = apart(&partnership.terms().members);
        let is_apart = |id: &OrganizationId| apart.iter().any(|one| one.card.organization == *id);
        let own = &self.settings().organization.id;
        // One connection carries all agreements: another one may have an address.
        let governance = self.governance();
        let has_address = |terms: &PartnershipTerms, id: &OrganizationId| {
            let card = terms.member(id).map(|member| &member.card);
            card.is_some_and(|card| !card.addresses.is_empty())
        };
        let is_reached = governance.partnerships().any(|other| {
            let terms = other.terms();
            let are_members = terms.member(member).is_some() && terms.member(own).is_some();
            are_members && (has_address(terms, member) || has_address(terms, own))
        });
        (is_apart(member) && is_apart(own) && !is_reached).then(|| {
            format!(
                "neither its card in the agreement nor this node's names an address, so that the two never connect; at one of \
                 them, {ANNOUNCE_HINT}, and declare the agreement anew, under another name, with the card that `ambit key card` \
                 writes then"
            )
        })
    }

    /// What is wrong with this node's own keys, or with any agreement or member.
    pub(crate) fn all_troubles(&self, now: Time) -> Vec<String> {
        let governance = self.governance();
        let transport = governance.own_key_standing(KeyPurpose::Transport, now);
        let transport = transport.and_then(|standing| {
            let key = "the key by which this node is known to others (the transport key)";
            own_key_told(key, "nobody who knows that lets it in", standing)
        });
        let statement = governance.own_key_standing(KeyPurpose::Statement, now);
        let statement = statement.and_then(|standing| {
            let so_that = "nothing that it sends or acknowledges counts with others";
            own_key_told(
                "the key that this node signs its statements with",
                so_that,
                standing,
            )
        });
        let room = self.store().want_of_room();
        let room = room.map(|error| error.to_string());
        let mut all: Vec<String> = room.into_iter().chain(transport).chain(statement).collect();
        let undecided = self.troubles.known().undecided.clone();
        let in_force = governance.layers().profiles();
        let in_force = in_force.map(|profile| (profile.layer(), profile.digest()));
        all.extend(in_force.filter_map(|place| {
            let cannot = undecided.get(&place)?;
            if cannot.until.is_some_and(|until| until <= now) {
                return None;
            }
            let error = &cannot.error;
            Some(format!(
                "the layer `{}` cannot judge some of what comes or goes, so that it is undecided: {}; mend its profile, and \
                 activate it",
                place.0,
                error.split_whitespace().collect::<Vec<_>>().join(" ")
            ))
        }));
        for partnership in governance.partnerships() {
            let id = &partnership.terms().partnership;
            let broken = partnership.layers().broken();
            let broken = broken.filter(|broken| broken.layer() == Layer::Partnership);
            all.extend(broken.map(|broken| {
                format!(
                    "`{id}`: all is undecided, because the layer that its terms give cannot judge: {}; run the version \
                     that recorded it, or a later one",
                    one_line(broken.error())
                )
            }));
            for organization in partnership.others(governance.organization()) {
                let troubles = self.troubles(&governance, partnership, organization, now);
                all.extend(
                    troubles
                        .into_iter()
                        .map(|trouble| format!("`{organization}`, `{id}`: {trouble}")),
                );
            }
        }
        all
    }
}

/// What another member has no good key for, and how that is mended.
fn key_told(key: &str, so_that: &str, standing: KeyStanding) -> Option<String> {
    match standing {
        KeyStanding::Good { .. } => None,
        KeyStanding::Ended { at } => Some(format!(
            "{key} ended at {at}, so that {so_that}; take its new card in: ask it for one, and declare an agreement under \
             another name with that"
        )),
        KeyStanding::NotYet { from } => Some(format!(
            "{key} is good from {from} on, so that until then {so_that}; compare the clocks of the two nodes, or wait"
        )),
    }
}

/// The same of this node itself.
fn own_key_told(key: &str, so_that: &str, standing: KeyStanding) -> Option<String> {
    match standing {
        KeyStanding::Good { .. } => None,
        KeyStanding::Ended { at } => Some(format!(
            "{key} ended at {at}, so that {so_that}; this version cannot certify another: make a node with new keys in \
             another folder (`ambit --home DIR init`) and hand its card to the other members"
        )),
        KeyStanding::NotYet { from } => Some(format!(
            "{key} is good from {from} on, so that until then {so_that}; look whether this machine's clock is right"
        )),
    }
}
