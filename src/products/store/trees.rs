//! Lists of products filtered by category subtrees.
//! Rule: the categories are resolved first, so that PostgreSQL plans the list for their number: few products are found
//! by their category and sorted, many are read in list order until a page is full.

use crate::{
    categories,
    db::{Conn, filter::Op},
    error::Result,
    paging::List,
    products::{model::ProductCondition, store::ProductList},
};

/// Returns whether a list is filtered by a category subtree.
pub fn has_category_tree(list: &ProductList) -> bool {
    list.filter.any(&|condition| matches!(condition, ProductCondition::CategoryTree(_)))
}

/// Replaces the category subtrees of a list's filter by their categories, with one statement for each subtree.
pub async fn resolve(conn: &Conn, list: &ProductList) -> Result<ProductList> {
    let mut trees = Vec::new();
    list.filter.for_each(&mut |condition| {
        if let ProductCondition::CategoryTree(roots) = condition {
            trees.push(roots.clone());
        }
    });
    let found = trees.iter().map(|roots| categories::store::subtree_ids(conn, roots));
    let mut found = futures_util::future::try_join_all(found).await?.into_iter();
    let filter = list.filter.clone().map(&mut |condition| match condition {
        ProductCondition::CategoryTree(_) => {
            let ids = found.next().expect("each tree was looked up, in this order");
            // A leaf is filtered by equality, so that an index returns its products in the order of the list.
            ProductCondition::Category(if let [id] = ids[..] { Op::Eq(id) } else { Op::In(ids) })
        }
        other => other,
    });
    Ok(ProductList { list: List { filter, ..list.list.clone() }, ..*list })
}
