"""What goes wrong around a confirmation, tried on real processes."""

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from .client import Visitor
from .database import eventually
from .shop import FULL, state_of

pytestmark = pytest.mark.repeated

ROUNDS = 50 if FULL else 2
PROCESSES = (2, 8, 32) if FULL else (2, 8)
KILLS = 20 if FULL else 2
KILLED_ORDERS = 200 if FULL else 20
SEED = 20


# === At the same moment === #


def test_confirmations_at_the_same_moment_make_one_user_and_one_invitation(new_shop):
    """Several processes, many rounds, in turns for one contact and for several.

    The worker processes are forked before the start of the first round, and a barrier
    lets all requests of a round go at once.
    """
    shop = new_shop("race", workers=max(PROCESSES), extra=["--limit-time-cpu=600"])
    session = Visitor(shop.server).log_in("admin", "admin").session
    barriers = {size: threading.Barrier(size) for size in PROCESSES}

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
    with ThreadPoolExecutor(max(PROCESSES)) as pool:
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
            if number % 2:
                assert count_notes(shop, orders[size, number]) == [1] * size

    eventually(lambda: not shop.db.due())
    counts = {
        len(shop.mailbox.invitations(race_address(size, number)))
        for size, number in rounds
    }
    assert counts == {1}
    log = shop.server.log.read_text(errors="replace")
    assert "has a user by now" in log or "tries left" in log, "no two ever met"


def race_address(size, number):
    """Return the address that all confirmations of a round are for."""
    return f"round{number}.of{size}@example.com"


def count_notes(shop, order_ids):
    """Return how many notes about a portal account each of some orders has."""
    rows = shop.db.sql(
        "SELECT count(*) FROM mail_message WHERE model = 'sale.order' AND res_id IN %s "
        "AND body ILIKE '%%portal account%%' GROUP BY res_id",
        tuple(order_ids),
    )
    return [count for [count] in rows]


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
