"""An Odoo database, looked at from outside."""

import contextlib
import time

import psycopg2

from devtools.base import ADDON

# Odoo's dates have no fractions of a second.
NOW = "date_trunc('second', now() AT TIME ZONE 'UTC')"


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

    def disconnect(self):
        """Close the connection; the next statement opens another."""
        if self._connection:
            self._connection.close()
            self._connection = None

    def drop(self):
        """Remove the database, which nobody else may use now."""
        self.disconnect()
        self.instance.drop_database(self.name)

    def copy(self, name):
        """Return a copy of the database, which nobody else may use now."""
        self.disconnect()
        self.instance.new_database(name, template=self.name)
        return Database(self.instance, name)

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

    def pass_time(self, days=0):
        """Make what the addon put off due now, as if the time had passed.

        :param days: that have passed since the last emails
        """
        self.sql(
            f"UPDATE portal_invitation SET due_date = {NOW} WHERE due_date > {NOW}"
        )
        self.sql(
            "UPDATE portal_invitation "
            "SET sent_date = sent_date - make_interval(days => %s)",
            days,
        )
        self.sql("UPDATE res_company SET portal_invitation_retry_date = NULL")
        self.sql(
            f"UPDATE ir_cron_trigger SET call_at = {NOW} "
            f"WHERE call_at > {NOW} AND cron_id IN (SELECT res_id "
            "FROM ir_model_data WHERE model = 'ir.cron' AND module = %s)",
            ADDON,
        )
        self.wake_cron()

    def put_off(self):
        """Return whether the invitation job has ended and will try again later."""
        return self.value(
            f"SELECT bool_and(call_at > {NOW}) FROM ir_cron_trigger "
            "WHERE cron_id IN (SELECT res_id FROM ir_model_data "
            "WHERE model = 'ir.cron' AND name = 'ir_cron_portal_invitation')"
        )

    def due(self):
        """Return how many invitations are still to be sent."""
        return self.value(
            "SELECT count(*) FROM portal_invitation WHERE due_date IS NOT NULL"
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


def eventually(check, timeout=60, pause=0.1):
    """Call `check` until what it returns is true, and return that.

    :raise AssertionError: it took too long
    """
    limit = time.monotonic() + timeout
    while not (result := check()):
        assert time.monotonic() < limit, f"not so after {timeout} s: {check}"
        time.sleep(pause)
    return result
