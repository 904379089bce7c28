"""What strangers send to the shop costs little, breaks nothing and is not kept.

Each request goes to a shop with the addon and to one without it, one at a time.
"""

from contextlib import ExitStack
from typing import NamedTuple

import psutil
import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .client import RpcError, Visitor
from .shop import confirm, quote, run_shop

pytestmark = pytest.mark.slow

PASSWORD = "correct horse battery"
CUSTOMER = "curious@example.com"
# in seconds of processor time, beyond what Odoo alone takes
MARGIN = 0.5
# in bytes; Odoo alone grows, too
GROWTH = 64 * 2**20
LONGEST = 300_000
COOKIE = "portal_activation"

# What addresses, links and markup are made of, what is not seen, and what breaks texts.
UNITS = (
    *"a@.,;:<>()[]\"'\\/%&=?#+-_ \t\n\r\0\x1f\x7f",
    *"\u00ad\u200b\u200d\u2060\u2066\u202e\ufeff\u061c\u180e",
    *"é\u0430ß\u0130\U0001f600",
    "a@",
    "@a",
    "a.",
    "a@b.example,",
    "<a@b.example>",
    "xn--",
    '"(',
    "(a",
    "{{",
    "<t>",
    "a=?utf-8?q?",
    "%00",
)
LENGTHS = (1, 2, 64, 254, 320, 321, 1000, 4096, 4097, 65_536, LONGEST)


def cut(text):
    """Return as much of a text as is sent at most."""
    return text.encode()[:LONGEST].decode(errors="ignore")


TEXTS = st.one_of(
    st.text(max_size=300),
    st.builds(
        lambda start, unit, length, end: (
            cut(
                start + unit * max(1, (length - len(start + end)) // len(unit.encode()))
            )
            + end
        ),
        st.sampled_from(("", "a@b.example", '"', "<", "Jane <")),
        st.one_of(st.sampled_from(UNITS), st.text(min_size=1, max_size=3)),
        st.sampled_from(LENGTHS),
        st.sampled_from(("", "@example.com", ">", "=", ".")),
    ),
)
ADDRESSES = st.dictionaries(
    st.sampled_from(("name", "email", "zip", "street", "state", "phone")),
    st.sampled_from(("", "a@b.example", "(" * 1000, "\u200b" * 1000, 1, None, [], {})),
).map(lambda address: {"country": "BE", **address})
JSON = ADDRESSES | st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(allow_nan=False, allow_infinity=False),
    )
    | st.sampled_from(("", "1", "a@b.example", "\0", "(" * 1000, "é" * 400)),
    lambda values: (
        st.lists(values, max_size=3)
        | st.dictionaries(
            st.sampled_from(("email", "name", "country", "state", "id", "x")), values
        )
    ),
    max_leaves=5,
)
FEW = settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
MANY = settings(FEW, max_examples=60)


class Field(NamedTuple):
    """Where a text goes: a field of a form, or a cookie."""

    path: str
    name: str
    is_customer: bool = False
    others: tuple = ()
    longest: int = LONGEST

    def __str__(self):
        return f"{self.path}:{self.name}"


LOGIN, SIGNUP, RESET = (
    f"/web/{name}" for name in ("login", "signup", "reset_password")
)
ACTIVATE, DECLINE = "/web/portal/activate", "/web/portal/decline"
NEW_USER = (("name", "Jane"), ("password", PASSWORD), ("confirm_password", PASSWORD))
NEW_PASSWORD = (("action", "password"), ("login", "invited@example.com"))
FIELDS = [
    Field(LOGIN, "login", others=(("password", PASSWORD),)),
    Field(LOGIN, "password", others=(("login", CUSTOMER),)),
    # Odoo itself takes time with the square of its length.
    Field(SIGNUP, "login", others=NEW_USER, longest=4_000),
    Field(SIGNUP, "token", others=(("login", "token@example.com"), *NEW_USER)),
    Field(RESET, "login"),
    Field(RESET, "token", others=NEW_USER),
    Field(ACTIVATE, "token"),
    Field(ACTIVATE, "cookie"),
    Field(ACTIVATE, "action"),
    Field(ACTIVATE, "login", others=(("action", "password"),)),
    Field(ACTIVATE, "password", others=NEW_PASSWORD),
    Field(DECLINE, "token"),
    Field(DECLINE, "cookie"),
    Field(DECLINE, "login"),
    Field("/web/portal/account", "order_id"),
    Field("/web/portal/account", "access_token", others=(("order_id", "{order}"),)),
    Field("/my/orders/{order}", "access_token"),
    Field("/my/orders/{order}/claim", "access_token", is_customer=True),
    Field("/web/portal/missing", "token", is_customer=True),
]


class Answer(NamedTuple):
    """What came of a request."""

    seconds: float
    is_broken: bool
    text: str


