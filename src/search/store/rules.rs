//! What merchants tell the search: words that mean the same, queries that lead somewhere; and the languages of what there is.
//! What a scope means here: `All` sees every rule, staff of some websites theirs, everybody else none: they see what a rule does.

use diesel::{
    prelude::*,
    sql_types::{Array, BigInt, Nullable, Text},
};
use diesel_async::RunQueryDsl;

use super::super::{
    model::{
        Search,
        rules::{
            NewSearchRule, Redirect, RuleTarget, SearchRuleCondition, SearchRuleOrderField, SearchRulePatch,
            SearchRuleRow,
        },
    },
    query::{ParsedQuery, Synonyms, WordSequence},
};
use crate::{
    auth::Scope,
    db::{
        Conn,
        dynamic_query::{DynamicQuery, Value},
        filter::{Condition, constant},
        sql::{BoxedSelect, CountUpTo, op},
        tables::search_rules,
    },
    error::{Error, Result, UserError, UserErrorCode},
    ids::{BrandId, CategoryId, ProductId, SearchRuleId},
    paged,
    paging::List,
    websites::language::Language,
};

/// A list of rules.
pub type SearchRuleList = List<SearchRuleCondition, SearchRuleOrderField>;

/// What is known before a search: the languages of all documents, and the rules that the words meet.
#[derive(Debug, Clone, Default)]
pub struct RuleMatches {
    /// At least one.
    pub languages: Vec<Language>,
    /// What means the same as words that were typed.
    pub synonyms: Synonyms,
    /// Where the query leads.
    pub redirect: Option<Redirect>,
}

type RuleMatchType = (
    Nullable<Text>,
    BigInt,
    BigInt,
    Array<Text>,
    BigInt,
    Nullable<BigInt>,
    Nullable<BigInt>,
    Nullable<BigInt>,
    Nullable<Text>,
);
type RuleMatchRow =
    (Option<Language>, i64, i64, Vec<String>, i64, Option<i64>, Option<i64>, Option<i64>, Option<String>);

/// The languages, and the rules of the websites that are named; where none is, those of the only one that there is.
/// # Errors
/// Those of the database.
pub async fn match_rules(mut conn: &Conn, search: &Search, query: &ParsedQuery) -> Result<RuleMatches> {
    let mut sequences = query.word_sequences();
    // All of it together, which may lead somewhere.
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
        SELECT l.language, 0::bigint, 0::bigint, '{}'::text[], 0::bigint, NULL::bigint, NULL::bigint, NULL::bigint, NULL::text
        FROM l
        UNION ALL
        SELECT NULL, t.place, t.length, r.words, r.id, r.category_id, r.brand_id, r.product_id, r.url
        FROM (SELECT * FROM search_rules r WHERE r.keys && (SELECT array_agg(t.key) FROM t WHERE t.key IS NOT NULL)",
    );
    statement.sql(" AND r.website_id ");
    match &search.filter.websites {
        Some(websites) => {
            statement.sql("= ANY (").bind(Value::Ints(websites.iter().map(|id| id.0).collect())).sql(")");
        }
        // Who looks after one website does not say what is found at the others.
        None => {
            statement.sql("= (SELECT min(w.id) FROM websites w HAVING count(*) = 1)");
        }
    }
    // The few rules that have any of the keys are found at once, by an index; then it is told which has which.
    statement.sql(
        " OFFSET 0) r JOIN t ON r.keys @> ARRAY[t.key]
        WHERE (t.length = 0) = (num_nonnulls(r.category_id, r.brand_id, r.product_id, r.url) = 1)",
    );
    let rows: Vec<RuleMatchRow> = statement.load(&mut conn).await?;
    let mut matches = RuleMatches::default();
    for row in rows {
        matches.add(row);
    }
    matches.languages.sort_by_key(|language| language.as_str());
    Ok(matches)
}

impl RuleMatches {
    fn add(&mut self, (language, position, length, words, id, category, brand, product, url): RuleMatchRow) {
        if let Some(language) = language {
            self.languages.push(language);
        } else if length == 0 {
            // Of several the one that was made last.
            if self.redirect.as_ref().is_none_or(|redirect| redirect.id.0 < id) {
                let target =
                    RuleTarget::from_columns(category.map(CategoryId), brand.map(BrandId), product.map(ProductId), url);
                self.redirect = target.map(|target| Redirect { id: SearchRuleId(id), target });
            }
        } else {
            let (position, length) = (position as usize, length as usize);
            let (longest, others) = self.synonyms.entry(position).or_insert((length, Vec::new()));
            if *longest < length {
                (*longest, *others) = (length, words);
            } else if *longest == length {
                others.extend(words);
            }
        }
    }
}

type Rows = BoxedSelect<search_rules::table, SearchRuleRow>;

fn visible(scope: &Scope) -> Condition<'static, search_rules::table> {
    match scope {
        Scope::All => constant(true),
        Scope::Websites(_, websites) => Box::new(search_rules::website_id.eq_any(websites.to_vec())),
        Scope::Public | Scope::Guest(_) | Scope::Own(_) | Scope::Seller(_) => constant(false),
    }
}

fn condition(condition: &SearchRuleCondition) -> Condition<'static, search_rules::table> {
    match condition {
        SearchRuleCondition::Website(website) => op!(website, search_rules::website_id),
    }
}

fn rows(scope: &Scope, list: &SearchRuleList) -> Rows {
    let rows = search_rules::table.select(SearchRuleRow::as_select()).into_boxed();
    rows.filter(visible(scope)).filter(list.filter.condition(&condition))
}

/// The visible rules with these ids, in no order.
/// # Errors
/// Those of the database.
pub async fn by_ids(mut conn: &Conn, scope: &Scope, ids: &[SearchRuleId]) -> Result<Vec<SearchRuleRow>> {
    let query =
        search_rules::table.filter(search_rules::id.eq_any(ids)).select(SearchRuleRow::as_select()).into_boxed();
    Ok(query.filter(visible(scope)).load(&mut conn).await?)
}

/// A page of the visible rules.
/// # Errors
/// Those of the database.
pub async fn page(mut conn: &Conn, scope: &Scope, list: &SearchRuleList) -> Result<Vec<SearchRuleRow>> {
    let query = paged!(rows(scope, list), &list.page, list.direction, search_rules::id);
    Ok(query.load(&mut conn).await?)
}

/// How many visible rules there are.
/// # Errors
/// Those of the database.
pub async fn count(mut conn: &Conn, scope: &Scope, list: &SearchRuleList) -> Result<i64> {
    Ok(CountUpTo(rows(scope, list)).get_result(&mut conn).await?)
}

/// The rule, kept from others until the transaction ends.
/// # Errors
/// Those of the database.
pub async fn lock(mut conn: &Conn, id: SearchRuleId) -> Result<Option<SearchRuleRow>> {
    let query = search_rules::table.find(id).select(SearchRuleRow::as_select()).for_no_key_update();
    Ok(query.first(&mut conn).await.optional()?)
}

/// Adds a rule.
/// # Errors
/// User errors where it leads to two places or to nothing that there is, and where one word should mean the same as none.
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
/// Those of the database.
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
            UserError::new(UserErrorCode::Invalid, "url", "a query leads to a target or to an address, not to both")
        })
        .on_constraint("search_rules_same_words", || {
            UserError::new(UserErrorCode::Required, "words", "give two words that mean the same, or where one leads")
        })
}
