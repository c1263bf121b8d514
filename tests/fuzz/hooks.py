"""What schemathesis needs to know about Souk: how its values look, how a client logs in, and what counts as a fault."""

import base64
import json
import os
import random

import graphql
import requests
import schemathesis
from hypothesis import strategies as st
from schemathesis.graphql import nodes, scalar

URL = os.environ["SOUK_URL"]
EMAIL = os.environ.get("SOUK_ADMIN_EMAIL", "admin@souk.example")
PASSWORD = os.environ.get("SOUK_ADMIN_PASSWORD", "demo-admin-2026")
# Whether the requests are the admin's. The others are a guest's.
IS_ADMIN = os.environ.get("SOUK_VIEWER") == "admin"
# A file to which all requests and responses are written, to see what a run reached.
LOG = os.environ.get("SOUK_FUZZ_LOG")


# Custom scalars: usual values, and those at and beyond the limits of the types of PostgreSQL and Rust.

DECIMALS = ["0", "1", "12.50", "-1", "0.001", "-0", "999999999999.99", "1e5", "1e-30", "9" * 40, "0." + "9" * 40]
DECIMALS += [
    "NaN",
    "Infinity",
    "",
    " 1",
    "1,5",
    "1e400",
    "79228162514264337593543950335",
    "-79228162514264337593543950336",
]
TIMES = ["2026-11-29T09:30:00Z", "1970-01-01T00:00:00+14:00", "0000-01-01T00:00:00Z", "0001-01-01T00:00:00+23:59"]
TIMES += [
    "9999-12-31T23:59:59.999999999-23:59",
    "2026-02-30T00:00:00Z",
    "2016-12-31T23:59:60Z",
    "-4714-01-01T00:00:00Z",
]
TIMES += ["+294277-01-01T00:00:00Z", "+262142-12-31T23:59:59Z", "-262143-01-01T00:00:00Z", "2026-11-29", ""]


def strings(*values):
    return st.sampled_from(values).map(nodes.String)


amounts = st.decimals(0, 1000, places=2).map(str).map(nodes.String)
scalar("Decimal", strings(*DECIMALS) | amounts | st.integers().map(nodes.Int))
scalar("DateTime", strings(*TIMES) | st.datetimes().map(lambda time: nodes.String(f"{time.isoformat()}Z")))
scalar("CountryCode", strings("DE", "us", "XK", "ZZ", "", "DEU", "ÄÖ"))
scalar("CurrencyCode", strings("EUR", "usd", "JPY", "XXX", "", "€", "ZZZ"))
scalar("JSON", strings("text", "") | st.integers().map(nodes.Int))
# A file can only be sent as multipart/form-data, which schemathesis does not do for GraphQL.
scalar("Upload", st.just(nodes.Null))


# Most random arguments are rejected early: texts are no IDs, `first` is too high, and `first` and `last` exclude each
# other. So most of them are replaced with values that reach the resolvers. Everything is derived from the document
# itself, so a run can be repeated.

TYPES = []
TEXTS = ["demo", "fuzz", "a", "bread"]
ODD_TEXTS = [
    "",
    "é" * 300,
    "x" * 5000,
    "%_\\",
    "' OR 1=1 --",
    "\u202e\ufeff",
    "a\u0301" * 20,
    "🧺",
    "\t\n",
    "{}",
    "-1",
    "\ud7ff",
]
# What the fields with these names accept, as far as texts in general are no use for them.
NAMED = {
    "idempotencyKey": ["fuzz-1", "fuzz-2", "fuzz-3", "fuzz-4"],
    "email": ["customer@souk.example", "manager@souk.example", "fuzz@souk.example", "fuzz-2@souk.example"],
    "password": ["demo-customer-2026", "Fuzz-Passw0rd-2026"],
    "newPassword": ["Fuzz-Passw0rd-2026"],
    "baseUrl": ["https://fuzz.example", "https://fuzz.example/a/"],
    "url": ["http://127.0.0.1:9/a.png", "https://[::1]/a.png", "https://fuzz.invalid/a.png"],
    "trackingUrl": ["https://fuzz.example/1"],
    "phone": ["+4930123456", "030 123456"],
    "postalCode": ["10115", "1010"],
    "countryCode": ["DE"],
    "role": ["manager", "seller", "customer"],
    "locale": ["de", "en"],
    "format": ["souk-csv", "souk-json"],
    "provider": ["manual", "test"],
}
# The keys of the demo data are 1 to about this number.
KEYS = {"Website": 3, "Product": 83, "Order": 38, "OrderDetail": 80, "Payment": 38, "Image": 104}
KEYS |= {"Cart": 4, "CartLine": 6, "Address": 6}
WORDS = {
    "orderline": "OrderDetail",
    "line": "CartLine",
    "item": "WishlistItem",
    "parent": "Category",
    "upload": "Upload",
}


