//! The examples of a page run in their order against a fresh copy of the demo market.
//! `UPDATE_DOCS=1 cargo test docs` writes the outputs that differ into the pages.
//!
//! - A `graphql` block is sent to the server. `as=customer` in its info string sends it as that demo login, and a `json variables`
//!   block behind it has its variables. A `json` block behind that shows the response; without one there must be no errors.
//! - The `sh` blocks of a page run in one bash. A `text` or `json` block behind one shows its output.
//! - `skip="reason"` leaves out a block that cannot run here. `…` stands for what differs from run to run.

use std::{collections::HashMap, fs, path::Path, sync::OnceLock};

use serde_json::{Value, json};

use super::{
    pages::{self, Block, Page},
    shell::Shell,
    wildcard::{matches_json, matches_text},
};
use crate::support::{
    TestDb,
    process::{DataDir, ServerProcess, post_body},
};

/// The address that the pages show.
const SHOWN_ADDRESS: &str = "127.0.0.1:8000";

/// A database with the demo market, and the directory with its files.
struct DemoMarket {
    url: String,
    dir: DataDir,
}

/// The market that the pages get copies of, filled once.
fn demo_market() -> &'static DemoMarket {
    static MARKET: OnceLock<DemoMarket> = OnceLock::new();
    MARKET.get_or_init(|| {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let url = runtime.block_on(TestDb::empty_url());
        let dir = DataDir::new();
        for command in ["migrate", "demo"] {
            let output = dir.command(&[command]).env("DATABASE_URL", &url).output().expect("the binary runs");
            assert!(output.status.success(), "souk {command}: {}", String::from_utf8_lossy(&output.stderr));
        }
        DemoMarket { url, dir }
    })
}

fn copy_directory(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a directory");
    for entry in fs::read_dir(from).expect("a directory") {
        let path = entry.expect("an entry").path();
        let target = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy_directory(&path, &target);
        } else {
            fs::copy(&path, &target).expect("a copy");
        }
    }
}

/// A server with a copy of the demo market, for the examples of one page.
struct Session {
    server: ServerProcess,
    shell: Shell,
    tokens: HashMap<String, String>,
    _dir: DataDir,
}

impl Session {
    fn start() -> Self {
        let market = demo_market();
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let url = runtime.block_on(TestDb::copy_url(&market.url));
        let dir = DataDir::new();
        if market.dir.0.join("files").exists() {
            copy_directory(&market.dir.0.join("files"), &dir.0.join("files"));
        }
        let mut command = dir.command(&["serve", "--listen", "127.0.0.1:0"]);
        let server = ServerProcess::start({
            command.env("DATABASE_URL", &url);
            command
        });
        let data_dir = dir.0.to_string_lossy().into_owned();
        let listen = server.address.to_string();
        let variables = [("DATABASE_URL", url.as_str()), ("SOUK_DATA_DIR", &data_dir), ("SOUK_LISTEN", &listen)];
        let shell = Shell::start(&dir.0, &variables);
        Self { server, shell, tokens: HashMap::new(), _dir: dir }
    }

    fn token(&mut self, role: &str) -> String {
        let log_in = || self.server.log_in(&format!("{role}@souk.example"), &format!("demo-{role}-2026"));
        self.tokens.entry(role.to_owned()).or_insert_with(log_in).clone()
    }

    fn send(&mut self, block: &Block, variables: Option<&Block>) -> Value {
        let token = block.attribute("as").map(|role| self.token(role));
        let variables =
            variables.map_or(Value::Null, |block| serde_json::from_str(&block.code).expect("JSON variables"));
        let body = json!({ "query": block.code, "variables": variables });
        let (_, response) = post_body(self.server.address, token.as_deref(), &body.to_string());
        let response = response.replace(&self.server.address.to_string(), SHOWN_ADDRESS);
        let mut response: Value = serde_json::from_str(&response).unwrap_or_else(|error| panic!("{error}: {response}"));
        // Only development servers have it, and it differs from run to run.
        response.as_object_mut().map(|response| response.shift_remove("extensions"));
        response
    }

    fn run(&mut self, block: &Block) -> (String, String) {
        let address = self.server.address.to_string();
        let (output, code) = self.shell.run(&block.code.replace(SHOWN_ADDRESS, &address));
        (output.replace(&address, SHOWN_ADDRESS), code)
    }
}

/// Whether a response has errors of any kind.
fn has_errors(value: &Value) -> bool {
    let is_failure = |(name, value): (&String, &Value)| {
        (name == "userErrors" || name == "errors") && value.as_array().is_some_and(|errors| !errors.is_empty())
            || has_errors(value)
    };
    match value {
        Value::Object(fields) => fields.iter().any(is_failure),
        Value::Array(items) => items.iter().any(has_errors),
        _ => false,
    }
}

