//! Statements whose shape depends on the request: SQL fragments and bound values, concatenated in order.
//! Rule: client input is always bound and never part of the SQL text, which prevents injection and lets statements of
//! the same shape share a prepared statement.

use std::marker::PhantomData;

use chrono::{DateTime, Utc};
use diesel::{
    QueryResult,
    pg::Pg,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    sql_types::{Array, BigInt, Float, Numeric, Text, Timestamptz},
};
use rust_decimal::Decimal;

/// A statement that returns rows of the SQL type `R`.
pub struct DynamicQuery<R> {
    parts: Vec<Part>,
    rows: PhantomData<fn() -> R>,
}

/// A fragment or value of a statement.
#[derive(Debug, Clone)]
enum Part {
    Sql(&'static str),
    Value(Value),
}

/// A bound value.
#[derive(Debug, Clone)]
pub enum Value {
    /// A text.
    Text(String),
    /// A list of texts.
    Texts(Vec<String>),
    /// A key or another whole number.
    Int(i64),
    /// A list of keys.
    Ints(Vec<i64>),
    /// A decimal number.
    Number(Decimal),
    /// A floating-point number.
    Real(f32),
    /// A timestamp.
    Time(DateTime<Utc>),
}

impl<R> Default for DynamicQuery<R> {
    fn default() -> Self {
        Self { parts: Vec::new(), rows: PhantomData }
    }
}

impl<R> DynamicQuery<R> {
    /// Appends SQL.
    pub fn sql(&mut self, sql: &'static str) -> &mut Self {
        self.parts.push(Part::Sql(sql));
        self
    }

    /// Appends a bound value.
    pub fn bind(&mut self, value: Value) -> &mut Self {
        self.parts.push(Part::Value(value));
        self
    }
}

impl<R> QueryId for DynamicQuery<R> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<R> Query for DynamicQuery<R> {
    type SqlType = R;
}

impl<R> QueryFragment<Pg> for DynamicQuery<R> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        for part in &self.parts {
            match part {
                Part::Sql(sql) => out.push_sql(sql),
                Part::Value(Value::Text(text)) => out.push_bind_param::<Text, _>(text)?,
                Part::Value(Value::Texts(texts)) => out.push_bind_param::<Array<Text>, _>(texts)?,
                Part::Value(Value::Int(number)) => out.push_bind_param::<BigInt, _>(number)?,
                Part::Value(Value::Ints(numbers)) => out.push_bind_param::<Array<BigInt>, _>(numbers)?,
                Part::Value(Value::Number(number)) => out.push_bind_param::<Numeric, _>(number)?,
                Part::Value(Value::Real(number)) => out.push_bind_param::<Float, _>(number)?,
                Part::Value(Value::Time(at)) => out.push_bind_param::<Timestamptz, _>(at)?,
            }
        }
        Ok(())
    }
}
