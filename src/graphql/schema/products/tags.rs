//! Tags of products and of lists of products.
//! Rule: a change of a product has the tags of all lists that it is in, before and after, so one of them is enough for a list
//! that is limited to a category or another parent.

use std::sync::Arc;

use crate::{
    cache::Tag,
    db::filter::{Filter, Op},
    ids::{ProductId, RowId},
    products::{
        model::{ProductCondition, ProductParent},
        store::lookup::ProductWithParents,
    },
    websites::model::WebsiteOp,
};

/// Tag of all products.
const PRODUCTS: Tag = Tag::list("list:products");

/// Returns the tags of a product with its category and brand.
pub(super) fn tags_of(id: ProductId, found: Option<&Arc<ProductWithParents>>) -> Vec<Tag> {
    let category = found.and_then(|found| found.product.category_id).map(|id| Tag::of("category", id.key()));
    let brand = found.and_then(|found| found.product.brand_id).map(|id| Tag::of("brand", id.key()));
    [Tag::of("product", id.key())].into_iter().chain(category).chain(brand).collect()
}

/// Returns the tags of a product that was looked up by a name: of all products if none has the name.
pub(super) fn tags_of_lookup(found: Option<&Arc<ProductWithParents>>) -> Vec<Tag> {
    found.map_or_else(|| vec![PRODUCTS], |product| tags_of(product.product.id, Some(product)))
}

/// Returns the tag of the products of a category or another parent. Products of a supplier, which is not public, have the tag of
/// all products.
pub(super) fn tag_of_parent(parent: ProductParent, id: i64) -> Tag {
    match parent {
        ProductParent::Category | ProductParent::CategoryTree => of_category(id),
        ProductParent::Brand => of_brand(id),
        ProductParent::Website => of_website(id),
        ProductParent::Group => of_group(id),
        ProductParent::Supplier => PRODUCTS,
    }
}

/// Returns the tags of a list with this filter.
pub(super) fn tags_of_list(filter: &Filter<ProductCondition>) -> Vec<Tag> {
    limits(filter).into_iter().min_by_key(|(rank, _)| *rank).map_or_else(|| vec![PRODUCTS], |(_, tags)| tags)
}

/// Returns the tags of lists of products of any of these categories, else brands, else websites; of all products if the
/// list is not limited.
pub fn tags_of_parents(categories: Option<&[i64]>, brands: Option<&[i64]>, websites: Option<&[i64]>) -> Vec<Tag> {
    let of = |ids: &[i64], tag: fn(i64) -> Tag| ids.iter().copied().map(tag).collect();
    match (categories, brands, websites) {
        (Some(ids), ..) => of(ids, of_category),
        (None, Some(ids), _) => of(ids, of_brand),
        (None, None, Some(ids)) => of(ids, of_website),
        (None, None, None) => vec![PRODUCTS],
    }
}

/// Returns the tags by each condition that limits a list to some parents, with a rank: the lower, the fewer products they
/// have.
fn limits(filter: &Filter<ProductCondition>) -> Vec<(u8, Vec<Tag>)> {
    use ProductCondition as C;
    let limit = match filter {
        Filter::And(all) => return all.iter().flat_map(limits).collect(),
        Filter::Is(C::Group(op)) => of_ids(op, of_group).map(|tags| (0, tags)),
        Filter::Is(C::Category(op)) => of_ids(op, of_category).map(|tags| (1, tags)),
        Filter::Is(C::CategoryTree(ids)) => Some((1, ids.iter().map(|id| of_category(id.key())).collect())),
        Filter::Is(C::Brand(op)) => of_ids(op, of_brand).map(|tags| (2, tags)),
        Filter::Is(C::SourceWebsite(WebsiteOp::Id(op))) => of_ids(op, of_website).map(|tags| (3, tags)),
        _ => None,
    };
    limit.into_iter().collect()
}

fn of_ids<I: RowId>(op: &Op<I>, tag: fn(i64) -> Tag) -> Option<Vec<Tag>> {
    match op {
        Op::Eq(id) => Some(vec![tag(id.key())]),
        Op::In(ids) => Some(ids.iter().map(|id| tag(id.key())).collect()),
        _ => None,
    }
}

fn of_category(id: i64) -> Tag {
    Tag::of("list:products:category", id)
}

fn of_brand(id: i64) -> Tag {
    Tag::of("list:products:brand", id)
}

fn of_website(id: i64) -> Tag {
    Tag::of("list:products:website", id)
}

fn of_group(id: i64) -> Tag {
    Tag::of("list:products:group", id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{BrandId, CategoryId};

    #[test]
    fn lists_have_the_tags_of_their_narrowest_parent() {
        use ProductCondition as C;
        let brand = || Filter::Is(C::Brand(Op::Eq(BrandId(3))));
        let category = || Filter::Is(C::CategoryTree(vec![CategoryId(4), CategoryId(5)]));
        for (filter, expected) in [
            (Filter::default(), vec![PRODUCTS]),
            (brand(), vec![of_brand(3)]),
            (Filter::And(vec![brand(), Filter::And(vec![category()])]), vec![of_category(4), of_category(5)]),
            // Products that match the other condition are of any category.
            (Filter::Or(vec![brand(), category()]), vec![PRODUCTS]),
            (Filter::Not(Box::new(brand())), vec![PRODUCTS]),
            (Filter::Is(C::Brand(Op::IsNull(true))), vec![PRODUCTS]),
        ] {
            assert_eq!(tags_of_list(&filter), expected, "{filter:?}");
        }
    }
}
