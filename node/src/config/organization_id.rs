//! Which ids of organizations are taken where they are first written down. What others signed is taken as it is.

use ambit_ledger::OrganizationId;

/// An id under which nobody should be known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OrganizationIdError {
    /// It could not be told from two words, or from another that looks like it.
    #[error(
        "the id `{0}` has white space or letters beyond ASCII in it; use one such as did:web:shop.example, bpn:BPNL… or \
         lei:…, with a domain of other letters in its xn-- form"
    )]
    Characters(OrganizationId),
    /// Nothing after the scheme.
    #[error(
        "the id `{0}` is a scheme without a name; write the name after it, as in did:web:shop.example, bpn:BPNL… or lei:…"
    )]
    Nameless(OrganizationId),
}

/// Checks an id that a person gives.
///
/// # Errors
/// Any [`OrganizationIdError`].
pub fn check_organization_id(id: &OrganizationId) -> Result<(), OrganizationIdError> {
    let text = id.as_str();
    if text.contains(char::is_whitespace) || !text.is_ascii() {
        return Err(OrganizationIdError::Characters(id.clone()));
    }
    // A DID has a method before its name (W3C Decentralized Identifiers, section 3.1).
    let name = match text.strip_prefix("did:") {
        Some(rest) => rest.split_once(':').map_or("", |(_, name)| name),
        None => text,
    };
    if name.is_empty() || name.ends_with(':') {
        return Err(OrganizationIdError::Nameless(id.clone()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_names_somebody_in_plain_letters() {
        let check = |text: &str| check_organization_id(&text.parse().unwrap());
        for text in ["did:web:a.example", "did:web:a.example:b", "bpn:BPNL1", "a"] {
            assert_eq!(check(text), Ok(()), "{text}");
        }
        for text in ["x y", "did:web:ä.example", "a\u{a0}b"] {
            let error = check(text).unwrap_err();
            assert!(
                matches!(error, OrganizationIdError::Characters(_)),
                "{text}"
            );
        }
        for text in [
            "did:web:",
            "did:web",
            "did:",
            "bpn:",
            "lei:",
            ":",
            "did:web:a:",
        ] {
            let error = check(text).unwrap_err();
            assert!(matches!(error, OrganizationIdError::Nameless(_)), "{text}");
        }
    }
}
