//! When a recipient asks again for what it did not take, and about how much of it.
//!
//! An ask must never be lost. So it is about nothing that the sender may not know of yet, and it is repeated on every
//! link: the frame may not have arrived, and a sender passes over what it went through before.

use super::state::{Asked, Inbox, Untaken};
use super::{ASK_AGAIN_SECONDS, ASK_EARNED_SECONDS, ASKS_AT_ONCE, Frame};
use ambit_ledger::{Digest, RefusalCode, Time};
use std::collections::BTreeMap;

/// What a recipient asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asks {
    /// To be committed before the frames are sent; absent where they only repeat what was asked for on a link before.
    pub inbox: Option<Inbox>,
    /// The frames.
    pub frames: Vec<Frame>,
}

/// What one link of a recipient has to ask for.
#[derive(Clone, Debug)]
pub(super) struct Asking {
    /// What this node judges by: its layers, what is agreed, its program.
    grounds: Digest,
    /// What has a number beyond this one was judged by that.
    since: u64,
    /// What was asked for before was not repeated on this link yet.
    must_repeat: bool,
}

impl Asking {
    /// At the begin of a link.
    pub(super) fn new(grounds: Digest, inbox: &Inbox) -> Self {
        Self {
            grounds,
            since: inbox.cursor,
            must_repeat: !inbox.asked.is_empty(),
        }
    }

    /// This node judges by something else from now on, or by the same.
    pub(super) fn set_grounds(&mut self, grounds: Digest, inbox: &Inbox) {
        if grounds != self.grounds {
            self.grounds = grounds;
            self.since = inbox.cursor;
        }
    }

    /// Counts an item that was not taken and may be another time: once the grounds are others, or that instant has come.
    pub(super) fn note(&self, inbox: &mut Inbox, code: RefusalCode, until: Option<Time>) {
        let untaken = inbox.untaken.entry(code.number()).or_insert(Untaken {
            count: 0,
            grounds: Some(self.grounds),
            until: None,
        });
        untaken.until = [untaken.until, until].into_iter().flatten().min();
        untaken.count = untaken.count.saturating_add(1);
        untaken.grounds = untaken.grounds.filter(|grounds| *grounds == self.grounds);
    }

    /// Whether there may be anything to ask for, now or later.
    pub(super) fn is_left(&self, inbox: &Inbox) -> bool {
        self.must_repeat || !inbox.untaken.is_empty()
    }

    /// Asks for what is due, and takes down in the inbox that it did.
    pub(super) fn ask(&mut self, inbox: &mut Inbox, now: Time) -> Option<Asks> {
        let due: BTreeMap<u16, u64> = inbox
            .untaken
            .iter()
            .filter(|(number, untaken)| self.is_due(inbox, **number, untaken, now))
            .filter_map(|(number, untaken)| {
                let left = self.left(inbox, (*number).into())?;
                (left < untaken.count).then_some((*number, left))
            })
            .collect();
        let mut frames = Vec::new();
        if std::mem::take(&mut self.must_repeat) {
            let before = inbox.asked.iter();
            let repeated = before.filter(|(number, _)| !due.contains_key(number));
            frames.extend(repeated.map(|(number, asked)| again(*number, asked.upto)));
        }
        let upto = inbox.signed;
        for (number, left) in &due {
            if *left > 0 {
                let until = inbox.untaken.get(number).and_then(|untaken| untaken.until);
                let untaken = Untaken {
                    count: *left,
                    grounds: Some(self.grounds),
                    // The first of the answers that are left may be another one: one ask too many, not one too few.
                    until,
                };
                inbox.untaken.insert(*number, untaken);
            } else {
                inbox.untaken.remove(number);
            }
            let before = asked(inbox, *number, now);
            let at = before.and_then(|before| before.next(now)).unwrap_or(now);
            inbox.asked.insert(*number, Asked { at, upto });
            frames.push(again(*number, upto));
        }
        (!frames.is_empty()).then(|| Asks {
            inbox: (!due.is_empty()).then(|| inbox.clone()),
            frames,
        })
    }

    /// Whether what was not taken with a code may be taken now: its grounds have changed, or an answer was true until now,
    /// [`ASKS_AT_ONCE`] times at most, or nothing but time stands against it, once in [`ASK_AGAIN_SECONDS`].
    fn is_due(&self, inbox: &Inbox, number: u16, untaken: &Untaken, now: Time) -> bool {
        let has_changed = untaken.grounds != Some(self.grounds)
            || untaken.until.is_some_and(|until| until <= now);
        let Some(asked) = asked(inbox, number, now) else {
            return has_changed || passes(number.into());
        };
        if has_changed {
            return asked.next(now).is_some();
        }
        passes(number.into()) && asked.at.plus_seconds(ASK_AGAIN_SECONDS) <= now
    }

    /// How many items that were not taken with a code are left for another time, because the sender has not confirmed
    /// yet that it knows of them. Nothing where one of those has to be asked for now: then all wait for it.
    fn left(&self, inbox: &Inbox, code: RefusalCode) -> Option<u64> {
        let mut left = 0;
        for seq in inbox.unconfirmed(code) {
            if seq <= self.since && !passes(code) {
                return None;
            }
            left += 1;
        }
        Some(left)
    }
}

/// That it was asked for what was not taken with a code. A clock that was set back starts the wait again.
fn asked(inbox: &Inbox, number: u16, now: Time) -> Option<Asked> {
    let latest = now.plus_seconds(ASK_EARNED_SECONDS * ASKS_AT_ONCE);
    let asked = inbox.asked.get(&number).copied();
    asked.filter(|asked| asked.at < latest)
}

/// Whether nothing but time stands against what is not taken with a code.
fn passes(code: RefusalCode) -> bool {
    code == RefusalCode::ClocksApart
}

fn again(number: u16, upto: u64) -> Frame {
    let code = number.into();
    Frame::Again { code, upto }
}
