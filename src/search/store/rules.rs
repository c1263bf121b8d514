//! Search rules and the languages of the documents.
//! Scopes: `All` sees every rule, staff of some websites those of these websites, everyone else none (they only see a
//! rule's effect).

use diesel::{
    prelude::*,
    sql_types::{Array, BigInt, Bool, Nullable, Text},
};
use diesel_async::RunQueryDsl;

use super::{
    super::{
        model::{
            Search,
            rules::{
                NewSearchRule, Redirect, RuleTarget, SearchRuleCondition, SearchRuleOrderField, SearchRulePatch,
                SearchRuleRow,
            },
        },
        query::{ParsedQuery, WordSequence},
        ts_query::{Analysis, AnalyzedTerm},
    },
    analysis::push_terms,
};
use crate::{
    auth::Scope,
    db::{
        Conn,
        dynamic_query::{DynamicQuery, Value},
        filter::{Condition, constant},
        sql::{BoxedSelect, CountUpTo},
        tables::search_rules,
    },
    error::{Error, Result, UserError, UserErrorCode},
    ids::{BrandId, CategoryId, ProductId, SearchRuleId},
    paged,
    paging::List,
    websites::{language::Language, store::website_op},
};

/// A list of rules.
pub type SearchRuleList = List<SearchRuleCondition, SearchRuleOrderField>;

/// What is read before a search: the terms in the languages of all documents, and the rules that match the words.
#[derive(Debug, Clone, Default)]
pub struct RuleMatches {
    /// The languages, at least one, with the terms and the synonyms of the words.
    pub analyses: Vec<(Language, Analysis)>,
    /// The redirect of the query.
    pub redirect: Option<Redirect>,
}

type RuleMatchType = (
    Text,
    BigInt,
    BigInt,
    Bool,
    Array<Text>,
    BigInt,
    Nullable<BigInt>,
    Nullable<BigInt>,
    Nullable<BigInt>,
    Nullable<Text>,
);
type RuleMatchRow = (Language, i64, i64, bool, Vec<String>, i64, Option<i64>, Option<i64>, Option<i64>, Option<String>);

/// Returns the languages and the terms, and the matching rules of the given websites; if none is given, those of the
/// only website, if there is just one.
/// # Errors
/// Database errors.
pub async fn match_rules(mut conn: &Conn, search: &Search, query: &ParsedQuery) -> Result<RuleMatches> {
    let mut sequences = query.word_sequences();
    // The whole query, for redirects.
    sequences.extend(query.plain_text().map(|text| WordSequence { position: 0, length: 0, text }));
    let mut statement = DynamicQuery::<RuleMatchType>::default();
    statement.sql("WITH l AS (SELECT language FROM search_languages() AS language),");
    statement
        .sql(" t AS MATERIALIZED (SELECT r.place, r.length, search_key(l.language, r.text) AS key FROM l, unnest(");
    statement
        .bind(Value::Ints(sequences.iter().map(|sequence| sequence.position as i64).collect()))
        .sql("::bigint[], ");
    statement.bind(Value::Ints(sequences.iter().map(|sequence| sequence.length as i64).collect())).sql("::bigint[], ");
    statement.bind(Value::Texts(sequences.into_iter().map(|sequence| sequence.text).collect()));
    statement.sql(
        "::text[]) AS r (place, length, text))
        SELECT l.language, coalesce(q.position, 0), 0::bigint, coalesce(q.is_stop_word, false), ARRAY[coalesce(q.query, '')],
            0::bigint, NULL::bigint, NULL::bigint, NULL::bigint, NULL::text
        FROM (SELECT l.language, l.language AS l FROM l) l LEFT JOIN ",
    );
    push_terms(&mut statement, query, "");
    // A rule's words are synonyms in all languages.
    statement.sql(
        " ON true
        UNION ALL
        SELECT l.language, t.place, t.length, false,
            CASE WHEN t.length = 0 THEN '{}' ELSE ARRAY(SELECT coalesce(search_query(l.language, word)::text, '') FROM unnest(r.words) word) END,
            r.id, r.category_id, r.brand_id, r.product_id, r.url
        FROM (SELECT * FROM search_rules r WHERE NOT r.blocks_suggestions AND r.keys && (SELECT array_agg(t.key) FROM t WHERE t.key IS NOT NULL)",
    );
    statement.sql(" AND r.website_id ");
    match &search.filter.websites {
        Some(websites) => {
            statement.sql("= ANY (").bind(Value::Ints(websites.iter().map(|id| id.0).collect())).sql(")");
        }
        // With several websites, no website's rules apply to the results of the others.
        None => {
            statement.sql("= (SELECT min(w.id) FROM websites w HAVING count(*) = 1)");
        }
    }
    // The few rules with any of the keys are found by an index first; then the keys are joined.
    statement.sql(
        " OFFSET 0) r JOIN t ON r.keys @> ARRAY[t.key] CROSS JOIN l
        WHERE (t.length = 0) = (num_nonnulls(r.category_id, r.brand_id, r.product_id, r.url) = 1)",
    );
    let rows: Vec<RuleMatchRow> = statement.load(&mut conn).await?;
    let mut matches = RuleMatches::default();
    for row in rows {
        matches.add(row);
    }
    matches.analyses.sort_by_key(|(language, _)| language.as_str());
    Ok(matches)
}

impl RuleMatches {
    fn add(&mut self, row: RuleMatchRow) {
        let (language, position, length, is_stop_word, queries, id, category, brand, product, url) = row;
        let (position, length) = (position as usize, length as usize);
        if id != 0 && length == 0 {
            // The latest of several rules wins.
            if self.redirect.as_ref().is_none_or(|redirect| redirect.id.0 < id) {
                let target =
                    RuleTarget::from_columns(category.map(CategoryId), brand.map(BrandId), product.map(ProductId), url);
                self.redirect = target.map(|target| Redirect { id: SearchRuleId(id), target });
            }
            return;
        }
        let analysis = self.analysis(language);
        if id == 0 {
            let query = queries.into_iter().next().unwrap_or_default();
            analysis.terms.insert(position, AnalyzedTerm { query, is_stop_word });
            return;
        }
        let (longest, others) = analysis.synonyms.entry(position).or_insert((length, Vec::new()));
        if *longest < length {
            (*longest, *others) = (length, queries);
        } else if *longest == length {
            others.extend(queries);
        }
    }

    fn analysis(&mut self, language: Language) -> &mut Analysis {
        let known = self.analyses.iter().position(|(other, _)| *other == language);
        let index = known.unwrap_or_else(|| {
            self.analyses.push((language, Analysis::default()));
            self.analyses.len() - 1
        });
        &mut self.analyses[index].1
    }
}

type Rows = BoxedSelect<search_rules::table, SearchRuleRow>;

fn visible(scope: &Scope) -> Condition<'static, search_rules::table> {
    match scope {
        Scope::All => constant(true),
        Scope::Websites(_, websites) => Box::new(search_rules::website_id.eq_any(websites.to_vec())),
        Scope::Public | Scope::Guest(_) | Scope::Own(_) | Scope::Seller { .. } => constant(false),
    }
}

