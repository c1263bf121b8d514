//! The schema definition of this server as a subgraph of an Apollo Federation (version 2).
//! Rule: every entity is found by its global ID. Types that other subgraphs are likely to have as well are shareable.

/// What begins the definition of a type with a global ID.
const ENTITY: &str = " implements Node {";

/// Types that several subgraphs may define.
const SHAREABLE: [&str; 2] = ["type Money {", "type PageInfo {"];

/// Adds the directives of federation to a schema definition that has the `@link` already.
pub fn add_directives(sdl: &str) -> String {
    let line = |line: &str| match line {
        line if line.starts_with("type ") && line.ends_with(ENTITY) => {
            line.replace(ENTITY, " implements Node @key(fields: \"id\") {")
        }
        line if SHAREABLE.contains(&line) => line.replace(" {", " @shareable {"),
        line => line.to_owned(),
    };
    let mut text: String = sdl.lines().map(|found| line(found) + "\n").collect();
    text.truncate(text.trim_end().len() + 1);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entities_have_keys_and_common_types_are_shareable() {
        let sdl = "type Product implements Node {\n\tid: ID!\n}\n\ntype Money {\n\tamount: Decimal!\n}\n\ntype Seo {\n\ttitle: String\n}\n";
        let expected = "type Product implements Node @key(fields: \"id\") {\n\tid: ID!\n}\n\ntype Money @shareable {\n\tamount: Decimal!\n}\n\ntype Seo {\n\ttitle: String\n}\n";
        assert_eq!(add_directives(sdl), expected);
    }
}
