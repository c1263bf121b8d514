//! The one rule for the edges of texts.
//! Rule: whitespace and invisible characters are removed from both ends of every text that enters, so that what
//! is pasted equals what is typed. Inside a text they are kept or rejected, never removed.

use super::hidden::is_invisible;

/// Returns the text without whitespace (Unicode `White_Space`: tabs, line breaks, no-break spaces and others) and
/// invisible characters (byte order marks, zero-width characters, direction marks) at its edges.
pub fn trim(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || is_invisible(c))
}

/// Trims a text in place, as [`trim`] does.
pub fn trim_in_place(text: &mut String) {
    let trimmed = trim(text);
    if trimmed.len() != text.len() {
        *text = trimmed.to_owned();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whitespace_and_invisible_characters_are_removed_from_the_edges_only() {
        for edge in [
            " ",
            "\t",
            "\r\n",
            "\u{b}",
            "\u{c}",
            "\u{85}",
            "\u{a0}",
            "\u{ad}",
            "\u{1680}",
            "\u{2007}",
            "\u{200b}",
            "\u{200c}",
            "\u{200d}",
            "\u{200e}",
            "\u{2028}",
            "\u{202a}",
            "\u{202c}",
            "\u{202f}",
            "\u{2060}",
            "\u{3000}",
            "\u{feff}",
            " \u{200b}\t\u{feff} ",
        ] {
            let mut text = format!("{edge}a b{edge}");
            assert_eq!(trim(&text), "a b", "{edge:?}");
            trim_in_place(&mut text);
            assert_eq!(text, "a b", "{edge:?}");
            assert_eq!(trim(edge), "", "{edge:?}");
            let inside = format!("a{edge}b");
            assert_eq!(trim(&inside), inside, "{edge:?}");
        }
    }

    #[test]
    fn characters_that_belong_to_their_neighbors_and_control_characters_stay() {
        for text in ["", "❤\u{fe0f}", "🏴\u{e0067}\u{e007f}", "e\u{301}", "a\u{1}", "\u{1b}a"] {
            assert_eq!(trim(text), text, "{text:?}");
        }
    }
}
