//! Executes GraphQL requests: limits, parsing, variables, execution.
//! Rule: every operation of every transport is prepared and executed here. A query that passed validation once skips it
//! from then on: it runs on a second schema of the same types that enforces only the size limits.

pub mod batching;
pub mod budget;
pub mod connections;
pub mod cost;
pub mod documents;
mod erased_schema;
pub mod errors;
pub mod federation;
pub mod filters;
pub mod guards;
pub mod incremental;
pub mod introspection;
pub mod json_size;
pub mod limits;
pub mod list_args;
pub mod literals;
pub mod objects;
pub mod page_key;
pub mod patch;
pub mod payload;
pub mod persisted_queries;
pub mod public_response;
pub mod response;
pub mod response_cache;
pub mod scalars;
pub mod shared_loads;
pub mod shared_responses;
pub mod subscription_root;
pub mod variables;

use std::{
    mem,
    panic::AssertUnwindSafe,
    sync::{Arc, OnceLock, Weak},
};

use async_graphql::{
    Data, ObjectType, Request, Response as LibraryResponse, SchemaBuilder, ServerError, SubscriptionType,
    ValidationMode,
    parser::{self, parse_query, parse_schema, types::OperationType},
};
use futures_util::FutureExt;

use crate::{
    error::ErrorCode,
    graphql::engine::{
        budget::{Budget, ComplexityLimit},
        documents::{Document, DocumentCache},
        erased_schema::ErasedSchema,
        errors::coded,
        introspection::IntrospectionLimit,
        limits::{DocumentSize, Limits},
        literals::LiteralTypes,
        persisted_queries::{DocumentHash, PersistedQueries},
        public_response::ResponseKey,
        response::Response,
        subscription_root::merge_root_fields,
        variables::InputTypes,
    },
    redis::Redis,
    telemetry::RequestId,
};

/// Settings of the engine.
#[derive(Debug, Clone)]
pub struct EngineSettings {
    /// Limits on documents.
    pub limits: Limits,
    /// Maximum number of cached documents; 0 disables the cache.
    pub cached_documents: u64,
    /// Maximum length of a cached document, in bytes.
    pub cached_document_bytes: usize,
    /// Description of the schema.
    pub schema_description: &'static str,
    /// Maximum number of persisted queries; 0 turns them off.
    pub persisted_queries: u64,
    /// Shares persisted queries with other servers.
    pub redis: Option<Redis>,
}

impl Default for EngineSettings {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            cached_documents: 1_000,
            cached_document_bytes: 16 * 1024,
            schema_description: "",
            persisted_queries: 1_000,
            redis: None,
        }
    }
}

/// Executes operations; cheap to clone.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

/// An engine for resolvers, which belong to it.
#[derive(Clone)]
pub struct WeakEngine(Weak<Inner>);

impl WeakEngine {
    /// Returns the engine; none if the server ends.
    pub fn upgrade(&self) -> Option<Engine> {
        self.0.upgrade().map(Engine)
    }
}

struct Inner {
    strict: Box<dyn ErasedSchema>,
    fast: Box<dyn ErasedSchema>,
    sdl: String,
    subgraph_sdl: OnceLock<String>,
    input_types: InputTypes,
    literal_types: LiteralTypes,
    document_cache: DocumentCache,
    persisted_queries: PersistedQueries,
    limits: Limits,
    introspection_limit: IntrospectionLimit,
    schema_description: &'static str,
}

/// Kind and name of an operation, for transports and logs.
#[derive(Debug, Clone)]
pub struct Operation {
    /// Query, mutation or subscription.
    pub kind: OperationType,
    /// Name of the operation in the document, if it has one.
    pub name: Option<String>,
}

/// A request whose document is within the limits and whose variables are valid.
pub struct PreparedRequest {
    /// The operation to execute.
    pub operation: Operation,
    /// Whether the document passed validation before, so that it is not validated again.
    pub is_validated: bool,
    /// Whether the operation asks for the schema itself; `__typename` does not.
    pub is_introspecting: bool,
    request: Request,
    document: Arc<Document>,
    /// Hash under which the text of the document is to be stored.
    hash: Option<DocumentHash>,
    budget: Budget,
}

impl PreparedRequest {
    /// Returns the names of the operation's root fields; introspection is not included.
    pub fn root_fields(&self) -> Vec<&str> {
        let fields = self.document.root_fields(self.operation.name.as_deref());
        fields.into_iter().map(|field| field.name.node.as_str()).filter(|name| !name.starts_with("__")).collect()
    }

