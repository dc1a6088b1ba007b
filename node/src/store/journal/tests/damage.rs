//! Bytes that changed, files that were cut, exchanged or lost: named, and never given out as something else.

use super::super::layout::{Flag, RECORDS_START, Seal};
use super::super::{
    Appended, Cause, Damage, Journal, JournalError, Position, RecordPosition, Salvaged,
};
use super::{Groups, Numbers, append_all, count, folder, open, path, read, salvage};
use std::ops::Range;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A journal of three segments, with unused space behind each.
struct Small {
    _folder: TempDir,
    home: PathBuf,
    model: Groups,
    appended: Vec<Appended>,
    segments: Vec<Vec<u8>>,
}

/// Which group is the first of each segment, and the one that would come after the last.
const FIRST: [u64; 4] = [0, 4, 6, 9];

impl Small {
    fn new() -> Self {
        let folder = folder();
        let home = folder.path().join("journal");
        let mut numbers = Numbers(20);
        let mut records = |lengths: &[usize]| {
            let lengths = lengths.iter();
            lengths.map(|length| numbers.bytes(*length)).collect()
        };
        let model: Groups = vec![
            records(&[20, 9]),
            records(&[]),
            records(&[0]),
            records(&[12, 0, 3]),
            // Too large for what is left.
            records(&[3_500]),
            records(&[30, 1]),
            records(&[4_200]),
            records(&[7, 8]),
            records(&[25]),
        ];
        let appended = append_all(&mut Journal::create(&home).unwrap(), &model);
        let segments: Vec<Vec<u8>> = (0..3)
            .map(|number| std::fs::read(path(&home, number)).unwrap())
            .collect();
        assert!(!path(&home, 3).exists());
        let small = Self {
            _folder: folder,
            home,
            model,
            appended,
            segments,
        };
        assert_eq!(small.first_groups(), FIRST);
        small
    }

    fn first_groups(&self) -> [u64; 4] {
        let first = |segment| {
            let in_it = |appended: &&Appended| appended.after.segment == segment;
            self.appended.iter().find(in_it).unwrap().after.group - 1
        };
        [first(0), first(1), first(2), count(&self.model)]
    }

    /// Where the last group of a segment ends.
    fn end(&self, segment: u32) -> u64 {
        let in_it = |appended: &&Appended| appended.after.segment == segment;
        self.appended.iter().rfind(in_it).unwrap().after.offset
    }

    /// The group that a byte belongs to.
    fn group_at(&self, segment: u32, offset: u64) -> Option<u64> {
        let after = self.appended.iter().map(|appended| appended.after);
        let mut after = after.filter(|after| after.segment == segment);
        let after = after.find(|after| offset >= RECORDS_START && offset < after.offset)?;
        Some(after.group - 1)
    }

    fn write(&self, segment: u32, bytes: &[u8]) {
        std::fs::write(path(&self.home, segment), bytes).unwrap();
    }

    fn mend(&self, segment: u32) {
        self.write(segment, &self.segments[segment as usize]);
    }

    fn opened_end(&self, acknowledged: u64) -> Result<(u64, u64), Damage> {
        match open(&self.home, acknowledged) {
            Ok((journal, opened)) => {
                let held = read(&journal, Position::START).unwrap();
                assert_eq!(held, self.model[..held.len()], "wrong bytes");
                assert_eq!(count(&held), opened.end.group);
                Ok((opened.end.group, opened.torn_bytes))
            }
            Err(JournalError::Damaged(damage)) => Err(damage),
            Err(other) => panic!("{other}"),
        }
    }

    #[track_caller]
    fn assert_damaged(
        &self,
        segment: u32,
        groups: Range<u64>,
        damaged: Result<(u64, u64), Damage>,
    ) {
        let damage = damaged.unwrap_err();
        assert_eq!(damage.segment, path(&self.home, segment));
        assert_eq!(damage.groups, groups, "{damage}");
    }

