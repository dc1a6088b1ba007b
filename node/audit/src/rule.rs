//! The rules a ledger is held to: what each finding names, and how grave it is.

use serde::Serialize;

/// How grave a finding is. The gravest one decides the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Something needed for the check is not there: nothing is wrong, and nothing is proved.
    Incomplete,
    /// A decision, judged again, comes out otherwise.
    Differs,
    /// The ledger contradicts itself, its signatures or the trusted roots.
    Integrity,
    /// The file is no bundle.
    Unreadable,
}

impl Severity {
    /// The name in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Incomplete => "incomplete",
            Self::Differs => "differs",
            Self::Integrity => "integrity",
            Self::Unreadable => "unreadable",
        }
    }
}

/// What a rule is checked against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// The entry itself, and what it names by digest.
    Itself,
    /// Keys, editions or outboxes as the entries above left them. Where one of those is of a kind that is not read,
    /// nothing can be said.
    Above,
}

macro_rules! rules {
    ($($rule:ident $name:literal $severity:ident $basis:ident $text:literal;)*) => {
        /// What was held against the ledger.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Rule {
            $(#[doc = concat!("Broken where ", $text, ".")] $rule,)*
        }

        impl Rule {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$rule),*];

            /// The name in reports.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$rule => $name,)* }
            }

            /// How grave breaking it is.
            #[must_use]
            pub const fn severity(self) -> Severity {
                match self { $(Self::$rule => Severity::$severity,)* }
            }

            /// What it rests on.
            #[must_use]
            pub const fn basis(self) -> Basis {
                match self { $(Self::$rule => Basis::$basis,)* }
            }

            /// What is the case where it is broken.
            #[must_use]
            pub const fn text(self) -> &'static str {
                match self { $(Self::$rule => $text,)* }
            }
        }
    };
}

