//! Work shared out among the cores, with results that do not tell who did what.
//!
//! It must never let the order in which threads run show: results are in the order of what they are of.

use std::num::NonZero;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// How many items a thread takes at a time: some hundred microseconds of work, so that taking costs nothing and
/// the last one is not waited for.
const TAKEN: usize = 4;

/// Does `work` for each item on all cores, while `meanwhile` runs on this thread, which then helps.
pub(crate) fn share<T: Sync, R: Send>(
    items: &[T],
    work: impl Fn(&T) -> R + Sync,
    meanwhile: impl FnOnce(),
) -> Vec<R> {
    static CORES: LazyLock<usize> =
        LazyLock::new(|| thread::available_parallelism().map_or(1, NonZero::get));
    let helpers = (*CORES - 1).min(items.len() / TAKEN);
    let next = AtomicUsize::new(0);
    let take = || {
        let mut done = Vec::new();
        loop {
            let start = next.fetch_add(TAKEN, Ordering::Relaxed).min(items.len());
            let end = start.saturating_add(TAKEN).min(items.len());
            match items.get(start..end) {
                Some(taken) if !taken.is_empty() => {
                    done.push((start, taken.iter().map(&work).collect::<Vec<R>>()));
                }
                _ => return done,
            }
        }
    };
    let mut parts = thread::scope(|scope| {
        let threads: Vec<_> = (0..helpers).map(|_| scope.spawn(take)).collect();
        meanwhile();
        let mut parts = take();
        for thread in threads {
            match thread.join() {
                Ok(done) => parts.extend(done),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        parts
    });
    parts.sort_unstable_by_key(|(start, _)| *start);
    let mut results = Vec::with_capacity(items.len());
    results.extend(parts.into_iter().flat_map(|(_, part)| part));
    results
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_in_order_and_each_item_is_done_once() {
        for length in [0, 1, TAKEN, 5 * TAKEN + 3, 1_000] {
            let items: Vec<usize> = (0..length).collect();
            let calls = AtomicUsize::new(0);
            let mut is_run = false;
            let doubled = share(
                &items,
                |item| {
                    calls.fetch_add(1, Ordering::Relaxed);
                    2 * item
                },
                || is_run = true,
            );
            assert!(is_run);
            assert_eq!(calls.into_inner(), length);
            assert!(doubled.into_iter().eq((0..length).map(|item| 2 * item)));
        }
    }
}
