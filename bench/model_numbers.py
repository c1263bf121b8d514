"""Measures searches for model numbers. Started by model_numbers.sh.

model_numbers.py catalog FILE [--seed N]             writes the products as CSV for `souk import products`.
model_numbers.py ask PORT [--seed N] [--misses]      asks for them, and prints how many are not found.

The products are generated from the schemes in model_numbers.txt, using the seed. One in SIBLINGS of the numbers differs from another
one in its last character only. The number of a product is its SKU, or in its name, or both: shops that have numbers of their own as
SKUs have the model number in the name only. A few names and SKUs have the number in lower case, and a few SKUs without signs while
the name has them. A few descriptions name the number of another product, which an accessory fits.

A sign is any character but letters and digits, also a space. The queries:

whole         The number as the shop writes it.
with brand    The brand before the number.
blanks        The number with a space for each run of signs. Numbers with signs other than spaces.
no signs      The number without signs. Numbers with signs.
lower case    The number in lower case. Numbers with capital letters.
other sign    The number with one of its signs replaced by another one, a slash by a dash, and others by a dash, slash, point,
              underscore or space. Numbers with one of these signs.
first five    The first five characters of the number. Numbers with more characters.

A product has the number of a query if its own number is the same without signs and in lower case; with a brand, the brand must be
the same, too. A query is not found if none of its products is among the first PAGE hits, and not first if another product is the
first hit. Many products share their first five characters: a query for these is also found if there are PAGE hits, and all of them
contain the five characters, apart from signs, in their number, name or SKU.
"""

import argparse
import collections
import csv
import http.client
import json
import pathlib
import random
import re

PRODUCTS, PAGE, SIBLINGS = 18_937, 10, 3
COUNTS = {"whole": 400, "with brand": 200, "blanks": 200, "no signs": 200, "lower case": 200, "other sign": 200, "first five": 200}
SIGNS = re.compile(r"[\W_]+")
EXCHANGES = {"/": "-", "-": "/._ ", ".": "-/_ ", "_": "-/. ", "+": "-/", " ": "-/_."}
DETAILS = ["black", "white", "silver", "refurbished", "pack of 2", "pack of 10", "230 V", "2 m", "with case", "new model", "EU plug", "for 19 inch racks"]
OWN_SKUS = ["1~~~~~", "A-~~~~~", "ART~~~~~~", "~~.~~~.~~", "K~~~~-~~", "~~~~~~~~"]

Product = collections.namedtuple("Product", "sku name brand_column description brand number")


def squeeze(text):
    return SIGNS.sub("", text).casefold()


def expand(rng, scheme):
    """Returns a number of a scheme; see model_numbers.txt."""
    while "{" in scheme:
        scheme = re.sub(r"\{([^{}]*)\}", lambda choice: rng.choice(choice[1].split("|")), scheme)
    return "".join({"~": rng.choice("0123456789"), "^": rng.choice("ABCDEFGHJKLMNPRSTUVWXYZ"), "·": " "}.get(c, c) for c in scheme)


def sibling(rng, number):
    """Returns the number of the same series with another last character, or one more."""
    last = number[-1]
    if not last.isalnum() or rng.random() < 0.2:
        return number + rng.choice("ABCEKPX2")
    return number[:-1] + rng.choice("0123456789" if last.isdigit() else "ABCDEGKLMNPRSTWXYZ")


def read_schemes():
    lines = (pathlib.Path(__file__).parent / "model_numbers.txt").read_text(encoding="utf-8").splitlines()
    for line in lines:
        if line and not line.startswith("#"):
            brand, types, schemes = line.split("; ")
            for scheme in schemes.split():
                yield brand, types.split(", "), scheme


def make_numbers(rng):
    """Yields brands, types and numbers: as many of each scheme as there are, up to the same share."""
    schemes, seen, left = list(read_schemes()), set(), PRODUCTS
    while schemes:
        for at in reversed(range(len(schemes))):
            brand, types, scheme = schemes[at]
            number = expand(rng, scheme)
            tries = 0
            while (brand, squeeze(number)) in seen and tries < 50:
                number, tries = expand(rng, scheme), tries + 1
            if tries == 50:
                del schemes[at]
                continue
            series = [number] + ([sibling(rng, number)] if rng.randrange(SIBLINGS) == 0 else [])
            for one in series:
                if left and (brand, squeeze(one)) not in seen:
                    seen.add((brand, squeeze(one)))
                    left -= 1
                    yield brand, rng.choice(types), one
            if not left:
                return


def make_name(rng, brand, kind, number, is_named):
    """Returns a name with the brand, the type and, if it is named, the number."""
    detail = rng.choice(DETAILS)
    if is_named:
        forms = [f"{brand} {number} {kind}", f"{brand} {number} {kind}", f"{brand} {kind} {number}", f"{brand} {number}",
                 f"{kind} {brand} {number}, {detail}", f"{brand} {kind} ({number})", f"{brand} {number} - {kind} - {detail}",
                 f"{number} {kind}", f"{brand} {kind} {number} {detail}", f"{kind}: {brand} {number}"]
    else:
        forms = [f"{brand} {kind}", f"{brand} {kind}, {detail}", f"{kind} {detail}", f"{brand} {kind} {detail}"]
    return rng.choice(forms)


