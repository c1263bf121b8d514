//! Email addresses in canonical form: NFKC, lower case, the domain in ASCII.
//! Rule: addresses are stored and looked up in canonical form, so that one mailbox is one account and nobody can
//! register a lookalike of another address.

use email_address::EmailAddress;
use idna::{
    AsciiDenyList,
    uts46::{DnsLength, Hyphens, Uts46},
};
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};
use unicode_security::{MixedScript, RestrictionLevel, RestrictionLevelDetection, skeleton};

use super::{hidden::is_hidden, trim};
use crate::error::{Result, UserError, UserErrorCode};

/// Maximum length of an address, and of the part before the `@` (RFC 5321, errata of RFC 3696).
const MAX_LENGTH: usize = 254;
const MAX_LOCAL_LENGTH: usize = 64;

const EXAMPLE: &str = "must be an email address such as name@shop.example";
const TOO_LONG: &str = "an email address has at most 254 characters, with at most 64 before the @";
const HIDDEN: &str = "the email address contains invisible characters; type it again";
const DOMAIN: &str = "the part after the @ must be a domain such as shop.example";
const MIXED: &str = "the part before the @ must not mix scripts or contain lookalike letters";
const LOOKALIKE: &str = "the part before the @ looks like Latin letters but is not; use Latin letters";

/// Returns the canonical form of an email address; whitespace around it is ignored.
/// # Errors
/// Returns INVALID if the text is not an email address, or imitates another one.
pub fn normalize_email(field: &'static str, value: &str) -> Result<String, UserError> {
    canonical(trim(value)).map_err(|rule| UserError::new(UserErrorCode::Invalid, field, rule))
}

fn canonical(value: &str) -> Result<String, &'static str> {
    if value.chars().nth(MAX_LENGTH).is_some() {
        return Err(TOO_LONG);
    }
    if value.chars().any(is_hidden) {
        return Err(HIDDEN);
    }
    let text: String = value.nfkc().collect();
    let (local, domain) = text.split_once('@').ok_or(EXAMPLE)?;
    let email = format!("{}@{}", canonical_local_part(local)?, canonical_domain(domain)?);
    if email.len() > MAX_LENGTH { Err(TOO_LONG) } else { Ok(email) }
}

/// Returns the part before the `@` in lower case; hardly any mail server distinguishes case, and people never do.
fn canonical_local_part(local: &str) -> Result<String, &'static str> {
    let local: String = local.to_lowercase().nfkc().collect();
    if local.len() > MAX_LOCAL_LENGTH {
        return Err(TOO_LONG);
    }
    // The grammar crate accepts letters only, so combining marks, which some scripts use for vowels, are left out.
    let letters: String = local.chars().filter(|c| !is_combining_mark(*c)).collect();
    if local.starts_with(is_combining_mark) || letters.contains('"') || !EmailAddress::is_valid_local_part(&letters) {
        return Err(EXAMPLE);
    }
    let word: String = local.chars().filter(|c| !c.is_ascii_punctuation()).collect();
    if !word.check_restriction_level(RestrictionLevel::HighlyRestrictive) {
        return Err(MIXED);
    }
    // A word that forms a single script together with a Latin letter is Latin itself. Only other scripts can imitate
    // Latin.
    let is_latin = format!("a{word}").is_single_script();
    if !is_latin && skeleton(&word).all(|c| c.is_ascii()) { Err(LOOKALIKE) } else { Ok(local) }
}

