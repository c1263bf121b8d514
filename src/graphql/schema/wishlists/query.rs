//! Filters, sort orders and queries of wishlist lists.

use async_graphql::{Context, ID};
use souk_macros::object;

use super::{Wishlist, wishlist};
use crate::{
    auth::Permission,
    db::filter::Filter,
    error::Result,
    graphql::{
        engine::{
            connections::{Connection, root_connection},
            filters::{DateTimeFilter, FilterBuilder, IdFilter, StringFilter},
            guards::LoginGuard,
            list_args::{ListArgs, Where, order_by, where_input},
        },
        schema::context::ContextExt,
    },
    ids::{RowId, WishlistId},
    paging::Direction,
    wishlists::{
        actions,
        model::{WishlistCondition, WishlistOrderField},
        store::{self, WishlistList},
    },
};

where_input! {
    /// Filters for wishlists; conditions are combined with AND.
    WishlistWhere {
        /// Filter by owner.
        user: Option<IdFilter>,
        /// Filter by name.
        name: Option<StringFilter>,
        /// Filter by whether the wishlist is shared by a link.
        is_shared: Option<bool>,
        /// Filter by creation time.
        created_at: Option<DateTimeFilter>,
    }
}

impl Where for WishlistWhere {
    type Condition = WishlistCondition;

    fn into_filter(self) -> Result<Filter<WishlistCondition>> {
        use WishlistCondition as C;
        let mut filter = FilterBuilder::with_nested(self.and, self.or, self.not, Self::into_filter)?;
        filter.id("user", self.user, C::User)?;
        filter.text("name", self.name, C::Name)?;
        filter.condition(self.is_shared.map(C::IsShared));
        filter.time(self.created_at, C::CreatedAt);
        filter.build()
    }
}

order_by! {
    /// Sort order of wishlists.
    WishlistOrder by WishlistOrderField
}

/// Query root for wishlists.
#[derive(Default)]
pub struct WishlistQuery;

#[object]
impl WishlistQuery {
    /// Lists the viewer's wishlists, oldest first by default. Staff with `MANAGE_USERS` see those of all users that
    /// they manage, but cannot change them. Requires login.
    #[graphql(guard = "LoginGuard")]
    async fn wishlists(
        &self,
        ctx: &Context<'_>,
        list_args: ListArgs<WishlistWhere, WishlistOrder>,
    ) -> Result<Connection<Wishlist>> {
        let list: WishlistList =
            list_args.into_list((WishlistOrderField::CreatedAt, Direction::Asc), WishlistOrderField::list)?;
        let scope = ctx.viewer().scope(Permission::ManageUsers);
        let rows = ctx.db().read(async |conn| store::page(conn, &scope, &list).await);
        let count = ctx.db().read(async |conn| store::count(conn, &scope, &list).await);
        root_connection(ctx, &list.page, rows, count, |row| (list.order.key(row), row.id), wishlist).await
    }

    /// Returns a wishlist by ID. Null if the wishlist does not exist or is not visible to the viewer.
    async fn wishlist(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "ID of the wishlist.")] id: ID,
    ) -> Result<Option<Wishlist>> {
        Ok(ctx.loaders().row(WishlistId::parse("id", &id)?).await?.map(wishlist))
    }

    /// Returns the wishlist that is shared by a link. Null if no link has this token, the link was revoked, or the
    /// owner's account was deactivated.
    async fn shared_wishlist(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Token of the share link, from `wishlistShare`.")] token: String,
    ) -> Result<Option<Wishlist>> {
        Ok(actions::find_shared(ctx.db(), &token).await?.map(wishlist))
    }
}
