//! `#[object]`: declares a GraphQL object from the methods of an `impl` block.
//!
//! Rule: the method is the only declaration of a field. Its doc comment is the field's description, its signature
//! determines the field's type and arguments, and `async` determines how it is resolved.

mod attributes;
mod expand;
mod field;

use proc_macro::TokenStream;
use syn::{ItemImpl, parse_macro_input};

/// Declares a GraphQL object: each method of the `impl` block is a field.
///
/// - `fn`: the value is available and contains nothing that has to be loaded; the field is resolved without a future.
/// - `async fn`: all other fields. With `#[graphql(eager)]` the future is first polled once in place, for values that
///   are almost always in memory. If it is not ready, the resolver is started again, so it must not write.
/// - The first parameter may be `ctx: &Context<'_>`; the others are arguments, described by `#[graphql(desc = "…")]`
///   with an optional `default`, `default = …` or `default_with = "…"`. A parameter of type `ListArgs<…>` declares all
///   arguments of a list and gives the field the complexity of a list.
/// - `#[graphql(name = "…", guard = "…", complexity = "…")]` on a method works as in async-graphql, but a field with a
///   guard is always nullable: a field that is rejected does not null its siblings. The complexity of a list may use
///   `first` and `last`.
/// - `#[object(name = "…")]` sets the type name, which defaults to the name of the Rust type; `#[object(name_type)]`
///   uses the type's `TypeName`, for generic types.
#[proc_macro_attribute]
pub fn object(args: TokenStream, item: TokenStream) -> TokenStream {
    let args = parse_macro_input!(args as attributes::ObjectArgs);
    let item = parse_macro_input!(item as ItemImpl);
    expand::object(args, item).unwrap_or_else(syn::Error::into_compile_error).into()
}
