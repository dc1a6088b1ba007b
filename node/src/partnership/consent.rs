//! What a person reads before signing an agreement, in plain words.
//!
//! Every term that a signature binds to is on this page, and nothing that a stranger wrote can hide on it.
//! This module must never leave a term out because it is usual.

mod rules;

use super::card::card_root;
use super::page::Page;
use super::passed::{Passed, passed};
use super::phrases::{instant, joined, named, quoted};
use super::reach::apart_words;
use ambit_ledger::{
    Assigned, Claim, DataClass, ErasureExtent, Jurisdiction, Member, OrganizationId,
    PartnershipTerms, Purpose, Time,
};
use ambit_policy::{Taxonomies, unbuilt};
use std::collections::BTreeSet;

/// The page that `me` reads before signing. `rendered_profile` is the policy text that comes of the terms at
/// this node; `signed_by` names the members whose signatures were verified; `now` is when it is read.
#[must_use]
pub fn plain_words(
    terms: &PartnershipTerms,
    me: &OrganizationId,
    rendered_profile: &str,
    signed_by: &BTreeSet<OrganizationId>,
    taxonomies: &Taxonomies,
    now: Time,
) -> String {
    let reading = Reading {
        terms,
        me,
        taxonomies,
        now,
    };
    let mut page = Page::default();
    reading.opening(&mut page);
    reading.present(&mut page);
    reading.members(&mut page);
    reading.sharing(&mut page);
    reading.use_and_retention(&mut page);
    reading.passing_on(&mut page);
    reading.receiving(&mut page);
    reading.lease(&mut page);
    reading.unbuilt(&mut page);
    reading.rules(&mut page, rendered_profile);
    reading.fingerprints(&mut page);
    reading.signatures(&mut page, signed_by);
    page.into_text()
}

struct Reading<'a> {
    terms: &'a PartnershipTerms,
    me: &'a OrganizationId,
    taxonomies: &'a Taxonomies,
    now: Time,
}

