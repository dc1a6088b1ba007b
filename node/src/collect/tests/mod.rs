//! Imports from end to end: text in, drafts or a refusal out.

mod proposals;
#[path = "../../../../tests/skipping/data.rs"]
mod published;
mod real_files;
#[path = "../../../../tests/skipping/mod.rs"]
mod skipping;

use super::*;
use ambit_ledger::{Quality, Readings, Salt, Time, When};
use std::io::Cursor;
use std::path::{Path, PathBuf};

const FACTS: &str = r#"
    source = "mill-4"
    submodel = "urn:s"
    semantic_id = "urn:m"
    data_class = "toolpath"
    owner = "did:web:plates.example"
    trade_secret = false
"#;

/// A wide map of one number and one text; `before` goes on top.
fn wide(before: &str) -> String {
    format!(
        r#"{before}
        [time]
        column = "t"
        zone = "UTC"
        [[column]]
        name = "a"
        path = "A"
        value_type = "xs:double"
        unit = "mm"
        [[column]]
        name = "b"
        path = "B"
        value_type = "xs:string"
        "#
    )
}

fn now() -> Time {
    "2026-11-01T00:00:00Z".parse().unwrap()
}

fn run(text: impl AsRef<[u8]>, map: &str) -> Result<(Vec<Draft>, ImportReport), ImportError> {
    run_with(text, map, FACTS, "")
}

fn run_with(
    text: impl AsRef<[u8]>,
    map: &str,
    facts: &str,
    overrides: &str,
) -> Result<(Vec<Draft>, ImportReport), ImportError> {
    let map = Map::parse(map).unwrap();
    let facts = FactsFile::parse(facts).unwrap();
    let overrides = FactsFile::parse(overrides).unwrap();
    let mut import = import(Cursor::new(text), &map, &facts, &overrides, now(), |_| ())?;
    let drafts = import.by_ref().collect::<Result<Vec<_>, _>>()?;
    assert_eq!(import.report().drafts, drafts.len() as u64);
    for draft in &drafts {
        let salt = Salt::from_bytes([0; 32]);
        let readings = draft.readings.clone();
        Readings { salt, readings }.encode().unwrap();
    }
    Ok((drafts, import.report().clone()))
}

fn values(drafts: &[Draft]) -> Vec<(&str, Option<&str>)> {
    let readings = drafts.iter().flat_map(|draft| &draft.readings);
    readings
        .map(|reading| (reading.path.as_str(), reading.value.as_deref()))
        .collect()
}

#[test]
fn a_plain_file_needs_no_declarations() {
    let (drafts, report) = run("t,a,b\n2026-05-01 08:00:00,373.320060,x\n", &wide("")).unwrap();
    assert_eq!(
        values(&drafts),
        [("A", Some("373.320060")), ("B", Some("\"x\""))]
    );
    let reading = &drafts[0].readings[0];
    assert_eq!(reading.unit.as_ref().unwrap().as_str(), "mm");
    assert_eq!(reading.value_type.as_ref().unwrap().as_str(), "xs:double");
    assert_eq!(reading.when.from().to_string(), "2026-05-01T08:00:00Z");
    assert_eq!(
        (report.rows, report.readings, report.unreadable_rows),
        (1, 2, 0)
    );
}

#[test]
fn one_content_in_many_encodings_has_one_fingerprint() {
    let text = "t;a;b\r\n2026-05-01 08:00;1,50;µ\r\n";
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let with_mark = [b"\xff\xfe".as_slice(), &utf16].concat();
    let big: Vec<u8> = format!("\u{feff}{text}")
        .encode_utf16()
        .flat_map(u16::to_be_bytes)
        .collect();
    let latin: Vec<u8> = text.chars().map(|letter| letter as u8).collect();
    let comma = "decimal = \",\"";
    let mut seen = Vec::new();
    for (bytes, before) in [
        (text.as_bytes().to_vec(), comma.to_owned()),
        (format!("\u{feff}{text}").into_bytes(), comma.to_owned()),
        (with_mark, comma.to_owned()),
        (big, comma.to_owned()),
        (utf16, format!("encoding = \"utf-16le\"\n{comma}")),
        (
            latin,
            format!("{comma}\nencoding = \"windows-1252\"\ndelimiter = \";\""),
        ),
        (
            b"a,t,b\n1.50,2026-05-01 08:00,\xc2\xb5\n".to_vec(),
            "decimal = \".\"".to_owned(),
        ),
    ] {
        let (drafts, _) = run(bytes, &wide(&before)).unwrap();
        assert_eq!(values(&drafts), [("A", Some("1.50")), ("B", Some("\"µ\""))]);
        seen.push(drafts[0].fingerprint().to_string());
    }
    seen.dedup();
    // Frozen: a store compares these with those it kept.
    assert_eq!(
        seen,
        ["b87c095792d0776dce2884ee3760da0893758604ef9575061189ad09c4db2fa0"]
    );
}

