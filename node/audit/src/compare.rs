//! Two bundles of one ledger, held against each other: a ledger only grows, so the smaller must be the beginning of the
//! larger one.
//!
//! Where it is not, its owner signed two histories. The two signed checkpoints prove that to anybody who trusts the
//! root; nothing else in the bundles has to be believed.

use crate::allowance::Allowance;
use crate::bundle::Bundle;
use crate::report::AuditVerdict;
use crate::trust::Trust;
use crate::verify::verify_within;
use ambit_ledger::{
    Body, Checkpoint, Digest, Entry, Frontier, KeyPurpose, OrganizationId, Origin, leaf_hash,
};
use serde::Serialize;
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt::{Display, Formatter};

/// What two bundles of one ledger say together.
#[derive(Clone, Debug, Serialize)]
pub struct Comparison {
    verdict: AuditVerdict,
    organization: OrganizationId,
    bundles: [Compared; 2],
    /// Whether both are signed, and the trees under them were held against each other. Where not, nothing is known of the two
    /// together.
    compared: bool,
    /// How they contradict each other; absent where they do not, or where it cannot be told.
    equivocation: Option<Equivocation>,
}

/// One of the two bundles.
#[derive(Clone, Debug, Serialize)]
pub struct Compared {
    /// How many entries it holds.
    pub size: u64,
    /// The root that its checkpoint signs; absent where no trusted key signed it.
    pub signed_tree_root: Option<Digest>,
    /// What verifying it by itself says.
    pub verdict: AuditVerdict,
}

/// Two checkpoints that cannot both be of one ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Equivocation {
    /// Over so many first entries the two differ.
    pub size: u64,
    /// The roots over these, as the first and the second bundle sign or imply them.
    pub tree_roots: [Digest; 2],
    /// The first entry that is another in each, from 0; absent where the entries at hand do not show it.
    pub entry: Option<u64>,
}

/// The bundles cannot be compared.
#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    /// They are of two ledgers.
    #[error(
        "the bundles are of `{first}` and of `{second}`; only two bundles of the same ledger can contradict each other"
    )]
    Organizations {
        /// Whose the first is.
        first: OrganizationId,
        /// Whose the second is.
        second: OrganizationId,
    },
    /// They are of two ledgers that one organization opened.
    #[error(
        "the bundles are of two ledgers that `{0}` opened one beside the other; only two bundles of the same ledger can contradict each other"
    )]
    Ledgers(OrganizationId),
}

/// Verifies two bundles of one ledger, and looks whether one is the beginning of the other.
///
/// # Errors
/// [`CompareError::Organizations`] and [`CompareError::Ledgers`].
pub fn compare(first: &Bundle, second: &Bundle, trust: &Trust) -> Result<Comparison, CompareError> {
    compare_within(first, second, trust, Allowance::unlimited())
}

/// The same, within an allowance of time and memory for each: beyond it, that one is *incomplete* at best.
///
/// # Errors
/// [`CompareError::Organizations`] and [`CompareError::Ledgers`].
pub fn compare_within(
    first: &Bundle,
    second: &Bundle,
    trust: &Trust,
    allowance: Allowance,
) -> Result<Comparison, CompareError> {
    if first.organization() != second.organization() {
        return Err(CompareError::Organizations {
            first: first.organization().clone(),
            second: second.organization().clone(),
        });
    }
    let signed = [first, second].map(|bundle| signed_checkpoint(bundle, trust));
    // An organization may have had more than one ledger: each origin names its own. One that is not of the entries
    // beside it parts nothing; verifying that bundle names it.
    if let [Some(one), Some(other)] = &signed
        && one.origin != other.origin
        && first.origin().as_ref() == Some(&one.origin)
        && second.origin().as_ref() == Some(&other.origin)
    {
        return Err(CompareError::Ledgers(first.organization().clone()));
    }
    let bundles = [(first, &signed[0]), (second, &signed[1])].map(|(bundle, signed)| Compared {
        size: size(bundle),
        signed_tree_root: signed.as_ref().map(|checkpoint| checkpoint.root),
        verdict: verify_within(bundle, trust, allowance).verdict(),
    });
    let found = match &signed {
        [Some(one), Some(other)] => held_against((first, one), (second, other)),
        _ => Held::Not,
    };
    let [one, other] = bundles.each_ref().map(|bundle| bundle.verdict);
    let (compared, equivocation) = match found {
        Held::Not => (false, None),
        Held::Beginning => (true, None),
        Held::Apart(equivocation) => (true, Some(equivocation)),
    };
    let verdict = match (compared, &equivocation) {
        (_, Some(_)) => AuditVerdict::Equivocation,
        (true, None) => one.max(other),
        (false, None) => one.max(other).max(AuditVerdict::Incomplete),
    };
    Ok(Comparison {
        verdict,
        organization: first.organization().clone(),
        bundles,
        compared,
        equivocation,
    })
}

