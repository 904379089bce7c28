"""What goes wrong around a confirmation, tried on real processes."""

import os
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from types import SimpleNamespace

import pytest
import requests

from devtools.base import ADDON

from .client import Rpc, RpcError, Visitor, new_contact, new_quotation
from .database import Database, eventually

# `make test` takes a part; `make test-faults` all that was asked for
FULL = bool(os.environ.get("ALL_FAULTS"))
ROUNDS = 50 if FULL else 6
KILLS = 20 if FULL else 4
KILLED_ORDERS = 200 if FULL else 40
SEED = 20
NUMBERS = count()
TEMPLATE = f"{ADDON}.mail_template_portal_invitation"


@pytest.fixture
def new_shop(addon_instance, mailbox):
    """Return a function that runs a new shop with the addon."""
    servers = []

    def new_shop(name, instance=addon_instance, prepare=None, **options):
        db = Database(instance, instance.new_database(f"{name}_{next(NUMBERS)}"))
        if prepare:
            prepare(db)
        server = instance.start_server(db.name, smtp_port=mailbox.port, **options)
        servers.append(server)
        return SimpleNamespace(
            db=db,
            server=server,
            mailbox=mailbox,
            admin=Rpc(server, "admin", "admin"),
        )

    yield new_shop
    for server in servers:
        server.kill()
    mailbox.delay, mailbox.refusal = 0, None
    mailbox.start()


def quote(shop, address, **values):
    """Return the id of a quotation for a new contact."""
    return new_quotation(shop.admin, new_contact(shop.admin, address), **values)


def confirm(shop, *order_ids):
    """Confirm orders as administrator, and return how many seconds that took."""
    start = time.monotonic()
    shop.admin("sale.order", "action_confirm", list(order_ids))
    return time.monotonic() - start


def state_of(shop, order_id):
    """Return an order's state, its flag, and the logins of its customer's users."""
    [(state, flag, partner)] = shop.db.sql(
        "SELECT state, coalesce(user_created, false), partner_id FROM sale_order "
        "WHERE id = %s",
        order_id,
    )
    logins = shop.db.sql("SELECT login FROM res_users WHERE partner_id = %s", partner)
    return state, flag, [login for [login] in logins]


# === At the same moment === #


def test_confirmations_at_the_same_moment_make_one_user_and_one_invitation(new_shop):
    """2, 8 and 32 processes, 50 rounds each, in turns for one contact and for several.

    The worker processes are forked before the start of the first round, and a barrier
    lets all requests of a round go at once.
    """
    shop = new_shop("race", workers=32, extra=["--limit-time-cpu=600"])
    session = Visitor(shop.server).log_in("admin", "admin").session
    barriers = {size: threading.Barrier(size) for size in (2, 8, 32)}

    def confirm_together(size, order_id):
        with requests.Session() as own:
            own.cookies.update(session.cookies)
            barriers[size].wait(60)
            return own.post(
                f"{shop.server.url}/web/dataset/call_kw",
                json={
                    "params": {
                        "model": "sale.order",
                        "method": "action_confirm",
                        "args": [[order_id]],
                        "kwargs": {},
                    }
                },
                timeout=120,
            ).json()

    rounds = [(size, number) for size in barriers for number in range(ROUNDS)]
    orders = new_race_orders(shop, rounds)
    with ThreadPoolExecutor(32) as pool:
        for size, number in rounds:
            address = race_address(size, number)
            answers = pool.map(confirm_together, [size] * size, orders[size, number])
            assert [answer for answer in answers if "error" in answer] == []
            assert len(shop.db.users(address)) == 1, address
            states = shop.db.sql(
                "SELECT state, user_created FROM sale_order WHERE id IN %s",
                tuple(orders[size, number]),
            )
            assert {state for state, _flag in states} == {"sale"}
            assert [flag for _state, flag in states].count(True) == 1, address

    eventually(lambda: not shop.db.due())
    counts = {
        len(shop.mailbox.invitations(race_address(size, number)))
        for size, number in rounds
    }
    assert counts == {1}
    log = shop.server.log.read_text(errors="replace")
    assert "has an account by now" in log or "tries left" in log, "no two ever met"


def race_address(size, number):
    """Return the address that all confirmations of a round are for."""
    return f"round{number}.of{size}@example.com"


