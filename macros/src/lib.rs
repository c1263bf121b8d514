//! `#[object]`: declares a GraphQL object from the methods of an `impl` block.
//!
//! The one rule: a method is the only place where a field is declared. Its doc comment is the field's description, its
//! signature the field's type and arguments, and whether it is `async` says how it is resolved.

mod attributes;
mod expand;
mod field;

use proc_macro::TokenStream;
use syn::{ItemImpl, parse_macro_input};

/// Declares a GraphQL object: each method of the `impl` block is a field.
///
/// - `fn`: the value is at hand and holds nothing that has to be loaded; the field is resolved without a future.
/// - `async fn`: everything else. With `#[graphql(eager)]` it is polled once in place, for values that are nearly always
///   in memory; a resolver that has to wait after all is started again, so it must not write.
/// - The first parameter may be `ctx: &Context<'_>`; the others are arguments, described by `#[graphql(desc = "…")]`
///   with an optional `default`, `default = …` or `default_with = "…"`. A parameter of the type `ListArgs<…>` stands for
///   all arguments of a list, and gives the field the cost of a list.
/// - `#[graphql(name = "…", guard = "…", complexity = "…")]` on a method as in async-graphql.
/// - `#[object(name = "…")]` names the type, which otherwise has the name of the Rust type; `#[object(name_type)]` takes
///   the name from its `TypeName`, for generic types.
#[proc_macro_attribute]
pub fn object(args: TokenStream, item: TokenStream) -> TokenStream {
    let args = parse_macro_input!(args as attributes::ObjectArgs);
    let item = parse_macro_input!(item as ItemImpl);
    expand::object(args, item).unwrap_or_else(syn::Error::into_compile_error).into()
}
