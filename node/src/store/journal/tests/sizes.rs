//! What is appended is read back, whatever its size, from wherever.

use super::super::faults::Plan;
use super::super::{
    GROUP_BYTES_MAX, Journal, JournalError, Position, RECORD_BYTES_MAX, RecordPosition,
};
use super::{Groups, Numbers, append_all, count, folder, open, path, read, salvage};

#[test]
fn ten_thousand_groups_are_read_back() {
    let home = folder();
    let home = home.path().join("journal");
    let model = Numbers(10).groups(10_000, 300);
    let mut journal = Journal::create(&home).unwrap();
    let appended = append_all(&mut journal, &model);
    assert!(read(&journal, Position::START).unwrap() == model);
    drop(journal);
    let (mut journal, opened) = open(&home, 10_000).unwrap();
    assert_eq!(opened.end, appended.last().unwrap().after);
    assert!(opened.end.segment > 8);
    assert!(read(&journal, Position::START).unwrap() == model);
    append_all(&mut journal, &model[..3]);
    assert_eq!(read(&journal, opened.end).unwrap(), model[..3]);
}

#[test]
fn every_position_that_was_given_leads_on() {
    let home = folder();
    let home = home.path().join("journal");
    let model = Numbers(11).groups(40, 900);
    let mut journal = Journal::create(&home).unwrap();
    let appended = append_all(&mut journal, &model);
    let end = journal.acknowledged();
    drop(journal);
    for (appended, number) in appended.iter().zip(1..) {
        let (journal, opened) = Journal::open(&home, appended.after, appended.after.group).unwrap();
        assert_eq!(opened.end, end);
        assert_eq!(read(&journal, appended.after).unwrap(), model[number..]);
        let group = journal.read(appended.after).unwrap().next();
        assert_eq!(group.is_none(), number == model.len());
    }
    let (reader, opened) = Journal::read_only(&home, end, end.group).unwrap();
    assert_eq!((reader.end(), opened.end), (end, end));
    let records = reader.read(Position::START).unwrap();
    let positions = records.flat_map(|group| group.unwrap().records);
    let positions: Vec<RecordPosition> = positions.map(|record| record.position).collect();
    let given = appended
        .iter()
        .flat_map(|appended| appended.records.clone());
    assert!(given.eq(positions));
}

#[test]
fn a_position_of_nothing_is_unknown() {
    let home = folder();
    let home = home.path().join("journal");
    let mut journal = Journal::create(&home).unwrap();
    append_all(&mut journal, &[vec![b"one".to_vec(), b"two".to_vec()]]);
    let far = Position {
        group: 2,
        segment: 0,
        offset: 600,
    };
    assert!(matches!(
        journal.read(far),
        Err(JournalError::Unknown { .. })
    ));
    // The group that lies there is another one.
    append_all(&mut journal, &[vec![b"three".to_vec()]]);
    let other = Position {
        group: 1,
        ..Position::START
    };
    let damaged = read(&journal, other);
    assert!(matches!(damaged, Err(JournalError::Damaged(_))));
    drop(journal);
    let behind = Position {
        offset: 99_999,
        ..Position::START
    };
    let opened = Journal::open(&home, behind, 0);
    assert!(matches!(opened, Err(JournalError::Unknown { .. })));
}

#[test]
fn a_group_larger_than_a_segment_gets_one_that_holds_it() {
    let home = folder();
    let home = home.path().join("journal");
    let mut numbers = Numbers(12);
    let model: Groups = vec![
        vec![numbers.bytes(9_000)],
        vec![],
        vec![vec![]],
        vec![vec![7; RECORD_BYTES_MAX], vec![], numbers.bytes(100)],
        vec![b"last".to_vec()],
    ];
    let mut journal = Journal::create(&home).unwrap();
    append_all(&mut journal, &model);
    let bytes = |number| std::fs::metadata(path(&home, number)).unwrap().len();
    assert_eq!([bytes(0), bytes(1)], [4_096, 12_288]);
    assert_eq!(
        bytes(2),
        (RECORD_BYTES_MAX as u64 + 512).next_multiple_of(4_096)
    );
    drop(journal);
    let (journal, _) = open(&home, 5).unwrap();
    assert!(read(&journal, Position::START).unwrap() == model);
    assert_eq!(salvage(&home, &model), (vec![0, 1, 2, 3, 4], vec![]));
}

#[test]
fn a_group_that_fills_its_segment_to_the_last_byte_is_read_back() {
    for short_of in 0..30 {
        let home = folder();
        let home = home.path().join("journal");
        let mut journal = Journal::create(&home).unwrap();
        let model = vec![
            vec![vec![1; 4_096 - 512 - 21 - short_of]],
            vec![b"next".to_vec()],
        ];
        append_all(&mut journal, &model);
        drop(journal);
        let (journal, opened) = open(&home, 2).unwrap();
        // A record of four bytes takes 25.
        assert_eq!(opened.end.segment, u32::from(short_of < 25));
        assert_eq!(read(&journal, Position::START).unwrap(), model);
    }
}

#[test]
fn what_is_too_large_is_refused_and_the_journal_goes_on() {
    let home = folder();
    let home = home.path().join("journal");
    let mut journal = Journal::create(&home).unwrap();
    let large = vec![0; RECORD_BYTES_MAX + 1];
    let refused = journal.append(&[&large]);
    assert!(matches!(refused, Err(JournalError::RecordTooLarge(_))));
    // Four of the largest records, with their heads, are more than a group holds.
    let refused = journal.append(&[&large[1..]; GROUP_BYTES_MAX / RECORD_BYTES_MAX]);
    assert!(matches!(refused, Err(JournalError::GroupTooLarge(_))));
    let model = vec![vec![b"small".to_vec()]];
    append_all(&mut journal, &model);
    assert_eq!(read(&journal, Position::START).unwrap(), model);
    let again = Journal::create(&home);
    assert!(matches!(again, Err(JournalError::AlreadyThere(_))));
}

#[test]
fn what_is_not_synced_is_not_read() {
    let home = folder();
    let home = home.path().join("journal");
    let mut journal = Journal::create(&home).unwrap();
    let reader = journal.reader();
    journal.append(&[b"one"]).unwrap();
    assert_eq!(count(&read(&journal, Position::START).unwrap()), 0);
    journal.sync().unwrap();
    assert_eq!(count(&read(&journal, Position::START).unwrap()), 1);
    assert_eq!(reader.read(Position::START).unwrap().count(), 0);
}

#[test]
fn reading_only_touches_nothing() {
    let home = folder();
    let home = home.path().join("journal");
    let model = Numbers(13).groups(30, 500);
    append_all(&mut Journal::create(&home).unwrap(), &model);
    let plan = Plan::count(&home);
    let (reader, _) = Journal::read_only(&home, Position::START, 30).unwrap();
    assert_eq!(reader.read(Position::START).unwrap().count(), 30);
    assert_eq!(Journal::salvage(&home).unwrap().count(), 30);
    assert!(plan.points().is_empty());
}