/// The bundle's checkpoint, where a key that goes back to a trusted root signed it, whenever that key is good: a checkpoint
/// does not say when it was signed, and who signed two histories did so with either.
fn signed_checkpoint(bundle: &Bundle, trust: &Trust) -> Option<Checkpoint> {
    let organization = bundle.organization();
    let mut keyring = trust.keyring();
    let mut seen = BTreeSet::new();
    for bytes in bundle.entries() {
        let body = Entry::decode(&bytes).and_then(|entry| entry.body());
        if let Ok(Body::KeyCertified(certified)) = body
            && seen.insert(Digest::of(&certified.certificate))
        {
            // One that does not verify certifies nothing; verifying the bundle names it.
            let _ = keyring.certify(&certified.certificate);
        }
    }
    // Each by itself: a line that names one key and is not by it takes nothing from what another signed.
    let mut keys = keyring.keys_for(organization, KeyPurpose::Checkpoint);
    let origin = Origin::claimed(bundle.checkpoint(), organization)?;
    keys.find_map(|key| Checkpoint::verify(bundle.checkpoint(), &origin, [key]).ok())
}

/// What two signed checkpoints are to each other.
enum Held {
    /// It cannot be told: signed checkpoints, or the entries under one, are wanting.
    Not,
    /// One is of the beginning of the other.
    Beginning,
    /// No ledger has both.
    Apart(Equivocation),
}

fn held_against(one: (&Bundle, &Checkpoint), other: (&Bundle, &Checkpoint)) -> Held {
    if one.1.origin != other.1.origin {
        return Held::Not;
    }
    let size = one.1.size.min(other.1.size);
    let [Some(first), Some(second)] = [one, other].map(|side| root_over(side, size)) else {
        return Held::Not;
    };
    if first == second {
        return Held::Beginning;
    }
    Held::Apart(Equivocation {
        size,
        tree_roots: [first, second],
        entry: first_difference(one.0, other.0),
    })
}

/// The root over the first entries that a checkpoint vouches for: its own, or that over the entries at hand where
/// all of them together have the root that it signs.
fn root_over((bundle, checkpoint): (&Bundle, &Checkpoint), size: u64) -> Option<Digest> {
    if checkpoint.size == size {
        return Some(checkpoint.root);
    }
    let until = usize::try_from(size).ok()?;
    is_whole(bundle, checkpoint).then(|| tree_over(bundle.entries().take(until)).root())
}

/// Whether the entries at hand are those that the checkpoint signs.
fn is_whole(bundle: &Bundle, checkpoint: &Checkpoint) -> bool {
    let tree = tree_over(bundle.entries());
    (tree.size(), tree.root()) == (checkpoint.size, checkpoint.root)
}

fn tree_over<'a>(entries: impl Iterator<Item = Cow<'a, [u8]>>) -> Frontier {
    let mut tree = Frontier::default();
    entries.for_each(|entry| tree.append(leaf_hash(&entry)));
    tree
}

fn first_difference(one: &Bundle, other: &Bundle) -> Option<u64> {
    let pairs = one.entries().zip(other.entries());
    (0..)
        .zip(pairs)
        .find(|(_, (one, other))| one != other)
        .map(|(index, _)| index)
}

fn size(bundle: &Bundle) -> u64 {
    bundle.entry_count()
}

impl Comparison {
    /// The answer: *equivocation proved*, or the worse of what verifying each bundle says, and *evidence incomplete* at best
    /// where the two could not be compared.
    #[must_use]
    pub fn verdict(&self) -> AuditVerdict {
        self.verdict
    }

    /// The exit code of `ambit-audit`.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        self.verdict.exit_code()
    }
}

impl Display for Comparison {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> std::fmt::Result {
        writeln!(formatter, "ledger of    {}", self.organization)?;
        for (name, bundle) in ["first", "second"].iter().zip(&self.bundles) {
            let root = bundle.signed_tree_root.map_or_else(
                || "no checkpoint that a trusted key signed".to_owned(),
                |root| format!("root {root}"),
            );
            writeln!(
                formatter,
                "{name:<13}{} entries, {root}, {}",
                bundle.size,
                bundle.verdict.text()
            )?;
        }
        writeln!(formatter)?;
        match &self.equivocation {
            Some(found) => {
                let [first, second] = &found.tree_roots;
                writeln!(
                    formatter,
                    "its owner signed two histories: over the first {} entries the roots are {first} and {second}",
                    found.size
                )?;
                if let Some(entry) = found.entry {
                    writeln!(formatter, "  they part at entry {entry}")?;
                }
                writeln!(
                    formatter,
                    "  keep both bundles: they are the proof. A ledger that was restored from an older backup and \
                     written further shows the same, so ask before you accuse\n"
                )?;
            }
            None => {
                let found = if self.compared {
                    "one is the beginning of the other"
                } else {
                    "the two could not be compared: it takes of both a checkpoint of one ledger that a key of a trusted root signed, over the very entries beside it"
                };
                writeln!(formatter, "{found}")?;
                if self.verdict != AuditVerdict::Verified {
                    let wrong = "`ambit-audit verify` says of each bundle what is wrong or missing";
                    writeln!(formatter, "{wrong}")?;
                }
                writeln!(formatter)?;
            }
        }
        writeln!(formatter, "{}", self.verdict.text())
    }
}
