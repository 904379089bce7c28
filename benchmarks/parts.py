"""The parts of a run, each a function of the options that returns plain data."""

import contextlib

from devtools.base import step
from devtools.system import free_port

from . import backlog, documents, guests
from .mailserver import MailServer, Relay
from .site import Site

# orders confirmed one by one during a backlog, and all at once with crashes
ONE_BY_ONE, AT_ONCE, KILLS = 5, 32, 8


def confirm(options):
    """Confirm orders in each scenario, by size of the database."""
    often = {"never": 1, "new": 1, "known": 4, "floor": 4}
    repeats = [[100, name, many * options.repeats] for name, many in often.items()]
    # one run takes as long as twenty of the others
    repeats.append([100, "wizard", max(options.repeats // 2, 1)])
    repeats += [[1, name, 3 * options.repeats] for name in (*often, "wizard")]
    runs = []
    with MailServer() as mails, Site() as site:
        job = {"smtp_port": mails.port, "repeats": repeats}
        for size in sorted(options.sizes):
            with site.database(size) as db, step(f"confirm among {size:,} customers"):
                found = site.job(db, "confirm.compare", **job)
            runs += [{"size": size, **figures} for figures in found]
    return runs


def fresh(options):
    """Create accounts in a new shop that PostgreSQL has never analyzed."""
    count = options.fresh
    with Site() as site, site.database(0) as db, step(f"create {count:,} accounts"):
        return site.job(db, "accounts.without_statistics", count=count)


def shared(options):
    """Look up customers who share one address with many, and others."""
    size = min(options.sizes)
    with Site() as site, site.database(size) as db, step("look up a shared address"):
        job = {"contacts": 50_000, "repeats": 4 * options.repeats}
        return site.job(db, "accounts.shared_address", **job)


def mail(options):
    """Send emails by the job and by Odoo's queue, plainly and through a relay."""
    with (
        MailServer() as plain,
        Relay() as relay,
        Site() as site,
        site.database(min(options.sizes)) as db,
        step(f"send {options.emails} emails {4 * options.repeats + 4} times"),
    ):
        servers = {"plain": plain.config(), "relay": relay.config()}
        job = {"count": options.emails, "repeats": options.repeats}
        return site.job(db, "invitations.compare", servers=servers, **job)


def unreachable(options):
    """Run the job while the mail server is down, by what is due."""
    counts = options.unreachable
    with Site() as site, site.database(max(counts)) as db, step("find no mail server"):
        job = {"counts": counts, "repeats": options.repeats}
        return site.job(db, "invitations.unreachable", smtp_port=free_port(), **job)


def send(options):
    """Send a backlog, with orders confirmed in between, and with crashes."""
    found = {"drain": {}, "overtake": {}}
    with (
        MailServer() as plain,
        Relay() as relay,
        Site() as site,
        site.database(min(options.sizes)) as db,
    ):
        job = {"accounts": options.due, "quotations": 3 * ONE_BY_ONE + AT_ONCE}
        with step(f"make {options.due:,} invitations"):
            shop = site.job(db, "accounts.prepare_shop", **job)
        orders, addresses = iter(shop["quotations"]), shop["accounts"]
        modes = {"threads": (plain, 0), "workers": (plain, 2), "relay": (relay, 0)}
        for name, (mails, workers) in modes.items():
            where = (site, db, mails, workers, addresses)
            if mails is plain:
                found["drain"][name] = backlog.drain(*where)
            own = [next(orders) for _order in range(ONE_BY_ONE)]
            found["overtake"][name] = backlog.overtake(*where, own)
        burst = list(orders)
        found["crash"] = backlog.crash(site, db, plain, addresses, burst, KILLS)
    return found


def checkout(options):
    """Have guests check out, with the addon and without, in turns."""
    with contextlib.ExitStack() as stack:
        mails = stack.enter_context(MailServer())
        shops = []
        for name, recipe in (("without", "shop"), ("with", "addon")):
            site = stack.enter_context(Site(recipe))
            db = stack.enter_context(site.database(min(options.sizes)))
            shops.append((name, site, db, mails.port))
        return guests.measure(shops, options.guests, options.rounds)


def own(options):
    """Open the portal with their own documents, and with the whole company's."""
    orders = options.documents
    with Site() as site, site.database(0) as db:
        with step(f"make {orders:,} orders"):
            login, password = site.job(db, "documents.fill", orders=orders)
        return documents.measure(site, db, login, password, 3 * options.repeats)
