import logging
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL, split_every

from ...tools import RETRIED_EXCEPTIONS, Trusted

_logger = logging.getLogger(__name__)

BATCH_SIZE = 100
PREVIEW_BATCH_SIZE = 1000


class PortalAccountBatch(models.Model):
    _name = "portal.account.batch"
    _description = "Portal Accounts for Past Orders"
    _order = "id desc"

    state = fields.Selection(
        selection=[
            ("draft", "Preview"),
            ("running", "Running"),
            ("stopped", "Stopped"),
            ("done", "Done"),
        ],
        string="Status",
        default="draft",
        readonly=True,
        required=True,
    )
    order_ids = fields.Many2many(
        comodel_name="sale.order", string="Orders", readonly=True, copy=False
    )
    last_order_id = fields.Integer(
        readonly=True, help="All orders up to this id have been processed."
    )
    order_count = fields.Integer(string="Confirmed Orders", readonly=True)
    missing_count = fields.Integer(string="Accounts to Create", readonly=True)
    existing_count = fields.Integer(string="Customers with an Account", readonly=True)
    other_count = fields.Integer(
        string="Customers without an Account",
        readonly=True,
        help="Not created: the address is missing, invalid or another contact's, or "
        "the contact or user is archived or technical. Each order shows the reason.",
    )
    processed_count = fields.Integer(string="Orders Processed", readonly=True)
    created_count = fields.Integer(string="Accounts Created", readonly=True)
    failed_count = fields.Integer(string="Orders without an Account", readonly=True)
    progress = fields.Float(compute="_compute_progress")
    email_count = fields.Integer(
        string="Emails Left",
        compute="_compute_email_count",
        help="Invitations for these orders that are still to be sent.",
    )

    @api.depends("order_count")
    def _compute_display_name(self):
        for batch in self:
            batch.display_name = self.env._(
                "Portal accounts (orders: %s)", batch.order_count
            )

    @api.depends("order_count", "processed_count")
    def _compute_progress(self):
        for batch in self:
            batch.progress = 100 * batch.processed_count / (batch.order_count or 1)

    def _compute_email_count(self):
        for batch in self:
            domain = batch._get_email_domain()
            batch.email_count = self.env["portal.invitation"].search_count(domain)

    def _get_email_domain(self):
        """Return the domain of the invitations for these orders that are to be sent."""
        return [
            ("due_date", "!=", False),
            ("order_id.portal_batch_ids", "in", self.ids),
        ]

    def action_open_orders(self):
        """Open the orders.

        :return: an action
        """
        self.check_access("read")
        return self._open("sale.order", [("portal_batch_ids", "in", self.ids)])

    def action_open_created(self):
        """Open the orders whose accounts the batch created.

        :return: an action
        """
        self.check_access("read")
        return self._open("sale.order", [("portal_created_batch_id", "in", self.ids)])

    def action_open_failed(self):
        """Open the orders without an account.

        :return: an action
        """
        self.check_access("read")
        domain = [("portal_account_issue", "!=", False)]
        return self._open("sale.order", [("portal_batch_ids", "in", self.ids), *domain])

    def action_open_emails(self):
        """Open the invitations that are still to be sent.

        :return: an action
        """
        self.check_access("read")
        return self._open("portal.invitation", self._get_email_domain())

    def _open(self, model, domain):
        return {
            "type": "ir.actions.act_window",
            "name": self.display_name,
            "res_model": model,
            "views": [(False, "list"), (False, "form")],
            "domain": domain,
        }

    @api.model
    def action_preview(self, order_ids):
        """Count what creating the accounts of past orders would do.

        :param order_ids: ids of orders; those that are not confirmed are left out
        :return: an action that opens the batch
        :raise AccessError: when the user may not edit one of the orders
        :raise UserError: when no order is confirmed
        """
        self.check_access("read")
        # sudo: nobody but the addon writes on batches, so that their orders are those
        # that the user could edit; users and addresses are counted, and not shown
        batch_sudo = self.sudo().create({})
        counted = set()
        for ids in split_every(PREVIEW_BATCH_SIZE, sorted(set(order_ids))):
            orders = (
                self.env["sale.order"].with_context(prefetch_fields=False).browse(ids)
            )
            orders.check_access("write")
            batch_sudo._add(
                orders.filtered(lambda order: order.state == "sale").sudo(), counted
            )
            # A large preview must not fill the memory.
            self.env.flush_all()
            self.env.invalidate_all()
        if not batch_sudo.order_count:
            raise UserError(self.env._("Select orders that are confirmed."))
        return batch_sudo._get_records_action(
            name=self.env._("Create portal accounts"), context={}
        )

    def _add(self, orders, counted):
        """Add confirmed orders to the preview.

        :param counted: set of the contacts' ids and addresses counted before, extended
        """
        self.ensure_one()
        if not orders:
            return
        field = self._fields["order_ids"]
        self.env.cr.execute(
            SQL(
                "INSERT INTO %s (%s, %s) SELECT %s, unnest(%s)",
                SQL.identifier(field.relation),
                SQL.identifier(field.column1),
                SQL.identifier(field.column2),
                self.id,
                orders.ids,
            )
        )
        for name, records in self._group_customers(orders, counted).items():
            self[name] += len(records)
        self.order_count += len(orders)

    @api.model
    def _group_customers(self, orders, counted):
        """Group the customers of orders by what would become of their accounts.

        :param counted: set of the contacts' ids and addresses counted before, extended
        :return: dict of counting fields to contacts
        """
        orders = orders.filtered(lambda order: order.partner_id.id not in counted)
        due, issues = orders._split_orders_without_account(orders._find_accounts())
        missing = due.partner_id.filtered(
            lambda partner: partner._get_portal_address() not in counted
        )
        without = orders.browse([order.id for order in issues]).partner_id
        counted.update(orders.partner_id.ids)
        counted.update(partner._get_portal_address() for partner in missing)
        return {
            "missing_count": missing,
            "existing_count": orders.partner_id - without - due.partner_id,
            "other_count": without | (due.partner_id - missing),
        }

    def action_start(self):
        """Start the batch, or resume it; the scheduled action does the work."""
        self.check_access("read")
        # sudo: nobody but the addon writes on batches and schedules its jobs
        batches_sudo = self.sudo()
        batches_sudo.filtered(
            lambda batch: batch.state in ("draft", "stopped")
        ).state = "running"
        name = "sales_confirm_user_create.ir_cron_portal_account_batch"
        if job_sudo := batches_sudo.env.ref(name, raise_if_not_found=False):
            job_sudo._trigger()

    def action_stop(self):
        """Stop the batch after the orders it is at; it can be resumed."""
        self.check_access("read")
        # sudo: nobody but the addon writes on batches
        self.sudo().filtered(lambda batch: batch.state == "running").state = "stopped"

    @api.autovacuum
    def _gc_previews(self):
        """Remove previews of yesterday and before that nobody has started."""
        yesterday = fields.Datetime.now() - timedelta(days=1)
        self.search([("state", "=", "draft"), ("create_date", "<", yesterday)]).unlink()

    @api.model
    def _cron_process(self):
        """Create the accounts of all running batches, some orders at a time.

        Each step is committed, so that a batch can be stopped, and goes on where it was
        after a crash. A step during which it is stopped counts for nothing.
        """
        IrCron = self.env["ir.cron"]
        while batch := self.search([("state", "=", "running")], order="id", limit=1):
            try:
                orders = batch._get_next_orders()
                batch._process(orders)
                # at least one while a batch is running
                running = self.search_count([("state", "=", "running")], limit=1)
                left = max(batch.order_count - batch.processed_count, running)
                time_left = IrCron._commit_progress(len(orders), remaining=left)
            except RETRIED_EXCEPTIONS:
                _logger.info("A step of batch %s is done again", batch.id)
                self.env.cr.rollback()
                time_left = IrCron._commit_progress()
            # All of it is in the database, and a long run must not fill the memory.
            self.env.invalidate_all()
            if not time_left:
                return

    def _get_next_orders(self):
        """Return the orders of the batch to be processed next, oldest first."""
        self.ensure_one()
        # A search would read all orders of a large batch for each step.
        field = self._fields["order_ids"]
        rows = self.env.execute_query(
            SQL(
                "SELECT %(order)s FROM %(table)s WHERE %(batch)s = %(batch_id)s "
                "AND %(order)s > %(last)s ORDER BY %(order)s LIMIT %(limit)s",
                order=SQL.identifier(field.column2),
                table=SQL.identifier(field.relation),
                batch=SQL.identifier(field.column1),
                batch_id=self.id,
                last=self.last_order_id,
                limit=BATCH_SIZE,
            )
        )
        return self.env["sale.order"].browse(order_id for [order_id] in rows)

    def _process(self, orders):
        """Create the accounts of some orders; the batch ends with the last ones."""
        self.ensure_one()
        due = orders.filtered(lambda order: order.state == "sale")  # still
        marked = due.filtered("user_created")
        failures = due.with_context(
            sales_confirm_user_create_batch=Trusted
        )._ensure_portal_accounts()
        created = due.filtered("user_created") - marked
        created.portal_created_batch_id = self
        if len(orders) < BATCH_SIZE:
            self.state = "done"
        self.write(
            {
                "last_order_id": max(orders.ids, default=self.last_order_id),
                "processed_count": self.processed_count + len(orders),
                "created_count": self.created_count + len(created),
                "failed_count": self.failed_count + len(failures),
            }
        )
