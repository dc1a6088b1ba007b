//! One run over what is withheld from one recipient, decision by decision.

use super::catch_up::{JudgedAgain, observed_here};
use super::disclose::Release;
use super::observe::{COMMIT_OBSERVATIONS_MAX, ObserveError};
use super::offer::Offered;
use super::run::{Moment, Releases};
use crate::node::{Counterpart, InForce, JudgedWrites, Node, Stands};
use crate::store::{BoxKey, StoreError, Write};
use ambit_ledger::{
    Body, Decision, Digest, Facts, Layer, ObservationId, OrganizationId, PartnershipId, Time,
    Verdict,
};
use ambit_policy::limits_in_force;
use std::collections::{BTreeMap, VecDeque};

/// How many withheld observations are looked at before others may go on.
const STRETCH_OBSERVATIONS_MAX: usize = 1_024;

/// What is judged again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    /// What is withheld on grounds that changed.
    Changed,
    /// All that is withheld.
    All,
    /// All of it, and nothing is recorded.
    DryRun,
}

/// One outbox while what is withheld from its recipient is judged again.
pub(super) struct Offering<'a> {
    node: &'a Node,
    outbox: BoxKey,
    extent: Extent,
    now: Moment,
    begun: Option<Begun>,
    decisions: VecDeque<Option<Digest>>,
    class: Option<Class>,
    /// Entries that later ones replaced, to be passed over from now on: each with the decision that leads to it.
    replaced: Vec<(Option<Digest>, u64)>,
    pub(super) offered: Offered,
    /// What is answered otherwise than before.
    pub(super) changed: JudgedAgain,
}

/// Where a run began, looked at while nothing was observed and nothing came into force.
#[derive(Clone, Copy)]
struct Begun {
    /// Entries from here on are this run's own.
    until: u64,
    /// Up to where what came into force was taken into account before.
    since: u64,
    /// Up to where it was in force.
    in_force_since: u64,
}

/// What one decision withholds.
struct Class {
    decision: Option<Digest>,
    /// What was said then.
    said: Said,
    /// Whether its grounds are still in force: then one answer goes for all of it.
    is_alike: bool,
    /// Up to where it was looked at.
    from: u64,
}

/// What is said of an observation for a recipient, without the reasons.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Said {
    verdict: Verdict,
    /// Absent where none was asked.
    layers: Option<Vec<Layer>>,
}

impl Said {
    fn of(decision: Option<&Decision>) -> Self {
        Self {
            verdict: decision.map_or(Verdict::Withheld, Decision::verdict),
            layers: decision.map(Decision::withholding_layers),
        }
    }
}

impl<'a> Offering<'a> {
    pub(super) fn begin(
        node: &'a Node,
        partnership: &PartnershipId,
        recipient: &OrganizationId,
        extent: Extent,
        now: Moment,
    ) -> Self {
        Self {
            node,
            outbox: BoxKey::new(partnership, recipient),
            extent,
            now,
            begun: None,
            decisions: VecDeque::new(),
            class: None,
            replaced: Vec::new(),
            offered: Offered {
                partnership: partnership.clone(),
                to: recipient.clone(),
                released: 0,
                withheld: 0,
                undecided: 0,
                layers: BTreeMap::new(),
                unasked: 0,
                offered_again: 0,
                kept_back: 0,
                not_taken: BTreeMap::new(),
            },
            changed: JudgedAgain::default(),
        }
    }

    fn begun(&mut self, in_force: &InForce<'_>, to: Counterpart<'_>) -> Result<Begun, StoreError> {
        if let Some(begun) = self.begun {
            return Ok(begun);
        }
        let store = self.node.store();
        let state = store.outbox(&self.outbox);
        let begun = Begun {
            until: store.size(),
            since: state.map_or(0, |state| state.offered),
            in_force_since: in_force.in_force_since(to.partnership()),
        };
        self.decisions = store.withholding_decisions(&self.outbox)?.into();
        self.begun = Some(begun);
        Ok(begun)
    }