def make_products(seed):
    """Returns the products. SKUs are different; of the same number of two brands only the first one is the SKU."""
    rng = random.Random(f"{seed}:products")
    products, skus, last = [], set(), None
    for brand, kind, number in make_numbers(rng):
        place = rng.choices(["both", "sku", "name"], [45, 30, 25])[0]
        if number in skus:
            place = "name"
        written = number.lower() if rng.random() < 0.03 else number
        name = make_name(rng, brand, kind, written, place != "sku")
        sku = number
        if place == "both" and rng.random() < 0.06:
            sku = rng.choice([SIGNS.sub("", number), number.lower(), SIGNS.sub("-", number)])
        while place == "name" or sku in skus:
            sku = expand(rng, rng.choice(OWN_SKUS))
            place = "both"
        skus.add(sku)
        # The brand is in the name, in its column, or in both.
        brand_column = "" if brand in name and rng.random() < 0.2 else brand
        description = f"Fits {last}." if last and rng.random() < 0.04 else ""
        products.append(Product(sku, name, brand_column, description, brand, number))
        last = number
    return products


def whole(rng, product):
    return product.number


def with_brand(rng, product):
    return f"{product.brand} {product.number}"


def blanks(rng, product):
    return SIGNS.sub(" ", product.number).strip() if SIGNS.search(product.number.replace(" ", "")) else None


def no_signs(rng, product):
    return SIGNS.sub("", product.number) if SIGNS.search(product.number) else None


def lower_case(rng, product):
    return product.number.lower() if product.number != product.number.lower() else None


def other_sign(rng, product):
    places = [at for at, sign in enumerate(product.number) if sign in EXCHANGES and 0 < at < len(product.number) - 1]
    if not places:
        return None
    at = rng.choice(places)
    return product.number[:at] + rng.choice(EXCHANGES[product.number[at]]) + product.number[at + 1:]


def first_five(rng, product):
    return product.number[:5].strip() if len(product.number) > 5 else None


RULES = dict(zip(COUNTS, (whole, with_brand, blanks, no_signs, lower_case, other_sign, first_five)))


def make_queries(products, seed):
    """Yields rule, text and product. Each rule has its own random generator, so that changing one does not affect the others."""
    for rule, count in COUNTS.items():
        rng = random.Random(f"{seed}:{rule}")
        asked = set()
        for product in rng.sample(products, len(products)):
            text = RULES[rule](rng, product)
            if text and text not in asked:
                asked.add(text)
                yield rule, text, product
            if len(asked) == count:
                break


def ask_souk(port, texts):
    """Yields the SKUs that Souk finds for each text, sent one by one on a single connection."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    document = "query($q: String!) { search(query: $q, types: [PRODUCT], first: %d) { nodes { ... on Product { sku } } } }" % PAGE
    for text in texts:
        body = json.dumps({"query": document, "variables": {"q": text}})
        connection.request("POST", "/graphql", body, {"Content-Type": "application/json"})
        response = json.load(connection.getresponse())
        if "errors" in response:
            raise SystemExit(f"{text}: unexpected response: {response}")
        yield [node["sku"] for node in response["data"]["search"]["nodes"]]


def has_number(product, rule, asked):
    is_same = squeeze(product.number) == squeeze(asked.number)
    return is_same and (rule != "with brand" or product.brand == asked.brand)


def is_found(rule, text, asked, hits):
    if any(has_number(hit, rule, asked) for hit in hits):
        return True
    five = squeeze(text)
    return rule == "first five" and len(hits) == PAGE and all(five in squeeze(part) for hit in hits for part in [hit.sku + " " + hit.name])


def is_first(rule, text, asked, hits):
    if rule == "first five":
        return bool(hits) and squeeze(text) in squeeze(hits[0].sku + " " + hits[0].name)
    return bool(hits) and has_number(hits[0], rule, asked)


def write_catalog(file, seed):
    with open(file, "w", encoding="utf-8", newline="") as out:
        rows = csv.writer(out, lineterminator="\n")
        rows.writerow(["sku", "name", "price", "brand", "description", "stock"])
        for number, product in enumerate(make_products(seed)):
            price = f"{5 + number * 37 % 900}.90"
            rows.writerow([product.sku, product.name, price, product.brand_column, product.description, 5 + number % 7])


def report(port, seed, lists_misses):
    products = make_products(seed)
    by_sku = {product.sku: product for product in products}
    queries = list(make_queries(products, seed))
    results = [[by_sku[sku] for sku in skus] for skus in ask_souk(port, [text for _, text, _ in queries])]
    print(f"{len(queries)} queries, seed {seed}\n")
    print(f"{'query':<12}{'queries':>10}{'not found':>12}{'not first':>12}")
    misses = []
    for rule in COUNTS:
        asked = [(query, hits) for query, hits in zip(queries, results) if query[0] == rule]
        missed = [(query, hits) for query, hits in asked if not is_found(*query, hits)]
        second = [(query, hits) for query, hits in asked if not is_first(*query, hits)]
        print(f"{rule:<12}{len(asked):>10}{len(missed):>12}{len(second):>12}")
        misses += [("not found", *miss) for miss in missed]
        misses += [("not first", *miss) for miss in second if miss not in missed]
    for what, (rule, text, product), hits in misses if lists_misses else []:
        print(f"\n{rule}, {what}: {text}")
        print(f"  product: {product.sku} | {product.name} | {product.brand_column}")
        for hit in hits[:3]:
            print(f"  hit:     {hit.sku} | {hit.name} | {hit.brand_column}")


def main():
    options = argparse.ArgumentParser()
    commands = options.add_subparsers(dest="command", required=True)
    catalog, ask = commands.add_parser("catalog"), commands.add_parser("ask")
    catalog.add_argument("file")
    ask.add_argument("port", type=int)
    ask.add_argument("--misses", action="store_true")
    for command in (catalog, ask):
        command.add_argument("--seed", type=int, default=1)
    options = options.parse_args()
    if options.command == "catalog":
        write_catalog(options.file, options.seed)
    else:
        report(options.port, options.seed, options.misses)


main()
