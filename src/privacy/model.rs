//! The JSON document of a user's personal data. Its field names follow the GraphQL schema.

use serde_json::{Value, json};

use crate::{
    access::model::{SessionRow, keys::ApiKey},
    audit::model::AuditRow,
    ids::RowId,
    money::Currency,
    orders::model::{
        OrderAddress, OrderDetailRow, OrderEventRow, OrderRow, ReturnLineRow, ReturnRow, ShipmentLineRow, ShipmentRow,
    },
    payments::model::PaymentRow,
    sources::model::SourceRow,
    users::model::{AddressRow, UserRow},
};

/// Returns the account as JSON.
pub fn user(row: &UserRow, role: &str) -> Value {
    json!({
        "id": row.id.to_global_id(),
        "name": row.name,
        "email": row.shown_email(),
        "emailVerifiedAt": row.email_verified_at,
        "phone": row.phone,
        "role": role,
        "sourceWebsiteId": row.source_website_id.map(RowId::to_global_id),
        "isActive": row.is_active,
        "createdAt": row.created_at,
        "updatedAt": row.updated_at,
    })
}

/// Returns a postal address as JSON.
pub fn address(row: &AddressRow) -> Value {
    json!({
        "id": row.id.to_global_id(),
        "recipientName": row.fields.recipient_name,
        "company": row.fields.company,
        "phone": row.fields.phone,
        "countryCode": row.fields.country,
        "subdivisionCode": row.fields.subdivision,
        "city": row.fields.city,
        "district": row.fields.district,
        "address": row.fields.address,
        "postalCode": row.fields.postal_code,
        "isDefault": row.is_default,
        "createdAt": row.created_at,
        "updatedAt": row.updated_at,
    })
}

/// Returns the user's identity on a website as JSON.
pub fn identity(row: &SourceRow) -> Value {
    json!({
        "websiteId": row.website_id.to_global_id(),
        "externalId": row.external_id,
        "firstSeen": row.first_seen,
        "lastSeen": row.last_seen,
    })
}

/// Returns a session as JSON.
pub fn session(row: &SessionRow) -> Value {
    json!({
        "id": row.id.to_global_id(),
        "device": row.device,
        "address": row.address,
        "createdAt": row.created_at,
        "lastUsedAt": row.last_used_at,
        "expiresAt": row.expires_at,
        "endedAt": row.ended_at,
    })
}

/// Returns an API key as JSON.
pub fn api_key(key: &ApiKey) -> Value {
    json!({
        "id": key.row.id.to_global_id(),
        "name": key.row.name,
        "prefix": key.row.prefix,
        "permissions": key.permissions.iter().map(|permission| permission.as_str()).collect::<Vec<_>>(),
        "websites": key.websites.iter().flat_map(|ids| ids.iter()).map(|id| id.to_global_id()).collect::<Vec<_>>(),
        "createdAt": key.row.created_at,
        "lastUsedAt": key.row.last_used_at,
        "expiresAt": key.row.expires_at,
    })
}

/// Returns an order with its lines as JSON. Its amounts are in the currency of its website.
pub fn order(row: &OrderRow, lines: &[OrderDetailRow], currency: Currency) -> Value {
    let lines = lines.iter().map(|line| {
        json!({
            "id": line.id.to_global_id(),
            "productId": line.product_id.to_global_id(),
            "name": line.name,
            "sku": line.sku,
            "quantity": line.quantity,
            "unitPrice": currency.format(line.unit_price),
            "totalPrice": currency.format(line.total_price),
        })
    });
    json!({
        "id": row.id.to_global_id(),
        "orderNumber": row.order_number,
        "sourceWebsiteId": row.source_website_id.to_global_id(),
        "status": row.status.as_str().to_uppercase(),
        "totalAmount": currency.format(row.total_amount),
        "shippingAddress": row.shipping_address().map(order_address),
        "billingAddress": row.billing_address().map(order_address),
        "contact": {
            "name": row.contact.contact_name,
            "email": row.contact.contact_email,
            "phone": row.contact.contact_phone,
        },
        "customerNote": row.customer_note,
        "placedAt": row.placed_at,
        "details": lines.collect::<Vec<_>>(),
    })
}

fn order_address(address: OrderAddress) -> Value {
    json!({
        "recipientName": address.recipient_name,
        "company": address.company,
        "phone": address.phone,
        "countryCode": address.country,
        "subdivisionCode": address.subdivision,
        "city": address.city,
        "district": address.district,
        "address": address.address,
        "postalCode": address.postal_code,
    })
}

/// Returns a payment as JSON.
pub fn payment(row: &PaymentRow) -> Value {
    let currency = row.currency();
    json!({
        "id": row.id.to_global_id(),
        "orderId": row.order_id.to_global_id(),
        "provider": row.provider.as_str().to_uppercase(),
        "method": row.method.as_str().to_uppercase(),
        "status": row.status.as_str().to_uppercase(),
        "amount": currency.format(row.amount),
        "currency": currency.as_str(),
        "capturedAmount": currency.format(row.captured_amount),
        "refundedAmount": currency.format(row.refunded_amount),
        "failure": row.failure,
        "createdAt": row.created_at,
    })
}

/// Returns a shipment as JSON.
pub fn shipment(row: &ShipmentRow, lines: &[ShipmentLineRow]) -> Value {
    let lines =
        lines.iter().map(|line| json!({ "detailId": line.order_detail_id.to_global_id(), "quantity": line.quantity }));
    json!({
        "id": row.id.to_global_id(),
        "carrier": row.tracking.carrier,
        "trackingNumber": row.tracking.tracking_number,
        "trackingUrl": row.tracking.tracking_url,
        "shippedAt": row.shipped_at,
        "deliveredAt": row.delivered_at,
        "lines": lines.collect::<Vec<_>>(),
    })
}

/// Returns a return as JSON.
pub fn order_return(row: &ReturnRow, lines: &[ReturnLineRow]) -> Value {
    let lines = lines.iter().map(
        |line| json!({ "detailId": line.order_detail_id.to_global_id(), "quantity": line.quantity, "reason": line.reason }),
    );
    json!({
        "id": row.id.to_global_id(),
        "status": row.status.as_str().to_uppercase(),
        "note": row.note,
        "rejection": row.rejection,
        "createdAt": row.created_at,
        "settledAt": row.settled_at,
        "lines": lines.collect::<Vec<_>>(),
    })
}

/// Returns a note on an order that is visible to the customer as JSON.
pub fn note(row: &OrderEventRow) -> Value {
    json!({ "at": row.at, "byUserId": row.user_id.map(RowId::to_global_id), "text": row.message })
}

/// Returns an audit log entry, a change by the user or to their account, as JSON.
pub fn audit_entry(row: &AuditRow) -> Value {
    json!({
        "id": row.id.to_global_id(),
        "at": row.at,
        "via": row.via.as_str().to_uppercase(),
        "address": row.address,
        "resourceId": row.resource_global_id(),
        "change": row.change.as_str().to_uppercase(),
        "before": row.before,
        "after": row.after,
    })
}