    /// Salvage gives every group but these, and says so.
    #[track_caller]
    fn assert_salvaged_but(&self, segment: u32, lost: Range<u64>) {
        let (numbers, others) = salvage(&self.home, &self.model);
        let all = 0..count(&self.model);
        let kept: Vec<u64> = all.filter(|number| !lost.contains(number)).collect();
        assert_eq!(numbers, kept);
        let [other] = others.as_slice() else {
            panic!("{others:?}");
        };
        match other {
            Salvaged::Gap(damage) => {
                assert_eq!(damage.segment, path(&self.home, segment));
                assert_eq!(damage.groups, lost);
            }
            Salvaged::Torn { at, .. } => {
                assert_eq!((at.segment, at.group), (2, lost.start));
                assert_eq!(lost.end, count(&self.model));
            }
            Salvaged::Group(_) => panic!("{other:?}"),
        }
    }

    fn check_flipped(&self, segment: u32, offset: u64) {
        let [first, next] = [0, 1].map(|more| FIRST[segment as usize + more]);
        let is_last = segment == 2;
        let known = self.opened_end(9);
        let unknown = self.opened_end(0);
        if offset < RECORDS_START {
            self.assert_damaged(segment, first..next, known);
            self.assert_damaged(segment, first..if is_last { first } else { next }, unknown);
            let lost = if is_last { first..first } else { 0..0 };
            let (numbers, others) = salvage(&self.home, &self.model);
            let kept = if is_last { 0..first } else { 0..9 };
            assert!(
                numbers.into_iter().eq(kept),
                "the next header knows the salt"
            );
            let [Salvaged::Gap(damage)] = others.as_slice() else {
                panic!("{others:?}");
            };
            assert_eq!(damage.cause, Cause::Header);
            assert!(!is_last || damage.groups == lost);
            return;
        }
        match self.group_at(segment, offset) {
            Some(group) => {
                self.assert_damaged(segment, group..group + 1, known);
                if group == 8 {
                    // Nothing says that it was acknowledged.
                    let (end, torn_bytes) = unknown.unwrap();
                    assert!(end == 8 && torn_bytes > 0);
                } else {
                    self.assert_damaged(segment, group..group + 1, unknown);
                }
                self.assert_salvaged_but(segment, group..group + 1);
            }
            None => {
                let (end, torn_bytes) = known.unwrap();
                assert_eq!((end, torn_bytes > 0), (9, is_last));
                let (numbers, others) = salvage(&self.home, &self.model);
                assert_eq!(numbers.len(), 9);
                assert_eq!(others.len(), usize::from(is_last));
            }
        }
    }
}

/// Which bits of a byte are flipped: all in headers and around the heads of records, some in long records and unused space.
fn bits(offset: u64, is_near_head: bool) -> Range<u32> {
    let bit = u32::try_from(offset / 8 % 8).unwrap();
    match offset {
        0..88 | 508..512 => 0..8,
        88..508 => bit..bit + 1,
        _ if is_near_head => 0..8,
        _ if offset.is_multiple_of(8) => bit..bit + 1,
        _ => 0..0,
    }
}

#[test]
fn every_bit_that_changes_is_named_or_harms_nothing() {
    let small = Small::new();
    for segment in 0..3_u32 {
        let whole = &small.segments[segment as usize];
        let heads: Vec<u64> = small
            .appended
            .iter()
            .filter(|appended| appended.after.segment == segment)
            .flat_map(|appended| {
                let records = appended.records.iter().map(|record| record.offset);
                records.chain([appended.after.offset])
            })
            .collect();
        let mut bytes = whole.clone();
        for at in 0..whole.len() {
            let offset = at as u64;
            let is_near = |head: &u64| (head.saturating_sub(4)..head + 25).contains(&offset);
            for bit in bits(offset, heads.iter().any(is_near)) {
                bytes[at] ^= 1 << bit;
                small.write(segment, &bytes);
                small.check_flipped(segment, offset);
                bytes[at] ^= 1 << bit;
            }
        }
        small.mend(segment);
    }
    assert_eq!(small.opened_end(9), Ok((9, 0)));
}

