//! The instant at which a node acts, and what it does while its clock cannot be believed: nothing.

use super::Node;
use crate::clock::{self, Anchor, ClockError};
use crate::config::HomeError;
use crate::failure::{Failure, FailureKind};
use ambit_ledger::Time;
use serde::{Deserialize, Serialize};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What a node remembers of its clock.
#[derive(Debug, Default)]
pub(super) struct ClockState(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    /// The last instant that a person confirmed.
    accepted: Option<Time>,
    /// Whether the node runs, so that the monotonic clock counts and an operator reads the log.
    is_running: bool,
    anchor: Option<Anchor>,
    is_refused: bool,
    /// Whether something may have been left undone since it was.
    is_behind_hand: bool,
}

/// What confirming the clock found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockAccepted {
    /// What the clock says, RFC 3339.
    pub now: String,
    /// The last entry's time, RFC 3339.
    pub last_entry: String,
    /// Whether it had to be confirmed.
    pub was_refused: bool,
}

/// The clock cannot be confirmed.
#[derive(Debug, thiserror::Error)]
pub enum AcceptClockError {
    /// It is behind the ledger, which no confirmation can change.
    #[error(transparent)]
    Clock(#[from] ClockError),
    /// The home cannot be written.
    #[error(transparent)]
    Home(#[from] HomeError),
}

impl From<AcceptClockError> for Failure {
    fn from(error: AcceptClockError) -> Self {
        let kind = match &error {
            AcceptClockError::Clock(_) => FailureKind::TryAgain,
            AcceptClockError::Home(_) => FailureKind::Failed,
        };
        Self::new(kind, &error)
    }
}

impl ClockState {
    pub(super) fn new(accepted: Option<Time>) -> Self {
        Self(Mutex::new(Known {
            accepted,
            ..Known::default()
        }))
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn check(&self, last_entry: Time, now: Time) -> Result<Time, ClockError> {
        let expected = self.anchor.as_ref().map(Anchor::expected);
        clock::check(last_entry, self.accepted, now, expected)
    }
}

impl Node {
    /// The instant at which something is judged or recorded: the clock's, or the last entry's where the clock is a
    /// little behind it.
    ///
    /// # Errors
    /// [`ClockError`] where the clock cannot be believed; then nothing may be judged or recorded.
    pub fn instant(&self, now: Time) -> Result<Time, ClockError> {
        let mut known = self.clock.known();
        let checked = known.check(self.store.last_time(), now);
        if !known.is_running {
            return checked;
        }
        match &checked {
            Ok(_) => known.anchor = Some(Anchor::new(now)),
            // Said once, until it is right again.
            Err(error) if !known.is_refused => {
                tracing::error!(
                    "nothing is judged, sent or taken in until the clock is right: {error}"
                );
            }
            Err(_) => {}
        }
        known.is_refused = checked.is_err();
        known.is_behind_hand |= known.is_refused;
        checked
    }

    /// Why the clock cannot be believed now, for those who ask how it stands. Nothing is remembered of it.
    pub(crate) fn clock_trouble(&self, now: Time) -> Option<ClockError> {
        let checked = self.clock.known().check(self.store.last_time(), now);
        checked.err()
    }

    /// The instant that a question is answered for. Answers are given whatever the clock says: they record nothing.
    #[must_use]
    pub fn reading_instant(&self, now: Time) -> Time {
        now.max(self.store.last_time())
    }

    /// Confirms what the clock says, however far it is past the last entry.
    ///
    /// # Errors
    /// [`AcceptClockError::Clock`] where it is behind the ledger; [`AcceptClockError::Home`].
    pub fn accept_clock(&self, now: Time) -> Result<ClockAccepted, AcceptClockError> {
        let was_refused = match self.instant(now) {
            Ok(_) => false,
            Err(ClockError::Ahead { .. } | ClockError::Stepped { .. }) => {
                self.home.accept_clock(now)?;
                let mut known = self.clock.known();
                known.accepted = Some(now);
                known.anchor = known.anchor.map(|_| Anchor::new(now));
                true
            }
            Err(
                error
                @ (ClockError::Behind { .. } | ClockError::Unset { .. } | ClockError::PastEnd),
            ) => return Err(error.into()),
        };
        Ok(ClockAccepted {
            now: now.to_string(),
            last_entry: self.store.last_time().to_string(),
            was_refused,
        })
    }

    /// From here on the monotonic clock counts too, and what is wrong is said in the log.
    pub(crate) fn keep_time(&self) {
        self.clock.known().is_running = true;
    }

    /// Looks at the clock of a node that runs. Returns whether it is right again after it was not.
    pub(crate) fn is_clock_right_again(&self, now: Time) -> bool {
        if self.instant(now).is_err() {
            return false;
        }
        let was_refused = std::mem::take(&mut self.clock.known().is_behind_hand);
        if was_refused {
            tracing::info!("the clock is right again");
        }
        was_refused
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{QUIET_DAYS_MAX, now};
    use crate::config::Settings;
    use crate::node::OpenError;
    use std::path::PathBuf;

    const SETTINGS: &str = "[organization]\nid = \"did:web:a.example\"\nname = \"A\"\nseat = \"DE\"\n\
                            hosting = [\"DE\"]\npersonnel = [\"DE\"]\n";

    struct Place {
        _folder: tempfile::TempDir,
        home: PathBuf,
        settings: Settings,
    }

    fn place() -> Place {
        let folder = tempfile::tempdir().unwrap();
        Place {
            home: folder.path().join("node"),
            settings: toml::from_str(SETTINGS).unwrap(),
            _folder: folder,
        }
    }

    /// A node whose ledger began just now.
    fn node() -> (Place, Node, Time) {
        let place = place();
        let begun = now();
        Node::init(&place.home, &place.settings, begun).unwrap();
        let node = Node::open(&place.home).unwrap();
        (place, node, begun)
    }

    #[test]
    fn a_ledger_does_not_begin_under_a_clock_that_was_never_set() {
        let place = place();
        let early = "2025-12-31T23:59:59Z".parse().unwrap();
        let error = Node::init(&place.home, &place.settings, early).unwrap_err();
        assert!(
            matches!(error, OpenError::Clock(ClockError::Unset { .. })),
            "{error}"
        );
        assert!(!place.home.exists());
        // Nor under one beyond the end of time, where it could never go on.
        let error = Node::init(&place.home, &place.settings, Time::LATEST).unwrap_err();
        assert!(
            matches!(error, OpenError::Clock(ClockError::PastEnd)),
            "{error}"
        );
        assert_eq!(Failure::from(error).kind, FailureKind::TryAgain);
        assert!(!place.home.exists());
        assert!(Node::init(&place.home, &place.settings, now()).is_ok());
    }

    #[test]
    fn nothing_is_recorded_under_a_clock_beyond_the_end_of_time() {
        let (_place, node, _) = node();
        let size = node.store().size();
        assert_eq!(node.instant(Time::LATEST), Err(ClockError::PastEnd));
        let confirmed = node.accept_clock(Time::LATEST).unwrap_err();
        assert!(
            matches!(confirmed, AcceptClockError::Clock(_)),
            "{confirmed}"
        );
        let text = ambit_policy::default_profile(ambit_ledger::Layer::Owner).unwrap();
        let text = format!("{text}// another\n");
        let refused = node.activate_profile(ambit_ledger::Layer::Owner, &text, Time::LATEST);
        let failure = Failure::from(refused.unwrap_err());
        assert_eq!(failure.kind, FailureKind::TryAgain);
        assert!(failure.message.contains("set the clock right"), "{failure}");
        assert_eq!(node.store().size(), size);
    }

    #[test]
    fn a_step_is_noticed_while_the_node_runs_and_confirmed_by_a_person() {
        let (_place, node, begun) = node();
        let leap = begun.plus_days(40);
        // A command that starts anew has no pace to hold it against.
        assert_eq!(node.instant(leap), Ok(leap));
        node.keep_time();
        assert_eq!(node.instant(begun), Ok(begun));
        assert!(matches!(
            node.instant(leap),
            Err(ClockError::Stepped { .. })
        ));
        // Refused readings do not count as pace.
        assert!(matches!(
            node.instant(leap),
            Err(ClockError::Stepped { .. })
        ));
        assert!(node.accept_clock(leap).unwrap().was_refused);
        assert_eq!(node.instant(leap), Ok(leap));
        assert!(!node.accept_clock(leap).unwrap().was_refused);
    }

    #[test]
    fn a_clock_that_is_set_after_the_start_is_believed() {
        let (_place, node, begun) = node();
        node.keep_time();
        assert!(!node.is_clock_right_again(begun));
        assert!(matches!(
            node.instant(Time::EARLIEST),
            Err(ClockError::Behind { .. })
        ));
        assert!(!node.is_clock_right_again(Time::EARLIEST));
        // Somebody else looks first, and what was left is still known.
        assert_eq!(node.instant(begun), Ok(begun));
        assert!(node.is_clock_right_again(begun));
        assert!(!node.is_clock_right_again(begun));

        // A machine without a battery starts in 1970.
        let (_place, node, begun) = self::node();
        node.keep_time();
        assert!(node.instant(Time::EARLIEST).is_err());
        assert_eq!(node.instant(begun), Ok(begun));
    }

    #[test]
    fn questions_are_answered_whatever_the_clock_says() {
        let (_place, node, begun) = node();
        assert_eq!(
            node.reading_instant(Time::EARLIEST),
            node.store().last_time()
        );
        let far = begun.plus_days(2 * QUIET_DAYS_MAX);
        assert_eq!(node.reading_instant(far), far);
        assert!(node.status(far).unwrap().clock.is_some());
        assert!(node.status(begun).unwrap().clock.is_none());
    }
}
