//! The example itself: its files, which the binary carries with it, and the three organizations in it.

use super::DemoError;
use crate::collect::{FactsFile, Map};
use crate::config::{ApiSettings, ExampleSettings, MeshSettings, OrganizationSettings, Settings};
use crate::link::Quota;
use ambit_ledger::OrganizationId;
use std::collections::BTreeSet;
use std::str::FromStr;

/// What the keys and salts of the example follow from.
const SEED: &str = "supplier-quality";

/// A file of the example.
macro_rules! file {
    ($path:literal) => {
        include_str!(concat!(
            "../../../federation-examples/supplier-quality/",
            $path
        ))
    };
}

const SUPPLIER_FACTS: &str = file!("supplier/facts.toml");

/// One organization of the example.
#[derive(Debug)]
pub(super) struct Character {
    /// The folder of its node, and of its files in the example.
    pub(super) folder: &'static str,
    id: &'static str,
    pub(super) name: &'static str,
    seat: &'static str,
    /// What it declares to the supplier; nothing for the supplier itself.
    pub(super) declaration: Option<&'static str>,
    /// The ids of the observations it holds in the end, ascending, one per line.
    expected: &'static str,
}

/// Who takes part: the supplier, then its two customers.
pub(super) const CAST: [Character; 3] = [
    Character {
        folder: "plates",
        id: "did:web:plates.example",
        name: "Plate Works",
        seat: "US",
        declaration: None,
        expected: file!("expected/plates.txt"),
    },
    Character {
        folder: "aero-one",
        id: "did:web:aero-one.example",
        name: "Aero One",
        seat: "US",
        declaration: Some(file!("aero-one/partnership.toml")),
        expected: file!("expected/aero-one.txt"),
    },
    Character {
        folder: "rotor-two",
        id: "did:web:rotor-two.example",
        name: "Rotor Two",
        seat: "DE",
        declaration: Some(file!("rotor-two/partnership.toml")),
        expected: file!("expected/rotor-two.txt"),
    },
];

/// A file that the supplier imports.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) name: &'static str,
    pub(super) content: &'static str,
    map: &'static str,
}

/// What the supplier imports, in this order.
pub(super) const SOURCES: [Source; 2] = [
    Source {
        name: "plates.csv",
        content: file!("data/plates.csv"),
        map: file!("supplier/plates.map.toml"),
    },
    Source {
        name: "plate-05-cnc-run.csv",
        content: file!("data/plate-05-cnc-run.csv"),
        map: file!("supplier/cnc-run.map.toml"),
    },
];

impl Character {
    pub(super) fn organization(&self) -> Result<OrganizationId, DemoError> {
        literal(self.id)
    }

    /// The settings of its node, listening for peers on this port of the loopback address.
    pub(super) fn settings(&self, port: u16) -> Result<Settings, DemoError> {
        let seat = literal(self.seat)?;
        Ok(Settings {
            organization: OrganizationSettings {
                id: self.organization()?,
                name: literal(self.name)?,
                hosting: BTreeSet::from([literal(self.seat)?]),
                personnel: BTreeSet::from([literal(self.seat)?]),
                seat,
                claims: Vec::new(),
            },
            mesh: MeshSettings {
                listen: vec![format!("/ip4/127.0.0.1/tcp/{port}")],
                ..MeshSettings::default()
            },
            api: ApiSettings::default(),
            quotas: Quota::default(),
            example: Some(ExampleSettings {
                seed: literal(SEED)?,
            }),
        })
    }

    /// The ids of the observations it holds in the end.
    pub(super) fn expected(&self) -> BTreeSet<String> {
        self.expected.lines().map(str::to_owned).collect()
    }
}

impl Source {
    pub(super) fn map(&self) -> Result<Map, DemoError> {
        Ok(Map::parse(self.map)?)
    }
}

/// The facts that hold for all that the supplier observes.
pub(super) fn supplier_facts() -> Result<FactsFile, DemoError> {
    Ok(FactsFile::parse(SUPPLIER_FACTS)?)
}

fn literal<T: FromStr>(text: &str) -> Result<T, DemoError> {
    text.parse()
        .map_err(|_| DemoError::Example(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::partnership::Declaration;

    #[test]
    fn the_files_of_the_example_are_read() {
        assert!(supplier_facts().is_ok());
        for source in &SOURCES {
            assert!(source.map().is_ok(), "{}", source.name);
        }
        for character in &CAST {
            assert!(character.settings(0).is_ok());
            if let Some(text) = character.declaration {
                let declaration = Declaration::parse(text).unwrap();
                assert!(declaration.members()[0].fingerprint.is_some());
            }
        }
    }

    #[test]
    fn no_customer_names_the_other() {
        let [_, aero, rotor] = &CAST;
        for (one, other) in [(aero, rotor), (rotor, aero)] {
            let text = one.declaration.unwrap().to_lowercase();
            for word in [other.id, other.folder, &other.name.to_lowercase()] {
                assert!(!text.contains(word), "{} names {word}", one.name);
            }
        }
    }

    #[test]
    fn expected_ids_are_whole_and_ascending() {
        let [supplier, customers @ ..] = &CAST;
        for character in &CAST {
            let ids: Vec<&str> = character.expected.lines().collect();
            assert!(!ids.is_empty(), "{}", character.name);
            assert!(ids.is_sorted());
            assert!(ids.iter().all(|id| id.len() == 64));
        }
        // Each customer holds some of what the supplier made, and no two hold the same.
        let mut seen = BTreeSet::new();
        for id in customers.iter().flat_map(Character::expected) {
            assert!(supplier.expected().contains(&id));
            assert!(seen.insert(id));
        }
    }
}
