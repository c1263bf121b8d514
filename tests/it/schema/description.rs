//! What the printed schema says beyond its types: its own description, and where its scalars are specified.

use crate::support::TestApp;

#[test]
fn scalars_and_the_schema_are_specified() {
    let sdl = souk::graphql::sdl();
    let scalars: Vec<_> = sdl.lines().filter(|line| line.starts_with("scalar ")).collect();
    assert!(scalars.len() >= 5, "{scalars:?}");
    let unspecified = scalars.iter().filter(|line| !line.contains(" @specifiedBy(url: \"https://"));
    assert_eq!(unspecified.collect::<Vec<_>>(), Vec::<&&str>::new());
    let (before, _) = sdl.split_once("\nschema {").expect("a schema definition");
    assert!(before.ends_with("\n\"\"\"") && before.contains("Souk"), "the schema has a description");
}

#[tokio::test]
async fn introspection_returns_the_description_of_the_schema() {
    let app = TestApp::new().await;
    let response = app.anonymous().run("{ s: __schema { text: description queryType { name } } }").await;
    assert!(souk::graphql::sdl().contains(&response.text_at("s.text")), "{response:?}");
    assert!(response.text_at("s.text").contains("Souk"));
}
