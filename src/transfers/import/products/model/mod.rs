//! A product as an import sees it: every column that a file may name.

use diesel::{
    QueryableByName,
    sql_types::{Array, BigInt, Bool, Integer, Nullable, Numeric, Text},
};
use rust_decimal::Decimal;

use super::super::{super::record::Refused, check::refusal};
use crate::{products::model::ProductPatch, stock::model::MAX_PIECES};

/// A product that is there, or is to be.
#[derive(Debug, Clone, Default, PartialEq, QueryableByName)]
pub struct State {
    /// 0 for one that is to be made.
    #[diesel(sql_type = BigInt)]
    pub id: i64,
    #[diesel(sql_type = Nullable<Text>)]
    pub external_id: Option<String>,
    #[diesel(sql_type = Text)]
    pub sku: String,
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = Text)]
    pub slug: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub barcode: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub variant: Option<String>,
    #[diesel(sql_type = Text)]
    pub description: String,
    #[diesel(sql_type = Numeric)]
    pub price: Decimal,
    #[diesel(sql_type = Nullable<Numeric>)]
    pub compare_at_price: Option<Decimal>,
    #[diesel(sql_type = Nullable<Numeric>)]
    pub cost_price: Option<Decimal>,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub category_id: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub brand_id: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub supplier_id: Option<i64>,
    #[diesel(sql_type = Nullable<Text>)]
    pub supplier_sku: Option<String>,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub group_id: Option<i64>,
    #[diesel(sql_type = Array<Text>)]
    pub option_values: Vec<String>,
    #[diesel(sql_type = Integer)]
    pub low_stock_at: i32,
    #[diesel(sql_type = Integer)]
    pub stock: i32,
    #[diesel(sql_type = Bool)]
    pub is_active: bool,
}

impl State {
    /// The rules of a product, those of the graph.
    pub fn check(&self) -> Result<(), Refused> {
        let patch = ProductPatch {
            name: Some(self.name.clone()),
            slug: Some(self.slug.clone()),
            sku: Some(self.sku.clone()),
            barcode: Some(self.barcode.clone()),
            variant: Some(self.variant.clone()),
            description: Some(self.description.clone()),
            price: Some(self.price),
            compare_at_price: Some(self.compare_at_price),
            cost_price: Some(self.cost_price),
            supplier_sku: Some(self.supplier_sku.clone()),
            low_stock_at: Some(self.low_stock_at),
            ..ProductPatch::default()
        };
        patch.check().map_err(refusal)?;
        let pieces = |column: &str, number: i32| match (0..=MAX_PIECES).contains(&number) {
            true => Ok(()),
            false => Err(refused(column, format!("from 0 to {MAX_PIECES} pieces"))),
        };
        pieces("stock", self.stock)?;
        pieces("low_stock_at", self.low_stock_at)?;
        if self.external_id.as_ref().is_some_and(|id| id.chars().count() > 255) {
            return Err(refused("external_id", "give at most 255 characters"));
        }
        Ok(())
    }
}

/// Why a column is refused.
pub fn refused(column: &str, message: impl Into<String>) -> Refused {
    Refused { column: Some(column.to_owned()), message: message.into() }
}
