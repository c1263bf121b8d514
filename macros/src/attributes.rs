//! The attributes that `#[object]` reads: its own arguments, `#[graphql(…)]` and doc comments.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{
    Attribute, Expr, ExprLit, Ident, Lit, LitStr, Meta, Result, Token,
    parse::{Parse, ParseStream},
};

/// The arguments of `#[object]`.
#[derive(Default)]
pub struct ObjectArgs {
    /// The name of the GraphQL type, where it differs from the Rust type's.
    pub name: Option<Expr>,
    /// Whether the type's `TypeName` says its name.
    pub name_type: bool,
}

impl Parse for ObjectArgs {
    fn parse(input: ParseStream) -> Result<Self> {
        let mut args = Self::default();
        while !input.is_empty() {
            let key: Ident = input.parse()?;
            match key.to_string().as_str() {
                "name" => {
                    input.parse::<Token![=]>()?;
                    args.name = Some(input.parse()?);
                }
                "name_type" => args.name_type = true,
                _ => return Err(syn::Error::new(key.span(), "expected `name = \"…\"` or `name_type`")),
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(args)
    }
}

/// What `#[graphql(…)]` says of a method or a parameter.
#[derive(Default)]
pub struct Options {
    /// The name in the schema.
    pub name: Option<LitStr>,
    /// An argument's description.
    pub desc: Option<LitStr>,
    /// The guard of a field.
    pub guard: Option<Expr>,
    /// Whether an `async` field is polled once in place before it gets a future of its own.
    pub eager: bool,
    /// The complexity of a field.
    pub complexity: Option<Expr>,
    /// The default of an argument, as an expression of its type.
    pub default: Option<TokenStream>,
}

/// Takes `#[graphql(…)]` off and reads it.
pub fn take_options(attributes: &mut Vec<Attribute>) -> Result<Options> {
    let mut options = Options::default();
    for attribute in attributes.extract_if(.., |attribute| attribute.path().is_ident("graphql")) {
        attribute.parse_nested_meta(|meta| {
            let key = meta.path.require_ident()?.to_string();
            match key.as_str() {
                "name" => options.name = Some(meta.value()?.parse()?),
                "desc" => options.desc = Some(meta.value()?.parse()?),
                "eager" => options.eager = true,
                "guard" => options.guard = Some(meta.value()?.parse::<LitStr>()?.parse()?),
                "complexity" => {
                    let literal: Lit = meta.value()?.parse()?;
                    options.complexity = Some(match literal {
                        Lit::Str(text) => text.parse()?,
                        other => Expr::Lit(ExprLit { attrs: Vec::new(), lit: other }),
                    });
                }
                "default_with" => {
                    let expression: Expr = meta.value()?.parse::<LitStr>()?.parse()?;
                    options.default = Some(quote!(#expression));
                }
                "default" if meta.input.peek(Token![=]) => {
                    let literal: Lit = meta.value()?.parse()?;
                    options.default = Some(quote!(::std::convert::From::from(#literal)));
                }
                "default" => options.default = Some(quote!(::std::default::Default::default())),
                _ => return Err(meta.error("unknown option")),
            }
            Ok(())
        })?;
    }
    Ok(options)
}

/// The doc comment as a description: `Some("…")` or `None`.
pub fn description(attributes: &[Attribute]) -> TokenStream {
    let lines = attributes.iter().filter_map(|attribute| match &attribute.meta {
        Meta::NameValue(meta) if meta.path.is_ident("doc") => match &meta.value {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value().trim().to_owned()),
            _ => None,
        },
        _ => None,
    });
    let text = lines.collect::<Vec<_>>().join("\n").trim().to_owned();
    option_expr((!text.is_empty()).then_some(text))
}

/// An optional text as an expression.
pub fn option_expr(text: Option<String>) -> TokenStream {
    match text {
        Some(text) => quote!(::std::option::Option::Some(#text)),
        None => quote!(::std::option::Option::None),
    }
}
