//! URLs in names. Names of people are shown in emails to others, where a URL would become a link.

/// Abbreviations that are written before a name, often without a space after the dot.
const TITLES: &[&str] = &[
    "dr", "mr", "mrs", "ms", "prof", "st", "ste", "jr", "sr", "fr", "hr", "ing", "dipl", "mag", "med", "rev", "hon",
    "lic", "sra", "mme", "mlle", "gen", "col", "capt", "lt", "sgt", "dott", "geb",
];

/// Returns whether a text contains a URL or something that programs turn into a link: a scheme, `www.`, the name of a host
/// such as `example.com`, or an IP address. Initials and titles, such as `J.R.Tolkien` and `Dr.Smith`, are no hosts.
pub fn contains_url(text: &str) -> bool {
    let text = text
        .replace(['\u{3002}', '\u{ff0e}', '\u{ff61}', '\u{2024}'], ".")
        .replace('\u{ff1a}', ":")
        .replace('\u{ff0f}', "/");
    let lower = text.to_lowercase();
    let has_scheme =
        ["://", "www.", "http:", "https:", "mailto:", "javascript:"].iter().any(|part| lower.contains(part));
    let is_part_of_host = |c: char| c.is_alphanumeric() || c == '.' || c == '-';
    has_scheme || text.split(|c| !is_part_of_host(c)).any(is_host)
}

/// Returns whether a word is the name of a host or an IPv4 address.
fn is_host(word: &str) -> bool {
    let labels: Vec<&str> = word.trim_matches(['.', '-']).split('.').collect();
    let [others @ .., last] = labels.as_slice() else { return false };
    let is_number = |label: &&str| !label.is_empty() && label.chars().all(|c| c.is_ascii_digit());
    if labels.len() == 4 && labels.iter().all(is_number) {
        return true;
    }
    let is_top_level =
        last.chars().nth(1).is_some() && last.chars().all(char::is_alphabetic) || last.starts_with("xn--");
    is_top_level && others.iter().any(|label| !label.is_empty()) && !is_name(others, last)
}

/// Returns whether initials or titles are followed by a capitalized name, without a space in between.
fn is_name(before: &[&str], name: &str) -> bool {
    let mut letters = name.chars();
    let is_capitalized = letters.next().is_some_and(char::is_uppercase) && letters.all(|c| !c.is_uppercase());
    let is_initial = |label: &str| label.chars().count() == 1 && label.chars().all(char::is_uppercase);
    let is_title = |label: &str| TITLES.contains(&label.to_lowercase().as_str());
    is_capitalized && name.chars().nth(2).is_some() && before.iter().all(|label| is_initial(label) || is_title(label))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_found_in_any_spelling() {
        for text in [
            "https://evil.example/login",
            "Win at evil.com now",
            "www.evil",
            "WWW.Evil.Com",
            "evil.com/win",
            "Ada (evil.shop)",
            "evil\u{3002}com",
            "https\u{ff1a}evil",
            "t.co/abc",
            "Dr.evil",
            "ada@evil.example",
            "192.0.2.7",
            "b\u{fc}cher.de",
            "evil.xn--p1ai",
            "A.b.com",
        ] {
            assert!(contains_url(text), "{text}");
        }
    }

    #[test]
    fn names_are_not_links() {
        for text in [
            "Ada Lovelace",
            "J. R. R. Tolkien",
            "J.R.R. Tolkien",
            "J.R.R.Tolkien",
            "Dr. Smith",
            "Dr.Smith",
            "Prof.Dr.Curie",
            "Acme Inc.",
            "Smith & Co. KG",
            "O'Neill, Jr.",
            "St.Moritz",
            "No.12",
            "24/7 Services",
            "Anna-Maria",
            "S.A.",
            "S.p.A.",
            "\u{738b}\u{5c0f}\u{660e}",
            "",
        ] {
            assert!(!contains_url(text), "{text}");
        }
    }
}
