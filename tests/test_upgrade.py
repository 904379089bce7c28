"""From the first releases to this tree: a shop keeps all it has.

Each release is taken from the history of this clone, used over HTTP with a real mail
server, and updated.
"""

import re
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest

from devtools.base import ADDON, ADDONS, PROJECT

from . import old_shop
from .client import Visitor
from .database import eventually
from .shop import quote

pytestmark = pytest.mark.slow

PASSWORD = "correct horse battery"
KEPT = {
    # employees get the date of their first login, too
    "users": "SELECT id, login, active, share, "
    "CASE WHEN share THEN portal_activation_date END FROM res_users",
    "settings": "SELECT id, portal_account_policy, portal_reminder_max, "
    "portal_reminder_days FROM res_company",
    "orders": "SELECT id, state, user_created, partner_id FROM sale_order",
    "notes": "SELECT id, model, res_id, body FROM mail_message",
    "schedules": "SELECT id, active, interval_number, interval_type, priority, "
    "nextcall FROM ir_cron",
    "parameters": "SELECT id, key, value FROM ir_config_parameter",
}
OLD_INVITATIONS = """
    SELECT login, portal_invitation_order_id, portal_invitation_due,
           portal_invitation_date, coalesce(portal_invitation_count, 0),
           coalesce(portal_reminder_count, 0), coalesce(portal_invitation_failures, 0)
      FROM res_users
     WHERE portal_invitation_order_id IS NOT NULL
     ORDER BY login
"""
INVITATIONS = """
    SELECT login, order_id, due_date, sent_date, sent_count, reminder_count,
           failure_count
      FROM portal_invitation JOIN res_users ON res_users.id = user_id
     WHERE order_id IS NOT NULL
     ORDER BY login
"""
# What a new database has, too. Of a relation table either column may be the first.
OWN = {
    "records": "SELECT model, name, noupdate FROM ir_model_data "
    f"WHERE module = '{ADDON}'",
    "columns": "SELECT table_name, column_name, data_type "
    "FROM information_schema.columns WHERE table_schema = 'public'",
    "indexes": "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' "
    "AND tablename !~ '_rel$'",
    "constraints": "SELECT conrelid::regclass, pg_get_constraintdef(oid) "
    "FROM pg_constraint WHERE connamespace = 'public'::regnamespace "
    "AND conrelid::regclass::text !~ '_rel$'",
    "views": "SELECT key, active, website_id, arch_db->>'en_US' FROM ir_ui_view "
    f"WHERE key LIKE '{ADDON}.%%'",
    "jobs": "SELECT data.name, cron.cron_name, action.name, action.code, model.model, "
    "action.write_date = action.create_date "
    "FROM ir_cron cron JOIN ir_act_server action ON action.id = ir_actions_server_id "
    "JOIN ir_model model ON model.id = action.model_id "
    "JOIN ir_model_data data ON data.model = 'ir.cron' AND data.res_id = cron.id "
    f"WHERE data.module = '{ADDON}'",
    "templates": "SELECT to_jsonb(template) - "
    "'{id,model_id,create_date,write_date}'::text[], "
    "template.write_date = template.create_date "
    "FROM mail_template template JOIN ir_model_data data "
    "ON data.model = 'mail.template' AND data.res_id = template.id "
    f"WHERE data.module = '{ADDON}'",
}
OLD_VIEWS = f"""
    SELECT website_id FROM ir_ui_view
     WHERE key IN ('{ADDON}.signup', '{ADDON}.confirmation',
                   '{ADDON}.sale_order_portal_template')
"""


def _read(db, queries):
    """Return what each query finds, sorted."""
    return {name: sorted(map(str, db.sql(query))) for name, query in queries.items()}


def _problems(log):
    return re.findall(r".* (?:WARNING|ERROR|CRITICAL) .*", log)


@pytest.fixture(scope="module")
def new(shop_instance):
    """What a new database has."""
    return _read(old_shop.install(shop_instance, "new", PROJECT), OWN)


@pytest.fixture(scope="module", params=old_shop.RELEASES)
def old(request, shop_instance, tmp_path_factory):
    """The database of a shop that has used an old release, and what it has emailed."""
    folder = tmp_path_factory.mktemp("release")
    old_shop.unpack(request.param, folder)
    db = old_shop.install(shop_instance, "old", folder)
    yield SimpleNamespace(
        db=db, mailbox=old_shop.use(db), addons=folder, release=request.param
    )
    shop_instance.drop_database("old")


