//! What the operations of one HTTP request may cost together.
//! Rule: an array of requests may not cost more than a single one. The complexity is an estimate made before execution,
//! so the objects and bytes of the response are counted too while it is built, as they are written: an estimate that was
//! too low ends the operation. Errors have the same limit of bytes for themselves, so that data leaves room for them.

use std::{
    mem,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_graphql::{
    ContextBase, PathSegment, ServerError, ValidationResult,
    async_trait::async_trait,
    extensions::{Extension, ExtensionContext, ExtensionFactory, NextValidation},
};

use crate::{
    error::ErrorCode,
    graphql::engine::{
        cost::Meter,
        documents::Document,
        errors::coded,
        json_size::text_bytes,
        limits::{DocumentSize, Limits},
        public_response::PublicResponse,
    },
};

/// Size of an error without its message and path: location, code and the id of the request.
const ERROR_FRAME: usize = 160;

/// The limits of a request, and what its operations have used of them so far. Clones share the same counts.
#[derive(Debug, Clone)]
pub struct Budget(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    limits: Limits,
    used: Mutex<Used>,
    objects: AtomicUsize,
    introspection: AtomicUsize,
    bytes: AtomicUsize,
    error_bytes: AtomicUsize,
}

#[derive(Debug, Default)]
struct Used {
    size: DocumentSize,
    complexity: usize,
}

impl Budget {
    /// Maximum number of objects in lists of the responses, as a multiple of the maximum complexity. Lists without
    /// `first` are estimated, and some are longer than the estimate.
    const OBJECTS_PER_COMPLEXITY: usize = 5;

    /// Creates the budget of a request.
    pub fn new(limits: &Limits) -> Self {
        Self(Arc::new(Inner {
            limits: limits.clone(),
            used: Mutex::default(),
            objects: AtomicUsize::new(0),
            introspection: AtomicUsize::new(0),
            bytes: AtomicUsize::new(0),
            error_bytes: AtomicUsize::new(0),
        }))
    }

    /// Adds a document, which is within the limits itself.
    /// # Errors
    /// LIMIT_EXCEEDED if the documents exceed a limit together; the document is not added.
    pub fn add_document(&self, size: DocumentSize) -> Result<(), ServerError> {
        let Inner { limits, used, .. } = &*self.0;
        let mut used = used.lock().unwrap_or_else(PoisonError::into_inner);
        let total = used.size.plus(size);
        let exceeded = [
            ("bytes", total.bytes, limits.bytes),
            ("tokens", total.tokens, limits.tokens),
            ("root fields", total.root_fields, limits.root_fields),
            ("aliases", total.aliases, limits.aliases),
            ("selections", total.selections, limits.selections),
        ]
        .into_iter()
        .find(|(_, found, limit)| found > limit);
        if let Some((what, _, limit)) = exceeded {
            let message = format!("The documents of the request have too many {what}; the limit for all is {limit}.");
            return Err(coded(ErrorCode::LimitExceeded, message));
        }
        used.size = total;
        Ok(())
    }

    /// Returns the complexity of the operations so far.
    pub fn complexity(&self) -> usize {
        self.0.used.lock().unwrap_or_else(PoisonError::into_inner).complexity
    }

    /// Adds a response that was resolved for another request.
    /// # Errors
    /// LIMIT_EXCEEDED if the operations are too complex or the responses too large.
    pub fn add_public(&self, response: &PublicResponse) -> Result<(), ServerError> {
        self.add_complexity(response.complexity())?;
        self.add_bytes(response.body().len())
    }

    /// Adds the complexity of an operation.
    fn add_complexity(&self, complexity: usize) -> Result<(), ServerError> {
        let mut used = self.0.used.lock().unwrap_or_else(PoisonError::into_inner);
        let (total, limit) = (used.complexity.saturating_add(complexity), self.0.limits.complexity);
        if total <= limit {
            used.complexity = total;
            return Ok(());
        }
        let before = match used.complexity {
            0 => String::new(),
            before => format!(" after operations with a complexity of {before}"),
        };
        let message = format!(
            "Query is too complex. Its complexity is {complexity}{before}; the limit is {limit}. Select fewer fields, or \
             set a smaller `first`."
        );
        Err(coded(ErrorCode::LimitExceeded, message))
    }

    /// Adds the objects of a list that is about to be resolved.
    /// # Errors
    /// LIMIT_EXCEEDED if the responses have too many objects.
    pub fn add_objects(&self, objects: usize) -> Result<(), ServerError> {
        if self.0.objects.fetch_add(objects, Ordering::Relaxed).saturating_add(objects) <= self.max_objects() {
            return Ok(());
        }
        Err(coded(ErrorCode::LimitExceeded, self.too_many_objects()))
    }

    /// Adds the cost of introspection; returns the cost of all operations of the request.
    pub fn add_introspection(&self, cost: usize) -> usize {
        self.0.introspection.fetch_add(cost, Ordering::Relaxed).saturating_add(cost)
    }

    /// Adds the size of resolved values, from [`json_size`](super::json_size).
    /// # Errors
    /// LIMIT_EXCEEDED if the responses are too large.
    pub fn add_bytes(&self, bytes: usize) -> Result<(), ServerError> {
        self.add_to(&self.0.bytes, bytes)
    }

    /// Checks whether values of this size fit that are not added yet.
    /// # Errors
    /// LIMIT_EXCEEDED if the responses would be too large.
    pub fn check_bytes(&self, bytes: usize) -> Result<(), ServerError> {
        match self.0.bytes.load(Ordering::Relaxed).saturating_add(bytes) <= self.0.limits.response_bytes {
            true => Ok(()),
            // Counted as exceeded, so that only one of these errors is kept.
            false => self.add_bytes(bytes),
        }
    }

    /// Adds the size of an error.
    fn add_error_bytes(&self, bytes: usize) -> Result<(), ServerError> {
        self.add_to(&self.0.error_bytes, bytes)
    }

    fn add_to(&self, count: &AtomicUsize, bytes: usize) -> Result<(), ServerError> {
        if count.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes) <= self.0.limits.response_bytes {
            return Ok(());
        }
        Err(coded(ErrorCode::LimitExceeded, self.too_many_bytes()))
    }

    /// Removes all but the first error about the number of objects, and about the size: there is one for each list or object
    /// that did not fit.
    pub fn keep_one_error(&self, errors: &mut Vec<ServerError>) {
        let mut keep_first = |message: String| {
            let mut is_first = true;
            errors.retain(|error| error.message != message || mem::take(&mut is_first));
        };
        if self.0.objects.load(Ordering::Relaxed) > self.max_objects() {
            keep_first(self.too_many_objects());
        }
        let bytes = self.0.bytes.load(Ordering::Relaxed).max(self.0.error_bytes.load(Ordering::Relaxed));
        if bytes > self.0.limits.response_bytes {
            keep_first(self.too_many_bytes());
        }
    }

    fn too_many_bytes(&self) -> String {
        let limit = self.0.limits.response_bytes;
        format!("The response has more than {limit} bytes. Select fewer fields, or set a smaller `first`.")
    }

    fn max_objects(&self) -> usize {
        self.0.limits.complexity.saturating_mul(Self::OBJECTS_PER_COMPLEXITY)
    }

    fn too_many_objects(&self) -> String {
        let limit = self.max_objects();
        format!("The response has more than {limit} objects in lists. Set a smaller `first`.")
    }
}

