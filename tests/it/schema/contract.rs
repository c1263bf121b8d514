//! Conventions of the schema, checked on the printed schema. `UPDATE_SCHEMA=1 cargo test contract` writes
//! `schema.graphql`.

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

/// Lists without `first` or `last`, and what limits their length.
const BOUNDED: &[(&str, &str)] = &[
    ("*Connection.edges", "a page of at most 100 items"),
    ("*Connection.nodes", "a page of at most 100 items"),
    ("*Payload.userErrors", "at most one for each rule and input field, and the input is bounded"),
    ("ApiKey.permissions", "a closed enum"),
    ("ApiKey.websites", "an API key has at most 100"),
    ("OptionFacet.values", "the 100 option values with the most hits"),
    ("Query.searchSuggestions", "takes `first`, at most 50"),
    ("SearchRule.words", "a rule has at most 50"),
    ("SearchFacets.availability", "the 100 values with the most hits"),
    ("SearchFacets.brands", "the 100 values with the most hits"),
    ("SearchFacets.categories", "the 100 values with the most hits"),
    ("SearchFacets.options", "the 100 values with the most hits"),
    ("SearchFacets.prices", "the 100 values with the most hits"),
    ("SearchFacets.ratings", "the 100 values with the most hits"),
    ("SearchFacets.tags", "the 100 values with the most hits"),
    ("SearchFacets.websites", "the 100 values with the most hits"),
    ("Cart.lines", "a cart has at most 500 lines"),
    ("Country.subdivisions", "at most 107 (provinces of Italy)"),
    ("CheckoutPayload.orders", "one for each website of a cart"),
    ("Category.ancestors", "the tree is at most 32 deep"),
    ("Order.details", "an order has at most 500 lines"),
    ("Order.payments", "an order has at most 50"),
    ("Payment.operations", "at most 100 requested ones, and a void and a refund after a cancellation"),
    ("Order.events", "the latest 500 of an order"),
    ("Order.returns", "an order has at most 100"),
    ("Order.shipments", "an order has at most 100"),
    ("Rating.stars", "always five, one per rating"),
    ("Return.lines", "each line of the order at most once"),
    ("Product.offers", "the first 50"),
    ("Product.options", "one for each option of its group"),
    ("Product.tags", "a product has at most 250"),
    ("ProductGroup.options", "a group varies by at most 5 options"),
    ("ProductGroup.variesBy", "as `ProductGroup.options`"),
    ("ProductGroupOption.values", "a group has at most 1,000 products"),
    ("Query.countries", "the 250 countries of ISO 3166-1 and Kosovo"),
    ("Query.nodes", "at most 100 ids"),
    ("Role.permissions", "a closed enum"),
    ("WebhookSubscription.events", "a closed enum"),
    ("Role.websites", "a role has at most 100"),
    ("SearchAnalytics.top", "at most 100"),
    ("SearchAnalytics.trends", "at most 1,000 steps"),
    ("SearchAnalytics.zeroResults", "at most 100"),
    ("Shipment.lines", "each line of the order at most once"),
    ("Transfer.errors", "the first 100"),
    ("Transfer.ignoredColumns", "at most 200"),
    ("Transfer.notes", "one for each kind of note"),
    ("Transfer.rejections", "at most 100"),
    ("TransferRejection.examples", "at most three"),
    ("Transfer.imageFailures", "the 20 most frequent reasons"),
    ("TransferImageFailure.examples", "at most five"),
    ("Product.images", "a product has at most 50"),
    ("User.addresses", "a user has at most 50"),
    ("User.apiKeys", "a user has at most 50"),
    ("User.identities", "one for each website"),
    ("User.sessions", "a user has at most 100 active ones"),
];

/// Lists whose items may be null, each with its reason.
const NULLABLE_ITEMS: &[(&str, &str)] = &[("Query.nodes", "one item per id, null if it does not exist")];

