//! Statements whose shape depends on what is asked: parts of SQL and bound values, put together in order.
//! Rule: what a client sends is always bound, never a part of the text, so a statement of one shape is kept prepared and
//! nobody writes SQL from outside.

use std::marker::PhantomData;

use chrono::{DateTime, Utc};
use diesel::{
    QueryResult,
    pg::Pg,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    sql_types::{Array, BigInt, Float, Numeric, Text, Timestamptz},
};
use rust_decimal::Decimal;

/// A statement whose rows are of the SQL type `R`.
pub struct DynamicQuery<R> {
    parts: Vec<Part>,
    rows: PhantomData<fn() -> R>,
}

/// A part of a statement.
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
    /// Texts.
    Texts(Vec<String>),
    /// A key or another whole number.
    Int(i64),
    /// Keys.
    Ints(Vec<i64>),
    /// An amount.
    Number(Decimal),
    /// A float.
    Real(f32),
    /// A moment.
    Time(DateTime<Utc>),
}

impl<R> Default for DynamicQuery<R> {
    fn default() -> Self {
        Self { parts: Vec::new(), rows: PhantomData }
    }
}

impl<R> DynamicQuery<R> {
    /// Adds SQL.
    pub fn sql(&mut self, sql: &'static str) -> &mut Self {
        self.parts.push(Part::Sql(sql));
        self
    }

    /// Adds a bound value.
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
