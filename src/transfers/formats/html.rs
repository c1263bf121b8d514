//! Converts the HTML of product descriptions to plain text: paragraphs, line breaks and lists are kept, everything else
//! is dropped.
//! Rule: the time is linear in the length for any input; no tree is built.

use html_escape::decode_html_entities;

use crate::text::is_visible;

/// Whitespace between two texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Gap {
    None,
    Space,
    Line,
    Paragraph,
}

/// Elements whose content is not displayed.
const HIDDEN_ELEMENTS: [&str; 10] =
    ["script", "style", "template", "head", "iframe", "noscript", "svg", "object", "select", "textarea"];
const PARAGRAPH_ELEMENTS: [&str; 15] =
    ["p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "dl", "table", "blockquote", "pre", "hr", "figure"];
const LINE_ELEMENTS: [&str; 14] = [
    "div",
    "li",
    "tr",
    "dt",
    "dd",
    "section",
    "article",
    "header",
    "footer",
    "figcaption",
    "address",
    "main",
    "form",
    "caption",
];

/// Converts HTML to text. Line breaks in the source are kept with `keep_newlines`, as WordPress does, or if the text
/// has no block elements.
pub fn to_text(html: &str, keep_newlines: bool) -> String {
    let mut text =
        TextBuilder { out: String::with_capacity(html.len()), gap: Gap::None, bullet: false, keep_newlines: true };
    text.keep_newlines = keep_newlines || !has_blocks(html);
    let mut rest = html;
    // Once no tag can end, `<` is text; the same applies to quotes.
    let (mut tags, mut quotes) = (true, true);
    while !rest.is_empty() {
        let at = if tags { rest.find('<').unwrap_or(rest.len()) } else { rest.len() };
        text.push(&decode_html_entities(&rest[..at]));
        rest = &rest[at..];
        if rest.is_empty() {
            break;
        }
        match parse_tag(rest, &mut tags, &mut quotes) {
            None => {
                text.push("<");
                rest = &rest[1..];
            }
            Some((name, after)) => {
                rest = after;
                if HIDDEN_ELEMENTS.contains(&name.as_str()) {
                    rest = skip_element(rest, &name);
                }
                text.element(&name);
            }
        }
    }
    text.out
}

struct TextBuilder {
    out: String,
    gap: Gap,
    bullet: bool,
    keep_newlines: bool,
}

impl TextBuilder {
    fn push(&mut self, text: &str) {
        for c in text.chars().filter(|c| is_visible(*c)) {
            if c == '\n' && self.keep_newlines {
                self.break_line();
            } else if c.is_whitespace() {
                self.gap = self.gap.max(Gap::Space);
            } else {
                self.begin();
                self.out.push(c);
            }
        }
    }

    fn begin(&mut self) {
        let gap = std::mem::replace(&mut self.gap, Gap::None);
        if !self.out.is_empty() {
            self.out.push_str(match gap {
                Gap::None => "",
                Gap::Space => " ",
                Gap::Line => "\n",
                Gap::Paragraph => "\n\n",
            });
        }
        if std::mem::take(&mut self.bullet) {
            self.out.push_str("- ");
        }
    }

    /// The first break ends the line, the second one the paragraph.
    fn break_line(&mut self) {
        self.gap = if self.gap < Gap::Line { Gap::Line } else { Gap::Paragraph };
    }

    fn element(&mut self, name: &str) {
        let bare = name.trim_start_matches('/');
        self.gap = match bare {
            "br" => return self.break_line(),
            "td" | "th" => self.gap.max(Gap::Space),
            _ if PARAGRAPH_ELEMENTS.contains(&bare) => Gap::Paragraph,
            _ if LINE_ELEMENTS.contains(&bare) => self.gap.max(Gap::Line),
            _ => self.gap,
        };
        match name {
            "li" => self.bullet = true,
            "/li" | "/ul" | "/ol" => self.bullet = false,
            _ => {}
        }
    }
}

fn has_blocks(html: &str) -> bool {
    let (mut tags, mut quotes) = (true, true);
    let mut rest = html;
    while let Some(at) = rest.find('<').filter(|_| tags) {
        rest = &rest[at..];
        let Some((name, after)) = parse_tag(rest, &mut tags, &mut quotes) else {
            rest = &rest[1..];
            continue;
        };
        if name == "br" || PARAGRAPH_ELEMENTS.contains(&name.as_str()) || LINE_ELEMENTS.contains(&name.as_str()) {
            return true;
        }
        rest = after;
    }
    false
}

/// Parses the tag at the start of the text: its name in lower case (`/p` for an end tag, empty for a comment), and the
/// rest.
fn parse_tag<'a>(text: &'a str, tags: &mut bool, quotes: &mut bool) -> Option<(String, &'a str)> {
    if let Some(comment) = text.strip_prefix("<!--") {
        return match comment.split_once("-->") {
            Some((_, rest)) => Some((String::new(), rest)),
            None => Some((String::new(), "")),
        };
    }
    let inner = &text[1..];
    let name = inner.strip_prefix('/').unwrap_or(inner);
    if !name.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '!' | '?')) {
        return None;
    }
    let end = if *quotes { quoted_end(inner) } else { None };
    let Some(end) = end.or_else(|| {
        *quotes = false;
        inner.find('>')
    }) else {
        *tags = false;
        return None;
    };
    let (inner, rest) = (&inner[..end], &inner[end + 1..]);
    let slash = usize::from(inner.starts_with('/'));
    let length = inner[slash..].find(|c: char| !c.is_ascii_alphanumeric() && c != ':' && c != '-');
    let name = &inner[..length.map_or(inner.len(), |length| slash + length)];
    Some((name.to_ascii_lowercase(), rest))
}

