//! The response to an operation, and ways to examine it.

use serde_json::Value;

/// The response to an operation.
#[derive(Debug)]
pub struct TestResponse {
    /// The whole response.
    pub json: Value,
    /// The body as received, for tests of the field order.
    pub text: String,
    /// The SQL statements that were run, in order.
    pub sql: Vec<String>,
    pub(super) document: String,
}

impl TestResponse {
    /// Parses the response to a document; `sql` holds the statements if they are known.
    pub fn new(document: &str, text: String, sql: Vec<String>) -> Self {
        let json = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        Self { json, text, document: document.to_owned(), sql }
    }

    /// Returns the data only, byte for byte.
    pub fn data(&self) -> &str {
        self.text.split(r#","extensions":"#).next().unwrap_or_default()
    }

    /// Returns the data at a path of keys and indices, `products.nodes.0.name`; panics if the response has errors.
    #[track_caller]
    pub fn at(&self, path: &str) -> &Value {
        assert!(self.json["errors"].is_null(), "{}\nreturned {:#}", self.document, self.json);
        self.at_ignoring_errors(path)
    }

    /// Returns the data at a path, whether or not there are errors.
    #[track_caller]
    pub fn at_ignoring_errors(&self, path: &str) -> &Value {
        let steps = path.split('.').filter(|step| !step.is_empty());
        steps.fold(&self.json["data"], |value, step| match step.parse::<usize>() {
            Ok(index) => &value[index],
            Err(_) => &value[step],
        })
    }

    /// Returns the text at a path.
    #[track_caller]
    pub fn text_at(&self, path: &str) -> String {
        let value = self.at(path);
        value.as_str().unwrap_or_else(|| panic!("{path} is {value}, not text, in {:#}", self.json)).to_owned()
    }

    /// Returns the code of the first top-level error.
    #[track_caller]
    pub fn code(&self) -> &str {
        let code = &self.json["errors"][0]["extensions"]["code"];
        code.as_str().unwrap_or_else(|| panic!("{}\nhas no error with a code: {:#}", self.document, self.json))
    }

    /// Returns the codes and fields of a mutation's user errors.
    #[track_caller]
    pub fn user_errors(&self, mutation: &str) -> Vec<(String, String)> {
        let errors = self.at(&format!("{mutation}.userErrors"));
        let errors = errors.as_array().unwrap_or_else(|| panic!("{mutation} has no userErrors: {:#}", self.json));
        let text = |error: &Value, key: &str| error[key].as_str().unwrap_or_default().to_owned();
        errors.iter().map(|error| (text(error, "code"), text(error, "field"))).collect()
    }

    /// Returns the number of SQL statements that were run.
    #[track_caller]
    pub fn statements(&self) -> u64 {
        assert!(self.json["errors"].is_null(), "{}\nreturned {:#}", self.document, self.json);
        self.json["extensions"]["sql"]["statements"].as_u64().expect("the number of SQL statements")
    }

    /// Returns the number of round trips to the database; statements that were sent together count as one.
    #[track_caller]
    pub fn round_trips(&self) -> u64 {
        assert!(self.json["errors"].is_null(), "{}\nreturned {:#}", self.document, self.json);
        self.json["extensions"]["sql"]["roundTrips"].as_u64().expect("the number of round trips")
    }
}