/// Mutations whose name does not begin with a type, each with its reason.
const VERB_MUTATIONS: &[(&str, &str)] = &[
    ("checkout", "established term; creates orders from a cart"),
    ("exportStart", "established term; creates a transfer"),
    ("importStart", "as `exportStart`"),
    ("login", "established term; changes no entity"),
    ("logout", "established term"),
    ("logoutEverywhere", "as `logout`"),
    ("register", "established term; `userCreate` creates other users"),
    ("webhookRedeliver", "established term; creates a webhook delivery"),
    ("webhookTest", "as `webhookRedeliver`"),
];

/// Mutations without an input, each with its reason.
const NO_INPUT: &[(&str, &str)] = &[("logoutEverywhere", "applies to the viewer")];

/// Mutations with an optional input, each with its reason.
const OPTIONAL_INPUT: &[(&str, &str)] =
    &[("cartCreate", "most carts start without lines"), ("logout", "the access token says which session ends")];

/// Other prefixes of mutation names, besides the types with a global id.
const TYPE_NAMES: &[&str] = &["email", "password", "search", "stock", "token", "upload"];

/// Inputs that set an owner, a status, permissions or an amount, and why that is safe.
const PRIVILEGED_INPUTS: &[(&str, &str)] = &[
    ("AddressCreateInput.userId", "staff add addresses for customers"),
    ("ApiKeyCreateInput.permissions", "checked against the viewer's permissions"),
    ("CheckoutInput.expectedTotal", "only compared with the actual total"),
    ("OrderStatusUpdateInput.status", "the purpose of the mutation"),
    ("PaymentCaptureInput.amount", "checked against the authorized amount"),
    ("PaymentRefundInput.amount", "checked against the captured amount"),
    ("ProductCreateInput.costPrice", "paid by the shop, not by customers"),
    ("ProductCreateInput.isActive", "creates a draft; as `productUpdate`"),
    ("ProductCreateInput.price", "the list price, not a paid amount"),
    ("ProductCreateInput.compareAtPrice", "displayed beside the price, never paid"),
    ("ProductUpdateInput.compareAtPrice", "displayed beside the price, never paid"),
    ("ProductUpdateInput.costPrice", "as `productCreate`"),
    ("ProductUpdateInput.isActive", "undoes `productDelete`, with the same permission"),
    ("ProductUpdateInput.price", "the list price, not a paid amount"),
    ("RoleCreateInput.permissions", "checked against the viewer's permissions"),
    ("RoleUpdateInput.permissions", "checked against the viewer's permissions"),
    ("UserIdentityAddInput.userId", "staff link users to website accounts"),
    ("UserIdentityRemoveInput.userId", "as `userIdentityAdd`"),
    ("UserRoleSetInput.role", "the purpose of the mutation"),
    ("UserRoleSetInput.userId", "the purpose of the mutation"),
    ("UserCreateInput.role", "checked against the viewer's permissions"),
];

fn is_listed(list: &[(&str, &str)], place: &str) -> bool {
    list.iter().any(|(listed, _)| match listed.strip_prefix('*') {
        Some(end) => place.ends_with(end),
        None => place == *listed,
    })
}

/// Fails with all violations of a rule, not only the first.
#[track_caller]
fn forbid(rule: &str, broken: Vec<String>) {
    assert!(broken.is_empty(), "{rule}:\n  {}", broken.join("\n  "));
}

#[test]
fn schema_file_matches_the_printed_schema() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema.graphql");
    let printed = souk::graphql::sdl();
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(&file, &printed).expect("writing schema.graphql");
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    let line = kept.lines().zip(printed.lines()).position(|(kept, printed)| kept != printed).map(|index| index + 1);
    assert!(
        kept == printed,
        "schema.graphql is outdated (first difference in line {line:?}); \
         `UPDATE_SCHEMA=1 cargo test contract` updates it"
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
    forbid("elements without a description", bare);
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
    forbid("lists without first, after, last and before that are not in BOUNDED", unbounded.collect());
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
    forbid("listed exceptions that are not in the schema", stale.map(|(place, _)| (*place).into()).collect());
}

