//! A Mermaid diagram of the tables, read from the system catalogs of a database.
//! Rule: equal tables give exactly equal diagrams.

use std::fmt::{self, Write};

use diesel::{
    QueryableByName,
    sql_types::{Bool, Text},
};
use diesel_async::RunQueryDsl;

use super::Conn;
use crate::error::{Error, Result};

/// Selects the columns of all tables, in order, except the table of applied migrations.
const COLUMNS: &str = r#"
SELECT t.relname::text AS "table", a.attname::text AS name, format_type(a.atttypid, NULL) AS kind,
    EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = t.oid AND k.contype = 'p' AND a.attnum = ANY (k.conkey)) AS is_primary,
    EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = t.oid AND k.contype = 'f' AND a.attnum = ANY (k.conkey)) AS is_foreign,
    EXISTS (SELECT FROM pg_index i WHERE i.indrelid = t.oid AND i.indisunique AND NOT i.indisprimary AND i.indpred IS NULL
            AND i.indnkeyatts = 1 AND i.indkey[0] = a.attnum) AS is_unique
FROM pg_class t JOIN pg_attribute a ON a.attrelid = t.oid
WHERE t.relnamespace = 'public'::regnamespace AND t.relkind IN ('r', 'p') AND t.relname !~ '^__'
    AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY t.relname::text COLLATE "C", a.attnum"#;

/// Selects the foreign keys. A child requires a parent if all columns of the key are NOT NULL; a parent has at most one
/// child if the columns have a unique index.
const RELATIONS: &str = r#"
SELECT child.relname::text AS child, parent.relname::text AS parent,
    (SELECT string_agg(a.attname::text, ', ' ORDER BY key.place)
        FROM unnest(k.conkey) WITH ORDINALITY AS key (number, place)
        JOIN pg_attribute a ON a.attrelid = child.oid AND a.attnum = key.number) COLLATE "C" AS columns,
    (SELECT bool_and(a.attnotnull) FROM pg_attribute a WHERE a.attrelid = child.oid AND a.attnum = ANY (k.conkey)) AS has_parent,
    EXISTS (SELECT FROM pg_index i WHERE i.indrelid = child.oid AND i.indisunique AND i.indpred IS NULL
            AND (i.indkey::int2[])[0:i.indnkeyatts - 1] <@ k.conkey) AS is_only_child
FROM pg_constraint k JOIN pg_class child ON child.oid = k.conrelid JOIN pg_class parent ON parent.oid = k.confrelid
WHERE k.contype = 'f' AND k.conparentid = 0 AND child.relnamespace = 'public'::regnamespace
ORDER BY parent.relname::text COLLATE "C", child.relname::text COLLATE "C", columns"#;

#[derive(QueryableByName)]
struct Column {
    #[diesel(sql_type = Text)]
    table: String,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Bool)]
    is_primary: bool,
    #[diesel(sql_type = Bool)]
    is_foreign: bool,
    #[diesel(sql_type = Bool)]
    is_unique: bool,
}

#[derive(QueryableByName)]
struct Relation {
    #[diesel(sql_type = Text)]
    child: String,
    #[diesel(sql_type = Text)]
    parent: String,
    #[diesel(sql_type = Text)]
    columns: String,
    #[diesel(sql_type = Bool)]
    has_parent: bool,
    #[diesel(sql_type = Bool)]
    is_only_child: bool,
}

/// Returns the tables with their columns and relations as a Mermaid `erDiagram`, restricted to the tables in `only`
/// unless it is empty.
/// # Errors
/// Returns a user error if a table does not exist.
pub async fn diagram(mut conn: &Conn, only: &[String]) -> Result<String> {
    let columns: Vec<Column> = diesel::sql_query(COLUMNS).load(&mut conn).await?;
    let relations: Vec<Relation> = diesel::sql_query(RELATIONS).load(&mut conn).await?;
    if let Some(unknown) = only.iter().find(|name| !columns.iter().any(|column| column.table == **name)) {
        return Err(Error::bad_input("only", format!("there is no table {unknown:?}")));
    }
    let is_wanted = |table: &String| only.is_empty() || only.contains(table);
    let columns: Vec<_> = columns.iter().filter(|column| is_wanted(&column.table)).collect();
    let relations = relations.iter().filter(|relation| is_wanted(&relation.child) && is_wanted(&relation.parent));

    let mut text = "erDiagram\n".to_owned();
    let write = |text: &mut String| -> fmt::Result {
        for table in columns.chunk_by(|one, next| one.table == next.table) {
            writeln!(text, "    {} {{", table[0].table)?;
            for column in table {
                writeln!(text, "        {column}")?;
            }
            writeln!(text, "    }}")?;
        }
        for relation in relations {
            writeln!(text, "    {relation}")?;
        }
        Ok(())
    };
    write(&mut text).map_err(|error| Error::Internal(format!("diagram: {error}")))?;
    Ok(text)
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Types in Mermaid consist of a single word.
        let kind = match self.kind.as_str() {
            "timestamp with time zone" => "timestamptz".to_owned(),
            kind => kind.replace(' ', "_"),
        };
        let marks = [(self.is_primary, "PK"), (self.is_foreign, "FK"), (self.is_unique, "UK")];
        let marks: Vec<_> = marks.into_iter().filter(|(is_so, _)| *is_so).map(|(_, mark)| mark).collect();
        write!(f, "{kind} {}", self.name)?;
        if marks.is_empty() { Ok(()) } else { write!(f, " {}", marks.join(", ")) }
    }
}

impl fmt::Display for Relation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parents = if self.has_parent { "||" } else { "|o" };
        let children = if self.is_only_child { "o|" } else { "o{" };
        write!(f, "{} {parents}--{children} {} : \"{}\"", self.parent, self.child, self.columns)
    }
}
