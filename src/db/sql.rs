//! What diesel lacks, declared once: SQL types, functions, operators and two query shapes.
//! Rule: nothing here is a raw fragment, so every statement is kept prepared.

use diesel::{
    QueryResult, define_sql_function,
    dsl::{AsSelect, IntoBoxed, Select},
    expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping, is_aggregate},
    pg::Pg,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    sql_types::{Array, BigInt, Bool, Integer, Interval, SqlType, Text, Timestamptz},
};

/// PostgreSQL's `tsvector`.
#[derive(SqlType, QueryId)]
#[diesel(postgres_type(oid = 3614, array_oid = 3643))]
pub struct Tsvector;

/// PostgreSQL's `tsquery`.
#[derive(SqlType, QueryId)]
#[diesel(postgres_type(oid = 3615, array_oid = 3645))]
pub struct Tsquery;

/// The type of the name of a text search configuration.
#[derive(SqlType, QueryId)]
#[diesel(postgres_type(oid = 3734, array_oid = 3735))]
pub struct Regconfig;

/// What a function gives that gives nothing.
#[derive(SqlType, QueryId)]
#[diesel(postgres_type(oid = 2278, array_oid = 0))]
pub struct Void;

define_sql_function! {
    /// A search as people type it: words, "phrases", -without.
    fn websearch_to_tsquery(config: Regconfig, query: Text) -> Tsquery;
}
define_sql_function! {
    /// How well a document matches, by weight of the words.
    fn ts_rank(document: Tsvector, query: Tsquery) -> Float;
}
define_sql_function! {
    /// The next value of a sequence.
    fn nextval(sequence: Text) -> BigInt;
}
define_sql_function! {
    /// A number for a text, to lock by.
    fn hashtext(text: Text) -> Integer;
}
define_sql_function! {
    /// Waits for a lock on a number, and keeps it until the transaction ends.
    fn pg_advisory_xact_lock(number: Integer) -> Void;
}
define_sql_function! {
    /// The time at this moment; `now()` is the time when the transaction began.
    fn clock_timestamp() -> Timestamptz;
}
define_sql_function! {
    /// A span after a moment: what `+` means between the two.
    fn timestamptz_pl_interval(moment: Timestamptz, span: Interval) -> Timestamptz;
}
diesel::infix_operator!(Matches, " @@ ", Bool, backend: Pg);

/// `souk`, the search configuration made by the migrations, as an expression.
#[derive(Debug, Clone, Copy, QueryId)]
pub struct SoukConfig;

impl Expression for SoukConfig {
    type SqlType = Regconfig;
}
impl<QS> AppearsOnTable<QS> for SoukConfig {}
impl<QS> SelectableExpression<QS> for SoukConfig {}
impl<GB> ValidGrouping<GB> for SoukConfig {
    type IsAggregate = is_aggregate::Never;
}
impl QueryFragment<Pg> for SoukConfig {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("'souk'::regconfig");
        Ok(())
    }
}

/// A query for rows `R` of the table `T` that conditions, an order and a limit can be added to.
pub type BoxedSelect<T, R> = IntoBoxed<'static, Select<T, AsSelect<R, Pg>>, Pg>;

/// The parent's id inside a [`PerParent`] query.
#[derive(Debug, Clone, Copy, QueryId)]
pub struct ParentId;

impl Expression for ParentId {
    type SqlType = BigInt;
}
impl<QS> AppearsOnTable<QS> for ParentId {}
impl<QS> SelectableExpression<QS> for ParentId {}
impl<GB> ValidGrouping<GB> for ParentId {
    type IsAggregate = is_aggregate::Never;
}
impl QueryFragment<Pg> for ParentId {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("parents.id");
        Ok(())
    }
}

/// One page per parent in one statement:
/// `SELECT parents.id, child.* FROM unnest($1) AS parents (id) CROSS JOIN LATERAL (query) AS child`.
/// The query says `column.eq(ParentId)`. Rows come parent by parent, each parent's in the query's order.
#[derive(Debug, Clone)]
pub struct PerParent<Q> {
    /// The parents' ids.
    pub parents: Vec<i64>,
    /// The query of one parent.
    pub query: Q,
}

