//! What a node must not have is in none of its files and in no frame that was ever sent to it.

use super::*;
use ambit_ledger::ObservationId;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use std::collections::{BTreeMap, BTreeSet};

/// Names that occur nowhere by chance.
const SUPPLIER: &str = "shop";
const FIRST: &str = "kestrel-aero";
const SECOND: &str = "osprey-rotor";

/// Who an observation is for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum For {
    First,
    Second,
    Nobody,
}

/// One kind of observation with its own markers in every fact that takes a text, and in its reading.
struct Kind {
    whom: For,
    customer: &'static str,
    program: &'static str,
    class: &'static str,
    label: &'static str,
    /// Its export control is not determined, so nobody gets it.
    is_open: bool,
}

const KINDS: [Kind; 5] = [
    Kind {
        whom: For::First,
        customer: FIRST,
        program: "prg-falcate-7q1",
        class: "inspection-result",
        label: "k1x",
        is_open: false,
    },
    Kind {
        whom: For::Nobody,
        customer: FIRST,
        program: "prg-falcate-7q1",
        class: "process-parameters",
        label: "k2x",
        is_open: false,
    },
    Kind {
        whom: For::Second,
        customer: SECOND,
        program: "prg-hovering-2w8",
        class: "toolpath",
        label: "k3x",
        is_open: false,
    },
    Kind {
        whom: For::Nobody,
        customer: SECOND,
        program: "prg-hovering-2w8",
        class: "inspection-result",
        label: "k4x",
        is_open: false,
    },
    Kind {
        whom: For::Nobody,
        customer: FIRST,
        program: "prg-falcate-7q1",
        class: "inspection-result",
        label: "k5x",
        is_open: true,
    },
];

/// How many observations of each kind.
const EACH: u32 = 6;

impl Kind {
    fn marker(&self, field: &str) -> String {
        format!("{}-{field}-mark", self.label)
    }

    /// Markers in facts: kept as evidence, so in plaintext in the ledger of whoever has the observation.
    fn fact_markers(&self) -> Vec<String> {
        [
            "serial", "site", "asset", "sub", "sem", "lot", "part", "process", "order", "source",
        ]
        .map(|field| self.marker(field))
        .into()
    }

    fn reading_marker(&self) -> String {
        self.marker("value")
    }

    fn drafts(&self) -> Vec<Draft> {
        let more = |field: &str| self.marker(field);
        let owner = format!("did:web:{SUPPLIER}.example");
        let lines = format!(
            "serial = \"{}\"\nsite = \"{}\"\nasset = \"{}\"\nprocess = \"{}\"\nlot = {{ assigner = \"{owner}\", value = \"{}\" }}\norder = {{ assigner = \"{owner}\", value = \"{}\" }}\npart = {{ assigner = \"{owner}\", value = \"{}\" }}\n",
            more("serial"),
            more("site"),
            more("asset"),
            more("process"),
            more("lot"),
            more("order"),
            more("part"),
        );
        let mut facts = facts(self.customer, self.program, self.class, &lines);
        facts.submodel = Some(more("sub").parse().unwrap());
        facts.semantic_id = Some(more("sem").parse().unwrap());
        facts.source = Some(more("source").parse().unwrap());
        if self.is_open {
            facts.export_control = None;
        }
        (0..EACH)
            .flat_map(|number| drafts_of(&facts, &format!("{}-{number}", self.reading_marker())))
            .collect()
    }
}

/// Every form in which bytes may lie in a file or a frame.
fn forms(bytes: &[u8]) -> Vec<Vec<u8>> {
    let lower = hex::encode(bytes);
    let upper = lower.to_ascii_uppercase();
    let mut forms = vec![bytes.to_vec(), lower.into_bytes(), upper.into_bytes()];
    // Base64 from each of the three places it may start at; what depends on the neighbours is cut off.
    for start in 0..3 {
        let whole = bytes.len().saturating_sub(start) / 3 * 3;
        let Some(part) = bytes
            .get(start..start + whole)
            .filter(|part| part.len() >= 6)
        else {
            continue;
        };
        forms.push(STANDARD_NO_PAD.encode(part).into_bytes());
        forms.push(URL_SAFE_NO_PAD.encode(part).into_bytes());
    }
    let numbers: Vec<String> = bytes.iter().map(ToString::to_string).collect();
    forms.push(numbers.join(",").into_bytes());
    forms.push(numbers.join(", ").into_bytes());
    forms.push(bytes.iter().rev().copied().collect());
    forms
}

fn text_forms(text: &str) -> Vec<Vec<u8>> {
    let mut forms = forms(text.as_bytes());
    forms.push(text.to_ascii_uppercase().into_bytes());
    forms.push(text.encode_utf16().flat_map(u16::to_le_bytes).collect());
    forms.push(text.encode_utf16().flat_map(u16::to_be_bytes).collect());
    forms
}

/// The database may store the start of a key apart from the rest, so the middle of an id has to do.
fn id_forms(id: &ObservationId) -> Vec<Vec<u8>> {
    let bytes = id.digest().as_bytes();
    let mut found = forms(bytes);
    found.extend(forms(&bytes[12..28]));
    found
}

/// What one node has, by name: each of its files, its bundle, every frame that came to it by its own record,
/// and every frame that went to it by the sender's.
struct Holdings {
    files: Vec<(String, Vec<u8>)>,
    bundle: Vec<u8>,
    frames: Vec<(String, Vec<u8>)>,
}