#[test]
fn whole_files_are_refused_before_the_first_draft() {
    let good = "2026-05-01 08:00,1,x\n";
    let open_zone = wide("").replace("zone = \"UTC\"", "");
    let cases: [(String, String, &str); 9] = [
        (String::new(), wide("delimiter = \",\""), "empty"),
        (
            format!("t,c,b\n{good}"),
            wide(""),
            "no column `a`: the file has `t`, `c`, `b`",
        ),
        (
            format!("t,a,a,b\n{good}"),
            wide("delimiter = \",\""),
            "more than one column `a`",
        ),
        (
            format!("t,a,b\n{good}2026-05-01 08:00,\"1,234\",x\n"),
            wide(""),
            "line 3, column `a`: `1,234`",
        ),
        (
            "t;a;b\n2026-05-01 08:00;1.234;x\n".to_owned(),
            wide(""),
            "set `decimal`",
        ),
        (format!("t,a,b\n{good}2026\n"), wide(""), "set `delimiter`"),
        (
            format!("t,a,b\n{good}"),
            open_zone,
            "line 2, column `t`: the time `2026-05-01 08:00` carries no offset",
        ),
        (
            format!("t,a,b\n{good}\u{1}"),
            wide("encoding = \"utf-16le\""),
            "delimiter",
        ),
        (
            format!("\u{feff}t,a,b\n{good}"),
            wide("encoding = \"windows-1252\""),
            "byte order mark of UTF-8",
        ),
    ];
    for (text, map, expected) in cases {
        let error = run(&text, &map).unwrap_err().to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }
    let error = run(b"t,a,b\n2026-05-01 08:00,1,\xb5\n", &wide(""))
        .unwrap_err()
        .to_string();
    assert!(error.contains("set `encoding`"), "{error}");
}

#[test]
fn a_row_that_cannot_be_read_is_listed_and_the_rest_kept() {
    let map = wide("delimiter = \",\"\nencoding = \"utf-8\"\ndecimal = \".\"")
        .replace("\"UTC\"", "\"Europe/Berlin\"");
    let text = b"t,a,b\r\n\
        2026-05-01 08:00,1,\"one\r\ntwo\"\r\n\
        \r\n\
        \r\n\
        2026-05-01 08:00,1 mm,x\r\n\
        yesterday,1,x\r\n\
        2026-10-25 02:30,1,x\r\n\
        2026-03-29 02:30,1,x\r\n\
        2026-05-01 08:00,1\r\n\
        \"2026-05-01 08:00\",\"1,5\",\"y\r\nz\"\r\n\
        2026-05-01 08:00,1,\xb5\r\n\
        2026-05-01 08:01,2,x";
    let (drafts, report) = run(text, &map).unwrap();
    let listed: Vec<_> = report
        .unreadable
        .iter()
        .map(|row| (row.line, row.reason.as_str()))
        .collect();
    let expected = [
        (6, "column `a`: `1 mm` is no xs:double"),
        (7, "column `t`: `yesterday` is no time"),
        (
            8,
            "column `t`: the local time `2026-10-25 02:30` happened twice",
        ),
        (9, "column `t`: the local time `2026-03-29 02:30` never was"),
        (10, "2 fields, where the file has 3 columns"),
        (11, "column `a`: `1,5` is no xs:double"),
        (
            13,
            "column `b` has bytes that are not of the file's encoding",
        ),
    ];
    assert_eq!(listed.len(), expected.len(), "{listed:?}");
    for ((line, reason), (expected_line, start)) in listed.into_iter().zip(expected) {
        assert_eq!(line, expected_line, "{reason}");
        assert!(reason.starts_with(start), "{reason}");
    }
    assert_eq!(
        (report.rows, report.unreadable_rows, report.readings),
        (9, 7, 4)
    );
    assert_eq!(
        values(&drafts),
        [
            ("A", Some("1")),
            ("B", Some("\"one\\ntwo\"")),
            ("A", Some("2")),
            ("B", Some("\"x\""))
        ]
    );
    assert_eq!(drafts.len(), 2, "one per minute");
}

