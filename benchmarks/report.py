"""Tables and plots of what was measured."""

import json
import operator
import re
from collections import Counter, defaultdict
from functools import partial
from statistics import median, quantiles

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt
from matplotlib.ticker import LogLocator, NullFormatter

WAYS = {
    "never": "1 no account (policy *never*)",
    "known": "2 customers with an account",
    "new": "3 new customers",
    "wizard": "4 portal wizard, by hand",
    "plain": "5 the plain way",
}
MAILS = {"addon": "scheduled action", "odoo": "Odoo's own invitation"}
COLOURS = {
    "never": "#7f7f7f",
    "known": "#2ca02c",
    "new": "#1f77b4",
    "wizard": "#d62728",
    "plain": "#ff7f0e",
}


# Measured within the same runs: differences of two runs spread more than it takes.
OWN = "of which `_ensure_portal_accounts`"


def rounded(data):
    """Return plain data with its numbers cut to what was measured."""
    if isinstance(data, float):
        return round(data, 3)
    if isinstance(data, dict):
        return {key: rounded(value) for key, value in data.items()}
    if isinstance(data, list):
        return [rounded(value) for value in data]
    return data


def write(folder):
    """Write `README.md` and the plots from `results.json` in a folder."""
    results = json.loads((folder / "results.json").read_text())
    sections = [_head(results)]
    runs = Runs(results)
    if runs:
        sections += [_bars(results, runs), _ways(runs), _mails(runs), _counts(results)]
        plot_sizes(runs, folder / "time-by-size.svg")
        plot_batches(runs, folder / "time-by-batch.svg")
        sections.append(
            "![time by database size](time-by-size.svg)\n\n"
            "![time by batch size](time-by-batch.svg)"
        )
    for name, section in SECTIONS.items():
        if name in results:
            sections.append(section(results[name]["figures"]))
    lines = "\n\n".join(filter(None, sections)).splitlines()
    (folder / "README.md").write_text("".join(f"{line.rstrip()}\n" for line in lines))


class Runs:
    """The timed runs, by database, mail server, batch and way."""

    def __init__(self, results, parts=("confirm", "large", "stock"), floor="never"):
        self.floor = floor
        self.found = defaultdict(dict)
        for part in parts:
            for block in results.get(part, {}).get("figures", []):
                for run in block["runs"]:
                    key = (
                        block["size"],
                        block["stock"],
                        run["smtp_ms"],
                        run["batch"],
                        run["way"],
                    )
                    self.found[key][run["repeat"]] = run

    def __bool__(self):
        return bool(self.found)

    def settings(self):
        """Return the databases, mail servers and batch sizes, in order."""
        return sorted({key[:4] for key in self.found}, key=lambda key: (key[1:3], key))

    def sizes(self):
        """Return the sizes of the databases without stock."""
        return sorted({key[0] for key in self.found if not key[1]})

    def batches(self, size, stock=False, smtp_ms=0):
        """Return the batch sizes that were measured on a database."""
        return sorted(
            {key[3] for key in self.found if key[:3] == (size, stock, smtp_ms)}
        )

    def values(self, setting, way, figure="ms"):
        """Return the figures of all runs of a way, each for the whole batch."""
        runs = self.found.get((*setting, way), {}).values()
        return [run[figure] for run in runs if figure in run]

    def median(self, setting, way, figure="ms"):
        """Return the median of those, or None where nothing was measured."""
        values = self.values(setting, way, figure)
        return median(values) if values else None

    def extra(self, setting, way, figure="ms"):
        """Return what a way takes more than no account, for the whole batch.

        The median of the differences within each round of the interleaved runs.
        """
        floor = self.found.get((*setting, self.floor), {})
        runs = self.found.get((*setting, way), {})
        pairs = [
            run[figure] - floor[number][figure]
            for number, run in runs.items()
            if number in floor
        ]
        return median(pairs) if pairs else None


def table(head, rows):
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def number(value, digits=1):
    """Return a number for a table; `–` where there is none."""
    return "–" if value is None else f"{value:,.{digits}f}"


def times(value):
    """Return a ratio for a table."""
    return "–" if value is None else f"{value:,.1f}×"


def ratio(one, other):
    """Return how many times the other one is, or None."""
    return one / other if one is not None and other and other > 0 else None