    /// Returns the key of the response for everyone, at this URL of the server. None for mutations and
    /// introspection.
    pub fn response_key(&self, url: &str) -> Option<ResponseKey> {
        let Operation { kind, name } = &self.operation;
        if *kind != OperationType::Query || self.is_introspecting {
            return None;
        }
        let variables = serde_json::to_string(&self.request.variables).ok()?;
        let (document, name) = (&self.document.hash, name.as_deref().unwrap_or_default());
        ResponseKey::new(format!("{document} {name} {url} {variables}"))
    }

    /// Returns the request of the same subscription for its next event. It has passed validation.
    #[must_use]
    pub fn next_event(&self, engine: &Engine) -> Self {
        let Self { operation, request, document, .. } = self;
        let mut again = Request::new("").variables(request.variables.clone());
        again.operation_name.clone_from(&request.operation_name);
        Self {
            operation: operation.clone(),
            is_validated: true,
            is_introspecting: false,
            request: again,
            document: Arc::clone(document),
            hash: None,
            budget: engine.budget(),
        }
    }

    /// Returns the document.
    pub fn document(&self) -> &Arc<Document> {
        &self.document
    }
}

impl Engine {
    /// Maximum number of validation errors in a response.
    const MAX_REQUEST_ERRORS: usize = 20;

    /// Creates the engine. Both of its schemas are built by the same function.
    pub fn new<Q, M, S>(build: impl Fn() -> SchemaBuilder<Q, M, S>, settings: EngineSettings) -> Self
    where
        Q: ObjectType + 'static,
        M: ObjectType + 'static,
        S: SubscriptionType + 'static,
    {
        let EngineSettings {
            limits,
            cached_documents,
            cached_document_bytes,
            schema_description,
            persisted_queries,
            redis,
        } = settings;
        let build = || limits.apply(build()).extension(ComplexityLimit);
        let strict = build().finish();
        let fast = build().validation_mode(ValidationMode::Fast).finish();
        let sdl = strict.sdl();
        let schema = parse_schema(&sdl).expect("async-graphql parses its own SDL");
        Self(Arc::new(Inner {
            input_types: InputTypes::new(&schema),
            literal_types: LiteralTypes::new(&schema),
            introspection_limit: IntrospectionLimit::new(&schema),
            sdl,
            subgraph_sdl: OnceLock::new(),
            strict: Box::new(strict),
            fast: Box::new(fast),
            document_cache: DocumentCache::new(cached_documents, cached_document_bytes),
            persisted_queries: PersistedQueries::new(persisted_queries, redis),
            limits,
            schema_description,
        }))
    }

    /// Returns the engine for resolvers.
    pub fn downgrade(&self) -> WeakEngine {
        WeakEngine(Arc::downgrade(&self.0))
    }

    /// Returns the schema definition (SDL).
    pub fn sdl(&self) -> &str {
        &self.0.sdl
    }

    /// Returns the schema definition as a subgraph of a federation.
    pub fn subgraph_sdl(&self) -> &str {
        self.0.subgraph_sdl.get_or_init(|| federation::add_directives(&self.0.strict.federation_sdl()))
    }

    /// Returns the budget of one HTTP request.
    pub fn budget(&self) -> Budget {
        Budget::new(&self.0.limits)
    }

    /// Prepares the only request of a budget, as [`Engine::prepare_within`] does.
    /// # Errors
    /// As [`Engine::prepare_within`].
    pub fn prepare(&self, request: Request) -> Result<PreparedRequest, ServerError> {
        self.prepare_within(request, &self.budget())
    }

    /// Loads the text of a persisted query that another server has stored.
    pub async fn load_persisted(&self, request: &mut Request) {
        self.0.persisted_queries.load(request).await;
    }

    /// Checks a document, but not whether its fields exist.
    /// # Errors
    /// The error of a request with the document.
    pub fn check_document(&self, text: &str) -> Result<(), ServerError> {
        self.parse(text).map(drop)
    }

    /// Parses a document, and checks it.
    fn parse(&self, text: &str) -> Result<Document, ServerError> {
        let Inner { limits, input_types, literal_types, .. } = &*self.0;
        let tokens = limits.check_text(text)?;
        let mut parsed = parse_query(text).map_err(syntax_error)?;
        let size = DocumentSize { bytes: text.len(), tokens, ..limits.check_document(&parsed)? };
        incremental::check(text, &parsed)?;
        merge_root_fields(&mut parsed)?;
        literal_types.check(input_types, &parsed)?;
        Ok(Document::new(text, parsed, size))
    }

