//! The conventions of the schema, checked on the printed schema. `UPDATE_SCHEMA=1 cargo test contract` writes `schema.graphql`.

use std::path::Path;

use async_graphql::parser::{
    parse_query,
    types::{DocumentOperations, TypeKind},
};
use axum::{
    body::Body,
    http::{Request, header},
};
use serde_json::{Value, json};

use crate::support::{
    TestApp,
    generated_operations::node_types,
    sdl::{Sdl, base_name, description, is_list},
};

/// Lists that take neither `first` nor `last`, and what bounds them.
const BOUNDED: &[(&str, &str)] = &[
    ("*Connection.edges", "a page of at most 100 rows"),
    ("*Connection.nodes", "a page of at most 100 rows"),
    ("*Payload.userErrors", "at most one for each rule and place of the input, and the input is bounded"),
    ("ApiKey.permissions", "a closed enum"),
    ("ApiKey.websites", "a key is limited to at most 100"),
    ("OptionFacet.values", "the hundred values of options that most hits have"),
    ("Query.searchSuggestions", "takes `first`, at most 50"),
    ("SearchRule.words", "a rule has at most 50"),
    ("SearchFacets.availability", "the hundred values that most hits have"),
    ("SearchFacets.brands", "the hundred values that most hits have"),
    ("SearchFacets.categories", "the hundred values that most hits have"),
    ("SearchFacets.options", "the hundred values that most hits have"),
    ("SearchFacets.prices", "the hundred values that most hits have"),
    ("SearchFacets.ratings", "the hundred values that most hits have"),
    ("SearchFacets.websites", "the hundred values that most hits have"),
    ("Cart.lines", "a cart has at most 500 lines"),
    ("CheckoutPayload.orders", "one for each website of a cart"),
    ("Category.ancestors", "the tree is at most 32 deep"),
    ("Order.details", "an order has at most 500 lines"),
    ("Order.payments", "an order has at most 50"),
    ("Payment.operations", "at most 100 that people ask for, and a void and a refund of a cancellation"),
    ("Order.events", "the latest 500 of an order"),
    ("Order.returns", "an order has at most 100"),
    ("Order.shipments", "an order has at most 100"),
    ("Rating.stars", "five, one for each number of stars"),
    ("Return.lines", "each line of the order at most once"),
    ("Product.offers", "the first 50"),
    ("Product.options", "one for each option of its group"),
    ("ProductGroup.options", "a group varies by at most 5 options"),
    ("ProductGroup.variesBy", "as `ProductGroup.options`"),
    ("ProductGroupOption.values", "a group has at most 1,000 products"),
    ("Query.nodes", "at most 100 ids"),
    ("Role.permissions", "a closed enum"),
    ("Role.websites", "a role is limited to at most 100"),
    ("SearchAnalytics.top", "at most 100"),
    ("SearchAnalytics.trends", "at most 1,000 steps"),
    ("SearchAnalytics.zeroResults", "at most 100"),
    ("Shipment.lines", "each line of the order at most once"),
    ("Transfer.errors", "the first 100"),
    ("Product.images", "a product has at most 50"),
    ("User.addresses", "a user has at most 50"),
    ("User.apiKeys", "a user has at most 50"),
    ("User.identities", "one for each website"),
    ("User.sessions", "a user has at most 100 that are live"),
];

/// Lists whose items may be null, and why.
const NULLABLE_ITEMS: &[(&str, &str)] = &[("Query.nodes", "one place for each id, null where there is no such thing")];

/// Mutations that are not named after a type_name, and why.
const VERB_MUTATIONS: &[(&str, &str)] = &[
    ("checkout", "everybody calls it so; it makes orders of a cart"),
    ("exportStart", "everybody calls it so; it makes a transfer"),
    ("importStart", "as `exportStart`"),
    ("login", "everybody calls it so, and it changes no type_name"),
    ("logout", "everybody calls it so"),
    ("logoutEverywhere", "as `logout`"),
    ("register", "everybody calls it so; `userCreate` is for somebody else"),
];

/// Mutations that take no input, and why.
const NO_INPUT: &[(&str, &str)] =
    &[("logout", "it concerns the session that asks"), ("logoutEverywhere", "it concerns whoever asks")];

/// Mutations whose input may be left out, and why.
const OPTIONAL_INPUT: &[(&str, &str)] = &[("cartCreate", "a cart without lines is what most ask for")];

/// What the names of mutations begin with, besides the types with a global id.
const TYPE_NAMES: &[&str] = &["email", "password", "search", "stock", "token", "upload"];

