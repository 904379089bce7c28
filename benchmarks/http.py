"""The shop over HTTP, on loopback: guests at the checkout, pages while accounts are
made, and the statements of the confirmation page."""

import contextlib
import functools
import json
import os
import re
import subprocess
import sys
import time
import uuid

import psutil
import requests

from devtools.base import PROJECT, DevtoolsError

from .guest import Guest

PRODUCT = """
    SELECT t.id, min(p.id) FROM product_template t
      JOIN product_product p ON p.product_tmpl_id = t.id
     WHERE t.is_published AND t.list_price > 0 AND p.active AND t.sale_ok
     GROUP BY t.id HAVING count(*) = 1 ORDER BY t.id LIMIT 1
"""
DUE = "SELECT count(*) FROM res_users WHERE portal_invitation_due IS NOT NULL"
CONFIRMATION = "/shop/confirmation"
# to the two workers at once
CONNECTIONS = 8
# Drawing the PDF asks the same two workers for its styles: with both of them drawing,
# Odoo waits for itself until it kills them. So the shop's mails go without one.
NO_PDF = "DELETE FROM mail_template_ir_actions_report_rel"
# A database that was just made has all its scheduled jobs due, and runs them with the
# first one that something triggers.
NO_JOBS = "UPDATE ir_cron SET nextcall = now() AT TIME ZONE 'UTC' + interval '1 day'"
# What Odoo logs of a request: its number of statements, then seconds.
REQUEST = re.compile(r'"GET (\S+) HTTP/[\d.]+" 200 - (\d+) [\d.]+ [\d.]+')


@contextlib.contextmanager
def shop(site, db, policy, smtp_port, cron=1):
    """Yield a running server with two workers.

    :param policy: of the addon, or None where it is not installed
    :param cron: number of processes for scheduled jobs
    """
    site.instance.cluster.sql(db, f"{NO_PDF}; {NO_JOBS}")
    if policy:
        site.instance.cluster.sql(
            db,
            "UPDATE res_company SET portal_account_policy = :'policy'",
            policy=policy,
        )
    with site.instance.start_server(
        db, workers=2, smtp_port=smtp_port, extra=[f"--max-cron-threads={cron}"]
    ) as server:
        # All processes load everything before anything is measured; and Odoo makes
        # what payments are booked by at the first one, which must not be two at once.
        for _visit in range(20):
            requests.get(f"{_address(server)}/shop", timeout=120).raise_for_status()
        for _guest in range(4):
            _buy(site, db, server)
        if policy == "all" and cron:
            _await_mails(site, db)
        yield server


def _await_mails(site, db, seconds=120):
    """Wait until the scheduled action has sent what is due.

    :raise DevtoolsError: it has not within that many seconds
    """
    limit = time.monotonic() + seconds
    while int(site.instance.cluster.sql(db, DUE)):
        if time.monotonic() > limit:
            raise DevtoolsError("The invitations of the first guests are not sent.")
        time.sleep(0.5)


def check_out(site, db, policy, smtp_port, guests, cron):
    """Have guests check out, all of them within ten seconds.

    :param cron: number of processes for scheduled jobs
    :return: dict of figures: `confirmed` orders, `seconds` from the first request to
        the last answer, `cpu_seconds` of the processes, Locust's `requests`,
        `failures`, `p50_ms` and `p95_ms` of all requests and of each page
    """
    with shop(site, db, policy, smtp_port, cron) as server:
        before, cpu = _confirmed(site, db), _cpu_seconds(site, server)
        figures = _locust(site, db, server, guests)
        orders, cpu_now = _confirmed(site, db) - before, _cpu_seconds(site, server)
    return {
        "policy": policy,
        "guests": guests,
        "confirmed": orders,
        "orders_per_second": orders / figures["seconds"],
        "cpu_seconds": {kind: cpu_now[kind] - cpu[kind] for kind in cpu},
        **figures,
    }


def _cpu_seconds(site, server):
    """Return the seconds of CPU so far: `http`, `jobs` (scheduled) and `postgresql`."""
    seconds = dict.fromkeys(("http", "jobs", "postgresql"), 0)
    for process in psutil.Process(server.process.pid).children(recursive=True):
        # Odoo makes the processes for its scheduled jobs give way to others.
        seconds["jobs" if process.nice() else "http"] += _own_cpu_seconds(process)
    cluster = psutil.Process(site.instance.cluster.pid)
    seconds["postgresql"] = sum(map(_own_cpu_seconds, cluster.children()))
    # with those of the connections that are closed by now
    seconds["postgresql"] += sum(cluster.cpu_times()[:4])
    return seconds


