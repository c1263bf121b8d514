//! Weights in files of other shop systems.
//! Rule: these write weights with a decimal point, also where prices have a comma, and without thousands separators.

use super::{
    amounts::AmountParser,
    cells,
    csv_reader::{Column, Header, Line},
};
use crate::{
    products::model::attributes::{Weight, WeightUnit},
    transfers::record::Rejection,
};

/// Names of a column that contain the unit.
const WITH_UNIT: [(&str, WeightUnit); 5] = [
    ("weight (kg)", WeightUnit::Kilogram),
    ("weight (g)", WeightUnit::Gram),
    ("weight (lbs)", WeightUnit::Pound),
    ("weight (lb)", WeightUnit::Pound),
    ("weight (oz)", WeightUnit::Ounce),
];

/// A column of weights in one unit.
pub(super) struct WeightColumn {
    column: Column,
    unit: WeightUnit,
}

impl WeightColumn {
    /// Finds the column. `unit` is that of a column whose name does not contain one.
    pub(super) fn find(header: &Header, unit: WeightUnit) -> Self {
        let columns = WITH_UNIT.into_iter().map(|(name, unit)| Self { column: header.find(&[name]), unit });
        let found = columns.into_iter().find(|found| found.column.is_present());
        found.unwrap_or_else(|| Self { column: header.find(&["weight"]), unit })
    }

    /// Returns the cell of a line.
    pub(super) fn cell<'l>(&self, line: &'l Line) -> &'l str {
        line.cell(&self.column)
    }

    /// Parses a cell, where a blank clears the weight; none if the file has no such column.
    /// # Errors
    /// For an invalid weight.
    pub(super) fn parse(&self, cell: &str, amounts: &AmountParser) -> Result<Option<Option<Weight>>, Rejection> {
        if !self.column.is_present() {
            return Ok(None);
        }
        let weight = cells::number(cell, &self.column, |cell| amounts.weight(cell))?;
        Ok(Some(weight.map(|value| Weight::rounded(value, self.unit))))
    }
}

/// Returns the weight that a line gives in grams, converted to the unit that it names, else in grams; none if the file
/// has no such column. A weight of 0 is none: Shopify writes it for products without a weight.
/// # Errors
/// For an invalid weight or unit.
pub(super) fn of_grams(
    line: &Line,
    [grams, unit]: [&Column; 2],
    amounts: &AmountParser,
) -> Result<Option<Option<Weight>>, Rejection> {
    if !grams.is_present() {
        return Ok(None);
    }
    let given = cells::text(line.cell(unit));
    let known = if given.is_empty() { Some(WeightUnit::Gram) } else { WeightUnit::parse(&given) };
    let weight = cells::number(line.cell(grams), grams, |cell| amounts.weight(cell))?;
    let weight = weight.filter(|weight| !weight.is_zero());
    let Some(weight) = weight else { return Ok(Some(None)) };
    let known = known.ok_or_else(|| unit.rejection(format!("{given:?} is not a unit; use g, kg, oz or lb")))?;
    Ok(Some(Some(Weight::of_grams(weight, known))))
}
