//! A field of an object: parses a method, and generates the code that describes and resolves the field.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{
    Error, Expr, FnArg, GenericArgument, Ident, ImplItemFn, Pat, PathArguments, Result, ReturnType, Type,
    ext::IdentExt, visit::Visit,
};

use crate::attributes::{Options, description, option_expr, take_options};

/// A field of an object.
pub struct Field {
    /// Name in the schema.
    pub name: String,
    method: Ident,
    is_async: bool,
    takes_context: bool,
    is_fallible: bool,
    /// Type of the value, without `Result`.
    value: Type,
    description: TokenStream,
    options: Options,
    arguments: Vec<Argument>,
}

struct Argument {
    name: String,
    variable: Ident,
    ty: Type,
    options: Options,
    /// Whether the parameter declares the arguments of a list.
    is_list: bool,
}

impl Field {
    /// Parses a method and removes the attributes that the compiler does not know.
    pub fn parse(method: &mut ImplItemFn) -> Result<Self> {
        let options = take_options(&mut method.attrs)?;
        let mut takes_context = false;
        let mut arguments = Vec::new();
        for (index, input) in method.sig.inputs.iter_mut().enumerate() {
            let FnArg::Typed(input) = input else { continue };
            if index == 1 && is_context(&input.ty) {
                takes_context = true;
                continue;
            }
            let Pat::Ident(pattern) = &*input.pat else {
                return Err(Error::new_spanned(&input.pat, "a parameter of a field must have a name"));
            };
            let options = take_options(&mut input.attrs)?;
            let name = options.name.as_ref().map_or_else(|| camel_case(&pattern.ident), syn::LitStr::value);
            let is_list = last_segment(&input.ty).is_some_and(|segment| segment.ident == "ListArgs");
            arguments.push(Argument {
                name,
                variable: pattern.ident.clone(),
                ty: (*input.ty).clone(),
                options,
                is_list,
            });
        }
        let ReturnType::Type(_, output) = &method.sig.output else {
            return Err(Error::new_spanned(&method.sig, "a field must have a return type"));
        };
        let ok_type = result_ok_type(output);
        Ok(Self {
            name: options.name.as_ref().map_or_else(|| camel_case(&method.sig.ident), syn::LitStr::value),
            method: method.sig.ident.clone(),
            is_async: method.sig.asyncness.is_some(),
            takes_context,
            is_fallible: ok_type.is_some(),
            value: ok_type.unwrap_or(output).clone(),
            description: description(&method.attrs),
            options,
            arguments,
        })
    }

    /// Returns whether the field can be resolved without a future.
    pub fn can_resolve_sync(&self) -> bool {
        (!self.is_async || self.options.eager) && self.arguments.is_empty() && self.options.guard.is_none()
    }

