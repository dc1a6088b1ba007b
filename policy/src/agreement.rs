//! Checks an agreement's terms before anybody signs them.

use crate::bounds::STEPS_MAX;
use crate::position::Position;
use crate::profile::{Profile, ProfileError};
use crate::render::{ForbidsError, render_as_stated};
use crate::taxonomy::{Taxonomies, UnknownName};
use ambit_ledger::{
    Agreement, AgreementState, DerivedTerms, Digest, Jurisdiction, Layer, Member, OrganizationId,
    PartnershipTerms, Time,
};

/// How far the clocks of two honest organizations may be apart, in seconds. What one of them dates later than that by the
/// other's clock is not relied on.
pub const CLOCKS_APART_SECONDS_MAX: u32 = 300;

/// The most members of an agreement.
pub const MEMBERS_MAX: usize = 64;

/// The most purposes of an agreement, and of data derived under it: each is asked for by itself.
pub const PURPOSES_MAX: usize = 64;

/// The most rules that are written by hand: each is asked every time.
pub const RULES_MAX: usize = 64;

/// The most bytes that an agreement brings to each decision under it: its members and purposes, as often as they stand in one.
pub const DECIDED_BYTES_MAX: usize = 20 * 1024;

/// What is counted of rules.
const STEPS: &str = "steps of evaluation for each decision: for each purpose, one for each expression in its rules and in its \
                     lists of members, classes and parts, ten for each character of a pattern, and 128 where sets are compared";

/// Why terms are no agreement anybody should sign.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TermsError {
    /// Fewer than two members.
    #[error("the agreement has {0} members: name at least two")]
    TooFewMembers(usize),
    /// More than can be asked or recorded each time.
    #[error(
        "the agreement has {count} {what}, and {most} at most are judged by: make several agreements of it"
    )]
    TooMany {
        /// Of what.
        what: &'static str,
        /// So many.
        count: usize,
        /// So many may be.
        most: usize,
    },
    /// Members out of order, or one named twice.
    #[error("member `{0}` is out of order or named twice: list members once, ascending by id")]
    MemberOrder(OrganizationId),
    /// Proposed by an outsider.
    #[error("the declarer `{0}` is no member: add it or let a member declare")]
    DeclarerNotMember(OrganizationId),
    /// Names an organization that is no member, so that nothing could cross.
    #[error("{what} names `{organization}`, which is no member: nothing that names it could cross")]
    NotMember {
        /// Where.
        what: &'static str,
        /// The organization.
        organization: OrganizationId,
    },
    /// A card that was made after the terms it is in.
    #[error(
        "the card of `{organization}` was made at {made}, and the terms were declared at {declared_at}: one of the two clocks is wrong; set it right, and ask for a new card or for new terms"
    )]
    CardAhead {
        /// Whose.
        organization: OrganizationId,
        /// When it says it was made.
        made: Time,
        /// When the terms say they were declared.
        declared_at: Time,
    },
    /// Editions count from 1 and name the one before.
    #[error(
        "edition {0} does not fit its link: the first is 1 and has no previous one, all others have; ask the declarer for a new file"
    )]
    Edition(u32),
    /// An empty list that must name something.
    #[error("the agreement names no {0}: name at least one")]
    Nothing(&'static str),
    /// A name that is in no taxonomy.
    #[error(transparent)]
    Unknown(#[from] UnknownName),
    /// A member that states a group where it has to state countries: it would count as lying within all that the group
    /// lies in, wherever it is.
    #[error(
        "`{organization}` states `{group}` as {what}, which is a group of countries: it must name countries in its node.toml and hand out a new card"
    )]
    Group {
        /// The member.
        organization: OrganizationId,
        /// Seat, hosting or personnel.
        what: &'static str,
        /// What it states.
        group: Jurisdiction,
    },
    /// A window finer than a minute.
    #[error("the window's instant {0} is no whole minute of UTC: observations are only that exact")]
    FineWindow(Time),
    /// An instant finer than policies read.
    #[error("the instant {0} is finer than a millisecond: nothing could be disclosed under it")]
    FineInstant(Time),
    /// A window that ends before it starts.
    #[error("the window of observed time is empty: it must end after {0}")]
    EmptyWindow(Time),
    /// Ends before it was proposed.
    #[error("the agreement ends at {until}, not after it was proposed: choose a later end")]
    Ended {
        /// Its end.
        until: Time,
    },
    /// A lease beyond the end.
    #[error("the lease runs to {lease_until}, beyond the end at {until}: shorten it")]
    LeaseBeyondEnd {
        /// The lease's end.
        lease_until: Time,
        /// The agreement's end.
        until: Time,
    },
    /// What is disclosed could not be held at all.
    #[error(
        "`retention_days` is 0, so that nobody may hold what is disclosed: write for how many days it may be held, at least 1"
    )]
    NoRetention,
    /// What is disclosed last would be held beyond all time.
    #[error(
        "`retention_days` is {days}, and what is disclosed last would be held beyond 2199, where time ends here: write at most {most}, or an earlier `until`"
    )]
    RetentionBeyondTime {
        /// In the terms.
        days: u32,
        /// The most that fit.
        most: u32,
    },
    /// Hand-written rules that are not taken.
    #[error(transparent)]
    Forbids(#[from] ForbidsError),
    /// The rendered text is refused, and not for the hand-written rules alone; this comes from very odd names.
    #[error("the rendered partnership layer is refused: {0}")]
    Profile(#[from] ProfileError),
    /// Rendered by a version that this one does not know.
    #[error(
        "the terms are rendered in a newer way, number {0}: use a newer version of this program"
    )]
    Renderer(u32),
    /// What was signed for is not what these terms render to.
    #[error(
        "the terms name the partnership layer {stated}, but render to {rendered}: render them with this version"
    )]
    ProfileDigest {
        /// The digest in the terms.
        stated: Digest,
        /// The digest of the rendered text.
        rendered: Digest,
    },
}

