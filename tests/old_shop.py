"""A shop that has used an old release of the addon, for the tests of an update."""

import ast
import shutil
import subprocess
from contextlib import contextmanager
from types import SimpleNamespace

from devtools.base import ADDON, PROJECT

from .client import Rpc
from .database import Database, eventually
from .mailbox import Mailbox
from .shop import confirm, quote

# Commits: not every clone has the tags.
RELEASES = {
    "19.0.1.0.0": "8eadaede06ff823b8928d7cff71a2eb9ace9693a",
    "19.0.1.0.1": "a6290ea1abacf5e637b64e3e54a9dc0c06e30e9f",
}
SENT = (
    "sent",
    "reminded",
    "activated",
    "archived",
    "revoked",
    "withdrawn",
    "resent",
    "reminder.due",
)
# What happens without a server before the shop is updated.
DUE = """
env.company.write({"portal_reminder_max": 2, "portal_reminder_days": 5})
product = env["product.product"].search([("sale_ok", "=", True)], limit=1)
users = {}
for name in ("due", "french", "past", "archived.due", "revoked.due"):
    partner = env["res.partner"].create(
        {
            "name": name.title(),
            "email": f"{name}@example.com",
            "lang": "fr_FR" if name == "french" else "en_US",
        }
    )
    order = env["sale.order"].create(
        {"partner_id": partner.id, "order_line": [(0, 0, {"product_id": product.id})]}
    )
    order.action_confirm()
    if name == "past":
        order.date_order = "2020-02-20"
    users[name] = partner.user_ids
for name in ("archived", "revoked", "resent", "reminder.due"):
    users[name] = env["res.users"].search([("login", "=", f"{name}@example.com")])
users["resent"]._make_portal_invitation_due()
users["reminder.due"]._make_portal_invitation_due(portal_reminder_count=1)
(users["archived"] + users["archived.due"]).active = False
portal, public = env.ref("base.group_portal"), env.ref("base.group_public")
# given access by staff, and sent an email by hand
values = {"name": "Granted", "login": "granted@example.com"}
values["portal_invitation_date"] = "2026-01-01"
values["group_ids"] = [(6, 0, portal.ids)]
env["res.users"].with_context(no_reset_password=True).create(values)
for user in users["revoked"] + users["revoked.due"]:
    user.group_ids = [(3, portal.id), (4, public.id)]
"""
# What a shop may change: the template, scheduled actions and pages of its website.
CHANGES = """
template = env.ref("sales_confirm_user_create.mail_template_portal_invitation")
footer = (
    "<p t-attf-title='#{object.name}'>Sold: "
    "<t t-out='object.portal_invitation_order_id.name'/>.</p>"
)
for lang, subject, hello in (
    ("en_US", "Welcome to {{ object.company_id.name }}, {{ object.name }}", "Dear"),
    ("fr_FR", "Bienvenue, {{ object.name }}", "Salut"),
):
    translated = template.with_context(lang=lang)
    body = str(translated.body_html).replace("Bonjour", hello).replace("Hello", hello)
    translated.write({"subject": subject, "body_html": body + footer})
template.attachment_ids = [(0, 0, {"name": "terms.txt", "raw": b"Our terms"})]
moved = env["res.partner"].create({"name": "Moved", "email": "moved@example.com"})
env["sale.order"].create({"partner_id": moved.id}).action_confirm()
env.flush_all()
moved.user_ids.portal_invitation_due = False
env.flush_all()
env.cr.execute(
    "UPDATE res_partner SET email = 'here@example.com', "
    "email_normalized = 'here@example.com' WHERE id = %s",
    [moved.id],
)
env.invalidate_all()
job = env.ref("sales_confirm_user_create.ir_cron_portal_invitation")
job.write({"priority": 7, "interval_number": 2, "interval_type": "days"})
env.ref("sales_confirm_user_create.ir_cron_portal_account_batch").unlink()
reminders = env.ref("sales_confirm_user_create.ir_cron_portal_reminder")
reminders.with_context(lang="fr_FR").name = "Nos rappels"
website = env["website"].search([], limit=1)
for name in (
    "auth_signup.signup",
    "website_sale.confirmation",
    "sale.sale_order_portal_template",
    "sales_confirm_user_create.signup",
):
    view = env.ref(name).with_context(website_id=website.id)
    view.arch_db = view.arch_db.replace("</", " </", 1)
"""
DELETE_TEMPLATE = """
env.ref("sales_confirm_user_create.mail_template_portal_invitation").unlink()
"""


def version(folder):
    """Return the version of the addon in a folder."""
    manifest = (folder / ADDON / "__manifest__.py").read_text()
    return ast.literal_eval(manifest)["version"]


def unpack(release, folder):
    """Put the addon of an old release into a folder."""
    archive = f"{folder}.zip"
    git = ["git", "-C", PROJECT, "archive", f"--output={archive}"]
    subprocess.run([*git, RELEASES[release], ADDON], check=True)
    shutil.unpack_archive(archive, folder)
    assert version(folder) == release


def install(instance, name, addons):
    """Return a new database with the addon of a folder."""
    instance.addons = [addons]
    instance.new_database(name)
    instance.odoo_command([f"--init={ADDON}"], db=name)
    return Database(instance, name)


def update(db):
    """Update a database to this tree.

    :return: what was logged
    """
    db.instance.addons = [PROJECT]
    log = db.instance.folder / f"{db.name}.log"
    log.unlink(missing_ok=True)
    db.instance.odoo_command([f"--update={ADDON}"], db=db.name, log=log)
    return log.read_text()


@contextmanager
def run(db):
    """Run a shop on a database, with a mail server that has received nothing."""
    box = Mailbox().start()
    with db.instance.start_server(db.name, smtp_port=box.port) as server:
        admin = Rpc(server, "admin", "admin")
        yield SimpleNamespace(
            db=db, server=server, mailbox=box, admin=admin, sales=admin
        )
    box.stop()


def use(db):
    """Have accounts in all states in the database of an old release.

    :return: the mailbox with what was sent
    """
    with run(db) as shop:
        addresses = [f"{name}@example.com" for name in SENT]
        confirm(shop, *(quote(shop, address) for address in addresses))
        for address in addresses:
            shop.mailbox.wait_for_one(address)
        users = db.users("activated@example.com")
        shop.admin("res.users", "write", users, {"password": "activated"})
        Rpc(shop.server, "activated@example.com", "activated")
        db.sql(
            "UPDATE res_users "
            "SET portal_invitation_date = portal_invitation_date - interval '4 days' "
            "WHERE login = 'reminded@example.com'"
        )
        run_reminder_job(shop)
        shop.mailbox.wait("reminded@example.com", count=2)
        shop.mailbox.refusal = lambda mail: "550 No such user"
        confirm(shop, quote(shop, "failed@example.com"))
        failed = "SELECT id FROM res_users WHERE portal_invitation_failures > 0"
        eventually(lambda: db.sql(failed))
    db.shell(DUE)
    return shop.mailbox


def run_reminder_job(shop):
    """Have reminders sent."""
    job = record_id(shop.db, "ir_cron_portal_reminder")
    shop.admin("ir.cron", "method_direct_trigger", [job])
    shop.db.wake_cron()


def record_id(db, name):
    """Return the id of a record of the addon."""
    return db.value(
        "SELECT res_id FROM ir_model_data WHERE module = %s AND name = %s", ADDON, name
    )