#[test]
fn a_segment_cut_at_any_length_is_named_where_anything_could_be_lost() {
    let small = Small::new();
    for segment in 0..3_u32 {
        let whole = &small.segments[segment as usize];
        let [first, next] = [0, 1].map(|more| FIRST[segment as usize + more]);
        let end = small.end(segment);
        // Every length about the records; behind them every fiftieth.
        let near = usize::try_from(end).unwrap() + 40;
        let lengths = (0..near).chain((near..whole.len()).step_by(50));
        for length in lengths {
            small.write(segment, &whole[..length]);
            let length = length as u64;
            let known = small.opened_end(9);
            if segment < 2 && length >= end {
                assert_eq!(known, Ok((9, 0)));
                continue;
            }
            let whole_ones = small.appended.iter().map(|appended| appended.after);
            let whole_ones = whole_ones.filter(|after| after.segment == segment);
            let held = whole_ones.filter(|after| after.offset <= length).count() as u64;
            let damage = known.unwrap_err();
            assert_eq!(damage.cause, Cause::Cut);
            assert_eq!(damage.segment, path(&small.home, segment));
            assert_eq!(damage.groups, first + held..next);
            assert!(
                small.opened_end(0).is_err(),
                "a length that a crash cannot leave"
            );
            let (numbers, others) = salvage(&small.home, &small.model);
            let is_kept = |number: &u64| !(first + held..next).contains(number);
            assert!(numbers.into_iter().eq((0..9).filter(is_kept)));
            assert!(matches!(others[..], [Salvaged::Gap(_)]));
        }
        small.mend(segment);
    }
}

#[test]
fn zeros_over_records_are_told_from_the_end() {
    let small = Small::new();
    for (segment, bytes_from, bytes_to, groups) in [
        (0, 512, 1_024, 0..4),
        (1, 512, 4_608, 4..6),
        (2, 600, 1_112, 6..7),
        (2, 512, 8_192, 6..9),
    ] {
        let mut bytes = small.segments[segment as usize].clone();
        bytes[bytes_from..bytes_to].fill(0);
        small.write(segment, &bytes);
        small.assert_damaged(segment, groups, small.opened_end(9));
        small.mend(segment);
    }
    // What comes last, and is not known to be acknowledged, is what a crash leaves.
    let mut bytes = small.segments[2].clone();
    bytes[512..].fill(0);
    small.write(2, &bytes);
    assert_eq!(small.opened_end(6), Ok((6, 0)));
    let damage = small.opened_end(9).unwrap_err();
    assert_eq!(damage.cause, Cause::Lost);
}

#[test]
fn what_was_verified_before_is_named_when_it_is_read() {
    let small = Small::new();
    let mut bytes = small.segments[1].clone();
    bytes[1_000] ^= 1;
    small.write(1, &bytes);
    let verified = small.appended[6].after;
    let (journal, _) = Journal::open(&small.home, verified, 9).unwrap();
    let mut groups = journal.read(Position::START).unwrap();
    for _ in 0..4 {
        groups.next().unwrap().unwrap();
    }
    let error = groups.next().unwrap().unwrap_err();
    assert!(groups.next().is_none());
    let text = error.to_string();
    let place = format!(
        "`{}` cannot be read at byte 512",
        path(&small.home, 1).display()
    );
    assert!(
        text.contains(&place) && text.contains("with it group 4;"),
        "{text}"
    );
}