/// Checks terms as they are declared or received, and gives the partnership layer they render to.
///
/// # Errors
/// Any [`TermsError`]; the message says how to mend it.
pub fn check_terms(
    terms: &PartnershipTerms,
    taxonomies: &Taxonomies,
) -> Result<Profile, TermsError> {
    check_sizes(terms)?;
    check_members(terms, taxonomies)?;
    check_subject(terms, taxonomies)?;
    check_times(terms)?;
    if (terms.edition <= 1) != terms.previous.is_empty() || terms.edition == 0 {
        return Err(TermsError::Edition(terms.edition));
    }
    let text = render_as_stated(terms)?.ok_or(TermsError::Renderer(terms.renderer))?;
    let profile = Profile::parse(Layer::Partnership, &text)
        .and_then(|profile| profile.check_names(taxonomies).map(|()| profile))
        .map_err(|error| refused_rendering(terms, &text, error))?;
    // Each purpose is asked for by itself.
    let steps = profile.steps().saturating_mul(terms.purposes.len());
    if steps > STEPS_MAX {
        return Err(TermsError::TooMany {
            what: STEPS,
            count: steps,
            most: STEPS_MAX,
        });
    }
    if profile.digest() == terms.profile {
        Ok(profile)
    } else {
        Err(TermsError::ProfileDigest {
            stated: terms.profile,
            rendered: profile.digest(),
        })
    }
}

/// What is wrong with a text that was rendered: where it lies in the hand-written rules, with its place in them.
fn refused_rendering(terms: &PartnershipTerms, rendered: &str, error: ProfileError) -> TermsError {
    let forbids = terms.forbids.as_deref().unwrap_or_default();
    let before = rendered
        .strip_suffix('\n')
        .and_then(|text| text.strip_suffix(forbids));
    let lines_before = before.map_or(usize::MAX, |before| before.matches('\n').count());
    let place = error.position();
    match place.line.checked_sub(lines_before) {
        Some(line @ 1..) => {
            ForbidsError::Refused(error.placed_at(Position { line, ..place })).into()
        }
        Some(0) | None => error.into(),
    }
}

