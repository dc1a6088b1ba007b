//! What `ambit why` prints, to the letter.

use super::*;
use crate::holding::Unasked;
use ambit_policy::NoLimits;
use serde_json::{Value, json};

fn answer(purposes: Value, verdict: &str) -> Why {
    serde_json::from_value(json!({
        "observation": "ab".repeat(32),
        "to": "did:web:b.example",
        "partnership": "b/quality",
        "verdict": verdict,
        "state": "active",
        "recorded": {"outcome": "withheld", "entry": 14, "at": "2026-05-01T08:00:00Z", "is_offered_again": false, "answer": null},
        "may_be_offered": false,
        "purposes": purposes,
        "unasked": null,
    }))
    .unwrap()
}

fn purpose(purpose: &str, verdict: &str, layers: Value) -> Value {
    json!({"purpose": purpose, "verdict": verdict, "layers": layers, "errors": []})
}

fn layer(layer: &str, verdict: &str, policies: Value, near_misses: Value) -> Value {
    json!({
        "layer": layer, "verdict": verdict, "policies": policies, "errors": [], "near_misses": near_misses,
    })
}

fn sticky_and_partnership() -> Value {
    json!([
        layer(
            "sticky",
            "withheld",
            json!([{"policy": "no-outsiders", "forbids": true}]),
            json!([{
                "policy": "no-outsiders",
                "says": "forbidden",
                "error": null,
                "failed": [{
                    "text": "context.partnership.members.containsAll(resource.named)",
                    "holds": false,
                    "saw": [
                        {"expression": "context.partnership.members", "value": "[a, b]"},
                        {"expression": "resource.named", "value": "[a, c]"},
                    ],
                }],
            }])
        ),
        layer(
            "partnership",
            "withheld",
            json!([]),
            json!([{
                "policy": "partnership-transfer",
                "says": "not-permitted",
                "error": null,
                "failed": [{
                    "text": "resource.dataClass in [Ambit::DataClass::\"quality\"]",
                    "holds": false,
                    "saw": [{"expression": "resource.dataClass", "value": "tool\u{202e}path"}],
                }],
            }])
        ),
    ])
}

const HEAD: &str = "\
observation  abababababababababababababababababababababababababababababababab
to           did:web:b.example
partnership  b/quality
";