def new_race_orders(shop, rounds):
    """Create the quotations of all rounds, without lines as they do not matter.

    In every other round all are for one contact, else each is for its own.

    :return: dict of rounds to lists of ids
    """
    orders = {}
    for size, number in rounds:
        values = {"name": "Jane Doe", "email": race_address(size, number)}
        contacts = shop.admin(
            "res.partner", "create", [values] * (size if number % 2 else 1)
        )
        orders[size, number] = shop.admin(
            "sale.order",
            "create",
            [{"partner_id": contacts[index % len(contacts)]} for index in range(size)],
        )
    return orders


# === The mail server === #


def break_mail(mailbox, fault):
    """Have the mail server fail in one way."""
    if fault == "down":
        mailbox.stop()
    elif fault == "slow":
        mailbox.delay = 30
    else:
        mailbox.refusal = "451 4.3.0 try again later"


def mend_mail(mailbox):
    """Have the mail server work again."""
    mailbox.delay, mailbox.refusal = 0, None
    mailbox.start()


@pytest.mark.parametrize("fault", ["down", "slow", "refusing"])
def test_a_confirmation_does_not_wait_for_the_mail_server(new_shop, fault):
    """The invitation arrives by itself, and once, when the mail server is back.

    The time until the next attempt is not waited for but moved back in the database.
    """
    shop = new_shop("mail")
    address = f"jane.{fault}@example.com"
    confirm(shop, quote(shop, "jane.warms.up@example.com"))
    eventually(lambda: not shop.db.due())
    attempts = shop.mailbox.attempts

    break_mail(shop.mailbox, fault)
    order_id = quote(shop, address)
    took = [confirm(shop, order_id)]
    took += [
        confirm(shop, quote(shop, f"more{number}.{fault}@example.com"))
        for number in range(4)
    ]
    # it answers after 30 s where it is slow
    assert max(took) < (shop.mailbox.delay or 30)
    assert state_of(shop, order_id) == ("sale", True, [address])
    wait_for_attempt(shop, fault, attempts)
    assert not shop.mailbox.invitations(address)

    mend_mail(shop.mailbox)
    if fault != "slow":
        shop.db.pass_time()
    shop.mailbox.wait(address, patience=90)
    eventually(lambda: not shop.db.due())
    shop.db.pass_time()
    confirm(shop, quote(shop, f"last.{fault}@example.com"))
    shop.mailbox.wait_for_one(f"last.{fault}@example.com")
    shop.mailbox.wait_for_one(address)


def wait_for_attempt(shop, fault, attempts):
    """Wait until the server has tried to send mail in vain."""
    if fault == "down":
        eventually(lambda: "is not sent" in shop.server.log.read_text(errors="replace"))
    else:
        eventually(lambda: shop.mailbox.attempts > attempts)


# === The server dies === #


def test_no_order_loses_its_account_when_the_server_is_killed(new_shop):
    """20 times `kill -9`, 200 orders placed on the website, 2 workers.

    Each customer comes back to a cart by the link of a mail, and has nothing to pay;
    that is the shortest of the website's own ways to a confirmation.
    """
    chance = random.Random(SEED)
    shop = new_shop("kill", workers=2, prepare=prepare_carts)
    shop.mailbox.delay = 0.02
    carts = shop.db.sql(
        "SELECT o.id, o.access_token, p.email FROM sale_order o "
        "JOIN res_partner p ON p.id = o.partner_id WHERE p.email LIKE 'killed%%'"
    )
    assert len(carts) == KILLED_ORDERS

    def confirmed():
        return shop.db.value(
            "SELECT count(*) FROM sale_order WHERE state = 'sale' AND id IN %s",
            tuple(order_id for order_id, *_rest in carts),
        )

    with ThreadPoolExecutor(4) as pool:
        visits = [pool.submit(place_order, shop, *cart) for cart in carts]
        for number in range(KILLS):
            goal = number * KILLED_ORDERS // (KILLS + 1) + 1
            eventually(lambda goal=goal: confirmed() >= goal, pause=0.01)
            # a moment that nobody chose
            time.sleep(chance.uniform(0, 0.4))
            shop.server.kill()
            shop.server.start()
        for visit in visits:
            visit.result()

    assert confirmed() == KILLED_ORDERS
    for order_id, _token, address in carts:
        _state, flag, logins = state_of(shop, order_id)
        notes = [
            note for note in shop.db.notes(order_id) if "No portal account" in note
        ]
        assert notes or (flag and logins == [address]), order_id

    def all_sent():
        shop.db.wake_cron()
        return not shop.db.due()

    eventually(all_sent, patience=120, pause=1)
    copies = [len(shop.mailbox.invitations(address)) for *_ids, address in carts]
    assert min(copies) == 1
    assert sum(copies) - KILLED_ORDERS <= KILLS
    assert max(copies) <= 3