#[test]
fn a_position_behind_what_is_gone_does_not_hide_it() {
    let small = Small::new();
    let mut bytes = small.segments[2].clone();
    let end_of = |group: usize| usize::try_from(small.appended[group].after.offset).unwrap();
    let (from, to) = (end_of(7), end_of(8));
    bytes[from..to].fill(0);
    small.write(2, &bytes);
    let end = small.appended[8].after;
    let Err(JournalError::Damaged(damage)) = Journal::open(&small.home, end, 9) else {
        panic!("a group that was acknowledged is gone");
    };
    assert_eq!((damage.cause, damage.groups), (Cause::Lost, 8..9));
    small.mend(2);
    for position in [
        Position { group: 8, ..end },
        Position { segment: 1, ..end },
        Position {
            offset: end.offset + 1,
            ..end
        },
        Position {
            segment: 0,
            offset: 600,
            group: 1,
        },
    ] {
        let opened = Journal::open(&small.home, position, 0);
        assert!(
            matches!(opened, Err(JournalError::Unknown { .. })),
            "{position:?}"
        );
    }
}

#[test]
fn a_number_far_behind_all_others_is_no_segment() {
    let small = Small::new();
    std::fs::write(path(&small.home, 99_999_999), b"").unwrap();
    let opened = open(&small.home, 9);
    assert!(matches!(opened, Err(JournalError::Damaged(damage)) if damage.cause == Cause::Foreign));
    // Names that are not the journal's own say nothing.
    for name in ["7.seg", "+0000007.seg", "00000007.new", "00000007.seg.old"] {
        std::fs::write(small.home.join(name), b"").unwrap();
    }
    std::fs::remove_file(path(&small.home, 99_999_999)).unwrap();
    assert_eq!(small.opened_end(9), Ok((9, 0)));
}

#[test]
fn a_missing_segment_is_named() {
    let small = Small::new();
    for segment in 0..3 {
        std::fs::remove_file(path(&small.home, segment)).unwrap();
        let lost = FIRST[segment as usize]..FIRST[segment as usize + 1];
        let known = small.opened_end(9);
        if segment == 2 {
            // Only what was acknowledged says that there was another: where that ends, groups are missing.
            let damage = known.unwrap_err();
            assert_eq!((damage.cause, &damage.groups), (Cause::Lost, &lost));
            let verified = small.appended[8].after;
            let opened = Journal::open(&small.home, verified, 9);
            let Err(JournalError::Damaged(damage)) = opened else {
                panic!("it has no such segment");
            };
            assert_eq!((damage.cause, damage.groups), (Cause::Missing, lost));
            assert_eq!(damage.segment, path(&small.home, 2));
        } else {
            let damage = known.clone().unwrap_err();
            assert_eq!(damage.cause, Cause::Missing);
            small.assert_damaged(segment, lost.clone(), known);
            small.assert_salvaged_but(segment, lost);
        }
        small.mend(segment);
    }
    for segment in 0..3 {
        std::fs::remove_file(path(&small.home, segment)).unwrap();
    }
    assert!(matches!(
        open(&small.home, 9),
        Err(JournalError::NotThere(_))
    ));
    std::fs::remove_dir_all(&small.home).unwrap();
    assert!(matches!(
        open(&small.home, 9),
        Err(JournalError::NotThere(_))
    ));
}

