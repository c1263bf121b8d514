//! Columns of the product export.
//! Rule: the columns are those that a product import reads.

use crate::{
    auth::Permission,
    db::export::{Export, columns},
};

/// Export of products.
pub const PRODUCTS: Export = Export {
    permission: Permission::ManageProducts,
    has_website: true,
    is_importable: true,
    with: "WITH category_paths AS MATERIALIZED (
        SELECT c.id, json_agg(a.name ORDER BY cardinality(a.path)) AS names
        FROM categories c JOIN categories a ON a.id = ANY (c.path) GROUP BY c.id)",
    table: "products p",
    joins: "LEFT JOIN sources s ON s.resource_type = 'Product' AND s.resource_id = p.id AND s.website_id = p.source_website_id
        LEFT JOIN category_paths c ON c.id = p.category_id
        LEFT JOIN brands b ON b.id = p.brand_id
        LEFT JOIN suppliers u ON u.id = p.supplier_id
        LEFT JOIN product_groups g ON g.id = p.group_id",
    filter: "p.source_website_id = ANY ($1)",
    order: "p.id",
    columns: columns! {
        external_id: Text = "s.external_id",
        sku: Text = "p.sku",
        name: Text = "p.name",
        slug: Text = "p.slug",
        barcode: Text = "p.barcode",
        variant: Text = "p.variant",
        description: Text = "p.description",
        price: Decimal = "p.price",
        compare_at_price: Decimal = "p.compare_at_price",
        cost_price: Decimal = "p.cost_price",
        category: Path = "c.names",
        brand: Text = "b.name",
        supplier: Text = "u.name",
        supplier_sku: Text = "p.supplier_sku",
        group: Text = "g.slug",
        group_name: Text = "g.name",
        options: Pairs = "json_object(g.varies_by, p.option_values)",
        low_stock_threshold: Integer = "p.low_stock_threshold",
        inventory_policy: Text = "p.inventory_policy",
        backorders: Text = "p.backorders",
        stock: Integer = "p.stock",
        is_active: Bool = "p.is_active",
        tags: List = "to_json(p.tags)",
        weight: Decimal = "trim_scale(p.weight)",
        weight_unit: Text = "p.weight_unit",
        seo_title: Text = "p.seo_title",
        seo_description: Text = "p.seo_description",
        images: Images = "SELECT json_agg(json_build_object('url', coalesce(i.source_url,
                '/media/' || m.sha256 || '/' || m.widths[cardinality(m.widths)] || '.jpg'), 'alt', i.alt) ORDER BY i.position, i.id)
             FROM images i LEFT JOIN media m ON m.id = i.media_id WHERE i.product_id = p.id",
    },
};
