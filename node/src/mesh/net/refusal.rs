//! Why a connection is not let in.

/// How many connections one peer may hold: one dialled from each side, and as many that died unnoticed.
pub(super) const CONNECTIONS_PER_PEER_MAX: usize = 4;

/// Why the gate refused a connection.
#[derive(Debug, thiserror::Error)]
pub(super) enum GateRefusal {
    #[error("the peer is not admitted")]
    NotAdmitted,
    #[error("the peer is barred for a time")]
    Barred,
    #[error("too many from this address were turned away lately")]
    TurnedAway,
    #[error("the peer holds {CONNECTIONS_PER_PEER_MAX} connections already")]
    TooManyConnections,
    #[error("too many inbound connections are in their handshake already")]
    TooManyHandshakes,
    #[error("whoever connected sent nothing")]
    Silent,
}