/// Inputs that say who owns something, what state it is in, what a role gives or what was paid, and why they may.
const PRIVILEGED_INPUTS: &[(&str, &str)] = &[
    ("AddressCreateInput.userId", "staff add addresses for customers"),
    ("ApiKeyCreateInput.permissions", "the mutation checks them against what the viewer holds"),
    ("CheckoutInput.expectedTotal", "compared with the total, never believed"),
    ("OrderStatusUpdateInput.status", "the mutation exists for it"),
    ("PaymentCaptureInput.amount", "the mutation checks it against what is authorised"),
    ("PaymentRefundInput.amount", "the mutation checks it against what was paid"),
    ("ProductCreateInput.costPrice", "what the shop pays, not its customers"),
    ("ProductCreateInput.price", "the price asked, not the price paid"),
    ("ProductCreateInput.compareAtPrice", "shown beside the price, never paid"),
    ("ProductUpdateInput.compareAtPrice", "shown beside the price, never paid"),
    ("ProductUpdateInput.costPrice", "as `productCreate`"),
    ("ProductUpdateInput.isActive", "the way back from `productDelete`, for those who may delete"),
    ("ProductUpdateInput.price", "the price asked, not the price paid"),
    ("RoleCreateInput.permissions", "the mutation checks them against what the viewer holds"),
    ("RoleUpdateInput.permissions", "the mutation checks them against what the viewer holds"),
    ("UserIdentityAddInput.userId", "staff say who somebody is at a website"),
    ("UserIdentityRemoveInput.userId", "as `userIdentityAdd`"),
    ("UserRoleSetInput.roleId", "the mutation exists for it"),
    ("UserRoleSetInput.userId", "the mutation exists for it"),
    ("UserCreateInput.role", "the mutation checks it against what the viewer holds"),
];

fn is_listed(list: &[(&str, &str)], place: &str) -> bool {
    list.iter().any(|(listed, _)| match listed.strip_prefix('*') {
        Some(end) => place.ends_with(end),
        None => place == *listed,
    })
}

/// Fails with all the places that break a rule, not only the first.
#[track_caller]
fn forbid(rule: &str, broken: Vec<String>) {
    assert!(broken.is_empty(), "{rule}:\n  {}", broken.join("\n  "));
}

#[test]
fn schema_file_matches_the_printed_schema() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema.graphql");
    let printed = souk::graphql::sdl();
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(&file, &printed).expect("schema.graphql can be written");
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    let line = kept.lines().zip(printed.lines()).position(|(kept, printed)| kept != printed).map(|index| index + 1);
    assert!(
        kept == printed,
        "schema.graphql is not the schema (first difference in line {line:?}); \
         `UPDATE_SCHEMA=1 cargo test contract` writes it anew"
    );
}

#[test]
fn everything_has_a_description() {
    let sdl = Sdl::read();
    let mut bare = Vec::new();
    let mut check = |place: String, text: Option<&str>| {
        if text.is_none_or(|text| text.trim().is_empty()) {
            bare.push(place);
        }
    };
    for (name, definition) in sdl.types() {
        check(name.to_owned(), definition.description.as_ref().map(|text| text.node.as_str()));
        for field in sdl.fields(name) {
            check(format!("{name}.{}", field.name.node), Some(description(field)));
            for argument in &field.arguments {
                let text = argument.node.description.as_ref().map(|text| text.node.as_str());
                check(format!("{name}.{}({})", field.name.node, argument.node.name.node), text);
            }
        }
        for field in sdl.inputs(name) {
            let text = field.description.as_ref().map(|text| text.node.as_str());
            check(format!("{name}.{}", field.name.node), text);
        }
        if let TypeKind::Enum(values) = &definition.kind {
            for value in &values.values {
                let text = value.node.description.as_ref().map(|text| text.node.as_str());
                check(format!("{name}.{}", value.node.value.node), text);
            }
        }
    }
    forbid("these have no description", bare);
}

#[test]
fn every_list_is_bounded() {
    let sdl = Sdl::read();
    let unbounded = sdl.all_fields().filter_map(|(name, field)| {
        let is_connection = base_name(&field.ty.node).ends_with("Connection");
        if !is_connection && !is_list(&field.ty.node) {
            return None;
        }
        let takes = |wanted: &str| field.arguments.iter().any(|argument| argument.node.name.node == wanted);
        let place = format!("{name}.{}", field.name.node);
        let pages = ["first", "after", "last", "before"].into_iter().all(takes);
        (!pages && (is_connection || !is_listed(BOUNDED, &place))).then_some(place)
    });
    forbid("these lists take no first, after, last and before, and are not written down as bounded", unbounded.collect());
}

