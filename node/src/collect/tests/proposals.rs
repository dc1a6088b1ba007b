//! Proposed maps, and what they read.

use super::*;

#[test]
fn proposals_say_what_is_certain_and_leave_the_rest_to_set() {
    let long = (0..9).fold(String::new(), |text, second| {
        let key = ["F", "S"][second % 2];
        text + &format!("2026-05-01T08:00:0{second}Z|{key}|{second}.5\n")
    });
    for (text, certain, open) in [
        (
            "time,serial,Diameter 10,ok\n2026-05-01T08:00:00Z,1,3.9961,true\n".to_owned(),
            vec![
                "column = \"time\"",
                "zone = \"in-value\"",
                "delimiter = \",\"",
                "path = \"Diameter_10\"",
                "value_type = \"xs:double\"",
                "value_type = \"xs:boolean\"",
                "decimal = \".\"",
                "encoding = \"utf-8\"",
            ],
            vec!["# serial = \"serial\""],
        ),
        (
            "Zeit;Wert\n2026-05-01 08:00;1,5\n2026-05-01 08:01;2,250\n".to_owned(),
            vec!["column = \"Zeit\"", "delimiter = \";\"", "decimal = \",\""],
            vec!["# zone ="],
        ),
        (
            "Zeit;Wert\n2026-05-01 08:00;1,500\n".to_owned(),
            vec!["value_type = \"xs:double\""],
            vec!["# decimal = \",\""],
        ),
        (
            long,
            vec![
                "header = false",
                "[long]",
                "path_column = \"2\"",
                "key = \"F\"",
            ],
            vec![],
        ),
    ] {
        let map = propose_map(Cursor::new(&text)).unwrap();
        let is_set = |line: &&str| map.lines().any(|set| set.starts_with(*line));
        for line in certain.iter().chain(&open) {
            assert!(is_set(line), "{line}\n{map}");
        }
        Map::parse(&map).unwrap_or_else(|error| panic!("{error:?}\n{map}"));
    }
    for (text, expected) in [
        ("a,1,2\nx,3,4\n", "[[column]]\nname = \"1\""),
        (
            "t,Ø außen\nx,1.5\ny,-\nz,n/a\n",
            "path = \"O_aussen\"\nvalue_type = \"xs:double\"",
        ),
        ("1,2\n3,4\n", "header = false  #"),
        ("a,b\nx,y\n", "# header = false  # set this"),
        (
            "a,b\n1.2.3.4,2\n",
            "path = \"a\"\nvalue_type = \"xs:string\"",
        ),
        ("a,b\n1,2\n3\n", "# delimiter = \",\"  # set this"),
    ] {
        let map = propose_map(Cursor::new(text)).unwrap();
        assert!(map.contains(expected), "{text}: {map}");
    }
    let map = propose_map(Cursor::new("day,value\n1/5/2026,\"a\"\n")).unwrap();
    assert!(map.contains("# column = \"time\"  # set this"), "{map}");
    assert!(matches!(Map::parse(&map), Err(MapError::Time)), "{map}");
    let map = propose_map(Cursor::new(b"t,a\n2026-05-01T08:00:00Z,\xb5\n")).unwrap();
    assert!(
        map.contains("# encoding = \"windows-1252\"  # set this"),
        "{map}"
    );
    let error = propose_map(Cursor::new("")).unwrap_err();
    assert!(error.to_string().contains("the file is empty"), "{error}");
    assert!(matches!(
        propose_map(Cursor::new("a\n1\n")),
        Err(ProposeError::Recognition(_))
    ));
}

#[test]
fn a_proposal_for_the_example_reads_it() {
    let path = repository().join("federation-examples/supplier-quality/data");
    for (file, readings) in [("plate-05-cnc-run.csv", 4_007), ("plates.csv", 20 * 40)] {
        let text = std::fs::read_to_string(path.join(file)).unwrap();
        let mut map = propose_map(Cursor::new(&text)).unwrap();
        if file == "plates.csv" {
            // Days alone are no times: a person says what they mean.
            map = map.replace(
                "# column = \"time\"",
                "column = \"reported\"\nzone = \"UTC\"\nformat = \"%Y-%m-%d\"",
            );
            map = map
                .replace("name = \"reported\"", "name = \"status\"")
                .replace("path = \"reported\"", "path = \"again\"");
        }
        let (_, report) = run(&text, &map).unwrap();
        assert_eq!(
            (report.readings, report.unreadable_rows),
            (readings, 0),
            "{map}"
        );
    }
}
