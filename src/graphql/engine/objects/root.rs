//! Resolution of an operation's root. async-graphql resolves the fields of `Query` and `Mutation` itself and returns
//! them in the order of their completion; this module bypasses it: the first root field resolves all root fields, and
//! that result replaces the library's when the execution has ended.
//! Rule: every response passes through [`RootResolver::finish`].

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use async_graphql::{
    Context, ObjectType, PathSegment, Request, Response as LibraryResponse, Schema, ServerError, ServerResult,
    SubscriptionType, Value, parser::types::OperationType,
};

use bytes::Bytes;
use futures_util::StreamExt;

use crate::graphql::engine::{
    budget::add_error,
    objects::{
        DynObject, JsonText,
        selection_set::{PropagatedError, resolve_selection_set},
    },
    response::Response,
};

/// State of one operation in progress.
#[derive(Clone, Default)]
pub struct RootResolver(Arc<RootState>);

#[derive(Default)]
struct RootState {
    is_started: AtomicBool,
    /// The data, or none if it is null.
    data: Mutex<Option<Option<JsonText>>>,
}

/// Executes an operation whose root is a [`MergedRoot`](crate::graphql::engine::objects::MergedRoot); a subscription once, for
/// one event. `introspection` changes what the library returned for introspection, before it becomes part of the data.
pub async fn execute<Q, M, S>(
    schema: &Schema<Q, M, S>,
    request: Request,
    kind: OperationType,
    introspection: impl FnOnce(&mut LibraryResponse),
) -> Response
where
    Q: ObjectType + 'static,
    M: ObjectType + 'static,
    S: SubscriptionType + 'static,
{
    let root = RootResolver::default();
    let request = request.data(root.clone());
    let mut response = match kind {
        OperationType::Subscription => schema.execute_stream(request).next().await.unwrap_or_default(),
        _ => schema.execute(request).await,
    };
    introspection(&mut response);
    root.finish(response)
}

impl RootResolver {
    /// Puts the data in the order of the query and the errors in the order of the document.
    fn finish(&self, response: LibraryResponse) -> Response {
        let mut errors: Vec<_> = response.errors.into_iter().map(PropagatedError::unwrap).collect();
        errors.sort_by_cached_key(|error| (error.locations.clone(), indices(error)));
        let data = match self.lock_data().take() {
            Some(data) => data.map(|data| add_introspection(data, response.data).into_bytes().into()),
            // Nothing is selected; that is not a failure.
            None if response.data == Value::Null && errors.is_empty() => Some(Bytes::from_static(b"{}")),
            None if response.data == Value::Null => None,
            None => Some(JsonText::of(&response.data).into_bytes().into()),
        };
        Response { data, errors, extensions: response.extensions, http_headers: response.http_headers, public: None }
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
            let resolved = resolve_selection_set(&root, object, serial).await;
            let data = resolved.map_err(|error| add_error(ctx, error)).ok();
            *self.lock_data() = Some(data);
        }
        Ok(None)
    }

    fn lock_data(&self) -> std::sync::MutexGuard<'_, Option<Option<JsonText>>> {
        self.0.data.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the data with the introspection that the library has resolved: fields that our objects do not know, and that are
/// null in the data.
fn add_introspection(data: JsonText, introspection: Value) -> JsonText {
    let Value::Object(introspection) = introspection else { return data };
    let mut known = introspection.into_iter().filter(|(_, value)| *value != Value::Null).peekable();
    if known.peek().is_none() {
        return data;
    }
    let mut value = data.to_value();
    if let Value::Object(fields) = &mut value {
        fields.extend(known);
    }
    JsonText::of(&value)
}

/// Returns the list indices in the path of an error.
fn indices(error: &ServerError) -> Vec<usize> {
    let index = |segment: &PathSegment| match segment {
        PathSegment::Index(index) => Some(*index),
        PathSegment::Field(_) => None,
    };
    error.path.iter().filter_map(index).collect()
}
