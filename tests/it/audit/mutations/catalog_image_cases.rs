//! The audit log entries of the mutations of brand logos and category images.

use crate::support::domain_fixtures::AuditCase as Case;

pub const CATALOG_IMAGE_CASES: &[Case] = &[
    Case(
        "categoryImageSet",
        r#"{"categoryId": "CATEGORY", "url": "IMAGE_URL"}"#,
        &[r#"CREATED IMAGE - null {"alt":"","position":1,"source_url":"IMAGE_URL","category_id":"CATEGORY"}"#],
    ),
    Case(
        "categoryImageDelete",
        r#"{"categoryId": "CATEGORY"}"#,
        &[r#"DELETED IMAGE - {"alt":"","position":1,"source_url":"IMAGE_URL","category_id":"CATEGORY"} null"#],
    ),
    Case(
        "brandLogoSet",
        r#"{"brandId": "BRAND", "url": "IMAGE_URL", "alt": "A knot"}"#,
        &[r#"CREATED IMAGE - null {"alt":"A knot","brand_id":"BRAND","position":1,"source_url":"IMAGE_URL"}"#],
    ),
    Case(
        "brandLogoDelete",
        r#"{"brandId": "BRAND"}"#,
        &[r#"DELETED IMAGE - {"alt":"A knot","brand_id":"BRAND","position":1,"source_url":"IMAGE_URL"} null"#],
    ),
];
