//! The audit log entries of the mutations of brand logos and category images.

use crate::support::domain_fixtures::AuditCase as Case;

pub const CATALOG_IMAGE_CASES: &[Case] = &[
    Case(
        "categoryImageSet",
        r#"{"categoryId": "CATEGORY", "url": "https://pictures.example/cords.jpg"}"#,
        &[
            r#"CREATED IMAGE - null {"alt":"","position":1,"source_url":"https://pictures.example/cords.jpg","category_id":"CATEGORY"}"#,
        ],
    ),
    Case(
        "categoryImageDelete",
        r#"{"categoryId": "CATEGORY"}"#,
        &[
            r#"DELETED IMAGE - {"alt":"","position":1,"source_url":"https://pictures.example/cords.jpg","category_id":"CATEGORY"} null"#,
        ],
    ),
    Case(
        "brandLogoSet",
        r#"{"brandId": "BRAND", "url": "https://pictures.example/knot.jpg", "alt": "A knot"}"#,
        &[
            r#"CREATED IMAGE - null {"alt":"A knot","brand_id":"BRAND","position":1,"source_url":"https://pictures.example/knot.jpg"}"#,
        ],
    ),
    Case(
        "brandLogoDelete",
        r#"{"brandId": "BRAND"}"#,
        &[
            r#"DELETED IMAGE - {"alt":"A knot","brand_id":"BRAND","position":1,"source_url":"https://pictures.example/knot.jpg"} null"#,
        ],
    ),
];
