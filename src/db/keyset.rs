//! Keyset comparison: rows compared by two columns at once.
//! Rule: `(a, b) > (x, y)` is a single condition, so that an index on (a, b) seeks directly to the row, however many
//! rows share `a`.

use diesel::{
    IntoSql,
    dsl::{AsExprOf, SqlTypeOf},
    expression::{AsExpression, Expression},
    pg::sql_types::Record,
};

/// The SQL record type of two columns.
type PairRecord<A, B> = Record<(SqlTypeOf<A>, SqlTypeOf<B>)>;

/// Returns two columns as one value: `pair(a, b).gt((x, y))`.
pub fn pair<A, B>(a: A, b: B) -> AsExprOf<(A, B), PairRecord<A, B>>
where
    A: Expression,
    B: Expression,
    (A, B): AsExpression<PairRecord<A, B>>,
{
    (a, b).into_sql::<PairRecord<A, B>>()
}
