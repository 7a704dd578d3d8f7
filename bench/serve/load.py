"""The server under load beside FastAPI with PyTorch; writes docs/results/serving.md's tables.

python load.py VLPT MODEL [--seconds 10] [--rounds 3] [--requests 100000 | 0] [--out FILE]
"""

import argparse
import contextlib
import http.client
import json
import pathlib
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
CONNECTIONS = (1, 8, 64)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@contextlib.contextmanager
def running(command, port, path):
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(600):
            with contextlib.suppress(OSError):
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
                connection.request("GET", path)
                connection.getresponse().read()
                break
            time.sleep(0.2)
        yield process
    finally:
        process.terminate()
        process.wait(30)


def wrk(port, path, photo, connections, seconds, folder):
    """Requests a second and milliseconds at the middle and at 99 of 100, and answers that are no success."""
    script = pathlib.Path(folder) / "post.lua"
    script.write_text(
        f"""local file = io.open("{photo}", "rb")
wrk.method = "POST"
wrk.body = file:read("*all")
wrk.headers["Content-Type"] = "application/octet-stream"
done = function(summary, latency)
  io.write(string.format("RESULT %d %d %d %f %f\\n", summary.requests, summary.duration, summary.errors.status,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
"""
    )
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "60s", "-s", str(script)]
    text = subprocess.check_output([*command, f"http://127.0.0.1:{port}{path}"], text=True)
    requests, micros, errors, p50, p99 = re.search(r"RESULT (.*)", text).group(1).split()
    return int(requests) / (int(micros) / 1e6), float(p50), float(p99), int(errors)