#[test]
fn missing_values_are_qualities_and_stated_qualities_hold() {
    let map = wide("[quality]\nNOK = \"bad\"").replace("unit = \"mm\"", "quality_column = \"q\"");
    let time = "2026-05-01 08:00";
    let text = format!(
        "t,a,b,q\n{time},,UNAVAILABLE,good\n{time},1,x,NOK\n{time},UNAVAILABLE,,Uncertain\n{time},,x,unavailable\n{time},1,x,empty\n{time},1,x,?\n"
    );
    let (drafts, report) = run(text, &map).unwrap();
    let qualities: Vec<_> = drafts[0]
        .readings
        .iter()
        .map(|reading| (reading.quality, reading.value.is_some()))
        .collect();
    use Quality::{Bad, Empty, Good, Unavailable};
    assert_eq!(
        qualities,
        [
            (Empty, false),
            (Unavailable, false),
            (Bad, true),
            (Good, true),
            (Unavailable, false),
            (Empty, false),
            (Unavailable, false),
            (Good, true),
        ]
    );
    let lines: Vec<_> = report.unreadable.iter().map(|row| row.line).collect();
    assert_eq!(lines, [6, 7]);
    assert!(
        report.unreadable[0]
            .reason
            .contains("its quality says that there is none")
    );
    assert!(report.unreadable[1].reason.contains("`?` is no quality"));
}

#[test]
fn facts_come_from_file_map_columns_and_overrides_in_this_order() {
    let map = wide("").replace(
        "[time]",
        r#"[facts]
        site = "from-map"
        revision = "from-map"
        process = "from-map"
        [facts_columns]
        revision = "rev"
        process = "rev"
        lot = { column = "lot", assigner = "did:web:aero-one.example" }
        [time]"#,
    );
    let facts = format!("{FACTS}\nsite = \"from-file\"\nasset = \"from-file\"");
    let text = "t,a,b,rev,lot\n2026-05-01 08:00,1,x,A,7\n2026-05-01 08:00,2,x,B,7\n2026-05-01 08:00,3,x,A,7\n2026-05-01 08:00,3,x,,7\n";
    let (drafts, report) = run_with(text, &map, &facts, "process = \"from-line\"").unwrap();
    assert_eq!(drafts.len(), 2, "one per revision");
    let facts = &drafts[0].facts;
    let shown = [&facts.asset, &facts.site, &facts.revision, &facts.process]
        .map(|fact| fact.as_ref().unwrap().as_str());
    assert_eq!(shown, ["from-file", "from-map", "A", "from-line"]);
    assert_eq!(
        facts.lot.as_ref().unwrap().to_string(),
        "7 (did:web:aero-one.example)"
    );
    assert_eq!(drafts[0].readings.len(), 4);
    assert_eq!(report.unreadable.len(), 1);
    assert!(
        report.unreadable[0]
            .reason
            .contains("column `rev`: name is empty")
    );

    // A column may supply a required fact; without it the file is refused.
    let map = wide("").replace("[time]", "[facts_columns]\nsource = \"b\"\n[time]");
    let without = FACTS.replace("source = \"mill-4\"", "");
    let text = "t,a,b\n2026-05-01 08:00,1,x\n";
    assert_eq!(
        run_with(text, &map, &without, "").unwrap().0[0]
            .facts
            .source
            .as_str(),
        "x"
    );
    let error = run_with(text, &wide(""), &without, "").unwrap_err();
    assert!(matches!(
        error,
        ImportError::Facts(FactsError::Missing("source"))
    ));
}