    /// Checks the document and the variables, and selects the operation.
    /// # Errors
    /// A request error with its code; nothing has been executed.
    pub fn prepare_within(&self, mut request: Request, budget: &Budget) -> Result<PreparedRequest, ServerError> {
        let Inner { document_cache, persisted_queries, input_types, introspection_limit, .. } = &*self.0;
        let hash = persisted_queries.resolve(&mut request)?;
        let cached = document_cache.get(&request.query);
        let is_validated = cached.is_some();
        let document = match cached {
            Some(document) => document,
            None => Arc::new(self.parse(&request.query)?),
        };
        budget.add_document(document.size)?;
        let operation_name = request.operation_name.as_deref();
        let (name, definition) = document.operation(operation_name).ok_or_else(|| no_operation(operation_name))?;
        let operation = Operation { kind: definition.ty, name: name.map(ToString::to_string) };
        input_types.check(definition, &mut request.variables)?;
        let root_fields = document.root_fields(operation_name);
        let is_introspecting = root_fields.iter().any(|field| introspection::is_introspection(field));
        if is_introspecting {
            introspection_limit.check(&document.parsed, &root_fields, &request.variables, budget)?;
        }
        let budget = budget.clone();
        Ok(PreparedRequest { operation, is_validated, is_introspecting, request, document, hash, budget })
    }

    /// Executes an operation; a subscription for one event. `data` is the context data of the resolvers; the request id is added to it.
    pub async fn execute(&self, prepared: PreparedRequest, mut data: Data, request_id: &RequestId) -> Response {
        let PreparedRequest { operation, is_validated, is_introspecting, mut request, document, hash, budget } =
            prepared;
        data.insert(request_id.clone());
        data.insert(budget.clone());
        if is_validated {
            data.insert(Arc::clone(&document));
        }
        request.data = data;
        request.set_parsed_query(document.parsed.clone());
        let text = mem::take(&mut request.query);
        let is_cacheable = !is_validated && document.is_cacheable_with(&request.variables);
        let schema = if is_validated { &self.0.fast } else { &self.0.strict };
        let mut introspection = |response: &mut LibraryResponse| {
            if is_introspecting {
                let root_fields = document.root_fields(operation.name.as_deref());
                introspection::add_bytes(response, &root_fields, &budget);
                introspection::describe(response, &root_fields, self.0.schema_description);
            }
        };
        let run = AssertUnwindSafe(schema.run(request, operation.kind, &mut introspection)).catch_unwind().await;
        let mut response = run.unwrap_or_else(|_| {
            tracing::error!(%request_id, operation = operation.name, "resolver panicked");
            Response::from_errors(vec![coded(ErrorCode::InternalServerError, errors::INTERNAL_MESSAGE)])
        });
        budget.keep_one_error(&mut response.errors);
        if errors::is_request_error(&response) {
            response.errors.truncate(Self::MAX_REQUEST_ERRORS);
        } else {
            if let Some(hash) = hash {
                self.0.persisted_queries.insert(hash, &text);
            }
            if is_cacheable {
                self.0.document_cache.insert(text, document);
            }
        }
        errors::finish(&mut response.errors, request_id);
        response
    }

    /// Returns the response to a request that was rejected.
    pub fn error_response(error: ServerError, request_id: &RequestId) -> Response {
        let mut response = Response::from_errors(vec![error]);
        errors::finish(&mut response.errors, request_id);
        response
    }
}

/// The parser's message is a drawing of the line with an arrow below it. Its last line says what was expected; the
/// locations of the error say where.
fn syntax_error(error: parser::Error) -> ServerError {
    let mut error = ServerError::from(error);
    if let Some((_, reason)) = error.message.rsplit_once("= ") {
        error.message = format!("Syntax error: {}.", reason.trim());
    }
    error
}

fn no_operation(operation_name: Option<&str>) -> ServerError {
    let message = match operation_name {
        Some(name) => format!("The document has no operation named \"{name}\"."),
        None => "The document has several operations. Set operationName to the one to run.".to_owned(),
    };
    coded(ErrorCode::BadUserInput, message)
}
