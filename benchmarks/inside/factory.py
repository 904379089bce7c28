"""Customers and orders by the thousand, copied by SQL: that saves hours."""

import random
import uuid

from odoo import Command

# of the parameter with the range of contacts that have an account
KNOWN = "benchmarks.known"
CLONE = """
    INSERT INTO {table}
    SELECT copy.*
      FROM {table} original,
           {source},
           LATERAL jsonb_populate_record(
               original,
               jsonb_build_object('id', nextval('{table}_id_seq'), {changes})
           ) copy
     WHERE original.id = %(original)s
 RETURNING id
"""
LINK = """
    INSERT INTO {table} ({column}, {other})
    SELECT copy_id, {other} FROM {table}, unnest(%(ids)s) copy_id
     WHERE {column} = %(original)s
"""
NEW_SUBTYPES = """
    INSERT INTO mail_followers_mail_message_subtype_rel
                (mail_followers_id, mail_message_subtype_id)
    SELECT copy.id, subtype.mail_message_subtype_id
      FROM mail_followers copy
      JOIN mail_followers original USING (partner_id, res_model)
      JOIN mail_followers_mail_message_subtype_rel subtype
        ON subtype.mail_followers_id = original.id
     WHERE copy.id = ANY(%(ids)s) AND original.res_id = %(original)s
"""


def clone(env, record, source, *, ids, **changes):
    """Copy a record's row for each row of a source.

    :param source: SQL of what is copied for, with `%(ids)s`
    :param ids: what the source is made of
    :param changes: SQL of the columns that differ
    :return: the ids of the copies
    """
    pairs = ", ".join(f"'{name}', {sql}" for name, sql in changes.items())
    query = CLONE.format(table=record._table, source=source, changes=pairs)
    env.cr.execute(query, {"ids": ids, "original": record.id})
    return [copy_id for [copy_id] in env.cr.fetchall()]


def link(env, field, record, ids):
    """Give copies of a record what a many2many field of it has."""
    names = {"table": field.relation, "column": field.column1, "other": field.column2}
    env.cr.execute(LINK.format(**names), {"ids": ids, "original": record.id})


def clone_partners(env, original, domain, numbers):
    """Return the ids of new contacts with an address each.

    :param domain: SQL of the address's domain
    """
    name = "'Customer ' || number"
    address = f"'customer' || number || '@' || {domain}"
    changes = {"name": name, "complete_name": name}
    changes |= {"email": address, "email_normalized": address}
    ids = clone(env, original, "unnest(%(ids)s) number", ids=numbers, **changes)
    own = "UPDATE res_partner SET commercial_partner_id = id WHERE id = ANY(%s)"
    env.cr.execute(own, [ids])
    return ids


def fill(env, job):
    """Make customers with an account.

    :param job: `count` of them
    """
    values = {"name": "Original", "email": "original@known.example"}
    partner = env["res.partner"].create(values)
    groups = [Command.set(env.ref("base.group_portal").ids)]
    values = {"login": partner.email, "partner_id": partner.id, "group_ids": groups}
    user = env["res.users"].with_context(no_reset_password=True).create(values)
    env.flush_all()
    domain = "'mail' || number %% 64 || '.example'"
    ids = clone_partners(env, partner, domain, list(range(job["count"])))
    source = "(SELECT * FROM res_partner WHERE id = ANY(%(ids)s)) partner"
    changes = {"login": "partner.email_normalized", "partner_id": "partner.id"}
    user_ids = clone(env, user, source, ids=ids, **changes)
    for name in ("company_ids", "group_ids"):
        link(env, user._fields[name], user, user_ids)
    env["ir.config_parameter"].set_param(KNOWN, f"{min(ids)} {max(ids) + 1}")
    env.cr.commit()


class Orders:
    """Website orders of one line, each of another customer, with a salesperson.

    With one, as an order without gets its salesperson when it is confirmed, and Odoo
    sends that person an email then, which is not what is measured.
    """

    def __init__(self, env, state="draft"):
        """
        :param env: of the superuser; what is made here is committed
        :param state: `draft`, or `sale` for orders confirmed before the addon came
        """
        self._random = random.Random(19)
        domain = f"{uuid.uuid4().hex[:6]}.example"
        self._domain = f"'{domain}'"
        self._made = 0
        known = env["ir.config_parameter"].get_param(KNOWN, "0 0")
        self._known = range(*map(int, known.split()))
        # by Odoo's own means, what all orders are copies of
        values = {"name": "Benchmark", "type": "consu", "list_price": 100.0}
        product = env["product.product"].create(values)
        values = {"name": "Original", "email": f"original@{domain}"}
        self._partner = env["res.partner"].create(values)
        self._order = env["sale.order"].create(
            {
                "partner_id": self._partner.id,
                "website_id": env["website"].search([], limit=1).id,
                "user_id": env.ref("base.user_admin").id,
                "state": state,
                "order_line": [Command.create({"product_id": product.id})],
            }
        )
        self._line = self._order.order_line
        self._follower = self._order.message_follower_ids[:1]
        env.flush_all()
        env.cr.commit()

    def create(self, env, count, known=False):
        """Return the ids of N new orders.

        :param known: of customers who have an account; else of new ones
        """
        if known:
            partner_ids = self._random.sample(self._known, count)
        else:
            numbers = list(range(self._made, self._made + count))
            self._made += count
            partner_ids = clone_partners(env, self._partner, self._domain, numbers)
        names = ("partner_id", "partner_invoice_id", "partner_shipping_id")
        changes = dict.fromkeys(names, "buyer_id") | {"name": "'B' || buyer_id"}
        source = "unnest(%(ids)s) buyer_id"
        order_ids = clone(env, self._order, source, ids=partner_ids, **changes)

        source = "(SELECT * FROM sale_order WHERE id = ANY(%(ids)s)) parent"
        changes = {"order_id": "parent.id", "order_partner_id": "parent.partner_id"}
        line_ids = clone(env, self._line, source, ids=order_ids, **changes)
        link(env, self._line._fields["tax_ids"], self._line, line_ids)

        changes = {"res_id": "parent.id"}
        follower_ids = clone(env, self._follower, source, ids=order_ids, **changes)
        values = {"ids": follower_ids, "original": self._order.id}
        env.cr.execute(NEW_SUBTYPES, values)
        env.cr.commit()
        return order_ids