def prepare_carts(db):
    """Fill carts of guests who have left, with a product that costs nothing."""
    db.shell(
        f"""
website = env["website"].search([], limit=1)
product = env["product.product"].create(
    {{"name": "Free Advice", "type": "service", "list_price": 0, "is_published": True}}
)
# the PDF in Odoo's own mail about the order would take most of the time
env.ref("sale.mail_template_sale_confirmation").report_template_ids = False
template = env["ir.config_parameter"].get_param("sale.default_confirmation_template")
env["mail.template"].browse(int(template)).report_template_ids = False
partners = env["res.partner"].create([
    {{
        "name": "Jane Doe",
        "email": f"killed{{number}}@example.com",
        "phone": "+32 470 12 34 56",
        "street": "1 Example Street",
        "city": "Brussels",
        "zip": "1000",
        "country_id": env.ref("base.be").id,
    }}
    for number in range({KILLED_ORDERS})
])
orders = env["sale.order"].create([
    {{
        "partner_id": partner.id,
        "website_id": website.id,
        "order_line": [(0, 0, {{"product_id": product.id}})],
    }}
    for partner in partners
])
for order in orders:
    order._portal_ensure_token()
"""
    )


def place_order(shop, order_id, token, _address):
    """Come back to a cart and confirm it, again until the server answers."""

    def place():
        visitor = Visitor(shop.server)
        try:
            visitor.get(
                f"/shop/cart?id={order_id}&access_token={token}&revive_method=squash",
                allow_redirects=False,
            )
            answer = visitor.get("/shop/payment/validate", allow_redirects=False)
        except requests.RequestException:
            return False
        return answer.ok and "/shop" in answer.headers.get("Location", "")

    eventually(
        lambda: place() and state_of(shop, order_id)[0] == "sale",
        patience=120,
        pause=0.3,
    )


# === What an administrator broke === #


def break_template(db, how):
    """Break what an account or its invitation is made from."""
    if how == "broken template":
        # Odoo checks a template when it is written, not when a field goes away
        set_mail_body(db, '<p t-out="object.no_such_field"/>')
    else:
        db.shell(f"env.ref('{TEMPLATE}').unlink()")


def mend_template(db, how):
    """Repair it as the administrator would."""
    if how == "broken template":
        set_mail_body(db, "<p><a t-att-href=\"ctx['portal_invitation_url']\"/></p>")
    else:
        db.instance.odoo_command([f"--update={ADDON}"], db=db.name)


def set_mail_body(db, body):
    """Change the text of the invitation, unchecked."""
    db.sql(
        "UPDATE mail_template SET body_html = jsonb_build_object('en_US', %s) "
        "WHERE name->>'en_US' = 'Portal account invitation'",
        body,
    )


@pytest.mark.parametrize("how", ["broken template", "deleted template"])
def test_an_invitation_that_cannot_be_made_is_noted_and_sent_after_the_repair(
    new_shop, how
):
    shop = new_shop("faulty", prepare=lambda db: break_template(db, how))
    address = f"jane.{how.replace(' ', '.')}@example.com"
    order_id = quote(shop, address)
    confirm(shop, order_id)
    assert state_of(shop, order_id) == ("sale", True, [address])
    eventually(
        lambda: [
            note for note in shop.db.notes(order_id) if "could not be sent" in note
        ]
    )
    log = shop.server.log.read_text(errors="replace")
    assert "is not sent" in log and "Traceback" in log
    assert not shop.mailbox.invitations(address)

    shop.server.stop()
    mend_template(shop.db, how)
    shop.server.start()
    shop.db.pass_time()
    shop.mailbox.wait_for_one(address)


