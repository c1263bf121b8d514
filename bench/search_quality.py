"""Measures search quality: search_quality.py PORT DATABASE_URL [--misses] [--seed N]. Started by search_quality.sh.

Queries are generated from product names by the rules below, using the seed, and independently of any search result.
The relevant products of a query are all active products whose names match its rule. Queries with more than MAX_RELEVANT
relevant products are skipped.

A word is a run of letters and digits, possibly with apostrophes, case-folded. Two names have the same words if each word
occurs equally often in both. A word ending in -s, -es or -ies is a plural only if the catalog also contains its singular:
"cards" is the plural of "card".

exact        The name, with runs of whitespace collapsed. Relevant: names with the same words.
order        The whitespace-separated parts of the name (at least 3) in another order. Relevant: names with the same words.
plural       The name with one word switched between singular and plural; only words that occur in both forms in the
             catalog. Relevant: names with the same words, ignoring singular and plural.
typo         The name with one edit in a word of at least 5 letters: in turn a swap of two adjacent letters, a deletion, an
             insertion or a replacement, at any position. The result is not a word of the catalog. Relevant: names with the
             same words as the query after one edit in any word of at least 5 letters.
two          Two words of at least 4 letters of one name, each in at most RARE_SHARE of the products. Relevant: names with
             both, ignoring singular and plural.
two, typo    The same with one edit, as in `typo`, in one of the words. Relevant: names with the other word and any word
             that is one edit away from the misspelled one.
prefix       The beginning of the name, with at least one full word, and its last word cut after at least 3 letters.
             Relevant: names with all full words and another word that starts with the last one.
code         The SKU in lower case. Relevant: the products with this SKU.

Only real product names are used: at least 2 words of at least 3 letters, and more upper-case than lower-case letters. The
staff of this shop wrote names in upper case, but also remarks such as "found by jackie" into the same field.

recall@10 is the share of relevant products among the first 10 hits, averaged over queries. MRR is the mean of 1 / position
of the first relevant hit, or 0 if the first 10 contain none. Souk is compared with two methods that need no search engine,
on the name (and for `code` also the SKU): ILIKE '%query%' ordered by name, and websearch_to_tsquery('english') ordered by
ts_rank.
"""

import argparse
import base64
import collections
import csv
import http.client
import io
import json
import random
import re
import subprocess

PAGE, MAX_RELEVANT, RARE_SHARE = 10, 10, 0.01
COUNTS = {"exact": 60, "order": 60, "plural": 60, "typo": 80, "two": 60, "two, typo": 60, "prefix": 60, "code": 40}
LETTERS = "abcdefghijklmnopqrstuvwxyz"
WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")

Query = collections.namedtuple("Query", "kind text relevant")


class Catalogue:
    """The active products by primary key, with indexes of their SKUs and words."""

    def __init__(self, products):
        self.names = {key: name for key, name, _ in products}
        self.codes = collections.defaultdict(set)
        for key, _, sku in products:
            self.codes[sku.casefold()].add(key)
        self.words = {key: tuple(WORD.findall(name.casefold())) for key, name in self.names.items()}
        self.vocabulary = {word for words in self.words.values() for word in words}
        self.plurals = {word: self.singular(word) for word in self.vocabulary if self.singular(word) != word}
        self.other_number = {**{one: many for many, one in sorted(self.plurals.items())}, **self.plurals}
        self.by_words, self.by_singular_words, self.by_word = (collections.defaultdict(set) for _ in range(3))
        for key, words in self.words.items():
            self.by_words[bag(words)].add(key)
            self.by_singular_words[bag(map(self.singular, words))].add(key)
            for word in words:
                self.by_word[self.singular(word)].add(key)
        self.real = sorted((key for key in self.names if self.is_real(key)), key=lambda key: (self.names[key], key))

    def is_real(self, key):
        name = self.names[key]
        capitals = sum(letter.isupper() for letter in name)
        small = sum(letter.islower() for letter in name)
        return capitals > small and sum(len(word) >= 3 and word.isalpha() for word in self.words[key]) >= 2

    def singular(self, word):
        if len(word) >= 4 and word.endswith("s") and not word.endswith("ss"):
            forms = [word[:-1]]
            forms += [word[:-2]] if re.search("(ss|x|z|ch|sh|o)es$", word) else []
            forms += [word[:-3] + "y"] if word.endswith("ies") else []
            return next((form for form in forms if form in self.vocabulary), word)
        return word

    def corrections(self, typed):
        """Returns the words of the catalog that are one edit away from this one."""
        return [word for word in self.vocabulary if can_have_typo(word) and is_one_edit(word, typed)]


def bag(words):
    return tuple(sorted(words))


def can_have_typo(word):
    return len(word) >= 5 and word.isalpha() and word.isascii()


