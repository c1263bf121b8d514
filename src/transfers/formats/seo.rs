//! Texts for search engines of WooCommerce plugins: Yoast SEO and Rank Math.
//! Rule: a text with variables is a template of the old shop and is not imported.

use super::{
    cells,
    csv_reader::{Column, Header, Line},
};

/// The columns of a text, of which the first with a value counts.
pub(super) struct SeoColumns(Vec<Column>);

impl SeoColumns {
    /// Finds the columns with these names.
    pub(super) fn find(header: &Header, names: &[&str]) -> Self {
        Self(names.iter().map(|name| header.find(&[name])).filter(Column::is_present).collect())
    }

    /// Returns the text of a line, where a blank clears the value; none if the file has no such column.
    pub(super) fn text(&self, line: &Line) -> Option<Option<String>> {
        let text = || self.texts(line).find(|text| !has_variables(text));
        (!self.0.is_empty()).then(text)
    }

    /// Returns whether a line has a text with variables.
    pub(super) fn has_template(&self, line: &Line) -> bool {
        self.texts(line).any(|text| has_variables(&text))
    }

    fn texts(&self, line: &Line) -> impl Iterator<Item = String> {
        self.0.iter().map(|column| cells::decoded_text(line.cell(column))).filter(|text| !text.is_empty())
    }
}

/// Returns whether a text has variables such as `%%title%%` or `%title%`.
fn has_variables(text: &str) -> bool {
    let is_name = |part: &&str| {
        part.starts_with(|c: char| c.is_ascii_lowercase())
            && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '(' | ')'))
    };
    let parts: Vec<&str> = text.split('%').collect();
    text.contains("%%") || (parts.len() > 2 && parts[1..parts.len() - 1].iter().any(is_name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_recognized() {
        for text in ["%%title%% %%sep%% %%sitename%%", "%title%", "Buy %title% today", "%customfield(fit)% tea"] {
            assert!(has_variables(text), "{text}");
        }
        for text in ["", "Tea", "50% off", "50% off tea, 20% off mugs", "100 %"] {
            assert!(!has_variables(text), "{text}");
        }
    }
}
