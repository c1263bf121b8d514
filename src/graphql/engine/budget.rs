//! What the operations of one HTTP request may cost together.
//! Rule: an array of requests may not cost more than a single one. The complexity is an estimate made before execution,
//! so the objects of the response are counted too: an estimate that was too low ends the operation.

use std::{
    mem,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_graphql::{
    ServerError, ValidationResult,
    async_trait::async_trait,
    extensions::{Extension, ExtensionContext, ExtensionFactory, NextValidation},
};

use crate::{
    error::ErrorCode,
    graphql::engine::{
        errors::coded,
        limits::{DocumentSize, Limits},
    },
};

/// The limits of a request, and what its operations have used of them so far. Clones share the same counts.
#[derive(Debug, Clone)]
pub struct Budget(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    limits: Limits,
    used: Mutex<Used>,
    objects: AtomicUsize,
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
        Self(Arc::new(Inner { limits: limits.clone(), used: Mutex::default(), objects: AtomicUsize::new(0) }))
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

    /// Removes all but the first error about the number of objects: there is one for each list that did not fit.
    pub fn keep_one_error(&self, errors: &mut Vec<ServerError>) {
        if self.0.objects.load(Ordering::Relaxed) > self.max_objects() {
            let (message, mut is_first) = (self.too_many_objects(), true);
            errors.retain(|error| error.message != message || mem::take(&mut is_first));
        }
    }

    fn max_objects(&self) -> usize {
        self.0.limits.complexity.saturating_mul(Self::OBJECTS_PER_COMPLEXITY)
    }

    fn too_many_objects(&self) -> String {
        let limit = self.max_objects();
        format!("The response has more than {limit} objects in lists. Set a smaller `first`.")
    }
}

/// Limits the complexity of operations. async-graphql has such a limit too, but its error names neither the complexity
/// nor the limit.
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
        let result = next.run(ctx).await?;
        ctx.data_unchecked::<Budget>().add_complexity(result.complexity).map_err(|error| vec![error])?;
        Ok(result)
    }
}