@pytest.fixture(scope="module")
def updated(old):
    """A copy of that database after an update, and what a second update makes of it.

    The mail template is new in one, and missing in the other, before.
    """
    db = old.db.copy("updated")
    if old.release == "19.0.1.0.1":
        db.instance.addons = [old.addons]
        db.shell(old_shop.DELETE_TEMPLATE)
    queries = {**KEPT, **OWN, "invitations": INVITATIONS}
    log, data = old_shop.update(db), _read(db, queries)
    invitations = db.sql(INVITATIONS)
    log += old_shop.update(db)
    yield SimpleNamespace(
        db=db, log=log, data=data, again=_read(db, queries), invitations=invitations
    )
    db.instance.drop_database("updated")


@pytest.fixture(scope="module")
def running(updated):
    """The updated shop, running."""
    with old_shop.run(updated.db) as shop:
        yield shop


@pytest.fixture(scope="module")
def changed(old):
    """A shop that had changed what it may change, updated and running.

    Whoever updates it is told what became of the mail template.
    """
    db = old.db.copy("changed")
    db.instance.addons = [old.addons]
    db.shell(old_shop.CHANGES)
    assert len([1 for [website] in db.sql(OLD_VIEWS) if website]) == 3
    problems = _problems(old_shop.update(db))
    assert len(problems) == 1, problems
    [problem] = problems
    assert "(edited before 19.0.2)" in problem
    with old_shop.run(db) as shop:
        yield shop
    db.instance.drop_database("changed")


def test_an_update_logs_no_error_and_no_warning(updated):
    assert not _problems(updated.log)
    assert updated.db.value(
        "SELECT latest_version FROM ir_module_module WHERE name = %s", ADDON
    ) == old_shop.version(PROJECT)


def test_an_update_brings_the_companions(updated):
    """Claims come along because what they depend on is new, too."""
    states = "SELECT name, state FROM ir_module_module WHERE name IN %s"
    expected = dict.fromkeys(ADDONS, "installed") | {"sale_portal_team": "uninstalled"}
    assert dict(updated.db.sql(states, ADDONS)) == expected


def test_an_update_keeps_all_data(old, updated):
    for name, rows in _read(old.db, KEPT).items():
        assert set(rows) <= set(updated.data[name]), name


def test_each_account_keeps_its_invitation(old, updated):
    before = old.db.sql(OLD_INVITATIONS)
    assert len(before) == 14
    assert updated.invitations == [
        (*row[:2], None, *row[3:]) if re.match("archived|revoked", row[0]) else row
        for row in before
    ]


def test_accounts_of_others_are_not_deleted_when_they_are_not_used(updated):
    assert updated.db.sql(
        "SELECT login FROM portal_invitation JOIN res_users ON res_users.id = user_id "
        "WHERE is_account_created IS NOT TRUE"
    ) == [("granted@example.com",)]


def test_an_updated_database_has_what_a_new_one_has(new, updated):
    for name, rows in new.items():
        assert updated.data[name] == rows, name


def test_a_second_update_changes_nothing(updated):
    assert updated.again == updated.data


def test_invitations_have_their_state(running):
    rows = running.admin("portal.invitation", "search_read", [], ["login", "state"])
    states = {row["login"].partition("@")[0]: row["state"] for row in rows}
    assert states == {
        **dict.fromkeys(("due", "french", "past", "resent", "reminder.due"), "due"),
        "failed": "due",  # it will be tried again
        **dict.fromkeys(("sent", "reminded", "withdrawn"), "sent"),
        "activated": "activated",
        "granted": "expired",
        **dict.fromkeys(("archived", "archived.due"), "cancelled"),
        **dict.fromkeys(("revoked", "revoked.due"), "cancelled"),
    }


def test_only_what_was_due_is_sent_and_once(running):
    running.db.pass_time()
    eventually(lambda: not running.db.due())
    old_shop.run_reminder_job(running)
    mails = running.mailbox.received()
    assert sorted(mail.recipients for mail in mails) == [
        (f"{name}@example.com",)
        for name in ("due", "failed", "french", "past", "reminder.due", "resent")
    ]
    thanks = "Thank you for your order"
    for name in ("due", "failed", "resent"):
        assert running.mailbox.received(f"{name}@example.com", thanks)
    for name in ("past", "reminder.due"):
        assert not running.mailbox.received(f"{name}@example.com", thanks)
    assert running.mailbox.received("reminder.due@example.com", "^Reminder: ")


def _open(shop, mail):
    """Return a visitor who has followed a link of the old server, and the page."""
    visitor, url = Visitor(shop.server), urlsplit(mail.link)
    assert url.path == "/web/signup"
    return visitor, visitor.page(f"{url.path}?{url.query}")


@pytest.mark.parametrize("name", ["sent", "reminded"])
def test_the_latest_link_activates_the_account(old, running, name):
    address = f"{name}@example.com"
    visitor, page = _open(running, old.mailbox.received(address)[-1])
    [form] = page.find_class("oe_signup_form")
    form.fields["password"] = form.fields["confirm_password"] = PASSWORD
    response = visitor.session.post(
        f"{visitor.url}/web/signup", dict(form.form_values()), timeout=120
    )
    assert urlsplit(response.url).path == "/my/orders"
    assert running.db.value(
        "SELECT portal_activation_date FROM res_users WHERE login = %s", address
    )
    Visitor(running.server).log_in(address, PASSWORD)


