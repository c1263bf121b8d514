//! The diagram of an order's life in the README, drawn from the table of moves.
//! `UPDATE_README=1 cargo test order_diagram` writes it.

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
        writeln!(drawn, "    {} --> {}: {who}", name(it.from), name(it.to)).expect("a string takes it");
    }
    for status in Status::ALL.into_iter().filter(|status| TRANSITIONS.iter().all(|it| it.from != *status)) {
        writeln!(drawn, "    {} --> [*]", name(status)).expect("a string takes it");
    }
    drawn + "```\n"
}

#[test]
fn readme_shows_the_order_status_transitions() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = std::fs::read_to_string(&file).expect("README.md");
    let (before, rest) = readme.split_once(BEGIN).expect("the README has the mark");
    let (shown, after) = rest.split_once(END).expect("the README has the end mark");
    if std::env::var_os("UPDATE_README").is_some() {
        std::fs::write(&file, format!("{before}{BEGIN}{}{END}{after}", diagram())).expect("README.md can be written");
        return;
    }
    assert_eq!(shown, diagram(), "`UPDATE_README=1 cargo test order_diagram` draws it anew");
}