impl Holdings {
    fn of(place: &Path, bundle: Vec<u8>, supplier_place: &Path, key: PeerKey) -> Self {
        let named = |name: &str, frames: Vec<FrameOf>| {
            let name = name.to_owned();
            frames
                .into_iter()
                .map(move |frame| (name.clone(), frame.bytes))
        };
        let own = recorded_frames(place);
        let mut sent = recorded_frames(supplier_place);
        sent.retain(|frame| frame.is_sent && frame.peer == key.to_string());
        assert!(!own.is_empty() && !sent.is_empty());
        Self {
            files: files(place)
                .into_iter()
                .map(|(path, content)| (path.display().to_string(), content))
                .collect(),
            bundle,
            frames: named("its own record", own)
                .chain(named("the supplier's record", sent))
                .collect(),
        }
    }

    fn everything(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let bundle = ("its bundle", self.bundle.as_slice());
        self.files
            .iter()
            .chain(&self.frames)
            .map(|(name, content)| (name.as_str(), content.as_slice()))
            .chain([bundle])
    }

    fn assert_without(&self, whose: &str, what: &str, forms: &[Vec<u8>]) {
        for (name, content) in self.everything() {
            for form in forms {
                assert!(!contains(content, form), "{whose} has {what} in {name}");
            }
        }
    }

    fn is_in_files(&self, text: &str) -> bool {
        self.files
            .iter()
            .any(|(_, content)| contains(content, text.as_bytes()))
    }

    fn is_in_frames(&self, text: &[u8]) -> bool {
        self.frames.iter().any(|(_, frame)| contains(frame, text))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_of_another_is_in_any_file_or_frame() {
    let folder = tempfile::tempdir().unwrap();
    let places = [SUPPLIER, FIRST, SECOND].map(|name| init(folder.path(), name));
    let [shop_place, first_place, second_place] = &places;
    let shop = Running::start(shop_place).await;
    let first = Running::start(first_place).await;
    let second = Running::start(second_place).await;
    let now = crate::clock::now();
    let text = quality(FIRST, KINDS[0].program, "");
    sign(&first.node, &shop.node, &text, now);
    let text = declaration(SECOND, KINDS[2].program, "toolpath", MANUFACTURING);
    sign(&second.node, &shop.node, &text, now);
    let mut ids: BTreeMap<For, BTreeSet<ObservationId>> = BTreeMap::new();
    for kind in &KINDS {
        let report = shop.node.observe(kind.drafts(), true, now).unwrap();
        let observed = report.observed.iter().map(|observed| observed.id);
        ids.entry(kind.whom).or_default().extend(observed);
    }
    let all = u64::from(EACH);
    until("all is acknowledged", || {
        acknowledged(&shop.node) == [all, all]
    })
    .await;
    let nodes = [&shop.node, &first.node, &second.node];
    audit(&shop.node, &nodes.map(|node| &**node));
    audit(&first.node, &[&shop.node, &first.node]);
    audit(&second.node, &[&shop.node, &second.node]);
    let keys = nodes.map(|node| peer_of(node));
    let [shop_bundle, first_bundle, second_bundle] = nodes.map(|node| bundle(node));
    for running in [shop, first, second] {
        running.stop().await;
    }

    let own = [(
        For::First,
        first_place,
        first_bundle,
        keys[1],
        SECOND,
        KINDS[2].program,
    )];
    let other = [(
        For::Second,
        second_place,
        second_bundle,
        keys[2],
        FIRST,
        KINDS[0].program,
    )];
    for (whom, place, bundle, key, rival, rival_program) in own.into_iter().chain(other) {
        let whose = place.file_name().unwrap().to_string_lossy().into_owned();
        let holdings = Holdings::of(place, bundle, shop_place, key);
        // Who else there is.
        let (rival_name, _) = rival.split_once('-').unwrap();
        for name in [rival, rival_name, rival_program] {
            holdings.assert_without(&whose, name, &text_forms(name));
        }
        // What is not for it.
        for kind in KINDS.iter().filter(|kind| kind.whom != whom) {
            for marker in kind
                .fact_markers()
                .into_iter()
                .chain([kind.reading_marker()])
            {
                holdings.assert_without(&whose, &marker, &text_forms(&marker));
            }
        }
        for (_, ids) in ids.iter().filter(|(other, _)| **other != whom) {
            for id in ids {
                holdings.assert_without(&whose, &format!("the id {id}"), &id_forms(id));
            }
        }
        // The same search finds what is for it; readings lie sealed even there.
        for kind in KINDS.iter().filter(|kind| kind.whom == whom) {
            for marker in kind.fact_markers() {
                assert!(holdings.is_in_files(&marker), "{whose} lacks {marker}");
                assert!(
                    holdings.is_in_frames(marker.as_bytes()),
                    "{whose} never got {marker}"
                );
            }
            let marker = kind.reading_marker();
            assert!(
                holdings.is_in_frames(marker.as_bytes()),
                "{whose} never got {marker}"
            );
            assert!(
                !holdings.is_in_files(&marker),
                "{whose} has {marker} in plaintext"
            );
            assert!(contains(&holdings.bundle, marker.as_bytes()));
        }
        for id in &ids[&whom] {
            let middle = &id.digest().as_bytes()[12..28];
            assert!(
                holdings
                    .files
                    .iter()
                    .any(|(_, content)| contains(content, middle))
            );
        }
    }
    // The owner's own readings are sealed too, whether they left or not.
    let own_files = files(shop_place);
    for kind in &KINDS {
        let is_found = |marker: &str| {
            own_files
                .iter()
                .any(|(_, content)| contains(content, marker.as_bytes()))
        };
        assert!(!is_found(&kind.reading_marker()), "in plaintext");
        assert!(is_found(&kind.marker("serial")));
        assert!(contains(&shop_bundle, kind.reading_marker().as_bytes()));
    }
}
