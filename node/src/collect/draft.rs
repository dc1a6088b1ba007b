//! What will become one observation, before anyone signs it.

use super::facts::DraftFacts;
use ambit_ledger::{Digest, ITEM_BYTES_MAX, READINGS_MAX, Reading, Time, encode, reading_span};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// The most bytes the encoded readings of one draft take together. Around them a block holds a map of two keys, the
/// salt (34 bytes) and the length of a list (3 bytes), and the number of its variant: well below the 64 bytes set apart here.
pub const BLOCK_BYTES_MAX: usize = ITEM_BYTES_MAX - 64;

/// How many groups are kept open at once, for files whose rows alternate between machines or parts. One more closes
/// the group that has waited longest.
const OPEN_GROUPS_MAX: usize = 64;

/// One observation to be: its facts, and 1 to [`READINGS_MAX`] readings that fit in one block. Instants are of one UTC
/// minute, intervals all the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    /// What is true of all its readings.
    pub facts: DraftFacts,
    /// In the order in which the source gave them. As JSON, one text: see `packed`.
    #[serde(with = "packed")]
    pub readings: Vec<Reading>,
}

/// Readings as one text in JSON: the base64 (RFC 4648 §4) of their deterministic CBOR. A file of a million values
/// comes from the command line to a running node in this form; written out, they would cost it twice as much time.
mod packed {
    use ambit_ledger::{Reading, decode_within, encode};
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(
        readings: &Vec<Reading>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(encode(readings)))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<Reading>, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = STANDARD.decode(text).map_err(D::Error::custom)?;
        // How long it may be is a matter of the request that it came in.
        decode_within(&bytes, bytes.len()).map_err(D::Error::custom)
    }
}

impl Draft {
    /// A digest over facts and readings and nothing else: the same content, read again from a file of another name,
    /// with another map or in another encoding, has the same fingerprint. Keep it private: without a salt, whoever
    /// guesses the content can check the guess.
    #[must_use]
    pub fn fingerprint(&self) -> Digest {
        self.fingerprint_with(&encode(&self.readings))
    }

    /// The same, where the readings are encoded already.
    #[must_use]
    pub fn fingerprint_with(&self, readings: &[u8]) -> Digest {
        // An array of two: facts and readings.
        Digest::of_parts(&[b"ambit draft 1\0", &[0x82], &encode(&self.facts), readings])
    }

    /// The first and the last instant spoken of; `None` without readings.
    #[must_use]
    pub fn span(&self) -> Option<(Time, Time)> {
        reading_span(&self.readings)
    }
}

/// A reading that takes more than a block by itself.
#[derive(Debug)]
pub(super) struct TooLarge {
    pub(super) bytes: usize,
}

/// The bytes that the first reading of a path takes in a block beyond its own encoding: a map of two keys around it and
/// the length of a list. Further ones take less than their encoding, because the path is there already.
const LEAF_BYTES: usize = 3;

/// The most bytes that a reading takes in a block.
pub(super) fn block_bytes(reading: &Reading) -> Result<usize, TooLarge> {
    let bytes = encode(reading).len() + LEAF_BYTES;
    if bytes > BLOCK_BYTES_MAX {
        Err(TooLarge { bytes })
    } else {
        Ok(bytes)
    }
}

/// Groups readings into drafts. `K` is what the readings of a group have in common.
#[derive(Debug)]
pub(super) struct Grouping<K> {
    open: VecDeque<Group<K>>,
    closed: VecDeque<Draft>,
}

#[derive(Debug)]
struct Group<K> {
    key: K,
    draft: Draft,
    bytes: usize,
}

impl<K: PartialEq> Grouping<K> {
    pub(super) const fn new() -> Self {
        Self {
            open: VecDeque::new(),
            closed: VecDeque::new(),
        }
    }

    /// Adds a reading of `bytes` in a block; `facts` are asked for where it opens a group.
    pub(super) fn add<E>(
        &mut self,
        key: K,
        reading: Reading,
        bytes: usize,
        facts: impl FnOnce() -> Result<DraftFacts, E>,
    ) -> Result<(), E> {
        let position = self.open.iter().rposition(|group| group.key == key);
        if let Some(group) = position.and_then(|at| self.open.get_mut(at))
            && group.draft.readings.len() < READINGS_MAX
            && group.bytes + bytes <= BLOCK_BYTES_MAX
        {
            group.draft.readings.push(reading);
            group.bytes += bytes;
            return Ok(());
        }
        let facts = facts()?;
        let full = position.and_then(|at| self.open.remove(at));
        self.closed.extend(full.map(|group| group.draft));
        if self.open.len() == OPEN_GROUPS_MAX {
            let oldest = self.open.pop_front();
            self.closed.extend(oldest.map(|group| group.draft));
        }
        self.open.push_back(Group {
            key,
            draft: Draft {
                facts,
                readings: vec![reading],
            },
            bytes,
        });
        Ok(())
    }

