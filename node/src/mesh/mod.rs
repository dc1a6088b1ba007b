//! The room that moves opaque frames between authenticated peers.
//!
//! A [`Mesh`] keeps one node connected to the peers it was told to admit, and to nobody else. Over those connections it opens
//! and accepts [`Link`]s: ordered streams of whole frames. TCP, Noise and yamux carry them; a peer is its Ed25519 public key.
//!
//! What must hold here:
//! * A peer outside the admitted set gets no connection and no stream, and loses both the moment it is taken out.
//! * Every wait has a limit and every queue a bound, so one peer never slows another.
//! * What a peer costs this node is limited: one that keeps breaking the rules is barred for a time.
//! * A frame handed to [`Link::send`] is *on its way*, never *delivered*: only the recipient's own answer shows that.
//!
//! This room must never look into a frame, know an observation, a partnership or the store, or find peers by itself:
//! there is no discovery of any kind, the set comes from signed manifests alone.

mod conduct;
mod config;
mod dial;
mod event;
mod handle;
mod link;
mod net;
mod peer;
mod record;
mod roster;
#[cfg(test)]
mod tests;

pub use conduct::Fault;
pub use config::{MeshConfig, MeshError};
pub use event::MeshEvent;
pub use handle::{Mesh, MeshHandle, OpenError};
pub use link::{FRAME_BYTES_MAX, Link, LinkEnd, LinkError, LinkReceiver, LinkSender};
pub use net::{AddressError, peer_id_text, verify_listen_address, verify_peer_address};
pub use peer::PeerKey;
pub(crate) use roster::LINKS_PER_PEER_MAX;