/// Returns the position of the tag's end, skipping quoted attribute values.
fn quoted_end(inner: &str) -> Option<usize> {
    let mut quote = None;
    for (at, byte) in inner.bytes().enumerate() {
        match (quote, byte) {
            (None, b'>') => return Some(at),
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), _) if open == byte => quote = None,
            _ => {}
        }
    }
    None
}

/// Returns the text after the end tag of an element; empty if there is none.
fn skip_element<'a>(text: &'a str, name: &str) -> &'a str {
    let mut rest = text;
    while let Some(at) = rest.find("</") {
        rest = &rest[at + 2..];
        if rest.get(..name.len()).is_some_and(|found| found.eq_ignore_ascii_case(name)) {
            return rest.find('>').map_or("", |end| &rest[end + 1..]);
        }
    }
    ""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_lines_and_lists_are_kept() {
        for (html, expected) in [
            ("plain", "plain"),
            ("  two\n\n\nparagraphs\nand a line ", "two\n\nparagraphs\nand a line"),
            ("<p>One\ntwo.</p>\n<p>Three</p>", "One two.\n\nThree"),
            ("One<br>two<br/><BR />three", "One\ntwo\n\nthree"),
            ("<ul><li>a</li><li> b </li><li></li></ul>end", "- a\n- b\n\nend"),
            ("<h2>Care</h2>Wash <b>cold</b>,<i>dry</i>.", "Care\n\nWash cold,dry."),
            ("<div>a</div><div><div>b</div></div>", "a\nb"),
            ("<table><tr><td>Size</td><td>M</td></tr><tr><td>L</td></tr></table>", "Size M\nL"),
            ("<p>&nbsp;</p><p>Caf&eacute; &amp; Tee &#8211; 5&nbsp;&euro; &lt;b&gt;</p>", "Café & Tee – 5 € <b>"),
            ("<style>p{}</style>a<script>if (a < b) {}</script><!-- <p>c</p> -->b", "ab"),
            ("<SCRIPT>x</SCRIPT >y", "y"),
            ("<p title='a > b'>c</p>", "c"),
            ("5 < 6 and 7 > 3, a <b", "5 < 6 and 7 > 3, a <b"),
            ("a &unknown; & b &", "a &unknown; & b &"),
            ("so\u{ad}ft&shy;ly\u{200b}", "softly"),
            ("<p title=\"a>b</p>c", "b\n\nc"),
            ("<!-- never ends", ""),
            ("", ""),
        ] {
            assert_eq!(to_text(html, false), expected, "{html}");
        }
        assert_eq!(to_text("Intro\n\nMore\n<ul>\n<li>a</li>\n</ul>", true), "Intro\n\nMore\n\n- a");
    }

    #[test]
    fn malformed_html_takes_linear_time() {
        for piece in ["<", "<a ", "<a \"", "<script>", "<!--", "</", "<p title='", "&", "<script></", "<li>"] {
            to_text(&piece.repeat(100_000), false);
        }
    }
}
