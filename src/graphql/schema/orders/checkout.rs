//! `checkout` in the graph.

use async_graphql::{Context, ID, InputObject};
use souk_macros::object;

use crate::{
    error::{Error, Result, UserErrorCode},
    graphql::{
        engine::{
            payload::{UserError, payload_object, split_user_errors},
            scalars::{Decimal, optional_id},
        },
        schema::{
            context::ContextExt,
            orders::{Order, order},
        },
    },
    ids::{CartId, RowId},
    orders::actions::{self, CheckoutRequest, ContactRequest, Destination},
    users::model::AddressPatch,
};

/// Where orders go.
#[derive(Debug, InputObject)]
pub struct CheckoutAddressInput {
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
}

/// Whom to ask about orders.
#[derive(Debug, InputObject)]
pub struct CheckoutContactInput {
    /// Name, 1 to 255 characters.
    name: String,
    /// E-mail address: the confirmation goes there.
    email: String,
    /// Phone number with the country's code, such as +49 40 123456.
    phone: Option<String>,
}

/// A cart to be bought.
#[derive(Debug, InputObject)]
pub struct CheckoutInput {
    /// Which cart.
    cart_id: ID,
    /// Where the orders go: one of your addresses. Your default address where neither this nor `address` is given.
    address_id: Option<ID>,
    /// Where the orders go: an address that is kept on them alone. Not together with `addressId`; guests give it.
    address: Option<CheckoutAddressInput>,
    /// Whom to ask about the orders; what your account says where absent. Guests give it.
    contact: Option<CheckoutContactInput>,
    /// What you write to the shop, at most 1,000 characters.
    note: Option<String>,
    /// The total that you were shown, `cart { total }`: where it is another by now nothing happens, and the answer is
    /// PRICE_CHANGED. Where absent the prices must be those at which the lines were added.
    expected_total: Option<Decimal>,
    /// Makes sending it again safe: the same key with the same input answers the same orders. 1 to 200 characters, for
    /// example a UUID that the checkout page made.
    idempotency_key: String,
}

impl CheckoutInput {
    fn into_request(self) -> Result<(CheckoutRequest, String)> {
        let destination = match (optional_id("addressId", self.address_id)?, self.address) {
            (Some(_), Some(_)) => {
                let rule = "give either `addressId` or `address`, not both";
                return Err(Error::user(UserErrorCode::Invalid, "address", rule));
            }
            (Some(id), None) => Destination::Saved(id),
            (None, Some(new)) => Destination::New(AddressPatch {
                country: Some(new.country),
                city: Some(new.city),
                district: Some(new.district),
                address: Some(new.address),
                postal_code: Some(new.postal_code),
                is_default: None,
            }),
            (None, None) => Destination::Default,
        };
        let contact =
            self.contact.map(|CheckoutContactInput { name, email, phone }| ContactRequest { name, email, phone });
        let request = CheckoutRequest {
            cart: CartId::parse("cartId", &self.cart_id)?,
            destination,
            contact,
            note: self.note,
            expected_total: self.expected_total.map(|total| total.0),
        };
        Ok((request, self.idempotency_key))
    }
}

payload_object! {
    /// The answer of `checkout`.
    CheckoutPayload {
        /// The orders, one for each website; those that were made with the same key before. Empty where nothing was done.
        orders: Vec<Order>,
        /// The rules that the input broke; empty where it was done.
        user_errors: Vec<UserError>,
    }
}

/// `checkout`.
#[derive(Default)]
pub struct CheckoutMutation;

#[object]
impl CheckoutMutation {
    /// Buys what is in a cart of yours: makes one order for each website, all or none, takes the stock and empties the cart.
    /// Errors of `lines.<n>` are those of the line of the cart.
    async fn checkout(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The cart, and all that the orders need.")] input: CheckoutInput,
    ) -> Result<CheckoutPayload> {
        let done = async {
            let (request, key) = input.into_request()?;
            actions::checkout(ctx.db(), ctx.viewer(), request, key).await
        };
        let (orders, user_errors) = split_user_errors(done.await)?;
        let orders = orders.unwrap_or_default().into_iter().map(order).collect();
        Ok(CheckoutPayload { orders, user_errors })
    }
}
