//! The language of the texts that users read: schema.graphql, the documentation, help and messages, and texts in the database.
//! Rule: `words.txt` lists the words that are not used. Descriptions state what something is; they are never empty and never
//! only repeat a name.

use std::{fs, path::Path};

use async_graphql::parser::{
    parse_schema,
    types::{TypeKind, TypeSystemDefinition},
};
use regex::{Regex, RegexBuilder};

use crate::support::{TestDb, process::DataDir, psql::Psql};

/// How a description must not begin: with a word that refers to something unsaid.
const RIDDLES: &[&str] =
    &["Its ", "Whose ", "What ", "Where it ", "Whom ", "Who ", "Which ", "By what ", "By whom ", "How "];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The expressions of `words.txt`, with what to write instead.
fn words() -> Vec<(Regex, &'static str)> {
    let lines = include_str!("words.txt").lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let word = |line: &'static str| {
        let (pattern, instead) = line.split_once(" -> ").expect("a replacement");
        let regex = RegexBuilder::new(pattern).case_insensitive(true).build();
        (regex.unwrap_or_else(|error| panic!("{pattern}: {error}")), instead)
    };
    lines.map(word).collect()
}

/// The words of a text that are not used, each with its place.
fn misuses(place: &str, text: &str, words: &[(Regex, &str)]) -> Vec<String> {
    let mut misuses = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        for (word, instead) in words {
            if let Some(found) = word.find(line) {
                misuses.push(format!("{place}:{number}: {:?}: write {instead}: {}", found.as_str(), line.trim()));
            }
        }
    }
    misuses
}

/// The name and description of every type, field, argument, input field and enum value.
fn descriptions() -> Vec<(String, String)> {
    let sdl = souk::graphql::sdl_of_types();
    let mut all = Vec::new();
    for definition in parse_schema(&sdl).expect("the schema parses").definitions {
        let TypeSystemDefinition::Type(definition) = definition else { continue };
        let definition = definition.node;
        let type_name = definition.name.node.to_string();
        let text = |description: Option<async_graphql::Positioned<String>>| {
            description.map(|text| text.node).unwrap_or_default()
        };
        all.push((type_name.clone(), text(definition.description)));
        let fields =
            match definition.kind {
                TypeKind::Object(object) => object.fields,
                TypeKind::Interface(interface) => interface.fields,
                TypeKind::InputObject(input) => {
                    all.extend(
                        input.fields.into_iter().map(|field| {
                            (format!("{type_name}.{}", field.node.name.node), text(field.node.description))
                        }),
                    );
                    continue;
                }
                TypeKind::Enum(values) => {
                    all.extend(
                        values.values.into_iter().map(|value| {
                            (format!("{type_name}.{}", value.node.value.node), text(value.node.description))
                        }),
                    );
                    continue;
                }
                _ => continue,
            };
        for field in fields {
            let field = field.node;
            let name = format!("{type_name}.{}", field.name.node);
            all.push((name.clone(), text(field.description)));
            all.extend(
                field
                    .arguments
                    .into_iter()
                    .map(|argument| (format!("{name}({}:)", argument.node.name.node), text(argument.node.description))),
            );
        }
    }
    all
}

/// The letters and digits of a text, so that `createdAt` and `Created at.` are equal.
fn squeezed(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase()
}

