//! Facet counts.
//! Rule: a facet is counted under all filters but its own, so that the other values of a filtered facet still show
//! their counts.

use diesel::sql_types::{BigInt, Nullable, Numeric, Text};
use diesel_async::RunQueryDsl;
use rust_decimal::Decimal;

use super::{
    super::{
        facets::{FacetKind, FacetRow},
        model::{FullTextQuery, MAX_FACETED, Search},
    },
    FilterPart, MAX_PARTS,
    browse::push_products,
    filter_parts::ON_SALE,
    push_match,
};
use crate::{
    db::{
        Conn,
        dynamic_query::{DynamicQuery, Value},
    },
    error::Result,
};

type RowType = (Text, Nullable<Text>, Nullable<Text>, BigInt, Nullable<Numeric>, Nullable<Numeric>);
type Row = (String, Option<String>, Option<String>, i64, Option<Decimal>, Option<Decimal>);

/// Maximum number of values per facet.
const MAX_VALUES: i64 = 100;

/// Returns the rows of the requested facets, and rows `all` with the numbers of counted products.
/// # Errors
/// Database errors.
pub async fn facets(
    mut conn: &Conn,
    search: &Search,
    full_text: Option<&FullTextQuery>,
    kinds: &[FacetKind],
) -> Result<Vec<FacetRow>> {
    let bases = bases(search, full_text.is_none(), kinds);
    let mut statement = DynamicQuery::<RowType>::default();
    for (number, base) in bases.iter().enumerate() {
        statement.sql(if number == 0 { "WITH " } else { ", " });
        base.push(&mut statement, search, full_text, kinds.contains(&FacetKind::Tags));
    }
    for (number, base) in bases.iter().enumerate() {
        statement.sql(if number == 0 {
            " SELECT 'all', NULL::text, NULL::text, "
        } else {
            " UNION ALL SELECT 'all', NULL, NULL, "
        });
        statement.sql("count(*), NULL::numeric, NULL::numeric FROM ").sql(base.name);
    }
    for kind in kinds {
        let Some(base) = bases.iter().find(|base| base.kinds.contains(kind)) else { continue };
        statement.sql(" UNION ALL ");
        push_facet(&mut statement, search, base, *kind);
    }
    let rows: Vec<Row> = statement.load(&mut conn).await?;
    let row = |(facet, name, value, count, min, max)| FacetRow { facet, name, value, count, min, max };
    Ok(rows.into_iter().map(row).collect())
}