/// Returns the domain in ASCII, which is lower case too.
fn canonical_domain(domain: &str) -> Result<String, &'static str> {
    let ascii = Uts46::new()
        .to_ascii(domain.as_bytes(), AsciiDenyList::STD3, Hyphens::CheckFirstLast, DnsLength::Verify)
        .map_err(|_| DOMAIN)?;
    // An IP address such as 127.0.0.1 is not a domain name.
    let top = ascii.rsplit('.').next().unwrap_or_default();
    if top.bytes().all(|b| b.is_ascii_digit()) { Err(DOMAIN) } else { Ok(ascii.into_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_one_mailbox_normalize_to_one_form() {
        let long = format!("{}@{}.example", "a".repeat(64), "b".repeat(63));
        for (typed, expected) in [
            ("ada@souk.example", "ada@souk.example"),
            ("Ada.Lovelace+Shop@Souk.EXAMPLE", "ada.lovelace+shop@souk.example"),
            ("o'neil_!#$%&*/=?^`{|}~-@souk.example", "o'neil_!#$%&*/=?^`{|}~-@souk.example"),
            ("ａｄａ＠souk。example", "ada@souk.example"),
            ("ﬁne@souk.example", "fine@souk.example"),
            ("JÖRG@MÜNCHEN.example", "jörg@xn--mnchen-3ya.example"),
            ("jo\u{308}rg@mu\u{308}nchen.example", "jörg@xn--mnchen-3ya.example"),
            ("jörg@xn--mnchen-3ya.example", "jörg@xn--mnchen-3ya.example"),
            ("ΟΔΟΣ@souk.example", "οδος@souk.example"),
            ("Straße@straße.example", "straße@xn--strae-oqa.example"),
            ("ивасик@почта.example", "ивасик@xn--80a1acny.example"),
            ("हिन्दी@souk.example", "हिन्दी@souk.example"),
            ("山田taro@例え.example", "山田taro@xn--r8jz45g.example"),
            ("yıldız@souk.example", "yıldız@souk.example"),
            ("x@y", "x@y"),
            ("root@localhost", "root@localhost"),
            ("a@1.2.3a", "a@1.2.3a"),
            (&long, &long),
        ] {
            assert_eq!(canonical(typed).as_deref(), Ok(expected), "{typed}");
            assert_eq!(canonical(expected).as_deref(), Ok(expected), "{typed} again");
        }
    }

    #[test]
    fn whitespace_around_an_address_is_ignored() {
        for typed in [
            " ada@souk.example",
            "ada@souk.example\t",
            "\u{a0}ada@souk.example\u{200b}\r\n",
            "\u{feff}Ada@souk.example ",
        ] {
            assert_eq!(normalize_email("email", typed).as_deref(), Ok("ada@souk.example"), "{typed:?}");
        }
    }

    #[test]
    fn invalid_and_deceptive_addresses_are_rejected() {
        let long_domain = format!("ada.l@{}.example", ["b".repeat(60).as_str(); 4].join("."));
        let long_ascii = format!("{}@{}.example", "a".repeat(60), ["ü".repeat(40).as_str(); 4].join("."));
        for (typed, rule) in [
            ("", EXAMPLE),
            ("ada", EXAMPLE),
            ("@souk.example", EXAMPLE),
            ("ada@", DOMAIN),
            ("a@b@souk.example", DOMAIN),
            ("a＠b@souk.example", DOMAIN),
            (" ada@souk.example", EXAMPLE),
            ("ada @souk.example", EXAMPLE),
            ("a\u{a0}da@souk.example", EXAMPLE),
            ("ada@souk.example ", DOMAIN),
            ("ada@ souk.example", DOMAIN),
            ("ada@souk.example\n", HIDDEN),
            ("a\u{1b}da@souk.example", HIDDEN),
            ("a\u{200b}da@souk.example", HIDDEN),
            ("ada@so\u{ad}uk.example", HIDDEN),
            ("ada@souk\u{200d}.example", HIDDEN),
            (".ada@souk.example", EXAMPLE),
            ("ada.@souk.example", EXAMPLE),
            ("a..da@souk.example", EXAMPLE),
            ("\"ada lovelace\"@souk.example", EXAMPLE),
            ("\"ada\"@souk.example", EXAMPLE),
            ("a\"da@souk.example", EXAMPLE),
            ("ada(comment)@souk.example", EXAMPLE),
            ("Ada <ada@souk.example>", EXAMPLE),
            ("<ada@souk.example>", EXAMPLE),
            ("mailto:ada@souk.example", EXAMPLE),
            ("a,b@souk.example", EXAMPLE),
            ("🦀@souk.example", EXAMPLE),
            ("\u{301}a@souk.example", EXAMPLE),
            ("ada@[127.0.0.1]", DOMAIN),
            ("ada@127.0.0.1", DOMAIN),
            ("ada@souk..example", DOMAIN),
            ("ada@.souk.example", DOMAIN),
            ("ada@souk.example.", DOMAIN),
            ("ada@-souk.example", DOMAIN),
            ("ada@souk-.example", DOMAIN),
            ("ada@so_uk.example", DOMAIN),
            ("ada@souk.example/x", DOMAIN),
            ("ada@xn--a.example", DOMAIN),
            ("ada@\u{301}souk.example", DOMAIN),
            ("аda@souk.example", MIXED),
            ("ραul@souk.example", MIXED),
            ("ada.о@souk.example", MIXED),
            ("ada١@souk.example", MIXED),
            ("ᴀda@souk.example", MIXED),
            ("ɑda@souk.example", MIXED),
            ("раура@souk.example", LOOKALIKE),
            ("сосо@souk.example", LOOKALIKE),
            (&format!("{}@souk.example", "a".repeat(65)), TOO_LONG),
            (&format!("{}@souk.example", "ü".repeat(33)), TOO_LONG),
            (&format!("{}@souk.example", "\u{fdfa}".repeat(10)), TOO_LONG),
            (&format!("a@{}.example", "b".repeat(64)), DOMAIN),
            (&long_domain, TOO_LONG),
            (&long_ascii, TOO_LONG),
            (&"a".repeat(1_000_000), TOO_LONG),
        ] {
            assert_eq!(canonical(typed), Err(rule), "{typed}");
        }
    }
}