#[test]
fn descriptions_say_what_something_is() {
    let mut faults = Vec::new();
    for (name, text) in descriptions() {
        let last = name.rsplit('.').next().unwrap_or_default();
        if text.trim().is_empty() {
            faults.push(format!("{name} has no description"));
        } else if squeezed(&text) == squeezed(last) {
            faults.push(format!("{name}: the description only repeats the name"));
        } else if let Some(begin) = RIDDLES.iter().find(|begin| text.starts_with(**begin)) {
            faults.push(format!("{name} begins with {begin:?}: {text}"));
        } else if !text.trim_end().ends_with(['.', '`', ':']) {
            faults.push(format!("{name}: the description is not a sentence: {text}"));
        }
    }
    assert!(faults.is_empty(), "{} descriptions:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn schema_and_documentation_use_the_words_of_the_glossary() {
    let words = words();
    let mut found =
        misuses("schema.graphql", &fs::read_to_string(root().join("schema.graphql")).expect("a file"), &words);
    for page in crate::docs::pages::all() {
        found.extend(misuses(&page.path.to_string_lossy(), &page.text, &words));
    }
    found.extend(misuses(".env.example", &fs::read_to_string(root().join(".env.example")).expect("a file"), &words));
    assert!(found.is_empty(), "{} places:\n{}", found.len(), found.join("\n"));
}

#[test]
fn help_of_the_command_line_uses_the_words_of_the_glossary() {
    let (dir, words) = (DataDir::new(), words());
    let mut found = Vec::new();
    for command in [
        &[][..],
        &["serve"],
        &["import"],
        &["import", "products"],
        &["import", "sales"],
        &["export"],
        &["admin"],
        &["db"],
        &["docs"],
        &["health"],
    ] {
        let arguments: Vec<&str> = command.iter().copied().chain(["--help"]).collect();
        found.extend(misuses(&format!("souk {}", arguments.join(" ")), &dir.stdout_of(&arguments), &words));
    }
    assert!(found.is_empty(), "{} places:\n{}", found.len(), found.join("\n"));
}

/// The string literals of a source that read as a sentence: several words, and no SQL.
fn messages(source: &str) -> String {
    let code: String = source.split("#[cfg(test)]").next().unwrap_or_default().to_owned();
    let literal = Regex::new(r#""((?:[^"\\]|\\.)*)""#).expect("a pattern");
    let sql = Regex::new(r"\b(SELECT|FROM|WHERE|INSERT|UPDATE|DELETE|VALUES|JOIN|EXISTS|ORDER BY|ALTER|SET)\b")
        .expect("a pattern");
    let lines = code.lines().map(|line| {
        let line = line.split("//").next().unwrap_or_default();
        let texts = literal.captures_iter(line).map(|found| found[1].to_owned());
        texts.filter(|text| text.contains(' ') && !sql.is_match(text)).collect::<Vec<_>>().join(" | ")
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn sources(directory: &Path, found: &mut Vec<String>, words: &[(Regex, &str)]) {
    for entry in fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, found, words);
            continue;
        }
        let text = match path.extension().and_then(|extension| extension.to_str()) {
            Some("rs") => messages(&fs::read_to_string(&path).expect("a source")),
            Some("txt" | "html") if path.to_string_lossy().contains("templates") => {
                fs::read_to_string(&path).expect("a template")
            }
            _ => continue,
        };
        found.extend(misuses(&path.strip_prefix(root()).expect("a path").to_string_lossy(), &text, words));
    }
}

#[test]
fn messages_and_templates_use_the_words_of_the_glossary() {
    let mut found = Vec::new();
    sources(&root().join("src"), &mut found, &words());
    assert!(found.is_empty(), "{} places:\n{}", found.len(), found.join("\n"));
}

#[tokio::test]
async fn functions_and_roles_of_the_database_use_the_words_of_the_glossary() {
    let (database, words) = (TestDb::new().await, words());
    let texts = "SELECT 'function ' || proname, prosrc FROM pg_proc JOIN pg_language l ON l.oid = prolang
            WHERE pronamespace = 'public'::regnamespace AND lanname IN ('plpgsql', 'sql')
        UNION ALL SELECT 'trigger ' || tgname, encode(tgargs, 'escape') FROM pg_trigger WHERE NOT tgisinternal
        UNION ALL SELECT 'role ' || code, name || ': ' || description FROM roles";
    let texts = Psql::connect(&database.url).await.rows(texts).await;
    assert!(texts.len() > 100, "{}", texts.len());
    let found: Vec<_> = texts.iter().flat_map(|row| misuses(&row[0], &row[1], &words)).collect();
    assert!(found.is_empty(), "{} places:\n{}", found.len(), found.join("\n"));
}
