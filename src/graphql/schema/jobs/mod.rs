//! GraphQL types, queries and mutations of background jobs.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject};
use chrono::{DateTime, Utc};
use souk_macros::object;

use crate::{
    auth::Permission,
    db::filter::Filter,
    error::Result,
    graphql::{
        engine::{
            connections::{Connection, root_connection},
            filters::{DateTimeFilter, FilterBuilder, StringFilter},
            guards::PermissionGuard,
            list_args::{ListArgs, Where, order_by, where_input},
            payload::payload,
            scalars::global_id,
        },
        schema::{context::ContextExt, resource::resource},
    },
    ids::{JobId, RowId},
    jobs::{
        self, actions,
        model::{JobCondition, JobOrderField, JobState, JobSummary},
        store::{self, JobList},
    },
    paging::Direction,
};

/// A background job.
#[derive(Clone)]
pub struct Job(Arc<JobSummary>);

resource! {
    Job(job) by JobId of JobSummary,
    |conn, context, ids| jobs::store::by_ids(conn, &context.scope(Permission::ManageJobs), &ids), row => row.id,
}

/// A background job, such as sending an email. Completed jobs are deleted, unless they recur.
#[object]
impl Job {
    /// Opaque global ID.
    pub fn id(&self) -> ID {
        global_id(self.0.id)
    }

    /// Kind of the job, such as `mail`.
    fn kind(&self) -> &str {
        &self.0.kind
    }

    /// Current state of the job.
    fn state(&self) -> JobState {
        self.0.state()
    }

    /// Number of attempts so far; for a recurring job, since its last success.
    fn attempts(&self) -> i32 {
        self.0.attempts
    }

    /// When the job is due (UTC).
    fn run_at(&self) -> DateTime<Utc> {
        self.0.run_at
    }

    /// When the lease of the worker that runs the job ends (UTC); null if the job is not running.
    fn locked_until(&self) -> Option<DateTime<Utc>> {
        self.0.locked_until
    }

    /// Error of the last failed attempt; null if the job has not failed.
    fn last_error(&self) -> Option<&str> {
        self.0.last_error.as_deref()
    }

    /// Whether the job is scheduled again after each run. A recurring job never becomes `DEAD`.
    fn is_recurring(&self) -> bool {
        self.0.is_recurring
    }

    /// When the job was created (UTC).
    fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }
}

/// Filter by state; conditions are combined with AND.
#[derive(Debug, Default, InputObject)]
pub struct JobStateFilter {
    /// Matches this value.
    eq: Option<JobState>,
    /// Matches any of these values (at most 100).
    r#in: Option<Vec<JobState>>,
}

where_input! {
    /// Filters for jobs; conditions are combined with AND.
    JobWhere {
        /// Filter by state.
        state: Option<JobStateFilter>,
        /// Filter by kind.
        kind: Option<StringFilter>,
        /// Filter by creation time.
        created_at: Option<DateTimeFilter>,
    }
}

impl Where for JobWhere {
    type Condition = JobCondition;

    fn into_filter(self) -> Result<Filter<JobCondition>> {
        use JobCondition as C;
        let mut filter = FilterBuilder::with_nested(self.and, self.or, self.not, Self::into_filter)?;
        let state = self.state.unwrap_or_default();
        filter.choice("state", state.eq, state.r#in, C::State)?;
        filter.text("kind", self.kind, C::Kind)?;
        filter.time(self.created_at, C::CreatedAt);
        filter.build()
    }
}

order_by! {
    /// Sort order of jobs.
    JobOrder by JobOrderField
}

/// Input for `jobRetry`.
#[derive(Debug, InputObject)]
pub struct JobRetryInput {
    /// ID of a job whose state is `DEAD`.
    id: ID,
}

/// Input for `jobDelete`.
#[derive(Debug, InputObject)]
pub struct JobDeleteInput {
    /// ID of a job whose state is `DEAD`.
    id: ID,
}

payload! {
    /// Result of `jobRetry`.
    JobRetryPayload {
        /// The job, which is queued again.
        job: Job
    }
}
payload! {
    /// Result of `jobDelete`.
    JobDeletePayload {
        /// The deleted job.
        job: Job
    }
}

/// Queries of jobs.
#[derive(Default)]
pub struct JobQuery;

#[object]
impl JobQuery {
    /// Background jobs that are not completed, by default newest first. Jobs belong to no website, so a role that is
    /// restricted to websites sees none. Requires `MANAGE_JOBS`.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageJobs])")]
    async fn jobs(&self, ctx: &Context<'_>, list_args: ListArgs<JobWhere, JobOrder>) -> Result<Connection<Job>> {
        let list: JobList = list_args.into_list((JobOrderField::CreatedAt, Direction::Desc), JobOrderField::list)?;
        let scope = ctx.viewer().scope(Permission::ManageJobs);
        let rows = ctx.db().read(async |conn| store::page(conn, &scope, &list).await);
        let count = ctx.db().read(async |conn| store::count(conn, &scope, &list).await);
        root_connection(ctx, &list.page, rows, count, |row| (list.order.key(row), row.id), job).await
    }
}

/// Mutations of jobs.
#[derive(Default)]
pub struct JobMutation;

#[object]
impl JobMutation {
    /// Queues a dead job again. It is due immediately and has all its attempts again. Requires `MANAGE_JOBS`.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageJobs])")]
    async fn job_retry(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The job to retry.")] input: JobRetryInput,
    ) -> Result<JobRetryPayload> {
        let retried = async { actions::retry(ctx.db(), ctx.viewer(), JobId::parse("id", &input.id)?).await };
        JobRetryPayload::of(retried.await.map(job))
    }

    /// Deletes a dead job without completing it. Requires `MANAGE_JOBS`.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageJobs])")]
    async fn job_delete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The job to delete.")] input: JobDeleteInput,
    ) -> Result<JobDeletePayload> {
        let deleted = async { actions::delete(ctx.db(), ctx.viewer(), JobId::parse("id", &input.id)?).await };
        JobDeletePayload::of(deleted.await.map(job))
    }
}