#[test]
fn a_no_names_layers_policies_parts_and_values() {
    let layers = sticky_and_partnership();
    let purposes = json!([
        purpose("urn:p", "withheld", layers.clone()),
        purpose("urn:q", "admissible", json!([])),
        purpose("urn:r", "withheld", layers),
    ]);
    let text = answers_text(&[answer(purposes, "withheld")]);
    let expected = format!(
        "{HEAD}\
verdict now  withheld
recorded     withheld, in entry 14

for urn:p, urn:r: withheld
  sticky: withheld
    no-outsiders: forbidden
      does not hold: context.partnership.members.containsAll(resource.named)
        saw: context.partnership.members = [a, b]
        saw: resource.named = [a, c]
  partnership: withheld
    partnership-transfer: not permitted
      does not hold: resource.dataClass in [Ambit::DataClass::\"quality\"]
        saw: resource.dataClass = tool\\u{{202e}}path

for urn:q: admissible
  every layer admits it
"
    );
    assert_eq!(text, expected);
}

#[test]
fn what_forbids_without_a_part_and_what_errs_are_told_apart() {
    let near = json!([
        {"policy": "never", "says": "forbidden", "error": null, "failed": []},
        {"policy": "secrets", "says": "forbidden", "error": null, "failed": [
            {"text": "resource.tradeSecret", "holds": true,
             "saw": [{"expression": "resource.tradeSecret", "value": "true"}]},
        ]},
    ]);
    let erring = json!([
        {"policy": "sums", "says": "undecided", "error": "integer overflow", "failed": [
            {"text": "(context.hop + 9) > 5", "holds": false,
             "saw": [{"expression": "context.hop", "value": "0"}]},
        ]},
    ]);
    let layers = json!([
        layer(
            "ip",
            "withheld",
            json!([
                {"policy": "never", "forbids": true},
                {"policy": "secrets", "forbids": true},
                {"policy": "cut", "forbids": true},
            ]),
            near
        ),
        layer(
            "owner",
            "undecided",
            json!([{"policy": "owner-default", "forbids": false}]),
            erring
        ),
        layer("regulatory", "withheld", json!([]), json!([])),
    ]);
    let mut purpose = purpose("urn:p", "undecided", layers);
    purpose["errors"] = json!(["an entity is missing"]);
    let text = answers_text(&[answer(json!([purpose]), "undecided")]);
    let expected = format!(
        "{HEAD}\
verdict now  undecided
recorded     withheld, in entry 14

for urn:p: undecided
  nothing can be asked, because a fact or a term does not fit the policies: an entity is missing
  ip: withheld
    never: forbidden
      always
    secrets: forbidden
      holds: resource.tradeSecret
        saw: resource.tradeSecret = true
    cut: forbidden
  owner: undecided
    sums: undecided: integer overflow
      fails: (context.hop + 9) > 5
        saw: context.hop = 0
    owner-default: permitted
  regulatory: withheld
    no policy permits it
"
    );
    assert_eq!(text, expected);
}

fn grounds(held: Value, recipients: Value) -> Grounds {
    serde_json::from_value(json!({
        "observation": "ab".repeat(32),
        "origin": "did:web:a.example",
        "entry": 9,
        "held": held,
        "recipients": recipients,
    }))
    .unwrap()
}

fn holding() -> Value {
    json!({
        "discloser": "did:web:a.example",
        "partnership": "b/quality",
        "edition": "cd".repeat(32),
        "disclosed_at": "2026-05-01T08:00:00Z",
        "hold_until": "2028-05-01T00:00:00Z",
        "is_past": false,
        "keep_until": null,
        "erasure": "readings",
        "purposes": ["urn:p"],
        "purposes_not_admitted": [],
        "onward_hops": 0,
        "recipients": ["did:web:b.example"],
        "not_after": "2027-01-01T00:00:00Z",
        "derived": null,
        "decision": "ef".repeat(32),
        "decision_entry": 8,
    })
}

#[test]
fn the_terms_on_which_it_is_held_are_shown() {
    let text = grounds_text(&grounds(json!([holding()]), json!([])));
    assert_eq!(
        text,
        "\
observation    abababababababababababababababababababababababababababababababab
signed by      did:web:a.example
entry          9
disclosed by   did:web:a.example, at 2026-05-01T08:00:00Z
partnership    b/quality
edition        cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd
hold until     2028-05-01T00:00:00Z
keep until     -
erasure takes  the readings; the facts stay as evidence
purposes       urn:p
pass on        no
derive         no
decision       efefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefef, in entry 8
"
    );
    let mut wide = holding();
    wide["is_past"] = json!(true);
    wide["purposes_not_admitted"] = json!(["urn:q"]);
    wide["onward_hops"] = json!(2);
    wide["derived"] = json!({
        "data_classes": ["spc"], "recipients": ["did:web:b.example"], "purposes": ["urn:p"],
    });
    let text = grounds_text(&grounds(json!([wide]), json!([])));
    for line in [
        "\nhold until     2028-05-01T00:00:00Z, which is past; this version erases nothing by itself\n",
        "\nnot admitted   urn:q\n",
        "\npass on        2 times at most, to did:web:b.example, before 2027-01-01T00:00:00Z\n",
        "\nderive         spc; for did:web:b.example; for urn:p\n",
    ] {
        assert!(text.contains(line), "{text}");
    }
    // Under two agreements it is held on the terms of both.
    let mut other = holding();
    other["partnership"] = json!("b/upkeep");
    let text = grounds_text(&grounds(json!([holding(), other]), json!([])));
    let said: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("partnership"))
        .collect();
    assert_eq!(
        said,
        ["partnership    b/quality", "partnership    b/upkeep"],
        "{text}"
    );
}

#[test]
fn ones_own_has_one_line_for_each_recipient() {
    let layers = sticky_and_partnership();
    let mut unasked = answer(json!([]), "withheld");
    unasked.unasked = Some(Unasked::NoLimits(NoLimits::None));
    let recipients = [
        answer(
            json!([
                purpose("urn:p", "admissible", json!([])),
                purpose("urn:q", "withheld", layers.clone()),
            ]),
            "admissible",
        ),
        answer(json!([purpose("urn:p", "withheld", layers)]), "withheld"),
        unasked,
    ];
    let grounds = grounds(json!([]), json!(recipients));
    assert_eq!(
        grounds_text(&grounds),
        "\
observation  abababababababababababababababababababababababababababababababab
signed by    did:web:a.example
entry        9

TO                 PARTNERSHIP  VERDICT     RECORDED               BECAUSE
did:web:b.example  b/quality    admissible  withheld, in entry 14  for urn:p
did:web:b.example  b/quality    withheld    withheld, in entry 14  withheld by sticky, partnership
did:web:b.example  b/quality    withheld    withheld, in entry 14  no layer was asked: the owner has set no limits; signing an agreement sets them
"
    );
    assert_eq!(
        grounds_hint(&grounds, "abab").unwrap(),
        "`ambit why abab --to did:web:b.example` shows why it does not go there under `b/quality`"
    );
}

