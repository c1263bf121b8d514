//! GraphQL type and mutations of postal addresses.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, MaybeUndefined};
use chrono::{DateTime, Utc};
use souk_macros::object;

use crate::{
    access::actions::addresses,
    error::Result,
    graphql::{
        engine::{
            guards::LoginGuard,
            patch,
            payload::payload,
            scalars::{CountryCode, global_id, optional_id},
        },
        schema::{
            context::ContextExt,
            loaders::by_parent,
            resource::resource,
            users::{User, user},
        },
    },
    ids::{AddressId, RowId, UserId},
    postal::{self, subdivision_name},
    users::{
        self,
        model::{AddressFields, AddressPatch, AddressRow, NewAddress},
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
    /// Addresses of users.
    AddressesByUser by UserId => AddressRow,
    |conn, context, ids| users::store::addresses_by_user_ids(conn, &context.user_scope(), &ids), row => row.user_id
}

impl Address {
    fn country_or_unknown(&self) -> postal::CountryCode {
        postal::CountryCode::from_stored(&self.0.fields.country).unwrap_or(postal::CountryCode::UNKNOWN)
    }
}

/// A postal address of a user.
#[object]
impl Address {
    /// Opaque global ID.
    pub fn id(&self) -> ID {
        global_id(self.0.id)
    }

    /// User that the address belongs to. Null if the viewer may not see the user.
    async fn user(&self, ctx: &Context<'_>) -> Result<Option<User>> {
        Ok(ctx.loaders().row(self.0.user_id).await?.map(user))
    }

    /// Name of the recipient. Null if it is the user or the order's contact.
    fn recipient_name(&self) -> Option<&str> {
        self.0.fields.recipient_name.as_deref()
    }

    /// Company of the recipient. Null if there is none.
    fn company(&self) -> Option<&str> {
        self.0.fields.company.as_deref()
    }

    /// Phone number for questions about the delivery, in E.164 format. Null if there is none.
    fn phone(&self) -> Option<&str> {
        self.0.fields.phone.as_deref()
    }

    /// Code of the country. ZZ if the country of an older address is not known; change it before an order is placed.
    fn country_code(&self) -> CountryCode {
        CountryCode(self.country_or_unknown())
    }

    /// English name of the country.
    fn country(&self) -> &'static str {
        self.country_or_unknown().name()
    }

    /// ISO 3166-2 code of the subdivision (state, province or the like), such as `US-CA`. Null if there is none.
    fn subdivision_code(&self) -> Option<&str> {
        self.0.fields.subdivision.as_deref()
    }

    /// Name of the subdivision. Null if there is none.
    fn subdivision(&self) -> Option<&'static str> {
        self.0.fields.subdivision.as_deref().and_then(subdivision_name)
    }

    /// City or town.
    fn city(&self) -> &str {
        &self.0.fields.city
    }

    /// District or county. Null if there is none.
    fn district(&self) -> Option<&str> {
        self.0.fields.district.as_deref()
    }

    /// Street, house number and further address details.
    fn address(&self) -> &str {
        &self.0.fields.address
    }

    /// Postal code. Null if there is none.
    fn postal_code(&self) -> Option<&str> {
        self.0.fields.postal_code.as_deref()
    }

    /// Whether this is the user's default shipping address. A user has at most one.
    fn is_default(&self) -> bool {
        self.0.is_default
    }

    /// When the address was created (UTC).
    fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When the address was last updated (UTC).
    fn updated_at(&self) -> DateTime<Utc> {
        self.0.updated_at
    }
}

/// Input for `addressCreate`. The first address of a user becomes the default.
#[derive(Debug, InputObject)]
pub struct AddressCreateInput {
    /// ID of the user; defaults to the viewer. Another user requires `MANAGE_USERS`.
    user_id: Option<ID>,
    /// Name of the recipient, 1 to 255 characters. Must not contain a URL. Omit it if it is the user or the order's contact.
    recipient_name: Option<String>,
    /// Company of the recipient, 1 to 255 characters. Must not contain a URL.
    company: Option<String>,
    /// Phone number for questions about the delivery; read in the country of the address if it has no country code.
    phone: Option<String>,
    /// Code of the country.
    country_code: CountryCode,
    /// ISO 3166-2 code of the subdivision, such as `US-CA` or `CA`. Required if `Country.isSubdivisionRequired`.
    subdivision_code: Option<String>,
    /// City or town, 1 to 100 characters.
    city: String,
    /// District or county, 1 to 100 characters.
    district: Option<String>,
    /// Street, house number and further address details, 1 to 500 characters.
    address: String,
    /// Postal code of the country, in upper or lower case, with or without its separator. Required if
    /// `Country.postalCode.isRequired`.
    postal_code: Option<String>,
    /// Whether to make this the default address, replacing the current one.
    #[graphql(default)]
    is_default: bool,
}

