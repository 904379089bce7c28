"""An Odoo database, looked at from outside."""

import contextlib
import time

import psycopg2

from devtools.base import ADDON


class Database:
    """A database of Odoo's, looked at by SQL, RPC and `odoo shell`."""

    def __init__(self, instance, name):
        self.instance, self.name = instance, name
        self._connection = None

    def sql(self, query, *params):
        """Run a statement in a transaction of its own and return its rows."""
        if not self._connection:
            self._connection = psycopg2.connect(self.instance.dsn(self.name))
            self._connection.autocommit = True
        with self._connection.cursor() as cursor:
            cursor.execute(query, params)
            return cursor.fetchall() if cursor.description else []

    def value(self, query, *params):
        """Return the only value of the only row."""
        [[value]] = self.sql(query, *params)
        return value

    def shell(self, script):
        """Run a script in `odoo shell` and commit.

        :return: what it printed
        """
        return self.instance.shell(self.name, f"{script}\nenv.cr.commit()\n")

    def product(self, name):
        """Return the ids of a product's template and of its first variant."""
        [row] = self.sql(
            "SELECT t.id, min(p.id) FROM product_template t "
            "JOIN product_product p ON p.product_tmpl_id = t.id "
            "WHERE t.name->>'en_US' = %s GROUP BY t.id",
            name,
        )
        return row

    def last_order(self, address):
        """Return the id of the latest order of a customer with an address."""
        return self.value(
            "SELECT max(o.id) FROM sale_order o "
            "JOIN res_partner p ON p.id = o.partner_id WHERE p.email = %s",
            address,
        )

    def wake_cron(self):
        """Have the scheduled jobs of a running server look for work now."""
        with contextlib.closing(
            psycopg2.connect(self.instance.dsn("postgres"))
        ) as conn:
            conn.autocommit = True
            conn.cursor().execute("SELECT pg_notify('cron_trigger', %s)", [self.name])

    def pass_time(self):
        """Make what the addon put off due now, as if the time had passed."""
        self.sql(
            "UPDATE res_users SET portal_invitation_due = now() AT TIME ZONE 'UTC' "
            "WHERE portal_invitation_due > now() AT TIME ZONE 'UTC'"
        )
        self.sql(
            "UPDATE ir_cron_trigger SET call_at = now() AT TIME ZONE 'UTC' "
            "WHERE call_at > now() AT TIME ZONE 'UTC' AND cron_id IN (SELECT res_id "
            "FROM ir_model_data WHERE model = 'ir.cron' AND module = %s)",
            ADDON,
        )
        self.wake_cron()

    def put_off(self):
        """Tell whether the invitation job has ended and will try again later."""
        return self.value(
            "SELECT bool_and(call_at > now() AT TIME ZONE 'UTC') FROM ir_cron_trigger "
            "WHERE cron_id IN (SELECT res_id FROM ir_model_data "
            "WHERE model = 'ir.cron' AND name = 'ir_cron_portal_invitation')"
        )

    def due(self):
        """Return how many invitations are still to be sent."""
        return self.value(
            "SELECT count(*) FROM res_users WHERE portal_invitation_due IS NOT NULL"
        )

    def users(self, address):
        """Return the ids of the users with a login, archived ones included."""
        return [
            row[0]
            for row in self.sql(
                "SELECT id FROM res_users WHERE lower(login) = lower(%s) ORDER BY id",
                address,
            )
        ]

    def notes(self, order_id):
        """Return all that the chatter of an order says, newest first."""
        return [
            row[0] or ""
            for row in self.sql(
                "SELECT body FROM mail_message "
                "WHERE model = 'sale.order' AND res_id = %s ORDER BY id DESC",
                order_id,
            )
        ]


def eventually(check, patience=60, pause=0.1):
    """Call `check` until what it returns is true, and return that.

    :raise AssertionError: it took too long
    """
    limit = time.monotonic() + patience
    while not (result := check()):
        assert time.monotonic() < limit, f"not so after {patience} s: {check}"
        time.sleep(pause)
    return result
