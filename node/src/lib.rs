//! The node: everything of Ambit that touches the world, a room for each step of the path.
//!
//! ```text
//! collect ─▶ release ─▶ store ─▶ link ─▶ mesh ══ libp2p ══▶ mesh ─▶ link ─▶ admit ─▶ store
//! ```

pub mod clock;
pub mod collect;
pub mod config;
pub mod mesh;
pub mod store;
