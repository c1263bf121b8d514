//! A plain database session outside the program: for the system catalog, and for statements of other writers.

use tokio_postgres::{Client, Error, NoTls, SimpleQueryMessage};

/// A database session.
pub struct Psql(Client);

impl Psql {
    /// Opens a session.
    pub async fn connect(url: &str) -> Self {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("a database connection");
        tokio::spawn(connection);
        Self(client)
    }

    /// Returns the rows of the statements, every value as text and NULL as empty text.
    pub async fn rows(&self, sql: &str) -> Vec<Vec<String>> {
        let messages = self.try_run(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
        let rows = messages.into_iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => {
                Some((0..row.len()).map(|index| row.get(index).unwrap_or_default().to_owned()).collect())
            }
            _ => None,
        });
        rows.collect()
    }

    /// Returns the first column of the rows.
    pub async fn column(&self, sql: &str) -> Vec<String> {
        self.rows(sql).await.into_iter().map(|mut row| row.remove(0)).collect()
    }

    /// Returns the only value of the only row.
    pub async fn scalar(&self, sql: &str) -> String {
        let mut rows = self.column(sql).await;
        assert_eq!(rows.len(), 1, "{sql}");
        rows.remove(0)
    }

    /// Runs statements.
    pub async fn try_run(&self, sql: &str) -> Result<Vec<SimpleQueryMessage>, Error> {
        self.0.simple_query(sql).await
    }
}

/// Returns the constraint that an error names, or its message if it names none.
pub fn violated_constraint(error: &Error) -> String {
    let Some(error) = error.as_db_error() else { return error.to_string() };
    error.constraint().unwrap_or(error.message()).to_owned()
}
