//! The audit log entries of mutations of websites.

use crate::support::domain_fixtures::AuditCase as Case;

pub const WEBSITE_CASES: &[Case] = &[
    Case(
        "websiteCreate",
        r#"{"code": "oar", "name": "Oar", "baseUrl": "https://oar.example", "currency": "SEK"}"#,
        &[
            r#"CREATED WEBSITE oar null {"code":"oar","name":"Oar","base_url":"https://oar.example","currency":"SEK","language":"en"}"#,
        ],
    ),
    Case(
        "websiteUpdate",
        r#"{"id": "WEBSITE", "name": "Seaman"}"#,
        &[r#"UPDATED WEBSITE sailor {"name":"Shop sailor"} {"name":"Seaman"}"#],
    ),
    Case(
        "websiteDelete",
        r#"{"id": "EMPTY_WEBSITE"}"#,
        &[
            r#"DELETED WEBSITE - {"code":"empty","name":"Shop empty","base_url":"https://empty.example","currency":"EUR","language":"en"} null"#,
        ],
    ),
];