def memory(process):
    """Resident megabytes."""
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status).group(1)) / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("vlpt")
    parser.add_argument("model")
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--out")
    args = parser.parse_args()
    vlpt = str(pathlib.Path(args.vlpt).resolve())
    work = tempfile.mkdtemp()
    subprocess.run([sys.executable, HERE / "prompts.py", "--photos", f"{work}/photos"], check=True)
    train = [vlpt, "-q", "train", f"{work}/photos", "--model", args.model, "--shots", "2", "--epochs", "1"]
    subprocess.run([*train, "--method", "coop", "--out", f"{work}/one"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run([*train, "--method", "vpt", "--out", f"{work}/rows"], check=True, stdout=subprocess.DEVNULL)
    for run in ("one", "rows"):
        copies = [sys.executable, HERE / "prompts.py", "--prompt", f"{work}/{run}", "--out", f"{work}/many-{run}"]
        subprocess.run(copies, check=True)
    photo = f"{work}/photos/red/0.png"
    np.save(f"{work}/texts.npy", np.random.default_rng(0).normal(size=(3, json.load(open(f"{args.model}/config.json"))["projection_dim"])).astype(np.float32))

    def ours(*more):
        port = free_port()
        return [vlpt, "serve", *more, "--listen", f"127.0.0.1:{port}", "--log", "off", "--model", args.model, "--queue", "256"], port

    results = {}
    kinds = {
        "FastAPI with PyTorch, 1 classifier": None,
        "vlpt, 1 text prompt": ([f"{work}/one"], "/v1/predict"),
        "vlpt, 100 text prompts, one in a request": (["--watch", f"{work}/many-one"], "/models/prompt-042"),
        "vlpt, 100 text prompts, all in each request": (["--watch", f"{work}/many-one"], "/v1/predict?top_k=1"),
        "vlpt, 100 prompts of rows, one in a request": (["--watch", f"{work}/many-rows"], "/models/prompt-042"),
    }
    for _ in range(args.rounds):
        for kind, how in kinds.items():
            if how is None:
                port, path = free_port(), "/classify"
                command = [sys.executable, str(HERE / "peer.py"), args.model, f"{work}/texts.npy", str(port)]
                ready = "/docs"
            else:
                command, port = ours(*how[0])
                path, ready = how[1], "/health"
            with running(command, port, ready) as process:
                time.sleep(3)
                for connections in CONNECTIONS:
                    row = wrk(port, path, photo, connections, args.seconds, work)
                    results.setdefault((kind, connections), []).append((*row, memory(process)))
                    print(kind, connections, row, f"{memory(process):.0f} MB", flush=True)

    lines = ["| server | connections | requests a second | p50 ms | p99 ms | beside FastAPI | memory MB |", "|---|---|---|---|---|---|---|"]
    middle = lambda rows, i: statistics.median(row[i] for row in rows)
    first = next(iter(kinds))
    for kind in kinds:
        for connections in CONNECTIONS:
            rows = results[kind, connections]
            ratio = middle(rows, 0) / middle(results[first, connections], 0)
            lines.append(
                f"| {kind} | {connections} | {middle(rows, 0):.1f} | {middle(rows, 1):.1f} | {middle(rows, 2):.1f} | {ratio:.2f} | {middle(rows, 4):.0f} |"
            )
    lines += ["", *overload(ours, work, photo, args)]
    text = "\n".join(lines)
    print(text)
    if args.out:
        pathlib.Path(args.out).write_text(text + "\n")


def one(connection, body):
    """Status and seconds of a request."""
    start = time.perf_counter()
    connection.request("POST", "/models/one", body)
    response = connection.getresponse()
    response.read()
    return response.status, time.perf_counter() - start


def clients(port, body, count, seconds, rest):
    """What so many clients saw; one that is refused comes again after `rest` seconds."""
    until, seen, lock = time.time() + seconds, [], threading.Lock()

    def client():
        connection, mine = http.client.HTTPConnection("127.0.0.1", port), []
        while time.time() < until:
            mine.append(one(connection, body))
            if mine[-1][0] == 429:
                time.sleep(rest)
        with lock:
            seen.extend(mine)

    threads = [threading.Thread(target=client) for _ in range(count)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    return seen


def overload(ours, work, photo, args):
    """Ten times what the server can do, with different numbers of permits; memory over many requests."""
    body = pathlib.Path(photo).read_bytes()
    p99 = lambda times: sorted(times)[int(0.99 * (len(times) - 1))] * 1e3
    lines = [
        "| permits | asked of what it can do | answered | refused with 429 | anything else | p99 alone ms | p99 of those taken ms | ratio |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for permits in (1, 2, 8):
        command, port = ours(f"{work}/one")
        command[command.index("--queue") + 1] = str(permits)
        with running(command, port, "/health"):
            time.sleep(2)
            alone = http.client.HTTPConnection("127.0.0.1", port)
            unloaded = [one(alone, body)[1] for _ in range(200)]
            can = len(clients(port, body, permits, 4, 0)) / 4
            # those refused come again so often that ten times as much is asked as can be done
            count = 10 * permits
            seen = clients(port, body, count, args.seconds, (count - permits) / (9 * can))
            taken = [took for status, took in seen if status == 200]
            refused = sum(status == 429 for status, _ in seen)
            lines.append(
                f"| {permits} | {len(seen) / args.seconds / can:.1f} | {len(taken)} | {refused} | {len(seen) - len(taken) - refused} "
                f"| {p99(unloaded):.1f} | {p99(taken):.1f} | {p99(taken) / p99(unloaded):.2f} |"
            )
    if args.requests:
        command, port = ours(f"{work}/one")
        with running(command, port, "/health") as process:
            time.sleep(2)
            clients(port, body, 8, 2, 0)
            before, asked, begun = memory(process), 0, time.time()
            while asked < args.requests:
                asked += round(wrk(port, "/models/one", photo, 8, 10, work)[0] * 10)
            lines += [
                "",
                f"Memory before and after {asked:,} requests at 8 connections ({time.time() - begun:.0f} s): {before:.0f} and {memory(process):.0f} MB.",
            ]
    return lines


if __name__ == "__main__":
    main()
