//! The root of an operation: the container's way around the library, which resolves the fields of
//! `Query` and `Mutation` by itself, in the order of their completion.
//!
//! The first field of the root answers for all of them; that answer takes the place of the library's
//! when the execution has ended. The one rule: every response passes through [`RootResolver::finish`].

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use async_graphql::{
    Context, ObjectType, PathSegment, Request, Response, Schema, ServerError, ServerResult, SubscriptionType, Value,
    parser::types::OperationType,
};

use crate::graphql::engine::objects::{
    DynObject,
    selection_set::{PropagatedError, resolve_selection_set},
};

/// One operation under way.
#[derive(Clone, Default)]
pub struct RootResolver(Arc<RootState>);

#[derive(Default)]
struct RootState {
    is_started: AtomicBool,
    data: Mutex<Option<Value>>,
}

/// Executes a query or a mutation whose root is an [`Ordered`](crate::graphql::engine::objects::Ordered).
pub async fn execute<Q, M, S>(schema: &Schema<Q, M, S>, request: Request) -> Response
where
    Q: ObjectType + 'static,
    M: ObjectType + 'static,
    S: SubscriptionType + 'static,
{
    let (root, request) = RootResolver::start(request);
    root.finish(schema.execute(request).await)
}

impl RootResolver {
    /// Marks a request; its response has to pass through [`finish`](Self::finish).
    pub fn start(request: Request) -> (Self, Request) {
        let root = Self::default();
        (root.clone(), request.data(root))
    }

    /// Puts a response in the order of the query, its errors in the order of the document.
    /// Responses of a subscription may pass, too, each by itself.
    pub fn finish(&self, mut response: Response) -> Response {
        let errors = std::mem::take(&mut response.errors);
        response.errors = errors.into_iter().map(PropagatedError::unwrap).collect();
        response.errors.sort_by_cached_key(|error| (error.locations.clone(), indices(error)));
        let data = self.lock_data().take();
        if let Some(mut data) = data {
            if let (Value::Object(resolved), Value::Object(introspection)) = (&mut data, response.data) {
                // What our objects do not know is introspection, which the library has answered.
                let known = introspection.into_iter().filter(|(_, value)| *value != Value::Null);
                resolved.extend(known);
            }
            response.data = data;
        } else if response.data == Value::Null && response.errors.is_empty() {
            // Nothing is selected, which is no failure.
            response.data = Value::Object(Default::default());
        }
        response
    }

    /// The operation, if the field is one of its root.
    pub(super) fn from_context<'a>(ctx: &Context<'a>) -> Option<&'a Self> {
        let top = ctx.path_node.is_some_and(|node| node.parent.is_none());
        if top { ctx.data_opt() } else { None }
    }

    /// The first call answers the operation, the others have nothing to add.
    pub(super) async fn resolve(&self, ctx: &Context<'_>, object: &dyn DynObject) -> ServerResult<Option<Value>> {
        if !self.0.is_started.swap(true, Ordering::Relaxed) {
            let operation = &ctx.query_env.operation.node;
            let set = &operation.selection_set;
            let root = ctx.query_env.create_context(ctx.schema_env, None, set, ctx.execute_data);
            let serial = operation.ty == OperationType::Mutation;
            let value = resolve_selection_set(&root, object, serial).await.unwrap_or_else(|error| {
                ctx.add_error(error);
                Value::Null
            });
            *self.lock_data() = Some(value);
        }
        Ok(None)
    }

    fn lock_data(&self) -> std::sync::MutexGuard<'_, Option<Value>> {
        self.0.data.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Which items of lists an error is in.
fn indices(error: &ServerError) -> Vec<usize> {
    let index = |segment: &PathSegment| match segment {
        PathSegment::Index(index) => Some(*index),
        PathSegment::Field(_) => None,
    };
    error.path.iter().filter_map(index).collect()
}