def global_id(name, key):
    return base64.urlsafe_b64encode(f"{name}:{key}".encode()).decode().rstrip("=")


def named_type(name, description, root, rng):
    """The type that an ID argument means, from its description ("ID of the cart line") or its name (`brandId`)."""
    words = {**WORDS, **{type_.lower(): type_ for type_ in TYPES}}
    sentence = (description or "").split(".")[0].lower().replace(" ", "")
    for text in (name.lower() if name not in ("id", "ids") else "", sentence, root.lower()):
        found = [word for word in words if word in text]
        if found:
            return words[max(found, key=len)]
    return rng.choice(TYPES)


class Rewriter(graphql.Visitor):
    def __init__(self, info, root, rng):
        super().__init__()
        self.info, self.root, self.rng = info, root, rng
        self.name, self.description = "", ""

    def enter_field(self, node, *_):
        definition = self.info.get_field_def()
        if not definition or not node.arguments:
            return None
        dropped = set()
        if "first" in definition.args and self.rng.random() < 0.9:
            dropped = {"first", "last"} - {"last" if self.rng.random() < 0.2 else "first"}
        keep = []
        for argument in node.arguments:
            name = argument.name.value
            required = graphql.is_required_argument(definition.args[name])
            drop = 0.8 if name in ("after", "before") else 0.0 if name in ("first", "last") else 0.4
            if name not in dropped and (required or self.rng.random() >= drop):
                keep.append(argument)
        return graphql.FieldNode(
            alias=node.alias,
            name=node.name,
            arguments=tuple(keep),
            directives=node.directives,
            selection_set=node.selection_set,
        )

    def enter_argument(self, node, *_):
        self.name = node.name.value
        argument = self.info.get_argument()
        self.description = argument.description if argument else ""

    def enter_object_value(self, node, *_):
        type_ = graphql.get_named_type(self.info.get_input_type())
        fields = getattr(type_, "fields", {})
        keep = [
            field
            for field in node.fields
            if field.name.value not in fields
            or graphql.is_required_input_field(fields[field.name.value])
            or self.rng.random() > (0.7 if isinstance(field.value, graphql.NullValueNode) else 0.1)
        ]
        return graphql.ObjectValueNode(fields=tuple(keep))

    def enter_object_field(self, node, *_):
        self.name = node.name.value
        parent = graphql.get_named_type(self.info.get_parent_input_type())
        field = getattr(parent, "fields", {}).get(self.name)
        self.description = field.description if field else ""

    def enter_int_value(self, node, *_):
        if self.name in ("first", "last"):
            if self.rng.random() < 0.95:
                return nodes.Int(self.rng.choice([1, 2, 3, 5]))
        elif self.is_of("ID"):
            return self.some_id()
        elif self.is_of("Int") and self.rng.random() < 0.9:
            return nodes.Int(self.rng.choice([1, 2, 3, 5]))
        return None

    def enter_string_value(self, node, *_):
        if self.is_of("ID"):
            return self.some_id()
        if self.is_of("String") and self.rng.random() < 0.9:
            return nodes.String(self.rng.choice(NAMED.get(self.name, TEXTS) if self.rng.random() < 0.85 else ODD_TEXTS))
        return None

    def is_of(self, name):
        type_ = self.info.get_input_type()
        return type_ is not None and graphql.get_named_type(type_).name == name

    def some_id(self):
        name = named_type(self.name, self.description, self.root, self.rng)
        dice = self.rng.random()
        if dice < 0.02:
            return None
        if dice < 0.04:
            name = self.rng.choice(TYPES)
        elif dice < 0.07:
            return nodes.String(global_id(name, self.rng.choice([0, -1, 2**31, 2**63 - 1, 2**63, "01"])))
        return nodes.String(global_id(name, self.rng.randint(1, KEYS.get(name, 12))))


