//! Search rules and the languages of the documents.
//! Scopes: `All` sees every rule, staff of some websites those of these websites, everyone else none (they only see a
//! rule's effect).

use std::collections::HashMap;

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
        ts_query::Synonyms,
    },
    analysis::push_is_complete,
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

/// A sequence of words of the query, as rules have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SequenceKey {
    /// Position of the first word.
    pub position: usize,
    /// Number of words; 0 for the whole query.
    pub length: usize,
    /// The language and the words as the language takes them apart.
    pub key: String,
}

/// What is read before a search: the languages of the documents, and the rules that match the words.
#[derive(Debug, Clone, Default)]
pub struct RuleMatches {
    /// The languages, at least one, and whether the last word of the query is complete in each.
    pub languages: Vec<(Language, bool)>,
    /// The synonyms by language.
    pub synonyms: HashMap<Language, Synonyms>,
    /// The redirect of the query.
    pub redirect: Option<Redirect>,
}

type RuleMatchType = (
    Text,
    Bool,
    BigInt,
    BigInt,
    Array<Text>,
    BigInt,
    Nullable<BigInt>,
    Nullable<BigInt>,
    Nullable<BigInt>,
    Nullable<Text>,
);
type RuleMatchRow = (Language, bool, i64, i64, Vec<String>, i64, Option<i64>, Option<i64>, Option<i64>, Option<String>);

/// Returns the languages, in each of which the last word of the query, `partial`, may be complete, and the rules of the given
/// websites that match the keys; if no website is given, those of the only website, if there is just one.
/// # Errors
/// Database errors.
pub async fn match_rules(
    mut conn: &Conn,
    search: &Search,
    partial: Option<&str>,
    keys: &[SequenceKey],
) -> Result<RuleMatches> {
    let mut statement = DynamicQuery::<RuleMatchType>::default();
    statement.sql("SELECT l, ");
    push_is_complete(&mut statement, partial);
    statement.sql(
        ", 0::bigint, 0::bigint, '{}'::text[], 0::bigint, NULL::bigint, NULL::bigint, NULL::bigint, NULL::text
        FROM search_languages() l",
    );
    if !keys.is_empty() {
        push_rules(&mut statement, search, keys);
    }
    let rows: Vec<RuleMatchRow> = statement.load(&mut conn).await?;
    let mut matches = RuleMatches::default();
    for row in rows {
        matches.add(row);
    }
    matches.languages.sort_by_key(|(language, _)| language.as_str());
    Ok(matches)
}

/// Writes the rules that have one of the keys. A rule's words are synonyms in all languages.
fn push_rules(statement: &mut DynamicQuery<RuleMatchType>, search: &Search, keys: &[SequenceKey]) {
    let texts = || Value::Texts(keys.iter().map(|key| key.key.clone()).collect());
    statement.sql(
        " UNION ALL
        SELECT l, false, k.position, k.length,
            CASE WHEN k.length = 0 THEN '{}' ELSE ARRAY(SELECT coalesce(search_query(l, word)::text, '') FROM unnest(r.words) word) END,
            r.id, r.category_id, r.brand_id, r.product_id, r.url
        FROM (SELECT * FROM search_rules r WHERE NOT r.blocks_suggestions AND r.keys && ",
    );
    statement.bind(texts()).sql("::text[] AND r.website_id ");
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
    statement.sql(" OFFSET 0) r JOIN unnest(");
    statement.bind(Value::Ints(keys.iter().map(|key| key.position as i64).collect())).sql("::bigint[], ");
    statement.bind(Value::Ints(keys.iter().map(|key| key.length as i64).collect())).sql("::bigint[], ");
    statement.bind(texts()).sql(
        "::text[]) k (position, length, key) ON r.keys @> ARRAY[k.key] CROSS JOIN search_languages() l
        WHERE (k.length = 0) = (num_nonnulls(r.category_id, r.brand_id, r.product_id, r.url) = 1)",
    );
}

impl RuleMatches {
    fn add(&mut self, row: RuleMatchRow) {
        let (language, is_complete, position, length, queries, id, category, brand, product, url) = row;
        let (position, length) = (position as usize, length as usize);
        if id == 0 {
            return self.languages.push((language, is_complete));
        }
        if length == 0 {
            // The latest of several rules wins.
            if self.redirect.as_ref().is_none_or(|redirect| redirect.id.0 < id) {
                let target =
                    RuleTarget::from_columns(category.map(CategoryId), brand.map(BrandId), product.map(ProductId), url);
                self.redirect = target.map(|target| Redirect { id: SearchRuleId(id), target });
            }
            return;
        }
        let synonyms = self.synonyms.entry(language).or_default();
        let (longest, others) = synonyms.entry(position).or_insert((length, Vec::new()));
        if *longest < length {
            (*longest, *others) = (length, queries);
        } else if *longest == length {
            others.extend(queries);
        }
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
