//! Which file of the node imports which, read from the text: `use` trees and paths that begin with `crate`, `super`
//! or a child's name. A name that a room passes on with `pub use` counts as the file that has it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// A module's place below the crate's root.
type Place = Vec<String>;

/// One source file as the graph sees it.
struct Module {
    text: String,
    children: BTreeSet<String>,
    /// What it passes on from its children, by the name it gives it.
    passed_on: BTreeMap<String, Place>,
}

/// The modules of a crate, tests aside.
pub struct Graph {
    modules: BTreeMap<Place, Module>,
}

impl Graph {
    /// Reads all that lies below a crate's `src`.
    pub fn read(src: &Path) -> Self {
        let mut texts = BTreeMap::new();
        read_folder(src, &mut Vec::new(), &mut texts);
        Self::of(texts)
    }

    fn of(texts: BTreeMap<Place, String>) -> Self {
        let places: BTreeSet<Place> = texts.keys().cloned().collect();
        let modules = texts.into_iter().map(|(place, text)| {
            let text = without_tests(&without_prose(&text));
            let children: BTreeSet<String> = places
                .iter()
                .filter(|other| other.len() == place.len() + 1 && other.starts_with(&place))
                .map(|other| other[place.len()].clone())
                .collect();
            let (text, passed_on) = take_passed_on(&text, &children);
            let module = Module {
                text,
                children,
                passed_on,
            };
            (place, module)
        });
        Self {
            modules: modules.collect(),
        }
    }

    /// Each file with those it imports.
    pub fn files(&self) -> BTreeMap<Place, BTreeSet<Place>> {
        let edges = self.modules.iter().map(|(place, module)| {
            let mut targets: BTreeSet<Place> = paths(&module.text)
                .into_iter()
                .filter_map(|path| self.resolve(place, &path))
                .collect();
            targets.remove(place);
            (place.clone(), targets)
        });
        edges.collect()
    }

    /// Each room, a folder or file at the top, with those it imports.
    pub fn rooms(&self) -> BTreeMap<Place, BTreeSet<Place>> {
        let mut rooms: BTreeMap<Place, BTreeSet<Place>> = BTreeMap::new();
        for (place, targets) in self.files() {
            let Some(room) = place.first() else { continue };
            let targets = targets
                .iter()
                .filter_map(|target| target.first())
                .filter(|target| *target != room)
                .map(|target| vec![target.clone()]);
            rooms.entry(vec![room.clone()]).or_default().extend(targets);
        }
        rooms
    }

    fn resolve(&self, from: &Place, path: &[String]) -> Option<Place> {
        let (first, rest) = path.split_first()?;
        let module = &self.modules[from];
        match first.as_str() {
            "crate" => self.descend(Vec::new(), rest, 0),
            "self" => self.descend(from.clone(), rest, 0),
            "super" => {
                let mut at = from.clone();
                at.pop();
                let mut rest = rest;
                while let Some((next, more)) = rest.split_first()
                    && next == "super"
                {
                    at.pop();
                    rest = more;
                }
                self.descend(at, rest, 0)
            }
            child if module.children.contains(child) => self.descend(from.clone(), path, 0),
            _ => None,
        }
    }

    /// Follows a path down from a module to the file that has what it names.
    fn descend(&self, mut at: Place, path: &[String], depth: usize) -> Option<Place> {
        assert!(depth < 16, "{at:?} passes {path:?} on in a circle");
        for (index, segment) in path.iter().enumerate() {
            let module = self.modules.get(&at)?;
            if module.children.contains(segment) {
                at.push(segment.clone());
            } else if let Some(passed_on) = module.passed_on.get(segment) {
                let further = [passed_on, &path[index + 1..]].concat();
                return self.descend(at, &further, depth + 1);
            } else {
                return Some(at);
            }
        }
        self.modules.contains_key(&at).then_some(at)
    }
}

/// The groups of nodes that can all be reached from each other, where there is more than one in it.
pub fn circles(edges: &BTreeMap<Place, BTreeSet<Place>>) -> Vec<BTreeSet<String>> {
    let reach = |from: &Place| {
        let mut reached = BTreeSet::new();
        let mut open = vec![from];
        while let Some(at) = open.pop() {
            for next in edges.get(at).into_iter().flatten() {
                if reached.insert(next) {
                    open.push(next);
                }
            }
        }
        reached
    };
    let reached: BTreeMap<&Place, BTreeSet<&Place>> =
        edges.keys().map(|place| (place, reach(place))).collect();
    let mut circles = BTreeSet::new();
    for (place, targets) in &reached {
        let both = targets
            .iter()
            .filter(|target| {
                reached
                    .get(*target)
                    .is_some_and(|back| back.contains(place))
            })
            .map(|target| target.join("/"));
        let both: BTreeSet<String> = both.collect();
        if !both.is_empty() {
            circles.insert(both);
        }
    }
    circles.into_iter().collect()
}

fn read_folder(folder: &Path, place: &mut Place, texts: &mut BTreeMap<Place, String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name == "tests" || name == "tests.rs" || name == "main.rs" {
            continue;
        }
        if path.is_dir() {
            place.push(name);
            read_folder(&path, place, texts);
            place.pop();
        } else if let Some(stem) = name.strip_suffix(".rs") {
            let mut at = place.clone();
            if stem != "mod" && stem != "lib" {
                at.push(stem.to_owned());
            }
            texts.insert(at, std::fs::read_to_string(&path).unwrap());
        }
    }
}