    /// Closes every group.
    pub(super) fn finish(&mut self) {
        let open = std::mem::take(&mut self.open);
        self.closed
            .extend(open.into_iter().map(|group| group.draft));
    }

    /// The draft closed first.
    pub(super) fn next(&mut self) -> Option<Draft> {
        self.closed.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use super::super::facts::FactsFile;
    use super::*;
    use ambit_ledger::{Quality, Readings, Salt, When};

    fn facts() -> DraftFacts {
        FactsFile::parse(
            "source = \"a\"\nsubmodel = \"b\"\nsemantic_id = \"c\"\ndata_class = \"d\"\nowner = \"e\"\ntrade_secret = false",
        )
        .unwrap()
        .complete()
        .unwrap()
    }

    fn reading(value: String) -> Reading {
        Reading {
            path: "A".parse().unwrap(),
            when: When::Instant { at: Time::EARLIEST },
            quality: Quality::Good,
            value: Some(value),
            value_type: None,
            unit: None,
            element: None,
            attachment: None,
        }
    }

    fn group(readings: impl IntoIterator<Item = (u8, Reading)>) -> Vec<Draft> {
        let mut grouping = Grouping::new();
        for (key, reading) in readings {
            let bytes = block_bytes(&reading).unwrap();
            grouping
                .add(key, reading, bytes, || Ok::<_, ()>(facts()))
                .unwrap();
        }
        grouping.finish();
        std::iter::from_fn(|| grouping.next()).collect()
    }

    fn block(draft: &Draft) -> Vec<u8> {
        let readings = draft.readings.clone();
        let salt = Salt::try_from(&[7_u8; 32][..]).unwrap();
        Readings { salt, readings }.encode().unwrap()
    }

    #[test]
    fn groups_split_by_count() {
        let drafts = group((0..2_001).map(|number| (0, reading(number.to_string()))));
        let counts: Vec<_> = drafts.iter().map(|draft| draft.readings.len()).collect();
        assert_eq!(counts, [1_000, 1_000, 1]);
    }

    #[test]
    fn groups_split_by_size_and_use_the_block() {
        let drafts = group((0..40).map(|_| (0, reading(format!("\"{}\"", "x".repeat(4_000))))));
        assert_eq!(drafts.len(), 3);
        assert!(
            drafts
                .iter()
                .all(|draft| block(draft).len() <= ITEM_BYTES_MAX)
        );
        assert!(block(&drafts[0]).len() > ITEM_BYTES_MAX - 4_200);
        let at_most = reading(
            "x".repeat(BLOCK_BYTES_MAX - block_bytes(&reading(String::new())).unwrap() - 2),
        );
        assert!(block(&group([(0, at_most)])[0]).len() <= ITEM_BYTES_MAX);
        assert!(block_bytes(&reading("x".repeat(BLOCK_BYTES_MAX))).is_err());
    }

    #[test]
    fn alternating_rows_share_groups() {
        let drafts = group((0..100).map(|number| (number % 2, reading(number.to_string()))));
        assert_eq!(drafts.len(), 2);
        let drafts = group((0..130).map(|number| (number, reading(number.to_string()))));
        assert_eq!(drafts.len(), 130);
    }

    #[test]
    fn a_draft_is_the_same_after_json() {
        let mut draft = Draft {
            facts: facts(),
            readings: vec![reading("\"\u{e9}\"".to_owned()), reading("1".to_owned())],
        };
        draft.readings[1].value_type = Some("xs:double".parse().unwrap());
        draft.readings[1].when = When::Interval {
            from: Time::EARLIEST,
            to: Time::EARLIEST,
        };
        let json = serde_json::to_value(&draft).unwrap();
        assert!(json["readings"].is_string(), "{json}");
        let back: Draft = serde_json::from_value(json.clone()).unwrap();
        assert_eq!(back, draft);
        for wrong in ["no base64", "AAAA"] {
            let mut json = json.clone();
            json["readings"] = wrong.into();
            assert!(serde_json::from_value::<Draft>(json).is_err(), "{wrong}");
        }
    }

    #[test]
    fn fingerprints_follow_content() {
        let one = Draft {
            facts: facts(),
            readings: vec![reading("1".to_owned())],
        };
        let mut other = one.clone();
        assert_eq!(one.fingerprint(), other.fingerprint());
        other.facts.site = Some("here".parse().unwrap());
        assert_ne!(one.fingerprint(), other.fingerprint());
        other = one.clone();
        other.readings[0].value = Some("1.0".to_owned());
        assert_ne!(one.fingerprint(), other.fingerprint());
    }
}