/// The products that facets count: a CTE of at most [`MAX_FACETED`] products, with a boolean column for each filter that
/// it leaves to the facets.
struct Base {
    name: &'static str,
    /// The facets.
    kinds: Vec<FacetKind>,
    /// The filter of these facets, which the products need not match.
    own: Option<FilterPart>,
    columns: Vec<(FilterPart, &'static str)>,
}

/// Returns the bases of the facets. A search counts all facets among the products that match the words. Browsing counts
/// them among the products that match the filters, and a facet whose own filter is set among those that match the
/// others, so that a small category in a large shop is counted exactly.
fn bases(search: &Search, is_browsing: bool, kinds: &[FacetKind]) -> Vec<Base> {
    let parts = FilterPart::all(&search.filter);
    let left_to_facets = parts.iter().copied().filter(|part| !is_browsing || !part.has_index());
    let columns: Vec<_> = left_to_facets.zip(FILTER_COLUMNS).collect();
    let mut bases: Vec<Base> = Vec::new();
    for kind in kinds {
        let own = own_filter(*kind).filter(|own| is_browsing && own.has_index() && parts.contains(own));
        match bases.iter_mut().find(|base| base.own == own) {
            Some(base) => base.kinds.push(*kind),
            None => {
                let name = BASES[bases.len().min(BASES.len() - 1)];
                bases.push(Base { name, kinds: vec![*kind], own, columns: columns.clone() });
            }
        }
    }
    bases
}

/// Names of the bases: one for the facets without a filter of their own, and one for each facet whose filter an index
/// finds.
const BASES: [&str; 8] = ["m0", "m1", "m2", "m3", "m4", "m5", "m6", "m7"];

/// Names of the columns that tell whether a product matches a filter.
const FILTER_COLUMNS: [&str; MAX_PARTS] = [
    "h0", "h1", "h2", "h3", "h4", "h5", "h6", "h7", "h8", "h9", "h10", "h11", "h12", "h13", "h14", "h15", "h16", "h17",
    "h18", "h19", "h20", "h21", "h22", "h23", "h24", "h25", "h26", "h27", "h28", "h29",
];

/// Returns the filter that a facet is counted without; options are compared one by one.
fn own_filter(kind: FacetKind) -> Option<FilterPart> {
    Some(match kind {
        FacetKind::Categories => FilterPart::Category,
        FacetKind::Brands => FilterPart::Brand,
        FacetKind::Websites => FilterPart::Website,
        FacetKind::Prices => FilterPart::Price,
        FacetKind::Ratings => FilterPart::Rating,
        FacetKind::Availability => FilterPart::Availability,
        FacetKind::Tags => FilterPart::Tags,
        FacetKind::OnSale => FilterPart::OnSale,
        FacetKind::Options => return None,
    })
}

impl Base {
    /// Writes the CTE.
    fn push(
        &self,
        out: &mut DynamicQuery<RowType>,
        search: &Search,
        full_text: Option<&FullTextQuery>,
        has_tags: bool,
    ) {
        out.sql(self.name).sql(
            " AS MATERIALIZED (SELECT p.id, p.category_id, p.brand_id, p.source_website_id, p.price, p.rating_count,
                p.rating_average, p.availability, p.group_id, p.option_values, ",
        );
        out.sql(ON_SALE).sql(" AS on_sale").sql(if has_tags { ", p.tags" } else { "" });
        for (part, name) in &self.columns {
            out.sql(", (");
            part.push_condition(out, &search.filter);
            out.sql(") IS TRUE AS ").sql(name);
        }
        out.sql(" FROM ");
        match full_text {
            None => push_products(out, search, self.own, "*", MAX_FACETED),
            Some(full_text) => {
                out.sql("(SELECT d.node_id FROM search_documents d WHERE ");
                push_match(out, full_text);
                out.sql(" AND d.kind = 'product' AND d.is_public LIMIT ").bind(Value::Int(MAX_FACETED));
                out.sql(") h JOIN products p ON p.id = h.node_id");
            }
        }
        out.sql(")");
    }

    /// Writes `FROM m`.
    fn push_from(&self, out: &mut DynamicQuery<RowType>) {
        out.sql(" FROM ").sql(self.name).sql(" AS m");
    }