#[test]
fn listed_exceptions_exist() {
    let sdl = Sdl::read();
    let mut places: Vec<String> = sdl.all_fields().map(|(name, field)| format!("{name}.{}", field.name.node)).collect();
    places.extend(sdl.types().flat_map(|(name, _)| {
        sdl.inputs(name).into_iter().map(move |field| format!("{name}.{}", field.name.node)).collect::<Vec<_>>()
    }));
    places.extend(sdl.fields("Mutation").into_iter().map(|field| field.name.node.to_string()));
    let all = [BOUNDED, NULLABLE_ITEMS, VERB_MUTATIONS, PRIVILEGED_INPUTS].into_iter().flatten();
    let stale = all.filter(|(listed_place, _)| !places.iter().any(|place| is_listed(&[(*listed_place, "")], place)));
    forbid("these are on a list of exceptions but not in the schema", stale.map(|(place, _)| (*place).into()).collect());
}

#[test]
fn every_connection_has_edges_nodes_page_info_and_total_count() {
    let sdl = Sdl::read();
    let connections: Vec<_> = sdl.types().filter(|(name, _)| name.ends_with("Connection")).collect();
    assert!(connections.len() >= 8, "only {} connections", connections.len());
    for (name, _) in connections {
        let type_name = name.strip_suffix("Connection").expect("it ends so");
        let fields: Vec<_> = sdl
            .fields(name)
            .into_iter()
            .map(|field| (field.name.node.to_string(), field.ty.node.to_string()))
            // A search tells more of its hits.
            .filter(|(field, _)| {
                type_name != "Search" || !["didYouMean", "facets", "redirect", "searchId"].contains(&field.as_str())
            })
            .collect();
        let node = if type_name == "Search" { "SearchResult" } else { type_name };
        let expected = [
            ("edges", format!("[{type_name}Edge!]!")),
            ("nodes", format!("[{node}!]!")),
            ("pageInfo", "PageInfo!".to_owned()),
            ("totalCount", "TotalCount!".to_owned()),
        ];
        assert_eq!(fields, expected.map(|(name, ty)| (name.to_owned(), ty)), "{name}");
        let edge = sdl.fields(&format!("{type_name}Edge"));
        for wanted in ["cursor", "node"] {
            assert!(edge.iter().any(|field| field.name.node == wanted), "{type_name}Edge has no {wanted}");
        }
    }
}

#[test]
fn every_mutation_takes_one_input_and_returns_its_payload() {
    let sdl = Sdl::read();
    let mutations = sdl.fields("Mutation");
    assert!(mutations.len() > 20, "only {} mutations", mutations.len());
    let type_names = node_types(&sdl).into_iter().map(|node| node[..1].to_lowercase() + &node[1..]);
    let type_names: Vec<String> =
        type_names.chain(TYPE_NAMES.iter().map(|type_name| (*type_name).to_owned())).collect();
    for field in mutations {
        let name = field.name.node.as_str();
        let pascal = name[..1].to_uppercase() + &name[1..];
        let arguments: Vec<_> = field.arguments.iter().map(|argument| argument.node.to_owned()).collect();
        match arguments.as_slice() {
            [] => assert!(is_listed(NO_INPUT, name), "{name} takes no input"),
            [input] => {
                assert_eq!(input.name.node, "input", "{name}");
                let ty =
                    if is_listed(OPTIONAL_INPUT, name) { format!("{pascal}Input") } else { format!("{pascal}Input!") };
                assert_eq!(input.ty.node.to_string(), ty, "{name}");
            }
            more => panic!("{name} takes {} arguments", more.len()),
        }
        let payload = format!("{pascal}Payload");
        assert_eq!(field.ty.node.to_string(), format!("{payload}!"), "{name}");
        for response in sdl.fields(&payload) {
            let ty = response.ty.node.to_string();
            match response.name.node.as_str() {
                "userErrors" => assert_eq!(ty, "[UserError!]!", "{payload}"),
                // A list is empty instead.
                other => assert!(
                    response.ty.node.nullable || is_list(&response.ty.node),
                    "{payload}.{other} is {ty}: what failed has none"
                ),
            }
        }
        assert!(sdl.fields(&payload).iter().any(|field| field.name.node == "userErrors"), "{payload}");
        let type_first = type_names.iter().any(|type_name| {
            name.strip_prefix(type_name.as_str())
                .is_some_and(|verb| verb.starts_with(|letter: char| letter.is_ascii_uppercase()))
        });
        assert!(type_first || is_listed(VERB_MUTATIONS, name), "{name} does not begin with its type_name");
    }
}

