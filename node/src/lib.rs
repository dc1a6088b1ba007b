//! The node: everything of Ambit that touches the world, a room for each step of the path.
//!
//! ```text
//! collect ─▶ release ─▶ store ─▶ link ─▶ mesh ══ libp2p ══▶ mesh ─▶ link ─▶ admit ─▶ store
//! ```

#![allow(
    missing_docs,
    reason = "these are the insides of one program, not an interface that others build on"
)]

pub mod admit;
pub mod agree;
pub mod api;
pub mod cli;
pub mod clock;
pub mod collect;
pub mod config;
pub mod demo;
pub mod failure;
pub mod federation;
pub mod holding;
pub mod link;
pub mod mesh;
pub mod node;
pub mod partnership;
pub mod platform;
pub mod randomness;
pub mod release;
pub mod service;
pub mod store;
pub mod work;
