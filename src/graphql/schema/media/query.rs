//! The list of images.

use async_graphql::Context;
use souk_macros::object;

use super::{Image, image};
use crate::{
    auth::Permission,
    db::filter::Filter,
    error::Result,
    graphql::{
        engine::{
            connections::{Connection, root_connection},
            filters::{DateTimeFilter, FilterBuilder, IdFilter},
            guards::PermissionGuard,
            list_args::{ListArgs, Where, order_by, where_input},
        },
        schema::context::ContextExt,
    },
    media::{
        model::{ImageCondition, ImageOrderField},
        store::list,
    },
    paging::Direction,
};

where_input! {
    /// Filters for images; conditions are combined with AND.
    ImageWhere {
        /// Filter by whether the last attempt to download the image failed.
        failed: Option<bool>,
        /// Filter by product.
        product: Option<IdFilter>,
        /// Filter by creation time.
        created_at: Option<DateTimeFilter>,
    }
}

impl Where for ImageWhere {
    type Condition = ImageCondition;

    fn into_filter(self) -> Result<Filter<ImageCondition>> {
        use ImageCondition as C;
        let mut filter = FilterBuilder::with_nested(self.and, self.or, self.not, Self::into_filter)?;
        filter.condition(self.failed.map(C::HasFailed));
        filter.id("product", self.product, C::Product)?;
        filter.time(self.created_at, C::CreatedAt);
        filter.build()
    }
}

order_by! {
    /// Sort order of images.
    ImageOrder by ImageOrderField
}

/// Queries of images.
#[derive(Default)]
pub struct ImageQuery;

#[object]
impl ImageQuery {
    /// Lists the images that the viewer may change, newest first by default. Use `failed: true` to list the images that
    /// could not be downloaded. Requires `MANAGE_PRODUCTS`, `SELL_PRODUCTS` for the viewer's own products, or
    /// `MANAGE_CATALOGUE` for the images of brands and categories.
    #[graphql(
        guard = "PermissionGuard(&[Permission::ManageProducts, Permission::SellProducts, Permission::ManageCatalogue])"
    )]
    async fn images(
        &self,
        ctx: &Context<'_>,
        list_args: ListArgs<ImageWhere, ImageOrder>,
    ) -> Result<Connection<Image>> {
        let mut list: list::ImageList =
            list_args.into_list((ImageOrderField::CreatedAt, Direction::Desc), ImageOrderField::list)?;
        let viewer = ctx.viewer();
        let (scope, has_catalog) = (viewer.scope(Permission::ManageProducts), viewer.can(Permission::ManageCatalogue));
        let editable = Filter::Is(ImageCondition::Editable(scope, has_catalog));
        list.filter = Filter::And(vec![editable, list.filter]);
        let rows = ctx.db().read(async |conn| list::with_media(conn, list::page(conn, &list).await?).await);
        let count = ctx.db().read(async |conn| list::count(conn, &list).await);
        root_connection(ctx, &list.page, rows, count, |found| (list.order.key(&found.row), found.row.id), image).await
    }
}