def quartiles(values):
    """Return the quartiles of some values, the median in the middle."""
    if len(values) == 1:
        values = values * 2
    return quantiles(values, n=4, method="inclusive")


def _head(results):
    rows = []
    for name, part in results.items():
        where = part["machine"]
        rows.append(
            [name, where["date"], where["addon"], where["load_before"], part["seconds"]]
        )
    where = next(iter(results.values()))["machine"]
    return (
        "# Results\n\nWritten by `make bench`; all figures are in `results.json`.\n\n"
        f"{where['processor']}, {where['cores']} cores, {where['memory_gib']} GiB; "
        f"{where['system']}; PostgreSQL {where['postgresql']}, durable commits; "
        f"Odoo {where['odoo']}; Python {where['python']}.\n\n"
        + table(["part", "date", "addon", "load before", "seconds"], rows)
    )


def _bars(results, runs):
    """Return the table of what the figures must reach."""
    low, high = min(runs.sizes()), max(runs.sizes())
    # the runs of their own, where there are any
    known = Runs(results, ("known",), "floor")
    rows = [
        row
        for bar in (
            *(_bar_known(known, (size, False, 0, 100)) for size in known.sizes()),
            _bar_size(known, low, high) if known else [],
            _bar_new(runs, (low, False, 0, 100)),
            _bar_one(runs, (low, False, 0, 1)),
            _bar_smtp(runs, low),
            _bar_load(results),
            _bar_backfill(results),
            _bar_page(results),
            _bar_adoption(results),
        )
        for row in bar
    ]
    return (
        "## Bars\n\n*Account* is what a way takes beyond the confirmation itself: the "
        "median of the differences to way 1 within the same round. Known customers are "
        "measured in runs of their own, against way 1 with the same customers.\n\n"
        + table(["work", "figure", "bar", "measured", "reached"], rows)
    )


def _row(work, figure, bar, value, reached, digits=2):
    verdict = "–" if value is None else "yes" if reached(value) else "**no**"
    return [work, figure, bar, number(value, digits), verdict]


def _bar_known(runs, setting):
    work = f"known customers, batch of 100, {setting[0]:,} users"
    floor = runs.median(setting, runs.floor)
    queries = runs.extra(setting, "known", "queries")
    share = _percent(runs.extra(setting, "known"), floor)
    own = _percent(runs.median(setting, "known", "account_ms"), floor)
    return [
        _row(work, "queries beyond way 1, all", "≤ 3", queries, lambda v: v <= 3),
        _row(work, "time beyond way 1, %", "≤ 3", share, lambda v: v <= 3),
        [work, f"{OWN}, % of way 1", "", number(own, 2), ""],
    ]


def _percent(part, whole):
    return None if part is None or not whole else 100 * part / whole


def _bar_size(runs, low, high):
    work = f"one known customer, {high:,} users"
    here, there = (high, False, 0, 1), (low, False, 0, 1)
    extra = runs.extra(here, "known")
    own = runs.median(here, "known", "account_ms")
    growth = ratio(runs.median(here, "known"), runs.median(there, "known"))
    own_growth = ratio(own, runs.median(there, "known", "account_ms"))
    floor = ratio(runs.median(here, runs.floor), runs.median(there, runs.floor))
    return [
        _row(work, "ms beyond way 1", "≤ 3", extra, lambda v: v <= 3),
        [work, f"{OWN}, ms", "", number(own, 2), ""],
        [work, f"way 1, times that at {low:,}", "", number(floor, 2), ""],
        _row(work, f"times that at {low:,}", "≤ 1.5", growth, lambda v: v <= 1.5),
        [work, f"{OWN}, times that at {low:,}", "", number(own_growth, 2), ""],
    ]


def _bar_new(runs, setting):
    work = "new customers, batch of 100, to the commit"
    extra = {way: runs.extra(setting, way) for way in ("new", "wizard", "plain")}
    queries = runs.extra(setting, "new", "queries")
    whole = {way: runs.median(setting, way) for way in ("new", "wizard", "plain")}
    return [
        *(
            _row(
                work,
                f"account: times faster than {number_of_way}",
                f"≥ {bar}",
                ratio(extra[way], extra["new"]),
                partial(operator.le, bar),
                1,
            )
            for number_of_way, way, bar in ((4, "wizard", 12), (5, "plain", 10))
        ),
        *(
            _row(
                work,
                f"with the confirmation: times faster than {number_of_way}",
                f"≥ {bar}",
                ratio(whole[way], whole["new"]),
                partial(operator.le, bar),
                1,
            )
            for number_of_way, way, bar in ((4, "wizard", 12), (5, "plain", 10))
        ),
        _row(
            work,
            "queries an order beyond way 1",
            "≤ 7",
            None if queries is None else queries / setting[3],
            lambda v: v <= 7,
        ),
    ]


