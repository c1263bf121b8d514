//! What a domain gives the tests that hold for every domain, so that those tests name no domain: rows of its types for the
//! access matrices, and cases for the audit log and for batching.
//! A domain declares its own in its directory and is listed in [`crate::DOMAINS`].

use futures_util::future::BoxFuture;
use souk::ids::ProductId;

use super::Actor;

/// Rows and cases of a domain.
pub struct DomainFixtures {
    /// Creates a row of each type of the domain, which belongs to this actor and refers to this product: the types and the
    /// global ids.
    pub rows: for<'a> fn(&'a Actor<'a>, ProductId) -> BoxFuture<'a, Vec<(&'static str, String)>>,
    /// The types whose rows not everyone may see.
    pub restricted_types: &'static [&'static str],
    /// What its mutations leave in the audit log. The ids of `rows` stand there under the names of their types, in capitals.
    pub audit_cases: &'static [AuditCase],
    /// The mutations that leave nothing in the audit log, and why.
    pub unaudited_mutations: &'static [(&'static str, &'static str)],
    /// Operations that together select every field of its types that returns an object.
    pub batch_cases: &'static [BatchCase],
    /// The ids in `batch_cases`: names in capitals, and what they stand for.
    pub batch_ids: fn() -> Vec<(&'static str, String)>,
    /// SQL that adds rows of the domain to a market of so many parents; see [`super::TestApp::seed_all`].
    pub seed_sql: fn(i64) -> String,
}

/// A mutation, its input, and the entries that it leaves in the audit log: change, resource, code of its website (`-` for
/// none), before and after. Words in capitals stand for the ids of the shop. Times are left out.
pub struct AuditCase(pub &'static str, pub &'static str, pub &'static [&'static str]);

/// An operation and the number of SQL statements that it takes. `PAGE` stands for all of a connection.
pub struct BatchCase(pub &'static str, pub u64);
