//! Who writes: a request, a command or the program itself, told to the database with every transaction.
//! Rule: a door sets the actor, `Db::transaction` sends it along with BEGIN, the triggers of the audit log read it; nobody
//! in between hands it on. A spawned task has none, and what it writes the program wrote.

use std::{borrow::Cow, net::IpAddr};

use serde_json::json;

use crate::text_enum;

tokio::task_local! {
    static CURRENT: Actor;
}

/// Longest request id or command that is told, in characters.
const MAX_REQUEST_ID: usize = 100;

text_enum! {
    /// By what somebody wrote.
    #[graphql(name = "AuditVia")]
    pub enum ActorKind {
        /// A user with the access token of a session.
        Session => "session",
        /// A user's API key.
        ApiKey => "api_key",
        /// Somebody who is not logged in: a registration, a login.
        Anonymous => "anonymous",
        /// A command of the command line.
        CommandLine => "command_line",
        /// The program itself, or SQL past the program.
        System => "system",
    }
}

/// Who writes, and from where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// By what.
    pub kind: ActorKind,
    /// The user's key.
    pub user: Option<i64>,
    /// The key of the session.
    pub session: Option<i64>,
    /// The key of the API key.
    pub api_key: Option<i64>,
    /// The client's address.
    pub address: Option<IpAddr>,
    /// The request's id, as the log lines have it; the name of a command.
    pub request_id: Option<String>,
}

impl Actor {
    /// Nobody but the program.
    pub fn system() -> Self {
        Self { kind: ActorKind::System, user: None, session: None, api_key: None, address: None, request_id: None }
    }

    /// A command of the command line, by its name.
    pub fn command(name: &str) -> Self {
        Self { kind: ActorKind::CommandLine, request_id: Some(name.to_owned()), ..Self::system() }
    }

    /// Runs a future whose transactions are this actor's.
    pub async fn scope<F: Future>(self, future: F) -> F::Output {
        CURRENT.scope(self, future).await
    }

    /// What the triggers read.
    fn json(&self) -> String {
        let plain = |id: &String| id.chars().filter(|c| !c.is_control()).take(MAX_REQUEST_ID).collect::<String>();
        json!({
            "via": self.kind.as_str(),
            "user": self.user,
            "session": self.session,
            "api_key": self.api_key,
            "address": self.address,
            "request_id": self.request_id.as_ref().map(plain),
        })
        .to_string()
    }
}

/// How a transaction begins: together with the running operation's actor, where it has one.
pub(super) fn begin() -> Cow<'static, str> {
    let with = |actor: &Actor| format!("BEGIN; SET LOCAL souk.actor = {}", literal(&actor.json())).into();
    CURRENT.try_with(with).unwrap_or(Cow::Borrowed("BEGIN"))
}

/// A text constant of SQL, whatever `standard_conforming_strings` says. The text has no NUL.
fn literal(text: &str) -> String {
    format!("E'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_has_no_lone_quote_or_backslash() {
        assert_eq!(literal(r"a'b\c"), r"E'a''b\\c'");
        assert_eq!(literal(r"\'; DROP TABLE users; --"), r"E'\\''; DROP TABLE users; --'");
    }

    #[tokio::test]
    async fn a_transaction_begins_with_the_actor_of_its_task() {
        assert_eq!(begin(), "BEGIN");
        let hostile = Actor { request_id: Some("'\0\n".to_owned() + &"x".repeat(200)), ..Actor::command("") };
        let sql = hostile.scope(async { begin() }).await;
        assert!(sql.starts_with("BEGIN; SET LOCAL souk.actor = E'{\"via\":\"command_line\","), "{sql}");
        assert!(sql.ends_with(&format!("\"request_id\":\"''{}\"}}'", "x".repeat(99))), "{sql}");
        let spawned = Actor::system().scope(async { tokio::spawn(async { begin() }).await }).await;
        assert_eq!(spawned.expect("no panic"), "BEGIN");
    }
}
