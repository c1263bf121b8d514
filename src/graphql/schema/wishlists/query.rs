//! The filter and the order of lists of wishlists, and the queries.

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
    /// Filter for `wishlists`. Several fields are combined with AND.
    WishlistWhere {
        /// Filter by owner.
        user: Option<IdFilter>,
        /// Filter by name.
        name: Option<StringFilter>,
        /// Filter by whether the wishlist is shared by a link.
        is_shared: Option<bool>,
        /// Filter by when the wishlist was created.
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
    /// The order of a list of wishlists.
    WishlistOrder by WishlistOrderField
}

/// Queries of wishlists.
#[derive(Default)]
pub struct WishlistQuery;

#[object]
impl WishlistQuery {
    /// Your wishlists, by default the oldest first; for staff with MANAGE_USERS those of all users that they manage, which they
    /// can read but not change. Requires being logged in.
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

    /// A wishlist by its id. Null if there is none, or it is not visible to you.
    async fn wishlist(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id of the wishlist.")] id: ID,
    ) -> Result<Option<Wishlist>> {
        Ok(ctx.loaders().row(WishlistId::parse("id", &id)?).await?.map(wishlist))
    }

    /// The wishlist that is shared by a link. Null if no link has this token, the link was revoked, or the owner's account was
    /// deactivated.
    async fn shared_wishlist(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The token of the link, from `wishlistShare`.")] token: String,
    ) -> Result<Option<Wishlist>> {
        Ok(actions::find_shared(ctx.db(), &token).await?.map(wishlist))
    }
}