fn condition(condition: &SearchRuleCondition) -> Condition<'static, search_rules::table> {
    match condition {
        SearchRuleCondition::Website(website) => website_op!(website, search_rules::website_id),
    }
}

fn rows(scope: &Scope, list: &SearchRuleList) -> Rows {
    let rows = search_rules::table.select(SearchRuleRow::as_select()).into_boxed();
    rows.filter(visible(scope)).filter(list.filter.condition(&condition))
}

/// Returns the visible rules with these IDs, in no particular order.
/// # Errors
/// Database errors.
pub async fn by_ids(mut conn: &Conn, scope: &Scope, ids: &[SearchRuleId]) -> Result<Vec<SearchRuleRow>> {
    let query =
        search_rules::table.filter(search_rules::id.eq_any(ids)).select(SearchRuleRow::as_select()).into_boxed();
    Ok(query.filter(visible(scope)).load(&mut conn).await?)
}

/// Returns a page of the visible rules.
/// # Errors
/// Database errors.
pub async fn page(mut conn: &Conn, scope: &Scope, list: &SearchRuleList) -> Result<Vec<SearchRuleRow>> {
    let query = paged!(rows(scope, list), &list.page, list.direction, search_rules::id);
    Ok(query.load(&mut conn).await?)
}

/// Returns the number of visible rules.
/// # Errors
/// Database errors.
pub async fn count(mut conn: &Conn, scope: &Scope, list: &SearchRuleList) -> Result<i64> {
    Ok(CountUpTo(rows(scope, list)).get_result(&mut conn).await?)
}

/// Returns a rule, locked until the end of the transaction.
/// # Errors
/// Database errors.
pub async fn lock(mut conn: &Conn, id: SearchRuleId) -> Result<Option<SearchRuleRow>> {
    let query = search_rules::table.find(id).select(SearchRuleRow::as_select()).for_no_key_update();
    Ok(query.first(&mut conn).await.optional()?)
}

/// Inserts a rule.
/// # Errors
/// User errors for several targets, for a missing target, and for a single word without a target.
pub async fn insert(mut conn: &Conn, new: &NewSearchRule) -> Result<SearchRuleRow> {
    let query = diesel::insert_into(search_rules::table).values(new).returning(SearchRuleRow::as_returning());
    query.get_result(&mut conn).await.map_err(refused)
}

/// Changes a rule.
/// # Errors
/// As [`insert`].
pub async fn update(mut conn: &Conn, id: SearchRuleId, patch: &SearchRulePatch) -> Result<SearchRuleRow> {
    let query = diesel::update(search_rules::table.find(id)).set(patch).returning(SearchRuleRow::as_returning());
    query.get_result(&mut conn).await.map_err(refused)
}

/// Deletes a rule.
/// # Errors
/// Database errors.
pub async fn delete(mut conn: &Conn, id: SearchRuleId) -> Result<()> {
    diesel::delete(search_rules::table.find(id)).execute(&mut conn).await?;
    Ok(())
}

fn refused(error: diesel::result::Error) -> Error {
    let missing = |resource: &'static str| {
        move || UserError::new(UserErrorCode::NotFound, "target", format!("there is no such {resource}"))
    };
    Error::from(error)
        .on_constraint("search_rules_website_id_fkey", || {
            UserError::new(UserErrorCode::NotFound, "websiteId", "there is no such website")
        })
        .on_constraint("search_rules_category_id_fkey", missing("category"))
        .on_constraint("search_rules_brand_id_fkey", missing("brand"))
        .on_constraint("search_rules_product_id_fkey", missing("product"))
        .on_constraint("search_rules_one_target", || {
            UserError::new(UserErrorCode::Invalid, "url", "only one of target, url and blocksSuggestions is allowed")
        })
        .on_constraint("search_rules_same_words", || {
            UserError::new(
                UserErrorCode::Required,
                "words",
                "a rule must have at least two words, a target or a url, or block suggestions",
            )
        })
}
