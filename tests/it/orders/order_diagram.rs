//! The diagram of the order status in the guide to orders, generated from the table of transitions.
//! `UPDATE_DOCS=1 cargo test order_diagram` updates it.

use std::{fmt::Write, path::Path};

use souk::orders::model::{OrderActor, Status, TRANSITIONS};

const BEGIN: &str = "<!-- order status diagram: written by UPDATE_DOCS=1 cargo test order_diagram -->\n";
const END: &str = "<!-- end of the order status diagram -->";

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
fn guide_shows_the_order_status_transitions() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/guides/orders.md");
    let guide = std::fs::read_to_string(&file).expect("docs/guides/orders.md");
    let (before, rest) = guide.split_once(BEGIN).expect("the start marker in the guide");
    let (shown, after) = rest.split_once(END).expect("the end marker in the guide");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&file, format!("{before}{BEGIN}{}{END}{after}", diagram())).expect("writing the guide");
        return;
    }
    assert_eq!(shown, diagram(), "`UPDATE_DOCS=1 cargo test order_diagram` updates it");
}
