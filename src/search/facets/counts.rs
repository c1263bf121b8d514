//! Counting of values and price ranges.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap},
    hash::Hash,
};

use rust_decimal::Decimal;

use super::{PriceRange, values::FacetValues};
use crate::{ids::WebsiteId, money::Currency};

/// Maximum number of values per facet.
const MAX_VALUES: usize = 100;
/// Number of price ranges per currency.
const RANGES: usize = 5;
/// Digits after the decimal point of the prices.
const SCALE: u32 = 3;

/// Counts how often each value occurs.
pub(super) fn count<K: Eq + Hash>(values: impl Iterator<Item = K>) -> HashMap<K, i64> {
    let mut counts = HashMap::new();
    for value in values {
        *counts.entry(value).or_default() += 1;
    }
    counts
}

/// Returns the values with the most hits; of equal ones the smallest.
pub(super) fn top<K: Ord + Clone>(counts: HashMap<K, i64>) -> Vec<(K, i64)> {
    let mut counts: Vec<(K, i64)> = counts.into_iter().collect();
    counts.sort_unstable_by(|(a, hits), (b, other)| Reverse(hits).cmp(&Reverse(other)).then_with(|| a.cmp(b)));
    counts.truncate(MAX_VALUES);
    counts
}

/// Returns ranges with about a fifth of the prices each, of each currency. A price belongs to one range only, so that there
/// are fewer ranges if many prices are equal.
pub(super) fn price_ranges<'a>(
    values: impl Iterator<Item = FacetValues<'a>>,
    currencies: &HashMap<WebsiteId, Currency>,
) -> Vec<PriceRange> {
    let mut prices: BTreeMap<Currency, Vec<i64>> = BTreeMap::new();
    for value in values {
        if let Some(currency) = currencies.get(&value.website()) {
            prices.entry(*currency).or_default().push(value.price());
        }
    }
    let ranges = |(currency, prices): (Currency, Vec<i64>)| {
        let price = |thousandths: i64| Decimal::new(thousandths, SCALE).normalize();
        let range = move |(min, max, count)| PriceRange { currency, min: price(min), max: price(max), count };
        fifths(prices).into_iter().map(range)
    };
    prices.into_iter().flat_map(ranges).take(MAX_VALUES).collect()
}

/// Returns the lowest and the highest price and the number of prices of each range.
fn fifths(mut prices: Vec<i64>) -> Vec<(i64, i64, i64)> {
    prices.sort_unstable();
    let cut = |number: usize| prices[(number * prices.len()).div_ceil(RANGES).max(1) - 1];
    let cuts: Vec<i64> = (1..RANGES).filter(|_| !prices.is_empty()).map(cut).collect();
    let range = |price: &i64| cuts.partition_point(|cut| cut <= price);
    let summary = |prices: &[i64]| Some((*prices.first()?, *prices.last()?, prices.len() as i64));
    prices.chunk_by(|a, b| range(a) == range(b)).filter_map(summary).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_split_at_each_fifth() {
        assert_eq!(fifths(vec![]), []);
        assert_eq!(fifths(vec![7, 7, 7]), [(7, 7, 3)]);
        assert_eq!(fifths(vec![5, 3, 1, 2, 4]), [(1, 1, 1), (2, 2, 1), (3, 3, 1), (4, 5, 2)]);
        let many = fifths((0..1_000).rev().collect());
        assert_eq!(many.iter().map(|(_, _, count)| count).sum::<i64>(), 1_000);
        assert_eq!(many[1], (199, 398, 200));
    }

    #[test]
    fn most_frequent_values_come_first() {
        assert_eq!(top(count(["b", "a", "c", "c"].into_iter())), [("c", 2), ("a", 1), ("b", 1)]);
        assert_eq!(top(count(0..200)).len(), MAX_VALUES);
    }
}
