//! Expands `#[object]`: the original `impl` block, and the trait implementations of a GraphQL object.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Error, ImplItem, ItemImpl, Result, Type};

use crate::{
    attributes::{ObjectArgs, description},
    field::Field,
};

/// Returns the block with the trait implementations.
pub fn object(args: ObjectArgs, mut item: ItemImpl) -> Result<TokenStream> {
    let mut fields = Vec::new();
    for part in &mut item.items {
        if let ImplItem::Fn(method) = part {
            fields.push(Field::parse(method)?);
        }
    }
    if fields.is_empty() {
        return Err(Error::new_spanned(&item.self_ty, "an object must have at least one field"));
    }
    let name = type_name(&args, &item.self_ty)?;
    let description = description(&item.attrs);
    let (generics, _, where_clause) = item.generics.split_for_impl();
    let target = &item.self_ty;
    let field_infos = fields.iter().map(Field::field_info);
    let names = fields.iter().map(|field| &field.name);
    let sync_arms = fields.iter().filter(|field| field.can_resolve_sync()).map(Field::sync_arm);
    let async_arms = fields.iter().map(Field::async_arm);
    Ok(quote! {
        #[allow(clippy::wrong_self_convention, reason = "the schema names the fields")]
        #item

        #[allow(unused_imports)]
        const _: () = {
            use ::souk::graphql::engine::objects::{
                self, FutureExt as _, Kind as _, ProbeLeaf as _, ProbeList as _, ProbeObject as _, ProbeOutput as _,
            };

            impl #generics objects::DynObject for #target #where_clause {
                fn name(&self) -> ::std::borrow::Cow<'static, str> {
                    #name
                }

                fn fields(&self) -> &'static [&'static str] {
                    &[#(#names),*]
                }

                #[allow(unused_variables, clippy::match_single_binding)]
                fn write_field(
                    &self,
                    context: &::async_graphql::ContextSelectionSet<'_>,
                    field: &::async_graphql::Positioned<::async_graphql::parser::types::Field>,
                    out: &mut objects::JsonText,
                ) -> ::std::option::Option<::async_graphql::ServerResult<()>> {
                    match field.node.name.node.as_str() {
                        #(#sync_arms)*
                        _ => ::std::option::Option::None,
                    }
                }

                fn resolve_async<'a>(&'a self, context: ::async_graphql::Context<'a>) -> objects::FieldFuture<'a> {
                    match context.item.node.name.node.as_str() {
                        #(#async_arms)*
                        _ => objects::unknown_field(),
                    }
                }
            }

            impl #generics objects::ObjectValue for #target #where_clause {
                fn as_object(&self) -> ::std::option::Option<&dyn objects::DynObject> {
                    ::std::option::Option::Some(self)
                }
            }

            impl #generics ::async_graphql::OutputType for #target #where_clause {
                fn type_name() -> ::std::borrow::Cow<'static, str> {
                    #name
                }

                fn create_type_info(registry: &mut ::async_graphql::registry::Registry) -> ::std::string::String {
                    objects::register_object::<Self>(registry, #description, &[#(#field_infos),*])
                }

                async fn resolve(
                    &self,
                    context: &::async_graphql::ContextSelectionSet<'_>,
                    _: &::async_graphql::Positioned<::async_graphql::parser::types::Field>,
                ) -> ::async_graphql::ServerResult<::async_graphql::Value> {
                    objects::resolve_value(context, self).await
                }
            }

            impl #generics ::async_graphql::ContainerType for #target #where_clause {
                async fn resolve_field(
                    &self,
                    context: &::async_graphql::Context<'_>,
                ) -> ::async_graphql::ServerResult<::std::option::Option<::async_graphql::Value>> {
                    objects::resolve_field(self, context).await
                }
            }

            impl #generics ::async_graphql::ObjectType for #target #where_clause {}
        };
    })
}

fn type_name(args: &ObjectArgs, target: &Type) -> Result<TokenStream> {
    if args.name_type {
        return Ok(quote!(<Self as ::async_graphql::TypeName>::type_name()));
    }
    if let Some(name) = &args.name {
        return Ok(quote!(::std::borrow::Cow::Borrowed(#name)));
    }
    let Type::Path(path) = target else { return Err(Error::new_spanned(target, "an object must be a struct")) };
    let name = path.path.segments.last().map(|segment| segment.ident.to_string()).unwrap_or_default();
    Ok(quote!(::std::borrow::Cow::Borrowed(#name)))
}