/// Without comments; strings stay, for no path in one begins like an import.
fn without_prose(text: &str) -> String {
    text.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n")
}

/// Tests come last in a file.
fn without_tests(text: &str) -> String {
    let end = text.find("#[cfg(test)]\nmod tests {");
    text[..end.unwrap_or(text.len())].to_owned()
}

/// Takes out what a module passes on from its children: it imports nothing by that.
fn take_passed_on(text: &str, children: &BTreeSet<String>) -> (String, BTreeMap<String, Place>) {
    let mut rest = String::new();
    let mut passed_on = BTreeMap::new();
    for statement in text.split_inclusive(';') {
        let start = statement.rfind("\npub").map_or(0, |at| at + 1);
        let is_passed_on = statement[start..].starts_with("pub")
            && statement[start..]
                .split_once(" use ")
                .is_some_and(|(before, _)| !before.contains(['{', '=']) && before.len() < 24);
        let tree = statement[start..].split_once(" use ").map(|(_, tree)| tree);
        match tree.filter(|_| is_passed_on) {
            Some(tree) => {
                rest.push_str(&statement[..start]);
                for (path, name) in expand(tree.trim_end_matches(';')) {
                    if path.first().is_some_and(|first| children.contains(first)) {
                        passed_on.insert(name, path);
                    } else {
                        rest.push_str(&format!("use {};\n", path.join("::")));
                    }
                }
            }
            None => rest.push_str(statement),
        }
    }
    (rest, passed_on)
}

/// All paths in a text: those of its `use` trees, whole, and those in its code.
fn paths(text: &str) -> Vec<Place> {
    let mut found = Vec::new();
    let mut code = String::new();
    for statement in text.split_inclusive(';') {
        let start = ["\nuse ", "\n    use "]
            .iter()
            .filter_map(|word| statement.rfind(word).map(|at| at + word.len()))
            .max();
        let start = start.or_else(|| statement.starts_with("use ").then_some(4));
        match start {
            Some(start) => {
                code.push_str(&statement[..start]);
                let tree = statement[start..].trim_end_matches(';');
                found.extend(expand(tree).into_iter().map(|(path, _)| path));
            }
            None => code.push_str(statement),
        }
    }
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    for (at, _) in code.match_indices("::") {
        let start = code[..at]
            .rfind(|c| !is_word(c))
            .map_or(0, |before| before + 1);
        if start == at || code[..start].ends_with("::") {
            continue;
        }
        let end = code[at..]
            .find(|c: char| !is_word(c) && c != ':')
            .map_or(code.len(), |after| at + after);
        let path = code[start..end].split("::").filter(|part| !part.is_empty());
        found.push(path.map(str::to_owned).collect());
    }
    found
}

/// The paths of a `use` tree, each with the name it gets.
fn expand(tree: &str) -> Vec<(Place, String)> {
    let tree = tree.trim();
    if tree.is_empty() {
        return Vec::new();
    }
    if let Some((before, group)) = tree.split_once('{') {
        let prefix: Place = segments(before);
        let group = &group[..group.rfind('}').unwrap()];
        let mut depth = 0;
        let parts = group.split(|c| {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                _ => {}
            }
            c == ',' && depth == 0
        });
        let parts = parts.flat_map(expand).map(|(path, name)| {
            let path = if path == ["self"] { Vec::new() } else { path };
            ([prefix.clone(), path].concat(), name)
        });
        return parts.collect();
    }
    let (path, renamed) = tree.split_once(" as ").unwrap_or((tree, ""));
    let path = segments(path);
    let last = path.last().cloned().unwrap_or_default();
    let name = if renamed.is_empty() {
        last
    } else {
        renamed.trim().to_owned()
    };
    vec![(path, name)]
}

fn segments(path: &str) -> Place {
    path.split("::")
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect()
}

#[test]
fn imports_are_read_from_text() {
    let texts = [
        ("", "pub mod a;\npub mod b;"),
        (
            "a",
            "mod one;\nmod two;\npub use one::{First, Other as Second};\npub(crate) use two::third;",
        ),
        ("a/one", "use super::two::third;\npub struct First;"),
        (
            "a/two",
            "//! `crate::b::B`\npub fn third() {}\n#[cfg(test)]\nmod tests {\n    use super::super::one::First;\n}",
        ),
        (
            "b",
            "use crate::a::{First, third as other};\nfn f() -> crate::a::Second { x(super::a::two::y) }",
        ),
    ];
    let place = |text: &str| segments(&text.replace('/', "::"));
    let texts = texts.map(|(at, text)| (place(at), text.to_owned()));
    let graph = Graph::of(texts.into());
    let files = graph.files();
    let expected = |at: &str, targets: &[&str]| {
        let targets: BTreeSet<Place> = targets.iter().map(|target| place(target)).collect();
        assert_eq!(files[&place(at)], targets, "{at}");
    };
    expected("a", &[]);
    expected("a/one", &["a/two"]);
    expected("a/two", &[]);
    expected("b", &["a/one", "a/two"]);
    assert!(circles(&files).is_empty());
    assert_eq!(graph.rooms()[&place("b")], BTreeSet::from([place("a")]));

    let circle = [
        ("a", "use crate::b::B;"),
        ("b", "use crate::c::C;"),
        ("c", "use crate::a::A;"),
        ("", ""),
    ];
    let circle = circle.map(|(at, text)| (place(at), text.to_owned()));
    let found = circles(&Graph::of(circle.into()).files());
    let all = ["a", "b", "c"].map(str::to_owned);
    assert_eq!(found, [BTreeSet::from(all)]);
}
