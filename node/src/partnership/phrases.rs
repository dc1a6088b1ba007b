//! How the page puts names, lists and instants.

use ambit_ledger::{Member, Time};

/// A stranger's text, with nothing in it that could end the quotation.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "'"))
}

pub(super) fn joined(texts: impl Iterator<Item = String>, last: &str) -> String {
    let texts: Vec<String> = texts.collect();
    match texts.split_last() {
        Some((only, [])) => only.clone(),
        Some((end, rest)) => format!("{} {last} {end}", rest.join(", ")),
        None => String::new(),
    }
}

/// `2027-12-31 00:00 UTC`, with seconds only where there are some.
pub(super) fn instant(time: Time) -> String {
    let text = time.to_string().replace('T', " ");
    let text = text.trim_end_matches('Z');
    let text = match text.strip_suffix(":00") {
        Some(minutes) if minutes.matches(':').count() == 1 => minutes,
        _ => text,
    };
    format!("{text} UTC")
}

pub(super) fn named(member: &Member) -> String {
    format!(
        "{} ({})",
        quoted(member.card.name.as_str()),
        member.card.organization
    )
}
