//! What a report says, to people and to programs.

use super::*;

#[test]
fn the_gravest_finding_decides() {
    let mut report = Report::begin(Task::Replay, &"a".parse().unwrap(), 1);
    let mut codes = vec![report.exit_code()];
    for rule in [
        Rule::BlobMissing,
        Rule::ReplayDiffers,
        Rule::BlobMissing,
        Rule::Tree,
        Rule::ReplayDiffers,
        Rule::BundleShape,
    ] {
        report.add(rule, None, String::new());
        codes.push(report.exit_code());
    }
    assert_eq!(codes, [0, 3, 4, 4, 1, 1, 6]);
}

#[test]
fn people_and_programs_read_the_same() {
    let mut report = Report::begin(Task::Verify, &"did:web:acme.example".parse().unwrap(), 3);
    report.add(Rule::Sequence, Some(2), "3 follows 1".to_owned());
    let text = report.to_string();
    assert!(text.contains("ledger of    did:web:acme.example\n"));
    assert!(text.contains(
        "\nintegrity (sequence) at entry 2: sequence numbers leave one out, or repeat one\n  3 follows 1\n"
    ));
    assert!(text.ends_with("\nintegrity failure\n"));
    assert!(!text.contains("judged again"));
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["verdict"], "integrity-failure");
    assert_eq!(json["findings"][0]["rule"], "sequence");
    assert_eq!(json["findings"][0]["severity"], "integrity");
    assert_eq!(json["checked"]["entries"], 0);
}

#[test]
fn the_guide_lists_every_answer_with_its_exit_code() {
    let guide = include_str!("../../AUDITING.md");
    for verdict in [
        AuditVerdict::Verified,
        AuditVerdict::IntegrityFailure,
        AuditVerdict::Incomplete,
        AuditVerdict::DecisionDiffers,
        AuditVerdict::Equivocation,
        AuditVerdict::Unreadable,
    ] {
        let row = format!("| {} | *{}* |", verdict.exit_code(), verdict.text());
        assert!(guide.contains(&row), "AUDITING.md lacks `{row}`");
    }
}
