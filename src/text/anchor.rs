//! Anchors of the headings of Markdown pages.

use std::collections::HashMap;

/// Makes the anchors of the headings of one page, as GitHub makes them: equal ones are numbered.
#[derive(Debug, Default)]
pub struct HeadingAnchors(HashMap<String, usize>);

impl HeadingAnchors {
    /// Returns the anchor of the next heading.
    pub fn next(&mut self, heading: &str) -> String {
        let lower = heading.to_lowercase();
        let chars = lower.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        let base: String = chars.map(|c| if c == ' ' { '-' } else { c }).collect();
        let mut anchor = base.clone();
        while self.0.contains_key(&anchor) {
            let count = self.0.entry(base.clone()).or_default();
            *count += 1;
            anchor = format!("{base}-{count}");
        }
        self.0.insert(anchor.clone(), 0);
        anchor
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_headings_have_numbered_anchors() {
        let mut anchors = HeadingAnchors::default();
        let table = [
            ("Set up", "set-up"),
            ("Cross-origin requests (CORS)", "cross-origin-requests-cors"),
            ("Set up", "set-up-1"),
            ("Set-up", "set-up-2"),
            ("Set up 1", "set-up-1-1"),
            ("`SOUK_LISTEN`, Ä", "souk_listen-ä"),
            ("set up", "set-up-3"),
        ];
        for (heading, anchor) in table {
            assert_eq!(anchors.next(heading), anchor, "{heading}");
        }
    }
}