    /// Looks at some of it. Returns whether that was the rest.
    pub(super) fn stretch<'g>(
        &mut self,
        in_force: &'g InForce<'g>,
        to: Counterpart<'g>,
    ) -> Result<bool, ObserveError> {
        self.now = self.now.under(in_force);
        let begun = self.begun(in_force, to)?;
        let mut releases = Releases::begin(in_force, self.now);
        let mut stretch = Stretch::begin(in_force);
        let mut left = STRETCH_OBSERVATIONS_MAX;
        while left > 0 {
            let class = match self.class.take() {
                Some(class) => Some(class),
                None => self.next_class(in_force, to, begun)?,
            };
            let Some(mut class) = class else {
                self.commit(&mut stretch)?;
                self.note(in_force, begun)?;
                self.keep(releases);
                return Ok(true);
            };
            let indexes = self
                .node
                .store()
                .withheld_because(&self.outbox, class.decision.as_ref(), class.from)?
                .take(left)
                .collect::<Result<Vec<u64>, StoreError>>()?;
            let mut is_over = indexes.len() < left;
            left -= indexes.len();
            for index in indexes {
                class.from = index + 1;
                if index >= begun.until {
                    is_over = true;
                    break;
                }
                let Some((id, facts)) = self.withheld_at(class.decision, index)? else {
                    continue;
                };
                let mut release = releases.judge(to, &facts)?;
                // Recorded whatever comes of it: what is decided after it may refer to it.
                if let Some(judgement) = &mut release.judgement {
                    let judged =
                        std::mem::replace(&mut judgement.judged, in_force.nothing_judged());
                    stretch.judged.extend(judged);
                }
                let is_as_before = self.count(&class, &release);
                if !is_as_before {
                    self.changed.count(release.verdict);
                    stretch.add(releases.judged(release, to, id)?, (class.decision, index));
                }
                if is_as_before && class.is_alike && self.extent == Extent::Changed {
                    is_over = true;
                    break;
                }
                if stretch.observations >= COMMIT_OBSERVATIONS_MAX {
                    self.commit(&mut stretch)?;
                }
            }
            if !is_over {
                self.class = Some(class);
            }
        }
        self.commit(&mut stretch)?;
        self.keep(releases);
        Ok(false)
    }

    /// Counts an answer. Returns whether it is the one that was given, so that nothing is to be recorded. What is
    /// admissible never was: a decision that took a disclosure back may admit some of its purposes, and then for those
    /// it is disclosed now.
    fn count(&mut self, class: &Class, release: &Release<'_>) -> bool {
        let decision = release.judgement.as_ref().map(|judged| &*judged.decision);
        let says = Said::of(decision);
        match (says.verdict, &says.layers) {
            (Verdict::Admissible, _) => self.offered.released += 1,
            (Verdict::Undecided, _) => self.offered.undecided += 1,
            (Verdict::Withheld, layers) => {
                self.offered.withheld += 1;
                self.offered.unasked += u64::from(layers.is_none());
                for layer in layers.iter().flatten() {
                    *self.offered.layers.entry(*layer).or_default() += 1;
                }
            }
        }
        says.verdict != Verdict::Admissible && says == class.said
    }

    /// The next decision that may be answered otherwise now.
    fn next_class(
        &mut self,
        in_force: &InForce<'_>,
        to: Counterpart<'_>,
        begun: Begun,
    ) -> Result<Option<Class>, StoreError> {
        let is_new = begun.since < in_force.in_force_since(to.partnership());
        let is_limited_anew = begun.since < in_force.limited_since(to.partnership());
        while let Some(digest) = self.decisions.pop_front() {
            let decision = match &digest {
                Some(digest) => Some(self.node.store().decision(digest)?.ok_or(MISSING)?),
                None => None,
            };
            let is_true = decision
                .as_ref()
                .is_none_or(|decision| decision.is_true_at(self.now.passed()));
            // It admits some of the purposes of what it took back.
            let admits_some = decision
                .as_ref()
                .is_some_and(|decision| decision.verdict() == Verdict::Admissible);
            let class = Class {
                said: Said::of(decision.as_ref()),
                decision: digest,
                is_alike: false,
                from: 0,
            };
            if let Some(decision) = decision.as_ref().filter(|_| is_true) {
                self.node.decisions().note_end(decision);
            }
            // What was left undecided before this node was started is told again.
            if let Some(decision) = decision.as_ref().filter(|_| is_true)
                && decision.leaves_undecided()
                && self.first_of(&class)?.is_some()
            {
                self.node.note_undecided(decision);
            }
            if self.extent == Extent::Changed && is_true && !is_new && !admits_some {
                continue;
            }
            let Some(decision) = decision else {
                // What no layer was asked about is no matter of layers and attestations.
                if self.extent == Extent::Changed && !is_limited_anew {
                    continue;
                }
                return Ok(Some(class));
            };
            let is_alike = match self.first_of(&class)? {
                Some(facts) => {
                    let now = self.now.passed();
                    is_on_same_grounds(in_force, to, &decision, &facts, now)
                }
                None => continue,
            };
            if self.extent == Extent::Changed && is_true && is_alike && !admits_some {
                continue;
            }
            return Ok(Some(Class { is_alike, ..class }));
        }
        Ok(None)
    }

    /// The facts of the first observation that a decision still withholds.
    fn first_of(&mut self, class: &Class) -> Result<Option<Facts>, StoreError> {
        let store = self.node.store();
        for index in store.withheld_because(&self.outbox, class.decision.as_ref(), 0)? {
            if let Some((_, facts)) = self.withheld_at(class.decision, index?)? {
                return Ok(Some(facts));
            }
        }
        Ok(None)
    }

    /// What an entry withholds because of a decision, where no later one says otherwise.
    fn withheld_at(
        &mut self,
        decision: Option<Digest>,
        index: u64,
    ) -> Result<Option<(ObservationId, Facts)>, StoreError> {
        let store = self.node.store();
        let id = match store.entry(index)?.map(|recorded| recorded.body) {
            Some(Body::Withheld(withheld)) => withheld.observation,
            Some(Body::Withdrawn(withdrawn)) => withdrawn.observation,
            _ => return Err(MISSING),
        };
        // What was taken back under one number may be there under another.
        let stands = Stands::now(store, &id, &self.outbox)?;
        if stands.is_none_or(|stands| stands.entry != index) {
            self.replaced.push((decision, index));
            if self.replaced.len() >= STRETCH_OBSERVATIONS_MAX {
                self.forget_replaced()?;
            }
            return Ok(None);
        }
        let observed = store.observation(&id)?;
        let recorded = observed.map(|index| store.entry(index)).transpose()?;
        recorded
            .flatten()
            .map_or(Ok(None), |recorded| observed_here(&recorded))
    }

    fn commit(&mut self, stretch: &mut Stretch<'_>) -> Result<(), StoreError> {
        let in_force = stretch.in_force;
        let Stretch {
            judged, replaced, ..
        } = std::mem::replace(stretch, Stretch::begin(in_force));
        if !judged.is_empty() && self.extent != Extent::DryRun {
            in_force.commit(self.now.passed(), judged)?;
            self.replaced.extend(replaced);
        }
        self.forget_replaced()
    }

    fn forget_replaced(&mut self) -> Result<(), StoreError> {
        let replaced = std::mem::take(&mut self.replaced);
        if replaced.is_empty() || self.extent == Extent::DryRun {
            return Ok(());
        }
        let store = self.node.store();
        store.forget_replaced(&self.outbox, &replaced)
    }

    /// Takes down what was taken into account, so that it is not all looked at again.
    fn note(&self, in_force: &InForce<'_>, begun: Begun) -> Result<(), StoreError> {
        if self.extent == Extent::DryRun || begun.since == begun.in_force_since {
            return Ok(());
        }
        let mut noted = in_force.nothing_judged();
        noted.push(Write::Offered {
            outbox: self.outbox,
            upto: begun.in_force_since,
        });
        in_force.commit(self.now.passed(), noted)
    }

    fn keep(&self, releases: Releases<'_>) {
        if self.extent != Extent::DryRun {
            releases.keep();
        }
    }
}

