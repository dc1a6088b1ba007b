//! Makes readings smaller before they are sealed or sent: what is sealed shows no pattern that could be made smaller any more.
//! Digests are over the readings as they are.
//!
//! A byte says how they are packed: 0 as they are, 1 as a DEFLATE stream (RFC 1951). They take the smaller of the two, but for
//! one or two readings, of which a stream would save a few bytes and cost as much time as a signature.

use ambit_ledger::ITEM_BYTES_MAX;
use flate2::bufread::DeflateDecoder;
use flate2::{Compress, Compression, FlushCompress, Status};
use std::cell::Cell;
use std::io::Read as _;

const AS_IT_IS: u8 = 0;
const DEFLATED: u8 = 1;

/// What is smaller is left as it is.
const DEFLATED_BYTES_MIN: usize = 256;

/// What unpacks to more is no block of readings: nothing that is read grows without a bound.
const UNPACKED_BYTES_MAX: usize = ITEM_BYTES_MAX;

/// Packs a readings block.
#[must_use]
pub fn pack_readings(plain: &[u8]) -> Vec<u8> {
    if plain.len() < DEFLATED_BYTES_MIN {
        return [&[AS_IT_IS], plain].concat();
    }
    let mut packed = Vec::with_capacity(plain.len() + 1);
    packed.push(DEFLATED);
    // Nothing is left in its place meanwhile, so that one which panicked is not used again either.
    let mut compress = COMPRESS.take().unwrap_or_else(|| {
        // A better level takes several times as long for a tenth less.
        Compress::new(Compression::fast(), false)
    });
    // It writes no further than there is room.
    let deflated = compress.compress_vec(plain, &mut packed, FlushCompress::Finish);
    if !matches!(deflated, Ok(Status::StreamEnd)) {
        return [&[AS_IT_IS], plain].concat();
    }
    compress.reset();
    COMPRESS.set(Some(compress));
    packed
}

thread_local! {
    /// Kept, since it takes more memory than most blocks, once its stream came to an end. One that did not is thrown away: the
    /// library's reset leaves parts of such a stream in it, and the next block would not unpack.
    static COMPRESS: Cell<Option<Compress>> = const { Cell::new(None) };
}

/// Unpacks a readings block. None where it is no packed one, or larger than any.
#[must_use]
pub fn unpack_readings(packed: &[u8]) -> Option<Vec<u8>> {
    let (kind, bytes) = packed.split_first()?;
    match *kind {
        AS_IT_IS => Some(bytes.to_vec()),
        DEFLATED => {
            if bytes.len() > UNPACKED_BYTES_MAX {
                return None;
            }
            let mut plain = Vec::new();
            let mut decoder = DeflateDecoder::new(bytes);
            let bound = UNPACKED_BYTES_MAX as u64 + 1;
            decoder.by_ref().take(bound).read_to_end(&mut plain).ok()?;
            // Nobody who packs makes a block larger, or leaves anything behind it: that would only be work for who unpacks it.
            let is_all = decoder.into_inner().is_empty();
            let is_packed = bytes.len() <= plain.len() && plain.len() <= UNPACKED_BYTES_MAX;
            (is_all && is_packed).then_some(plain)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_packed_is_unpacked_and_is_never_much_larger() {
        let mut random = vec![0; 5_000];
        getrandom::fill(&mut random).unwrap();
        let alike = b"2026-05-01T08:00:00Z 0.0125 mm; ".repeat(200);
        let most = vec![7; UNPACKED_BYTES_MAX];
        let short = &alike[..DEFLATED_BYTES_MIN];
        for plain in [&[][..], b"a", &random, &alike, short, &most] {
            let packed = pack_readings(plain);
            assert!(packed.len() <= plain.len() + 1);
            assert_eq!(unpack_readings(&packed).as_deref(), Some(plain));
        }
        assert!(pack_readings(&alike).len() < alike.len() / 10);
        assert!(pack_readings(short).len() < short.len());
    }

    #[test]
    fn a_block_unpacks_whatever_was_packed_before_it() {
        // Text that the code of the fast level makes longer, so that no stream of it fits: of every length, since what is left
        // behind by one that broke off depends on it.
        let wide: String = ('\u{4e00}'..'\u{9f00}')
            .cycle()
            .step_by(7)
            .take(21_000)
            .collect();
        let mut base64 = Vec::new();
        for number in 0_u64..1_500 {
            let digest = ambit_ledger::Digest::of(&number.to_be_bytes());
            base64.extend(digest.as_bytes().map(|byte| {
                b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
                    [usize::from(byte % 64)]
            }));
        }
        let alike = b"2026-05-01T08:00:00Z 0.0125 mm; ".repeat(40);
        let pack = |plain: &[u8]| {
            let packed = pack_readings(plain);
            assert_eq!(
                unpack_readings(&packed).as_deref(),
                Some(plain),
                "{}",
                plain.len()
            );
        };
        for text in [wide.as_bytes(), &base64] {
            for round in 0..400 {
                pack(&text[..(round * 997) % (text.len() - 300) + 300]);
                pack(&alike[..alike.len() - round]);
            }
            pack(&text[..text.len().min(UNPACKED_BYTES_MAX)]);
            pack(&alike);
        }
    }

    #[test]
    fn what_is_no_block_is_refused() {
        let more = vec![7; UNPACKED_BYTES_MAX + 1];
        assert_eq!(unpack_readings(&pack_readings(&more)), None);
        for bytes in [&[][..], &[2, 0, 0], &[DEFLATED, 0xff, 0xff]] {
            assert_eq!(unpack_readings(bytes), None);
        }
        let mut behind = pack_readings(&[7; 1_000]);
        assert!(unpack_readings(&behind).is_some());
        behind.push(0);
        assert_eq!(unpack_readings(&behind), None, "a byte behind the stream");
        // An empty stored block before the stream: it unpacks to the same, and is longer than what it stands for.
        let empty = [0, 0, 0, 0xff, 0xff].repeat(300);
        let longer = [&[DEFLATED], &empty[..], &pack_readings(&[7; 1_000])[1..]].concat();
        assert_eq!(unpack_readings(&longer), None, "longer than the block");
    }
}