impl<Q> QueryId for PerParent<Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}
impl<Q: Query> Query for PerParent<Q> {
    type SqlType = (BigInt, Q::SqlType);
}
impl<Q: QueryFragment<Pg>> QueryFragment<Pg> for PerParent<Q> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("SELECT parents.id, child.* FROM unnest(");
        out.push_bind_param::<Array<BigInt>, _>(&self.parents)?;
        out.push_sql(") AS parents (id) CROSS JOIN LATERAL (");
        self.query.walk_ast(out.reborrow())?;
        out.push_sql(") AS child");
        Ok(())
    }
}

/// How many rows a query has, counted no further than one more than [`crate::paging::MAX_COUNT`].
#[derive(Debug, Clone)]
pub struct CountUpTo<Q>(pub Q);

impl<Q> QueryId for CountUpTo<Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}
impl<Q: Query> Query for CountUpTo<Q> {
    type SqlType = BigInt;
}
impl<Q: QueryFragment<Pg>> QueryFragment<Pg> for CountUpTo<Q> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("SELECT count(*) FROM (");
        self.0.walk_ast(out.reborrow())?;
        out.push_sql(" LIMIT 10001) AS counted");
        Ok(())
    }
}

/// Lets any two of these tables appear in one query.
///
/// Diesel's `allow_tables_to_appear_in_same_query!` also covers `ONLY` and `TABLESAMPLE`, which no statement uses: 13,000
/// implementations for 52 tables instead of 2,700, for the compiler to check in every build.
macro_rules! allow_in_same_query {
    ($table:ident, $($other:ident),+ $(,)?) => {
        $(
            impl diesel::query_source::TableNotEqual<$table::table> for $other::table {}
            impl diesel::query_source::TableNotEqual<$other::table> for $table::table {}
        )+
        $crate::db::sql::allow_in_same_query!($($other,)+);
    };
    ($table:ident $(,)?) => {};
}
pub(crate) use allow_in_same_query;

/// The condition of an operator on a column. The third form names the nullable column itself, for `IsNull` and so
/// that a negated condition treats "no value" as false rather than unknown.
#[macro_export]
macro_rules! op {
    ($op:expr, $column:expr) => {{
        use $crate::db::filter::{Op, constant};
        match $op {
            Op::Eq(value) => Box::new($column.eq(value.clone())),
            Op::In(values) => Box::new($column.eq_any(values.clone())),
            Op::Gte(value) => Box::new($column.ge(value.clone())),
            Op::Lte(value) => Box::new($column.le(value.clone())),
            Op::Contains(_) => constant(false),
            Op::IsNull(null) => constant(!null),
        }
    }};
    ($op:expr, $column:expr, $nullable:expr) => {{
        use $crate::db::filter::{Op, constant};
        match $op {
            Op::Eq(value) => Box::new($nullable.is_not_null().and($column.eq(value.clone()))),
            Op::In(values) => Box::new($nullable.is_not_null().and($column.eq_any(values.clone()))),
            Op::Gte(value) => Box::new($nullable.is_not_null().and($column.ge(value.clone()))),
            Op::Lte(value) => Box::new($nullable.is_not_null().and($column.le(value.clone()))),
            Op::Contains(_) => constant(false),
            Op::IsNull(true) => Box::new($nullable.is_null()),
            Op::IsNull(false) => Box::new($nullable.is_not_null()),
        }
    }};
}

/// As [`op!`] for a text column, where `Contains` has a meaning.
#[macro_export]
macro_rules! text_op {
    ($op:expr, $column:expr $(, $nullable:expr)?) => {
        match $op {
            $crate::db::filter::Op::Contains(text) => {
                Box::new($column.ilike($crate::db::filter::like_pattern(text))$(.and($nullable.is_not_null()))?)
            }
            other => $crate::op!(other, $column $(, $nullable)?),
        }
    };
}
pub use crate::{op, text_op};
