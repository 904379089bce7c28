"""Orders made by SQL: a run needs a thousand at once, and creating them as a
salesperson does would take longer than all that is measured."""

import random
import uuid

from odoo import Command

FIRST_CUSTOMER, LAST_CUSTOMER = "benchmarks.first_customer", "benchmarks.last_customer"
CLONE = """
    INSERT INTO {table}
    SELECT copy.*
      FROM {table} original,
           {source},
           LATERAL jsonb_populate_record(
               original,
               jsonb_build_object('id', nextval('{table}_id_seq'), {changes})
           ) copy
     WHERE {condition}
 RETURNING id
"""
COPY_TAXES = """
    INSERT INTO {table} ({line}, {tax})
    SELECT line_id, {tax} FROM {table}, unnest(%(ids)s) line_id
     WHERE {line} = %(original)s
"""
COPY_SUBTYPES = """
    INSERT INTO mail_followers_mail_message_subtype_rel
                (mail_followers_id, mail_message_subtype_id)
    SELECT copy.id, subtype.mail_message_subtype_id
      FROM mail_followers copy
      JOIN mail_followers original
        ON original.partner_id = copy.partner_id
       AND original.res_model = copy.res_model
       AND original.res_id = %(original)s
      JOIN mail_followers_mail_message_subtype_rel subtype
        ON subtype.mail_followers_id = original.id
     WHERE copy.id = ANY(%(ids)s)
"""


class Supply:
    """Website orders of one line, each of another customer, with a salesperson.

    With one, as an order without gets its salesperson when it is confirmed, and Odoo
    sends that person a mail then, which is not what is measured.
    """

    def __init__(self, env, state="draft"):
        """
        :param env: of the superuser; what is made here is committed
        :param state: `draft`, or `sale` for orders confirmed before the addon came
        """
        self.random = random.Random(19)
        self.domain = f"{uuid.uuid4().hex[:6]}.example"
        self.made = 0
        param = env["ir.config_parameter"].get_param
        self.known = range(
            int(param(FIRST_CUSTOMER, 1)), int(param(LAST_CUSTOMER, 0)) + 1
        )
        self._make_original(env, state)
        env.cr.commit()

    def _make_original(self, env, state):
        """Create by Odoo's own means what all orders are copies of."""
        product = env["product.product"].create(
            {"name": "Benchmark", "type": "consu", "list_price": 100.0}
        )
        partner = env["res.partner"].create(
            {"name": "Original", "email": f"original@{self.domain}"}
        )
        order = env["sale.order"].create(
            {
                "partner_id": partner.id,
                "website_id": env["website"].search([], limit=1).id,
                "user_id": env.ref("base.user_admin").id,
                "order_line": [Command.create({"product_id": product.id})],
            }
        )
        env.flush_all()
        env.cr.execute(
            "UPDATE sale_order SET state = %s WHERE id = %s", [state, order.id]
        )
        self.partner_id, self.order_id = partner.id, order.id
        self.line_id = order.order_line.id
        self.tax_field = order.order_line._fields["tax_ids"]

    def orders(self, env, count, known=False):
        """Return the ids of so many new orders.

        :param known: of customers who have an account; else of new ones
        """
        partner_ids = (
            self.random.sample(self.known, count)
            if known
            else self._new_customers(env, count)
        )
        order_ids = self._clone(
            env,
            "sale_order",
            "unnest(%(ids)s) customer_id",
            "'name', 'B' || customer_id, 'partner_id', customer_id, "
            "'partner_invoice_id', customer_id, 'partner_shipping_id', customer_id",
            self.order_id,
            partner_ids,
        )
        self._copy_parts(env, order_ids)
        env.cr.commit()
        return order_ids

    def _new_customers(self, env, count):
        """Return the ids of new contacts, who have an address and no user."""
        numbers = list(range(self.made, self.made + count))
        self.made += count
        name = "'Customer ' || number"
        address = f"'customer' || number || '@{self.domain}'"
        ids = self._clone(
            env,
            "res_partner",
            "unnest(%(ids)s) number",
            f"'name', {name}, 'complete_name', {name}, "
            f"'email', {address}, 'email_normalized', {address}",
            self.partner_id,
            numbers,
        )
        env.cr.execute(
            "UPDATE res_partner SET commercial_partner_id = id WHERE id = ANY(%s)",
            [ids],
        )
        return ids

    def _copy_parts(self, env, order_ids):
        """Copy what belongs to the original order to its copies."""
        line_ids = self._clone(
            env,
            "sale_order_line",
            "sale_order new_order",
            "'order_id', new_order.id, 'order_partner_id', new_order.partner_id",
            self.line_id,
            order_ids,
            "original.id = %(original)s AND new_order.id = ANY(%(ids)s)",
        )
        field = self.tax_field
        copy_taxes = COPY_TAXES.format(
            table=field.relation, line=field.column1, tax=field.column2
        )
        env.cr.execute(copy_taxes, {"ids": line_ids, "original": self.line_id})
        of_original = "= 'sale.order' AND original.res_id = %(original)s"
        self._clone(
            env,
            "mail_message",
            "unnest(%(ids)s) order_id",
            "'res_id', order_id, 'message_id', '<' || gen_random_uuid() || '@example>'",
            self.order_id,
            order_ids,
            f"original.model {of_original}",
        )
        follower_ids = self._clone(
            env,
            "mail_followers",
            "unnest(%(ids)s) order_id",
            "'res_id', order_id",
            self.order_id,
            order_ids,
            f"original.res_model {of_original}",
        )
        env.cr.execute(COPY_SUBTYPES, {"ids": follower_ids, "original": self.order_id})

    @staticmethod
    def _clone(
        env,
        table,
        source,
        changes,
        original_id,
        ids,
        condition="original.id = %(original)s",
    ):
        """Copy a row, or some, of a table for each row of `source`.

        :param source: SQL of what is copied for, with `%(ids)s`
        :param changes: SQL of pairs of columns and what is different in the copies
        :return: the ids of the copies
        """
        query = CLONE.format(
            table=table, source=source, changes=changes, condition=condition
        )
        env.cr.execute(query, {"ids": ids, "original": original_id})
        return [row[0] for row in env.cr.fetchall()]