def test_without_the_template_user_the_order_is_confirmed_and_says_what_is_wrong(
    new_shop,
):
    shop = new_shop("no_model_user")
    address = "jane.no.template@example.com"
    order_id = quote(shop, address)
    key = ("base.template_portal_user_id",)
    template_id = shop.admin("ir.config_parameter", "get_param", *key)
    shop.admin("ir.config_parameter", "set_param", *key, "987654")
    confirm(shop, order_id)
    assert state_of(shop, order_id) == ("sale", False, [])
    assert [note for note in shop.db.notes(order_id) if "template" in note]
    assert "Traceback" in shop.server.log.read_text(errors="replace")

    shop.admin("ir.config_parameter", "set_param", *key, template_id)
    later_id = quote(shop, "jane.with.template@example.com")
    confirm(shop, later_id)
    shop.mailbox.wait_for_one("jane.with.template@example.com")
    shop.admin("sale.order", "action_cancel", [order_id])
    shop.admin("sale.order", "action_draft", [order_id])
    confirm(shop, order_id)
    assert state_of(shop, order_id) == ("sale", True, [address])
    shop.mailbox.wait_for_one(address)


# === The database before and after === #


def test_a_database_with_two_users_of_one_login_gets_the_addon_and_keeps_working(
    new_shop, shop_instance, tmp_path
):
    log = tmp_path / "install.log"
    login = "twice@example.com"

    def prepare(db):
        add_users_with_one_login(db, login)
        db.instance.odoo_command([f"--init={ADDON}"], db=db.name, log=log)

    shop = new_shop("twins", instance=shop_instance, prepare=prepare)
    users = shop.db.users(login)
    assert len(users) == 2
    text = log.read_text(errors="replace")
    assert [
        line for line in text.splitlines() if "login" in line and "ERROR" in line
    ] or ("res_users__login_without_website_uniq" in text)
    order_id = quote(shop, login)
    confirm(shop, order_id)
    assert state_of(shop, order_id) == ("sale", False, [])
    assert shop.db.users(login) == users
    new_id = quote(shop, "jane.beside.twins@example.com")
    confirm(shop, new_id)
    assert state_of(shop, new_id)[:2] == ("sale", True)
    shop.mailbox.wait_for_one("jane.beside.twins@example.com")


def add_users_with_one_login(db, login):
    """Add two portal users with one login, as two transactions at once leave them."""
    columns = [
        column
        for [column] in db.sql(
            "SELECT column_name FROM information_schema.columns "
            "WHERE table_name = 'res_users' AND column_name NOT IN %s",
            ("id", "login", "partner_id"),
        )
    ]
    names = ", ".join(f'"{column}"' for column in columns)
    for number in range(2):
        partner = db.value(
            "INSERT INTO res_partner (name, complete_name, active, type, "
            "autopost_bills, email) VALUES (%s, %s, true, 'contact', 'ask', %s) "
            "RETURNING id",
            *[f"Twin {number}"] * 2,
            f"twin{number}@example.com",
        )
        user = db.value(
            f"INSERT INTO res_users (login, partner_id, {names}) "
            f"SELECT %s, %s, {names} FROM res_users WHERE login = 'portal' "
            "RETURNING id",
            login,
            partner,
        )
        for table, mine, other in (
            ("res_groups_users_rel", "uid", "gid"),
            ("res_company_users_rel", "user_id", "cid"),
        ):
            db.sql(
                f"INSERT INTO {table} ({mine}, {other}) SELECT %s, {other} "
                f"FROM {table} JOIN res_users u ON u.id = {mine} "
                "WHERE u.login = 'portal'",
                user,
            )


def test_an_upgrade_keeps_accounts_due_invitations_and_a_changed_mail(new_shop):
    shop = new_shop("upgrade")
    shop.mailbox.stop()
    order_id = quote(shop, "jane.waits@example.com")
    confirm(shop, order_id)
    [template] = shop.admin(
        "mail.template", "search", [("name", "=", "Portal account invitation")]
    )
    shop.admin(
        "mail.template",
        "write",
        [template],
        {
            "subject": "Activate your account, says the owner",
            "email_from": "me@example.com",
        },
    )
    shop.server.stop()
    before = shop.db.sql("SELECT * FROM res_users ORDER BY id")
    shop.db.instance.odoo_command([f"--update={ADDON}"], db=shop.db.name)
    assert shop.db.sql("SELECT * FROM res_users ORDER BY id") == before
    assert state_of(shop, order_id) == ("sale", True, ["jane.waits@example.com"])
    shop.mailbox.start()
    shop.server.start()
    shop.db.pass_time()
    mail = shop.mailbox.wait_for_one("jane.waits@example.com")
    assert mail.message["Subject"] == "Activate your account, says the owner"
    assert mail.message["From"].addresses[0].addr_spec == "me@example.com"


