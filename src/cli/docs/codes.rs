//! The pages of error codes and permissions.

use super::cell;
use crate::{error::ErrorCode, graphql::enum_values};

const ERRORS: &str = "\
# Error codes

A response has two kinds of errors. What the user of a form can correct is in `userErrors` of the mutation's payload, with a `code`, a
`message` and the `field`. Everything else is in `errors` of the response, with the code in `extensions.code` and the id of the
request in `extensions.requestId`; the server's log has the same id.
";

/// The page of error codes.
pub fn errors() -> String {
    let mut text = format!("{ERRORS}\n## Top-level errors\n\n| `extensions.code` | meaning |\n|---|---|\n");
    for code in ErrorCode::ALL {
        text += &format!("| `{}` | {} |\n", code.as_str(), cell(code.description()));
    }
    text + "\n## User errors\n\nThe values of `UserErrorCode`.\n\n" + &values("UserErrorCode", "code")
}

/// The page of permissions.
pub fn permissions() -> String {
    let intro = "A role is a set of permissions. The descriptions of fields name the permission that they require.";
    format!("# Permissions\n\n{intro}\n\n{}", values("Permission", "permission"))
}

fn values(name: &str, column: &str) -> String {
    let mut text = format!("| {column} | meaning |\n|---|---|\n");
    for (value, description) in enum_values(name) {
        text += &format!("| `{value}` | {} |\n", cell(&description));
    }
    text
}