def _bar_one(runs, setting):
    work = "one new customer, to the commit"
    account = ratio(runs.extra(setting, "wizard"), runs.extra(setting, "new"))
    whole = ratio(runs.median(setting, "wizard"), runs.median(setting, "new"))
    return [
        _row(work, "account: times faster than 4", "≥ 2", account, lambda v: v >= 2, 1),
        _row(work, "with the confirmation: times", "≥ 2", whole, lambda v: v >= 2, 1),
    ]


def _bar_smtp(runs, size):
    work = "new customers, SMTP after 200 ms"
    rows = []
    for batch in (1, 10, 100):
        slow = runs.extra((size, False, 200, batch), "new")
        prompt = runs.extra((size, False, 0, batch), "new")
        value = None if slow is None or prompt is None else slow - prompt
        rows.append(
            _row(
                work,
                f"account: ms beyond SMTP at once, batch of {batch}",
                "not visible (< 50)",
                value,
                lambda v: v < 50,
            )
        )
    return rows


def _bar_load(results):
    """Compare the shops round by round, as the machine's speed changes meanwhile."""
    rates = defaultdict(dict)
    for run in results.get("load", {}).get("figures", []):
        rates[run["shop"]][run["round"]] = run["orders_per_second"]
    without = rates.pop("without the addon", {})
    rows = []
    for shop, by_round in rates.items():
        fewer = [100 * (1 - rate / without[index]) for index, rate in by_round.items()]
        low, middle, high = quartiles(fewer)
        figure = f"% fewer orders a second, {shop}"
        figure += f" ({len(fewer)} rounds, quartiles {low:.1f} to {high:.1f})"
        rows.append(_row("guests over HTTP", figure, "≤ 8", middle, lambda v: v <= 8))
    return rows


