//! Characters that people do not see in a text: controls, marks that turn its direction, invisible ones.
//! Rule: they are refused, because two texts that look the same must be the same, and because a name must not reorder
//! what stands around it. Joiners stay between the letters and emoji that need them.

use std::iter;

use icu_properties::{
    CodePointSetData, CodePointSetDataBorrowed,
    props::{BidiControl, DefaultIgnorableCodePoint},
};

/// Unicode's characters that turn the direction of a text.
const BIDI_CONTROL: CodePointSetDataBorrowed<'static> = CodePointSetData::new::<BidiControl>();
/// Unicode's characters that are not displayed, fonts permitting.
const IGNORABLE: CodePointSetDataBorrowed<'static> = CodePointSetData::new::<DefaultIgnorableCodePoint>();

/// What is wrong with a text of one line.
pub(super) fn single_line_problem(text: &str) -> Option<String> {
    first_problem(text, problem_of)
}

/// What is wrong with a text that may have several lines and tabs.
pub(super) fn multiline_problem(text: &str) -> Option<String> {
    first_problem(text, |c| problem_of(c).filter(|_| !is_line_break_or_tab(c)))
}

/// Whether a character has no place in a word: a control, or one that cannot be seen.
pub(super) fn is_hidden(c: char) -> bool {
    problem_of(c).is_some() || is_joiner(c) || is_tag(c)
}

/// Whether a character is seen, or is a blank or a line break. Joiners and tags count as seen: what is around them decides.
pub fn is_visible(c: char) -> bool {
    c.is_whitespace() || problem_of(c).is_none()
}

fn first_problem(text: &str, problem_of: impl Fn(char) -> Option<&'static str>) -> Option<String> {
    let before = iter::once(None).chain(text.chars().map(Some));
    let after = text.chars().skip(1).map(Some).chain([None]);
    let mut in_flag = false;
    for (position, ((c, before), after)) in (1..).zip(text.chars().zip(before).zip(after)) {
        in_flag = c == '\u{1f3f4}' || in_flag && is_tag(c);
        let problem = match c {
            _ if is_joiner(c) && !(needs_joiner(before) && needs_joiner(after)) => Some("joins nothing"),
            _ if is_tag(c) && !in_flag => Some("is invisible"),
            _ => problem_of(c),
        };
        if let Some(problem) = problem {
            return Some(format!("leave out U+{:04X} (character {position}): it {problem}", u32::from(c)));
        }
    }
    None
}

/// What a character does that makes it unfit, wherever it stands.
fn problem_of(c: char) -> Option<&'static str> {
    match c {
        '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => Some("breaks the line"),
        _ if c.is_control() => Some("is a control character"),
        _ if BIDI_CONTROL.contains(c) => Some("turns the direction of the text"),
        _ if is_joiner(c) || is_tag(c) || is_variation_selector(c) => None,
        // Marks of annotations are not ignorable by default, and cannot be seen either.
        '\u{fff9}'..='\u{fffb}' => Some("is invisible"),
        _ if IGNORABLE.contains(c) => Some("is invisible"),
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

/// What joiners stand between: scripts from Arabic on, and emoji. Latin, Greek and Cyrillic have no use for them.
fn needs_joiner(neighbour: Option<char>) -> bool {
    neighbour.is_some_and(|c| c >= '\u{600}' && !c.is_whitespace() && !is_hidden(c))
}

/// The letters of a flag such as Scotland's, behind a black one.
fn is_tag(c: char) -> bool {
    matches!(c, '\u{e0020}'..='\u{e007f}')
}

/// Choices between the forms of an emoji or an ideograph.
fn is_variation_selector(c: char) -> bool {
    matches!(c, '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_refused_and_named() {
        for (text, expected) in [
            ("a\0", "leave out U+0000 (character 2): it is a control character"),
            ("a\tb", "leave out U+0009 (character 2): it is a control character"),
            ("\u{1b}[31m", "leave out U+001B (character 1): it is a control character"),
            ("a\u{9f}", "leave out U+009F (character 2): it is a control character"),
            ("a\nb", "leave out U+000A (character 2): it breaks the line"),
            ("ab\r", "leave out U+000D (character 3): it breaks the line"),
            ("a\u{85}b", "leave out U+0085 (character 2): it breaks the line"),
            ("a\u{2028}b", "leave out U+2028 (character 2): it breaks the line"),
            ("gpj.\u{202e}exe", "leave out U+202E (character 5): it turns the direction of the text"),
            ("a\u{200f}", "leave out U+200F (character 2): it turns the direction of the text"),
            ("\u{2067}a\u{2069}", "leave out U+2067 (character 1): it turns the direction of the text"),
            ("a\u{61c}b", "leave out U+061C (character 2): it turns the direction of the text"),
            ("a\u{200b}b", "leave out U+200B (character 2): it is invisible"),
            ("\u{feff}a", "leave out U+FEFF (character 1): it is invisible"),
            ("a\u{ad}b", "leave out U+00AD (character 2): it is invisible"),
            ("a\u{2060}b", "leave out U+2060 (character 2): it is invisible"),
            ("a\u{3164}b", "leave out U+3164 (character 2): it is invisible"),
            ("a\u{e0067}b", "leave out U+E0067 (character 2): it is invisible"),
            ("🏴x\u{e0067}", "leave out U+E0067 (character 3): it is invisible"),
            ("a\u{200d}b", "leave out U+200D (character 2): it joins nothing"),
            ("\u{200c}ab", "leave out U+200C (character 1): it joins nothing"),
            ("नमस्\u{200d}", "leave out U+200D (character 5): it joins nothing"),
            ("नमस्\u{200d}\u{200d}ते", "leave out U+200D (character 5): it joins nothing"),
        ] {
            assert_eq!(single_line_problem(text).as_deref(), Some(expected), "{text:?}");
        }
    }

    #[test]
    fn what_scripts_and_emoji_need_stays() {
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
    fn only_longer_texts_have_lines() {
        assert_eq!(multiline_problem("one\r\n\ttwo\n\nthree\u{2029}four"), None);
        for text in ["a\u{b}b", "a\u{1b}b", "a\u{202e}b", "a\u{200b}b", "a\n\u{200d}b"] {
            assert!(multiline_problem(text).is_some(), "{text:?}");
        }
    }
}
