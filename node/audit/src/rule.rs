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

macro_rules! rules {
    ($($rule:ident $name:literal $severity:ident $text:literal;)*) => {
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

            /// What is the case where it is broken.
            #[must_use]
            pub const fn text(self) -> &'static str {
                match self { $(Self::$rule => $text,)* }
            }
        }
    };
}

rules! {
    BundleShape "bundle-shape" Unreadable "the file is no bundle";
    NoEntries "no-entries" Incomplete "the bundle holds no entry, so nothing is proved";
    RootMissing "root-missing" Incomplete "the trust file lacks a root";
    RootFrom "root-from" Incomplete "a root is trusted only from after it certified a key";
    RootDiffers "root-differs" Integrity "the trust file names another root";
    Organization "organization" Integrity "the bundle and the ledger in it are of different organizations";
    FirstEntries "first-entries" Integrity "the ledger does not begin with *opened* and *key certified*, and once only";
    Tree "tree" Integrity "the entries are not those under the checkpoint";
    Checkpoint "checkpoint" Integrity "the checkpoint is not one of this ledger, or not signed by a certified key of it";
    EntryShape "entry-shape" Integrity "an entry cannot be decoded";
    EntryKind "entry-kind" Incomplete "an entry is of a kind that this version does not read";
    TimeOrder "time-order" Integrity "an entry is older than the one above it";
    Certificate "certificate" Integrity "a certificate is not one of this organization's root";
    Signature "signature" Integrity "a statement does not verify";
    BlobMissing "blob-missing" Incomplete "a blob that an entry names is not in the bundle";
    BlobStray "blob-stray" Integrity "a blob is in the bundle that no entry names";
    BlobShape "blob-shape" Integrity "a blob is not what the entry that names it says";
    ReadingsMissing "readings-missing" Incomplete "readings are missing, and no entry says that they were erased";
    ReadingsDiffer "readings-differ" Integrity "readings are not those that the facts name";
    ReadingsStray "readings-stray" Integrity "readings are in the bundle of an observation that the ledger does not hold";
    EditionTerms "edition-terms" Integrity "an edition of a partnership does not fit its terms";
    EditionRoots "edition-roots" Integrity "the roots compared for an edition are not those of its members";
    EditionSignatures "edition-signatures" Integrity "an edition is in force without all members' signatures, or with a strange one";
    EditionChain "edition-chain" Integrity "an edition does not follow from the one in force";
    ObservationIssuer "observation-issuer" Integrity "an observation is not by the organization it must be by";
    ObservationTwice "observation-twice" Integrity "an observation is recorded twice";
    DecisionTime "decision-time" Integrity "a decision speaks of another time than its entry";
    DecisionUnknown "decision-unknown" Integrity "an entry refers to a decision that is not above it";
    DecisionLayers "decision-layers" Integrity "a decision was not made with the layers in force";
    DecisionClass "decision-class" Integrity "a decision is about another class of observations";
    DecisionExpired "decision-expired" Integrity "a decision was no longer, or not yet, true when it was used";
    DecisionVerdict "decision-verdict" Integrity "an entry does what its decision does not say";
    Unchecked "unchecked" Incomplete "an entry cannot be checked with what is there";
    DisclosureParties "disclosure-parties" Integrity "a disclosure is not by this organization, or not for another member";
    DisclosureObservation "disclosure-observation" Integrity "a disclosure or withholding is about an observation that is not above it";
    DisclosureEdition "disclosure-edition" Integrity "a disclosure or withholding is under an edition that is not in force";
    DisclosureTime "disclosure-time" Integrity "a disclosure was issued at another time than its entry says";
    DisclosureScope "disclosure-scope" Integrity "a disclosure's terms are wider than the agreement's";
    DisclosureLimits "disclosure-limits" Integrity "a disclosure's terms are wider than the owner's limits";
    DisclosurePurposes "disclosure-purposes" Integrity "a disclosure is for other purposes than were admitted";
    DisclosureTwice "disclosure-twice" Integrity "an observation is disclosed twice to one recipient under one edition";
    Sequence "sequence" Integrity "sequence numbers leave one out, or repeat one";
    WithheldUnasked "withheld-unasked" Integrity "an observation is withheld without a decision although limits cover it";
    PassedOver "passed-over" Integrity "an observation was neither disclosed nor withheld, though later ones were";
    Withdrawal "withdrawal" Integrity "a withdrawal is not of a disclosure that stands";
    AdmissionParties "admission-parties" Integrity "an admission is not for this organization, or not from another member";
    AdmissionObservation "admission-observation" Integrity "an admission joins an observation and a disclosure of another one";
    AdmissionEdition "admission-edition" Integrity "an admission is under an edition that is not in force";
    AdmissionScope "admission-scope" Integrity "admitted terms are wider than the agreement's";
    AdmissionTwice "admission-twice" Integrity "an observation was taken in twice under one edition";
    Refusal "refusal" Integrity "a refusal counts what it does not name";
    AcknowledgementParties "acknowledgement-parties" Integrity "an acknowledgement is not of an outbox of this ledger";
    AcknowledgementRange "acknowledgement-range" Integrity "an acknowledgement goes back, or beyond what was disclosed";
    AcknowledgementOutcomes "acknowledgement-outcomes" Integrity "an acknowledgement is of other items or outcomes than the ledger holds";
    Decline "decline" Integrity "a decline is not by a member of an edition that was proposed";
    NoDecisions "no-decisions" Incomplete "the ledger holds no decision, so nothing was judged again";
    ReplayInputs "replay-inputs" Incomplete "a decision cannot be judged again with what is there";
    ReplayDiffers "replay-differs" Differs "a decision, judged again, comes out otherwise";
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