@schemathesis.hook
def map_body(context, body):
    if not isinstance(body, graphql.DocumentNode):
        return body
    schema = context.operation.schema.client_schema
    if not TYPES:
        TYPES.extend(sorted(type_.name for type_ in schema.get_possible_types(schema.type_map["Node"])))
    info = graphql.TypeInfo(schema)
    text = graphql.print_ast(body)
    rng = random.Random(text)
    rewriter = Rewriter(info, context.operation.definition.field_name, rng)
    # The generator's own tree has lists where the visitor expects tuples.
    return graphql.visit(graphql.parse(text), graphql.TypeInfoVisitor(info, rewriter))


# Logins. Mutations such as `logout` end the session, so the admin logs in again whenever it is over.

credentials = {}
own_ids = set()
ENDS_SESSION = ("Mutation.logout", "Mutation.logoutEverywhere", "Mutation.sessionRevoke")


def send(query, variables=None):
    response = requests.post(URL, json={"query": query, "variables": variables}, timeout=30)
    return response.json()["data"]


def log_in():
    if not IS_ADMIN:
        token = send("mutation { cartCreate { cartToken } }")["cartCreate"]["cartToken"]
        credentials["X-Cart-Token"] = token
        return
    query = "mutation ($input: LoginInput!) { login(input: $input) { accessToken user { id } userErrors { message } } }"
    login = send(query, {"input": {"email": EMAIL, "password": PASSWORD}})["login"]
    assert login["accessToken"], f"the admin cannot log in any more: {login['userErrors']}"
    credentials["Authorization"] = f"Bearer {login['accessToken']}"
    own_ids.add(login["user"]["id"])


@schemathesis.hook
def before_call(context, case, kwargs):
    if not credentials:
        log_in()
    case.headers = {**(case.headers or {}), **credentials}
    # The admin must not change or erase the account that the next login needs.
    for own_id in own_ids:
        case.body = case.body.replace(own_id, global_id("User", 2))


@schemathesis.hook
def after_call(context, case, response):
    if IS_ADMIN and (case.operation.label in ENDS_SESSION or b'"UNAUTHENTICATED"' in response.content):
        credentials.clear()
    if LOG:
        with open(LOG, "a") as file:
            entry = [case.operation.label, response.status_code, response.elapsed, case.body, response.text]
            file.write(json.dumps(entry) + "\n")


# schemathesis sends a request again if the server drops a connection that was open before, which would hide the fault.

dropped = []
send_once = requests.adapters.HTTPAdapter.send


def send_and_note(self, request, *args, **kwargs):
    try:
        return send_once(self, request, *args, **kwargs)
    except requests.ConnectionError as error:
        dropped.append(error)
        raise


requests.adapters.HTTPAdapter.send = send_and_note


@schemathesis.check
def is_sound(ctx, response, case):
    """Every response is a GraphQL response, and no error is an internal one. All other coded errors are legitimate."""
    errors = [str(error) for error in dropped]
    dropped.clear()
    assert not errors, f"the server dropped the connection: {errors}"
    assert response.status_code < 500, f"status {response.status_code}"
    try:
        body = json.loads(response.content)
    except ValueError as error:
        raise AssertionError(f"invalid JSON: {error}") from error
    assert isinstance(body, dict) and ("data" in body or body.get("errors")), "not a GraphQL response"
    for error in body.get("errors", []):
        code = error.get("extensions", {}).get("code")
        assert code and code != "INTERNAL_SERVER_ERROR", f"{code}: {error['message']}"
