//! The conditions of a search filter as SQL.
//! Rule: each condition stands for itself, because a facet is counted without its own.

use super::super::model::{MAX_OPTIONS, SearchFilter};
use crate::{
    db::dynamic_query::{DynamicQuery, Value},
    ids::RowId,
};

/// Maximum number of conditions of a filter: ten, and the options.
pub(super) const MAX_PARTS: usize = 10 + MAX_OPTIONS;

/// A condition of a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FilterPart {
    Category,
    Brand,
    Supplier,
    Website,
    Price,
    Rating,
    Availability,
    OnSale,
    Tags,
    CreatedAt,
    /// The option at this index of the filter.
    Option(usize),
}

impl FilterPart {
    /// Returns the parts of a filter that are set.
    pub(super) fn all(filter: &SearchFilter) -> Vec<Self> {
        let has_price = filter.price_from.is_some() || filter.price_to.is_some() || filter.price_websites.is_some();
        let parts = [
            (Self::Category, filter.categories.is_some()),
            (Self::Brand, filter.brands.is_some()),
            (Self::Supplier, filter.suppliers.is_some()),
            (Self::Website, filter.websites.is_some()),
            (Self::Price, has_price),
            (Self::Rating, filter.rating_from.is_some()),
            (Self::Availability, filter.availability.is_some()),
            (Self::OnSale, filter.is_on_sale.is_some()),
            (Self::Tags, filter.tags_any.is_some() || filter.tags_all.is_some()),
            (Self::CreatedAt, filter.created_from.is_some() || filter.created_to.is_some()),
        ];
        let options = (0..filter.options.len()).map(Self::Option);
        parts.into_iter().filter(|(_, is_there)| *is_there).map(|(part, _)| part).chain(options).collect()
    }

    /// Returns whether an index finds the products of the condition. The others are checked on a bounded number of rows.
    pub(super) fn has_index(self) -> bool {
        !matches!(self, Self::Availability | Self::Option(_))
    }

    /// Writes the condition on a product `p`.
    pub(super) fn push_condition<R>(self, out: &mut DynamicQuery<R>, filter: &SearchFilter) {
        match self {
            Self::Category => push_any(out, "p.category_id", filter.categories.as_deref()),
            Self::Brand => push_any(out, "p.brand_id", filter.brands.as_deref()),
            Self::Supplier => push_any(out, "p.supplier_id", filter.suppliers.as_deref()),
            Self::Website => push_any(out, "p.source_website_id", filter.websites.as_deref()),
            Self::Price => {
                let bounds = [
                    ("p.price >= ", filter.price_from.map(Value::Number)),
                    ("p.price <= ", filter.price_to.map(Value::Number)),
                ];
                push_bounds(out, bounds);
                if let Some(websites) = &filter.price_websites {
                    if filter.price_from.or(filter.price_to).is_some() {
                        out.sql(" AND ");
                    }
                    push_any(out, "p.source_website_id", Some(websites.as_slice()));
                }
            }
            Self::Rating => {
                let from = filter.rating_from.unwrap_or_default();
                out.sql("(p.rating_count > 0 AND p.rating_average >= ").bind(Value::Number(from)).sql(")");
            }
            Self::Availability => {
                let any = filter.availability.iter().flatten().map(|it| it.as_str().to_owned()).collect();
                out.sql("p.availability = ANY (").bind(Value::Texts(any)).sql(")");
            }
            Self::OnSale => {
                out.sql(ON_SALE).sql(if filter.is_on_sale == Some(true) { "" } else { " IS FALSE" });
            }
            Self::Tags => {
                if let Some(any) = &filter.tags_any {
                    push_tags(out, " && ", any);
                }
                if filter.tags_any.is_some() && filter.tags_all.is_some() {
                    out.sql(" AND ");
                }
                if let Some(all) = &filter.tags_all {
                    push_tags(out, " @> ", all);
                }
            }
            Self::CreatedAt => {
                let bounds = [
                    ("p.created_at >= ", filter.created_from.map(Value::Time)),
                    ("p.created_at <= ", filter.created_to.map(Value::Time)),
                ];
                push_bounds(out, bounds);
            }
            Self::Option(index) => {
                let (name, values) = &filter.options[index];
                out.sql(
                    "EXISTS (SELECT FROM product_groups g, unnest(g.varies_by, p.option_values) AS o (name, value)
                     WHERE g.id = p.group_id AND o.name = ",
                );
                out.bind(Value::Text(name.clone())).sql(" AND o.value = ANY (");
                out.bind(Value::Texts(values.clone())).sql("))");
            }
        }
    }
}

/// The condition for products on sale; the partial index and the statistics of the migration have the same.
pub(super) const ON_SALE: &str = "((p.compare_at_price > p.price) IS TRUE)";

/// Writes the condition that a column has one of these keys. A single one is compared with `=`, so that an index that
/// starts with the column returns the products in its order.
fn push_any<R, I: RowId>(out: &mut DynamicQuery<R>, column: &'static str, ids: Option<&[I]>) {
    match ids.unwrap_or_default() {
        [id] => out.sql(column).sql(" = ").bind(Value::Int(id.key())),
        ids => {
            let keys = ids.iter().map(|id| id.key()).collect();
            out.sql(column).sql(" = ANY (").bind(Value::Ints(keys)).sql(")")
        }
    };
}

/// Writes the comparisons that have a value.
fn push_bounds<R>(out: &mut DynamicQuery<R>, bounds: [(&'static str, Option<Value>); 2]) {
    let there = bounds.into_iter().filter_map(|(comparison, value)| Some((comparison, value?)));
    for (number, (comparison, value)) in there.enumerate() {
        out.sql(if number == 0 { "" } else { " AND " }).sql(comparison).bind(value);
    }
}

/// Writes a comparison of the product's tags, ignoring case.
fn push_tags<R>(out: &mut DynamicQuery<R>, operator: &'static str, tags: &[String]) {
    out.sql("souk_tag_keys(p.tags)").sql(operator).sql("souk_tag_keys(").bind(Value::Texts(tags.to_vec())).sql(")");
}