/// The agreement as policies read it. Hashes the terms: make it once for each edition and lease.
#[must_use]
pub fn agreement(terms: &PartnershipTerms, state: AgreementState, lease_until: Time) -> Agreement {
    Agreement {
        partnership: terms.partnership.clone(),
        edition: terms.digest(),
        state,
        members: terms.member_ids(),
        program: terms.program.clone(),
        until: terms.until,
        lease_until,
    }
}

/// Bounds what each decision asks, and records.
fn check_sizes(terms: &PartnershipTerms) -> Result<(), TermsError> {
    let derived = terms.derived.as_ref();
    let derived_purposes = derived.map_or(0, |derived| derived.purposes.len());
    let counts = [
        ("members", terms.members.len(), MEMBERS_MAX),
        ("purposes", terms.purposes.len(), PURPOSES_MAX),
        ("purposes of derived data", derived_purposes, PURPOSES_MAX),
        (
            "bytes of members and purposes in each decision",
            decided_bytes(terms),
            DECIDED_BYTES_MAX,
        ),
    ];
    match counts.into_iter().find(|(_, count, most)| count > most) {
        Some((what, count, most)) => Err(TermsError::TooMany { what, count, most }),
        None => Ok(()),
    }
}

/// How many bytes of a decision come from the terms.
fn decided_bytes(terms: &PartnershipTerms) -> usize {
    /// What stands beside a name: its head, and a digest or an answer.
    const BESIDE: usize = 48;
    let of = |names: &mut dyn Iterator<Item = &str>| -> usize {
        names.map(|name| name.len() + BESIDE).sum()
    };
    let members = terms.members.iter().map(|member| &member.card.organization);
    let members = of(&mut members.map(|organization| organization.as_str()));
    let purposes = of(&mut terms.purposes.iter().map(|purpose| purpose.as_str()));
    let derived = terms.derived.as_ref().map_or(0, |derived| {
        of(&mut derived.purposes.iter().map(|purpose| purpose.as_str()))
            + of(&mut derived.data_classes.iter().map(|class| class.as_str()))
            + of(&mut derived
                .recipients
                .iter()
                .map(|recipient| recipient.as_str()))
    });
    // In the agreement and in the scope, and in the scope and with an answer.
    2 * members + 2 * purposes + derived
}

fn check_members(terms: &PartnershipTerms, taxonomies: &Taxonomies) -> Result<(), TermsError> {
    if terms.members.len() < 2 {
        return Err(TermsError::TooFewMembers(terms.members.len()));
    }
    let mut previous: Option<&Member> = None;
    let latest = terms.declared_at.plus_seconds(CLOCKS_APART_SECONDS_MAX);
    for member in &terms.members {
        if member.card.number > latest {
            return Err(TermsError::CardAhead {
                organization: member.card.organization.clone(),
                made: member.card.number,
                declared_at: terms.declared_at,
            });
        }
        if previous.is_some_and(|previous| previous.card.organization >= member.card.organization) {
            return Err(TermsError::MemberOrder(member.card.organization.clone()));
        }
        check_places(member, taxonomies)?;
        previous = Some(member);
    }
    if terms.member(&terms.declarer).is_none() {
        return Err(TermsError::DeclarerNotMember(terms.declarer.clone()));
    }
    Ok(())
}

fn check_places(member: &Member, taxonomies: &Taxonomies) -> Result<(), TermsError> {
    let card = &member.card;
    let seat = std::iter::once(("seat", &card.seat));
    let hosting = card.hosting.iter().map(|place| ("hosting", place));
    let personnel = card.personnel.iter().map(|place| ("personnel", place));
    for (what, place) in seat.chain(hosting).chain(personnel) {
        taxonomies.check_jurisdiction(place)?;
        if taxonomies.is_group(place) {
            return Err(TermsError::Group {
                organization: card.organization.clone(),
                what,
                group: place.clone(),
            });
        }
    }
    Ok(())
}