class Site:
    """A running shop, and what its server uses."""

    def __init__(self, shop, order_id):
        self.shop, self.order_id = shop, order_id
        self.process = psutil.Process(shop.server.process.pid)
        self.visitors = {}

    @property
    def seconds(self):
        """The processor time of the server so far."""
        times = self.process.cpu_times()
        return times.user + times.system

    @property
    def memory(self):
        """The bytes of memory that the server holds."""
        return self.process.memory_info().rss

    def visitor(self, is_customer=False):
        """Return a visitor, logged in or not, and a CSRF token of theirs."""
        if is_customer not in self.visitors:
            visitor = Visitor(self.shop.server)
            visitor.fill_cart(self.shop.chair)
            if is_customer:
                visitor.log_in(CUSTOMER, PASSWORD)
            form = "/my/security" if is_customer else LOGIN
            [token, *_rest] = visitor.page(form).xpath("//input[@name='csrf_token']")
            self.visitors[is_customer] = visitor, token.get("value")
        return self.visitors[is_customer]

    def request(self, method, path, is_customer=False, **kwargs):
        """Send a request with a CSRF token, and return its answer."""
        visitor, token = self.visitor(is_customer)
        if "data" in kwargs and isinstance(kwargs["data"], dict):
            kwargs["data"] = {"csrf_token": token, **kwargs["data"]}
        session = visitor.session.cookies.get("session_id")
        before = self.seconds
        response = visitor.session.request(
            method,
            self.shop.server.url + path.format(order=self.order_id),
            timeout=300,
            allow_redirects=False,
            **kwargs,
        )
        seconds = self.seconds - before
        if visitor.session.cookies.get("session_id") != session:
            # logged in or out
            del self.visitors[is_customer]
        return Answer(seconds, is_broken(response), response.text[-2000:])

    def send(self, field, text):
        """Send a text where a field goes."""
        if len(text) > field.longest:
            half = field.longest // 2
            text = text[:half] + text[-half:]
        data = {name: value.format(order=self.order_id) for name, value in field.others}
        headers = {}
        if field.name == "cookie":
            session = self.visitor()[0].session.cookies["session_id"]
            # the server's limit for all headers is 64 KB
            value = requests.utils.quote(text[:5000])
            headers["Cookie"] = f"session_id={session}; {COOKIE}={value}"
        else:
            data[field.name] = text
            if field.name == "password":
                data["confirm_password"] = text
        kwargs = {"data": data, "headers": headers}
        return self.request("POST", field.path, field.is_customer, **kwargs)


def is_broken(response):
    """Return whether an answer is an error that nobody foresaw."""
    if response.status_code >= 500:
        return True
    if "json" not in response.headers.get("Content-Type", ""):
        return False
    answer = response.json()
    error = answer.get("error") if isinstance(answer, dict) else None
    name = ((error or {}).get("data") or {}).get("name", "")
    return bool(name) and not name.startswith(("odoo.", "werkzeug."))


@pytest.fixture(scope="module")
def sites(addon_instance, shop_instance, mailbox):
    """Two running shops, with the addon and without it, with free sign-up."""
    with ExitStack() as stack:
        sites = []
        for name, instance in (("addon", addon_instance), ("odoo", shop_instance)):
            shop = stack.enter_context(
                # without jobs, which would take processor time
                run_shop(
                    instance, mailbox, f"input_{name}", extra=["--max-cron-threads=0"]
                )
            )
            websites = shop.admin("website", "search", [])
            values = {"auth_signup_uninvited": "b2c"}
            shop.admin("website", "write", websites, values)
            key = "base.login_cooldown_after"
            shop.admin("ir.config_parameter", "set_param", key, "0")
            order_id = quote(shop, "orders@example.com")
            confirm(shop, order_id, quote(shop, "invited@example.com"))
            shop.chair = shop.db.product("Office Chair")
            assert Visitor(shop.server).sign_up(CUSTOMER, PASSWORD)
            site = Site(shop, order_id)
            for field in FIELDS:
                site.send(field, "warm up")
            sites.append(site)
        yield sites


def compare(sites, send):
    """Check that the addon adds little time and no error to what a request causes.

    :param send: a function of a site that returns the answer
    """
    for _attempt in range(3):
        with_addon, alone = map(send, sites)
        assert not with_addon.is_broken or alone.is_broken, with_addon.text
        excess = with_addon.seconds - alone.seconds
        # Another try is for what a busy machine adds, and not for what a cache hides.
        if excess <= MARGIN or excess > 4 * MARGIN:
            break
    assert excess <= MARGIN


EXACT = {
    "invisible": "a" + "\u200b" * 100_000 + "@example.com",
    "invisible-domain": "a@" + "\u2060" * 100_000 + "b.example",
    "invisible-end": "a@b.example" + "\u200b" * 100_000 + "x",
    "nothing-else": "\u200b" * 100_000,
    "spaces-inside": "a" + " " * 100_000 + "b@example.com",
    "parentheses": "(" * 1000,
    "parentheses-in-pairs": "(" * 1000 + ")" * 1000 + "a@example.com",
    "longest-name": "a" * 300_000 + "@example.com",
    "longest-domain": "a@" + "b." * 150_000 + "example",
    "addresses": "a@example.com," * 20_000,
    "quotes": '"' * 100_000,
    "backslashes": '"' + "\\" * 100_000,
    "angles": "<" * 100_000,
    "at-signs": "@" * 100_000,
    "dots": "a@" + "." * 100_000,
    "accents": "é" * 150_000 + "@example.com",
    "password": "p" * 4097,
    "control": "a\0b@example.com",
    "token": "é" * 40,
    "base64": "A" * 100_000,
    "base64-of-json": "AQAAAAAA" + "W1tb" * 20_000,
}


