//! The diagram of the order status in the README, generated from the table of transitions.
//! `UPDATE_README=1 cargo test order_diagram` updates it.

use std::{fmt::Write, path::Path};

use souk::orders::model::{OrderActor, Status, TRANSITIONS};

const BEGIN: &str = "<!-- the life of an order: written by UPDATE_README=1 cargo test order_diagram -->\n";
const END: &str = "<!-- end -->";

fn diagram() -> String {
    let name = |status: Status| status.as_str().to_uppercase();
    let mut drawn = "```mermaid\nstateDiagram-v2\n    [*] --> PENDING\n".to_owned();
    for it in TRANSITIONS {
        let who = it.by.iter().map(|mover| match mover {
            OrderActor::Customer => "customer",
            OrderActor::Staff => "staff",
            OrderActor::Seller => "seller",
        });
        let who = who.collect::<Vec<_>>().join(", ");
        writeln!(drawn, "    {} --> {}: {who}", name(it.from), name(it.to)).expect("writing to a string");
    }
    for status in Status::ALL.into_iter().filter(|status| TRANSITIONS.iter().all(|it| it.from != *status)) {
        writeln!(drawn, "    {} --> [*]", name(status)).expect("writing to a string");
    }
    drawn + "```\n"
}

#[test]
fn readme_shows_the_order_status_transitions() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = std::fs::read_to_string(&file).expect("README.md");
    let (before, rest) = readme.split_once(BEGIN).expect("the start marker in README.md");
    let (shown, after) = rest.split_once(END).expect("the end marker in README.md");
    if std::env::var_os("UPDATE_README").is_some() {
        std::fs::write(&file, format!("{before}{BEGIN}{}{END}{after}", diagram())).expect("writing README.md");
        return;
    }
    assert_eq!(shown, diagram(), "`UPDATE_README=1 cargo test order_diagram` updates it");
}
