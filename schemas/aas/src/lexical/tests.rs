use super::{is_representable, lexical_matches};

fn check(value_type: &str, accepted: &[&str], rejected: &[&str]) {
    for text in accepted {
        assert!(lexical_matches(value_type, text), "{value_type} {text:?}");
    }
    for text in rejected {
        assert!(!lexical_matches(value_type, text), "{value_type} {text:?}");
    }
}

#[test]
fn booleans_and_numbers() {
    check(
        "xs:boolean",
        &["true", "false", "1", "0"],
        &["True", "", "yes", " true", "2"],
    );
    check(
        "xs:integer",
        &["0", "-0", "+7", "007", &"9".repeat(60)],
        &["", "+", "1.0", "1e3", "--1", "٣"],
    );
    check(
        "xs:int",
        &["2147483647", "-2147483648", "+1", "0000000000000001"],
        &["2147483648", "1.5", "UNAVAILABLE"],
    );
    check("xs:byte", &["127", "-128"], &["128", "-129"]);
    check("xs:short", &["32767"], &["32768"]);
    check(
        "xs:long",
        &["-9223372036854775808"],
        &["9223372036854775808"],
    );
    check("xs:unsignedByte", &["255", "-0"], &["256", "-1"]);
    check("xs:unsignedShort", &["65535"], &["65536"]);
    check("xs:unsignedInt", &["4294967295"], &["4294967296"]);
    check(
        "xs:unsignedLong",
        &["18446744073709551615"],
        &["18446744073709551616"],
    );
    check("xs:positiveInteger", &["1", "+1"], &["0", "-1"]);
    check("xs:negativeInteger", &["-1"], &["0", "1", "-0"]);
    check("xs:nonNegativeInteger", &["0", "-0", "5"], &["-5"]);
    check("xs:nonPositiveInteger", &["0", "+0", "-5"], &["5"]);
    check(
        "xs:decimal",
        &["1", "-1.23", ".5", "5.", "+0.0", "0061707"],
        &["", ".", "1e3", "INF", "1,5", "1.2.3"],
    );
    for floating in ["xs:double", "xs:float"] {
        check(
            floating,
            &[
                "1.5",
                "-1E4",
                "12.78e-2",
                "INF",
                "-INF",
                "NaN",
                ".5e+3",
                "373.320060",
            ],
            &["", "+INF", "inf", "nan", "1e", "e3", "0x10", " 1", "1 "],
        );
    }
}

#[test]
fn dates_and_times() {
    check(
        "xs:dateTime",
        &[
            "2017-05-19T11:22:33Z",
            "2017-05-19T11:22:33.1234567Z",
            "2000-02-29T24:00:00",
            "-0001-02-29T00:00:00+14:00",
            "-0005-02-29T00:00:00",
            "-0401-02-29T00:00:00",
            "12017-05-19T11:22:33-05:30",
        ],
        &[
            "2017-05-19",
            "2017-5-19T11:22:33Z",
            "2017-02-29T00:00:00",
            "1900-02-29T00:00:00",
            "2017-05-19T24:00:01",
            "2017-05-19T24:00:00.1",
            "2017-05-19T11:22",
            "2017-05-19T11:22:33.",
            "2017-05-19T11:22:60",
            "2017-05-19 11:22:33",
            "2017-05-19T11:22:33+14:01",
            "017-05-19T11:22:33",
            "02017-05-19T11:22:33",
            "0000-05-19T11:22:33",
            "-0000-05-19T11:22:33",
            "-0004-02-29T00:00:00",
            "-0101-02-29T00:00:00",
            "2017-05-19T1ü:22:33",
        ],
    );
    check(
        "xs:date",
        &["2017-05-19", "2016-02-29Z", "2017-05-19-05:00"],
        &["2017-04-31", "2017-13-01", "2017-00-10", "2017-05-19T"],
    );
    check(
        "xs:time",
        &["14:23:00", "14:23:00.527634Z"],
        &["25:00:00", "14:23"],
    );
    check(
        "xs:gYear",
        &["2000", "2000+03:00"],
        &["00", "0000", "2000-"],
    );
    check("xs:gYearMonth", &["2000-01"], &["2000-13", "2000"]);
    check("xs:gMonth", &["--04", "--04+03:00"], &["-04", "--13"]);
    check("xs:gDay", &["---04"], &["---32", "--04"]);
    check("xs:gMonthDay", &["--02-29"], &["--02-30", "--04-31"]);
    check(
        "xs:duration",
        &["P30D", "-P1Y2M3DT1H", "PT1H5M0S", "PT0.5S", "P1M", "PT1M"],
        &[
            "", "P", "PT", "P1DT", "P1S", "PT1D", "P1M1Y", "PT.5S", "PT1H.5S", "PT1S1.5S", "PT1.S",
            "PT1.5H", "P1.5D", "1D",
        ],
    );
}

#[test]
fn texts_and_bytes() {
    let controls = ["\0", "bell\u{7}", "\u{1b}[0m", "\u{fffe}", "a\u{ffff}"];
    check(
        "xs:string",
        &["", "anything", "a\tb\r\nc", "\u{85}\u{1f600}"],
        &controls,
    );
    check("xs:anyURI", &["", "urn:example:1"], &controls);
    check("xs:hexBinary", &["", "6b75", "6B"], &["6", "6g"]);
    check(
        "xs:base64Binary",
        &["", "aGVsbG8=", "aGVs bG8=", "a G V s", "aA==", "aA= ="],
        &[
            "aGVsbG8",
            "a===",
            "aG=s",
            "aGV*",
            "====",
            "=",
            "aB==",
            "aGVsbG9=",
            " aGVs",
            "aGVs ",
            "aGVs  bG8=",
            "aGVs\nbG8=",
        ],
    );
    check("double", &[], &["1.5"]);
    check("xs:dateTimeStamp", &[], &["2017-05-19T11:22:33Z"]);
}

#[test]
fn what_a_type_cannot_hold() {
    use crate::value_type::DataTypeDefXsd::{Decimal, Double, Float};
    for (value_type, text, expected) in [
        (Double, "1.7976931348623157e308", true),
        (Double, "1e400", false),
        (Double, "-1E+400", false),
        (Double, "5e-324", true),
        (Double, "1e-400", false),
        (Double, "0e400", true),
        (Double, "-0.0", true),
        (Double, ".5", true),
        (Double, "5.", true),
        (Double, "INF", true),
        (Double, "NaN", true),
        (Float, "3.5e38", false),
        (Float, "1e-50", false),
        (Float, "3.4e38", true),
        (Decimal, &"9".repeat(400), true),
    ] {
        assert_eq!(is_representable(value_type, text), expected, "{text}");
    }
}
