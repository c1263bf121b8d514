//! Background jobs in the graph, for those who look after them.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject};
use chrono::{DateTime, Utc};
use souk_macros::object;

use crate::{
    auth::Permission,
    db::filter::{Filter, Op},
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

/// Work in the background.
#[derive(Clone)]
pub struct Job(Arc<JobSummary>);

resource! {
    Job(job) by JobId of JobSummary,
    |conn, context, ids| jobs::store::by_ids(conn, &context.scope(Permission::ManageJobs), &ids), row => row.id,
}

/// Work in the background, such as a mail to be sent. One that is done is gone, unless it recurs.
#[object]
impl Job {
    /// Opaque id, unique across all types.
    pub fn id(&self) -> ID {
        global_id(self.0.id)
    }

    /// What is to be done, such as `mail`.
    fn kind(&self) -> &str {
        &self.0.kind
    }

    /// Where it stands.
    fn state(&self) -> JobState {
        self.0.state()
    }

    /// How often it was begun; of a recurring one, since it last succeeded.
    fn attempts(&self) -> i32 {
        self.0.attempts
    }

    /// When it is due.
    fn run_at(&self) -> DateTime<Utc> {
        self.0.run_at
    }

    /// Until when it is the worker's that runs it; null where none does.
    fn locked_until(&self) -> Option<DateTime<Utc>> {
        self.0.locked_until
    }

    /// Why it failed the last time; null where it did not.
    fn last_error(&self) -> Option<&str> {
        self.0.last_error.as_deref()
    }

    /// Whether it waits for its next time when it is done. Such a job is never dead.
    fn is_recurring(&self) -> bool {
        self.0.is_recurring
    }

    /// When it was queued.
    fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }
}

/// Conditions on where a job stands. Both hold together.
#[derive(Debug, Default, InputObject)]
pub struct JobStateFilter {
    /// It is this one.
    eq: Option<JobState>,
    /// It is one of these.
    r#in: Option<Vec<JobState>>,
}

where_input! {
    /// Which jobs. Several fields hold together.
    JobWhere {
        /// By where it stands.
        state: Option<JobStateFilter>,
        /// By kind.
        kind: Option<StringFilter>,
        /// By when it was queued.
        created_at: Option<DateTimeFilter>,
    }
}

impl Where for JobWhere {
    type Condition = JobCondition;

    fn into_filter(self) -> Result<Filter<JobCondition>> {
        use JobCondition as C;
        let mut filter = FilterBuilder::with_nested(self.and, self.or, self.not, Self::into_filter)?;
        let state = self.state.unwrap_or_default();
        filter.condition(state.eq.map(|state| C::State(Op::Eq(state))));
        filter.condition(state.r#in.map(|any| C::State(Op::In(any))));
        filter.text("kind", self.kind, C::Kind)?;
        filter.time(self.created_at, C::CreatedAt);
        filter.build()
    }
}

order_by! {
    /// The order of a list of jobs.
    JobOrder by JobOrderField
}

/// Which job to run again.
#[derive(Debug, InputObject)]
pub struct JobRetryInput {
    /// Which job: a dead one.
    id: ID,
}

/// Which job to delete.
#[derive(Debug, InputObject)]
pub struct JobDeleteInput {
    /// Which job: a dead one.
    id: ID,
}

payload! {
    /// The answer of `jobRetry`.
    JobRetryPayload {
        /// The job, queued again.
        job: Job
    }
}
payload! {
    /// The answer of `jobDelete`.
    JobDeletePayload {
        /// The job as it was.
        job: Job
    }
}

/// Queries of jobs.
#[derive(Default)]
pub struct JobQuery;

#[object]
impl JobQuery {
    /// The jobs that are not done, by default the latest first. They belong to no website: a role that is limited to some sees
    /// none. Requires MANAGE_JOBS.
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
    /// Queues a dead job again, due at once, with all its attempts before it. Requires MANAGE_JOBS.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageJobs])")]
    async fn job_retry(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which job.")] input: JobRetryInput,
    ) -> Result<JobRetryPayload> {
        let retried = async { actions::retry(ctx.db(), ctx.viewer(), JobId::parse("id", &input.id)?).await };
        JobRetryPayload::of(retried.await.map(job))
    }

    /// Deletes a dead job: what it was to do is never done. Requires MANAGE_JOBS.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageJobs])")]
    async fn job_delete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which job.")] input: JobDeleteInput,
    ) -> Result<JobDeletePayload> {
        let deleted = async { actions::delete(ctx.db(), ctx.viewer(), JobId::parse("id", &input.id)?).await };
        JobDeletePayload::of(deleted.await.map(job))
    }
}