#[test]
fn hints_name_the_next_command() {
    let nobody = grounds(json!([]), json!([]));
    assert!(grounds_text(&nobody).contains("goes to      nobody\n"));
    let hint = grounds_hint(&nobody, "abab").unwrap();
    assert!(hint.contains("`ambit partner list`"), "{hint}");
    let hint = grounds_hint(&grounds(json!([holding()]), json!([])), "abab").unwrap();
    assert!(hint.contains("`ambit get abab`"), "{hint}");
    let mut unasked = answer(json!([]), "withheld");
    let hint = answers_hint(std::slice::from_ref(&unasked), "abab");
    assert!(hint.contains("`ambit get abab`"), "{hint}");
    unasked.unasked = Some(Unasked::NotOwn {
        origin: "did:web:c.example".parse().unwrap(),
    });
    assert!(answers_hint(&[unasked], "abab").contains("`ambit why abab`"));
}

#[test]
fn what_others_named_is_one_word_of_a_command() {
    let mut near = purpose("urn:p", "withheld", sticky_and_partnership());
    let policy = &mut near["layers"][1]["near_misses"][0];
    policy["asks_for"] = json!(["ddtc;x"]);
    policy["asks_for_licence"] = json!(true);
    let mut hostile = answer(json!([near]), "withheld");
    hostile.to = "-x;touch P".parse().unwrap();
    hostile.partnership = "x; touch P #".parse().unwrap();
    hostile.licence = Some("$(touch P)".parse().unwrap());
    hostile.may_be_offered = true;
    let text = one_answer(&hostile);
    let offer = "`ambit partner offer 'x; touch P #'`";
    assert!(text.contains(offer), "{text}");
    let hints = attest_hints(std::slice::from_ref(&hostile)).join("\n");
    for command in [
        "`ambit attest --as 'ddtc;x' --number NUMBER --until DATE -- '-x;touch P'`",
        "`ambit attest --as export-licence --number '$(touch P)' --until DATE --regime REGIME --authority ORGANIZATION \
         --item ITEM --destination COUNTRY -- '-x;touch P'`",
    ] {
        assert!(hints.contains(command), "{hints}");
    }
    let grounds = grounds(json!([]), json!([hostile]));
    assert_eq!(
        grounds_hint(&grounds, "abab").unwrap(),
        "`ambit why abab --to='-x;touch P'` shows why it does not go there under `x; touch P #`"
    );
}

#[test]
fn what_the_recipient_says_and_what_may_be_offered_again_is_told() {
    let mut answer = answer(json!([]), "admissible");
    answer.may_be_offered = true;
    let text = one_answer(&answer);
    assert!(text.contains("`ambit partner offer b/quality`"), "{text}");
    answer.recorded = serde_json::from_value(json!({
        "outcome": "disclosed", "entry": 3, "at": "2026-05-01T08:00:00Z",
        "is_offered_again": true,
        "answer": {"entry": 5, "code": "not-admissible", "comes_again": true},
    }))
    .unwrap();
    assert_eq!(
        recorded(&answer),
        "disclosed, in entry 3; offered again since; not taken in by the recipient (not-admissible), in entry 5; \
         offered again once its grounds have changed"
    );
    answer.recorded = None;
    assert_eq!(recorded(&answer), "nothing yet");
}

#[test]
fn the_json_has_its_shape() {
    let answer = answer(
        json!([purpose("urn:p", "withheld", sticky_and_partnership())]),
        "withheld",
    );
    let json = serde_json::to_value([answer]).unwrap();
    let near = &json[0]["purposes"][0]["layers"][1]["near_misses"][0];
    assert_eq!(near["says"], "not-permitted");
    assert_eq!(
        near["failed"][0]["saw"][0]["expression"],
        "resource.dataClass"
    );
    let text = json!(grounds(json!([holding()]), json!([])));
    assert_eq!(text["held"], json!([holding()]));
}
