"""How soon the API answers: an open loop of requests over so many connections, of each kind for a while.

    python tests/benchmarks/api_load.py FOLDER [--stores 457] [--products 1100] [--rate 100] [--connections 50]

A chain of stores x products lies in FOLDER (made where it is not there); the index is built, and served by a process of
its own; --seconds of each kind. A request is sent when it is due, whether the one before has been answered or not, and
its time counts from then: what waits, counts. Printed of each kind: p50, p99 and the slowest, errors, the server's
processor time and memory before and after, and the load generator's own share of a processor.
"""

import asyncio
import json
import random
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from commandline import make_parser, write_json
from served_chain import REGION, product_name, store_name, write_chain

from shelfcast import config
from shelfcast.api.access.accounts import add_user
from shelfcast.api.access.credentials import make_token
from shelfcast.api.access.database import Database
from shelfcast.api.access.principal import Grant, Role
from shelfcast.api.index.build import build
from shelfcast.api.reader import Lake

CONFIG = Path(__file__).parents[2] / "conf" / "tiny.yaml"
PORT = 8765
# What is promised on two cores: milliseconds at the 99th percentile.
WANTED = {"forecast": 150, "orders": 400, "predict": 100}


def changes_of(folder: Path) -> list[str]:
    own = [
        f"lake={folder / 'lake'}",
        f"region={REGION}",
        f"serving.folder={folder / 'serving'}",
        f"serving.port={PORT}",
    ]
    return [*own, "serving.limits.requests=1000000", f"inventory.decisions={folder / 'decisions'}"]


@contextmanager
def served(folder: Path) -> Iterator[tuple[psutil.Process, str]]:
    """The server's process, and a token."""
    changes = changes_of(folder)
    database = Database(config.load(CONFIG, changes).serving)
    with database.begin() as connection:
        user_id = add_user(connection, f"load {time.time_ns()}", Role.VIEWER, [Grant(REGION)])
        token = make_token(connection, user_id, "load", 1)[1]
    database.close()
    words = ["serve", "--config", str(CONFIG), *[word for change in changes for word in ("--set", change)]]
    code = "import sys; from shelfcast.cli import main; sys.exit(main(sys.argv[1:]))"
    process = subprocess.Popen(
        [sys.executable, "-c", code, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield psutil.Process(process.pid), token
    finally:
        process.terminate()
        process.wait()


def requests(token: str, stores: int, products: int) -> dict[str, Callable[[random.Random], bytes]]:
    """kind -> the next request of it."""

    def get(target: str) -> bytes:
        return f"GET {target} HTTP/1.1\r\nhost: load\r\nauthorization: Bearer {token}\r\n\r\n".encode()

    def forecast(rng: random.Random) -> bytes:
        pair = f"store_id={store_name(rng.randrange(stores))}&product_id={product_name(rng.randrange(products))}"
        return get(f"/v1/forecasts?{pair}")

    def orders(rng: random.Random) -> bytes:
        return get(f"/v1/orders?store_id={store_name(rng.randrange(stores))}&limit=100")

    def predict(rng: random.Random) -> bytes:
        asked = {"store_id": store_name(rng.randrange(stores)), "product_id": product_name(rng.randrange(products))}
        body = json.dumps({**asked, "history": [{"week": "2017-12-25", "quantity": rng.randrange(20)}]}).encode()
        head = get("/v1/predict").replace(b"GET", b"POST", 1)[:-2]
        return head + f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body

    return {"forecast": forecast, "orders": orders, "predict": predict}


async def load(
    make: Callable[[random.Random], bytes], rate: int, connections: int, seconds: float
) -> list[tuple[float, int]]:
    """Seconds from when a request was due to its answer, and its status, of each."""
    loop, rng, found = asyncio.get_running_loop(), random.Random(27), []
    due: asyncio.Queue[tuple[float, bytes] | None] = asyncio.Queue()

    async def connection() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", PORT)
        while (told := await due.get()) is not None:
            at, request = told
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            await reader.readexactly(length)
            found.append((loop.time() - at, int(head.split(b" ", 2)[1])))
        writer.close()

    workers = [asyncio.create_task(connection()) for _ in range(connections)]
    started = loop.time()
    for number in range(int(rate * seconds)):
        at = started + number / rate
        if (wait := at - loop.time()) > 0:
            await asyncio.sleep(wait)
        due.put_nowait((at, make(rng)))
    for _ in workers:
        due.put_nowait(None)
    await asyncio.gather(*workers)
    return found


def measure(server: psutil.Process, make: Callable[[random.Random], bytes], arguments: Any) -> dict[str, Any]:
    asyncio.run(load(make, arguments.rate, arguments.connections, 2))
    before, own, memory = server.cpu_times(), resource.getrusage(resource.RUSAGE_SELF), server.memory_info().rss
    started = time.monotonic()
    found = asyncio.run(load(make, arguments.rate, arguments.connections, arguments.seconds))
    seconds = time.monotonic() - started
    after, own_after = server.cpu_times(), resource.getrusage(resource.RUSAGE_SELF)
    times = sorted(1000 * each for each, _ in found)
    spent = after.user + after.system - before.user - before.system
    own_spent = own_after.ru_utime + own_after.ru_stime - own.ru_utime - own.ru_stime
    return {
        "requests": len(found),
        "errors": sum(status != 200 for _, status in found),
        "p50_ms": round(times[len(times) // 2], 1),
        "p99_ms": round(times[int(0.99 * len(times))], 1),
        "max_ms": round(times[-1], 1),
        "server_cores": round(spent / seconds, 2),
        "generator_cores": round(own_spent / seconds, 2),
        "memory_before_mb": round(memory / 1e6),
        "memory_after_mb": round(server.memory_info().rss / 1e6),
    }


def wait_until_ready() -> None:
    async def status() -> int:
        reader, writer = await asyncio.open_connection("127.0.0.1", PORT)
        writer.write(b"GET /ready HTTP/1.1\r\nhost: load\r\nconnection: close\r\n\r\n")
        head = await reader.readline()
        writer.close()
        return int(head.split()[1])

    until = time.monotonic() + 120
    while time.monotonic() < until:
        try:
            if asyncio.run(status()) == 200:
                return
        except (OSError, IndexError):
            pass
        time.sleep(0.5)
    raise TimeoutError("the server is not ready after two minutes")


def main() -> None:
    parser = make_parser(__doc__, stores=457, products=1100, rate=100, connections=50, seconds=60)
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    root = arguments.folder / "lake"
    if not root.exists():
        write_chain(root, arguments.stores, arguments.products)
    lake, started = Lake(str(root)), time.monotonic()
    index = build(lake, lake.newest_publications()[REGION], arguments.folder / "serving" / "indexes")
    built = round(time.monotonic() - started, 1)
    found: dict[str, Any] = {"series": arguments.stores * arguments.products, "index_s": built}
    found["index_mb"] = round(index.stat().st_size / 1e6)
    print(json.dumps(found))
    with served(arguments.folder) as (server, token):
        wait_until_ready()
        for kind, make in requests(token, arguments.stores, arguments.products).items():
            found[kind] = measure(server, make, arguments) | {"wanted_p99_ms": WANTED[kind]}
            print(kind, json.dumps(found[kind]))
    write_json(found, arguments.out)


if __name__ == "__main__":
    main()
