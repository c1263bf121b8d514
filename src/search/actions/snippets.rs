//! Snippets: text around the matched words, as HTML.
//! Rule: everything but the highlight tags is escaped, so that product text cannot inject scripts.

use std::collections::HashMap;

use crate::{
    db::Db,
    error::Result,
    search::{
        model::{FullTextQuery, Hit},
        store,
    },
};

/// Returns the snippets of these hits, by document ID. A hit whose text contains no matched word has none.
/// # Errors
/// Database errors.
pub(super) async fn snippets(db: &Db, hits: &[Hit], full_text: &FullTextQuery) -> Result<HashMap<i64, String>> {
    let ids: Vec<i64> = hits.iter().map(|hit| hit.document_id).collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let snippets = db.read(async |conn| store::snippets(conn, &ids, full_text).await).await?;
    Ok(snippets.into_iter().filter_map(|(id, text)| Some((id, to_html(&text)?))).collect())
}

/// Converts a snippet to HTML; none if it contains no matched word.
fn to_html(text: &str) -> Option<String> {
    let [begin, end] = store::HIGHLIGHT_MARKS;
    text.contains(begin).then(|| {
        let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
        escaped.replace(begin, "<mark>").replace(end, "</mark>")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snippets_escape_html() {
        let text = "A \u{2}red\u{3} <script> & \"rope\"";
        assert_eq!(to_html(text).as_deref(), Some("A <mark>red</mark> &lt;script&gt; &amp; &quot;rope&quot;"));
        assert_eq!(to_html("A blue rope"), None);
    }
}