def edit(rng, word, how):
    at = rng.randrange(len(word))
    if how == "swap":
        at = rng.randrange(len(word) - 1)
        return word[:at] + word[at + 1] + word[at] + word[at + 2:]
    if how == "drop":
        return word[:at] + word[at + 1:]
    letter = rng.choice(LETTERS)
    if how == "insert":
        at = rng.randrange(len(word) + 1)
        return word[:at] + letter + word[at:]
    return word[:at] + letter + word[at + 1:]


def is_one_edit(one, other):
    if one == other or abs(len(one) - len(other)) > 1:
        return False
    start = 0
    while start < min(len(one), len(other)) and one[start] == other[start]:
        start += 1
    a, b = one[start:], other[start:]
    return a[1:] == b[1:] or a[1:] == b or a == b[1:] or (a[1::-1] == b[:2] and a[2:] == b[2:])


def replaced(name, at, word):
    """Returns the name with the word at this index replaced."""
    match = list(WORD.finditer(name))[at]
    return name[:match.start()] + word + name[match.end():]


def exact(c, rng, key):
    return c.names[key], c.by_words[bag(c.words[key])]


def order(c, rng, key):
    pieces = c.names[key].casefold().split()
    if len(pieces) < 3:
        return None
    other = rng.sample(pieces, len(pieces))
    return None if other == pieces else (" ".join(other), c.by_words[bag(c.words[key])])


def plural(c, rng, key):
    places = [at for at, word in enumerate(c.words[key]) if word in c.other_number]
    if not places:
        return None
    at = rng.choice(places)
    text = replaced(c.names[key].casefold(), at, c.other_number[c.words[key][at]])
    return text, c.by_singular_words[bag(map(c.singular, c.words[key]))]


def mistyped(c, rng, word, turn):
    typed = edit(rng, word, ("swap", "drop", "insert", "replace")[turn % 4])
    return None if typed == word or typed in c.vocabulary else typed


def typo(c, rng, key, turn):
    words = c.words[key]
    places = [at for at, word in enumerate(words) if can_have_typo(word)]
    if not places:
        return None
    at = rng.choice(places)
    typed = mistyped(c, rng, words[at], turn)
    if not typed:
        return None
    relevant = set().union(*(c.by_words.get(bag(words[:at] + (word,) + words[at + 1:]), ()) for word in c.corrections(typed)))
    return replaced(c.names[key].casefold(), at, typed), relevant


def pair(c, rng, key):
    max_products = RARE_SHARE * len(c.names)
    rare = sorted({word for word in c.words[key] if len(word) >= 4 and word.isalpha() and len(c.by_word[c.singular(word)]) <= max_products})
    return rng.sample(rare, 2) if len(rare) >= 2 else None


def find_with_words(c, words):
    return set.intersection(*(c.by_word[c.singular(word)] for word in words))


def two(c, rng, key):
    words = pair(c, rng, key)
    return words and (" ".join(words), find_with_words(c, words))


def two_typo(c, rng, key, turn):
    words = pair(c, rng, key)
    places = [at for at, word in enumerate(words or ()) if can_have_typo(word)]
    if not places:
        return None
    at = rng.choice(places)
    typed = mistyped(c, rng, words[at], turn)
    if not typed:
        return None
    relevant = set().union(*(find_with_words(c, (words[1 - at], word)) for word in c.corrections(typed)))
    words[at] = typed
    return " ".join(words), relevant


def prefix(c, rng, key):
    words = c.words[key]
    places = [at for at, word in enumerate(words) if at >= 1 and len(word) >= 4 and word.isalpha()]
    if not places:
        return None
    at = rng.choice(places)
    name = c.names[key].casefold()
    start = list(WORD.finditer(name))[at].start()
    length = rng.randint(3, len(words[at]) - 1)
    before, begun = collections.Counter(words[:at]), words[at][:length]

    def fits(others):
        left = collections.Counter(others)
        left.subtract(before)
        return min(left.values()) >= 0 and any(count and word.startswith(begun) for word, count in left.items())

    return name[:start + length], {other for other, words in c.words.items() if fits(words)}


def code(c, rng, sku):
    return sku, c.codes[sku]


def make_queries(c, seed):
    """Yields the queries. Each kind has its own random generator, so that changing one kind does not affect the others."""
    makers = {"exact": exact, "order": order, "plural": plural, "typo": typo, "two": two, "two, typo": two_typo, "prefix": prefix,
              "code": code}
    for kind, count in COUNTS.items():
        rng = random.Random(f"{seed}:{kind}")
        sources = sorted(c.codes) if kind == "code" else list(c.real)
        rng.shuffle(sources)
        made = {}
        for source in sources:
            if len(made) == count:
                break
            turn = [len(made)] if "typo" in kind else []
            text, relevant = makers[kind](c, rng, source, *turn) or ("", ())
            text = " ".join(text.split())
            if 1 <= len(relevant) <= MAX_RELEVANT and text not in made:
                made[text] = Query(kind, text, relevant)
        yield from made.values()