rules! {
    BundleShape "bundle-shape" Unreadable Itself "the file cannot be read, or is no bundle";
    NoEntries "no-entries" Incomplete Itself "the bundle holds no entry, so nothing is proved";
    RootMissing "root-missing" Incomplete Itself "the trust file lacks a root";
    RootFrom "root-from" Incomplete Itself "a root is trusted only from after it certified a key";
    RootDiffers "root-differs" Integrity Itself "the trust file names another root";
    Organization "organization" Integrity Itself "the bundle and the ledger in it are of different organizations";
    FirstEntries "first-entries" Integrity Itself "the ledger does not begin with *opened* and *key certified*, and once only";
    Tree "tree" Integrity Itself "the entries are not those under the checkpoint";
    Checkpoint "checkpoint" Integrity Itself "the checkpoint is not one of this ledger, or was changed";
    CheckpointKey "checkpoint-key" Integrity Above "the checkpoint is not signed by a certified key of this ledger";
    EntryShape "entry-shape" Integrity Itself "an entry cannot be decoded";
    EntryKind "entry-kind" Incomplete Itself "an entry, or a statement in it, is of a kind that this version does not read";
    TimeOrder "time-order" Integrity Itself "an entry is older than the one above it";
    NonceTwice "nonce-twice" Integrity Itself "an entry has the nonce of another one";
    SlotTwice "slot-twice" Integrity Itself "readings are sealed with the key of another observation";
    Certificate "certificate" Integrity Itself "a certificate is not one of this organization's root";
    Signature "signature" Integrity Itself "a statement does not verify";
    Key "key" Integrity Above "a statement is signed by a key that no entry above certifies for it";
    KeyTime "key-time" Integrity Above "a key signed before it was good, or after its end";
    BlobMissing "blob-missing" Incomplete Itself "a blob that an entry names is not in the bundle";
    BlobStray "blob-stray" Integrity Above "a blob is in the bundle that no entry names";
    BlobShape "blob-shape" Integrity Itself "a blob is not what the entry that names it says";
    ReadingsMissing "readings-missing" Incomplete Itself "readings are missing that an entry names";
    ReadingsDiffer "readings-differ" Integrity Itself "readings are not those that the facts name";
    ReadingsStray "readings-stray" Integrity Above "readings are in the bundle of an observation that the ledger does not hold";
    EditionTerms "edition-terms" Integrity Itself "an edition of a partnership does not fit its terms";
    EditionProfile "edition-profile" Integrity Itself "the partnership layer of an edition is not what its terms render to, or stands by itself";
    EditionRoots "edition-roots" Integrity Itself "the roots compared for an edition are not those of its members";
    EditionSignatures "edition-signatures" Integrity Itself "an edition is in force without all members' signatures, proposed with all of them, or has a strange one";
    CardOrder "card-order" Integrity Above "a card of another member comes into force that contradicts one of the same number in another agreement, or was older when its root was compared than one there that says otherwise where it is";
    EditionChain "edition-chain" Integrity Above "an edition does not follow from the one in force";
    StickyLayer "sticky-layer" Integrity Itself "the sticky layer in force came with no version of the program";
    TaxonomiesStrange "taxonomies-strange" Integrity Itself "the taxonomies in force came with no version of the program";
    ObservationIssuer "observation-issuer" Integrity Itself "an observation is not signed and owned by the ledger's organization, or not by who discloses it";
    ObservationAhead "observation-ahead" Integrity Itself "an observation is of an instant that had not come yet";
    ObservationTwice "observation-twice" Integrity Itself "an observation is recorded twice, under one signature or another";
    DecisionTime "decision-time" Integrity Itself "a decision speaks of another time than its entry";
    DecisionUnknown "decision-unknown" Integrity Itself "an entry refers to no decision, or to one that is not above it";
    DecisionLayers "decision-layers" Integrity Above "a decision was not made with the layers in force";
    DecisionClass "decision-class" Integrity Above "a decision is about another class of observations";
    DecisionExpired "decision-expired" Integrity Itself "a decision was no longer, or not yet, true when it was used";
    DecisionVerdict "decision-verdict" Integrity Itself "an entry does what its decision does not say";
    DecisionContradicts "decision-contradicts" Integrity Itself "two decisions on one class of observations say different things of one instant";
    Unchecked "unchecked" Incomplete Itself "an entry cannot be checked with what is there";
    DisclosureParties "disclosure-parties" Integrity Above "a disclosure is not by this organization, or not for another member";
    DisclosureObservation "disclosure-observation" Integrity Above "a disclosure or withholding is about an observation that is not above it";
    DisclosureEdition "disclosure-edition" Integrity Above "a disclosure or withholding is under an edition that is not in force";
    DisclosureTime "disclosure-time" Integrity Itself "a disclosure was issued at another time than its entry says, or before it was observed";
    DisclosureScope "disclosure-scope" Integrity Above "a disclosure's terms are wider than the agreement's";
    DisclosureLimits "disclosure-limits" Integrity Above "a disclosure's terms are wider than the owner's limits";
    DisclosurePurposes "disclosure-purposes" Integrity Itself "a disclosure is for other purposes than were admitted";
    DisclosureTwice "disclosure-twice" Integrity Above "an observation is disclosed to a recipient while an earlier disclosure of it was not taken back";
    OfferedAgain "offered-again" Integrity Above "what is offered again is not what its recipient did not take, and might another time";
    Sequence "sequence" Integrity Above "sequence numbers leave one out, or repeat one";
    WithheldUnasked "withheld-unasked" Integrity Above "an observation is withheld without a decision although limits cover it";
    WithheldDisclosed "withheld-disclosed" Integrity Above "an observation is withheld while a disclosure of it was not taken back";
    PassedOver "passed-over" Integrity Above "an observation was not disclosed or withheld before later ones were";
    Withdrawal "withdrawal" Integrity Above "a withdrawal is not of a disclosure that stands";
    WithdrawalAcknowledged "withdrawal-acknowledged" Integrity Above "what its recipient had acknowledged is said to have been taken back before it left";
    WithdrawalUnproved "withdrawal-unproved" Incomplete Above "what its recipient had acknowledged was taken back, and nothing shows yet that the recipient lost it";
    WithdrawalUnasked "withdrawal-unasked" Integrity Above "a disclosure was taken back without a decision although the agreement was in force";
    AdmissionParties "admission-parties" Integrity Above "an admission is not for this organization, or not from another member";
    AdmissionObservation "admission-observation" Integrity Itself "an admission joins an observation and a disclosure of another one";
    AdmissionEdition "admission-edition" Integrity Above "an admission is under an edition that is not in force";
    AdmissionTime "admission-time" Integrity Itself "a disclosure was taken in before it was issued, or issued before it was observed or its terms declared";
    AdmissionScope "admission-scope" Integrity Above "admitted terms are wider than the agreement's";
    AdmissionTwice "admission-twice" Integrity Above "an observation was taken in twice under one edition";
    Refusal "refusal" Integrity Itself "a refusal names none, names more than it counts, or has the wrong sort of code";
    AcknowledgementParties "acknowledgement-parties" Integrity Above "an acknowledgement is not of an outbox of this ledger";
    AcknowledgementRange "acknowledgement-range" Integrity Above "an acknowledgement goes back, or beyond what was disclosed";
    AcknowledgementTime "acknowledgement-time" Integrity Above "an acknowledgement says that something was taken in before it was disclosed or noted before it was taken back, or is dated ahead, or before an earlier one";
    AcknowledgementOutcomes "acknowledgement-outcomes" Integrity Above "an acknowledgement is of other items or outcomes than the ledger holds";
    Attestation "attestation" Integrity Above "what is counted as attested is not what a pinned issuer or this organization signed above";
    Decline "decline" Integrity Above "a decline is not by a member of an edition that was proposed, or what was declined is in force";
    Limit "limit" Incomplete Itself "the audit takes more time or memory than it may, and was not carried to its end";
    ReplayInputs "replay-inputs" Incomplete Itself "a decision cannot be judged again with what is there";
    ReplayDiffers "replay-differs" Differs Itself "a decision, judged again, comes out otherwise";
}

impl std::fmt::Display for Rule {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.pad(self.name())
    }
}

impl Serialize for Rule {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// The rules as `AUDITING.md` lists them: code, severity, text.
    fn listed() -> Vec<Vec<&'static str>> {
        let text = include_str!("../AUDITING.md");
        let (_, table) = text
            .split_once("| code | severity | found where |\n")
            .unwrap();
        let lines = table
            .lines()
            .skip(1)
            .take_while(|line| line.starts_with('|'));
        lines
            .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
            .collect()
    }

    #[test]
    fn the_guide_lists_every_rule_as_it_is() {
        let rules: Vec<Vec<String>> = Rule::ALL
            .iter()
            .map(|rule| {
                let code = format!("`{}`", rule.name());
                vec![
                    code,
                    rule.severity().name().to_owned(),
                    rule.text().to_owned(),
                ]
            })
            .collect();
        assert_eq!(listed(), rules);
    }

    #[test]
    fn rules_have_names_of_their_own() {
        let names: BTreeSet<&str> = Rule::ALL.iter().map(|rule| rule.name()).collect();
        assert_eq!(names.len(), Rule::ALL.len());
    }
}
