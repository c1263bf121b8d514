//! Architecture rules, checked on the sources: which module may import which, which crate is used where, and which
//! module writes which table.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use crate::support::source::{Source, layer};

/// Layer 0: modules that know no domain.
#[rustfmt::skip]
const FOUNDATION: &[&str] = &["config", "error", "telemetry", "registry", "cache", "db", "paging", "money", "ids", "text", "postal", "auth", "limits", "outbound", "redis", "storage", "sync"];

/// Macros of the foundation, which are exported at the crate root.
const MACROS: &[&str] = &["op", "text_op", "citext_op", "name_op", "text_enum", "paged"];

/// Layers 1 and 2, as listed in the module map of `src/lib.rs`: a domain may use the domains of the groups before its
/// own.
static DOMAINS: LazyLock<Vec<Vec<&str>>> = LazyLock::new(|| {
    let (_, map) = include_str!("../../src/lib.rs").split_once("- Layers 1").expect("the list of domains");
    let (map, _) = map.split_once("- Layer 3").expect("the end of the section");
    let (_, map) = map.split_once("above it:").expect("the list of the domains");
    let names = |group: &'static str| group.split('`').skip(1).step_by(2).collect();
    map.split(';').map(names).collect()
});

/// Maximum number of lines of a file.
const MAX_LINES: usize = 400;

/// Files that may be longer, each with its reason.
const LONG_FILES: &[(&str, &str)] = &[("src/db/tables.rs", "generated")];

/// Fails with all violations of a rule, not only the first.
#[track_caller]
fn forbid(rule: &str, broken: impl IntoIterator<Item = String>) {
    let broken: Vec<_> = broken.into_iter().collect();
    assert!(broken.is_empty(), "{rule}:\n  {}", broken.join("\n  "));
}

fn rank(domain: &str) -> Option<usize> {
    DOMAINS.iter().position(|group| group.contains(&domain))
}

fn is_below(lower: &str, upper: &str) -> bool {
    FOUNDATION.contains(&lower)
        || MACROS.contains(&lower)
        || lower == upper
        || (rank(lower).is_some() && rank(lower) < rank(upper))
}

/// Returns whether a file may name a path of the crate.
fn may_use(source: &Source, path: &[String]) -> bool {
    let (Some(target), file) = (path.first().map(String::as_str), source.top()) else { return true };
    let knows = |module: &str| match module {
        _ if FOUNDATION.contains(&module) => FOUNDATION.contains(&target) || MACROS.contains(&target),
        "" | "cli" => true,
        "http" => is_below(target, "http") || target == "graphql",
        "graphql" if source.module.get(1).is_some_and(|part| part == "engine") => {
            FOUNDATION.contains(&target)
                || MACROS.contains(&target)
                || (target == "graphql" && path.get(1).is_none_or(|part| part == "engine"))
        }
        "graphql" => is_below(target, "graphql") || rank(target).is_some(),
        domain => is_below(target, domain),
    };
    if !knows(file) {
        return false;
    }
    // Within the domains, a model has no I/O, and a store does not call actions.
    let part = layer(path).filter(|_| rank(target).is_some());
    match source.layer() {
        "model" => !matches!(part, Some("store" | "actions")),
        "store" => part != Some("actions"),
        _ => true,
    }
}

#[test]
fn files_import_only_lower_layers_and_their_own_module() {
    let sources = Source::all("src");
    let broken = sources.iter().flat_map(|source| {
        let wrong = source.paths().into_iter().filter(|path| !may_use(source, path));
        wrong.map(|path| format!("{} uses {}", source.path, path.join("::"))).collect::<Vec<_>>()
    });
    forbid("a file imports lower layers and its own module only", broken);
    let seen: usize = sources.iter().map(|source| source.paths().len()).sum();
    assert!(seen > 500, "only {seen} paths were found: is the source parser broken?");
}

#[test]
fn layer_rule_detects_violations() {
    // The file, what it uses, and whether that is allowed.
    let table = [
        ("src/ids.rs", "error", true),
        ("src/ids.rs", "orders::model::Status", false),
        ("src/db/mod.rs", "graphql", false),
        ("src/users/store/mod.rs", "websites::model::WebsiteRow", true),
        ("src/websites/store.rs", "users::model::UserRow", false),
        ("src/brands/store.rs", "categories::store", false),
        ("src/orders/model/mod.rs", "products::model::ProductRow", true),
        ("src/orders/model/mod.rs", "orders::store", false),
        ("src/orders/store/mod.rs", "stock::actions", false),
        ("src/transfers/import/orders/model.rs", "transfers::import::orders::store", false),
        ("src/transfers/import/orders/store.rs", "transfers::import::orders::actions", false),
        ("src/graphql/engine/connections.rs", "paging::Cursor", true),
        ("src/graphql/engine/connections.rs", "graphql::schema::loaders", false),
        ("src/graphql/engine/connections.rs", "orders::model", false),
        ("src/graphql/schema/orders/mod.rs", "orders::model::OrderRow", true),
        ("src/http/graphql.rs", "graphql::engine", true),
        ("src/http/graphql.rs", "orders::store", false),
        ("src/cli/demo/orders.rs", "orders::store", true),
    ];
    let sources = Source::all("src");
    for (file, path, expected) in table {
        let source = sources.iter().find(|source| source.path == file).unwrap_or_else(|| panic!("no {file}"));
        let path: Vec<_> = path.split("::").map(ToOwned::to_owned).collect();
        assert_eq!(may_use(source, &path), expected, "{file} uses {}", path.join("::"));
    }
}

/// Returns whether one module contains the other; a module and its submodules may refer to each other.
fn is_inside(one: &[String], other: &[String]) -> bool {
    one.starts_with(other) || other.starts_with(one)
}

/// Returns the files that a file imports, as indices into `sources`.
fn imported_files(sources: &[Source], places: &BTreeMap<&[String], usize>, source: &Source) -> BTreeSet<usize> {
    let place = |path: Vec<String>| (1..=path.len()).rev().find_map(|length| places.get(&path[..length]).copied());
    let imported = source.paths().into_iter().filter_map(place);
    imported.filter(|target| !is_inside(&sources[*target].module, &source.module)).collect()
}

#[test]
fn imports_have_no_cycles() {
    // The GraphQL types refer to each other, as Order.user and User.orders do.
    let is_free = |source: &Source| source.path.starts_with("src/graphql/schema/") || source.module.is_empty();
    let sources: Vec<_> = Source::all("src").into_iter().filter(|source| !is_free(source)).collect();
    let places: BTreeMap<&[String], usize> =
        sources.iter().enumerate().map(|(place, source)| (&source.module[..], place)).collect();
    let imports: Vec<_> = sources.iter().map(|source| imported_files(&sources, &places, source)).collect();
    assert!(imports.iter().map(BTreeSet::len).sum::<usize>() > 500, "is the source parser broken?");
    let reaches = |from: usize, to: usize| {
        let (mut seen, mut next) = (BTreeSet::new(), vec![from]);
        while let Some(place) = next.pop() {
            next.extend(imports[place].iter().copied().filter(|target| seen.insert(*target)));
        }
        seen.contains(&to)
    };
    let edges = imports.iter().enumerate().flat_map(|(from, targets)| targets.iter().map(move |to| (from, *to)));
    let broken = edges.filter(|(from, to)| reaches(*to, *from));
    forbid("imports form a cycle", broken.map(|(from, to)| format!("{} -> {}", sources[from].path, sources[to].path)));
}

#[test]
fn crates_are_used_only_in_their_layer() {
    let sources = Source::all("src");
    type Place = fn(&Source) -> bool;
    // The crate, and where it may be used.
    let table: [(&str, Place); 16] = [
        ("async_graphql", |source| ["graphql", "http"].contains(&source.top())),
        ("axum", |source| source.top() == "http"),
        ("hyper", |source| source.top() == "http"),
        ("dataloader", |source| source.path == "src/graphql/engine/batching.rs"),
        ("diesel", |source| has_sql(source) || source.layer() == "model" || FOUNDATION.contains(&source.top())),
        ("diesel_async", |source| has_sql(source) || source.path == "src/error.rs"),
        ("lettre", |source| source.path == "src/mail/transport.rs"),
        ("minijinja", |source| source.path.starts_with("src/mail/templates")),
        ("object_store", |source| source.path.starts_with("src/storage/")),
        ("reqwest", |source| ["outbound.rs", "fetch.rs", "send.rs"].iter().any(|file| source.path.ends_with(file))),
        ("multer", |source| source.path == "src/http/multipart.rs"),
        // error.rs refers to PostgreSQL's error codes.
        ("tokio_postgres", |source| source.top() == "db" || source.path == "src/error.rs"),
        ("tower_http", |source| source.top() == "http"),
        ("icu_properties", |source| source.top() == "text"),
        ("regex", |source| source.path == "src/postal/postal_code.rs"),
        ("rust_iso3166", |source| source.top() == "postal"),
    ];
    for (name, may) in table {
        let (inside, outside): (Vec<_>, Vec<_>) = sources.iter().partition(|source| may(source));
        assert!(inside.iter().any(|source| source.contains(&[name])), "{name} is unused: is the parser broken?");
        let broken = outside.into_iter().filter(|source| {
            let named = source.tokens.windows(3).filter(|window| window[0] == name);
            // Outside the GraphQL layers only the `Enum` derive is allowed.
            named.filter(|window| !(name == "async_graphql" && window[1] == "::" && window[2] == "Enum")).count() > 0
        });
        forbid(&format!("{name} is used outside its layer"), broken.map(|source| source.path.clone()));
    }
}

fn has_sql(source: &Source) -> bool {
    source.layer() == "store" || source.top() == "db"
}

#[test]
fn sql_is_written_only_in_stores() {
    let sources = Source::all("src");
    let marks: [&[&str]; 10] = [
        &["sql_query"],
        &["RunQueryDsl"],
        &["batch_execute"],
        &["define_sql_function"],
        &["infix_operator"],
        &["insert_into"],
        &["diesel", "::", "update"],
        &["diesel", "::", "delete"],
        &["diesel", "::", "select"],
        &["diesel", "::", "dsl"],
    ];
    let verbs = ["SELECT ", "INSERT INTO ", "UPDATE ", "DELETE FROM ", "CREATE ", "ALTER ", "DROP ", "SET "];
    let (with, without): (Vec<_>, Vec<_>) = sources.iter().partition(|source| has_sql(source));
    assert!(with.iter().filter(|source| source.contains(&["RunQueryDsl"])).count() > 8, "is the source parser broken?");
    let broken = without.into_iter().filter(|source| {
        marks.iter().any(|mark| source.contains(mark))
            || source.literals.iter().any(|text| verbs.iter().any(|verb| text.trim_start().starts_with(verb)))
    });
    forbid("SQL is written in stores and db/ only", broken.map(|source| source.path.clone()));
    let tables = sources.iter().filter(|source| !has_sql(source) && source.layer() != "model");
    let broken =
        tables.filter(|source| source.paths().iter().any(|path| path.starts_with(&["db".into(), "tables".into()])));
    forbid("tables are named in models and stores only", broken.map(|source| source.path.clone()));
}

#[test]
fn writes_go_through_actions() {
    let sources = Source::all("src");
    let broken = sources.iter().filter(|source| ["graphql", "http"].contains(&source.top())).flat_map(|source| {
        let verbs = ["insert", "update", "delete", "lock"];
        let calls = source.tokens.windows(3).filter(|window| {
            window[0] == "store" && window[1] == "::" && verbs.iter().any(|verb| window[2].starts_with(verb))
        });
        let transactions = source.tokens.windows(2).filter(|window| window[0] == "." && window[1] == "transaction");
        calls.chain(transactions).map(|window| format!("{}: {}", source.path, window.concat())).collect::<Vec<_>>()
    });
    forbid("GraphQL and HTTP write through actions, which open the transactions", broken);
}

#[test]
fn environment_is_read_only_in_config() {
    let sources = Source::all("src");
    let broken = sources.iter().filter(|source| source.top() != "config").filter(|source| {
        // `env!` is read at compile time, and `.env(..)` sets the environment of a child process.
        let std = source.tokens.windows(3).any(|w| w[0] != "." && w[1] == "env" && w[2] != "!");
        std || source.tokens.iter().any(|word| word.ends_with("from_env") || word.ends_with("default_env"))
    });
    forbid("only the config module reads the environment", broken.map(|source| source.path.clone()));
}

#[test]
fn files_are_short_and_documented() {
    let sources: Vec<_> = ["src", "tests"].into_iter().flat_map(Source::all).collect();
    let is_long = |source: &Source| source.text.lines().count() > MAX_LINES;
    let listed = |source: &Source| LONG_FILES.iter().any(|(path, _)| *path == source.path);
    let long = sources.iter().filter(|source| is_long(source) && !listed(source));
    forbid(
        "files with more than 400 lines",
        long.map(|source| format!("{}: {}", source.path, source.text.lines().count())),
    );
    let short = LONG_FILES.iter().filter(|(path, why)| {
        *why != "generated" && !sources.iter().any(|source| source.path == *path && is_long(source))
    });
    forbid("files listed as long that are not", short.map(|(path, _)| (*path).to_owned()));
    let silent = sources.iter().filter(|source| !source.text.starts_with("//! ") && source.name() != "tables.rs");
    forbid("files without a `//!` head", silent.map(|source| source.path.clone()));
}

/// Returns the tables that a module's doc comment says it owns: `Owns `a`, `b` and their numbers.`
fn owned_tables(source: &Source) -> Vec<String> {
    let doc: String = source.text.lines().take_while(|line| line.starts_with("//!")).collect::<Vec<_>>().join(" ");
    let Some((_, sentence)) = doc.split_once("Owns ") else { return Vec::new() };
    let sentence = sentence.split('.').next().unwrap_or_default();
    sentence.split('`').skip(1).step_by(2).map(ToOwned::to_owned).collect()
}

#[test]
fn every_table_has_one_owner() {
    let sources = Source::all("src");
    let mut owners: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    let tables = sources.iter().find(|source| source.path == "src/db/tables.rs").expect("the tables");
    for window in tables.tokens.windows(4).filter(|window| window[0] == ";" && window[2] == "(") {
        owners.entry(window[1].clone()).or_default();
    }
    assert!(owners.len() >= 15, "only {} tables were found", owners.len());
    for source in &sources {
        for table in owned_tables(source) {
            let known = owners.get_mut(&table);
            known.unwrap_or_else(|| panic!("{} owns {table}, which does not exist", source.path)).push(&source.path);
        }
    }
    let broken = owners.iter().filter(|(_, owners)| owners.len() != 1);
    forbid(
        "a table is owned by one domain, whose doc comment says so",
        broken.map(|(table, by)| format!("{table}: {by:?}")),
    );
}

/// Returns the tables that a store writes through diesel.
fn written_tables(source: &Source) -> Vec<String> {
    let tokens = &source.tokens;
    let is_write = |at: &usize| {
        tokens[*at] == "diesel"
            && tokens[at + 1] == "::"
            && ["insert_into", "update", "delete"].contains(&&*tokens[at + 2])
            && tokens[at + 4] != "$"
    };
    let writes = (0..tokens.len().saturating_sub(5)).filter(is_write);
    // `write_statements! { Row in table …` and `insert_rows! { Name in table …` declare the writes of a table.
    let declared = |w: &&[String]| matches!(&*w[0], "write_statements" | "insert_rows") && w[1..3] == ["!", "{"];
    let written = writes
        .map(|at| {
            let target = &tokens[at + 4];
            if tokens[at + 5] == "::" {
                return target.clone();
            }
            // A variable: its value is in the nearest `let` before.
            let made =
                (0..at).rev().find(|at| tokens[*at] == "let" && tokens[at + 1] == *target && tokens[at + 2] == "=");
            let made = made.unwrap_or_else(|| panic!("{}: cannot see which table {target} is", source.path));
            tokens[made + 3].clone()
        })
        .chain(tokens.windows(6).filter(declared).map(|window| window[5].clone()));
    written.collect()
}

/// Tables that a file's SQL writes although another domain owns them, each with its reason.
const SHARED_WRITES: &[(&str, &str, &str)] = &[
    ("src/transfers/sales/store.rs", "users", "one statement creates customers and their sources"),
    ("src/transfers/sales/store.rs", "sources", "one statement creates customers and their sources"),
    ("src/stock/store.rs", "stock_sales", "a view of the domain's own ledger"),
];

/// Returns the tables that SQL strings write.
fn tables_written_by_sql(texts: &[String]) -> Vec<String> {
    let mut written = Vec::new();
    for text in texts {
        let words: Vec<_> = text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|w| !w.is_empty()).collect();
        for at in 0..words.len() {
            written.extend(match words[at..] {
                ["INSERT", "INTO", table, ..] | ["DELETE", "FROM", table, ..] => Some(table.to_owned()),
                // Not `FOR UPDATE OF t` or `DO UPDATE SET`.
                ["UPDATE", table, ..] if !["OF", "SET", "SKIP", "NOWAIT"].contains(&table) => {
                    Some(table.to_owned()).filter(|table| table.chars().all(|c| c.is_ascii_lowercase() || c == '_'))
                }
                _ => None,
            });
        }
    }
    written
}

