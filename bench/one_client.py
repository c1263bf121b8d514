"""Client of one_client.sh: prints what operations cost, and the times of other clients during floods of each.

Arguments: port and process id of the server, a file with words of product names, seconds of a round."""
import base64, http.client, json, multiprocessing, os, sys, threading, time

port, pid, words_file, seconds = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], float(sys.argv[4])
words = open(words_file).read().split()
CONNECTIONS = 32
TICKS = 100  # of /proc/PID/stat


def global_id(kind, key):
    return base64.urlsafe_b64encode(f"{kind}:{key}".encode()).decode().rstrip("=")


def product(n):
    return f'{{ product(id: "{global_id("Product", 1 + n * 7919 % 20000)}") {{ name price {{ amount }} category {{ name }} brand {{ name }} }} }}'


def search(n):
    return f'{{ search(query: "{words[n % len(words)]}", types: [PRODUCT]) {{ nodes {{ ... on Product {{ name }} }} totalCount {{ value }} }} }}'


def login(n):
    return 'mutation { login(input: {email: "user@bench.example", password: "bench-admin-password"}) { accessToken } }'


def cart(n):
    line = f'{{productId: "{global_id("Product", 1 + n * 7919 % 20000)}", quantity: 1}}'
    return f"mutation {{ cartCreate(input: {{lines: [{line}]}}) {{ cart {{ id }} userErrors {{ message }} }} }}"


def aliases(count, field):
    return lambda n: "{ " + " ".join(f"a{i}: {field(n * count + i)}" for i in range(count)) + " }"


def wrong(n):
    """Returns two words that no product has, but that are similar to words of products."""
    one, two = words[n % len(words)], words[(n * 7 + 1) % len(words)]
    return f"{one[1]}{one[0]}{one[2:]} {two[:3]}{two[4]}{two[3]}{two[5:]}"


def short_contains(count):
    """Returns a list filtered by parts of two letters that no product name has; its index needs three."""
    conditions = ", ".join(f'{{name: {{contains: "{"xzjwvk"[i % 6]}q"}}}}' for i in range(count))
    return f"products(where: {{or: [{conditions}]}}, first: 1) {{ nodes {{ id }} }}"


def contains(n, count):
    conditions = ", ".join(f'{{name: {{contains: "{words[(n * count + i) % len(words)][1:5]}"}}}}' for i in range(count))
    return f"products(where: {{or: [{conditions}]}}, first: 1) {{ nodes {{ id }} }}"


# The most expensive operations that are allowed, found by trying how many aliases fit.
FLOODS = {
    "contains": lambda n: "{ " + contains(n, 15) + " }",
    "contains, two letters": lambda n: "{ " + short_contains(6) + " }",
    "misspelled searches": aliases(13, lambda n: f'search(query: "{wrong(n)}") {{ didYouMean }}'),
    "facets": aliases(4, lambda n: f'search(query: "{words[n % 20]}") {{ totalCount {{ value }} facets {{ categories {{ count }} brands {{ count }} prices {{ count }} tags {{ count }} ratings {{ count }} }} }}'),
    "one per group": aliases(18, lambda n: f"products(onePerGroup: true, first: 1, orderBy: {{field: NAME}}) {{ nodes {{ id }} }}"),
    "suggestions": aliases(18, lambda n: f'searchSuggestions(prefix: "{words[n % len(words)][:2]}") {{ text }}'),
    "large page": lambda n: "{ products(first: 100) { nodes { id name slug description price { amount } category { name ancestors { name } } brand { name } images { url } } } }",
    "introspection": lambda n: "{ __schema { types { name fields { name type { name } args { name type { name } } } } } }",
    "logins": login,
    "registrations": lambda n: f'mutation {{ register(input: {{email: "{time.time_ns()}@bench.example", name: "Bench", password: "bench-user-{n}-password"}}) {{ userErrors {{ code }} }} }}',
    "carts": cart,
    "rejected": lambda n: "{ unknown",
}
OTHERS = {"product": product, "search": search, "cart": cart, "login": login}


class Connection:
    def __init__(self, address):
        self.address, self.http = address, None

    def run(self, query, headers=()):
        """Returns status and body; retries nothing."""
        if self.http is None:
            self.http = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        head = {"Content-Type": "application/json", "X-Forwarded-For": self.address, **dict(headers)}
        try:
            self.http.request("POST", "/graphql", json.dumps({"query": query}), head)
            response = self.http.getresponse()
            return response.status, response.read()
        except (OSError, http.client.HTTPException):
            self.http = None
            return 0, b""