# What there is of a database that outlives its rows; each row one thing.
CATALOG = {
    "tables": "SELECT tablename FROM pg_tables WHERE schemaname = 'public'",
    "columns": "SELECT table_name, column_name, data_type "
    "FROM information_schema.columns WHERE table_schema = 'public'",
    "indexes": "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
    "constraints": "SELECT conrelid::regclass::text, conname FROM pg_constraint "
    "WHERE connamespace = 'public'::regnamespace",
    "functions": "SELECT proname FROM pg_proc "
    "WHERE pronamespace = 'public'::regnamespace",
    "external ids": "SELECT module, name FROM ir_model_data "
    "WHERE module = 'sales_confirm_user_create' "
    "OR name LIKE '%%portal_invitation%%'",
    "models": "SELECT model FROM ir_model",
    "fields": "SELECT model, name FROM ir_model_fields",
    "constraint records": "SELECT name FROM ir_model_constraint",
    "scheduled actions": "SELECT s.name::text FROM ir_cron c "
    "JOIN ir_act_server s ON s.id = c.ir_actions_server_id",
    "triggers": "SELECT cron_id FROM ir_cron_trigger "
    "WHERE cron_id NOT IN (SELECT id FROM ir_cron)",
    "server actions": "SELECT name::text FROM ir_act_server",
    "window actions": "SELECT name::text FROM ir_act_window",
    "menus": "SELECT name::text FROM ir_ui_menu",
    "mail templates": "SELECT name::text FROM mail_template",
    "views": "SELECT model, name, key FROM ir_ui_view",
    "groups": "SELECT name::text FROM res_groups",
    "access rights": "SELECT name FROM ir_model_access",
    "rules": "SELECT name FROM ir_rule",
    "parameters": "SELECT key FROM ir_config_parameter",
    "attachments": "SELECT name, res_model, res_field FROM ir_attachment "
    "WHERE res_model IN ('res.users', 'ir.module.module') "
    "OR url LIKE '/sales_confirm%%'",
    "filters": "SELECT name FROM ir_filters",
}


def catalog(db):
    """Return all that a database holds beside business data."""
    return {what: set(db.sql(query)) for what, query in CATALOG.items()}


def test_an_uninstalled_addon_leaves_nothing_but_the_accounts(new_shop, shop_instance):
    before = {}

    def prepare(db):
        # loads the same modules, so that only the addon makes a difference
        before.update(catalog(db))
        db.instance.odoo_command([f"--init={ADDON}"], db=db.name)

    shop = new_shop("uninstall", instance=shop_instance, prepare=prepare)
    assert catalog(shop.db) != before
    address = "jane.stays@example.com"
    order_id = quote(shop, address)
    confirm(shop, order_id)
    shop.mailbox.wait_for_one(address)

    uninstall(shop)
    assert {
        what: (after - before[what], before[what] - after)
        for what, after in catalog(shop.db).items()
        if after != before[what]
    } == {}
    assert len(shop.db.users(address)) == 1
    plain_id = quote(shop, "jane.plain@example.com")
    confirm(shop, plain_id)
    assert (
        shop.db.value("SELECT state FROM sale_order WHERE id = %s", plain_id) == "sale"
    )
    assert not shop.db.users("jane.plain@example.com")

    shop.server.stop()
    shop.db.instance.odoo_command([f"--init={ADDON}"], db=shop.db.name)
    shop.server.start()
    again_id = quote(shop, "jane.again@example.com")
    confirm(shop, again_id)
    assert state_of(shop, again_id) == ("sale", True, ["jane.again@example.com"])
    shop.mailbox.wait_for_one("jane.again@example.com")
    known_id = quote(shop, address)
    confirm(shop, known_id)
    assert state_of(shop, known_id) == ("sale", False, [])
    assert len(shop.mailbox.invitations(address)) == 1


def uninstall(shop):
    """Uninstall the addon from the running server, as the Apps menu does."""
    [module] = shop.admin("ir.module.module", "search", [("name", "=", ADDON)])

    def done():
        try:
            shop.admin("ir.module.module", "button_immediate_uninstall", [module])
        except RpcError as error:
            # a scheduled action is running: the dialog says to try again
            assert "try again later" in str(error)
            return False
        return True

    eventually(done, pause=1)