/// Adds an error to the response, or the error that the errors are too large.
pub fn add_error<T>(ctx: &ContextBase<'_, T>, error: ServerError) {
    let size = || ERROR_FRAME + text_bytes(&error.message) + error.path.iter().map(segment_bytes).sum::<usize>();
    let added = ctx.data_opt::<Budget>().map_or(Ok(()), |budget| budget.add_error_bytes(size()));
    ctx.add_error(added.err().unwrap_or(error));
}

fn segment_bytes(segment: &PathSegment) -> usize {
    match segment {
        PathSegment::Field(name) => name.len() + 3,
        PathSegment::Index(index) => index.checked_ilog10().unwrap_or_default() as usize + 2,
    }
}

/// Limits the complexity of operations, and charges them to their client. async-graphql has such a limit too, but its
/// error names neither the complexity nor the limit.
pub struct ComplexityLimit;

impl ExtensionFactory for ComplexityLimit {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Self)
    }
}

#[async_trait]
impl Extension for ComplexityLimit {
    async fn validation(
        &self,
        ctx: &ExtensionContext<'_>,
        next: NextValidation<'_>,
    ) -> Result<ValidationResult, Vec<ServerError>> {
        let document = ctx.data_opt::<Arc<Document>>();
        let result = match document.and_then(|document| document.validation.get()) {
            Some(known) => *known,
            None => {
                let result = next.run(ctx).await?;
                if let Some(document) = document.filter(|document| document.has_constant_complexity()) {
                    let _ = document.validation.set(result);
                }
                result
            }
        };
        ctx.data_unchecked::<Budget>().add_complexity(result.complexity).map_err(|error| vec![error])?;
        if let Some(meter) = ctx.data_opt::<Meter>() {
            meter.charge(result.complexity).map_err(|error| vec![error])?;
        }
        Ok(result)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_and_data_have_the_limit_of_bytes_each() {
        let budget = Budget::new(&Limits { response_bytes: 1_000, ..Limits::default() });
        assert!(budget.add_bytes(1_000).is_ok());
        assert!(budget.add_error_bytes(600).is_ok());
        let too_many: Vec<_> = (0..3).filter_map(|_| budget.add_error_bytes(600).err()).collect();
        assert_eq!(too_many.len(), 3);
        let mut errors = vec![coded(ErrorCode::NotFound, "not found")];
        errors.extend(too_many);
        budget.keep_one_error(&mut errors);
        let messages: Vec<_> = errors.iter().map(|error| error.message.as_str()).collect();
        assert_eq!(messages.len(), 2, "{messages:?}");
        assert!(messages[1].contains("1000 bytes"), "{messages:?}");
        assert!(budget.add_bytes(1).is_err());
    }
}
