//! Users who register, log in with a password and receive email.

use serde_json::json;
use souk::ids::{RowId, UserId};

use super::{Actor, TestApp, TestResponse, email::Email};

/// Initial password of every user.
pub const PASSWORD: &str = "four unusual words here";

impl TestApp {
    /// Tries to register an account.
    pub async fn register(&self, email: &str) -> TestResponse {
        let input = json!({ "name": "Ada", "email": email, "password": PASSWORD });
        self.anonymous().mutate("register", "user { id isEmailVerified }", input).await
    }

    /// Registers an account and verifies its email address with the token from the email.
    pub async fn register_verified(&self, email: &str) -> UserId {
        let id = self.register(email).await.text_at("register.user.id");
        let token = self.email().await.token();
        assert_eq!(self.use_token("emailVerify", &token).await.outcome("emailVerify"), "done");
        UserId::parse("id", &id).expect("an id")
    }

    /// Tries to log in.
    pub async fn login(&self, email: &str, password: &str) -> TestResponse {
        let input = json!({ "email": email, "password": password });
        self.anonymous().mutate("login", "accessToken refreshToken user { id }", input).await
    }

    /// Logs in with a password and returns the session's actor.
    pub async fn log_in_with_password(&self, email: &str, password: &str) -> Actor<'_> {
        let response = self.login(email, password).await;
        let id = UserId::parse("id", &response.text_at("login.user.id")).expect("an id");
        self.with_token(response.text_at("login.accessToken"), id)
    }

    /// Sends a token to a mutation that takes one, with a new password if the mutation needs it.
    pub async fn use_token(&self, mutation: &str, token: &str) -> TestResponse {
        let input = match mutation {
            "passwordReset" => json!({ "token": token, "password": PASSWORD }),
            _ => json!({ "token": token }),
        };
        self.anonymous().mutate(mutation, "user { id email isEmailVerified }", input).await
    }

    /// Returns the only email sent since the last call.
    #[track_caller]
    pub fn email(&self) -> impl Future<Output = Email> {
        let caller = std::panic::Location::caller();
        async move {
            let mut emails = self.emails().await;
            assert_eq!(emails.len(), 1, "{caller}: {:?}", emails.iter().map(email_summary).collect::<Vec<_>>());
            emails.remove(0)
        }
    }

    /// Returns the recipient and subject of each email sent since the last call, sorted.
    pub async fn email_summaries(&self) -> Vec<String> {
        let mut lines: Vec<_> = self.emails().await.iter().map(email_summary).collect();
        lines.sort();
        lines
    }
}

/// Returns an email's recipient and subject.
pub fn email_summary(mail: &Email) -> String {
    format!("{}: {}", mail.to.join(", "), mail.header("subject"))
}

impl Actor<'_> {
    /// Returns whether the actor's session is still valid.
    pub async fn has_valid_session(&self) -> bool {
        self.run("{ me { id } }").await.json["errors"].is_null()
    }
}

impl TestResponse {
    /// Returns everything an outsider could observe, timing included: the response data byte for byte, and the
    /// statements without their values.
    pub fn observable_output(&self) -> (String, Vec<String>) {
        let values = [" -- binds", "; SET LOCAL"];
        let statement = |sql: &String| {
            let text = values.iter().fold(sql.as_str(), |text, end| text.split(end).next().unwrap_or_default());
            text.to_owned()
        };
        (self.data().to_owned(), self.sql.iter().map(statement).collect())
    }
}
