//! Parses the attributes that `#[object]` uses: its own arguments, `#[graphql(…)]` and doc comments.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{
    Attribute, Expr, ExprLit, Ident, Lit, LitStr, Meta, Result, Token,
    parse::{Parse, ParseStream},
};

/// The arguments of `#[object]`.
#[derive(Default)]
pub struct ObjectArgs {
    /// Name of the GraphQL type, if it differs from the Rust type.
    pub name: Option<Expr>,
    /// Whether the name comes from the type's `TypeName`.
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

/// The `#[graphql(…)]` options of a method or parameter.
#[derive(Default)]
pub struct Options {
    /// Name in the schema.
    pub name: Option<LitStr>,
    /// Description of an argument.
    pub desc: Option<LitStr>,
    /// Guard of a field.
    pub guard: Option<Expr>,
    /// Whether an `async` field is polled once in place before it gets its own future.
    pub eager: bool,
    /// Complexity of a field.
    pub complexity: Option<Expr>,
    /// Default of an argument, as an expression of its type.
    pub default: Option<TokenStream>,
}

/// Removes `#[graphql(…)]` attributes and parses them.
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

/// Returns the doc comment as an expression: `Some("…")` or `None`.
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

/// Returns an optional text as an expression.
pub fn option_expr(text: Option<String>) -> TokenStream {
    match text {
        Some(text) => quote!(::std::option::Option::Some(#text)),
        None => quote!(::std::option::Option::None),
    }
}
