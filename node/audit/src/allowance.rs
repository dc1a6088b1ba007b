//! What an audit may take of the machine that it runs on. Who is audited wrote the file, and must not be able to keep the
//! auditor waiting, or to fill its memory.
//!
//! It must never change what is found: an audit that takes more ends, and says so.

use crate::rule::Rule;
use crate::verify::Checks;
use std::time::{Duration, Instant};

/// The least time that any file gets, in seconds: a small one is never refused, on however slow a machine.
const SECONDS_LEAST: u64 = 10;

/// The time that a MiB of a file gets, in seconds: an honest one takes a tenth of it.
const SECONDS_PER_MIB: u64 = 1;

/// What a MiB of policy text gets beside that, in seconds, where it came with no version of the program: it is parsed and
/// validated.
const SECONDS_PER_FOREIGN_MIB: u64 = 20;

/// The memory that the audit of a small file may take, in MiB.
const MEMORY_MIB: u64 = 128;

/// The memory that the audit of a large file may take, in its own size. What is known of an honest ledger, entry by entry, takes
/// some 1.4 times its size.
const MEMORY_PER_BYTE: u64 = 2;

const MIB: u64 = 1024 * 1024;

/// How many looks at the clock there are to one at the memory, which costs more.
const LOOKS_PER_MEMORY: u32 = 32;

/// How much time and memory an audit may take. [`Allowance::default`] is that of `ambit-audit`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Allowance {
    /// The time; by the size of the file where it is absent.
    pub time: Option<TimeLimit>,
    /// The memory; by the size of the file where it is absent.
    pub memory: Option<MemoryLimit>,
    /// Tells how many bytes of memory the program takes; where it is absent, or gives nothing, memory is not looked at.
    pub memory_in_use: Option<fn() -> Option<u64>>,
}

/// How long an audit may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeLimit {
    /// So long.
    Seconds(u64),
    /// As long as it takes.
    None,
}

/// How much memory an audit may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemoryLimit {
    /// So much.
    Mib(u64),
    /// As much as it takes.
    None,
}

impl Allowance {
    /// Whatever it takes.
    #[must_use]
    pub const fn unlimited() -> Self {
        Self {
            time: Some(TimeLimit::None),
            memory: Some(MemoryLimit::None),
            memory_in_use: None,
        }
    }

    /// The memory that a file of this size may take, in MiB, where the program takes more.
    pub(crate) fn exceeded_mib(self, file_bytes: u64) -> Option<u64> {
        let mib = match self.memory {
            Some(MemoryLimit::None) => return None,
            Some(MemoryLimit::Mib(mib)) => mib,
            None => {
                let by_size = file_bytes.saturating_mul(MEMORY_PER_BYTE);
                MEMORY_MIB.max(by_size.div_ceil(MIB))
            }
        };
        let in_use = self.memory_in_use.and_then(|in_use| in_use())?;
        (in_use > mib.saturating_mul(MIB)).then_some(mib)
    }
}

/// An allowance, and what is left of it.
#[derive(Debug)]
pub(crate) struct Budget {
    allowance: Allowance,
    file_bytes: u64,
    started: Instant,
    looks: u32,
}

impl Budget {
    pub(crate) fn begin(allowance: Allowance, file_bytes: u64) -> Self {
        Self {
            allowance,
            file_bytes,
            started: Instant::now(),
            looks: 0,
        }
    }

    fn seconds(&self, foreign_bytes: u64) -> Option<u64> {
        match self.allowance.time {
            Some(TimeLimit::None) => None,
            Some(TimeLimit::Seconds(seconds)) => Some(seconds),
            None => {
                let by_size = (self.file_bytes.saturating_mul(SECONDS_PER_MIB))
                    .saturating_add(foreign_bytes.saturating_mul(SECONDS_PER_FOREIGN_MIB));
                Some(by_size.div_ceil(MIB).max(SECONDS_LEAST))
            }
        }
    }

    /// Whether there is time and memory left; looked at between two entries, and between two judgements.
    pub(crate) fn look(&mut self, foreign_bytes: u64) -> Checks {
        self.affords(foreign_bytes, Duration::ZERO)?;
        self.looks = self.looks.wrapping_add(1);
        if self.looks % LOOKS_PER_MEMORY == 1 {
            self.look_at_memory()?;
        }
        Ok(())
    }

    /// Whether there is time left for something that may take so long and cannot be stopped.
    pub(crate) fn affords(&self, foreign_bytes: u64, work: Duration) -> Checks {
        let Some(seconds) = self.seconds(foreign_bytes) else {
            return Ok(());
        };
        let taken = self.started.elapsed().saturating_add(work);
        if taken <= Duration::from_secs(seconds) {
            return Ok(());
        }
        Err(Rule::Limit.broken(format!(
            "time: it takes more than {seconds} s, which is what a file of this size and with this much policy text of its \
             own gets; what follows was not checked. An honest ledger takes a tenth of that: ask its owner what rules it \
             is judged by, or wait longer with `--limit-seconds`"
        )))
    }

    fn look_at_memory(&self) -> Checks {
        let Some(mib) = self.allowance.exceeded_mib(self.file_bytes) else {
            return Ok(());
        };
        Err(Rule::Limit.broken(format!(
            "memory: it takes more than {mib} MiB; what follows was not checked. Allow more with `--limit-mib`"
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OF_ONE_BYTE: Allowance = Allowance {
        time: None,
        memory: None,
        memory_in_use: Some(|| Some(129 * MIB)),
    };

    #[test]
    fn time_goes_by_the_size_and_has_a_floor() {
        let of = |bytes| Budget::begin(Allowance::default(), bytes);
        assert_eq!(of(1).seconds(0), Some(10));
        assert_eq!(of(11 * MIB).seconds(0), Some(11));
        assert_eq!(of(11 * MIB).seconds(MIB / 2), Some(21));
        assert_eq!(of(1).seconds(MIB), Some(21));
        assert!(of(1).affords(0, Duration::from_secs(9)).is_ok());
        let fault = of(1).affords(0, Duration::from_secs(11)).unwrap_err();
        assert_eq!(fault.rule, Rule::Limit);
        assert!(fault.how.contains("more than 10 s"), "{}", fault.how);
    }

    #[test]
    fn memory_is_that_of_a_small_file_or_goes_by_the_size_of_a_large_one() {
        let of = |bytes| Budget::begin(OF_ONE_BYTE, bytes);
        let fault = of(1).look(0).unwrap_err();
        assert!(fault.how.contains("more than 128 MiB"), "{}", fault.how);
        assert!(of(64 * MIB).look(0).is_err());
        assert!(of(65 * MIB).look(0).is_ok());
        let wider = Allowance {
            memory: Some(MemoryLimit::Mib(200)),
            ..OF_ONE_BYTE
        };
        assert!(Budget::begin(wider, 1).look(0).is_ok());
        assert!(Budget::begin(Allowance::unlimited(), 1).look(0).is_ok());
    }
}
