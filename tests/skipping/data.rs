//! Published data files that tests read where they are at hand. They are not part of the repository: README names where
//! they come from.

use std::path::{Path, PathBuf};

/// Where they lie: in the folder that `AMBIT_DATA` names, else in one beside the repository, whose root this is.
pub fn data(repository: &Path) -> PathBuf {
    std::env::var_os("AMBIT_DATA").map_or_else(|| repository.join("../shared/data"), PathBuf::from)
}