#[test]
fn lists_and_their_items_are_never_null() {
    let sdl = Sdl::read();
    let nullable = sdl.all_fields().filter_map(|(name, field)| {
        let place = format!("{name}.{}", field.name.node);
        let ty = field.ty.node.to_string();
        let sound = !is_list(&field.ty.node) || ty.ends_with("!]!") || is_listed(NULLABLE_ITEMS, &place);
        (!sound).then(|| format!("{place}: {ty}"))
    });
    forbid("these lists are not [X!]!", nullable.collect());
    // A list of an input may be absent; what it holds may not.
    let inputs = sdl.types().flat_map(|(name, _)| sdl.inputs(name).into_iter().map(move |field| (name, field)));
    let nullable = inputs.filter_map(|(name, field)| {
        let ty = field.ty.node.to_string();
        let sound = !is_list(&field.ty.node) || ty.trim_end_matches('!').ends_with("!]");
        (!sound).then(|| format!("{name}.{}: {ty}", field.name.node))
    });
    forbid("these lists of inputs may hold null", nullable.collect());
}

#[test]
fn money_is_never_a_float() {
    let sdl = Sdl::read();
    let floats = sdl.all_fields().filter(|(_, field)| base_name(&field.ty.node) == "Float");
    let floats: Vec<_> = floats.map(|(name, field)| format!("{name}.{}", field.name.node)).collect();
    assert_eq!(floats, ["SearchEdge.score"], "a score may be a float, nothing else");
    for (name, field) in sdl.all_fields() {
        let field_name = field.name.node.as_str();
        if field_name.to_lowercase().ends_with("price") || field_name.ends_with("Amount") {
            assert_eq!(base_name(&field.ty.node), "Money", "{name}.{field_name}");
        }
    }
}

#[test]
fn every_entity_has_a_global_id() {
    let sdl = Sdl::read();
    let bare = sdl.types().filter_map(|(name, definition)| {
        let TypeKind::Object(object) = &definition.kind else { return None };
        let has_id = object.fields.iter().any(|field| field.node.name.node == "id");
        let is_node = object.implements.iter().any(|interface| interface.node == "Node");
        (has_id != is_node).then(|| name.to_owned())
    });
    forbid("these have an id but are no Node, or the other way round", bare.collect());
}

#[test]
fn inputs_have_no_unrelated_privileged_fields() {
    let sdl = Sdl::read();
    let is_power = |name: &str| {
        let name = name.to_lowercase();
        ["role", "permission", "status", "owner", "seller", "user", "active", "price", "amount", "total"]
            .iter()
            .any(|power| name.contains(power))
    };
    let powerful = sdl.types().filter(|(name, _)| name.ends_with("Input")).flat_map(|(name, _)| {
        let fields = sdl.inputs(name).into_iter().filter(|field| is_power(&field.name.node));
        fields.map(|field| format!("{name}.{}", field.name.node)).collect::<Vec<_>>()
    });
    let unlisted = powerful.filter(|place| !is_listed(PRIVILEGED_INPUTS, place));
    forbid("these inputs say who owns, what state, what role or what was paid", unlisted.collect());
}

#[tokio::test]
async fn ide_examples_are_valid() {
    let module = include_str!("../../../src/http/ide/examples.js");
    let (_, text) = module.split_once('`').expect("a template string begins");
    let (text, _) = text.split_once('`').expect("a template string ends");
    assert!(!text.contains("${"), "the examples are plain text");
    let document = parse_query(text).expect("the examples parse");
    let DocumentOperations::Multiple(operations) = document.operations else { panic!("the examples have no names") };
    let app = TestApp::new().await;
    for name in operations.keys() {
        let body = json!({ "query": text, "operationName": name }).to_string();
        let request = Request::post("/graphql").header(header::CONTENT_TYPE, "application/json").body(Body::from(body));
        let (_, _, bytes) = app.send(request.expect("a request")).await;
        let response: Value = serde_json::from_slice(&bytes).expect("JSON");
        // What went wrong while it ran has a path; what is wrong with a document has none.
        let errors = response["errors"].as_array().cloned().unwrap_or_default();
        assert!(errors.iter().all(|error| error["path"].is_array()), "{name}: {response:#}");
    }
}
