//! The node's integration tests: one binary.
