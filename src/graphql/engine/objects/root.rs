//! Resolution of an operation's root. async-graphql resolves the fields of `Query` and `Mutation` itself and returns
//! them in the order of their completion; this module bypasses it: the first root field resolves all root fields, and
//! that result replaces the library's when the execution has ended.
//! Rule: every response passes through [`RootResolver::finish`].

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use async_graphql::{
    Context, ObjectType, PathSegment, Request, Response, Schema, ServerError, ServerResult, SubscriptionType, Value,
    parser::types::OperationType,
};

use crate::graphql::engine::{
    budget::add_error,
    objects::{
        DynObject,
        selection_set::{PropagatedError, resolve_selection_set},
    },
};

/// State of one operation in progress.
#[derive(Clone, Default)]
pub struct RootResolver(Arc<RootState>);

#[derive(Default)]
struct RootState {
    is_started: AtomicBool,
    data: Mutex<Option<Value>>,
}

/// Executes a query or a mutation whose root is a [`MergedRoot`](crate::graphql::engine::objects::MergedRoot).
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
    /// Attaches a resolver to a request; the response has to pass through [`finish`](Self::finish).
    pub fn start(request: Request) -> (Self, Request) {
        let root = Self::default();
        (root.clone(), request.data(root))
    }

    /// Puts the data in the order of the query and the errors in the order of the document. Each response of a
    /// subscription may be passed separately.
    pub fn finish(&self, mut response: Response) -> Response {
        let errors = std::mem::take(&mut response.errors);
        response.errors = errors.into_iter().map(PropagatedError::unwrap).collect();
        response.errors.sort_by_cached_key(|error| (error.locations.clone(), indices(error)));
        let data = self.lock_data().take();
        if let Some(mut data) = data {
            if let (Value::Object(resolved), Value::Object(introspection)) = (&mut data, response.data) {
                // Fields that our objects do not know are introspection, which the library has resolved.
                let known = introspection.into_iter().filter(|(_, value)| *value != Value::Null);
                resolved.extend(known);
            }
            response.data = data;
        } else if response.data == Value::Null && response.errors.is_empty() {
            // Nothing is selected; that is not a failure.
            response.data = Value::Object(Default::default());
        }
        response
    }

    /// Returns the resolver of the operation if the field is one of its root fields.
    pub(super) fn from_context<'a>(ctx: &Context<'a>) -> Option<&'a Self> {
        let top = ctx.path_node.is_some_and(|node| node.parent.is_none());
        if top { ctx.data_opt() } else { None }
    }

    /// The first call resolves the whole operation; later calls return nothing.
    pub(super) async fn resolve(&self, ctx: &Context<'_>, object: &dyn DynObject) -> ServerResult<Option<Value>> {
        if !self.0.is_started.swap(true, Ordering::Relaxed) {
            let operation = &ctx.query_env.operation.node;
            let set = &operation.selection_set;
            let root = ctx.query_env.create_context(ctx.schema_env, None, set, ctx.execute_data);
            let serial = operation.ty == OperationType::Mutation;
            let value = resolve_selection_set(&root, object, serial).await.unwrap_or_else(|error| {
                add_error(ctx, error);
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

/// Returns the list indices in the path of an error.
fn indices(error: &ServerError) -> Vec<usize> {
    let index = |segment: &PathSegment| match segment {
        PathSegment::Index(index) => Some(*index),
        PathSegment::Field(_) => None,
    };
    error.path.iter().filter_map(index).collect()
}