def psql(url, script):
    command = ["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-f", "-", url]
    return subprocess.run(command, input=script, stdout=subprocess.PIPE, text=True, check=True).stdout


def ask_souk(port, queries):
    """Yields the product ids that Souk finds for each query, sent one by one on a single connection."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    document = "query($q: String!) { search(query: $q, types: [PRODUCT], first: %d) { nodes { ... on Product { id } } } }" % PAGE
    for query in queries:
        body = json.dumps({"query": document, "variables": {"q": query.text}})
        connection.request("POST", "/graphql", body, {"Content-Type": "application/json"})
        response = json.load(connection.getresponse())
        if "errors" in response:
            raise SystemExit(f"{query.text}: unexpected response: {response}")
        # An id is base64url of `Product:<key>`.
        ids = [node["id"] for node in response["data"]["search"]["nodes"]]
        yield [int(base64.urlsafe_b64decode(i + "=" * (-len(i) % 4)).decode().split(":")[1]) for i in ids]


def ask_sql(url, queries):
    """Yields the product ids found by ILIKE and by websearch_to_tsquery for each query."""
    asked = io.StringIO()
    csv.writer(asked, lineterminator="\n").writerows((n, query.text, query.kind == "code") for n, query in enumerate(queries))
    rows = psql(url, rf"""
        CREATE TEMP TABLE asked (n integer, q text, code boolean);
        COPY asked FROM STDIN (FORMAT csv);
{asked.getvalue()}\.
        CREATE TEMP TABLE named AS SELECT id, name, sku, to_tsvector('english', name) AS of_name,
            to_tsvector('english', concat_ws(' ', name, sku)) AS of_both FROM products WHERE is_active;
        COPY (
            SELECT ARRAY(SELECT id FROM named, (SELECT '%' || regexp_replace(q, '([\\%_])', '\\\1', 'g') || '%' AS pattern) p
                    WHERE name ILIKE pattern OR code AND sku ILIKE pattern ORDER BY name, id LIMIT {PAGE}),
                ARRAY(SELECT id FROM named, (SELECT websearch_to_tsquery('english', q) AS words) w
                    WHERE CASE WHEN code THEN of_both ELSE of_name END @@ words
                    ORDER BY ts_rank(CASE WHEN code THEN of_both ELSE of_name END, words) DESC, id LIMIT {PAGE})
            FROM asked ORDER BY n
        ) TO STDOUT (FORMAT csv)""")
    for row in csv.reader(io.StringIO(rows)):
        yield [[int(key) for key in keys.strip("{}").split(",") if key] for keys in row]


def recall(query, found):
    return len(query.relevant.intersection(found)) / len(query.relevant)


def reciprocal_rank(query, found):
    return next((1 / place for place, key in enumerate(found, 1) if key in query.relevant), 0)


def main():
    options = argparse.ArgumentParser()
    options.add_argument("port", type=int)
    options.add_argument("url")
    options.add_argument("--misses", action="store_true")
    options.add_argument("--seed", type=int, default=1)
    options = options.parse_args()

    rows = psql(options.url, "COPY (SELECT id, name, sku FROM products WHERE is_active ORDER BY id) TO STDOUT (FORMAT csv)")
    catalogue = Catalogue([(int(key), name, sku) for key, name, sku in csv.reader(io.StringIO(rows))])
    queries = list(make_queries(catalogue, options.seed))
    by_souk = list(ask_souk(options.port, queries))
    by_ilike, by_websearch = zip(*ask_sql(options.url, queries))
    engines = {"souk": by_souk, "ILIKE": by_ilike, "websearch": by_websearch}

    print(f"{len(queries)} queries with 1 to {MAX_RELEVANT} relevant products, seed {options.seed}\n")
    print(f"{'':<12}{'':>8}{'recall@10':>30}{'MRR':>30}")
    print(f"{'kind':<12}{'queries':>8}" + "".join(f"{name:>10}" for name in engines) * 2)
    for kind in [*COUNTS, "all"]:
        places = [n for n, query in enumerate(queries) if kind in (query.kind, "all")]
        cells = [sum(measure(queries[n], found[n]) for n in places) / max(len(places), 1)
                 for measure in (recall, reciprocal_rank) for found in engines.values()]
        print(f"{kind:<12}{len(places):>8}" + "".join(f"{cell:>10.3f}" for cell in cells))

    if options.misses:
        name = lambda key: f"{catalogue.names.get(key, 'inactive').strip()} ({key})"
        for query, found in zip(queries, by_souk):
            if recall(query, found) < 1 or reciprocal_rank(query, found) < 1:
                print(f"\n{query.kind}: {query.text}")
                print("  missed:", "; ".join(name(key) for key in sorted(query.relevant.difference(found))) or "none, but the first hit is not relevant")
                print("  found: ", "; ".join(("* " if key in query.relevant else "") + name(key) for key in found) or "nothing")


main()