impl Reading<'_> {
    fn opening(&self, page: &mut Page) {
        let terms = self.terms;
        page.heading(&format!(
            "AGREEMENT {}, EDITION {}: {}",
            terms.partnership,
            terms.edition,
            quoted(terms.title.as_str())
        ));
        let replaced = match terms.edition.checked_sub(1) {
            Some(before) if before > 0 => format!(" It replaces edition {before}."),
            _ => String::new(),
        };
        page.paragraph(&format!(
            "{} proposed it on {}.{replaced} Nothing is disclosed under it until all members have signed.",
            self.named(&terms.declarer),
            instant(terms.declared_at)
        ));
    }

    /// Whoever reads terms reads dates as if they were ahead.
    fn present(&self, page: &mut Page) {
        let terms = self.terms;
        page.heading("WHAT HOLDS NOW");
        let now = instant(self.now);
        let Some(passed) = passed(terms, self.now) else {
            page.paragraph(&format!("It is {now}, and none of its ends has passed."));
            if terms.observed_until <= self.now {
                page.paragraph(
                    "The window of observed time is over: nothing that is observed from now on is in it.",
                );
            } else if self.now < terms.observed_from {
                page.paragraph(
                    "The window of observed time has not begun: nothing that is observed before it is in it.",
                );
            }
            return;
        };
        let (what, later) = match passed {
            Passed::Ended { at } => (
                format!("This agreement ended on {}.", instant(at)),
                "that ends later",
            ),
            Passed::LeaseRanOut { at } => (
                format!("The lease ran out on {}.", instant(at)),
                "with a later lease",
            ),
        };
        let anew = if terms.declarer == *self.me {
            "Declare an agreement".to_owned()
        } else {
            format!("Ask {} for an agreement", self.named(&terms.declarer))
        };
        page.paragraph(&format!(
            "DO NOT SIGN: it is {now}. {what} Nothing is disclosed under it, and this node does not sign it. {anew} \
             {later}."
        ));
    }

    fn members(&self, page: &mut Page) {
        page.heading("MEMBERS, AS EACH STATES OF ITSELF");
        for member in &self.terms.members {
            let you = if member.card.organization == *self.me {
                " This is you."
            } else {
                ""
            };
            let claims: String = member.claims.iter().map(claimed).collect();
            let addresses = if member.card.addresses.is_empty() {
                "none, it calls the others".to_owned()
            } else {
                joined(member.card.addresses.iter().map(ToString::to_string), "and")
            };
            page.item(&format!(
                "{}.{you} Seat: {}. Stores data in: {}. Nationalities with access: {}.{} Address of its node: \
                 {addresses}.",
                named(member),
                self.jurisdiction(&member.card.seat),
                self.places(&member.card.hosting),
                self.places(&member.card.personnel),
                claims
            ));
        }
        if let Some(words) = apart_words(&self.terms.members) {
            page.paragraph(&words);
        }
    }

    fn places(&self, codes: &BTreeSet<Jurisdiction>) -> String {
        if codes.is_empty() {
            return "not stated".to_owned();
        }
        joined(codes.iter().map(|code| self.jurisdiction(code)), "and")
    }

    fn sharing(&self, page: &mut Page) {
        let terms = self.terms;
        page.heading("WHAT YOU WOULD SHARE");
        if terms.member(self.me).is_none() {
            page.paragraph(&format!(
                "You ({}) are not a member, so you would share nothing and receive nothing, and cannot sign.",
                self.me
            ));
            page.paragraph("The members would share with each other observations that each owns and that fit all of this:");
        } else {
            page.paragraph(&format!(
                "Your node would disclose to {}, by itself and without asking again, each observation that \
                 you own and that fits all of this:",
                self.others("and")
            ));
        }
        for class in &terms.data_classes {
            page.item(&format!("Data: {}.", self.class(class)));
        }
        page.item(&match &terms.program {
            Some(program) => format!("Program: {}.", self.assigned(program)),
            None => "Program: only what names none.".to_owned(),
        });
        if terms.parts.is_empty() {
            page.item("Parts: every part of the program, and what names no part.");
        } else {
            let parts = terms.parts.iter().map(|agreed| match &agreed.revision {
                Some(revision) => format!(
                    "{} in revision {}",
                    self.assigned(&agreed.part),
                    quoted(revision.as_str())
                ),
                None => self.assigned(&agreed.part),
            });
            page.item(&format!("Parts: only {}.", joined(parts, "and")));
        }
        let already = if terms.observed_from < terms.declared_at {
            " Data that is already held from that time is included."
        } else {
            ""
        };
        page.item(&format!(
            "Observed: from {} up to, but without, {}.{already}",
            self.dated(terms.observed_from),
            self.dated(terms.observed_until)
        ));
        page.item(&format!(
            "Disclosed: before {}. No new data after that.",
            self.dated(terms.until)
        ));
        page.paragraph(
            "Nothing goes out that your own rules or the limits you set do not admit. No other member sees those.",
        );
        page.paragraph(
            "With the readings go the facts about them: what was observed, when and by which source; its owner, \
             class, program, export control classification and whether it is a trade secret; and, where stated, \
             its design authority, site, asset, part, revision, serial number, lot, order and process.",
        );
    }

    fn use_and_retention(&self, page: &mut Page) {
        let terms = self.terms;
        page.heading("WHAT IT MAY BE USED FOR");
        for purpose in &terms.purposes {
            page.item(&format!("{}.", self.purpose(purpose)));
        }
        page.paragraph("Nothing else.");
        page.heading("HOW LONG IT MAY BE KEPT");
        let days = match terms.retention_days {
            1 => "1 day".to_owned(),
            days => format!("{days} days"),
        };
        page.paragraph(&format!(
            "At most {days}, counted from the start of the UTC day on which the owner disclosed it. Passing it \
             on, or deriving something from it, does not make that longer. Only a legal hold does."
        ));
        page.paragraph(match terms.erasure {
            ErasureExtent::Readings => {
                "Then the readings are erased. The facts about them outlive the readings: they stay with each \
                 recipient as evidence, for good."
            }
            ErasureExtent::All => {
                "Then the readings are erased, and the facts about them too. What stays is a record that \
                 something was disclosed and erased, without its content."
            }
        });
        page.paragraph(
            "This is agreed and recorded. It is not yet enforced: this version of the program erases nothing by \
             itself, so people have to see to it.",
        );
        page.paragraph(
            "A person who has read data can copy it. These terms and the signed records are the evidence of \
             what was agreed; software cannot take back what was read.",
        );
    }

    fn passing_on(&self, page: &mut Page) {
        let terms = self.terms;
        page.heading("WHETHER IT MAY BE PASSED ON");
        let often = match terms.onward_hops {
            0 => None,
            1 => Some("once".to_owned()),
            2 => Some("twice".to_owned()),
            hops => Some(format!("{hops} times")),
        };
        page.paragraph(&match often {
            None => "No. Whoever receives it may not pass it on.".to_owned(),
            Some(often) => format!(
                "Yes, at most {often}, from member to member and on the same or narrower terms. Never to anyone \
                 else."
            ),
        });
        page.heading("WHAT MAY BE DERIVED FROM IT");
        let Some(derived) = &terms.derived else {
            page.paragraph("Nothing.");
            return;
        };
        page.paragraph("Other data may be derived from it, within this:");
        for class in &derived.data_classes {
            page.item(&format!("It may become: {}.", self.class(class)));
        }
        let recipients = derived.recipients.iter().map(|id| self.named(id));
        page.item(&format!("For: {}.", joined(recipients, "and")));
        for purpose in &derived.purposes {
            page.item(&format!("To be used for: {}.", self.purpose(purpose)));
        }
    }

    fn receiving(&self, page: &mut Page) {
        if self.terms.member(self.me).is_none() {
            return;
        }
        page.heading("WHAT YOU WOULD RECEIVE");
        page.paragraph(&format!(
            "Data of the same kind from {}, as far as they own it and their own rules admit it. All of the above \
             then binds you: what it may be used for, how long it may be kept, whether it may be passed on.",
            self.others("and from")
        ));
    }

    fn lease(&self, page: &mut Page) {
        let terms = self.terms;
        page.heading("LEASE");
        if terms.lease_until == terms.until {
            page.paragraph("The lease ends with the agreement, so nobody needs to renew it.");
        } else {
            page.paragraph(&format!(
                "Nothing is disclosed from {} on. This version cannot renew a lease: a new agreement is needed then.",
                self.dated(terms.lease_until)
            ));
        }
        for member in &terms.members {
            if !member.deputies.is_empty() {
                let deputies = member.deputies.iter().map(|id| self.named(id));
                page.paragraph(&format!(
                    "Named to renew the lease of {}: {}.",
                    named(member),
                    joined(deputies, "and")
                ));
            }
        }
    }

    /// What the terms ask for and no node of this version keeps.
    fn unbuilt(&self, page: &mut Page) {
        let found = unbuilt(self.terms);
        if found.is_empty() {
            return;
        }
        page.heading("WHAT THIS VERSION CANNOT DO");
        page.paragraph("DO NOT SIGN: the terms ask for what nodes of this version do not do yet.");
        for unbuilt in found {
            page.item(&format!("{unbuilt}."));
        }
    }

    fn fingerprints(&self, page: &mut Page) {
        page.heading("ROOT FINGERPRINTS: COMPARE THEM BEFORE YOU SIGN");
        page.paragraph(
            "Call each organization on a number you already have, not on one from the message in which this \
             came, or meet in person. Have it read its fingerprint out. If a digit differs, do not sign.",
        );
        for member in &self.terms.members {
            let yours = if member.card.organization == *self.me {
                ", yours, to be read out to the others"
            } else {
                ""
            };
            match card_root(member) {
                Ok(root) => {
                    page.item(&format!("{}{yours}:", named(member)));
                    page.below_item(&root.to_string());
                }
                Err(error) => {
                    page.item(&format!("{}{yours}: DO NOT SIGN: {error}.", named(member)));
                }
            }
        }
    }

    fn signatures(&self, page: &mut Page, signed_by: &BTreeSet<OrganizationId>) {
        page.heading("SIGNATURES");
        let (signed, open): (Vec<&Member>, Vec<&Member>) = self
            .terms
            .members
            .iter()
            .partition(|member| signed_by.contains(&member.card.organization));
        for (what, members) in [("Signed already", signed), ("Not yet signed", open)] {
            let names = joined(members.into_iter().map(named), "and");
            let names = if names.is_empty() { "nobody" } else { &names };
            page.paragraph(&format!("{what}: {names}."));
        }
    }

    /// An instant of the terms, said to be past where it is.
    fn dated(&self, time: Time) -> String {
        let past = if time <= self.now { " (past)" } else { "" };
        format!("{}{past}", instant(time))
    }

    fn others(&self, last: &str) -> String {
        let others = self
            .terms
            .members
            .iter()
            .filter(|member| member.card.organization != *self.me);
        joined(others.map(named), last)
    }

    fn named(&self, organization: &OrganizationId) -> String {
        self.terms
            .member(organization)
            .map_or_else(|| organization.to_string(), named)
    }

    fn assigned(&self, assigned: &Assigned) -> String {
        let value = quoted(assigned.value.as_str());
        format!("{value} as named by {}", self.named(&assigned.assigner))
    }

    fn class(&self, class: &DataClass) -> String {
        let within = |name: &str| {
            name.parse()
                .is_ok_and(|name| self.taxonomies.class_is_within(&name, class))
        };
        described(class.as_str(), self.taxonomies.classes(), within)
    }

    fn purpose(&self, purpose: &Purpose) -> String {
        let within = |name: &str| {
            name.parse()
                .is_ok_and(|name| self.taxonomies.purpose_is_within(&name, purpose))
        };
        described(purpose.as_str(), self.taxonomies.purposes(), within)
    }

    fn jurisdiction(&self, jurisdiction: &Jurisdiction) -> String {
        let code = jurisdiction.as_str();
        let mut known = self.taxonomies.jurisdictions();
        match known.find(|(name, _)| *name == code) {
            Some((_, label)) => label.to_owned(),
            None => format!("{} (unknown here)", quoted(code)),
        }
    }
}

