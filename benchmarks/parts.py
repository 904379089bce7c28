"""The parts of a run, each a function of `Run` that returns figures as plain data.

One that takes hours yields them, so that what it has found is kept if it is stopped.
"""

import contextlib
from dataclasses import dataclass
from pathlib import Path

from devtools.base import step

from . import http
from .site import Site
from .smtp import MailServer

FAST = ("never", "known", "new")
SLOW = ("wizard", "plain")


@dataclass
class Run:
    """What one run measures, and how much of it."""

    addons: Path
    sizes: list
    batches: list
    repeats: int
    guests: int
    rounds: int
    backfill: int
    reported: int
    visits_s: int

    def open(self, recipe):
        """Return a `Site` to be entered."""
        return Site(recipe, self.addons)


def cell(run, batch, server, *, count=()):
    """Return what `inside.matrix` wants to know of one batch size.

    :param count: the ways whose rows, memory and dropped caches are counted, too
    """
    often = 3 if batch <= 100 else 1
    return {
        "batch": batch,
        "smtp_ms": server.delay_ms,
        "smtp_port": server.port,
        # what differs by a few percent takes more runs to be seen
        "repeats": dict.fromkeys(("never", "known"), run.repeats * often)
        | dict.fromkeys(("new", *SLOW), run.repeats),
        "mails": run.repeats,
        "count": list(count),
    }


def confirm(run):
    """Measure the ways at all sizes; at the smallest also with slow mail."""
    results = []
    with MailServer() as prompt, MailServer(200) as slow, run.open("addon") as site:
        for size in sorted(run.sizes):
            first = size == min(run.sizes)
            cells = [
                cell(run, batch, prompt, count=_counted(batch) if first else ())
                for batch in run.batches
                if first or batch <= 100
            ]
            if first:
                cells += [cell(run, batch, slow) for batch in run.batches[:2]]
            with site.database(size) as db, step(f"confirm among {size} customers"):
                figures = site.job(db, "matrix", cells=cells)
            results.append({"size": size, "stock": False, **figures})
    return results


def large(run):
    """Measure what takes longest: slow mail for more orders, and the largest batches
    at the larger sizes; the largest of all first."""
    smallest, *larger = sorted(run.sizes)
    with MailServer() as prompt, MailServer(200) as slow, run.open("addon") as site:
        for size in (smallest, *reversed(larger)):
            if size == smallest:
                cells = [
                    cell(run, batch, slow) for batch in run.batches if batch == 100
                ]
            else:
                cells = [
                    cell(run, batch, prompt, count=_counted(batch))
                    for batch in run.batches
                    if batch > 100
                ]
            with site.database(size) as db, step(f"large batches among {size}"):
                figures = site.job(db, "matrix", cells=cells)
            yield {"size": size, "stock": False, **figures}


def _counted(batch):
    """Return the ways that are counted: counting takes long, and proportionally so."""
    return (*FAST, *SLOW) if batch <= 100 else FAST


def known(run):
    """Measure customers with accounts closely, beside the same without the addon."""
    results = []
    often = {1: 20 * run.repeats, 100: 5 * run.repeats}
    with MailServer() as server, run.open("addon") as site:
        cells = [
            cell(run, batch, server)
            | {"repeats": dict.fromkeys(("floor", "known"), repeats)}
            for batch, repeats in often.items()
        ]
        for size in sorted(run.sizes):
            with site.database(size) as db, step(f"known among {size} customers"):
                figures = site.job(db, "matrix", cells=cells, plans=list(often))
            results.append({"size": size, "stock": False, **figures})
    return results


def stock(run):
    """Measure the ways with `stock` and `delivery`, at the smallest size."""
    size = min(run.sizes)
    with MailServer() as prompt, run.open("full") as site:
        cells = [
            cell(run, batch, prompt, count=_counted(batch))
            for batch in run.batches
            if batch <= 100
        ]
        with site.database(size) as db, step("confirm with stock"):
            figures = site.job(db, "matrix", cells=cells)
    return [{"size": size, "stock": True, **figures}]


def mail(run):
    """Mail invitations, as the addon and as Odoo itself does."""
    with (
        MailServer() as server,
        run.open("addon") as site,
        site.database(min(run.sizes)) as db,
        step("mail invitations"),
    ):
        return site.job(
            db,
            "mail",
            smtp_port=server.port,
            batches=[1, 50],
            repeats=2 * run.repeats,
        )


def load(run):
    """Have guests check out, with the addon and without, in turns."""
    results = []
    with MailServer() as mails, shops(run) as found:
        without, never, always = [(*shop, 1) for shop in found]
        # The invitations are mailed by the same two cores: without them for once.
        later = (f"{always[0]}, mails later", *always[1:-1], 0)
        for number in range(run.rounds):
            # what explains the difference takes fewer rounds than the difference
            variants = [without, always, *([never, later] if number < 3 else [])]
            first = number % len(variants)
            for name, site, db, policy, cron in variants[first:] + variants[:first]:
                with step(f"{run.guests} guests, {name}"):
                    figures = http.check_out(
                        site, db, policy, mails.port, run.guests, cron
                    )
                results.append({"shop": name, "round": number, **figures})
    return results


@contextlib.contextmanager
def shops(run):
    """Yield shops to compare: name, site, database and the addon's policy."""
    size = min(run.sizes)
    with contextlib.ExitStack() as stack:
        bare = stack.enter_context(run.open("shop"))
        extended = stack.enter_context(run.open("addon"))
        bare_db = stack.enter_context(bare.database(size))
        db = stack.enter_context(extended.database(size))
        yield [
            ("without the addon", bare, bare_db, None),
            ("policy never", extended, db, "never"),
            ("policy all", extended, db, "all"),
        ]


def page(run):
    """Count the statements of the confirmation page."""
    with MailServer() as mails, shops(run) as found:
        return [
            {
                "shop": name,
                "queries": http.count_confirmation(site, db, policy, mails.port),
            }
            for name, site, db, policy in found
        ]


def caches(run):
    """Visit a shop with two workers while accounts are created beside it."""
    results = []
    size = min(run.sizes)
    with MailServer() as mails, run.open("addon") as site, site.database(size) as db:
        for number in range(run.rounds):
            for way in (None, "addon", "plain"):
                with step(f"visit the shop: {way or 'quiet'}"):
                    figures = http.visit(site, db, mails.port, way, run.visits_s, 4)
                results.append({"round": number, **figures})
    return results


def backfill(run):
    """Create the accounts of past orders by the addon's batch job."""
    with (
        run.open("addon") as site,
        site.database(min(run.sizes)) as db,
        step(f"backfill {run.backfill} orders"),
    ):
        return site.job(db, "backfill", count=run.backfill)


def adoption(run):
    """Read the report *Portal Adoption*."""
    with (
        run.open("addon") as site,
        site.database(min(run.sizes)) as db,
        step(f"read the report on {run.reported} orders"),
    ):
        return site.job(db, "adoption", orders=run.reported, repeats=run.repeats)


def profile(run):
    """Profile one new customer's order."""
    with run.open("addon") as site, site.database(min(run.sizes)) as db:
        return site.job(db, "profile", repeats=50)


PARTS = {
    part.__name__: part
    for part in (
        confirm,
        known,
        stock,
        large,
        mail,
        load,
        page,
        caches,
        backfill,
        adoption,
        profile,
    )
}
