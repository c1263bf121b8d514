//! The rows and cases that a domain contributes to the tests that cover all domains, so that those tests name no
//! domain: rows for the access matrices, and cases for the audit log and for batching.
//! A domain declares its fixtures in its own directory and lists them in [`crate::DOMAINS`].

use futures_util::future::BoxFuture;
use souk::ids::ProductId;

use super::Actor;

/// Rows and cases of a domain.
pub struct DomainFixtures {
    /// Creates a row of each type of the domain that belongs to this actor and refers to this product; returns the
    /// types and global ids.
    pub rows: for<'a> fn(&'a Actor<'a>, ProductId) -> BoxFuture<'a, Vec<(&'static str, String)>>,
    /// Types whose rows are not visible to everyone.
    pub restricted_types: &'static [&'static str],
    /// Expected audit log entries of its mutations. The ids of `rows` appear under the names of their types, in
    /// capitals.
    pub audit_cases: &'static [AuditCase],
    /// Mutations that leave no audit log entry, each with its reason.
    pub unaudited_mutations: &'static [(&'static str, &'static str)],
    /// Operations that together select every field of its types that returns an object.
    pub batch_cases: &'static [BatchCase],
    /// Ids used in `batch_cases`: names in capitals, and their values.
    pub batch_ids: fn() -> Vec<(&'static str, String)>,
    /// Returns SQL that adds rows of the domain for this number of parents; see [`super::TestApp::seed_all`].
    pub seed_sql: fn(i64) -> String,
}

/// A mutation, its input, and the entries that it leaves in the audit log: change, resource, code of its website (`-`
/// for none), before and after. Words in capitals stand for ids of the scenario. Times are left out.
pub struct AuditCase(pub &'static str, pub &'static str, pub &'static [&'static str]);

/// An operation and the number of SQL statements that it takes. `PAGE` stands for all rows of a connection.
pub struct BatchCase(pub &'static str, pub u64);
