//! Invisible characters: control characters, characters that change the text direction, and ignorable ones.
//! Rule: they are rejected, because texts that look equal must be equal, and a name must not reorder the text around
//! it. Joiners are accepted between letters and emoji that need them.

use std::iter;

use icu_properties::{
    CodePointSetData, CodePointSetDataBorrowed,
    props::{BidiControl, DefaultIgnorableCodePoint},
};

/// Unicode characters that change the text direction.
const BIDI_CONTROL: CodePointSetDataBorrowed<'static> = CodePointSetData::new::<BidiControl>();
/// Unicode characters that are not displayed by default.
const IGNORABLE: CodePointSetDataBorrowed<'static> = CodePointSetData::new::<DefaultIgnorableCodePoint>();

/// What is said about a character that is displayed as nothing.
const INVISIBLE: &str = "an invisible character";

/// Returns the rule that a single-line text breaks.
pub(super) fn single_line_problem(text: &str) -> Option<String> {
    first_problem(text, problem_of)
}

/// Returns the rule that a text with line breaks and tabs breaks.
pub(super) fn multiline_problem(text: &str) -> Option<String> {
    first_problem(text, |c| problem_of(c).filter(|_| !is_line_break_or_tab(c)))
}

/// Returns whether a character cannot be part of a word: a control or invisible character.
pub(super) fn is_hidden(c: char) -> bool {
    problem_of(c).is_some() || is_joiner(c) || is_tag(c)
}

/// Returns whether a character is visible, whitespace or a line break. Joiners and tags count as visible, because their
/// context decides.
pub fn is_visible(c: char) -> bool {
    c.is_whitespace() || problem_of(c).is_none()
}

/// Returns whether a character is displayed as nothing wherever it stands at the edge of a text. Variation selectors and
/// tags are not included: they belong to the character before them.
pub(super) fn is_invisible(c: char) -> bool {
    is_joiner(c) || BIDI_CONTROL.contains(c) || problem_of(c) == Some(INVISIBLE)
}

fn first_problem(text: &str, problem_of: impl Fn(char) -> Option<&'static str>) -> Option<String> {
    let before = iter::once(None).chain(text.chars().map(Some));
    let after = text.chars().skip(1).map(Some).chain([None]);
    let mut in_flag = false;
    for (position, ((c, before), after)) in (1..).zip(text.chars().zip(before).zip(after)) {
        in_flag = c == '\u{1f3f4}' || in_flag && is_tag(c);
        let problem = match c {
            _ if is_joiner(c) && !(needs_joiner(before) && needs_joiner(after)) => Some("a misplaced joiner"),
            _ if is_tag(c) && !in_flag => Some(INVISIBLE),
            _ => problem_of(c),
        };
        if let Some(problem) = problem {
            return Some(format!("must not contain {problem} (U+{:04X} at position {position})", u32::from(c)));
        }
    }
    None
}

/// Describes a character that is rejected in any context.
fn problem_of(c: char) -> Option<&'static str> {
    match c {
        '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => Some("a line break"),
        _ if c.is_control() => Some("a control character"),
        _ if BIDI_CONTROL.contains(c) => Some("a text direction character"),
        _ if is_joiner(c) || is_tag(c) || is_variation_selector(c) => None,
        // Annotation characters are not ignorable by default, but invisible too.
        '\u{fff9}'..='\u{fffb}' => Some(INVISIBLE),
        _ if IGNORABLE.contains(c) => Some(INVISIBLE),
        _ => None,
    }
}

fn is_line_break_or_tab(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}')
}

/// ZWNJ and ZWJ.
fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}')
}

/// Returns whether joiners make sense next to a character: scripts from Arabic on, and emoji. Latin, Greek and Cyrillic
/// do not use joiners.
fn needs_joiner(neighbour: Option<char>) -> bool {
    neighbour.is_some_and(|c| c >= '\u{600}' && !c.is_whitespace() && !is_hidden(c))
}

/// The letters in flags such as Scotland's, which follow a black flag.
fn is_tag(c: char) -> bool {
    matches!(c, '\u{e0020}'..='\u{e007f}')
}

/// Characters that select a form of an emoji or ideograph.
fn is_variation_selector(c: char) -> bool {
    matches!(c, '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invisible_characters_are_rejected_and_named() {
        for (text, expected) in [
            ("a\0", "must not contain a control character (U+0000 at position 2)"),
            ("a\tb", "must not contain a control character (U+0009 at position 2)"),
            ("\u{1b}[31m", "must not contain a control character (U+001B at position 1)"),
            ("a\u{9f}", "must not contain a control character (U+009F at position 2)"),
            ("a\nb", "must not contain a line break (U+000A at position 2)"),
            ("ab\r", "must not contain a line break (U+000D at position 3)"),
            ("a\u{85}b", "must not contain a line break (U+0085 at position 2)"),
            ("a\u{2028}b", "must not contain a line break (U+2028 at position 2)"),
            ("gpj.\u{202e}exe", "must not contain a text direction character (U+202E at position 5)"),
            ("a\u{200f}", "must not contain a text direction character (U+200F at position 2)"),
            ("\u{2067}a\u{2069}", "must not contain a text direction character (U+2067 at position 1)"),
            ("a\u{61c}b", "must not contain a text direction character (U+061C at position 2)"),
            ("a\u{200b}b", "must not contain an invisible character (U+200B at position 2)"),
            ("\u{feff}a", "must not contain an invisible character (U+FEFF at position 1)"),
            ("a\u{ad}b", "must not contain an invisible character (U+00AD at position 2)"),
            ("a\u{2060}b", "must not contain an invisible character (U+2060 at position 2)"),
            ("a\u{3164}b", "must not contain an invisible character (U+3164 at position 2)"),
            ("a\u{e0067}b", "must not contain an invisible character (U+E0067 at position 2)"),
            ("🏴x\u{e0067}", "must not contain an invisible character (U+E0067 at position 3)"),
            ("a\u{200d}b", "must not contain a misplaced joiner (U+200D at position 2)"),
            ("\u{200c}ab", "must not contain a misplaced joiner (U+200C at position 1)"),
            ("नमस्\u{200d}", "must not contain a misplaced joiner (U+200D at position 5)"),
            ("नमस्\u{200d}\u{200d}ते", "must not contain a misplaced joiner (U+200D at position 5)"),
        ] {
            assert_eq!(single_line_problem(text).as_deref(), Some(expected), "{text:?}");
        }
    }

    #[test]
    fn joiners_that_scripts_and_emoji_need_are_accepted() {
        for text in [
            "",
            "Zoë O’Neil-Müller",
            "👩🏽\u{200d}🚀 and ❤\u{fe0f}\u{200d}🔥",
            "🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}",
            "می\u{200c}خواهم",
            "क्\u{200d}ष",
            "葛\u{e0100}城市",
            "e\u{301}",
            "a\u{a0}b\u{3000}c",
            "\u{fffd}",
        ] {
            assert_eq!(single_line_problem(text), None, "{text:?}");
        }
    }

    #[test]
    fn line_breaks_are_accepted_only_in_multiline_texts() {
        assert_eq!(multiline_problem("one\r\n\ttwo\n\nthree\u{2029}four"), None);
        for text in ["a\u{b}b", "a\u{1b}b", "a\u{202e}b", "a\u{200b}b", "a\n\u{200d}b"] {
            assert!(multiline_problem(text).is_some(), "{text:?}");
        }
    }
}