/// A JSON value as the pages show it: on one line where it fits, else a line for each part.
fn show(value: &Value, indent: usize) -> String {
    let line = value.to_string();
    let spaced = line.replace("\":", "\": ").replace(",\"", ", \"").replace("},{", "}, {");
    if indent + spaced.chars().count() <= 100 && serde_json::from_str::<Value>(&spaced).is_ok_and(|same| same == *value)
    {
        return spaced;
    }
    let pad = " ".repeat(indent + 2);
    let end = " ".repeat(indent);
    match value {
        Value::Object(fields) => {
            let parts: Vec<_> = fields
                .iter()
                .map(|(name, value)| format!("{pad}{}: {}", json!(name), show(value, indent + 2)))
                .collect();
            format!("{{\n{}\n{end}}}", parts.join(",\n"))
        }
        Value::Array(items) => {
            let parts: Vec<_> = items.iter().map(|item| format!("{pad}{}", show(item, indent + 2))).collect();
            format!("[\n{}\n{end}]", parts.join(",\n"))
        }
        _ => line,
    }
}

/// An example that did not do what the page shows.
struct Difference {
    line: usize,
    why: String,
    /// The block that shows the output, and what it should show.
    correction: Option<(usize, String)>,
}

fn compare_json(line: usize, shown: Option<&Block>, actual: &Value) -> Option<Difference> {
    let Some(shown) = shown else {
        let why = format!("the response has errors: {actual}");
        return has_errors(actual).then_some(Difference { line, why, correction: None });
    };
    let result = serde_json::from_str(&shown.code)
        .map_err(|error| error.to_string())
        .and_then(|value| matches_json("", &value, actual));
    let why = result.err()?;
    Some(Difference { line, why, correction: Some((shown.line, show(actual, 0))) })
}

fn compare_text(line: usize, shown: Option<&Block>, output: &str, code: &str) -> Option<Difference> {
    if code != "0" {
        return Some(Difference { line, why: format!("exit code {code}: {output}"), correction: None });
    }
    let shown = shown?;
    if shown.language == "json"
        && let Ok(actual) = serde_json::from_str::<Value>(output)
    {
        return compare_json(line, Some(shown), &actual);
    }
    let why = format!("the page shows:\n{}\nthe output is:\n{output}", shown.code);
    let correction = Some((shown.line, output.to_owned()));
    (!matches_text(shown.code.trim_end(), output)).then_some(Difference { line, why, correction })
}

fn check(page: &Page) -> Vec<Difference> {
    let blocks = page.blocks();
    let is_run =
        |block: &Block| matches!(block.language.as_str(), "graphql" | "sh") && block.attribute("skip").is_none();
    if !blocks.iter().any(is_run) {
        return Vec::new();
    }
    let mut session = Session::start();
    let mut differences = Vec::new();
    for (index, block) in blocks.iter().enumerate().filter(|(_, block)| is_run(block)) {
        let mut rest = blocks[index + 1..].iter();
        if block.language == "sh" {
            let shown = rest.next().filter(|next| matches!(next.language.as_str(), "text" | "json"));
            let (output, code) = session.run(block);
            differences.extend(compare_text(block.line, shown, &output, &code));
            continue;
        }
        let mut next = rest.next();
        let variables = next.filter(|next| next.language == "json" && next.attributes == "variables");
        if variables.is_some() {
            next = rest.next();
        }
        let shown = next.filter(|next| next.language == "json" && next.attributes.is_empty());
        let response = session.send(block, variables);
        differences.extend(compare_json(block.line, shown, &response));
    }
    differences
}

/// The page with the outputs that its examples have.
fn corrected(page: &Page, differences: &[Difference]) -> String {
    let mut lines: Vec<String> = page.text.lines().map(str::to_owned).collect();
    let mut corrections: Vec<_> = differences.iter().filter_map(|difference| difference.correction.as_ref()).collect();
    corrections.sort_by_key(|(line, _)| std::cmp::Reverse(*line));
    for (line, text) in corrections {
        let end = (*line..lines.len()).find(|index| lines[*index].trim() == "```").expect("the block ends");
        lines.splice(*line..end, text.lines().map(str::to_owned));
    }
    lines.join("\n") + "\n"
}

#[test]
fn examples_do_what_the_pages_show() {
    let mut failures = Vec::new();
    for page in pages::all() {
        let differences = check(&page);
        if std::env::var_os("UPDATE_DOCS").is_some()
            && differences.iter().any(|difference| difference.correction.is_some())
        {
            fs::write(pages::root().join(&page.path), corrected(&page, &differences)).expect("the page can be written");
        }
        let named = |difference: Difference| format!("{}:{}: {}", page.path.display(), difference.line, difference.why);
        failures.extend(differences.into_iter().map(named));
    }
    assert!(
        failures.is_empty(),
        "`UPDATE_DOCS=1 cargo test docs` writes the outputs anew.\n\n{}",
        failures.join("\n\n")
    );
}

#[test]
fn every_code_block_has_a_language_and_skipped_examples_a_reason() {
    for page in pages::all() {
        for block in page.blocks() {
            let place = format!("{}:{}", page.path.display(), block.line);
            assert!(!block.language.is_empty(), "{place}: name the language of the block");
            assert!(block.attribute("skip") != Some(""), "{place}: say why the example is skipped");
        }
    }
}