fn check_subject(terms: &PartnershipTerms, taxonomies: &Taxonomies) -> Result<(), TermsError> {
    for class in &terms.data_classes {
        taxonomies.check_class(class)?;
    }
    for purpose in &terms.purposes {
        taxonomies.check_purpose(purpose)?;
    }
    if terms.data_classes.is_empty() {
        return Err(TermsError::Nothing("class of data"));
    }
    if terms.purposes.is_empty() {
        return Err(TermsError::Nothing("purpose"));
    }
    if terms.retention_days == 0 {
        return Err(TermsError::NoRetention);
    }
    if let Some(program) = &terms.program {
        check_member(terms, "the program", &program.assigner)?;
    }
    for part in &terms.parts {
        check_member(terms, "a part", &part.part.assigner)?;
    }
    match &terms.derived {
        Some(derived) => check_derived(terms, derived, taxonomies),
        None => Ok(()),
    }
}

fn check_derived(
    terms: &PartnershipTerms,
    derived: &DerivedTerms,
    taxonomies: &Taxonomies,
) -> Result<(), TermsError> {
    for class in &derived.data_classes {
        taxonomies.check_class(class)?;
    }
    for purpose in &derived.purposes {
        taxonomies.check_purpose(purpose)?;
    }
    for organization in &derived.recipients {
        check_member(terms, "the terms for derived data", organization)?;
    }
    let named = [
        (derived.data_classes.is_empty(), "class of derived data"),
        (derived.purposes.is_empty(), "purpose of derived data"),
        (derived.recipients.is_empty(), "recipient of derived data"),
    ];
    match named.into_iter().find(|(is_empty, _)| *is_empty) {
        Some((_, what)) => Err(TermsError::Nothing(what)),
        None => Ok(()),
    }
}

fn check_member(
    terms: &PartnershipTerms,
    what: &'static str,
    organization: &OrganizationId,
) -> Result<(), TermsError> {
    if terms.member(organization).is_some() {
        Ok(())
    } else {
        Err(TermsError::NotMember {
            what,
            organization: organization.clone(),
        })
    }
}

fn check_times(terms: &PartnershipTerms) -> Result<(), TermsError> {
    const NANOS_PER_MINUTE: i64 = 60_000_000_000;
    let window = [terms.observed_from, terms.observed_until];
    if let Some(fine) = window
        .into_iter()
        .find(|time| time.as_nanos() % NANOS_PER_MINUTE != 0)
    {
        return Err(TermsError::FineWindow(fine));
    }
    // Each of them becomes part of scopes, whose rule it is.
    let derived = terms.derived.iter();
    let derived = derived.flat_map(|derived| [derived.not_after, derived.hold_until]);
    let instants = [Some(terms.until), Some(terms.lease_until), terms.hold_until];
    let mut instants = instants.into_iter().chain(derived).flatten();
    if let Some(fine) = instants.find(|time| !time.is_whole_millis()) {
        return Err(TermsError::FineInstant(fine));
    }
    if terms.observed_from >= terms.observed_until {
        return Err(TermsError::EmptyWindow(terms.observed_from));
    }
    if terms.until <= terms.declared_at {
        return Err(TermsError::Ended { until: terms.until });
    }
    if terms.lease_until > terms.until {
        return Err(TermsError::LeaseBeyondEnd {
            lease_until: terms.lease_until,
            until: terms.until,
        });
    }
    let most = terms.until.days_left();
    if terms.retention_days > most {
        return Err(TermsError::RetentionBeyondTime {
            days: terms.retention_days,
            most,
        });
    }
    Ok(())
}
