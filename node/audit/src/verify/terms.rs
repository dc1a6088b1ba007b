//! Terms of editions: each read, rendered and checked once, however many entries name them. An entry of some hundred bytes
//! names terms of up to 64 KiB.

use super::Audit;
use super::fault::{At, Checks};
use crate::report::{Origin, error_chain};
use crate::rule::Rule;
use ambit_ledger::{
    Agreement, AgreementState, Digest, OrganizationId, PartnershipTerms, Party, decode,
};
use ambit_policy::{Taxonomies, TermsError, agreement, check_terms, render_as_stated, unbuilt};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// What an edition's terms come to by themselves.
#[derive(Clone, Debug)]
pub(super) struct Terms {
    pub(super) terms: Rc<PartnershipTerms>,
    pub(super) agreement: Rc<Agreement>,
    /// The members as policies read them.
    pub(super) parties: Rc<BTreeMap<OrganizationId, Party>>,
    /// Whether they render to the partnership layer that they name.
    pub(super) rendered: Checks,
    /// Whether all that they say is kept by this version.
    pub(super) built: Checks,
}

/// The terms that entries so far named.
#[derive(Debug, Default)]
pub(super) struct TermsRead {
    by_digest: BTreeMap<Digest, Checks<Terms>>,
    /// Whether anybody may sign them, by edition and taxonomies.
    rules: BTreeMap<(Digest, Option<Digest>), Checks>,
    /// The members of each edition whose certificates and card were found good: they stay so.
    settled: BTreeSet<(Digest, OrganizationId)>,
}

impl Terms {
    fn of(terms: PartnershipTerms) -> (Self, usize) {
        let (rendered, text_bytes) = match render(&terms) {
            Ok(text_bytes) => (Ok(()), text_bytes),
            Err(fault) => (Err(fault), 0),
        };
        let read = Self {
            agreement: Rc::new(agreement(&terms, AgreementState::Active, terms.lease_until)),
            // Where one is there twice, the first counts.
            parties: Rc::new(
                terms
                    .members
                    .iter()
                    .rev()
                    .map(|member| (member.card.organization.clone(), Party::from(member)))
                    .collect(),
            ),
            rendered,
            built: check_built(&terms),
            terms: Rc::new(terms),
        };
        (read, text_bytes)
    }

    /// Where the partnership layer comes from.
    pub(super) fn origin(&self) -> Origin {
        match &self.rendered {
            Ok(()) => Origin::Rendered,
            Err(fault) if fault.rule == Rule::Unchecked => Origin::Unknown,
            Err(_) => Origin::Operator,
        }
    }
}

impl TermsRead {
    /// Whether nothing new can be found of a member of an edition.
    pub(super) fn is_settled(&self, edition: Digest, member: &OrganizationId) -> bool {
        self.settled.contains(&(edition, member.clone()))
    }

    pub(super) fn settle(&mut self, edition: Digest, member: &OrganizationId) {
        self.settled.insert((edition, member.clone()));
    }
}

impl Audit<'_> {
    /// The terms of an edition that an entry names; `None` where they are missing, or are none, which is noted.
    pub(super) fn terms(&mut self, at: At, edition: &Digest) -> Option<Terms> {
        let is_there = self.name_blob(at, edition);
        let known = self.terms_read.by_digest.get(edition).cloned();
        let read = match known {
            Some(read) => read,
            None if !is_there => {
                self.keys.lack_terms();
                return None;
            }
            None => {
                let read = self.read_terms(edition);
                self.terms_read.by_digest.insert(*edition, read.clone());
                read
            }
        };
        read.map_err(|fault| self.note(at, Err(fault))).ok()
    }

    fn read_terms(&mut self, edition: &Digest) -> Checks<Terms> {
        let bytes = self.bundle.blob(edition).unwrap_or_default();
        let terms = decode::<PartnershipTerms>(&bytes);
        let terms = terms.map_err(|error| Rule::BlobShape.broken(error_chain(&error)))?;
        let (read, text_bytes) = Terms::of(terms);
        self.replayer.note_foreign(read.terms.profile, text_bytes);
        Ok(read)
    }

    /// The rules of terms that nobody signs against. That they are rendered rightly and follow the edition before is
    /// checked by rules of their own.
    pub(super) fn check_rules(&mut self, edition: Digest, terms: &PartnershipTerms) -> Checks {
        let key = (edition, self.in_force.taxonomies_digest());
        if let Some(checked) = self.terms_read.rules.get(&key) {
            return checked.clone();
        }
        // Where none are in force, or not at hand, that is found by itself.
        let taxonomies = self.in_force.taxonomies();
        let taxonomies = taxonomies.unwrap_or_else(|_| Taxonomies::builtin());
        let checked = match check_terms(terms, &taxonomies) {
            Ok(_) | Err(TermsError::Renderer(_) | TermsError::Edition(_)) => Ok(()),
            Err(error) => Err(Rule::EditionTerms.broken(error_chain(&error))),
        };
        self.terms_read.rules.insert(key, checked.clone());
        checked
    }
}

/// What the terms say and this version does not keep, it does not check either. Their line of editions is checked.
fn check_built(terms: &PartnershipTerms) -> Checks {
    let found: Vec<String> = unbuilt(terms)
        .into_iter()
        .filter(|found| found.field != "previous")
        .map(|found| format!("`{}`", found.field))
        .collect();
    Rule::Unchecked.check(found.is_empty(), || {
        format!(
            "the terms hold what this version does not keep, and does not check: {}",
            found.join(", ")
        )
    })
}

/// Renders the partnership layer again, in the way that the terms name: what members sign is terms, and never a text
/// beside them. Returns how long the text is.
fn render(terms: &PartnershipTerms) -> Checks<usize> {
    let text = render_as_stated(terms)
        .map_err(|error| Rule::EditionProfile.broken(error_chain(&error)))?
        .ok_or_else(|| {
            Rule::Unchecked.broken(format!(
                "the terms are rendered in way {}, which this version does not know",
                terms.renderer
            ))
        })?;
    let rendered = Digest::of(text.as_bytes());
    Rule::EditionProfile.check(rendered == terms.profile, || {
        format!("the terms name {}, and render to {rendered}", terms.profile)
    })?;
    Ok(text.len())
}
