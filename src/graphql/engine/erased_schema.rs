//! A schema without its type parameters.

use async_graphql::{
    ObjectType, Request, Response as LibraryResponse, SDLExportOptions, Schema, SubscriptionType,
    parser::types::OperationType,
};
use futures_util::{FutureExt, future::BoxFuture};

use super::{objects, response::Response};

/// Changes what async-graphql returned for introspection.
pub type Introspection<'a> = &'a mut (dyn FnMut(&mut LibraryResponse) + Send);

/// A schema without its type parameters, so that the rest of the server is not compiled once per root type.
pub trait ErasedSchema: Send + Sync {
    /// Executes an operation.
    fn run<'a>(
        &'a self,
        request: Request,
        kind: OperationType,
        introspection: Introspection<'a>,
    ) -> BoxFuture<'a, Response>;

    /// Returns the schema definition with the `@link` to the specification of federation.
    fn federation_sdl(&self) -> String;
}

impl<Q, M, S> ErasedSchema for Schema<Q, M, S>
where
    Q: ObjectType + 'static,
    M: ObjectType + 'static,
    S: SubscriptionType + 'static,
{
    fn run<'a>(
        &'a self,
        request: Request,
        kind: OperationType,
        introspection: Introspection<'a>,
    ) -> BoxFuture<'a, Response> {
        objects::execute(self, request, kind, introspection).boxed()
    }

    fn federation_sdl(&self) -> String {
        self.sdl_with_options(SDLExportOptions::new().federation())
    }
}
