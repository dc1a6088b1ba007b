//! The files that come with the repository, and machine logs where they are at hand.

use super::*;
use skipping::skip;

fn example(file: &str, map: &str) -> (Vec<Draft>, ImportReport) {
    let folder = repository().join("federation-examples/supplier-quality");
    let read = |path: &str| std::fs::read_to_string(folder.join(path)).unwrap();
    run_with(read(file), &read(map), &read("supplier/facts.toml"), "").unwrap()
}

#[test]
fn the_plates_of_the_example_are_read_whole() {
    let (drafts, report) = example("data/plates.csv", "supplier/plates.map.toml");
    assert_eq!((report.rows, report.readings, report.drafts), (20, 760, 20));
    assert_eq!((report.unreadable_rows, report.ignored_rows), (0, 0));
    let first = &drafts[0];
    assert_eq!(first.facts.serial.as_ref().unwrap().as_str(), "1");
    assert_eq!(
        first.facts.part.as_ref().unwrap().to_string(),
        "PLATE-1 (did:web:aero-one.example)"
    );
    assert!(first.facts.export_control.determined && !first.facts.trade_secret);
    let cone = first
        .readings
        .iter()
        .find(|reading| reading.path.as_str() == "Cone_Angle_1")
        .unwrap();
    assert_eq!(cone.value.as_deref(), Some("88.881"));
    assert!(!format!("{drafts:?}").contains("rotor-two"));
    let again = example("data/plates.csv", "supplier/plates.map.toml").0;
    assert!(
        drafts
            .iter()
            .zip(&again)
            .all(|(one, other)| one.fingerprint() == other.fingerprint())
    );
}

#[test]
fn the_machine_run_of_the_example_is_read_whole() {
    let (drafts, report) = example("data/plate-05-cnc-run.csv", "supplier/cnc-run.map.toml");
    assert_eq!(
        (report.rows, report.readings, report.drafts),
        (4_007, 4_007, 11)
    );
    assert_eq!((report.unreadable_rows, report.ignored_rows), (0, 0));
    let empty = drafts
        .iter()
        .flat_map(|draft| &draft.readings)
        .filter(|reading| reading.quality == Quality::Empty);
    assert_eq!(empty.count(), 1);
    let facts = &drafts[0].facts;
    assert_eq!(
        facts.design_authority.as_ref().unwrap().as_str(),
        "did:web:rotor-two.example"
    );
    assert!(!format!("{drafts:?}").contains("aero-one"));
}

#[test]
fn a_machine_log_without_header_is_read() {
    let path = published::data(&repository()).join("nist-sms/Hurco01-20170518-20170519.txt");
    let Ok(text) = std::fs::read(&path) else {
        let why = format!(
            "{} is not there; AMBIT_DATA names another folder",
            path.display()
        );
        return skip("collect::a_machine_log_without_header_is_read", &why);
    };
    let element = |key: &str, value_type: &str| {
        format!("[[element]]\nkey = \"{key}\"\npath = \"{key}\"\nvalue_type = \"{value_type}\"\n")
    };
    let doubles = [
        "Block_Number",
        "Current_Tool",
        "Feed_Override",
        "Feed_Rate",
        "Part_Count",
    ];
    let more = [
        "Program_Runtime_Seconds",
        "Rapid_Override",
        "Spindle_Override",
        "Spindle_Speed",
        "Spindle_Time",
    ];
    let texts = [
        "EStop_State",
        "Program_Name_Editing",
        "Program_Name_Running",
        "Program_Status",
        "avail",
    ];
    let mut map = String::from(
        r#"delimiter = "|"
        header = false
        decimal = "."
        [time]
        column = "1"
        zone = "in-value"
        [long]
        path_column = "2"
        value_column = "3"
        ignore = ["Hurco01_asset_chg", "Hurco01_asset_rem"]
        "#,
    );
    map.extend(
        doubles
            .iter()
            .chain(&more)
            .map(|key| element(key, "xs:double")),
    );
    map.extend(texts.iter().map(|key| element(key, "xs:string")));
    let (drafts, report) = run(&text, &map).unwrap();
    assert_eq!(
        (report.rows, report.ignored_rows, report.unreadable_rows),
        (2_211, 2, 0)
    );
    assert_eq!(report.readings, 2_209);
    let readings: Vec<_> = drafts.iter().flat_map(|draft| &draft.readings).collect();
    let unavailable = readings
        .iter()
        .filter(|reading| reading.quality == Quality::Unavailable);
    assert_eq!(unavailable.count(), 44);

    let path = path.with_file_name("Plate-Hurco04-05of20.txt");
    let (drafts, report) = run(std::fs::read(path).unwrap(), &map).unwrap();
    assert_eq!((report.rows, report.unreadable_rows), (6_686, 1));
    assert_eq!(report.unreadable[0].line, 3_164);
    let first: Time = "2017-02-01T17:42:26.1875Z".parse().unwrap();
    assert_eq!(drafts[0].span().unwrap().0, first);
    let speed = drafts[0]
        .readings
        .iter()
        .find(|reading| reading.path.as_str() == "Spindle_Speed");
    assert_eq!(speed.unwrap().value.as_deref(), Some("373.320060"));
}
