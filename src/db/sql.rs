//! SQL types, functions, operators and query shapes that diesel does not provide.
//! Rule: no raw SQL fragments, so that every statement can be cached as a prepared statement.

use std::time::Duration;

use diesel::{
    QueryResult,
    data_types::PgInterval,
    define_sql_function,
    dsl::{AsSelect, IntoBoxed, Select, now},
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

/// PostgreSQL's `regconfig`, the name of a text search configuration.
#[derive(SqlType, QueryId)]
#[diesel(postgres_type(oid = 3734, array_oid = 3735))]
pub struct Regconfig;

/// PostgreSQL's `void`, the result of functions without a result.
#[derive(SqlType, QueryId)]
#[diesel(postgres_type(oid = 2278, array_oid = 0))]
pub struct Void;

define_sql_function! {
    /// Parses a web search query: words, "quoted phrases", -excluded.
    fn websearch_to_tsquery(config: Regconfig, query: Text) -> Tsquery;
}
define_sql_function! {
    /// Ranks how well a document matches a query, by the weights of the matching words.
    fn ts_rank(document: Tsvector, query: Tsquery) -> Float;
}
define_sql_function! {
    /// Returns the next value of a sequence.
    fn nextval(sequence: Text) -> BigInt;
}
define_sql_function! {
    /// Returns the hash of a text, for use as a lock number.
    fn hashtext(text: Text) -> Integer;
}
define_sql_function! {
    /// Acquires an advisory lock, which is held until the transaction ends.
    fn pg_advisory_xact_lock(number: Integer) -> Void;
}
define_sql_function! {
    /// Returns the current time; `now()` returns the time at which the transaction began.
    fn clock_timestamp() -> Timestamptz;
}
define_sql_function! {
    /// Adds an interval to a timestamp, as the `+` operator does.
    fn timestamptz_pl_interval(moment: Timestamptz, span: Interval) -> Timestamptz;
}

/// Returns the time after a delay, by the clock of the database.
pub fn from_now(delay: Duration) -> timestamptz_pl_interval<now, PgInterval> {
    let micros = i64::try_from(delay.as_micros()).unwrap_or(i64::MAX);
    timestamptz_pl_interval(now, PgInterval::from_microseconds(micros))
}

diesel::infix_operator!(Matches, " @@ ", Bool, backend: Pg);

/// A text in the order of a collation.
#[derive(Debug, Clone, Copy)]
pub struct Collated<E> {
    text: E,
    collation: &'static str,
}

/// Returns a text column in the order of the collation with this name.
pub fn collated<E: Expression<SqlType = Text>>(text: E, collation: &'static str) -> Collated<E> {
    Collated { text, collation }
}

/// Returns a text column in the order of the collation `name_order`, which people expect of a list of names: case and
/// accents count only between names that are otherwise equal, and numbers in a name are ordered by their value.
pub fn in_name_order<E: Expression<SqlType = Text>>(column: E) -> Collated<E> {
    collated(column, "name_order")
}

impl<E: Expression> Expression for Collated<E> {
    type SqlType = Text;
}
impl<QS, E: AppearsOnTable<QS>> AppearsOnTable<QS> for Collated<E> {}
impl<QS, E: SelectableExpression<QS>> SelectableExpression<QS> for Collated<E> {}
impl<GB, E: ValidGrouping<GB>> ValidGrouping<GB> for Collated<E> {
    type IsAggregate = E::IsAggregate;
}
impl<E> QueryId for Collated<E> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}
impl<E: QueryFragment<Pg>> QueryFragment<Pg> for Collated<E> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.text.walk_ast(out.reborrow())?;
        out.push_sql(" COLLATE ");
        out.push_sql(self.collation);
        Ok(())
    }
}

/// The text search configuration `souk`, created by the migrations, as an expression.
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

/// A boxed query for rows `R` of the table `T`, to which conditions, an order and a limit can be added.
pub type BoxedSelect<T, R> = IntoBoxed<'static, Select<T, AsSelect<R, Pg>>, Pg>;

