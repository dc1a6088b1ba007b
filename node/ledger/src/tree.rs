//! The Merkle tree over a ledger's entries (RFC 9162 §2.1, SHA-256).

use crate::digest::Digest;
use serde::{Deserialize, Serialize};

/// The hash of a leaf: SHA-256(0x00 ‖ entry).
#[must_use]
pub fn leaf_hash(entry: &[u8]) -> Digest {
    Digest::of_parts(&[&[0], entry])
}

fn node_hash(left: &Digest, right: &Digest) -> Digest {
    Digest::of_parts(&[&[1], left.as_bytes(), right.as_bytes()])
}

/// The right edge of a tree: the roots of its perfect subtrees, largest first. Enough to append to it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "FrontierParts")]
pub struct Frontier {
    size: u64,
    roots: Vec<Digest>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FrontierParts {
    size: u64,
    roots: Vec<Digest>,
}

impl TryFrom<FrontierParts> for Frontier {
    type Error = &'static str;
    fn try_from(FrontierParts { size, roots }: FrontierParts) -> Result<Self, Self::Error> {
        // One perfect subtree for each one bit of the size, and room for one more leaf.
        let subtrees = usize::try_from(size.count_ones()).unwrap_or(usize::MAX);
        if roots.len() == subtrees && size < u64::MAX {
            Ok(Self { size, roots })
        } else {
            Err("the roots of a frontier do not fit its size")
        }
    }
}

impl Frontier {
    /// How many leaves.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Appends a leaf.
    pub fn append(&mut self, leaf: Digest) {
        let mut hash = leaf;
        // Each trailing one bit of the size is a perfect subtree that the new leaf completes.
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.roots.pop() {
                hash = node_hash(&left, &hash);
            }
        }
        self.roots.push(hash);
        self.size += 1;
    }

    /// The root; of an empty tree SHA-256 of nothing.
    #[must_use]
    pub fn root(&self) -> Digest {
        let mut roots = self.roots.iter().rev();
        roots.next().map_or_else(
            || Digest::of(&[]),
            |last| roots.fold(*last, |right, left| node_hash(left, &right)),
        )
    }
}

/// The root over these leaf hashes.
#[must_use]
pub fn root(leaves: &[Digest]) -> Digest {
    let mut frontier = Frontier::default();
    leaves.iter().for_each(|leaf| frontier.append(*leaf));
    frontier.root()
}

/// The largest power of two smaller than `size`, which is at least two.
fn split(size: usize) -> usize {
    size.next_power_of_two() / 2
}

/// The proof that the leaf at `index` is in the tree over `leaves` (RFC 9162 §2.1.3.1); `None` where it is not.
#[must_use]
pub fn inclusion_proof(leaves: &[Digest], index: usize) -> Option<Vec<Digest>> {
    if index >= leaves.len() {
        return None;
    }
    let mut proof = Vec::new();
    let (mut leaves, mut index) = (leaves, index);
    while leaves.len() > 1 {
        let (left, right) = leaves.split_at(split(leaves.len()));
        if index < left.len() {
            proof.push(root(right));
            leaves = left;
        } else {
            proof.push(root(left));
            index -= left.len();
            leaves = right;
        }
    }
    proof.reverse();
    Some(proof)
}

