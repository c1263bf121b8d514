"""Opens WebSocket subscriptions and measures the server. Called by subscriptions.sh with the port and process ID of the server,
the URL of its database, and the numbers of idle connections and of subscribers to orders."""

import asyncio
import base64
import json
import os
import statistics
import subprocess
import sys
import time
import urllib.request

port, pid = int(sys.argv[1]), int(sys.argv[2])
database, connections, subscribers = sys.argv[3], int(sys.argv[4]), int(sys.argv[5])
ticks = os.sysconf("SC_CLK_TCK")


def frame(text):
    """Returns a masked text frame. The mask is zero, so that the payload is not changed."""
    payload = text.encode()
    length = bytes([0x80 | len(payload)]) if len(payload) < 126 else bytes([0x80 | 126]) + len(payload).to_bytes(2, "big")
    return b"\x81" + length + bytes(4) + payload


class Client:
    """A connection. It responds to pings, so that the server keeps it."""

    def __init__(self, token=None):
        self.token, self.messages = token, asyncio.Queue()

    async def open(self, query):
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", port, limit=4096)
        key = base64.b64encode(os.urandom(16)).decode()
        self.writer.write(
            f"GET /graphql HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n".encode()
        )
        head = await self.reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101"), head
        payload = {"authorization": f"Bearer {self.token}"} if self.token else {}
        self.writer.write(frame(json.dumps({"type": "connection_init", "payload": payload})))
        kind, text = await self.receive()
        assert b"connection_ack" in text, text
        self.writer.write(frame(json.dumps({"id": "1", "type": "subscribe", "payload": {"query": query}})))
        self.task = asyncio.create_task(self.read())

    async def receive(self):
        first, second = await self.reader.readexactly(2)
        length = second & 0x7F
        if length == 126:
            length = int.from_bytes(await self.reader.readexactly(2), "big")
        return first & 0x0F, await self.reader.readexactly(length)

    async def read(self):
        while True:
            kind, text = await self.receive()
            if kind == 9:
                self.writer.write(b"\x8a\x80" + bytes(4))
            else:
                self.messages.put_nowait((time.perf_counter(), text))


def run(query, token=None):
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    body = json.dumps({"query": query}).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}/graphql", body, headers)
    return json.load(urllib.request.urlopen(request))["data"]


def sql(statement):
    return subprocess.run(["psql", "-XAtqc", statement, database], check=True, capture_output=True, text=True).stdout.strip()


def memory():
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


def processor_time():
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / ticks


async def open_all(count, query, token=None):
    clients = [Client(token) for _ in range(count)]
    for start in range(0, count, 200):
        await asyncio.gather(*(client.open(query) for client in clients[start : start + 200]))
    return clients


async def main():
    login = run('mutation { login(input: {email: "user@bench.example", password: "bench-admin-password"}) { accessToken userErrors { message } } }')
    token = login["login"]["accessToken"]
    assert token, login
    warm = await open_all(50, "subscription { productChanged { product { id name } kind cursor } }")
    await asyncio.sleep(1)
    before = memory()
    idle = await open_all(connections, "subscription { productChanged { product { id name } kind cursor } }")
    await asyncio.sleep(3)
    after = memory()
    print(f"{connections} idle subscriptions: {(after - before) / connections:.1f} kB each, {after / 1024:.0f} MB in total")
    used = processor_time()
    await asyncio.sleep(30)
    print(f"while nothing happens: {(processor_time() - used) / 30 * 100:.2f} % of a core")

    order = sql("SELECT rtrim(translate(encode(convert_to('Order:' || id, 'UTF8'), 'base64'), '+/', '-_'), '=') FROM orders")
    watchers = await open_all(
        subscribers, f'subscription {{ orderUpdated(id: "{order}") {{ order {{ id status }} cursor }} }}', token
    )
    await asyncio.sleep(3)
    for how in ["psql", "mutation"]:
        times = []
        for number in range(10):
            note = f"{how} {number}"
            started = time.perf_counter()
            if how == "psql":
                await asyncio.to_thread(sql, f"UPDATE orders SET customer_note = '{note}'")
                started = time.perf_counter()
            else:
                query = f'mutation {{ orderNoteAdd(input: {{orderId: "{order}", text: "{note}"}}) {{ userErrors {{ message }} }} }}'
                await asyncio.to_thread(run, query, token)
            received = [await watcher.messages.get() for watcher in watchers]
            assert all(b"orderUpdated" in text for _, text in received), received[0]
            times.append((max(at for at, _ in received) - started) * 1000)
        print(f"a change by {how} reaches {subscribers} subscribers: median {statistics.median(times):.0f} ms, "
              f"maximum {max(times):.0f} ms")
    used = processor_time()
    for number in range(5):
        await asyncio.to_thread(sql, f"UPDATE products SET name = 'Mug {number}'")
        for client in idle:
            await client.messages.get()
    print(f"an event for {connections} subscribers: {(processor_time() - used) / 5 / connections * 1e6:.0f} us of processor time each")


asyncio.run(main())
