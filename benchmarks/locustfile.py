"""Guests for Locust: each checks out once and leaves; the last one ends the run."""

import json
import os
import time
import uuid

import gevent
import requests
from gevent.lock import BoundedSemaphore
from locust import User, constant, events, task
from locust.exception import StopUser

from benchmarks.guest import Guest

JOB = json.loads(os.environ["BENCHMARK_JOB"])
# Odoo's workers take one connection at a time and let few wait. In a shop a proxy
# stands before them: it keeps the guests waiting, and closes what it has opened.
PROXY = BoundedSemaphore(JOB["connections"])
state = {"come": 0, "left": 0, "errors": [], "start": None}


class Shopper(User):
    """A guest with an address that nobody has used before."""

    wait_time = constant(0)

    def on_start(self):
        """Come without cookies; Locust sends others for those who have left."""
        if state["come"] == JOB["guests"]:
            raise StopUser
        state["come"] += 1
        state["start"] = state["start"] or time.perf_counter()
        self.session = requests.Session()
        self.session.headers["Connection"] = "close"

    @task
    def buy(self):
        """Buy one product, then leave, also when something fails."""
        guest = Guest(self._get, self._post, JOB["country_id"])
        try:
            guest.buy(JOB["product"], f"guest{uuid.uuid4().hex}@load.example")
        except (requests.RequestException, RuntimeError) as error:
            state["errors"].append(str(error)[:300])
        state["left"] += 1
        state["seconds"] = time.perf_counter() - state["start"]
        if state["left"] == JOB["guests"]:
            # not from here: it ends this guest, too
            gevent.spawn(self.environment.runner.quit)
        raise StopUser

    def _get(self, path, name):
        return self._send("GET", path, name)

    def _post(self, path, name, **kwargs):
        return self._send("POST", path, name, **kwargs)

    def _send(self, method, path, name, **kwargs):
        """Return the response; its time counts from when the guest asks for it."""
        start, error, response = time.perf_counter(), None, None
        try:
            with PROXY:
                response = self.session.request(
                    method, self.host + path, timeout=120, **kwargs
                )
            response.raise_for_status()
        except requests.RequestException as failure:
            error = failure
            raise
        finally:
            # Locust's own clients would do this
            self.environment.events.request.fire(
                request_type=method,
                name=name,
                response_time=(time.perf_counter() - start) * 1000,
                response_length=len(response.content) if response is not None else 0,
                exception=error,
                context={},
            )
        return response


@events.quitting.add_listener
def save(environment, **_kwargs):
    """Write the figures where the job says."""
    stats = environment.stats
    with open(JOB["output"], "w") as output:
        json.dump(
            {
                "seconds": state["seconds"],
                "requests": stats.total.num_requests,
                "failures": stats.total.num_failures,
                "errors": state["errors"][:5],
                "p50_ms": stats.total.get_response_time_percentile(0.5),
                "p95_ms": stats.total.get_response_time_percentile(0.95),
                "pages": {
                    entry.name: {
                        "p50_ms": entry.get_response_time_percentile(0.5),
                        "p95_ms": entry.get_response_time_percentile(0.95),
                    }
                    for entry in stats.entries.values()
                },
            },
            output,
        )