#[test]
fn intervals_group_by_their_span() {
    let map = wide("").replace("column = \"t\"", "from_column = \"t\"\nto_column = \"u\"");
    let text = "t,u,a,b\n2026-05-01 08:00,2026-05-01 09:00,1,x\n2026-05-01 09:00,2026-05-01 10:00,2,x\n2026-05-01 09:00,2026-05-01 08:00,2,x\n";
    let (drafts, report) = run(text, &map).unwrap();
    assert_eq!(drafts.len(), 2);
    let (from, to) = drafts[1].span().unwrap();
    assert_eq!(from.to_string(), "2026-05-01T09:00:00Z");
    assert_eq!(to.to_string(), "2026-05-01T10:00:00Z");
    assert!(matches!(drafts[0].readings[0].when, When::Interval { .. }));
    assert!(report.unreadable[0].reason.contains("before it starts"));
}

#[test]
fn progress_ends_at_the_length_of_the_file() {
    let text = "t,a,b\n2026-05-01 08:00,1,x\n".to_owned() + &"2026-05-01 08:00,1,x\n".repeat(9_000);
    let map = Map::parse(&wide("")).unwrap();
    let facts = FactsFile::parse(FACTS).unwrap();
    let mut told = Vec::new();
    let tell = |bytes| told.push(bytes);
    let import = import(
        Cursor::new(&text),
        &map,
        &facts,
        &FactsFile::default(),
        now(),
        tell,
    )
    .unwrap();
    let drafts: Vec<_> = import.map(Result::unwrap).collect();
    assert_eq!(
        drafts
            .iter()
            .map(|draft| draft.readings.len())
            .sum::<usize>(),
        18_002
    );
    assert!(told.is_sorted());
    assert_eq!(told.last(), Some(&(text.len() as u64)));
}

