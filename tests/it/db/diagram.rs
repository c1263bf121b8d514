//! `souk db diagram`: what it prints.

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

#[tokio::test]
async fn unknown_table_is_an_error_of_the_command() {
    let (database, dir) = (TestDb::new().await, DataDir::new());
    let unknown =
        dir.command(&["db", "diagram", "--only", "users,nonsense"]).env("DATABASE_URL", &database.url).output();
    let unknown = unknown.expect("the binary runs");
    assert_eq!((unknown.status.code(), unknown.stdout.as_slice()), (Some(2), &b""[..]));
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("there is no table \"nonsense\""), "{unknown:?}");
}