@pytest.mark.parametrize(
    "name", ["activated", "archived", "revoked", "reminded", "withdrawn"]
)
def test_other_links_stay_dead(old, running, name):
    address = f"{name}@example.com"
    if name == "withdrawn":
        _withdraw_and_grant_again(running, address)
    _visitor, page = _open(running, old.mailbox.received(address)[0])
    assert "Invalid signup token" in page.text_content()
    assert not page.xpath("//input[@name='login'][@value != '']")


def _withdraw_and_grant_again(shop, address):
    """Have access end for a while, and a link of Odoo's own prepared."""
    users = shop.db.users(address)
    [user] = shop.admin("res.users", "read", users, ["partner_id"])
    for is_active in (False, True):
        shop.admin("res.users", "write", users, {"active": is_active})
    shop.admin("res.partner", "signup_prepare", [user["partner_id"][0]])


def test_scheduled_actions_keep_what_the_shop_chose(changed):
    rows = changed.db.sql(
        "SELECT code, action.name, interval_number, interval_type, priority "
        "FROM ir_cron JOIN ir_act_server action ON action.id = ir_actions_server_id "
        "WHERE code IN ('model._cron_send()', 'model._cron_remind()')"
    )
    jobs = {code: (name["fr_FR"], *schedule) for code, name, *schedule in rows}
    assert jobs["model._cron_send()"][1:] == (2, "days", 7)
    assert jobs["model._cron_remind()"][0] == "Nos rappels"


def test_a_deleted_scheduled_action_is_back(changed):
    [[name]] = changed.db.sql(
        "SELECT cron_name FROM ir_cron JOIN ir_act_server action "
        "ON action.id = ir_actions_server_id WHERE code = 'model._cron_process()'"
    )
    assert name == "Portal Accounts: create for past orders"


def test_a_changed_template_is_archived_with_all_it_had(changed):
    [template] = changed.admin(
        "mail.template",
        "search_read",
        [("name", "like", "edited before 19.0.2"), ("active", "=", False)],
        ["subject", "body_html", "attachment_ids", "model"],
    )
    assert template["subject"].startswith("Welcome to")
    assert "Dear" in template["body_html"]
    assert "#{object.name}" in template["body_html"]
    assert len(template["attachment_ids"]) == 1
    [french] = changed.admin(
        "mail.template",
        "read",
        [template["id"]],
        ["body_html"],
        context={"lang": "fr_FR"},
    )
    assert "Salut" in french["body_html"]


def test_administrators_find_a_message_about_it(changed):
    [channel] = changed.admin(
        "discuss.channel",
        "search_read",
        [("name", "=", "Administrators")],
        ["message_ids"],
    )
    messages = changed.admin(
        "mail.message", "read", channel["message_ids"], ["body", "author_id"]
    )
    [message] = [row for row in messages if "edited before 19.0.2" in row["body"]]
    assert message["author_id"][1] == "OdooBot"
    assert "Contacts of Companies" in message["body"], "what to decide"
    assert "login differs" in message["body"]
    assert "moved@example.com" in message["body"]
    [member] = changed.admin(
        "discuss.channel.member",
        "search_read",
        [("channel_id", "=", channel["id"]), ("is_self", "=", True)],
        ["message_unread_counter"],
    )
    assert member["message_unread_counter"]


def test_emails_that_were_due_have_the_new_words(changed):
    changed.db.wake_cron()
    due = changed.mailbox.wait_for_one("due@example.com", "Activate your account")
    french = changed.mailbox.wait_for_one("french@example.com", "Activez votre compte")
    reminder = changed.mailbox.wait_for_one("reminder.due@example.com", "Reminder: ")
    for mail in (due, french, reminder):
        assert not list(mail.message.iter_attachments())
        [link] = re.findall(r"/web/portal/activate\?token=[^\s\"]+", mail.html)
        page = Visitor(changed.server).page(link)
        assert page.xpath("//input[@name='confirm_password']")


def test_changed_pages_work_without_the_old_views(old, changed):
    assert not changed.db.sql(OLD_VIEWS)
    [mail] = old.mailbox.received("withdrawn@example.com")
    _visitor, page = _open(changed, mail)
    assert page.find_class("oe_signup_form")
    chair = changed.db.product("Office Chair")
    page = Visitor(changed.server).buy(chair, "new@example.com")
    assert page.find_class("o_portal_account_created")
    order = quote(changed, "quoted@example.com")
    link = changed.admin("sale.order", "get_portal_url", [order])
    assert Visitor(changed.server).page(link).find_class("o_portal_sale_sidebar")
