//! Counts the facets of a search.

use crate::{
    categories,
    db::Db,
    error::Result,
    search::{
        facets::{CountedProducts, FacetBase, FacetContext, Facets, references},
        model::SearchFilter,
    },
    websites,
};

/// Counts the facets of all bases, with the category paths and currencies that they need.
/// # Errors
/// Database errors.
pub async fn count_facets(db: &Db, filter: &SearchFilter, counted: &[(FacetBase, CountedProducts)]) -> Result<Facets> {
    let (categories, websites) = references(counted);
    let paths = async {
        match categories.as_slice() {
            [] => Ok(Vec::new()),
            ids => db.read(async |conn| categories::store::paths(conn, ids).await).await,
        }
    };
    let websites = async {
        match websites.as_slice() {
            [] => Ok(Vec::new()),
            ids => db.read(async |conn| websites::store::by_ids(conn, ids).await).await,
        }
    };
    let (paths, websites) = futures_util::future::try_join(paths, websites).await?;
    let currencies = websites.into_iter().map(|website| (website.id, website.currency())).collect();
    let context = FacetContext { paths: paths.into_iter().collect(), currencies };
    let mut facets = Facets::default();
    for (base, products) in counted {
        facets.add(base, products, filter, &context);
    }
    Ok(facets)
}
