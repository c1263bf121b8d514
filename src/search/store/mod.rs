//! All SQL statements of search. Pages, counts and facets take the words of the query; without words they are those of all
//! products, for browsing.
//! Rule: only what the public can see is found: products for sale, categories, brands; staff and sellers also find
//! suppliers.

mod analysis;
mod bounds;
mod browse;
mod counted;
mod filter_parts;
mod hits;
pub mod index;
pub mod popular_searches;
mod popularity;
pub mod rules;
mod snippets;
mod spelling;
pub mod suggest;

use self::filter_parts::{Filtered, push_filter};
pub use self::{
    analysis::{analyze, languages},
    counted::counted_products,
    hits::{page, ranked},
    popularity::update_popularity,
    snippets::{HIGHLIGHT_MARKS, snippets},
    spelling::{similar_words, written_words},
};
use super::{
    model::{DocumentKind, FilterPart, FullTextQuery, Search},
    ts_query::TsQuery,
};
use crate::{
    db::dynamic_query::{DynamicQuery, Value},
    websites::name_order::by_name_order,
};

/// Returns the name of a product `p`, in the order of names of a search.
fn name_column(search: &Search) -> &'static str {
    by_name_order!(search.name_order, "p.name COLLATE name_order")
}

/// Writes a tsquery. It is a constant, so that PostgreSQL knows how rare its words are when it plans the statement.
fn push_ts_query<R>(out: &mut DynamicQuery<R>, query: &str) {
    out.bind(Value::Text(query.to_owned())).sql("::tsquery");
}

/// Writes the condition that a document `d` matches: in the document's language, or in any language if it is `all`.
fn push_match<R>(out: &mut DynamicQuery<R>, full_text: &FullTextQuery) {
    let [(_, query)] = full_text.0.as_slice() else {
        out.sql("(");
        for (number, (language, query)) in full_text.0.iter().enumerate() {
            out.sql(if number == 0 { "d.language IN ('all', '" } else { " OR d.language IN ('all', '" });
            out.sql(language.as_str()).sql("') AND d.document @@ ");
            push_ts_query(out, &query.text);
        }
        out.sql(")");
        return;
    };
    out.sql("d.document @@ ");
    push_ts_query(out, &query.text);
}

/// Writes an expression for the language of a document `d`, of several queries if it is `all`.
fn push_by_language<R>(
    out: &mut DynamicQuery<R>,
    full_text: &FullTextQuery,
    push: fn(&mut DynamicQuery<R>, &[&TsQuery]),
) {
    let queries: Vec<&TsQuery> = full_text.0.iter().map(|(_, query)| query).collect();
    if let [_] = queries.as_slice() {
        return push(out, &queries);
    }
    out.sql("CASE d.language");
    for (language, query) in &full_text.0 {
        out.sql(" WHEN '").sql(language.as_str()).sql("' THEN ");
        push(out, &[query]);
    }
    out.sql(" ELSE ");
    push(out, &queries);
    out.sql(" END");
}

/// Writes the query for ranking and snippets, in the language of a document `d`. It has no excluded terms, since these
/// would set the rank of a single word to 0.
fn push_ranking_query<R>(out: &mut DynamicQuery<R>, full_text: &FullTextQuery) {
    push_by_language(out, full_text, push_positive);
}

fn push_positive<R>(out: &mut DynamicQuery<R>, queries: &[&TsQuery]) {
    push_any(out, queries, |query| query.positive.clone());
}

/// Writes a text of each query, joined by OR.
fn push_any<R>(out: &mut DynamicQuery<R>, queries: &[&TsQuery], text: impl Fn(&TsQuery) -> String) {
    for (number, query) in queries.iter().enumerate() {
        out.sql(if number == 0 { "" } else { " || " });
        push_ts_query(out, &text(query));
    }
}

/// Writes the rank of a document `d`. Whole words rank above words that only begin with the typed one, however often
/// these occur: `size 4` finds size 4 before size 40. Prefixes only rank the matches of equal words. A document without
/// the whole word has no rank by the other words, because these alone reach nearly the highest one.
fn push_rank<R>(out: &mut DynamicQuery<R>, full_text: &FullTextQuery) {
    push_by_language(out, full_text, |out, queries| {
        if queries.iter().any(|query| query.whole_words().is_some()) {
            out.sql("0.3 * least(1, ").sql(RANK);
            push_positive(out, queries);
            out.sql(")) + CASE WHEN d.document @@ (");
            push_whole_words(out, queries);
            out.sql(") THEN ").sql(RANK);
            push_whole_words(out, queries);
            out.sql(") ELSE 0 END");
        } else {
            out.sql(RANK);
            push_positive(out, queries);
            out.sql(")");
        }
        // Stop words that were left out count half.
        for query in queries.iter().filter(|query| !query.stop_words.is_empty()) {
            out.sql(" + 0.5 * ").sql(RANK);
            push_ts_query(out, &query.stop_words);
            out.sql(")");
        }
    });
}

fn push_whole_words<R>(out: &mut DynamicQuery<R>, queries: &[&TsQuery]) {
    push_any(out, queries, |query| query.whole_words().unwrap_or_else(|| query.positive.clone()));
}

/// Weights of a match: name over brand and category over description.
const RANK: &str = "ts_rank('{0.1, 0.2, 0.4, 1.0}', d.document, ";

/// Writes `FROM` and `WHERE` for the documents `d` that match the words, if there are any, and the filter, without one of its
/// conditions. One scan of one index finds them.
fn push_from_documents<R>(
    out: &mut DynamicQuery<R>,
    search: &Search,
    full_text: Option<&FullTextQuery>,
    without: Option<FilterPart>,
) {
    out.sql(" FROM search_documents d WHERE ");
    if let Some(full_text) = full_text {
        push_match(out, full_text);
        out.sql(" AND ");
    }
    push_visible(out, search);
    push_filter(out, &search.filter, Filtered::Documents, without);
}

/// Writes the condition that a document `d` is of a searched type and visible.
fn push_visible<R>(out: &mut DynamicQuery<R>, search: &Search) {
    if search.is_products_only() {
        out.sql("d.kind = 'product' AND d.is_public");
        return;
    }
    let kinds = search.searched_kinds();
    // Suppliers are never public and are requested only for viewers who can find them.
    let has_suppliers = kinds.contains(&DocumentKind::Supplier);
    out.sql("d.kind = ANY (");
    out.bind(Value::Texts(kinds.into_iter().map(|kind| kind.as_str().to_owned()).collect()));
    out.sql(if has_suppliers { ") AND (d.is_public OR d.kind = 'supplier')" } else { ") AND d.is_public" });
}