/// Whether the proof shows `leaf` at `index` in the tree of this size and root (RFC 9162 §2.1.3.2).
#[must_use]
pub fn verify_inclusion(
    leaf: &Digest,
    index: u64,
    size: u64,
    proof: &[Digest],
    root: &Digest,
) -> bool {
    if index >= size {
        return false;
    }
    let (mut node, mut last) = (index, size - 1);
    let mut hash = *leaf;
    for sibling in proof {
        if last == 0 {
            return false;
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(sibling, &hash);
            if node & 1 == 0 {
                while node & 1 == 0 && node != 0 {
                    node >>= 1;
                    last >>= 1;
                }
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    last == 0 && hash == *root
}

/// The proof that the tree over the first `from` leaves is a prefix of the tree over all (RFC 9162 §2.1.4.1);
/// `None` where `from` is zero or more than there are.
#[must_use]
pub fn consistency_proof(leaves: &[Digest], from: usize) -> Option<Vec<Digest>> {
    if from == 0 || from > leaves.len() {
        return None;
    }
    let mut proof = Vec::new();
    let (mut leaves, mut from, mut is_whole) = (leaves, from, true);
    while from < leaves.len() {
        let (left, right) = leaves.split_at(split(leaves.len()));
        if from <= left.len() {
            proof.push(root(right));
            leaves = left;
        } else {
            proof.push(root(left));
            from -= left.len();
            leaves = right;
            is_whole = false;
        }
    }
    if !is_whole {
        proof.push(root(leaves));
    }
    proof.reverse();
    Some(proof)
}

/// Whether the proof shows the first tree to be a prefix of the second (RFC 9162 §2.1.4.2).
#[must_use]
pub fn verify_consistency(from: (u64, &Digest), to: (u64, &Digest), proof: &[Digest]) -> bool {
    let ((from_size, from_root), (to_size, to_root)) = (from, to);
    if from_size == 0 || from_size > to_size {
        return false;
    }
    if from_size == to_size {
        return proof.is_empty() && from_root == to_root;
    }
    let mut path = proof.iter();
    let first = if from_size.is_power_of_two() {
        Some(from_root)
    } else {
        path.next()
    };
    let Some(first) = first else { return false };
    let (mut node, mut last) = (from_size - 1, to_size - 1);
    while node & 1 == 1 {
        node >>= 1;
        last >>= 1;
    }
    let (mut from_hash, mut to_hash) = (*first, *first);
    for sibling in path {
        if last == 0 {
            return false;
        }
        if node & 1 == 1 || node == last {
            from_hash = node_hash(sibling, &from_hash);
            to_hash = node_hash(sibling, &to_hash);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            to_hash = node_hash(&to_hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    last == 0 && from_hash == *from_root && to_hash == *to_root
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Inputs and roots of the test tree that Certificate Transparency implementations share.
    const INPUTS: [&str; 8] = [
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    ];
    const ROOTS: [&str; 8] = [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];

    fn leaves(count: usize) -> Vec<Digest> {
        (0..count)
            .map(|index| leaf_hash(&index.to_be_bytes()))
            .collect()
    }

    #[test]
    fn roots_are_those_of_certificate_transparency() {
        let leaves: Vec<Digest> = INPUTS
            .iter()
            .map(|input| leaf_hash(&hex::decode(input).unwrap()))
            .collect();
        for (index, expected) in ROOTS.iter().enumerate() {
            assert_eq!(root(&leaves[..=index]).to_string(), *expected);
        }
        assert_eq!(
            root(&[]).to_string(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
    }

    #[test]
    fn every_inclusion_up_to_40_leaves_and_no_other() {
        for size in 1..=40_usize {
            let leaves = leaves(size);
            let root = root(&leaves);
            for index in 0..size {
                let proof = inclusion_proof(&leaves, index).unwrap();
                for claimed in 0..size {
                    let is_shown = verify_inclusion(
                        &leaves[index],
                        claimed as u64,
                        size as u64,
                        &proof,
                        &root,
                    );
                    assert_eq!(is_shown, claimed == index, "{index} as {claimed} of {size}");
                }
                assert!(!verify_inclusion(
                    &leaf_hash(b"other"),
                    index as u64,
                    size as u64,
                    &proof,
                    &root
                ));
            }
            assert!(inclusion_proof(&leaves, size).is_none());
        }
    }

    #[test]
    fn every_consistency_up_to_40_leaves_and_no_fork() {
        let leaves = leaves(40);
        for to in 1..=40_usize {
            for from in 1..=to {
                let proof = consistency_proof(&leaves[..to], from).unwrap();
                let (from_root, to_root) = (root(&leaves[..from]), root(&leaves[..to]));
                let (from, to) = (from as u64, to as u64);
                assert!(verify_consistency(
                    (from, &from_root),
                    (to, &to_root),
                    &proof
                ));
                let fork = leaf_hash(b"fork");
                assert!(!verify_consistency((from, &fork), (to, &to_root), &proof));
                assert!(!verify_consistency((from, &from_root), (to, &fork), &proof));
            }
        }
        assert!(consistency_proof(&leaves, 0).is_none());
        assert!(consistency_proof(&leaves, 41).is_none());
    }
}