#[test]
fn exchanged_segments_and_those_of_another_journal_are_foreign() {
    let (small, other) = (Small::new(), Small::new());
    small.write(0, &small.segments[1]);
    small.write(1, &small.segments[0]);
    let damage = small.opened_end(9).unwrap_err();
    assert_eq!((damage.cause, damage.groups), (Cause::Foreign, 0..6));
    assert_eq!(salvage(&small.home, &small.model).0, [6, 7, 8]);
    for segment in 0..2 {
        small.mend(segment);
    }
    for segment in 0..3 {
        small.write(segment, &other.segments[segment as usize]);
        let lost = FIRST[segment as usize]..FIRST[segment as usize + 1];
        let damage = small.opened_end(9).unwrap_err();
        assert_eq!(damage.cause, Cause::Foreign);
        small.assert_damaged(segment, lost.clone(), Err(damage));
        let (numbers, others) = salvage(&small.home, &small.model);
        let is_kept = |number: &u64| !lost.contains(number);
        assert!(numbers.into_iter().eq((0..9).filter(is_kept)));
        assert!(matches!(&others[..], [Salvaged::Gap(gap)] if gap.cause == Cause::Foreign));
        small.mend(segment);
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for found in std::fs::read_dir(from).unwrap() {
        let found = found.unwrap();
        std::fs::copy(found.path(), to.join(found.file_name())).unwrap();
    }
}

#[test]
fn a_segment_of_another_course_of_the_journal_is_foreign() {
    let small = Small::new();
    let restored = folder();
    let restored = restored.path().join("journal");
    copy(&small.home, &restored);
    let large = |seed| vec![vec![Numbers(seed).bytes(20_000)]];
    for (home, seed) in [(&small.home, 1), (&restored, 2)] {
        let (mut journal, _) = open(home, 9).unwrap();
        append_all(&mut journal, &large(seed));
        append_all(&mut journal, &large(seed + 10));
    }
    let mut model = small.model.clone();
    model.extend([large(1), large(11)].concat());
    std::fs::copy(path(&restored, 4), path(&small.home, 4)).unwrap();
    let Err(JournalError::Damaged(damage)) = open(&small.home, 10) else {
        panic!("it is not of this course");
    };
    assert_eq!(damage.segment, path(&small.home, 4));
    assert_eq!(damage.cause, Cause::Foreign);
    assert!(salvage(&small.home, &model).0.into_iter().eq(0..10));
}

#[test]
fn salvage_names_each_gap() {
    let small = Small::new();
    let flip = |segment: u32, groups: &[usize]| {
        let mut bytes = small.segments[segment as usize].clone();
        for group in groups {
            // The first byte behind the head of the first record.
            let offset = small.appended[*group].records[0].offset + 21;
            bytes[usize::try_from(offset).unwrap()] ^= 1;
        }
        small.write(segment, &bytes);
    };
    let gaps = || {
        let (numbers, others) = salvage(&small.home, &small.model);
        let gaps = others.into_iter().map(|other| match other {
            Salvaged::Gap(gap) => (gap.segment, gap.groups),
            other => panic!("{other:?}"),
        });
        (numbers, gaps.collect::<Vec<_>>())
    };
    let named = |segment, groups| (path(&small.home, segment), groups);
    flip(0, &[0, 3]);
    flip(1, &[4, 5]);
    let expected = [(0, 0..1), (0, 3..4), (1, 4..5), (1, 5..6)];
    let expected = expected.map(|(segment, groups)| named(segment, groups));
    assert_eq!(gaps(), (vec![1, 2, 6, 7, 8], expected.to_vec()));
    std::fs::remove_file(path(&small.home, 1)).unwrap();
    // Where the first segment ended, only the second one knew.
    let expected = [(0, 0..1), (0, 3..6), (1, 3..6)];
    let expected = expected.map(|(segment, groups)| named(segment, groups));
    assert_eq!(gaps(), (vec![1, 2, 6, 7, 8], expected.to_vec()));
}

/// Damage of all kinds in several places at once. What is given out was appended; what is not is named, or was the last.
#[test]
fn no_mixture_of_damage_gives_out_wrong_bytes_or_passes_over_a_group() {
    let small = Small::new();
    for seed in 0..1_500 {
        let mut numbers = Numbers(seed);
        let mut touched = Vec::new();
        for _ in 0..=numbers.below(4) {
            let segment = numbers.below(3);
            touched.push(u32::try_from(segment).unwrap());
            let path = path(&small.home, touched[touched.len() - 1]);
            let Ok(mut bytes) = std::fs::read(&path) else {
                continue;
            };
            // Mostly where something is.
            let bound = bytes.len().min(1_000 + numbers.below(9_000)).max(1);
            let at = numbers.below(bound);
            match numbers.below(12) {
                0 => std::fs::remove_file(&path).unwrap(),
                1 => std::fs::write(&path, &bytes[..at.min(bytes.len())]).unwrap(),
                2 => std::fs::write(&path, &small.segments[numbers.below(3)]).unwrap(),
                kind => {
                    let length = if kind < 6 { 700 } else { 2 };
                    let part = bytes.iter_mut().skip(at).take(length);
                    part.for_each(|byte| *byte = if kind % 2 == 0 { 0 } else { *byte ^ 4 });
                    std::fs::write(&path, &bytes).unwrap();
                }
            }
        }
        match open(&small.home, 9) {
            Ok((journal, _)) => {
                let held = read(&journal, Position::START).unwrap();
                assert!(held == small.model, "seed {seed}");
            }
            Err(JournalError::Damaged(damage)) => {
                // Of a segment that is only shorter, nothing has to be lost.
                let is_named = !damage.groups.is_empty() || damage.cause == Cause::Cut;
                assert!(is_named, "seed {seed}: {damage:?}");
            }
            Err(JournalError::NotThere(_)) => {
                (0..3).for_each(|segment| small.mend(segment));
                continue;
            }
            Err(other) => panic!("seed {seed}: {other}"),
        }
        let (held, others) = salvage(&small.home, &small.model);
        let last = held.last().map_or(0, |last| last + 1);
        for group in (0..last).filter(|group| !held.contains(group)) {
            let is_named = others
                .iter()
                .any(|other| matches!(other, Salvaged::Gap(gap) if gap.groups.contains(&group)));
            assert!(
                is_named,
                "seed {seed}: group {group} of {held:?}, {others:?}"
            );
        }
        touched.into_iter().for_each(|segment| small.mend(segment));
    }
}

#[test]
fn a_group_behind_damage_is_found_wherever_it_begins() {
    // As many bytes as are searched at a time, and about as many as a head has less.
    for bytes in 65_536 - 25..=65_536 {
        let home = folder();
        let home = home.path().join("journal");
        let model = vec![vec![vec![0; bytes - 21]], vec![b"next".to_vec()]];
        append_all(&mut Journal::create(&home).unwrap(), &model);
        let mut content = std::fs::read(path(&home, 1)).unwrap();
        content[512] ^= 1;
        std::fs::write(path(&home, 1), content).unwrap();
        let Err(JournalError::Damaged(damage)) = open(&home, 0) else {
            panic!("the next group says that this one was acknowledged");
        };
        assert_eq!(damage.groups, 0..1);
        assert_eq!(salvage(&home, &model).0, [1]);
    }
}

#[test]
fn a_record_that_holds_records_is_one_record() {
    let home = folder();
    let home = home.path().join("journal");
    let mut journal = Journal::create(&home).unwrap();
    append_all(&mut journal, &[vec![b"before".to_vec()]]);
    let begin = journal.acknowledged();
    // Whole groups, each at the place where it lies, as who knows all but the salt would make them.
    let forge = |salt: &[u8; 16]| {
        let seal = Seal::new(salt, 0);
        let mut bytes = vec![7; 600];
        for group in 1..6 {
            let position = RecordPosition {
                group,
                segment: 0,
                offset: begin.offset + 21 + bytes.len() as u64,
                index: 0,
            };
            seal.encode(&mut bytes, &position, Flag::Last, b"forged")
                .unwrap();
        }
        bytes
    };
    let header = std::fs::read(path(&home, 0)).unwrap();
    let salt: [u8; 16] = header[32..48].try_into().unwrap();
    drop(journal);
    let before = std::fs::read(path(&home, 0)).unwrap();
    for (salt, is_forged) in [([9; 16], false), (salt, true)] {
        std::fs::write(path(&home, 0), &before).unwrap();
        let (mut journal, _) = open(&home, 1).unwrap();
        let forged = vec![vec![forge(&salt)]];
        append_all(&mut journal, &forged);
        assert_eq!(read(&journal, begin).unwrap(), forged);
        drop(journal);
        // The first sectors of it are lost, and with them its head.
        let mut bytes = std::fs::read(path(&home, 0)).unwrap();
        let begin = usize::try_from(begin.offset).unwrap();
        bytes[begin..][..512].fill(0);
        std::fs::write(path(&home, 0), bytes).unwrap();
        let opened = open(&home, 1);
        // With the salt it would be taken for the next groups: so the salt is what keeps it out.
        assert_eq!(opened.is_err(), is_forged);
        if let Ok((_, opened)) = opened {
            assert!(opened.end.group == 1 && opened.torn_bytes > 0);
        }
    }
}

#[test]
fn a_segment_of_a_newer_program_is_left_alone() {
    let small = Small::new();
    let mut bytes = small.segments[2].clone();
    bytes[11] = 2;
    let crc = crc32c::crc32c(&bytes[..508]);
    bytes[508..512].copy_from_slice(&crc.to_be_bytes());
    small.write(2, &bytes);
    let opened = open(&small.home, 9);
    assert!(matches!(
        opened,
        Err(JournalError::Newer { version: 2, .. })
    ));
}

#[test]
fn crash_after_crash_takes_no_more_space_than_what_is_whole() {
    let folder = folder();
    let home = folder.path().join("journal");
    let group = [vec![vec![7; 30]]];
    let mut journal = Journal::create(&home).unwrap();
    // Grown first, as one is that was used for long.
    while journal.acknowledged().segment < 7 {
        append_all(&mut journal, &[vec![vec![7; 3_000]]]);
    }
    let sizes = || {
        let files = std::fs::read_dir(&home).unwrap();
        files
            .map(|file| file.unwrap().metadata().unwrap().len())
            .sum::<u64>()
    };
    let mut acknowledged = journal.acknowledged();
    append_all(&mut journal, &group);
    let before = sizes();
    for _ in 0..8 {
        drop(journal);
        let tail = path(&home, acknowledged.segment);
        let mut bytes = std::fs::read(&tail).unwrap();
        let begin = usize::try_from(acknowledged.offset).unwrap();
        bytes[begin + 25] ^= 1;
        std::fs::write(&tail, bytes).unwrap();
        let (opened, found) = open(&home, acknowledged.group).unwrap();
        journal = opened;
        assert!(found.torn_bytes > 0);
        append_all(&mut journal, &group);
        acknowledged = journal.acknowledged();
        append_all(&mut journal, &group);
    }
    // What was whole of the first one that was cut off is large; all others are as small as the first of a journal.
    let first = std::fs::metadata(path(&home, 0)).unwrap().len();
    assert!(
        sizes() <= before + 8 * first + 64 * first,
        "{}",
        sizes() - before
    );
}

#[test]
fn a_torn_tail_is_left_and_the_next_group_begins_a_segment() {
    let small = Small::new();
    let mut bytes = small.segments[2].clone();
    let last = usize::try_from(small.appended[7].after.offset).unwrap();
    bytes[last + 30] ^= 1;
    small.write(2, &bytes);
    let (mut journal, opened) = open(&small.home, 8).unwrap();
    assert_eq!((opened.end.group, opened.torn_bytes), (8, 46));
    append_all(&mut journal, &small.model[8..]);
    assert_eq!(std::fs::read(path(&small.home, 2)).unwrap(), bytes);
    drop(journal);
    let (journal, opened) = open(&small.home, 9).unwrap();
    assert_eq!((opened.end.segment, opened.torn_bytes), (3, 0));
    assert_eq!(read(&journal, Position::START).unwrap(), small.model);
    assert_eq!(
        read(&journal, small.appended[7].after).unwrap(),
        small.model[8..]
    );
    assert!(salvage(&small.home, &small.model).1.is_empty());
    // What is left of it counts for nothing, also when it is whole again.
    small.mend(2);
    let (journal, _) = open(&small.home, 9).unwrap();
    assert_eq!(read(&journal, Position::START).unwrap(), small.model);
}