/// What is to be committed of one stretch.
struct Stretch<'g> {
    in_force: &'g InForce<'g>,
    judged: JudgedWrites<'g>,
    observations: usize,
    /// What says otherwise by then, by the decision that withheld it.
    replaced: Vec<(Option<Digest>, u64)>,
}

impl<'g> Stretch<'g> {
    fn begin(in_force: &'g InForce<'g>) -> Self {
        Self {
            in_force,
            judged: in_force.nothing_judged(),
            observations: 0,
            replaced: Vec::new(),
        }
    }

    fn add(&mut self, more: JudgedWrites<'g>, replaced: (Option<Digest>, u64)) {
        self.judged.extend(more);
        self.observations += 1;
        self.replaced.push(replaced);
    }
}

const MISSING: StoreError = StoreError::Damaged("what withholds an observation is missing");

/// Whether all that a decision was made on, but for the clock, is as it was. Then it goes for all of its class.
fn is_on_same_grounds(
    in_force: &InForce<'_>,
    to: Counterpart<'_>,
    decision: &Decision,
    facts: &Facts,
    now: Time,
) -> bool {
    let partnership = to.partnership();
    let layers = partnership.layers();
    let inquiry = &decision.inquiry;
    let taxonomies = layers.taxonomies();
    let limits = limits_in_force(in_force.limits(), facts, taxonomies);
    decision.profiles == layers.profile_digests()
        && decision.taxonomies == taxonomies.digest()
        && inquiry.partnership == *partnership.agreement()
        && inquiry.limits.as_ref() == limits
        && in_force.party(to.member(), now) == inquiry.recipient
}
