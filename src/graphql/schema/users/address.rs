//! Addresses in the graph.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, MaybeUndefined};
use chrono::{DateTime, Utc};
use souk_macros::object;

use crate::{
    error::Result,
    graphql::{
        engine::{
            guards::LoginGuard,
            patch,
            payload::payload,
            scalars::{global_id, optional_id},
        },
        schema::{
            context::ContextExt,
            loaders::by_parent,
            resource::resource,
            users::{User, user},
        },
    },
    ids::{AddressId, RowId, UserId},
    users::{
        self, actions,
        model::{AddressPatch, AddressRow, NewAddress},
    },
};

/// A postal address of a user.
#[derive(Clone)]
pub struct Address(Arc<AddressRow>);

resource! {
    Address(address) by AddressId of AddressRow,
    |conn, context, ids| users::store::addresses_by_ids(conn, &context.user_scope(), &ids), row => row.id,
}

by_parent! {
    /// The addresses of users.
    AddressesByUser by UserId => AddressRow,
    |conn, context, ids| users::store::addresses_by_user_ids(conn, &context.user_scope(), &ids), row => row.user_id
}

/// A postal address of a user.
#[object]
impl Address {
    /// Opaque id, unique across all types.
    pub fn id(&self) -> ID {
        global_id(self.0.id)
    }

    /// Whose it is.
    async fn user(&self, ctx: &Context<'_>) -> Result<Option<User>> {
        Ok(ctx.loaders().row(self.0.user_id).await?.map(user))
    }

    /// Country, as a name or an ISO 3166 code.
    fn country(&self) -> &str {
        &self.0.country
    }

    /// City or town.
    fn city(&self) -> &str {
        &self.0.city
    }

    /// District, county or state.
    fn district(&self) -> Option<&str> {
        self.0.district.as_deref()
    }

    /// Street, number and what else leads to the door.
    fn address(&self) -> &str {
        &self.0.address
    }

    /// Postal code.
    fn postal_code(&self) -> Option<&str> {
        self.0.postal_code.as_deref()
    }

    /// Whether orders go there unless told otherwise; one address of a user at most.
    fn is_default(&self) -> bool {
        self.0.is_default
    }

    /// When it was made.
    fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When it was last changed.
    fn updated_at(&self) -> DateTime<Utc> {
        self.0.updated_at
    }
}

/// An address to be. The first one of a user is the default.
#[derive(Debug, InputObject)]
pub struct AddressCreateInput {
    /// Whose it is; yourself where absent. Another user's only with MANAGE_USERS.
    user_id: Option<ID>,
    /// Country, as a name or an ISO 3166 code, 1 to 100 characters.
    country: String,
    /// City or town, 1 to 100 characters.
    city: String,
    /// District, county or state, 1 to 100 characters.
    district: Option<String>,
    /// Street, number and what else leads to the door, 1 to 500 characters.
    address: String,
    /// Postal code, 1 to 20 characters.
    postal_code: Option<String>,
    /// Makes it the default instead of the present one.
    #[graphql(default)]
    is_default: bool,
}

/// A change of an address: an absent field stays, null clears.
#[derive(Debug, InputObject)]
pub struct AddressUpdateInput {
    /// Which address.
    id: ID,
    /// Country, as a name or an ISO 3166 code, 1 to 100 characters.
    country: MaybeUndefined<String>,
    /// City or town, 1 to 100 characters.
    city: MaybeUndefined<String>,
    /// District, county or state, 1 to 100 characters.
    district: MaybeUndefined<String>,
    /// Street, number and what else leads to the door, 1 to 500 characters.
    address: MaybeUndefined<String>,
    /// Postal code, 1 to 20 characters.
    postal_code: MaybeUndefined<String>,
    /// True makes it the default instead of the present one.
    is_default: MaybeUndefined<bool>,
}

/// Which address to delete.
#[derive(Debug, InputObject)]
pub struct AddressDeleteInput {
    /// Which address.
    id: ID,
}

payload! {
    /// The answer of `addressCreate`.
    AddressCreatePayload {
        /// The new address.
        address: Address
    }
}
payload! {
    /// The answer of `addressUpdate`.
    AddressUpdatePayload {
        /// The address as it is now.
        address: Address
    }
}
payload! {
    /// The answer of `addressDelete`.
    AddressDeletePayload {
        /// The id of the address that is gone.
        deleted_id: ID
    }
}

/// Mutations of addresses.
#[derive(Default)]
pub struct AddressMutation;

#[object]
impl AddressMutation {
    /// Adds an address. Requires being logged in.
    #[graphql(guard = "LoginGuard")]
    async fn address_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The address to be.")] input: AddressCreateInput,
    ) -> Result<AddressCreatePayload> {
        let created = async {
            let user = optional_id("userId", input.user_id)?;
            let new = NewAddress {
                user_id: user.map_or_else(|| ctx.viewer().require_user(), Ok)?,
                country: input.country,
                city: input.city,
                district: input.district,
                address: input.address,
                postal_code: input.postal_code,
                is_default: input.is_default,
            };
            actions::create_address(ctx.db(), ctx.viewer(), new).await
        };
        AddressCreatePayload::of(created.await.map(address))
    }

    /// Changes an address. Requires being logged in.
    #[graphql(guard = "LoginGuard")]
    async fn address_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The change.")] input: AddressUpdateInput,
    ) -> Result<AddressUpdatePayload> {
        let updated = async {
            let id = AddressId::parse("id", &input.id)?;
            let patch = AddressPatch {
                country: patch::required("country", input.country)?,
                city: patch::required("city", input.city)?,
                district: input.district.into(),
                address: patch::required("address", input.address)?,
                postal_code: input.postal_code.into(),
                is_default: patch::required("isDefault", input.is_default)?,
            };
            actions::update_address(ctx.db(), ctx.viewer(), id, patch).await
        };
        AddressUpdatePayload::of(updated.await.map(address))
    }

    /// Deletes an address; orders keep their copy. Requires being logged in.
    #[graphql(guard = "LoginGuard")]
    async fn address_delete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which address.")] input: AddressDeleteInput,
    ) -> Result<AddressDeletePayload> {
        let deleted = async {
            let id = AddressId::parse("id", &input.id)?;
            actions::delete_address(ctx.db(), ctx.viewer(), id).await?;
            Ok(input.id.clone())
        };
        AddressDeletePayload::of(deleted.await)
    }
}
