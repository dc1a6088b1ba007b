//! How long a judgement may take at most. Cedar has no budget of its own: whoever judges what strangers wrote asks before.

use crate::layers::Layers;
use ambit_ledger::Inquiry;
use std::time::Duration;

/// What evaluating one byte of a policy's text takes by itself, in nanoseconds.
const NANOS_PER_BYTE: u64 = 40;

/// What comparing one byte of a policy's text with one of what is asked about takes, in nanoseconds. A pattern such as
/// `like "*aaab"` is held against every place in a text.
const NANOS_PER_COMPARISON: u64 = 1;

/// How long judging an inquiry may take on one core: by the length of the texts that judge, of the longest value that they may look
/// at, and by how many purposes are asked for. Nothing is evaluated to tell.
pub(crate) fn effort(layers: &Layers, inquiry: &Inquiry, slice: &[u8]) -> Duration {
    let count = |length: usize| u64::try_from(length).unwrap_or(u64::MAX);
    let purposes = count(inquiry.scope.purposes.len());
    let per_byte =
        NANOS_PER_BYTE.saturating_add(NANOS_PER_COMPARISON.saturating_mul(longest(slice)));
    let nanos = count(layers.text_bytes()).saturating_mul(per_byte);
    Duration::from_nanos(nanos.saturating_mul(purposes))
}

/// The length of the longest string in a slice's JSON; of a set of many short ones a share of their length.
fn longest(slice: &[u8]) -> u64 {
    let strings = slice.split(|byte| *byte == b'"');
    let longest = strings.map(<[u8]>::len).max().unwrap_or_default();
    u64::try_from(longest.max(slice.len() / 16)).unwrap_or(u64::MAX)
}
