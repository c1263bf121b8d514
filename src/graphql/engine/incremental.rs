//! `@defer` and `@stream`, which are not supported.
//! Rule: a document with one of them is rejected with the reason, before validation calls the directive unknown.

use async_graphql::{
    Positioned, ServerError,
    parser::types::{Directive, ExecutableDocument, Selection, SelectionSet},
};

use super::errors::coded;
use crate::error::ErrorCode;

/// Directives of incremental delivery.
const DIRECTIVES: [&str; 2] = ["defer", "stream"];

/// Rejects documents that ask for incremental delivery.
/// # Errors
/// BAD_USER_INPUT, with the location of the directive.
pub fn check(text: &str, document: &ExecutableDocument) -> Result<(), ServerError> {
    if !DIRECTIVES.iter().any(|name| text.contains(name)) {
        return Ok(());
    }
    let operations = document.operations.iter().map(|(_, operation)| &operation.node.selection_set.node);
    let fragments = document.fragments.values().map(|fragment| &fragment.node.selection_set.node);
    operations.chain(fragments).try_for_each(check_set)
}

fn check_set(set: &SelectionSet) -> Result<(), ServerError> {
    set.items.iter().try_for_each(|item| match &item.node {
        Selection::Field(field) => {
            check_directives(&field.node.directives)?;
            check_set(&field.node.selection_set.node)
        }
        Selection::InlineFragment(fragment) => {
            check_directives(&fragment.node.directives)?;
            check_set(&fragment.node.selection_set.node)
        }
        Selection::FragmentSpread(spread) => check_directives(&spread.node.directives),
    })
}

fn check_directives(directives: &[Positioned<Directive>]) -> Result<(), ServerError> {
    match directives.iter().find(|directive| DIRECTIVES.contains(&directive.node.name.node.as_str())) {
        None => Ok(()),
        Some(directive) => {
            let name = &directive.node.name.node;
            let message =
                format!("@{name} is not supported: this server sends each response as a whole. Remove the directive.");
            Err(ServerError { locations: vec![directive.pos], ..coded(ErrorCode::BadUserInput, message) })
        }
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;

    use super::*;

    fn error(text: &str) -> Option<String> {
        check(text, &parse_query(text).unwrap())
            .err()
            .map(|error| format!("{} {}", error.message, error.locations[0].column))
    }

    #[test]
    fn documents_with_incremental_delivery_are_rejected() {
        for text in [
            "{ ...f @defer } fragment f on Q { a }",
            "{ a { ... @defer { b } } }",
            "{ a @stream(initialCount: 1) { b } }",
        ] {
            let message = error(text).unwrap();
            assert!(message.contains("is not supported"), "{text}: {message}");
        }
        assert!(error("fragment f on Q { a @stream } { ...f }").unwrap().ends_with(" 21"));
        for text in ["{ deferred stream }", "{ a(text: \"@defer\") }", "{ a @skip(if: true) }"] {
            assert_eq!(error(text), None, "{text}");
        }
    }
}
