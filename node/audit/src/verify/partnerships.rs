//! Partnerships: every edition is what its members signed, by keys whose roots were compared.

use super::Audit;
use super::fault::{At, Checks};
use super::in_force::Edition;
use super::instants::{check_after, check_made_here, earliest_for, latest_for};
use super::keys::{Signed, unverified};
use super::terms::Terms;
use crate::rule::Rule;
use ambit_ledger::{
    Decline, Digest, EditionStage, ManifestSignature, Member, OrganizationId, PartnershipDeclined,
    PartnershipEdition, PartnershipTerms, Statement, StatementKind,
};
use std::collections::BTreeSet;
use std::rc::Rc;

impl Audit<'_> {
    pub(super) fn edition(&mut self, at: At, body: &PartnershipEdition) {
        self.name_blob(at, &body.edition);
        self.name_blob(at, &body.profile);
        for signature in &body.signatures {
            self.name_blob(at, signature);
        }
        if let Some(terms) = self.terms(at, &body.edition) {
            self.check_edition(at, body, &terms);
        }
        match body.stage {
            EditionStage::Proposed => {
                let is_new = !self.in_force.has_begun(&body.edition);
                let checked = Rule::EditionChain.check(is_new, || {
                    format!(
                        "edition {} came into force before, and is said to be proposed",
                        body.edition
                    )
                });
                self.note(at, checked);
            }
            EditionStage::Active => {
                let checked = self.check_begins_in_time(at, &body.edition);
                self.note(at, checked);
                let declined = self.in_force.declined(&body.edition);
                let checked = Rule::Decline.check(declined.is_none(), || {
                    format!(
                        "edition {} was declined in entry {}, and is said to be in force",
                        body.edition,
                        declined.unwrap_or_default()
                    )
                });
                self.note(at, checked);
                self.in_force
                    .activate(at, &body.partnership, body.edition, body.profile);
                self.open_outboxes(&body.partnership);
            }
        }
    }

    /// Nothing comes into force that is over.
    fn check_begins_in_time(&self, at: At, edition: &Digest) -> Checks {
        let known = self.in_force.known(edition);
        let Some(known) = known.filter(|_| !self.in_force.has_begun(edition)) else {
            return Ok(());
        };
        let ends = known.ends();
        Rule::EditionTerms.check(earliest_for(at) < ends, || {
            format!("it comes into force at {}, and ended at {ends}", at.time)
        })
    }

    fn check_edition(&mut self, at: At, body: &PartnershipEdition, read: &Terms) {
        let terms = &*read.terms;
        let checked = self
            .check_terms(at, body, terms)
            .and_then(|()| match body.stage {
                EditionStage::Active if read.rendered.is_ok() => {
                    self.check_rules(body.edition, terms)
                }
                EditionStage::Active | EditionStage::Proposed => Ok(()),
            });
        self.note(at, checked);
        if body.stage == EditionStage::Active {
            self.note(at, read.built.clone());
        }
        // Of what is only proposed, the members are looked at whose roots were compared, and those who signed: nothing else was
        // believed here, and it is no ground to ask an auditor for their roots.
        let signers = self.signers_named(body);
        let is_of_concern = |organization: &OrganizationId| {
            body.stage == EditionStage::Active
                || signers.contains(organization)
                || *organization == self.own
                || body
                    .roots
                    .iter()
                    .any(|root| root.organization == *organization)
        };
        let concerned: Vec<&Member> = terms
            .members
            .iter()
            .filter(|member| is_of_concern(&member.card.organization))
            .collect();
        let is_new = |member: &&Member| {
            let organization = &member.card.organization;
            !self.terms_read.is_settled(body.edition, organization)
        };
        let concerned: Vec<&Member> = concerned.into_iter().filter(is_new).collect();
        let mut faulty = BTreeSet::new();
        for member in &concerned {
            for certificate in &member.card.certificates {
                let checked = self.certify_member(at, &member.card.organization, certificate);
                if checked.is_err() {
                    faulty.insert(&member.card.organization);
                }
                self.note(at, checked);
            }
        }
        let checked = self.check_roots(at, body, terms);
        self.note(at, checked);
        for member in concerned {
            let organization = &member.card.organization;
            let checked = self.check_card(at, member);
            if checked == Ok(true) && !faulty.contains(organization) {
                self.terms_read.settle(body.edition, organization);
            }
            self.note(at, checked.map(drop));
        }
        let outdated = self.outdated_card(body, terms);
        if let Some(outdated) = &outdated
            && body.stage == EditionStage::Active
            && !self.in_force.has_begun(&body.edition)
        {
            self.note(at, Err(Rule::CardOrder.broken(outdated)));
        }
        let checked = self.check_signatures(at, body, terms);
        self.note(at, checked);
        if body.stage == EditionStage::Active {
            let checked = self.check_succession(body, terms);
            self.note(at, checked);
        }
        let edition = Edition {
            digest: body.edition,
            origin: read.origin(),
            agreement: Rc::clone(&read.agreement),
            parties: Rc::clone(&read.parties),
            roots: body
                .roots
                .iter()
                .map(|compared| (compared.organization.clone(), compared.root))
                .collect(),
            outdated,
            declared: self.declared_latest(terms),
            terms: Rc::clone(&read.terms),
        };
        self.in_force.know(edition);
        self.note(at, read.rendered.clone());
    }

    /// Who signed an edition, as the signatures themselves say.
    fn signers_named(&self, body: &PartnershipEdition) -> BTreeSet<OrganizationId> {
        let signer = |digest: &Digest| {
            if let Some((signer, ..)) = self.keys.signatures.get(digest) {
                return Some(signer.clone());
            }
            let bytes = self.bundle.blob(digest)?;
            let statement = Statement::parse(&bytes, StatementKind::Manifest).ok()?;
            Some(statement.issuer().clone())
        };
        body.signatures.iter().filter_map(signer).collect()
    }

    /// A card is signed by a key on it, which was good when it was first recorded. False where that cannot be told.
    fn check_card(&mut self, at: At, member: &Member) -> Checks<bool> {
        let card = Digest::of(&ambit_ledger::encode(&member.card));
        if self.keys.cards.contains(&card) {
            return Ok(true);
        }
        let verified = member.card.verify(&self.keys.known.ring).map(|_| ());
        let is_verified = self.verified(at, verified)?.is_some();
        if is_verified {
            self.keys.cards.insert(card);
        }
        Ok(is_verified)
    }

    /// Of two cards of another member the later one holds. One is taken in when its root is compared, which is when it is held
    /// against those of the same root in all other agreements. What is only proposed may be declined for it: it counts once it comes
    /// into force.
    fn outdated_card(&self, body: &PartnershipEdition, terms: &PartnershipTerms) -> Option<String> {
        let known = self.in_force.known(&body.edition);
        if let Some(outdated) = known.and_then(|known| known.outdated.clone()) {
            return Some(outdated);
        }
        let is_new = |organization: &OrganizationId| {
            known.is_none_or(|known| !known.roots.contains_key(organization))
        };
        let compared = body.roots.iter();
        compared
            .filter(|compared| is_new(&compared.organization))
            .find_map(|compared| {
                let organization = &compared.organization;
                let member = terms.member(organization)?;
                let others = self.in_force.all_editions().filter(|edition| {
                    edition.digest != body.edition
                        && edition.roots.get(organization) == Some(&compared.root)
                });
                let mut others = others.filter_map(|edition| edition.terms.member(organization));
                let other = others
                    .find(|other| member.contradicts(other) || member.is_outdated_by(other))?;
                Some(format!(
                    "the card of `{organization}` is of {}, and one taken in before is of {} and says otherwise",
                    member.card.number, other.card.number
                ))
            })
    }

    fn check_terms(&self, at: At, body: &PartnershipEdition, terms: &PartnershipTerms) -> Checks {
        let rule = Rule::EditionTerms;
        rule.check(terms.partnership == body.partnership, || {
            format!("the terms are of partnership `{}`", terms.partnership)
        })?;
        rule.check(terms.profile == body.profile, || {
            format!("the terms name the profile {}", terms.profile)
        })?;
        let is_ascending = terms
            .members
            .is_sorted_by(|one, next| one.card.organization < next.card.organization);
        rule.check(is_ascending, || "the members are not ascending".to_owned())?;
        rule.check(terms.member(&terms.declarer).is_some(), || {
            format!("`{}` declared it and is no member", terms.declarer)
        })?;
        rule.check(terms.declared_at <= latest_for(at), || {
            format!("declared at {}, recorded at {}", terms.declared_at, at.time)
        })?;
        rule.check(terms.member(&self.own).is_some(), || {
            format!("`{}` is no member", self.own)
        })
    }

    fn check_roots(
        &mut self,
        at: At,
        body: &PartnershipEdition,
        terms: &PartnershipTerms,
    ) -> Checks {
        let rule = Rule::EditionRoots;
        let is_ascending = body
            .roots
            .is_sorted_by(|one, next| one.organization < next.organization);
        rule.check(is_ascending, || "they are not ascending".to_owned())?;
        for compared in &body.roots {
            let organization = &compared.organization;
            let member = terms
                .member(organization)
                .filter(|_| *organization != self.own)
                .ok_or_else(|| rule.broken(format!("`{organization}` is no other member")))?;
            let is_by_another = self
                .keys
                .certified_by(member)
                .any(|root| root != compared.root);
            rule.check(!is_by_another, || {
                format!("the certificates of `{organization}` are by another root")
            })?;
            self.trust_root(at, organization, compared.root);
        }
        let compared: BTreeSet<&OrganizationId> =
            body.roots.iter().map(|root| &root.organization).collect();
        let missing = terms.members.iter().find(|member| {
            member.card.organization != self.own && !compared.contains(&member.card.organization)
        });
        match (body.stage, missing) {
            (EditionStage::Active, Some(member)) => Err(rule.broken(format!(
                "that of `{}` was not compared",
                member.card.organization
            ))),
            (EditionStage::Proposed | EditionStage::Active, _) => Ok(()),
        }
    }

    fn check_signatures(
        &mut self,
        at: At,
        body: &PartnershipEdition,
        terms: &PartnershipTerms,
    ) -> Checks {
        let rule = Rule::EditionSignatures;
        let is_ascending = body.signatures.is_sorted_by(|one, next| one < next);
        rule.check(is_ascending, || "they are not ascending".to_owned())?;
        let mut signers = BTreeSet::new();
        let mut is_complete = true;
        for digest in &body.signatures {
            if !self.bundle.has_blob(digest) {
                is_complete = false;
                continue;
            }
            let (signer, edition, signed_at) = self.signature(at, *digest, terms)?;
            // Absent where nobody knows whether it is the signer's word.
            if let Some(signed_at) = signed_at {
                rule.check(signed_at <= latest_for(at), || {
                    format!("`{signer}` signed at {signed_at}, recorded at {}", at.time)
                })?;
                check_after(rule, &signer, signed_at, terms)?;
                if signer == self.own && self.in_force.sign(*digest) {
                    check_made_here(rule, at, signed_at)?;
                    Rule::Decline.check(!self.in_force.is_declined_here(&body.edition), || {
                        format!(
                            "`{signer}` signed edition {} after declining it",
                            body.edition
                        )
                    })?;
                }
            }
            rule.check(edition == body.edition, || {
                format!("`{signer}` signed another edition, {edition}")
            })?;
            rule.check(signers.insert(signer.clone()), || {
                format!("`{signer}` signed twice")
            })?;
        }
        // What is known once stays known, however it is spread over entries.
        let known = self.in_force.signers(body.edition);
        let lost = known.difference(&signers).next().cloned();
        known.extend(signers.iter().cloned());
        let all_signers = known.clone();
        // Of what came into force before, the stage is looked at.
        let has_begun = self.in_force.has_begun(&body.edition);
        rule.check(lost.is_none() || !is_complete || has_begun, || {
            let lost = lost.as_ref().map(ToString::to_string).unwrap_or_default();
            format!("`{lost}` signed it in an entry above, and this one lacks that")
        })?;
        // What is in force has all signatures in the entry that says so.
        let counted = match body.stage {
            EditionStage::Active => &signers,
            EditionStage::Proposed => &all_signers,
        };
        let unsigned = terms
            .members
            .iter()
            .find(|member| !counted.contains(&member.card.organization));
        match (body.stage, unsigned) {
            (EditionStage::Active, Some(member)) if is_complete => {
                Err(rule.broken(format!("`{}` did not sign", member.card.organization)))
            }
            (EditionStage::Proposed, None) if !has_begun => {
                Err(rule.broken("all members signed it, and it is said to be proposed"))
            }
            (EditionStage::Proposed | EditionStage::Active, _) => Ok(()),
        }
    }

    /// Who signed which edition; unverified only where the signer's root is not at hand.
    fn signature(&mut self, at: At, digest: Digest, terms: &PartnershipTerms) -> Checks<Signed> {
        if let Some(signed) = self.keys.signatures.get(&digest) {
            return Ok(signed.clone());
        }
        let bundle = self.bundle;
        let bytes = &*bundle.blob(&digest).unwrap_or_default();
        if let Ok(statement) = Statement::parse(bytes, StatementKind::Manifest) {
            let signer = statement.issuer();
            Rule::EditionSignatures.check(terms.member(signer).is_some(), || {
                format!("`{signer}` signed, and is no member")
            })?;
        }
        let verified = ManifestSignature::verify(bytes, &self.keys.known.ring);
        if let Some(signature) = self.verified(at, verified)? {
            let signer = signature.signer().clone();
            let signed = (signer, signature.edition(), Some(signature.at()));
            self.keys.signatures.insert(digest, signed.clone());
            return Ok(signed);
        }
        let statement = Statement::parse(bytes, StatementKind::Manifest);
        let signer = statement
            .map_err(|error| unverified(&error))?
            .issuer()
            .clone();
        let terms = ManifestSignature::unverified_terms(bytes);
        let edition = terms.map_err(|error| unverified(&error))?.digest();
        Ok((signer, edition, None))
    }

    pub(super) fn declined(&mut self, at: At, body: &PartnershipDeclined) {
        let verified = Decline::verify(&body.decline, &self.keys.known.ring);
        let checked = self.verified(at, verified).and_then(|decline| {
            decline.map_or(Ok(()), |decline| self.check_declined(at, body, &decline))
        });
        self.note(at, checked);
    }

    fn check_declined(&mut self, at: At, body: &PartnershipDeclined, decline: &Decline) -> Checks {
        let digest = &decline.edition;
        Rule::Decline.check(decline.at <= latest_for(at), || {
            format!("declined at {}, recorded at {}", decline.at, at.time)
        })?;
        if decline.member == self.own {
            check_made_here(Rule::Decline, at, decline.at)?;
            Rule::Decline.check(!self.in_force.is_signed(digest, &self.own), || {
                format!("`{}` had signed edition {digest} before", decline.member)
            })?;
        }
        let edition = self.in_force.known(digest);
        if edition.is_none() && self.contents.names_blob(digest) && !self.bundle.has_blob(digest) {
            // That the terms are missing is noted where they are named.
            return Ok(());
        }
        let is_member = edition.is_some_and(|edition| {
            edition.terms.partnership == body.partnership
                && edition.terms.member(&decline.member).is_some()
        });
        Rule::Decline.check(is_member, || {
            format!("`{}` declines edition {digest}", decline.member)
        })?;
        if let Some(edition) = edition {
            check_after(Rule::Decline, &decline.member, decline.at, &edition.terms)?;
        }
        Rule::Decline.check(!self.in_force.has_begun(digest), || {
            format!(
                "`{}` declines edition {digest}, which came into force before",
                decline.member
            )
        })?;
        let is_own = decline.member == self.own;
        self.in_force.decline(at, *digest, is_own);
        Ok(())
    }
}