@pytest.mark.parametrize("name", EXACT)
def test_a_known_bad_text_costs_little(sites, name):
    for field in FIELDS:
        compare(sites, lambda site, field=field: site.send(field, EXACT[name]))


@pytest.mark.parametrize("field", FIELDS, ids=str)
@MANY
@given(text=TEXTS)
def test_a_text_costs_little(sites, field, text):
    compare(sites, lambda site: site.send(field, text))


@FEW
@given(text=TEXTS)
def test_a_text_in_the_address_of_a_page_costs_little(sites, text):
    for path, name in (
        (ACTIVATE, "token"),
        (DECLINE, "token"),
        ("/my/orders/{order}", "access_token"),
        (RESET, "token"),
        (SIGNUP, "token"),
    ):
        params = {name: text[:8000]}
        compare(
            sites,
            lambda site, path=path, params=params: site.request(
                "GET", path, params=params
            ),
        )


@pytest.mark.parametrize("field", FIELDS, ids=str)
def test_a_file_in_place_of_a_text_is_no_error(sites, field):
    data = {name: value for name, value in field.others if name != field.name}

    def send(site):
        values = {key: value.format(order=site.order_id) for key, value in data.items()}
        files = {field.name: ("file.txt", b"content", "text/plain")}
        return site.request(
            "POST", field.path, field.is_customer, data=values, files=files
        )

    compare(sites, send)


@pytest.mark.parametrize("body", ["[]", '"a"', "1", "null", "{", "[" * 10_000])
def test_a_json_body_is_no_error(sites, body):
    headers = {"Content-Type": "application/json"}
    for path in {field.path for field in FIELDS}:
        compare(
            sites,
            lambda site, path=path: site.request(
                "POST", path, data=body, headers=headers
            ),
        )


# The addon, or one that it brings, is in the way of these.
JSON_ROUTES = {
    "/shop/express_checkout": ("billing_address", "shipping_address"),
    "/shop/express/shipping_address_change": ("partial_delivery_address",),
    "/shop/update_address": ("partner_id", "address_type"),
    "/my/archive_payment_token": ("token_id",),
}


@pytest.mark.parametrize("path", JSON_ROUTES)
@FEW
@given(value=JSON)
def test_a_json_value_of_any_type_is_no_new_error(sites, path, value):
    params = dict.fromkeys(JSON_ROUTES[path], value)
    for body in ({"jsonrpc": "2.0", "params": params}, {"params": value}, value):
        for is_customer in (False, True):
            compare(
                sites,
                lambda site, body=body, is_customer=is_customer: site.request(
                    "POST", path, is_customer, json=body
                ),
            )


def test_a_new_password_of_any_kind_is_no_error(sites, mailbox):
    site, *_alone = sites
    domain = [("name", "=", "ir_cron_portal_invitation")]
    [row] = site.shop.admin("ir.model.data", "search_read", domain, ["res_id"])
    site.shop.admin("ir.cron", "method_direct_trigger", [row["res_id"]])
    mail = mailbox.wait_for_one("invited@example.com")
    for password in ("p" * 4097, "p" * LONGEST, "é" * 5000, ""):
        answer = Visitor(site.shop.server).activate(mail, password)
        assert answer.status_code < 500
    activated = Visitor(site.shop.server).activate(mail, PASSWORD)
    assert "/my/orders" in activated.url


@pytest.mark.parametrize("name", EXACT)
def test_an_email_of_express_checkout_slows_no_order(sites, name):
    def send(site):
        # what PostgreSQL cannot store is no order, with the addon or without it
        email = EXACT[name].replace("\0", "")
        visitor = Visitor(site.shop.server)
        visitor.fill_cart(site.shop.chair)
        address = {"name": "Jane", "email": email, "country": "BE"}
        before = site.seconds
        try:
            visitor.call("/shop/express_checkout", billing_address=address)
        except RpcError as error:
            return Answer(site.seconds - before, True, str(error))
        order_id = site.shop.db.value("SELECT max(id) FROM sale_order")
        confirm(site.shop, order_id)
        state = site.shop.db.value(
            "SELECT state FROM sale_order WHERE id = %s", order_id
        )
        return Answer(site.seconds - before, state != "sale", state)

    compare(sites, send)


def test_texts_of_strangers_are_not_kept_in_memory(sites):
    # one character like this makes Python keep four bytes for each
    text = "\U0001f600" + "x" * LONGEST
    growth = []
    for site in sites:
        for number in range(20 + 200):
            if number == 20:
                before = site.memory
            site.send(Field(RESET, "login"), f"{number}{text}")
        growth.append(site.memory - before)
    with_addon, alone = growth
    assert with_addon - alone < GROWTH, growth
