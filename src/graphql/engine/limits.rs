//! Limits on the size of a document.
//! Rule: the text is measured before parsing and the parsed document before validation, both in linear time, so no
//! input of unbounded size reaches a recursive or quadratic algorithm.

use std::collections::HashMap;

use async_graphql::{
    SchemaBuilder, ServerError,
    parser::types::{ExecutableDocument, Selection, SelectionSet},
};

use crate::{config, error::ErrorCode, graphql::engine::errors::coded};

/// The limits of a document.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Length of the text in bytes.
    pub bytes: usize,
    /// Number of names, numbers, strings and punctuators.
    pub tokens: usize,
    /// Operations per document; only one of them is executed.
    pub operations: usize,
    /// Root fields per operation, with fragments expanded.
    pub root_fields: usize,
    /// Aliases in the whole document, with fragments expanded.
    pub aliases: usize,
    /// Fields and fragments in the whole document, with fragments expanded.
    pub selections: usize,
    /// Nesting depth of fields.
    pub depth: usize,
    /// Total complexity of the fields.
    pub complexity: usize,
    /// Nesting depth of selection sets, including those of fragments.
    pub recursion: usize,
    /// Directives per field.
    pub directives: usize,
    /// Size of the data of the response in bytes, as JSON; its errors may have as many.
    pub response_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes: 64 * 1024,
            tokens: 10_000,
            operations: 10,
            root_fields: 20,
            aliases: 30,
            selections: 5_000,
            depth: 15,
            complexity: 20_000,
            recursion: 32,
            directives: 5,
            response_bytes: 16 * 1024 * 1024,
        }
    }
}

impl From<&config::LimitSettings> for Limits {
    fn from(settings: &config::LimitSettings) -> Self {
        Self {
            bytes: settings.max_document,
            root_fields: settings.max_root_fields,
            aliases: settings.max_aliases,
            depth: settings.max_depth,
            complexity: settings.max_complexity,
            response_bytes: settings.max_response,
            ..Self::default()
        }
    }
}

impl Limits {
    /// Maximum depth of nested brackets. The parser recurses at each level, and a few thousand levels overflow the
    /// stack and abort the process.
    const MAX_NESTING: usize = 64;

    /// Maximum length of a name or number. Errors of validation repeat the names of the document, an operation's for each of
    /// its variables.
    const MAX_NAME: usize = 255;

    /// Applies the limits that async-graphql enforces to a schema builder.
    pub fn apply<Q, M, S>(&self, builder: SchemaBuilder<Q, M, S>) -> SchemaBuilder<Q, M, S> {
        builder.limit_depth(self.depth).limit_recursive_depth(self.recursion).limit_directives(self.directives)
    }

    /// Measures the text and returns its number of tokens.
    /// # Errors
    /// LIMIT_EXCEEDED if the text or a name is too long, or the text nested too deeply; BAD_USER_INPUT for a NUL character or an
    /// unterminated block string.
    pub fn check_text(&self, text: &str) -> Result<usize, ServerError> {
        check_limit("bytes", self.bytes, text.len())?;
        let bytes = text.as_bytes();
        let (mut position, mut tokens, mut nesting) = (0, 0, 0_usize);
        while let Some(&byte) = bytes.get(position) {
            let length = match byte {
                b' ' | b'\t' | b'\r' | b'\n' | b',' => 1,
                b'#' => prefix_length(&bytes[position..], |b| !matches!(b, b'\r' | b'\n')),
                _ => {
                    tokens += 1;
                    match byte {
                        b'(' | b'[' | b'{' => nesting += 1,
                        b')' | b']' | b'}' => nesting = nesting.saturating_sub(1),
                        _ => {}
                    }
                    token_length(&bytes[position..])?
                }
            };
            if is_name(byte) {
                check_limit("characters in a name or number", Self::MAX_NAME, length)?;
            }
            check_limit("nested brackets", Self::MAX_NESTING, nesting)?;
            check_limit("tokens", self.tokens, tokens)?;
            position += length;
        }
        Ok(tokens)
    }

    /// Counts the selections of the parsed document with fragments expanded, visiting each fragment once. The root
    /// fields are those of the operation that has most of them.
    /// # Errors
    /// LIMIT_EXCEEDED if a count is too high; BAD_USER_INPUT for an unused or a recursive fragment.
    pub fn check_document(&self, document: &ExecutableDocument) -> Result<DocumentSize, ServerError> {
        let mut counter = Counter { document, limits: self, fragments: HashMap::new() };
        let (mut total, mut root_fields) = (Counts::default(), 0);
        check_limit("operations", self.operations, document.operations.iter().len())?;
        for (_, operation) in document.operations.iter() {
            let counts = counter.count(&operation.node.selection_set.node, 0)?;
            check_limit("root fields", self.root_fields, counts.level_fields)?;
            if counts.depth > self.depth {
                let rule = format!(
                    "Query is nested too deep: it has {} levels of fields; the limit is {}.",
                    counts.depth, self.depth
                );
                return Err(coded(ErrorCode::LimitExceeded, rule));
            }
            root_fields = root_fields.max(counts.level_fields);
            total = total.plus(counts);
        }
        check_limit("aliases", self.aliases, total.aliases)?;
        check_limit("selections", self.selections, total.selections)?;
        // Validation would also walk unused fragments before rejecting them.
        match document.fragments.keys().find(|name| !counter.fragments.contains_key(name.as_str())) {
            Some(name) => Err(bad_input(format!("Fragment \"{name}\" is never used."))),
            None => Ok(DocumentSize {
                root_fields,
                aliases: total.aliases,
                selections: total.selections,
                ..DocumentSize::default()
            }),
        }
    }
}

