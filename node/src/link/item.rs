//! A look into an encoded item whose types are not known: as far as its maps and the numbers of their fields.
//!
//! What it is given was scanned: well-formed, of bounded depth, deterministic (RFC 8949 §4.2.1). It must never be relied
//! on for anything else.

const MAP: u8 = 5;

/// One encoded item.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item<'a> {
    major: u8,
    argument: u64,
    /// What follows its head, and whatever comes after it.
    rest: &'a [u8],
}

impl<'a> Item<'a> {
    /// Reads the head of the first item.
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        let (first, rest) = bytes.split_first()?;
        let low = first & 0x1f;
        let width = match low {
            0..24 => 0,
            24..28 => 1 << (low - 24),
            _ => return None,
        };
        let (argument, rest) = rest.split_at_checked(width)?;
        let wide = argument
            .iter()
            .fold(0, |wide, byte| (wide << 8) | u64::from(*byte));
        Some(Self {
            major: first >> 5,
            argument: if width == 0 { low.into() } else { wide },
            rest,
        })
    }

    /// Its pairs, where it is a map whose keys are numbers; they end where a key is none.
    pub(super) fn into_map(self) -> Option<Pairs<'a>> {
        (self.major == MAP).then_some(Pairs {
            left: self.argument,
            rest: self.rest,
        })
    }

    /// What comes after it.
    fn after(self) -> Option<&'a [u8]> {
        let children = match self.major {
            // Byte strings and text.
            2 | 3 => {
                return self
                    .rest
                    .split_at_checked(usize::try_from(self.argument).ok()?)
                    .map(|(_, after)| after);
            }
            4 => self.argument,
            MAP => self.argument.checked_mul(2)?,
            // A tag.
            6 => 1,
            _ => 0,
        };
        let mut rest = self.rest;
        for _ in 0..children {
            rest = Item::read(rest)?.after()?;
        }
        Some(rest)
    }
}

/// The pairs of a map.
#[derive(Debug)]
pub(super) struct Pairs<'a> {
    left: u64,
    rest: &'a [u8],
}

impl<'a> Iterator for Pairs<'a> {
    type Item = (u64, Item<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let key = Item::read(self.rest).filter(|key| key.major == 0)?;
        let value = Item::read(key.rest)?;
        self.rest = value.after()?;
        Some((key.argument, value))
    }
}