def _own_cpu_seconds(process):
    """Return the seconds of CPU of a process so far, 0 of one that has just ended."""
    try:
        return sum(process.cpu_times()[:2])
    except psutil.NoSuchProcess:
        return 0


def _locust(site, db, server, guests):
    """Run Locust and return its figures.

    :raise DevtoolsError: it wrote none
    """
    output = site.instance.folder / "locust.json"
    output.unlink(missing_ok=True)
    job = {
        "guests": guests,
        "connections": CONNECTIONS,
        "output": str(output),
        **_goods(site, db),
    }
    log = output.with_suffix(".log")
    command = [
        *(sys.executable, "-m", "locust", "-f", PROJECT / "benchmarks/locustfile.py"),
        *("--headless", "--host", _address(server), "--users", guests),
        *("--spawn-rate", max(guests / 10, 1), "--run-time", "5m"),
        "--only-summary",
    ]
    with open(log, "wb") as out:
        subprocess.run(
            list(map(str, command)),
            cwd=PROJECT,
            env={**os.environ, "BENCHMARK_JOB": json.dumps(job)},
            stdout=out,
            stderr=subprocess.STDOUT,
            check=False,
            timeout=600,
        )
    if not output.exists():
        raise DevtoolsError(f"Locust failed:\n{log.read_text()[-3000:]}")
    return json.loads(output.read_text())


def _goods(site, db):
    """Return what a guest needs to know: a product and the country of the address."""
    [row] = site.instance.cluster.sql(db, PRODUCT).splitlines()
    country = site.instance.cluster.sql(
        db, "SELECT id FROM res_country WHERE code = 'BE'"
    )
    return {"product": list(map(int, row.split("|"))), "country_id": int(country)}


def _confirmed(site, db):
    sql = "SELECT count(*) FROM sale_order WHERE state = 'sale'"
    return int(site.instance.cluster.sql(db, sql))


def count_confirmation(site, db, policy, smtp_port, visits=5):
    """Return the numbers of statements of the confirmation page, visit by visit.

    The order's own visit is the first; the later ones are reloads of the page.
    """
    with shop(site, db, policy, smtp_port) as server:
        session = _buy(site, db, server)
        for _visit in range(visits - 1):
            session.get(_address(server) + CONFIRMATION, timeout=120).raise_for_status()
    found = REQUEST.findall(server.log.read_text(errors="replace"))
    return [int(count) for path, count in found if path == CONFIRMATION][-visits:]


def _address(server):
    """Return the server's address, with nothing to be looked up for each request."""
    return f"http://127.0.0.1:{server.port}"


def _buy(site, db, server):
    """Have one guest buy something; return the session of the guest."""
    session = requests.Session()
    session.headers["Connection"] = "close"

    def send(method, path, name, **kwargs):
        response = session.request(
            method, _address(server) + path, timeout=120, **kwargs
        )
        response.raise_for_status()
        return response

    goods = _goods(site, db)
    guest = Guest(
        functools.partial(send, "GET"),
        functools.partial(send, "POST"),
        goods["country_id"],
    )
    guest.buy(goods["product"], f"guest{uuid.uuid4().hex}@load.example")
    return session


def visit(site, db, smtp_port, way, seconds, per_second):
    """Visit the shop's pages while accounts are created in another process.

    :param way: `addon`, `plain`, or None for a quiet shop
    :param per_second: accounts a second
    :return: dict of `visits`, `p50_ms`, `p95_ms`, `queries` of the median page, and
        `drops`: how often a worker dropped cached data
    """
    # without the scheduled jobs: only one of the ways would have them send mails
    with (
        shop(site, db, "never", smtp_port, cron=0) as server,
        contextlib.ExitStack() as stack,
    ):
        if way:
            stack.enter_context(
                site.background(db, "creation", way=way, per_second=per_second)
            )
        # Making the product that is ordered drops cached data, too.
        requests.get(f"{_address(server)}/shop", timeout=120).raise_for_status()
        seen = len(server.log.read_text(errors="replace"))
        times = []
        limit = time.monotonic() + seconds
        while time.monotonic() < limit:
            start = time.perf_counter()
            requests.get(f"{_address(server)}/shop", timeout=120).raise_for_status()
            times.append((time.perf_counter() - start) * 1000)
        log = server.log.read_text(errors="replace")[seen:]
    times.sort()
    queries = sorted(
        int(count) for path, count in REQUEST.findall(log) if path == "/shop"
    )
    return {
        "way": way,
        "visits": len(times),
        "p50_ms": times[len(times) // 2],
        "p95_ms": times[int(len(times) * 0.95)],
        "queries_p50": queries[len(queries) // 2],
        "queries_p95": queries[int(len(queries) * 0.95)],
        "drops": log.count("Invalidating caches after database signaling"),
    }
