//! What the graph answered, and ways to look at it.

use serde_json::Value;

/// What the graph answered.
#[derive(Debug)]
pub struct TestResponse {
    /// The whole answer.
    pub json: Value,
    /// The same as it came, where the order of fields counts.
    pub text: String,
    /// The SQL statements it took, in the order they were sent.
    pub sql: Vec<String>,
    pub(super) document: String,
}

impl TestResponse {
    /// What came for a document, and the statements it took where they are known.
    pub fn new(document: &str, text: String, sql: Vec<String>) -> Self {
        let json = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        Self { json, text, document: document.to_owned(), sql }
    }

    /// The data alone, byte for byte.
    pub fn data(&self) -> &str {
        self.text.split(r#","extensions":"#).next().unwrap_or_default()
    }

    /// The data at a path of keys and indices, `products.nodes.0.name`; panics where the answer has errors.
    #[track_caller]
    pub fn at(&self, path: &str) -> &Value {
        assert!(self.json["errors"].is_null(), "{}\nanswered {:#}", self.document, self.json);
        self.at_ignoring_errors(path)
    }

    /// The data at a path, errors or not.
    #[track_caller]
    pub fn at_ignoring_errors(&self, path: &str) -> &Value {
        let steps = path.split('.').filter(|step| !step.is_empty());
        steps.fold(&self.json["data"], |value, step| match step.parse::<usize>() {
            Ok(index) => &value[index],
            Err(_) => &value[step],
        })
    }

    /// The text at a path.
    #[track_caller]
    pub fn text_at(&self, path: &str) -> String {
        let value = self.at(path);
        value.as_str().unwrap_or_else(|| panic!("{path} is {value}, no text, in {:#}", self.json)).to_owned()
    }

    /// The code of the first top-level error.
    #[track_caller]
    pub fn code(&self) -> &str {
        let code = &self.json["errors"][0]["extensions"]["code"];
        code.as_str().unwrap_or_else(|| panic!("{}\nhas no coded error: {:#}", self.document, self.json))
    }

    /// Codes and fields of the user errors of a mutation.
    #[track_caller]
    pub fn user_errors(&self, mutation: &str) -> Vec<(String, String)> {
        let errors = self.at(&format!("{mutation}.userErrors"));
        let errors = errors.as_array().unwrap_or_else(|| panic!("{mutation} has no userErrors: {:#}", self.json));
        let text = |error: &Value, key: &str| error[key].as_str().unwrap_or_default().to_owned();
        errors.iter().map(|error| (text(error, "code"), text(error, "field"))).collect()
    }

    /// How many SQL statements it took.
    #[track_caller]
    pub fn statements(&self) -> u64 {
        assert!(self.json["errors"].is_null(), "{}\nanswered {:#}", self.document, self.json);
        self.json["extensions"]["sql"]["statements"].as_u64().expect("the tests' server says so")
    }
}