/// Input for `addressUpdate`. An omitted field keeps its value; null clears an optional one.
#[derive(Debug, InputObject)]
pub struct AddressUpdateInput {
    /// ID of the address.
    id: ID,
    /// Name of the recipient, 1 to 255 characters. Must not contain a URL.
    recipient_name: MaybeUndefined<String>,
    /// Company of the recipient, 1 to 255 characters. Must not contain a URL.
    company: MaybeUndefined<String>,
    /// Phone number for questions about the delivery; read in the country of the address if it has no country code.
    phone: MaybeUndefined<String>,
    /// Code of the country. The subdivision and the postal code must be those of the new country.
    country_code: MaybeUndefined<CountryCode>,
    /// ISO 3166-2 code of the subdivision, such as `US-CA` or `CA`.
    subdivision_code: MaybeUndefined<String>,
    /// City or town, 1 to 100 characters.
    city: MaybeUndefined<String>,
    /// District or county, 1 to 100 characters.
    district: MaybeUndefined<String>,
    /// Street, house number and further address details, 1 to 500 characters.
    address: MaybeUndefined<String>,
    /// Postal code of the country, in upper or lower case, with or without its separator.
    postal_code: MaybeUndefined<String>,
    /// True makes this the default address, replacing the current one.
    is_default: MaybeUndefined<bool>,
}

/// Input for `addressDelete`.
#[derive(Debug, InputObject)]
pub struct AddressDeleteInput {
    /// ID of the address.
    id: ID,
}

payload! {
    /// Result of `addressCreate`.
    AddressCreatePayload {
        /// The new address.
        address: Address
    }
}
payload! {
    /// Result of `addressUpdate`.
    AddressUpdatePayload {
        /// The updated address.
        address: Address
    }
}
payload! {
    /// Result of `addressDelete`.
    AddressDeletePayload {
        /// ID of the deleted address.
        deleted_id: ID
    }
}

/// Mutation root for addresses.
#[derive(Default)]
pub struct AddressMutation;

#[object]
impl AddressMutation {
    /// Adds an address to a user; a user has at most 50. Users can add their own; `MANAGE_USERS` allows users who hold no
    /// permission that the viewer lacks. Requires login.
    #[graphql(guard = "LoginGuard")]
    async fn address_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Address to create.")] input: AddressCreateInput,
    ) -> Result<AddressCreatePayload> {
        let created = async {
            let user = optional_id("userId", input.user_id)?;
            let new = NewAddress {
                user_id: user.map_or_else(|| ctx.viewer().require_account(), Ok)?,
                fields: AddressFields {
                    recipient_name: input.recipient_name,
                    company: input.company,
                    phone: input.phone,
                    country: input.country_code.0.as_str().to_owned(),
                    subdivision: input.subdivision_code,
                    city: input.city,
                    district: input.district,
                    address: input.address,
                    postal_code: input.postal_code,
                },
                is_default: input.is_default,
            };
            addresses::create_address(ctx.db(), ctx.viewer(), new).await
        };
        AddressCreatePayload::of(created.await.map(address))
    }

    /// Updates an address of the viewer or, with `MANAGE_USERS`, of a user who holds no permission that the viewer lacks.
    /// Requires login.
    #[graphql(guard = "LoginGuard")]
    async fn address_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Address and the fields to change.")] input: AddressUpdateInput,
    ) -> Result<AddressUpdatePayload> {
        let updated = async {
            let id = AddressId::parse("id", &input.id)?;
            let patch = AddressPatch {
                recipient_name: input.recipient_name.into(),
                company: input.company.into(),
                phone: input.phone.into(),
                country: patch::required("countryCode", input.country_code)?.map(|code| code.0.as_str().to_owned()),
                subdivision: input.subdivision_code.into(),
                city: patch::required("city", input.city)?,
                district: input.district.into(),
                address: patch::required("address", input.address)?,
                postal_code: input.postal_code.into(),
                is_default: patch::required("isDefault", input.is_default)?,
            };
            addresses::update_address(ctx.db(), ctx.viewer(), id, patch).await
        };
        AddressUpdatePayload::of(updated.await.map(address))
    }

    /// Deletes an address of the viewer or, with `MANAGE_USERS`, of a user who holds no permission that the viewer lacks.
    /// Existing orders keep their copy. Requires login.
    #[graphql(guard = "LoginGuard")]
    async fn address_delete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Address to delete.")] input: AddressDeleteInput,
    ) -> Result<AddressDeletePayload> {
        let deleted = async {
            let id = AddressId::parse("id", &input.id)?;
            addresses::delete_address(ctx.db(), ctx.viewer(), id).await?;
            Ok(input.id.clone())
        };
        AddressDeletePayload::of(deleted.await)
    }
}