/// The parent's id in a [`PerParent`] query.
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

/// Reads a page for each of several parents in one statement:
/// `SELECT parents.id, child.* FROM unnest($1) AS parents (id) CROSS JOIN LATERAL (query) AS child`.
/// The query contains `column.eq(ParentId)`. Rows are grouped by parent, in the query's order within each parent.
#[derive(Debug, Clone)]
pub struct PerParent<Q> {
    /// Ids of the parents.
    pub parents: Vec<i64>,
    /// The query for one parent.
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

/// Counts the rows of a query, up to one more than [`crate::paging::MAX_COUNT`].
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

/// Allows any two of these tables to appear in one query.
///
/// Diesel's `allow_tables_to_appear_in_same_query!` also covers `ONLY` and `TABLESAMPLE`, which no statement uses. With
/// 52 tables it generates 13,000 implementations instead of 2,700, which the compiler checks in every build.
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

/// Builds the condition for an operator on a column. The third form also takes the nullable column, for `IsNull`, and
/// to treat "no value" as false rather than unknown when the condition is negated.
#[macro_export]
macro_rules! op {
    ($op:expr, $column:expr) => {{
        use $crate::db::filter::{Op, constant};
        match $op {
            Op::Eq(value) => Box::new($column.eq(value.clone())),
            Op::In(values) => Box::new($column.eq_any(values.clone())),
            Op::Gte(value) => Box::new($column.ge(value.clone())),
            Op::Lte(value) => Box::new($column.le(value.clone())),
            Op::Contains(_) | Op::StartsWith(_) => constant(false),
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
            Op::Contains(_) | Op::StartsWith(_) => constant(false),
            Op::IsNull(true) => Box::new($nullable.is_null()),
            Op::IsNull(false) => Box::new($nullable.is_not_null()),
        }
    }};
}

/// Builds the condition for an operator on a text column, as [`op!`] does, with support for `Contains` and `StartsWith`.
#[macro_export]
macro_rules! text_op {
    ($op:expr, $column:expr $(, $nullable:expr)?) => {
        match $op {
            $crate::db::filter::Op::Contains(text) => {
                Box::new($column.ilike($crate::db::filter::contains_pattern(text))$(.and($nullable.is_not_null()))?)
            }
            $crate::db::filter::Op::StartsWith(text) => {
                Box::new($column.ilike($crate::db::filter::prefix_pattern(text))$(.and($nullable.is_not_null()))?)
            }
            other => $crate::op!(other, $column $(, $nullable)?),
        }
    };
}

/// Builds the condition for an operator on a nullable column of type `citext`, as [`text_op!`] does: its `LIKE` ignores
/// case.
#[macro_export]
macro_rules! citext_op {
    ($op:expr, $column:expr) => {
        match $op {
            $crate::db::filter::Op::Contains(text) => Box::new(
                $column.assume_not_null().like($crate::db::filter::contains_pattern(text)).and($column.is_not_null()),
            ),
            $crate::db::filter::Op::StartsWith(text) => Box::new(
                $column.assume_not_null().like($crate::db::filter::prefix_pattern(text)).and($column.is_not_null()),
            ),
            other => $crate::op!(other, $column.assume_not_null(), $column),
        }
    };
}

/// Builds the condition for an operator on a column of names, as [`text_op!`] does. Values are compared in
/// [`in_name_order`], the collation of the index; equal names are equal in any.
#[macro_export]
macro_rules! name_op {
    ($op:expr, $column:expr) => {
        match $op {
            part @ ($crate::db::filter::Op::Contains(_) | $crate::db::filter::Op::StartsWith(_)) => {
                $crate::text_op!(part, $column)
            }
            other => $crate::op!(other, $crate::db::sql::in_name_order($column)),
        }
    };
}
pub use crate::{citext_op, name_op, op, text_op};
