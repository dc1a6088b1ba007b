//! How much of an answer is recorded: enough to say why, and never more than an entry of the ledger holds, whatever rules
//! partners write.

use ambit_ledger::{
    Digest, ITEM_BYTES_MAX, LayerVerdict, PurposeVerdict, Salt, Unnamed, Unsalted, Verdict, encode,
};

/// The most policies that are named of one layer for one purpose.
pub const POLICIES_NAMED_MAX: usize = 8;

/// The most errors that are recorded of one layer, or of one purpose.
pub const ERRORS_RECORDED_MAX: usize = 4;

/// The most bytes of one error.
pub const ERROR_BYTES_MAX: usize = 256;

/// The most bytes of policies and errors in one decision.
pub const NAMED_BYTES_MAX: usize = 16 * 1024;

/// The largest decision: an entry holds it beside what every entry has.
pub const DECISION_BYTES_MAX: usize = ITEM_BYTES_MAX - 1_024;

/// What is recorded of a decision that would be larger.
const TOO_LARGE: &str = "the decision is too large to be recorded";

const UNNAMED_DOMAIN: &[u8] = b"ambit determining 1\n";

/// What may still be named in one decision.
pub(crate) struct Recording {
    bytes_left: usize,
}

impl Recording {
    pub(crate) fn begin() -> Self {
        Self {
            bytes_left: NAMED_BYTES_MAX,
        }
    }

    /// Leaves out of what layers said, and of why a request could not be put, what is too much.
    pub(crate) fn bound(&mut self, layers: &mut [LayerVerdict], errors: &mut Vec<String>) {
        self.bound_errors(errors);
        for said in layers {
            let named = self.fitting(&said.determining, POLICIES_NAMED_MAX);
            if named < said.determining.len() {
                let ids = encode(&said.determining);
                said.unnamed = Some(Unnamed {
                    count: (said.determining.len() - named) as u64,
                    all: Digest::of_parts(&[UNNAMED_DOMAIN, &ids]),
                });
                said.determining.truncate(named);
            }
            self.bound_errors(&mut said.errors);
        }
    }

    fn bound_errors(&mut self, errors: &mut Vec<String>) {
        for error in errors.iter_mut().take(ERRORS_RECORDED_MAX) {
            if error.len() > ERROR_BYTES_MAX {
                error.truncate(error.floor_char_boundary(ERROR_BYTES_MAX));
                error.push('…');
            }
        }
        let recorded = self.fitting(errors, ERRORS_RECORDED_MAX);
        let more = errors.len() - recorded;
        if more > 0 {
            errors.truncate(recorded);
            errors.push(format!("{more} more"));
        }
    }

    /// How many of these fit, in their order.
    fn fitting(&mut self, texts: &[String], most: usize) -> usize {
        let mut fitting = 0;
        for text in texts.iter().take(most) {
            let Some(left) = self.bytes_left.checked_sub(text.len()) else {
                break;
            };
            self.bytes_left = left;
            fitting += 1;
        }
        fitting
    }
}

/// A decision as it is recorded: one that is larger than an entry holds is *undecided* for every purpose.
#[must_use]
pub fn recordable(decision: Unsalted) -> Unsalted {
    let salted = decision.clone().salted(Salt::from_bytes([0; 32]));
    if encode(&salted).len() <= DECISION_BYTES_MAX {
        return decision;
    }
    let verdicts = decision.verdicts.into_iter().map(left_open).collect();
    Unsalted {
        verdicts,
        ..decision
    }
}

fn left_open(answer: PurposeVerdict) -> PurposeVerdict {
    PurposeVerdict {
        purpose: answer.purpose,
        verdict: Verdict::Undecided,
        layers: Vec::new(),
        errors: vec![TOO_LARGE.to_owned()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ambit_ledger::Layer;

    fn said(determining: Vec<String>, errors: Vec<String>) -> LayerVerdict {
        LayerVerdict {
            layer: Layer::Partnership,
            verdict: Verdict::Withheld,
            determining,
            errors,
            unnamed: None,
        }
    }

    fn texts(count: usize, bytes: usize) -> Vec<String> {
        (0..count)
            .map(|number| format!("{number:0bytes$}"))
            .collect()
    }

    #[test]
    fn what_fits_stays_as_it_is() {
        let mut layers = [said(
            texts(POLICIES_NAMED_MAX, 60),
            texts(ERRORS_RECORDED_MAX, 256),
        )];
        let before = layers.clone();
        let mut errors = texts(1, 10);
        Recording::begin().bound(&mut layers, &mut errors);
        assert_eq!((layers, errors), (before, texts(1, 10)));
    }

    #[test]
    fn what_is_left_out_is_counted() {
        let all = texts(20, 60);
        let mut layers = [said(all.clone(), texts(6, 300))];
        let mut errors = vec!["ä".repeat(200)];
        Recording::begin().bound(&mut layers, &mut errors);
        let [said] = &layers;
        assert_eq!(said.determining, all[..POLICIES_NAMED_MAX]);
        let unnamed = said.unnamed.unwrap();
        assert_eq!(unnamed.count, 12);
        assert_eq!(
            unnamed.all,
            Digest::of_parts(&[UNNAMED_DOMAIN, &encode(&all)])
        );
        assert_eq!(said.errors.len(), ERRORS_RECORDED_MAX + 1);
        assert_eq!(said.errors[0].len(), ERROR_BYTES_MAX + '…'.len_utf8());
        assert_eq!(said.errors[ERRORS_RECORDED_MAX], "2 more");
        assert_eq!(errors, ["ä".repeat(128) + "…"]);
    }

    #[test]
    fn all_of_a_decision_is_bounded_together() {
        let mut recording = Recording::begin();
        let mut bytes = 0;
        for _ in 0..1_000 {
            let mut layers = [said(texts(20, 60), texts(20, 60))];
            recording.bound(&mut layers, &mut Vec::new());
            let [said] = &layers;
            bytes += said.determining.concat().len();
            let recorded = said.errors.iter().filter(|error| !error.ends_with("more"));
            bytes += recorded.map(String::len).sum::<usize>();
            let unnamed = said.unnamed.unwrap();
            assert_eq!(unnamed.count + said.determining.len() as u64, 20);
        }
        assert!(
            (NAMED_BYTES_MAX - 60..=NAMED_BYTES_MAX).contains(&bytes),
            "{bytes}"
        );
    }
}
