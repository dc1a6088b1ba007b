//! What lies above what, worked out once: a file from elsewhere is refused before it takes much time or memory.

use super::{
    Above, Node, TAXONOMY_ABOVE_MAX, TAXONOMY_DEPTH_MAX, TAXONOMY_NAMES_MAX, TaxonomyError,
    TaxonomyKind,
};
use ambit_ledger::DataClass;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Works out everything above each name, from the tops down.
pub(super) fn close(
    kind: TaxonomyKind,
    nodes: &BTreeMap<String, Node>,
) -> Result<Above, TaxonomyError> {
    check_names(kind, nodes)?;
    let mut below: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut open_parents: BTreeMap<&str, usize> = BTreeMap::new();
    for (name, node) in nodes {
        open_parents.insert(name, node.parents.len());
        for parent in &node.parents {
            below.entry(parent).or_default().push(name);
        }
    }
    let is_top = |(name, node): (&'_ String, &Node)| node.parents.is_empty().then(|| name.clone());
    let mut ready: Vec<(Arc<str>, usize)> = nodes
        .iter()
        .filter_map(is_top)
        .map(|name| (name.into(), 0))
        .collect();
    let mut depths: BTreeMap<&str, usize> = BTreeMap::new();
    let mut shared: BTreeMap<&str, Arc<str>> = BTreeMap::new();
    let mut closed = Above::new();
    while let Some((name, depth)) = ready.pop() {
        let parents = nodes.get(&*name).map(|node| &node.parents);
        let mut above = BTreeSet::new();
        for parent in parents.into_iter().flatten() {
            above.extend(shared.get(parent.as_str()).cloned());
            above.extend(closed.get(parent.as_str()).into_iter().flatten().cloned());
            if above.len() > TAXONOMY_ABOVE_MAX {
                let name = name.to_string();
                return Err(TaxonomyError::TooManyAbove { kind, name });
            }
        }
        if depth > TAXONOMY_DEPTH_MAX {
            let name = name.to_string();
            return Err(TaxonomyError::TooDeep { kind, name });
        }
        for child in below.get(&*name).into_iter().flatten() {
            let deepest = depths.entry(child).or_default();
            *deepest = (*deepest).max(depth + 1);
            if let Some(open) = open_parents.get_mut(child) {
                *open -= 1;
                if *open == 0 {
                    ready.push(((*child).into(), *deepest));
                }
            }
        }
        if let Some((own, _)) = nodes.get_key_value(&*name) {
            shared.insert(own, Arc::clone(&name));
        }
        closed.insert(name, above);
    }
    match nodes
        .keys()
        .find(|name| !closed.contains_key(name.as_str()))
    {
        None => Ok(closed),
        Some(name) => Err(TaxonomyError::Cycle {
            kind,
            name: on_cycle(nodes, &closed, name),
        }),
    }
}

/// Checks what can be said of each name by itself.
fn check_names(kind: TaxonomyKind, nodes: &BTreeMap<String, Node>) -> Result<(), TaxonomyError> {
    if nodes.len() > TAXONOMY_NAMES_MAX {
        return Err(TaxonomyError::TooMany { kind });
    }
    for (name, node) in nodes {
        // The names of all three kinds have the same bounds.
        if name.parse::<DataClass>().is_err() {
            let name = name.escape_debug().to_string();
            return Err(TaxonomyError::Name { kind, name });
        }
        if let Some(parent) = node
            .parents
            .iter()
            .find(|parent| !nodes.contains_key(*parent))
        {
            return Err(TaxonomyError::UnknownParent {
                kind,
                name: name.clone(),
                parent: parent.clone(),
            });
        }
    }
    Ok(())
}

/// A name on a cycle that this one lies on or below.
fn on_cycle(nodes: &BTreeMap<String, Node>, closed: &Above, below: &str) -> String {
    let mut passed = BTreeSet::new();
    let mut name = below;
    while passed.insert(name) {
        let parents = nodes.get(name).into_iter().flat_map(|node| &node.parents);
        // Of what is not closed, some parent is not either.
        let open = parents
            .map(String::as_str)
            .find(|parent| !closed.contains_key(*parent));
        name = open.unwrap_or(name);
    }
    name.to_owned()
}