/// Size of a document, in the units of the limits.
#[derive(Debug, Clone, Copy, Default)]
pub struct DocumentSize {
    /// Length of the text in bytes.
    pub bytes: usize,
    /// Number of names, numbers, strings and punctuators.
    pub tokens: usize,
    /// Root fields of an operation, with fragments expanded.
    pub root_fields: usize,
    /// Aliases, with fragments expanded.
    pub aliases: usize,
    /// Fields and fragments, with fragments expanded.
    pub selections: usize,
}

impl DocumentSize {
    /// Returns the size of both documents together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            bytes: self.bytes.saturating_add(other.bytes),
            tokens: self.tokens.saturating_add(other.tokens),
            root_fields: self.root_fields.saturating_add(other.root_fields),
            aliases: self.aliases.saturating_add(other.aliases),
            selections: self.selections.saturating_add(other.selections),
        }
    }
}

/// Returns the length of the token at the start of `bytes`, at least 1.
fn token_length(bytes: &[u8]) -> Result<usize, ServerError> {
    match bytes[0] {
        b'"' if bytes.starts_with(b"\"\"\"") => {
            let mut position = 3;
            while let Some(rest) = bytes.get(position..) {
                match rest {
                    [b'\\', b'"', b'"', b'"', ..] => position += 4,
                    [b'"', b'"', b'"', ..] => return Ok(position + 3),
                    [0, ..] => return Err(nul_error()),
                    [_, ..] => position += 1,
                    [] => break,
                }
            }
            Err(bad_input("Syntax error: a block string is not closed."))
        }
        b'"' => {
            let mut position = 1;
            loop {
                match &bytes[position..] {
                    [] | [b'\r' | b'\n', ..] => return Ok(position), // unterminated: the parser reports it
                    [b'"', ..] => return Ok(position + 1),
                    [0, ..] | [b'\\', b'u', b'0', b'0', b'0', b'0', ..] => return Err(nul_error()),
                    [b'\\', b'\r' | b'\n', ..] | [b'\\'] => position += 1,
                    [b'\\', _, ..] => position += 2,
                    [_, ..] => position += 1,
                }
            }
        }
        b'.' => Ok(prefix_length(bytes, |b| b == b'.')),
        b if is_name(b) => Ok(prefix_length(bytes, is_name)),
        _ => Ok(1),
    }
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn prefix_length(bytes: &[u8], predicate: impl Fn(u8) -> bool) -> usize {
    bytes.iter().take_while(|&&byte| predicate(byte)).count()
}

/// Counts of a selection set with its fragments expanded.
#[derive(Default, Clone, Copy)]
struct Counts {
    selections: usize,
    aliases: usize,
    /// Fields at this level only.
    level_fields: usize,
    /// Levels of fields.
    depth: usize,
}

impl Counts {
    // A fragment bomb of 32 levels overflows 64 bits.
    fn plus(self, other: Self) -> Self {
        Self {
            selections: self.selections.saturating_add(other.selections),
            aliases: self.aliases.saturating_add(other.aliases),
            level_fields: self.level_fields.saturating_add(other.level_fields),
            depth: self.depth.max(other.depth),
        }
    }
}

struct Counter<'a> {
    document: &'a ExecutableDocument,
    limits: &'a Limits,
    /// Counts of the fragments visited so far; `None` while a fragment is being counted.
    fragments: HashMap<&'a str, Option<Counts>>,
}

impl<'a> Counter<'a> {
    fn count(&mut self, set: &'a SelectionSet, level: usize) -> Result<Counts, ServerError> {
        check_limit("nested selection sets", self.limits.recursion, level)?;
        let mut counts = Counts::default();
        for selection in &set.items {
            counts.selections = counts.selections.saturating_add(1);
            let inside = match &selection.node {
                Selection::Field(field) => {
                    let inside = self.count(&field.node.selection_set.node, level + 1)?;
                    let aliases = inside.aliases.saturating_add(usize::from(field.node.alias.is_some()));
                    Counts { aliases, level_fields: 1, depth: inside.depth + 1, ..inside }
                }
                Selection::InlineFragment(fragment) => self.count(&fragment.node.selection_set.node, level + 1)?,
                Selection::FragmentSpread(spread) => {
                    self.count_fragment(spread.node.fragment_name.node.as_str(), level + 1)?
                }
            };
            counts = counts.plus(inside);
        }
        Ok(counts)
    }

    fn count_fragment(&mut self, name: &'a str, level: usize) -> Result<Counts, ServerError> {
        match self.fragments.get(name) {
            Some(Some(counts)) => return Ok(*counts),
            Some(None) => return Err(bad_input(format!("Fragment \"{name}\" must not spread itself."))),
            None => {}
        }
        // Validation reports unknown fragments.
        let Some(fragment) = self.document.fragments.get(name) else { return Ok(Counts::default()) };
        self.fragments.insert(name, None);
        let counts = self.count(&fragment.node.selection_set.node, level)?;
        self.fragments.insert(name, Some(counts));
        Ok(counts)
    }
}

fn check_limit(what: &str, limit: usize, found: usize) -> Result<(), ServerError> {
    if found <= limit {
        return Ok(());
    }
    Err(coded(ErrorCode::LimitExceeded, format!("The document has too many {what}; the limit is {limit}.")))
}

fn bad_input(message: impl Into<String>) -> ServerError {
    coded(ErrorCode::BadUserInput, message)
}

fn nul_error() -> ServerError {
    bad_input("Text must not contain the character NUL.")
}