def _bar_backfill(results):
    figures = results.get("backfill", {}).get("figures")
    if not figures:
        return []
    steps = [step for step in figures["steps"] if step["accounts"]]
    half = len(steps) // 2
    rate = figures["accounts"] / figures["seconds"]
    late = steps[-1]["seconds"] - steps[half - 1]["seconds"]
    slower = (late / (len(steps) - half)) / (steps[half - 1]["seconds"] / half)
    grown = steps[-1]["memory_mib"] - steps[len(steps) // 10]["memory_mib"]
    work = f"{figures['accounts']:,} accounts backfilled"
    return [
        _row(work, "accounts a second", "≥ 40", rate, lambda v: v >= 40, 0),
        _row(work, "time, second half to first", "linear", slower, lambda v: v <= 1.1),
        _row(
            work, "MiB more after the first tenth", "flat", grown, lambda v: v <= 10, 1
        ),
    ]


def _bar_adoption(results):
    figures = results.get("adoption", {}).get("figures")
    if not figures:
        return []
    return [
        _row(
            f"Portal Adoption, {figures['orders']:,} orders",
            f"s, {view}",
            "< 1",
            median(seconds),
            lambda v: v < 1,
        )
        for view, seconds in figures["seconds"].items()
    ]


def _bar_page(results):
    pages = {
        page["shop"]: median(page["queries"])
        for page in results.get("page", {}).get("figures", [])
    }
    if not pages:
        return []
    return [
        _row(
            "confirmation page",
            f"queries more, {shop}",
            "≤ 0",
            queries - pages["without the addon"],
            lambda v: v <= 0,
            0,
        )
        for shop, queries in pages.items()
        if shop != "without the addon"
    ]


def _ways(runs):
    """Return the table of all ways in all settings, for each order."""
    rows = []
    for setting in runs.settings():
        size, stock, smtp_ms, batch = setting
        for way, title in WAYS.items():
            if row := _way(runs, setting, way, batch):
                rows.append(
                    [f"{size:,}", "yes" if stock else "", smtp_ms, batch, title, *row]
                )
    head = [
        "customers",
        "stock",
        "SMTP ms",
        "batch",
        "way",
        "ms",
        "quartiles",
        "CPU ms",
    ]
    head += ["queries", "account ms", "to 1", "of 4", "of 5", "runs"]
    return (
        "## Time and queries for each order, to the commit\n\n"
        "*to 1*: all of it, times way 1. *of 4*, *of 5*: how many times faster the "
        "account is than by way 4 or 5, which mail the invitation before the commit. "
        "*CPU ms* is Odoo's process without PostgreSQL. "
        "Ways 4 and 5 work as if the addon were not installed.\n\n" + table(head, rows)
    )


def _way(runs, setting, way, batch):
    """Return the figures of one way for a table, or nothing."""
    values = [value / batch for value in runs.values(setting, way)]
    if not values:
        return None
    low, _middle, high = quartiles(values)
    extra = runs.extra(setting, way) if way != "never" else None
    others = [
        times(ratio(runs.extra(setting, other), extra)) if way == "new" else ""
        for other in ("wizard", "plain")
    ]
    return [
        number(median(values)),
        f"{number(low)}–{number(high)}",
        number(runs.median(setting, way, "cpu_ms") / batch),
        number(runs.median(setting, way, "queries") / batch),
        number(extra / batch) if extra is not None else "",
        times(ratio(runs.median(setting, way), runs.median(setting, "never"))),
        *others,
        len(values),
    ]


def _mails(runs):
    """Return the table of new customers up to the mail server."""
    rows = []
    for setting in runs.settings():
        size, stock, smtp_ms, batch = setting
        commit = runs.values(setting, "new")
        mail = runs.values(setting, "new", "mail_ms")
        if not mail:
            continue
        whole = [sum(pair) / batch for pair in zip(commit, mail, strict=False)]
        low, _middle, high = quartiles(whole)
        rows.append(
            [
                f"{size:,}",
                "yes" if stock else "",
                smtp_ms,
                batch,
                number(median(commit) / batch),
                number(median(mail) / batch),
                number(median(whole)),
                f"{number(low)}–{number(high)}",
                number(_per_order(runs, setting, "wizard")),
                number(_per_order(runs, setting, "plain")),
                len(mail),
            ]
        )
    head = ["customers", "stock", "SMTP ms", "batch", "3 to the commit"]
    head += ["3 mail, later", "3 all", "quartiles", "4 all", "5 all", "runs"]
    return (
        "## Milliseconds for each order until the mail server has the mail\n\n"
        "Ways 4 and 5 send it before the commit; way 3 afterwards, by the scheduled "
        "action.\n\n" + table(head, rows)
    )


def _per_order(runs, setting, way):
    value = runs.median(setting, way)
    return None if value is None else value / setting[3]


def _counts(results):
    """Return the table of rows, memory and dropped caches."""
    rows = []
    for part in ("confirm", "large", "stock"):
        for block in results.get(part, {}).get("figures", []):
            for count in block["counts"]:
                batch = count["batch"]
                rows.append(
                    [
                        f"{block['size']:,}",
                        "yes" if block["stock"] else "",
                        batch,
                        WAYS[count["way"]],
                        number(count["rows"] / batch),
                        number(count["peak_kib"] / batch),
                        number(count["clears"] / batch, 2),
                        number(count["signals"] / batch, 2),
                        number(count["lookups"] / batch, 2),
                        number(count["repeated_lookups"] / batch, 2),
                    ]
                )
    head = ["customers", "stock", "batch", "way", "rows written", "peak KiB"]
    head += ["caches dropped", "signals"]
    head += ["external ids looked up", "repeatedly"]
    return (
        "## Rows, memory and dropped caches for each order\n\n"
        "Of one run each that is not timed. Peak: Python's memory above what it was "
        "before (tracemalloc). Signals: caches that all other workers are told to drop."
        "\n\n" + table(head, rows)
    )


def _load(figures):
    rows = [
        [
            run["shop"],
            run["round"] + 1,
            run["guests"],
            run["confirmed"],
            number(run["orders_per_second"], 2),
            number(run["p50_ms"], 0),
            number(run["p95_ms"], 0),
            number(run["pages"]["/payment/status/poll"]["p95_ms"], 0),
            *(
                number(1000 * seconds / run["confirmed"], 0)
                for seconds in run["cpu_seconds"].values()
            ),
            run["failures"],
        ]
        for run in figures
    ]
    head = ["shop", "round", "guests", "orders", "orders/s", "p50 ms", "p95 ms"]
    head += ["p95 ms of the confirmation", "CPU ms an order: HTTP", "scheduled jobs"]
    head += ["PostgreSQL", "failures"]
    return (
        "## Guests checking out over HTTP, 2 workers\n\n"
        "Ten requests from the shop to the confirmation page; all guests come within "
        "ten seconds and wait for their turn, as behind a proxy, so that the times of "
        "answers are mostly waiting. Guests, server and database share the machine, "
        "whose speed changes meanwhile: see the CPU that the same work takes. "
        "The mails of the orders go without a PDF.\n\n" + table(head, rows)
    )


def _mail(figures):
    """Return the tables of invitations, by the addon and by Odoo itself."""
    rows = []
    runs = figures["runs"]
    for batch in sorted({run["batch"] for run in runs}):
        for way, title in MAILS.items():
            found = [run for run in runs if (run["way"], run["batch"]) == (way, batch)]
            values = [run["ms"] / batch for run in found]
            low, _middle, high = quartiles(values)
            rows.append(
                [
                    batch,
                    title,
                    number(median(values)),
                    f"{number(low)}–{number(high)}",
                    number(median(run["cpu_ms"] for run in found) / batch),
                    number(median(run["queries"] for run in found) / batch),
                    len(values),
                ]
            )
    head = ["mails", "way", "ms a mail", "quartiles", "CPU ms", "queries", "runs"]
    return (
        "## Mailing invitations\n\nBy the scheduled action, and the mail that Odoo's "
        "portal wizard sends, to the same users, each in a transaction of its own, in "
        "turns.\n\n" + table(head, rows) + "\n\n<details><summary>Python, "
        f"{figures['mails']} invitations by the scheduled action</summary>\n\n"
        f"```\n{figures['python'].strip()}\n```\n\n</details>"
    )


def _page(figures):
    rows = [[page["shop"], ", ".join(map(str, page["queries"]))] for page in figures]
    return "## Queries of the confirmation page, visit by visit\n\n" + table(
        ["shop", "queries"], rows
    )


def _caches(figures):
    rows = [
        [
            {
                None: "none",
                "addon": "by the addon",
                "plain": "as copies of the template",
            }[run["way"]],
            run["round"] + 1,
            run["visits"],
            number(run["p50_ms"], 0),
            number(run["p95_ms"], 0),
            run["queries_p50"],
            run["queries_p95"],
            run["drops"],
        ]
        for run in figures
    ]
    head = ["accounts, 4 a second", "round", "visits", "p50 ms", "p95 ms"]
    head += ["p50 queries", "p95 queries", "caches dropped by signal"]
    return (
        "## What dropped caches cost: `/shop` with 2 workers\n\n"
        "One visitor after the other, while another process creates accounts.\n\n"
        + table(head, rows)
    )


def _backfill(figures):
    steps = [step for step in figures["steps"] if step["accounts"]]
    tenth = max(len(steps) // 10, 1)
    rows = [
        [step["accounts"], number(step["seconds"]), number(step["memory_mib"])]
        for step in steps[tenth - 1 :: tenth]
    ]
    return "## Accounts for past orders\n\n" + table(
        ["accounts", "seconds", "memory MiB"], rows
    )


def _plans(figures):
    """Return the plans of the lookup."""
    parts = ["## Plans of the lookup of customers' users"]
    for block in figures:
        for plan in block["plans"]:
            text = "\n".join(plan["plan"])
            scanned = "Seq Scan on res_" in text
            who = "customers with an account" if plan["known"] else "new customers"
            parts.append(
                f"<details><summary>{block['size']:,} users, batch of {plan['batch']}, "
                f"{who}: {'SCANS A TABLE' if scanned else 'by index'}, "
                f"{plan['plan'][-1].strip()}</summary>\n\n```\n{text}\n```\n\n</details>"
            )
    return "\n\n".join(parts)


def _profile(figures):
    """Return the statements of one new customer's order."""
    warm, cold = figures["statements"]["warm"], figures["statements"]["cold"]
    lines = [
        f"{index:3} {sql[:100]}\n      {' < '.join(callers[:3])}"
        for index, (sql, callers) in enumerate(warm, 1)
    ]
    steps = defaultdict(list)
    for sql, callers in warm:
        steps[_step(callers)].append(sql)
    rows = [[step, len(found), _summary(found)] for step, found in steps.items()]
    return (
        f"## One new customer, statement by statement\n\n{figures['floor']} without an "
        f"account, {len(warm)} with one, {len(cold)} where the caches were dropped "
        "before. What the sale has yet to write is written at the beginning of "
        "`_ensure_portal_accounts`, as it would be at the end without the addon.\n\n"
        + table(["within", "statements", "on"], rows)
        + "\n\n<details><summary>statements, warm caches</summary>\n\n```\n"
        + "\n".join(lines)
        + "\n```\n\n</details>\n\n<details><summary>Python, 50 accounts</summary>\n\n"
        f"```\n{figures['python'].strip()}\n```\n\n</details>"
    )


def _step(callers):
    """Return the innermost method of the addon that a statement comes from."""
    for caller in callers:
        if caller.startswith("sales_confirm_user_create/"):
            return f"`{caller.split()[-1]}`"
    return "the sale and the request"


def _summary(statements):
    """Return what statements do with which tables, with how often."""
    found = Counter()
    for sql in statements:
        verb = sql.split()[0].lower()
        tables = re.search(r'(?:from|into|update)\s+"?(\w+)', sql, re.IGNORECASE)
        found[f"{verb} {tables[1]}" if tables else verb] += 1
    return ", ".join(
        f"{what} ×{count}" if count > 1 else what for what, count in found.most_common()
    )


SECTIONS = {
    "mail": _mail,
    "load": _load,
    "page": _page,
    "caches": _caches,
    "backfill": _backfill,
    "known": _plans,
    "profile": _profile,
}


def plot_sizes(runs, path):
    """Plot the time for each order against the size of the database."""
    batches = [batch for batch in (1, 100) if batch in runs.batches(min(runs.sizes()))]
    figure, axes = plt.subplots(1, len(batches), figsize=(5 * len(batches), 4))
    for axis, batch in zip([axes] if len(batches) == 1 else axes, batches, strict=True):
        settings = [(size, False, 0, batch) for size in runs.sizes()]
        _plot(axis, runs, settings, [setting[0] for setting in settings])
        axis.set(title=f"batch of {batch}", xlabel="contacts and users in the database")
    _save(figure, path)


def plot_batches(runs, path):
    """Plot the time for each order against the size of the batch."""
    size = min(runs.sizes())
    settings = [(size, False, 0, batch) for batch in runs.batches(size)]
    figure, axis = plt.subplots(figsize=(7, 4))
    _plot(axis, runs, settings, [setting[3] for setting in settings])
    axis.set(title=f"{size:,} contacts and users", xlabel="orders in one confirmation")
    _save(figure, path)


def _plot(axis, runs, settings, positions):
    """Draw the median and the quartiles of each way."""
    for way, title in WAYS.items():
        points = [
            (position, [value / setting[3] for value in runs.values(setting, way)])
            for position, setting in zip(positions, settings, strict=True)
        ]
        points = [(position, values) for position, values in points if values]
        spread = [quartiles(values) for _position, values in points]
        middles = [median(values) for _position, values in points]
        bars = list(zip(middles, spread, strict=True))
        axis.errorbar(
            [position for position, _values in points],
            middles,
            yerr=[
                [max(middle - low, 0) for middle, (low, _, _) in bars],
                [max(high - middle, 0) for middle, (_, _, high) in bars],
            ],
            label=title.replace("*", ""),
            color=COLOURS[way],
            marker="o",
            capsize=3,
        )
    axis.set(xscale="log", yscale="log", ylabel="ms for each order, to the commit")
    axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.yaxis.set_minor_formatter(NullFormatter())
    axis.yaxis.set_major_formatter("{x:g}")
    axis.xaxis.set_major_formatter("{x:,.0f}")
    axis.grid(which="major", alpha=0.25)


def _save(figure, path):
    """Write a plot that is the same for the same figures."""
    figure.legend(
        *figure.axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3
    )
    plt.rcParams["svg.hashsalt"] = "benchmarks"
    figure.set_layout_engine("constrained")
    figure.savefig(path, metadata={"Date": None, "Creator": None})
    plt.close(figure)
    lines = path.read_text().splitlines()
    path.write_text("".join(f"{line.rstrip()}\n" for line in lines))