/// A name of a taxonomy with its label, and the labels of all that lies within it.
fn described<'a>(
    name: &str,
    known: impl Iterator<Item = (&'a str, &'a str)>,
    is_within: impl Fn(&str) -> bool,
) -> String {
    let mut own = None;
    let mut inner = Vec::new();
    for (other, label) in known {
        if other == name {
            own = Some(label);
        } else if is_within(other) {
            inner.push(label);
        }
    }
    match own {
        None => format!("{} (unknown here)", quoted(name)),
        Some(label) if inner.is_empty() => format!("{label} ({name})"),
        Some(label) => format!(
            "{label} ({name}), with everything within: {}",
            inner.join("; ")
        ),
    }
}

/// One claim as a sentence, which says that nobody verified it.
fn claimed(claim: &Claim) -> String {
    let number = claim.number.as_ref().map_or_else(String::new, |number| {
        format!(", number {},", quoted(number.as_str()))
    });
    let allowed = claim
        .authorization
        .as_ref()
        .map_or_else(String::new, |allowed| {
            format!(
                " (authorization {} of {} for {} to {}, until {})",
                quoted(allowed.number.as_str()),
                allowed.authority,
                joined(allowed.items.iter().map(ToString::to_string), "and"),
                joined(allowed.destinations.iter().map(ToString::to_string), "and"),
                instant(allowed.not_after)
            )
        });
    format!(
        " Claims, unverified, that {} attests {}{number} until {}{allowed}.",
        claim.issuer,
        quoted(claim.what.as_str()),
        instant(claim.not_after)
    )
}

#[cfg(test)]
mod tests;
