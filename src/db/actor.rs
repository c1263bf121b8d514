//! The actor of a transaction: a request, a command or the server itself, sent to the database with every transaction.
//! Rule: transports set the actor, `Db::transaction` sends it together with BEGIN, and the triggers of the audit log
//! read it; nothing in between passes it on. A spawned task has no actor, so its writes are recorded as the server's
//! own.

use std::{borrow::Cow, net::IpAddr};

use serde_json::json;

use crate::text_enum;

tokio::task_local! {
    static CURRENT: Actor;
}

/// Maximum length of the recorded request id or command, in characters.
const MAX_REQUEST_ID: usize = 100;

text_enum! {
    /// Authentication method of the author of a change.
    #[graphql(name = "AuditVia")]
    pub enum ActorKind {
        /// A user with the access token of a session.
        Session => "session",
        /// A user with an API key.
        ApiKey => "api_key",
        /// A viewer who was not logged in, for example during registration or login.
        Anonymous => "anonymous",
        /// A command of the command-line interface.
        CommandLine => "command_line",
        /// The server itself, or SQL that was run directly on the database.
        System => "system",
    }
}

/// The author of changes, and the origin of the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// Authentication method.
    pub kind: ActorKind,
    /// Key of the user.
    pub user: Option<i64>,
    /// Key of the session.
    pub session: Option<i64>,
    /// Key of the API key.
    pub api_key: Option<i64>,
    /// IP address of the client.
    pub address: Option<IpAddr>,
    /// Id of the request as in the logs, or the name of the command.
    pub request_id: Option<String>,
}

impl Actor {
    /// Returns the server itself as actor.
    pub fn system() -> Self {
        Self { kind: ActorKind::System, user: None, session: None, api_key: None, address: None, request_id: None }
    }

    /// Returns the actor for a command with this name.
    pub fn command(name: &str) -> Self {
        Self { kind: ActorKind::CommandLine, request_id: Some(name.to_owned()), ..Self::system() }
    }

    /// Runs a future in which all transactions belong to this actor.
    pub async fn scope<F: Future>(self, future: F) -> F::Output {
        CURRENT.scope(self, future).await
    }

    /// Returns the JSON that the triggers read.
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

/// Returns the SQL that begins a transaction and sets the actor of the current operation, if there is one.
pub(super) fn begin() -> Cow<'static, str> {
    let with = |actor: &Actor| format!("BEGIN; SET LOCAL souk.actor = {}", literal(&actor.json())).into();
    CURRENT.try_with(with).unwrap_or(Cow::Borrowed("BEGIN"))
}

/// Returns a SQL string literal that is independent of `standard_conforming_strings`. The text must not contain NUL.
fn literal(text: &str) -> String {
    format!("E'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_escape_quotes_and_backslashes() {
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