    /// Returns the field's metadata for the schema.
    pub fn field_info(&self) -> TokenStream {
        let Self { name, value, description, .. } = self;
        let arguments = self.arguments.iter().map(Argument::argument_info);
        let complexity = self.complexity();
        let is_guarded = self.options.guard.is_some();
        quote! {
            objects::FieldInfo {
                name: #name,
                description: #description,
                ty: <#value as ::async_graphql::OutputType>::create_type_info,
                arguments: &[#(#arguments),*],
                complexity: #complexity,
                is_guarded: #is_guarded,
            }
        }
    }

    fn complexity(&self) -> TokenStream {
        let is_list = self.arguments.iter().any(|argument| argument.is_list);
        if let Some(expression) = &self.options.complexity {
            let mut names = IdentCollector(Vec::new());
            names.visit_expr(expression);
            let arguments = self.arguments.iter().filter(|argument| names.0.contains(&argument.variable));
            let arguments = arguments.map(|Argument { name, variable, ty, options, .. }| {
                let default = default_of(options, ty);
                quote!(let #variable: #ty = visitor.param_value(variables, field, #name, #default)?;)
            });
            let (page, filter) = if is_list { (page_arguments(), filter_complexity()) } else { Default::default() };
            return quote! {
                ::std::option::Option::Some(|visitor, variables, field, child_complexity| {
                    #page
                    #(#arguments)*
                    let complexity: usize = #expression;
                    ::std::result::Result::Ok(complexity #filter)
                })
            };
        }
        if is_list {
            let (page, filter) = (page_arguments(), filter_complexity());
            return quote! {
                ::std::option::Option::Some(|visitor, variables, field, child_complexity| {
                    #page
                    let complexity = ::souk::graphql::engine::connections::cost(first, last, child_complexity);
                    ::std::result::Result::Ok(complexity #filter)
                })
            };
        }
        quote!(::std::option::Option::None)
    }

    /// Returns the match arm that resolves the field synchronously.
    pub fn sync_arm(&self) -> TokenStream {
        let name = &self.name;
        let inner = (self.takes_context || self.is_async).then(|| quote!(let inner = context.with_field(field);));
        let call = self.call(quote!(&inner), self.is_async.then(|| quote!(.now_or_never()?)));
        let value = self.bind_value(call, quote!(objects::error_result(context, field, error)));
        quote! {
            #name => {
                #inner
                #value
                (&&objects::Probe(&value)).kind().write_field(&value, context, field, out)
            }
        }
    }

    /// Returns the match arm that resolves the field in a future.
    pub fn async_arm(&self) -> TokenStream {
        if self.is_async || !self.can_resolve_sync() { self.future_arm() } else { self.sync_value_async_arm() }
    }

    /// Resolves a synchronous value; only its selections are awaited.
    fn sync_value_async_arm(&self) -> TokenStream {
        let name = &self.name;
        let call = self.call(quote!(&context), None);
        let value = self.bind_value(call, quote!(objects::error_future(&context, error)));
        quote! {
            #name => {
                #value
                (&&objects::Probe(&value)).kind().resolve_async(value, context)
            }
        }
    }

    /// Resolves the field in its own future.
    fn future_arm(&self) -> TokenStream {
        let name = &self.name;
        let guard = self.options.guard.as_ref().map(|guard| {
            quote! {
                ::async_graphql::Guard::check(&{ use ::async_graphql::GuardExt; #guard }, &context)
                    .await
                    .map_err(|error| error.into_server_error(context.item.pos))?;
            }
        });
        let arguments = self.arguments.iter().map(Argument::binding);
        let call = self.call(quote!(&context), self.is_async.then(|| quote!(.await)));
        let value = if self.is_fallible {
            quote!(#call.map_err(|error| objects::field_error(&context, error)))
        } else {
            quote!(::std::result::Result::<_, ::async_graphql::ServerError>::Ok(#call))
        };
        quote! {
            #name => ::std::boxed::Box::pin(async move {
                let run = async {
                    #(#arguments)*
                    #guard
                    #value
                };
                let value = run.await.map_err(|error| context.set_error_path(error))?;
                (&&objects::Probe(&value)).kind().complete(&value, &context).await
            }),
        }
    }

    /// Returns the call of the method.
    fn call(&self, context: TokenStream, poll: Option<TokenStream>) -> TokenStream {
        let method = &self.method;
        let context = self.takes_context.then(|| quote!(#context,));
        let variables = self.arguments.iter().map(|argument| &argument.variable);
        quote!(self.#method(#context #(#variables),*)#poll)
    }

    /// Binds the result of the call to `value`, or returns the error.
    fn bind_value(&self, call: TokenStream, failed: TokenStream) -> TokenStream {
        if self.is_fallible {
            quote! {
                let value = match #call {
                    ::std::result::Result::Ok(value) => value,
                    ::std::result::Result::Err(error) => return #failed,
                };
            }
        } else {
            quote!(let value = #call;)
        }
    }
}

impl Argument {
    fn argument_info(&self) -> TokenStream {
        let Self { name, ty, options, is_list, .. } = self;
        if *is_list {
            return quote!(objects::ArgumentInfo::List(<#ty>::register));
        }
        let description = option_expr(options.desc.as_ref().map(syn::LitStr::value));
        let default = match &options.default {
            Some(default) => quote! {
                ::std::option::Option::Some(|| {
                    let value: #ty = #default;
                    ::std::string::ToString::to_string(&::async_graphql::InputType::to_value(&value))
                })
            },
            None => quote!(::std::option::Option::None),
        };
        quote! {
            objects::ArgumentInfo::Single {
                name: #name,
                description: #description,
                ty: <#ty as ::async_graphql::InputType>::create_type_info,
                default: #default,
            }
        }
    }

    fn binding(&self) -> TokenStream {
        let Self { name, variable, ty, options, is_list } = self;
        if *is_list {
            return quote!(let #variable = <#ty>::read(&context)?;);
        }
        let default = default_of(options, ty);
        quote!(let #variable = context.param_value::<#ty>(#name, #default)?.1;)
    }
}

/// Returns the statements that read the page size of a list, for its complexity.
fn page_arguments() -> TokenStream {
    quote! {
        #[allow(unused_variables)]
        let first: ::std::option::Option<i32> =
            visitor.param_value(variables, field, "first", ::std::option::Option::None)?;
        #[allow(unused_variables)]
        let last: ::std::option::Option<i32> =
            visitor.param_value(variables, field, "last", ::std::option::Option::None)?;
    }
}

/// Returns the expression that adds the complexity of a list's filter.
fn filter_complexity() -> TokenStream {
    quote!(+ ::souk::graphql::engine::cost::filter_complexity(visitor, variables, field)?)
}

fn default_of(options: &Options, ty: &Type) -> TokenStream {
    match &options.default {
        Some(default) => quote!(::std::option::Option::Some(|| -> #ty { #default })),
        None => quote!(::std::option::Option::None),
    }
}

/// Collects the identifiers in an expression.
struct IdentCollector(Vec<Ident>);

impl<'ast> Visit<'ast> for IdentCollector {
    fn visit_expr_path(&mut self, path: &'ast syn::ExprPath) {
        self.0.extend(path.path.get_ident().cloned());
    }

    fn visit_expr(&mut self, expression: &'ast Expr) {
        syn::visit::visit_expr(self, expression);
    }
}

fn last_segment(ty: &Type) -> Option<&syn::PathSegment> {
    let Type::Path(path) = ty else { return None };
    path.path.segments.last()
}

fn is_context(ty: &Type) -> bool {
    matches!(ty, Type::Reference(reference) if last_segment(&reference.elem).is_some_and(|last| last.ident == "Context"))
}

/// Returns `T` of `Result<T>`.
fn result_ok_type(ty: &Type) -> Option<&Type> {
    let last = last_segment(ty).filter(|segment| segment.ident == "Result")?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}

/// Converts `sort_order` to `sortOrder`.
fn camel_case(name: &Ident) -> String {
    let name = name.unraw().to_string();
    let mut words = name.split('_').filter(|word| !word.is_empty());
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |text, word| text + &word[..1].to_uppercase() + &word[1..])
}
