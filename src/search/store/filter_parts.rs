//! The conditions of a search filter as SQL, on search documents and on products.
//! Rule: each condition stands for itself, because a facet is counted without its own.

use super::super::{
    facets::OPTION_SEPARATOR,
    model::{FilterPart, SearchFilter},
};
use crate::{
    db::dynamic_query::{DynamicQuery, Value},
    ids::RowId,
};

/// The table whose rows are filtered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Filtered {
    /// Search documents `d`.
    Documents,
    /// Products `p`.
    Products,
}

impl FilterPart {
    /// Writes the condition.
    pub(super) fn push_condition<R>(self, out: &mut DynamicQuery<R>, filter: &SearchFilter, rows: Filtered) {
        match rows {
            Filtered::Documents => self.push_on_document(out, filter),
            Filtered::Products => self.push_on_product(out, filter),
        }
    }

    /// Writes the condition on a document `d`.
    fn push_on_document<R>(self, out: &mut DynamicQuery<R>, filter: &SearchFilter) {
        match self {
            Self::Category => {
                let kind = if filter.with_subcategories { "in" } else { "category" };
                push_keys(out, kind, filter.categories.as_deref());
            }
            Self::Brand => push_keys(out, "brand", filter.brands.as_deref()),
            Self::Supplier => push_keys(out, "supplier", filter.suppliers.as_deref()),
            Self::Website => push_keys(out, "website", filter.websites.as_deref()),
            Self::Price => {
                push_bounds(out, price_bounds(filter, ["d.price >= ", "d.price <= "]));
                if let Some(websites) = &filter.price_websites {
                    out.sql(if has_price_bound(filter) { " AND " } else { "" });
                    push_keys(out, "website", Some(websites));
                }
            }
            Self::Rating => {
                out.sql("d.rating >= ").bind(Value::Number(filter.rating_from.unwrap_or_default()));
            }
            Self::Availability => push_availability(out, "d.availability", filter),
            Self::OnSale => {
                out.sql(if filter.is_on_sale == Some(true) { "d.is_on_sale" } else { "NOT d.is_on_sale" });
            }
            Self::Tags => push_tags(out, filter, "d.keys", "search_tag_keys("),
            Self::CreatedAt => push_bounds(out, created_bounds(filter, ["d.created_at >= ", "d.created_at <= "])),
            Self::Option(index) => {
                let (name, values) = &filter.options[index];
                // As search_option_key writes them.
                let keys = values.iter().map(|value| format!("option:{name}{OPTION_SEPARATOR}{value}")).collect();
                out.sql("d.keys && ").bind(Value::Texts(keys));
            }
        }
    }

    /// Writes the condition on a product `p`.
    fn push_on_product<R>(self, out: &mut DynamicQuery<R>, filter: &SearchFilter) {
        match self {
            Self::Category => push_any(out, "p.category_id", filter.product_categories()),
            Self::Brand => push_any(out, "p.brand_id", filter.brands.as_deref()),
            Self::Supplier => push_any(out, "p.supplier_id", filter.suppliers.as_deref()),
            Self::Website => push_any(out, "p.source_website_id", filter.websites.as_deref()),
            Self::Price => {
                push_bounds(out, price_bounds(filter, ["p.price >= ", "p.price <= "]));
                if let Some(websites) = &filter.price_websites {
                    out.sql(if has_price_bound(filter) { " AND " } else { "" });
                    push_any(out, "p.source_website_id", Some(websites));
                }
            }
            Self::Rating => {
                let from = filter.rating_from.unwrap_or_default();
                out.sql("(p.rating_count > 0 AND p.rating_average >= ").bind(Value::Number(from)).sql(")");
            }
            Self::Availability => push_availability(out, "p.availability", filter),
            Self::OnSale => {
                // The partial index and the statistics of the migration have the same condition.
                out.sql("((p.compare_at_price > p.price) IS TRUE)");
                out.sql(if filter.is_on_sale == Some(true) { "" } else { " IS FALSE" });
            }
            Self::Tags => push_tags(out, filter, "souk_tag_keys(p.tags)", "souk_tag_keys("),
            Self::CreatedAt => push_bounds(out, created_bounds(filter, ["p.created_at >= ", "p.created_at <= "])),
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

/// Writes all conditions of the filter but one, each after `AND`.
pub(super) fn push_filter<R>(
    out: &mut DynamicQuery<R>,
    filter: &SearchFilter,
    rows: Filtered,
    without: Option<FilterPart>,
) {
    for part in filter.parts().into_iter().filter(|part| Some(*part) != without) {
        out.sql(" AND ");
        part.push_condition(out, filter, rows);
    }
}

/// Writes the condition that a document has a key of a kind with one of these values; see the migration.
fn push_keys<R, I: RowId>(out: &mut DynamicQuery<R>, kind: &str, ids: Option<&[I]>) {
    let keys = ids.unwrap_or_default().iter().map(|id| format!("{kind}:{}", id.key())).collect();
    out.sql("d.keys && ").bind(Value::Texts(keys));
}

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

fn push_availability<R>(out: &mut DynamicQuery<R>, column: &'static str, filter: &SearchFilter) {
    let any = filter.availability.iter().flatten().map(|it| it.as_str().to_owned()).collect();
    out.sql(column).sql(" = ANY (").bind(Value::Texts(any)).sql(")");
}

/// A comparison, and the value if there is one.
type Bound = (&'static str, Option<Value>);

fn price_bounds(filter: &SearchFilter, [from, to]: [&'static str; 2]) -> [Bound; 2] {
    [(from, filter.price_from.map(Value::Number)), (to, filter.price_to.map(Value::Number))]
}

fn has_price_bound(filter: &SearchFilter) -> bool {
    filter.price_from.or(filter.price_to).is_some()
}

fn created_bounds(filter: &SearchFilter, [from, to]: [&'static str; 2]) -> [Bound; 2] {
    [(from, filter.created_from.map(Value::Time)), (to, filter.created_to.map(Value::Time))]
}

/// Writes the comparisons that have a value.
fn push_bounds<R>(out: &mut DynamicQuery<R>, bounds: [Bound; 2]) {
    let there = bounds.into_iter().filter_map(|(comparison, value)| Some((comparison, value?)));
    for (number, (comparison, value)) in there.enumerate() {
        out.sql(if number == 0 { "" } else { " AND " }).sql(comparison).bind(value);
    }
}

/// Writes the comparisons of tags, ignoring case. The function is applied to the tags of the filter.
fn push_tags<R>(out: &mut DynamicQuery<R>, filter: &SearchFilter, tags: &'static str, function: &'static str) {
    let operators = [(" && ", &filter.tags_any), (" @> ", &filter.tags_all)];
    let there = operators.into_iter().filter_map(|(operator, values)| Some((operator, values.as_ref()?)));
    for (number, (operator, values)) in there.enumerate() {
        out.sql(if number == 0 { "" } else { " AND " });
        out.sql(tags).sql(operator).sql(function).bind(Value::Texts(values.clone())).sql(")");
    }
}
