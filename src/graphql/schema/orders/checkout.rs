//! GraphQL types and resolver of the `checkout` mutation.

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
            orders::{CheckoutAddressInput, Order, order},
        },
    },
    ids::{CartId, RowId},
    orders::actions::{self, Billing, CheckoutRequest, ContactRequest, Destination},
};

/// Contact person in `CheckoutInput`.
#[derive(Debug, InputObject)]
pub struct CheckoutContactInput {
    /// Full name, 1 to 255 characters. Must not contain a URL.
    name: String,
    /// Email address; the order confirmation is sent there.
    email: String,
    /// Phone number with country code, such as +49 40 123456.
    phone: Option<String>,
}

/// Input for `checkout`.
#[derive(Debug, InputObject)]
pub struct CheckoutInput {
    /// ID of the cart to check out.
    cart_id: ID,
    /// ID of one of the viewer's saved addresses to ship to. If neither `addressId` nor `address` is given, the
    /// viewer's default address is used.
    address_id: Option<ID>,
    /// Shipping address that is stored on the orders only. Cannot be combined with `addressId`. Required for guests.
    address: Option<CheckoutAddressInput>,
    /// ID of one of the viewer's saved addresses to bill to. If neither `billingAddressId` nor `billingAddress` is
    /// given, the orders are billed to the shipping address.
    billing_address_id: Option<ID>,
    /// Billing address that is stored on the orders only. Cannot be combined with `billingAddressId`.
    billing_address: Option<CheckoutAddressInput>,
    /// Contact person for the orders. Defaults to the name, email address and phone number of the viewer's account.
    /// Required for guests.
    contact: Option<CheckoutContactInput>,
    /// Note from the customer to the shop, at most 1,000 characters.
    note: Option<String>,
    /// Cart total that was shown to the customer (`cart { total }`). If the total has changed, nothing is ordered and
    /// the error code is `PRICE_CHANGED`. If omitted, the current prices must equal those at which the items were added
    /// to the cart.
    expected_total: Option<Decimal>,
    /// Key chosen by the client, 1 to 200 characters, such as a UUID. Repeating a request with the same key returns the
    /// first result; with other input it fails with IDEMPOTENCY_MISMATCH.
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
            (None, Some(new)) => Destination::New(Box::new(new.into())),
            (None, None) => Destination::Default,
        };
        let billing = match (optional_id("billingAddressId", self.billing_address_id)?, self.billing_address) {
            (Some(_), Some(_)) => {
                let rule = "give either `billingAddressId` or `billingAddress`, not both";
                return Err(Error::user(UserErrorCode::Invalid, "billingAddress", rule));
            }
            (Some(id), None) => Some(Billing::Saved(id)),
            (None, Some(new)) => Some(Billing::New(Box::new(new.into()))),
            (None, None) => None,
        };
        let contact =
            self.contact.map(|CheckoutContactInput { name, email, phone }| ContactRequest { name, email, phone });
        let request = CheckoutRequest {
            cart: CartId::parse("cartId", &self.cart_id)?,
            destination,
            billing,
            contact,
            note: self.note,
            expected_total: self.expected_total.map(|total| total.0),
        };
        Ok((request, self.idempotency_key))
    }
}

payload_object! {
    /// Result of `checkout`.
    CheckoutPayload {
        /// Orders that were placed, one for each website. Empty if there are user errors.
        orders: Vec<Order>,
        /// Validation and business-rule errors; empty on success.
        user_errors: Vec<UserError>,
    }
}

/// Mutation root for checkout.
#[derive(Default)]
pub struct CheckoutMutation;

#[object]
impl CheckoutMutation {
    /// Places orders for all items of a cart, one order for each website. Either all orders are placed or none; stock
    /// is deducted and the cart is emptied. The cart must belong to the viewer, or to the cart token for guests. In
    /// user errors, `lines.<n>` refers to line n of the cart.
    async fn checkout(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Cart, addresses, contact and expected total.")] input: CheckoutInput,
    ) -> Result<CheckoutPayload> {
        let done = async {
            let (request, key) = input.into_request()?;
            actions::checkout(ctx.db(), ctx.viewer(), &ctx.shopper(), request, key).await
        };
        let (orders, user_errors) = split_user_errors(done.await)?;
        let orders = orders.unwrap_or_default().into_iter().map(order).collect();
        Ok(CheckoutPayload { orders, user_errors })
    }
}
