//! What is worked out once and kept while there is room: what was not asked for longest goes first.

use std::collections::BTreeMap;

/// Values by key, within a number of bytes.
#[derive(Debug)]
pub(crate) struct Kept<K, V> {
    values: BTreeMap<K, Value<V>>,
    bytes: usize,
    bytes_max: usize,
    /// Counts what was asked.
    asked: u64,
}

#[derive(Debug)]
struct Value<V> {
    value: V,
    bytes: usize,
    asked: u64,
}

impl<K: Ord + Clone, V> Kept<K, V> {
    /// Nothing yet.
    pub(crate) fn within(bytes_max: usize) -> Self {
        Self {
            values: BTreeMap::new(),
            bytes: 0,
            bytes_max,
            asked: 0,
        }
    }

    /// The value of this key, where it is kept.
    pub(crate) fn get(&mut self, key: &K) -> Option<&V> {
        self.asked += 1;
        let found = self.values.get_mut(key)?;
        found.asked = self.asked;
        Some(&found.value)
    }

    /// Keeps a value that takes so many bytes, and returns the keys of what had to go for it. What alone is larger than the
    /// room is kept all the same, and alone.
    pub(crate) fn keep(&mut self, key: K, value: V, bytes: usize) -> Vec<K> {
        self.remove(&key);
        let mut gone = Vec::new();
        while self.bytes.saturating_add(bytes) > self.bytes_max {
            let longest = self.values.iter().min_by_key(|(_, value)| value.asked);
            let Some(longest) = longest.map(|(key, _)| key.clone()) else {
                break;
            };
            self.remove(&longest);
            gone.push(longest);
        }
        self.asked += 1;
        self.bytes = self.bytes.saturating_add(bytes);
        let asked = self.asked;
        self.values.insert(
            key,
            Value {
                value,
                bytes,
                asked,
            },
        );
        gone
    }

    /// Lets go of all that a condition does not hold for.
    pub(crate) fn retain(&mut self, is_kept: impl Fn(&K) -> bool) {
        self.values.retain(|key, _| is_kept(key));
        self.bytes = self.values.values().map(|value| value.bytes).sum();
    }

    fn remove(&mut self, key: &K) {
        if let Some(value) = self.values.remove(key) {
            self.bytes -= value.bytes;
        }
    }

    #[cfg(test)]
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_asked_for_longest_goes_first() {
        let mut kept = Kept::within(10);
        assert!(kept.keep("a", 1, 4).is_empty());
        assert!(kept.keep("b", 2, 4).is_empty());
        assert_eq!(kept.get(&"a"), Some(&1));
        assert_eq!(kept.keep("c", 3, 4), ["b"]);
        assert_eq!(kept.get(&"b"), None);
        assert_eq!(kept.keep("d", 4, 20), ["a", "c"]);
        assert_eq!(kept.get(&"d"), Some(&4));
        assert_eq!(kept.bytes(), 20);
        kept.retain(|key| *key != "d");
        assert_eq!(kept.get(&"d"), None);
        assert_eq!(kept.bytes(), 0);
    }
}
