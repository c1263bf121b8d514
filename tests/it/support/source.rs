//! The program's sources as tokens, without comments, string literals and unit tests.

use std::path::{Path, PathBuf};

/// A source file.
pub struct Source {
    /// Path from the root of the repository.
    pub path: String,
    /// Contents of the file.
    pub text: String,
    /// Its tokens, without comments, string literals and unit tests; `::` is one token.
    pub tokens: Vec<String>,
    /// Its string literals, without those of unit tests.
    pub literals: Vec<String>,
    /// Module path of the file: `["orders", "store"]`.
    pub module: Vec<String>,
}

impl Source {
    /// Reads every Rust file below a directory of the repository.
    pub fn all(dir: &str) -> Vec<Self> {
        let top = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut files = Vec::new();
        walk(&top.join(dir), &mut files);
        files.sort();
        let read = |file: PathBuf| {
            let path = file.strip_prefix(top).expect("a file of the repository").to_str().expect("UTF-8").to_owned();
            Self::new(path, std::fs::read_to_string(&file).expect("a source file"))
        };
        files.into_iter().map(read).collect()
    }

    fn new(path: String, text: String) -> Self {
        let program = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
        let (tokens, literals) = tokenize(program);
        let module = path.trim_start_matches("src/").trim_end_matches(".rs").split('/');
        let module = module.filter(|part| !["mod", "lib", "main"].contains(part)).map(ToOwned::to_owned).collect();
        Self { path, text, tokens, literals, module }
    }

    /// Returns its top-level module: `orders`, `db`, `ids`.
    pub fn top(&self) -> &str {
        self.module.first().map_or("", String::as_str)
    }

    /// Returns the file name.
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    /// Returns the layer of the domain that the file belongs to (`model`, `store` or `actions`): the module of that
    /// name or one below it, at any depth.
    pub fn layer(&self) -> &str {
        layer(&self.module).unwrap_or_default()
    }

    /// Returns whether these tokens occur in sequence.
    pub fn contains(&self, tokens: &[&str]) -> bool {
        self.tokens.windows(tokens.len()).any(|window| window == tokens)
    }

    /// Returns every path of this crate that the file names, in `use` or in place, from the root: `["orders", "model",
    /// "Status"]`.
    pub fn paths(&self) -> Vec<Vec<String>> {
        let mut paths = Vec::new();
        for at in 0..self.tokens.len() {
            let begins = at == 0 || self.tokens[at - 1] != "::";
            let is_path = self.tokens.get(at + 1).is_some_and(|next| next == "::");
            if !begins || !is_path {
                continue;
            }
            let ups = self.tokens[at..].iter().step_by(2).take_while(|token| *token == "super").count();
            match self.tokens[at].as_str() {
                "crate" => _ = parse_use_tree(&self.tokens, at + 2, &[], &mut paths),
                "self" => _ = parse_use_tree(&self.tokens, at + 2, &self.parent_module(0), &mut paths),
                "super" => _ = parse_use_tree(&self.tokens, at + 2 * ups, &self.parent_module(ups), &mut paths),
                _ => {}
            }
        }
        paths
    }

    fn parent_module(&self, ups: usize) -> Vec<String> {
        self.module[..self.module.len().saturating_sub(ups)].to_vec()
    }
}

/// Returns the layer that a path of the crate names: `store` for `["transfers", "runs", "store", "find"]`.
pub fn layer(path: &[String]) -> Option<&str> {
    path.iter().skip(1).map(String::as_str).find(|part| ["model", "store", "actions"].contains(part))
}

fn walk(dir: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            walk(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// Parses a path or a braced tree of paths and returns the position after it.
fn parse_use_tree(tokens: &[String], mut at: usize, prefix: &[String], paths: &mut Vec<Vec<String>>) -> usize {
    let mut path = prefix.to_vec();
    loop {
        match tokens.get(at).map(String::as_str) {
            Some("{") => {
                at += 1;
                while tokens.get(at).is_some_and(|token| token != "}") {
                    at = if tokens[at] == "," { at + 1 } else { parse_use_tree(tokens, at, &path, paths).max(at + 1) };
                }
                return at + 1;
            }
            Some(word) if word == "*" || is_identifier(word) => path.push(word.to_owned()),
            _ => break,
        }
        at += 1;
        match tokens.get(at).map(String::as_str) {
            Some("::") => at += 1,
            // `use a as b`: the local name does not matter.
            Some("as") => {
                at += 2;
                break;
            }
            _ => break,
        }
    }
    paths.push(path);
    at
}

fn is_identifier(token: &str) -> bool {
    token.starts_with(|character: char| character.is_alphabetic() || character == '_')
}

/// Splits Rust source into tokens and string literals; comments are dropped.
fn tokenize(text: &str) -> (Vec<String>, Vec<String>) {
    let (mut tokens, mut literals) = (Vec::new(), Vec::new());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let Some((open, close)) = string_start(rest) {
            let inside = &rest[open..];
            let end = if close == "\"" { string_end(inside) } else { inside.find(&close).unwrap_or(inside.len()) };
            literals.push(inside[..end].to_owned());
            open + end + close.len()
        } else if first == '\'' {
            // A character literal, or a lifetime.
            let character = rest[1..].strip_prefix('\\').map_or_else(
                || rest.char_indices().nth(2).filter(|(_, quote)| *quote == '\'').map(|(at, _)| at + 1),
                |escaped| escaped[1..].find('\'').map(|at| at + 4),
            );
            character.unwrap_or(1)
        } else if first.is_whitespace() {
            first.len_utf8()
        } else {
            let word =
                rest.find(|character: char| !character.is_alphanumeric() && character != '_').unwrap_or(rest.len());
            let length = if word > 0 { word } else { if rest.starts_with("::") { 2 } else { first.len_utf8() } };
            tokens.push(rest[..length].to_owned());
            length
        };
        rest = &rest[length.min(rest.len())..];
    }
    (tokens, literals)
}

/// Returns the length of the opening and the closing delimiter if a string literal begins here.
fn string_start(rest: &str) -> Option<(usize, String)> {
    let plain = rest.strip_prefix('b').unwrap_or(rest);
    let Some(raw) = plain.strip_prefix('r') else {
        return plain.starts_with('"').then(|| (rest.len() - plain.len() + 1, "\"".to_owned()));
    };
    let hashes = raw.len() - raw.trim_start_matches('#').len();
    let close = format!("\"{}", "#".repeat(hashes));
    // An empty closing delimiter would mean an ordinary word that begins with r.
    raw[hashes..]
        .starts_with('"')
        .then(|| (rest.len() - raw.len() + hashes + 1, if hashes == 0 { "\"".into() } else { close }))
}

fn string_end(inside: &str) -> usize {
    let mut escaped = false;
    for (at, character) in inside.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at,
            _ => {}
        }
    }
    inside.len()
}
