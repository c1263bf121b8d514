//! The rows that the tests of filters look for.

use crate::support::{TestApp, bulk::BASE};

/// Inserts rows for every operator, some of them with nulls. In the cases below, rows are named by the last character
/// of the field that each list selects.
pub async fn shop(app: &TestApp) {
    let script = "
        INSERT INTO websites (id, code, name, base_url, currency) VALUES
            (BASE + 1, 'sailor', 'Sailor', 'https://sailor.example', 'EUR'),
            (BASE + 2, 'miner', 'Miner', 'https://miner.example', 'EUR');
        INSERT INTO users (id, name, email, role_id, source_website_id, is_active, created_at) VALUES
            (BASE + 1, 'Ada', 'Ada@Souk.example', 4, BASE + 1, true, '2026-01-01'),
            (BASE + 2, 'Bo', NULL, 4, NULL, true, '2026-01-02'),
            (BASE + 3, 'Cem', 'cem_100%@souk.example', 3, BASE + 2, false, '2026-01-03');
        INSERT INTO categories (id, parent_id, name, slug) VALUES (BASE + 1, NULL, 'Light', 'light');
        INSERT INTO categories (id, parent_id, name, slug) VALUES (BASE + 2, BASE + 1, 'Lamps', 'lamps');
        INSERT INTO brands (id, name, slug) VALUES (BASE + 1, 'Acme', 'acme'), (BASE + 2, '50%_Off', 'off');
        INSERT INTO suppliers (id, name) VALUES (BASE + 1, 'Depot'), (BASE + 2, 'O''Neill');
        INSERT INTO products (id, sku, name, slug, source_website_id, category_id, brand_id, supplier_id, seller_id,
                              barcode, price, is_active, created_at) VALUES
            (BASE + 1, 'a', 'Red Lantern', 'a', BASE + 1, BASE + 1, BASE + 1, BASE + 1, BASE + 3, '111', 5, true, '2026-01-01'),
            (BASE + 2, 'b', '50% off_Lamp', 'b', BASE + 1, BASE + 2, BASE + 2, NULL, NULL, '222', 10, true, '2026-01-02'),
            (BASE + 3, 'c', 'C:\\Temp \"x\" it''s', 'c', BASE + 2, NULL, NULL, BASE + 2, NULL, NULL, 10.5, true, '2026-01-03'),
            (BASE + 4, 'd', 'Über RED 50 offXLamp', 'd', BASE + 2, NULL, NULL, NULL, NULL, NULL, 99999999.99, false, '2026-01-04');
        INSERT INTO stock_movements (product_id, reason, delta) VALUES (BASE + 1, 'opening', 3), (BASE + 2, 'opening', 7);
        INSERT INTO media (id, sha256, format, width, height, bytes, blurhash, widths)
            VALUES (BASE + 1, repeat('a', 64), 'jpeg', 640, 480, 1000, 'LEHV6nWB2yk8', ARRAY[160, 320, 640]);
        INSERT INTO images (product_id, media_id, source_url, position) VALUES
            (BASE + 1, BASE + 1, NULL, 1), (BASE + 2, NULL, 'https://pictures.example/2.jpg', 1);
        INSERT INTO orders (id, source_website_id, order_number, user_id, contact_email, contact_name,
                            ship_country, status, placed_at) VALUES
            (BASE + 1, BASE + 1, 'S-1', BASE + 1, 'ada@souk.example', 'Ada Lovelace', 'DE', 'pending', '2026-01-01'),
            (BASE + 2, BASE + 1, 'S-2', NULL, NULL, NULL, NULL, 'shipped', '2026-01-02'),
            (BASE + 3, BASE + 2, 'M_3', BASE + 2, 'Mo_100%@souk.example', 'Mo', 'GB', 'cancelled', '2026-01-03');
        INSERT INTO payments (order_id, provider, method, amount, currency) VALUES (BASE + 1, 'test', 'card', 10, 'EUR');
        INSERT INTO order_details (order_id, product_id, name, sku, quantity, unit_price) VALUES
            (BASE + 1, BASE + 1, 'Red', 'a', 2, 5), (BASE + 3, BASE + 2, 'Off', 'b', 1, 10.50);";
    app.bulk_insert(&script.replace("BASE", &BASE.to_string())).await;
}