#[test]
fn table_writes_are_detected_in_sql_strings() {
    let found = |text: &str| tables_written_by_sql(&[text.to_owned()]);
    assert_eq!(found("WITH n AS (INSERT INTO users (id) SELECT 1) DELETE FROM carts"), ["users", "carts"]);
    assert_eq!(found("UPDATE products p SET (sku) = (r.sku)"), ["products"]);
    assert!(found("SELECT id FROM users FOR NO KEY UPDATE OF users").is_empty());
    assert!(found("ON CONFLICT DO UPDATE\n SET a = 1").is_empty());
    assert!(found("SELECT 1 FOR UPDATE").is_empty());
}

#[test]
fn stores_write_only_their_own_tables() {
    let sources = Source::all("src");
    let (mut count, mut shared) = (0, Vec::new());
    let mut broken = Vec::new();
    for source in &sources {
        // The domain's own tables, or for a file of the foundation those that its doc comment lists.
        let own: Vec<_> = sources
            .iter()
            .filter(|other| other.path == source.path || (other.top() == source.top() && other.name() == "mod.rs"))
            .flat_map(owned_tables)
            .collect();
        let of_tokens = if has_sql(source) { written_tables(source) } else { Vec::new() };
        for table in of_tokens.into_iter().chain(tables_written_by_sql(&source.literals)) {
            count += 1;
            let alias = source.tokens.windows(3).find(|window| window[1] == "as" && window[2] == table);
            let table = alias.map_or(table, |window| window[0].clone());
            let allowed = SHARED_WRITES.iter().find(|(path, name, _)| *path == source.path && *name == table);
            match allowed {
                Some(allowed) => shared.push(*allowed),
                None if own.contains(&table) => {}
                None => broken.push(format!("{} writes {table}", source.path)),
            }
        }
    }
    forbid("a table is written by one domain", broken);
    let unused = SHARED_WRITES.iter().filter(|allowed| !shared.contains(allowed));
    forbid("allowed writes that do not exist", unused.map(|(path, table, _)| format!("{path}: {table}")));
    assert!(count > 45, "only {count} writes were found: is the source parser broken?");
}

#[test]
fn every_domain_is_listed_in_the_module_map() {
    let modules = Source::all("src").into_iter().map(|source| source.top().to_owned());
    let known = |module: &str| {
        FOUNDATION.contains(&module) || ["", "graphql", "http", "cli"].contains(&module) || rank(module).is_some()
    };
    let missing: BTreeSet<_> = modules.filter(|module| !known(module)).collect();
    assert!(missing.is_empty(), "the module map of src/lib.rs does not list {missing:?}");
}
