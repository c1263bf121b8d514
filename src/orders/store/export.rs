//! The columns of the order export.
//! Rule: the export writes the columns that the import reads.

use crate::{
    auth::Permission,
    db::export::{Export, columns, utc_timestamp},
};

/// The export of orders.
pub const ORDERS: Export = Export {
    permission: Permission::ManageOrders,
    has_website: true,
    is_importable: true,
    with: "",
    table: "orders o",
    joins:
        "JOIN (SELECT id, currency_digits(currency) AS digits FROM websites) w ON w.id = o.source_website_id
        LEFT JOIN users u ON u.id = o.user_id AND ($2 IS NULL OR u.source_website_id = ANY ($2))
        LEFT JOIN sources s ON s.resource_type = 'User' AND s.resource_id = u.id AND s.website_id = o.source_website_id",
    filter: "o.source_website_id = ANY ($1)",
    order: "o.id",
    columns: columns! {
        number: Text = "o.order_number",
        status: Text = "o.status",
        customer_id: Text = "s.external_id",
        customer_email: Text = "coalesce(u.email, u.imported_email, o.contact_email)",
        placed_at: Text = utc_timestamp!("o.placed_at"),
        total: Decimal = "round(o.total_amount, w.digits)",
        ship_recipient_name: Text = "o.ship_recipient_name",
        ship_company: Text = "o.ship_company",
        ship_phone: Text = "o.ship_phone",
        ship_country: Text = "o.ship_country",
        ship_subdivision: Text = "o.ship_subdivision",
        ship_city: Text = "o.ship_city",
        ship_district: Text = "o.ship_district",
        ship_address: Text = "o.ship_address",
        ship_postal_code: Text = "o.ship_postal_code",
        billing_address: Json = "o.billing_address",
        lines: Json = "SELECT json_agg(json_build_object('sku', d.sku, 'name', d.name, 'quantity', d.quantity,
                'unit_price', round(d.unit_price, w.digits)::text, 'external_key', d.external_key) ORDER BY d.id)
             FROM order_details d WHERE d.order_id = o.id",
    },
};
