//! `souk documents`: the documents of manifests are stored, listed and removed.

use std::fs;

use crate::support::{TestDb, process::DataDir};

#[tokio::test(flavor = "multi_thread")]
async fn documents_are_pushed_listed_and_removed() {
    let (directory, database) = (DataDir::new(), TestDb::new().await);
    let files = DataDir::new();
    let souk = |arguments: &[&str]| {
        let output = directory.command(arguments).env("DATABASE_URL", &database.url).output().expect("the binary runs");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let file = |name: &str, json: &str| {
        let path = files.0.join(name);
        fs::write(&path, json).expect("a file");
        path.to_str().expect("a path").to_owned()
    };
    let codegen = file("codegen.json", r#"{"a1": "query Me { me { id } }", "a2": "{ websites { nodes { code } } }"}"#);
    let apollo = file(
        "apollo.json",
        r#"{"format": "apollo-persisted-query-manifest", "version": 1,
            "operations": [{"id": "b1", "name": "Me", "type": "query", "body": "query Me { me { name } }"}]}"#,
    );
    let (code, out, _) = souk(&["documents", "push", &codegen, &apollo]);
    assert_eq!((code, out.as_str()), (Some(0), "Documents added: 3, unchanged: 0\n"));
    assert_eq!(souk(&["documents", "push", &codegen]).1, "Documents added: 0, unchanged: 2\n");
    let (_, listed, _) = souk(&["documents", "list"]);
    let ids: Vec<_> = listed.lines().filter_map(|line| line.split('\t').next()).collect();
    assert_eq!(ids, ["a1", "a2", "b1"]);
    assert!(listed.contains("b1\tMe\t20"), "{listed}");

    for (name, json, message) in [
        ("changed.json", r#"{"a1": "{ me { name } }", "a3": "{ me { id } }"}"#, "another document has the ID a1"),
        ("syntax.json", r#"{"a4": "{ me {"}"#, "the document a4 is not valid"),
        ("list.json", "[]", "is not a manifest"),
    ] {
        let (code, _, error) = souk(&["documents", "push", &file(name, json)]);
        assert!(code == Some(2) && error.contains(message), "{name}: {code:?} {error}");
    }
    let (code, _, error) = souk(&["documents", "push", "missing.json"]);
    assert!(code == Some(1) && error.contains("missing.json"), "{error}");
    assert_eq!(souk(&["documents", "remove", "a1", "none"]).1, "Documents removed: 1\n");
    assert_eq!(souk(&["documents", "list"]).1.lines().count(), 2);
}
