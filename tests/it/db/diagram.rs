//! `souk db diagram`: its output, and the diagrams in the README, which must be current.
//! `UPDATE_README=1 cargo test diagram` updates the README's diagrams.

use std::path::Path;

use souk::{db::diagram::diagram, error::Error};

use crate::support::{TestDb, process::DataDir};

async fn draw(database: &TestDb, only: &[&str]) -> String {
    let only: Vec<_> = only.iter().map(|name| (*name).to_owned()).collect();
    database.db.read(async |conn| diagram(conn, &only).await).await.expect("a diagram")
}

#[tokio::test]
async fn diagram_shows_tables_keys_and_cardinalities() {
    let database = TestDb::empty().await;
    database
        .sql(
            "CREATE TABLE parents (id bigint PRIMARY KEY, code text NOT NULL UNIQUE, amount numeric(12, 2), tags text[],
                                   at timestamptz, share double precision, one text, two text, UNIQUE (one, two));
             CREATE TABLE \"Upper\" (id bigint PRIMARY KEY, parent_id bigint NOT NULL REFERENCES parents);
             CREATE TABLE may (id bigint PRIMARY KEY, parent_id bigint REFERENCES parents, gone text);
             ALTER TABLE may DROP COLUMN gone;
             CREATE UNIQUE INDEX ON may (parent_id) WHERE id > 7;
             CREATE TABLE only_one (parent_id bigint PRIMARY KEY REFERENCES parents);
             CREATE TABLE one_or_none (id bigint PRIMARY KEY, parent_id bigint UNIQUE REFERENCES parents);
             CREATE TABLE trees (id bigint PRIMARY KEY, root_id bigint REFERENCES trees);
             CREATE TABLE pairs (a bigint, b bigint, PRIMARY KEY (a, b));
             CREATE TABLE halves (a bigint NOT NULL, b bigint, FOREIGN KEY (a, b) REFERENCES pairs, UNIQUE (b));
             CREATE TABLE __notes (id bigint PRIMARY KEY); CREATE VIEW views AS SELECT 1 AS id",
        )
        .await;
    let expected = "\
erDiagram
    Upper {
        bigint id PK
        bigint parent_id FK
    }
    halves {
        bigint a FK
        bigint b FK, UK
    }
    may {
        bigint id PK
        bigint parent_id FK
    }
    one_or_none {
        bigint id PK
        bigint parent_id FK, UK
    }
    only_one {
        bigint parent_id PK, FK
    }
    pairs {
        bigint a PK
        bigint b PK
    }
    parents {
        bigint id PK
        text code UK
        numeric amount
        text[] tags
        timestamptz at
        double_precision share
        text one
        text two
    }
    trees {
        bigint id PK
        bigint root_id FK
    }
    pairs |o--o| halves : \"a, b\"
    parents ||--o{ Upper : \"parent_id\"
    parents |o--o{ may : \"parent_id\"
    parents |o--o| one_or_none : \"parent_id\"
    parents ||--o| only_one : \"parent_id\"
    trees |o--o{ trees : \"root_id\"
";
    assert_eq!(draw(&database, &[]).await, expected);
    let some = "\
erDiagram
    one_or_none {
        bigint id PK
        bigint parent_id FK, UK
    }
    trees {
        bigint id PK
        bigint root_id FK
    }
    trees |o--o{ trees : \"root_id\"
";
    assert_eq!(draw(&database, &["trees", "one_or_none"]).await, some);
    let unknown = ["trees".to_owned(), "views".to_owned()];
    let refused = database.db.read(async |conn| diagram(conn, &unknown).await).await;
    assert!(matches!(refused, Err(Error::User(_))), "{refused:?}");
}

/// Start of the comment before a diagram in the README, which has the arguments, and the comment after it.
const BEGIN: &str = "<!-- souk db diagram";
const END: &str = "<!-- end of the diagram -->";

#[tokio::test(flavor = "multi_thread")]
async fn readme_diagrams_are_up_to_date() {
    let (database, dir) = (TestDb::new().await, DataDir::new());
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let kept = std::fs::read_to_string(&file).expect("README.md");
    let (mut written, mut rest, mut count) = (String::new(), kept.as_str(), 0);
    while let Some((before, after)) = rest.split_once(BEGIN) {
        let (arguments, after) = after.split_once("-->").expect("the end of the comment");
        let (_, after) = after.split_once(END).expect("the end of the diagram");
        let arguments: Vec<_> = ["db", "diagram"].into_iter().chain(arguments.split_whitespace()).collect();
        let output = dir.command(&arguments).env("DATABASE_URL", &database.url).output().expect("the binary runs");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        let diagram = String::from_utf8(output.stdout).expect("UTF-8");
        written += &format!("{before}<!-- souk {} -->\n```mermaid\n{diagram}```\n{END}", arguments.join(" "));
        (rest, count) = (after, count + 1);
    }
    written += rest;
    assert!(count > 0, "the README has no diagram");
    if std::env::var_os("UPDATE_README").is_some() {
        std::fs::write(&file, &written).expect("writing README.md");
    }
    let kept = std::fs::read_to_string(&file).expect("README.md");
    assert!(kept == written, "the README's diagrams are outdated: `UPDATE_README=1 cargo test diagram` updates them");
    let unknown =
        dir.command(&["db", "diagram", "--only", "users,nonsense"]).env("DATABASE_URL", &database.url).output();
    let unknown = unknown.expect("the binary runs");
    assert_eq!((unknown.status.code(), unknown.stdout.as_slice()), (Some(2), &b""[..]));
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("there is no table \"nonsense\""), "{unknown:?}");
}