#[test]
fn what_lies_in_the_future_is_refused_row_by_row() {
    let text = "t,a,b\n2026-05-01 06:00,1.5,x\n2026-11-01 00:05:00,2,x\n2026-11-01 00:05:01,3,x\n2062-05-01 06:00,4,x\n";
    let (drafts, report) = run(text, &wide("")).unwrap();
    assert_eq!(report.readings, 4);
    assert_eq!(values(&drafts)[2], ("A", Some("2")));
    let lines: Vec<_> = report.unreadable.iter().map(|row| row.line).collect();
    assert_eq!(lines, [4, 5]);
    let reason = &report.unreadable[1].reason;
    assert!(
        reason.starts_with("column `t`: 2062-05-01T06:00:00Z is more than 300 seconds after now")
            && reason.contains("the zone it is read in"),
        "{reason}"
    );
    let interval = wide("").replace("column = \"t\"", "from_column = \"t\"\nto_column = \"u\"");
    let text = "t,u,a,b\n2026-05-01 06:00,2027-05-01 06:00,1,x\n";
    let (_, report) = run(text, &interval).unwrap();
    assert!(report.unreadable[0].reason.starts_with("column `u`"));
    let fixed = wide("").replace("column = \"t\"", "at = \"2027-05-01T06:00:00Z\"");
    let error = run("t,a,b\nx,1,x\n", &fixed.replace("zone = \"UTC\"", ""));
    assert!(matches!(error, Err(ImportError::Ahead(_))));
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

#[test]
fn a_quotation_mark_left_open_does_not_swallow_rows_unseen() {
    let row = "2026-05-01 08:00,1,x\n";
    for text in [
        format!("t,a,b\n{row}2026-05-01 08:00,1,\"x\n{row}{row}"),
        format!("t,a,b\n{row}2026-05-01 08:00,1,\"x\n{row}2026-05-01 08:00,1,\"x\n"),
    ] {
        let (_, report) = run(text, &wide("delimiter = \",\"")).unwrap();
        // The row that opens it, and the two that it takes in: each is a row that is not kept.
        assert_eq!((report.rows, report.unreadable_rows), (4, 3));
        assert_eq!((report.readings, report.unreadable.len()), (2, 1));
        assert_eq!(report.unreadable[0].line, 3);
        assert!(report.unreadable[0].reason.contains("quotation mark"));
    }
}

#[test]
fn a_quoted_field_of_several_lines_that_is_closed_is_one_row() {
    let remark = "spindle 2 noisy\nsaid to Anna, she looks, at it\nrestarted at 9";
    let row = "2026-05-01 08:01,2,ok\n";
    let text = format!("t,a,b\n2026-05-01 08:00,1,\"{remark}\"\n{row}");
    for text in [
        text.clone(),
        text.replace('\n', "\r\n"),
        text.trim_end().to_owned(),
    ] {
        let (drafts, report) = run(text, &wide("delimiter = \",\"")).unwrap();
        assert_eq!((report.rows, report.unreadable_rows), (2, 0), "{report:?}");
        let told = serde_json::to_string(remark).unwrap();
        assert_eq!(values(&drafts)[1], ("B", Some(told.as_str())));
    }
    // The last field of a file, and one beside which a field holds a mark of its own.
    let last = format!("t,a,b\n2026-05-01 08:00,1,\"{remark}\"");
    assert_eq!(run(last, &wide("")).unwrap().1.unreadable_rows, 0);
    // Closed by what opens another field, and of as many fields as the header: only its marks tell.
    let text = format!("t,a,b\n2026-05-01 08:00,\"1,x\n2026-05-01 08:00,1,\",x\"\n{row}");
    let (_, report) = run(text, &wide("delimiter = \",\"")).unwrap();
    assert_eq!((report.rows, report.unreadable_rows), (3, 2), "{report:?}");
}

#[test]
fn a_row_between_two_quotation_marks_is_no_text_of_another() {
    let row = |minute: u32, a: &str, b: &str| format!("2026-05-01 08:0{minute},{a},{b}\n");
    let whole = row(4, "4", "ok");
    // Marks that stand for *the same*, in the last column and in one before it; and a mark that opens before inches.
    for (one, other) in [
        (row(1, "1", "\""), row(2, "2", "\"")),
        (row(1, "\"", "x"), row(2, "\"", "y")),
        (row(1, "1", "\"open"), row(2, "2", "5\"")),
    ] {
        let text = format!("t,a,b\n{one}{other}{whole}");
        let (_, report) = run(text, &wide("delimiter = \",\"")).unwrap();
        assert_eq!(
            (report.rows, report.unreadable_rows),
            (3, 2),
            "{one}{other}"
        );
    }
    // Also where the time comes last, behind the mark that closes.
    let row = |minute: u32, a: &str, b: &str| format!("{a},{b},2026-05-01 08:0{minute}\n");
    let whole = row(4, "4", "ok");
    for (one, other) in [
        (row(1, "1", "\""), row(2, "2", "\"")),
        (row(1, "1", "\"rough"), row(2, "2", "smooth\"")),
    ] {
        let text = format!("a,b,t\n{one}{other}{whole}");
        let (_, report) = run(text, &wide("delimiter = \",\"")).unwrap();
        let told = (report.rows, report.unreadable_rows);
        assert_eq!(told, (3, 2), "{one}{other}");
    }
}

#[test]
fn a_first_line_that_names_the_delimiter_is_heeded() {
    let rows = "t;a;b\n2026-05-01 08:00;1;x\n2026-05-01 99:00;1;x\n";
    for (line, before) in [("sep=;\n", ""), ("\"sep=;\"\r\n", "delimiter = \";\"")] {
        let map = wide(&format!("{before}\ndecimal = \".\""));
        let (drafts, report) = run(format!("{line}{rows}"), &map).unwrap();
        assert_eq!(values(&drafts), [("A", Some("1")), ("B", Some("\"x\""))]);
        assert_eq!(report.unreadable[0].line, 4);
    }
    let error = run(format!("sep=;\n{rows}"), &wide("delimiter = \",\"")).unwrap_err();
    assert!(error.to_string().contains("`sep=`"), "{error}");
    let proposed = propose_map(format!("sep=;\n{rows}").as_bytes()).unwrap();
    assert!(proposed.contains("\ndelimiter = \";\"\n"), "{proposed}");
    assert!(!proposed.contains("sep="), "{proposed}");
}