    /// Writes `WHERE` with all filters but this one.
    fn push_other_filters(&self, out: &mut DynamicQuery<RowType>, own: Option<FilterPart>) {
        out.sql(" WHERE true");
        for (part, name) in &self.columns {
            if Some(*part) != own {
                out.sql(" AND m.").sql(name);
            }
        }
    }
}

fn push_facet(out: &mut DynamicQuery<RowType>, search: &Search, base: &Base, kind: FacetKind) {
    let own = own_filter(kind);
    let mut simple = |select: &'static str, condition: &'static str, by: &'static str| {
        out.sql(select);
        base.push_from(out);
        base.push_other_filters(out, own);
        out.sql(condition);
        push_top_values(out, "count(*)", by);
    };
    match kind {
        FacetKind::Brands => simple(
            "(SELECT 'brand', NULL, m.brand_id::text, count(*), NULL, NULL",
            " AND m.brand_id IS NOT NULL",
            "m.brand_id",
        ),
        FacetKind::Websites => simple(
            "(SELECT 'website', NULL, m.source_website_id::text, count(*), NULL, NULL",
            "",
            "m.source_website_id",
        ),
        FacetKind::Ratings => simple(
            "(SELECT 'rating', NULL, floor(m.rating_average)::text, count(*), NULL, NULL",
            " AND m.rating_count > 0",
            "floor(m.rating_average)",
        ),
        FacetKind::Availability => {
            simple("(SELECT 'availability', NULL, m.availability, count(*), NULL, NULL", "", "m.availability");
        }
        FacetKind::OnSale => {
            out.sql("(SELECT 'on_sale', NULL, NULL, count(*), NULL, NULL");
            base.push_from(out);
            base.push_other_filters(out, own);
            out.sql(" AND m.on_sale)");
        }
        FacetKind::Categories => {
            // Few categories contain many hits: count per category first, then sum up along the tree.
            out.sql("(SELECT 'category', NULL, a.id::text, sum(k.hits)::bigint, NULL, NULL FROM (SELECT m.category_id, count(*) AS hits");
            base.push_from(out);
            base.push_other_filters(out, own);
            out.sql(" GROUP BY m.category_id) k JOIN categories c ON c.id = k.category_id CROSS JOIN unnest(c.path) AS a (id)");
            push_top_values(out, "sum(k.hits)", "a.id");
        }
        FacetKind::Tags => {
            // Spellings that differ in case are one tag, shown in the most frequent one. Few different spellings are
            // compared.
            out.sql("(SELECT 'tag', NULL, (array_agg(k.tag ORDER BY k.hits DESC, k.tag))[1], sum(k.hits)::bigint, NULL, NULL");
            out.sql(" FROM (SELECT t.tag, count(*) AS hits");
            base.push_from(out);
            out.sql(" CROSS JOIN unnest(m.tags) AS t (tag)");
            base.push_other_filters(out, own);
            out.sql(" GROUP BY t.tag) k");
            push_top_values(out, "sum(k.hits)", "souk_tag_keys(ARRAY[k.tag])");
        }
        FacetKind::Prices => {
            // Quintiles of the hits in each currency. A price belongs to one range only, so that there are fewer ranges
            // if many prices are equal.
            out.sql("(SELECT 'price', r.currency, NULL, count(*), min(r.price), max(r.price) FROM (SELECT w.currency, m.price,");
            out.sql(" width_bucket(m.price, q.cuts) AS fifth");
            base.push_from(out);
            out.sql(" JOIN websites w ON w.id = m.source_website_id JOIN (SELECT w.currency,");
            out.sql(" percentile_disc('{0.2,0.4,0.6,0.8}'::float[]) WITHIN GROUP (ORDER BY m.price) AS cuts");
            base.push_from(out);
            out.sql(" JOIN websites w ON w.id = m.source_website_id");
            base.push_other_filters(out, own);
            out.sql(" GROUP BY w.currency) q ON q.currency = w.currency");
            base.push_other_filters(out, own);
            out.sql(") r GROUP BY r.currency, r.fifth ORDER BY r.currency, r.fifth LIMIT ");
            out.bind(Value::Int(MAX_VALUES)).sql(")");
        }
        FacetKind::Options => {
            out.sql("(SELECT 'option', o.name, o.value, count(*), NULL, NULL");
            base.push_from(out);
            out.sql(" JOIN product_groups g ON g.id = m.group_id");
            out.sql(" CROSS JOIN unnest(g.varies_by, m.option_values) AS o (name, value) WHERE true");
            for (part, name) in &base.columns {
                out.sql(" AND (m.").sql(name);
                if let FilterPart::Option(index) = part {
                    out.sql(" OR o.name = ").bind(Value::Text(search.filter.options[*index].0.clone()));
                }
                out.sql(")");
            }
            push_top_values(out, "count(*)", "o.name, o.value");
        }
    }
}

/// Writes grouping, order and limit: the values with the most hits.
fn push_top_values(out: &mut DynamicQuery<RowType>, hits: &'static str, by: &'static str) {
    out.sql(" GROUP BY ").sql(by).sql(" ORDER BY ").sql(hits).sql(" DESC, ").sql(by);
    out.sql(" LIMIT ").bind(Value::Int(MAX_VALUES)).sql(")");
}