#[test]
fn every_connection_has_edges_nodes_page_info_and_total_count() {
    let sdl = Sdl::read();
    let connections: Vec<_> = sdl.types().filter(|(name, _)| name.ends_with("Connection")).collect();
    assert!(connections.len() >= 8, "only {} connections", connections.len());
    for (name, _) in connections {
        let type_name = name.strip_suffix("Connection").expect("the suffix Connection");
        let fields: Vec<_> = sdl
            .fields(name)
            .into_iter()
            .map(|field| (field.name.node.to_string(), field.ty.node.to_string()))
            // A search connection has additional fields.
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
        // Nullable, so that the results of other mutations in the document are returned if this one fails.
        assert_eq!(field.ty.node.to_string(), payload, "{name}");
        for response in sdl.fields(&payload) {
            let ty = response.ty.node.to_string();
            match response.name.node.as_str() {
                "userErrors" => assert_eq!(ty, "[UserError!]!", "{payload}"),
                // Null if the mutation fails; a list is empty instead.
                other => assert!(
                    response.ty.node.nullable || is_list(&response.ty.node),
                    "{payload}.{other} is {ty}, but must be nullable for failures"
                ),
            }
        }
        assert!(sdl.fields(&payload).iter().any(|field| field.name.node == "userErrors"), "{payload}");
        let type_first = type_names.iter().any(|type_name| {
            name.strip_prefix(type_name.as_str())
                .is_some_and(|verb| verb.starts_with(|letter: char| letter.is_ascii_uppercase()))
        });
        assert!(type_first || is_listed(VERB_MUTATIONS, name), "{name} does not begin with its type");
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
    forbid("lists that are not [X!]!", nullable.collect());
    // An input list may be absent, but not contain null.
    let inputs = sdl.types().flat_map(|(name, _)| sdl.inputs(name).into_iter().map(move |field| (name, field)));
    let nullable = inputs.filter_map(|(name, field)| {
        let ty = field.ty.node.to_string();
        let sound = !is_list(&field.ty.node) || ty.trim_end_matches('!').ends_with("!]");
        (!sound).then(|| format!("{name}.{}: {ty}", field.name.node))
    });
    forbid("input lists that may contain null", nullable.collect());
}

#[test]
fn money_is_never_a_float() {
    let sdl = Sdl::read();
    let floats = sdl.all_fields().filter(|(_, field)| base_name(&field.ty.node) == "Float");
    let floats: Vec<_> = floats.map(|(name, field)| format!("{name}.{}", field.name.node)).collect();
    assert_eq!(floats, ["SearchEdge.score"], "only a score may be a Float");
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
    forbid("types with an id that are not a Node, or the reverse", bare.collect());
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
    forbid("inputs with unlisted privileged fields", unlisted.collect());
}

#[tokio::test]
async fn ide_examples_are_valid() {
    let module = include_str!("../../../src/http/ide/examples.js");
    let (_, text) = module.split_once('`').expect("the start of a template string");
    let (text, _) = text.split_once('`').expect("the end of a template string");
    assert!(!text.contains("${"), "the examples are plain text");
    let document = parse_query(text).expect("the examples parse");
    let DocumentOperations::Multiple(operations) = document.operations else {
        panic!("the examples must be named operations")
    };
    let app = TestApp::new().await;
    for name in operations.keys() {
        let body = json!({ "query": text, "operationName": name }).to_string();
        let request = Request::post("/graphql").header(header::CONTENT_TYPE, "application/json").body(Body::from(body));
        let (_, _, bytes) = app.send(request.expect("a request")).await;
        let response: Value = serde_json::from_slice(&bytes).expect("JSON");
        // Errors of execution have a path; errors of the document have none.
        let errors = response["errors"].as_array().cloned().unwrap_or_default();
        assert!(errors.iter().all(|error| error["path"].is_array()), "{name}: {response:#}");
    }
}