def processor_seconds():
    """Returns the processor time of Souk and its PostgreSQL."""
    parents = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            fields = open(f"/proc/{name}/stat").read().rsplit(")", 1)[1].split()
        except OSError:
            continue
        parents[int(name)] = (int(fields[1]), int(fields[11]) + int(fields[12]))

    def is_below(process):
        while process > 1 and process in parents:
            if process == pid:
                return True
            process = parents[process][0]
        return False

    total = sum(ticks for process, (_, ticks) in parents.items() if is_below(process))
    return total / TICKS


def peak_memory():
    for line in open(f"/proc/{pid}/status"):
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024


def reset_peak_memory():
    open(f"/proc/{pid}/clear_refs", "w").write("5")


def percentile(times, share):
    times = sorted(times)
    return times[min(len(times) - 1, int(len(times) * share))] * 1000 if times else float("nan")


def others(times, stop):
    """Sends one operation of each kind in turn, about 20 a second, each kind from a network of its own."""
    connections = {kind: Connection(f"203.0.{i}.1") for i, kind in enumerate(OTHERS)}
    n = 0
    while not stop.is_set():
        for i, (kind, query) in enumerate(OTHERS.items()):
            connections[kind].address = f"203.{n % 200}.{i}.1"
            begin = time.perf_counter()
            status, body = connections[kind].run(query(n))
            took = time.perf_counter() - begin
            if status != 200 or b'"errors"' in body:
                print(f"  {kind} failed: {status} {body[:200]}")
            times[kind].append(took)
        n += 1
        time.sleep(0.02)


def send(query, address, stop, counts):
    connection, n = Connection(address), 0
    while not stop.is_set():
        status, body = connection.run(query(n))
        counts["limited" if b"RATE_LIMITED" in body else "run"] += 1
        n += 1


def flood(name, address, started, stop, results):
    """Sends one kind of operation at full speed, in a process of its own with a low priority: the client of a real flood
    does not take the server's processor time."""
    os.nice(15)
    counts = {"limited": 0, "run": 0}
    threads = [threading.Thread(target=send, args=(FLOODS[name], address, stop, counts)) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    started.set()
    for thread in threads:
        thread.join()
    results.put(counts)


def round_of(name, number):
    times, stop = {kind: [] for kind in OTHERS}, multiprocessing.Event()
    counts = {"limited": 0, "run": 0}
    reset_peak_memory()
    before = processor_seconds()
    if name:
        started, results = multiprocessing.Event(), multiprocessing.Queue()
        # From a network of its own, whose points are all there.
        arguments = (name, f"198.51.{number}.7", started, stop, results)
        attacker = multiprocessing.Process(target=flood, args=arguments)
        attacker.start()
        started.wait()
    measuring = threading.Thread(target=others, args=(times, stop))
    measuring.start()
    time.sleep(seconds)
    stop.set()
    measuring.join()
    spent = processor_seconds() - before
    memory = peak_memory()
    if name:
        counts = results.get()
        attacker.join()
    return times, counts, spent, memory


print(f"\n{'operation':22} {'requested':>10} {'actual':>8} {'processor ms':>13}")
for name, query in {**FLOODS, **OTHERS}.items():
    one, costs = Connection("192.0.2.1"), []
    begin = processor_seconds()
    number = 12
    for n in range(number):
        one.address = f"192.{n}.{len(costs)}.1"
        status, body = one.run(query(n), [("X-Query-Cost", "1")])
        answer = json.loads(body)
        cost = answer.get("extensions", {}).get("cost")
        if cost:
            costs.append((cost["requested"], cost["actual"]))
        elif n == 0:
            print(f"  {name}: {status} {body[:150]}")
    spent = (processor_seconds() - begin) / number * 1000
    if costs:
        requested, actual = (sorted(column)[len(costs) // 2] for column in zip(*costs))
        print(f"{name:22} {requested:10.2f} {actual:8.2f} {spent:13.1f}")

kinds, quiet = list(OTHERS), {}
print(f"\n{'p99 of others, ms':22} " + " ".join(f"{kind:>14}" for kind in kinds) + f" {'run/s':>7} {'limited/s':>10} {'cores':>6} {'peak MB':>8}")
for number, name in enumerate([None, *FLOODS]):
    times, counts, spent, memory = round_of(name, number)
    p99 = {kind: percentile(times[kind], 0.99) for kind in kinds}
    quiet = quiet or p99
    row = " ".join(f"{p99[kind]:6.1f} ({p99[kind] / quiet[kind]:4.1f}x)" for kind in kinds)
    rates = f"{counts['run'] / seconds:7.1f} {counts['limited'] / seconds:10.1f} {spent / seconds:6.2f}"
    print(f"{name or 'quiet':22} {row} {rates} {memory:8.0f}", flush=True)
