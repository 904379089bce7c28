from collections import defaultdict

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.http import request
from odoo.tools import SQL
from odoo.tools.sql import column_exists, create_column
from odoo.tools.translate import LazyTranslate

_lt = LazyTranslate(__name__)

CLAIM_FIELDS = (
    "portal_partner_id",
    "portal_claim_date",
    "portal_claim_method",
    "portal_claim_customer",
    "portal_claim_address",
)


class SaleOrder(models.Model):
    """Orders shown in the portal account of another contact than their own."""

    _inherit = "sale.order"

    portal_partner_id = fields.Many2one(
        comodel_name="res.partner",
        string="In the Account of",
        copy=False,
        readonly=True,
        index="btree_not_null",
        groups="base.group_user",
        help="The contact whose portal account shows this order, too.",
    )
    portal_claim_date = fields.Datetime(
        string="Claimed On", copy=False, readonly=True, groups="base.group_user"
    )
    portal_claim_method = fields.Selection(
        selection=[
            ("activation", "Activation"),
            ("browser", "Browser of the order"),
            ("email", "Email of the order"),
            ("search", "Search in the portal"),
            ("staff", "Staff"),
        ],
        string="Claimed By",
        copy=False,
        readonly=True,
        groups="base.group_user",
    )
    # What a claim rests on, as plain values: a merge of contacts changes references.
    portal_claim_customer = fields.Integer(
        copy=False, readonly=True, groups="base.group_user"
    )
    portal_claim_address = fields.Char(
        copy=False, readonly=True, groups="base.group_user"
    )
    portal_address = fields.Char(
        compute="_compute_portal_address",
        store=True,
        copy=False,
        groups="base.group_user",
        help="The customer's address when the order was confirmed. Customers who read "
        "its emails can add the order to their account.",
    )
    portal_known_partner_id = fields.Many2one(
        comodel_name="res.partner",
        string="Contact with the Account",
        compute="_compute_portal_known_account",
        groups="base.group_user",
        help="The contact whose portal account has the customer's address.",
    )
    portal_known_elsewhere = fields.Boolean(
        string="In Another Company",
        compute="_compute_portal_known_account",
        groups="base.group_user",
        help="A contact that you have no access to has the account.",
    )
    portal_proof_date = fields.Datetime(
        string="Address Confirmed On",
        compute="_compute_portal_known_account",
        groups="base.group_user",
        help="When the customer opened a link that was emailed to the login. Empty: "
        "never, anybody can have signed up with the address.",
    )

    _portal_address_idx = models.Index(
        "(portal_address) "
        "WHERE portal_partner_id IS NULL AND portal_address IS NOT NULL"
    )

    def _auto_init(self):
        """Override of `base`: where orders were mailed before, nobody knows."""
        if not column_exists(self.env.cr, self._table, "portal_address"):
            create_column(self.env.cr, self._table, "portal_address", "varchar")
        return super()._auto_init()

    @api.depends("state")
    def _compute_portal_address(self):
        for order in self:
            if order.state == "sale":
                # sudo: whoever confirms may not read the contact
                address = order.sudo().partner_id._get_portal_address()
                order.portal_address = order.portal_address or address
            elif order.state in ("draft", "sent"):
                order.portal_address = False
            else:
                order.portal_address = order.portal_address

    @api.depends(
        "partner_id", "partner_id.email", "portal_partner_id", "state", "website_id"
    )
    @api.depends_context("uid", "allowed_company_ids")
    def _compute_portal_known_account(self):
        # sudo: a salesperson learns of the account that has the customer's address, and
        # of its contact what they may read of it anyway
        orders = self.sudo()
        users = orders._find_account_users()
        readable = self.env["res.partner"].browse(
            {user.partner_id.id for user in users.values() if user}
        )
        readable = readable._filtered_access("read")
        for order, order_sudo in zip(self, orders, strict=True):
            user = users.get(order.id, users[None])
            claimed, own = order_sudo.portal_partner_id, order_sudo.partner_id
            account = claimed.user_ids[:1] or user or own.user_ids[:1]
            order.portal_known_partner_id = readable & user.partner_id
            order.portal_known_elsewhere = user and user.partner_id not in readable
            order.portal_proof_date = account._get_proof_date()

    @api.model
    def _get_portal_protected_fields(self):
        """Extend with what a claim is."""
        return super()._get_portal_protected_fields() | {
            *CLAIM_FIELDS,
            "portal_address",
        }

    @api.model
    def _get_portal_issue_advice(self, issue):
        """Extend to say what can be done about an account of another contact."""
        if issue == "other_contact":
            return self.env._(
                "Another contact has the account for this address. The order can be "
                "added to it."
            )
        return super()._get_portal_issue_advice(issue)

    def _get_order_page_view(self):
        """Extend to offer to add the order to the account."""
        view = super()._get_order_page_view()
        if not view and request and self._get_claim_offer(request.env.user):
            return "sale_portal_claim.portal_order_claim"
        return view

    def _group_customers(self, counted):
        """Extend with the orders that the activation of new accounts adds to them."""
        res = super()._group_customers(counted)
        missing = res["missing_count"]
        first = self.filtered(lambda order: order.partner_id in missing)
        return {**res, "claimable_count": first._find_orders_to_claim()}

    # === By staff === #

    def action_claim_for_account(self):
        """Add the orders to the accounts that have their customers' addresses.

        For salespeople, who know what no rule can: also for contacts of companies.

        :return: an action that shows what was added, and why other orders were not; for
            one order and an account whose mailbox was never proven, a question
        :raise AccessError: the user is no salesperson or may not edit the orders
        """
        return self._claim_by_staff()

    def _claim_by_staff(self, is_confirmed=False):
        """See ``action_claim_for_account``.

        :param is_confirmed: a question about a mailbox that was never proven was
            answered
        """
        self._check_portal_account_access()
        # sudo: a salesperson may add the orders they edit, and reads no users by it
        orders, reasons = self.sudo(), {}
        users = orders._find_account_users()
        orders_by_user = defaultdict(self.sudo().browse)
        for order in orders:
            user = users.get(order.id)
            reason = order._get_no_claim_reason(user)
            if not reason and not is_confirmed and not user._get_proof_date():
                if len(self) == 1:
                    return self._ask_to_claim(user)
                reason = _lt(
                    "the address of the account was never confirmed. Add the order on "
                    "its form."
                )
            if reason:
                reasons[order.name] = self.env._(reason)
            else:
                orders_by_user[user] += order
        for user, claimed in orders_by_user.items():
            claimed._claim_for(user, "staff", self.env.user.partner_id)
        count = sum(map(len, orders_by_user.values()))
        return self.env["portal.invitation"]._notify_done(
            self.env._("Portal account"),
            self.env._("Orders added: %s.", count) if count else None,
            reasons,
        )

    def _ask_to_claim(self, user):
        """Return the action that asks whether to add the order to an account of which
        nobody knows whose it is.

        :param user: the account
        """
        return self.env["portal.account.question"]._ask(
            "claim",
            self,
            self.env._(
                "The owner of the account %s never confirmed this address: anybody can "
                "have signed up with it. Add the order only if you know the owner. "
                "Customers confirm their address with the link “Missing an order?” "
                "under My Account / Your Orders.",
                user.login,
            ),
        )

    def _get_no_claim_reason(self, user):
        """Return why staff cannot add the order, to be translated, or False.

        :param user: the account that has the customer's address, or None
        """
        if self.state != "sale":
            return _lt("the order is not confirmed.")
        if self.portal_partner_id:
            return _lt("the order is in an account already.")
        if not user:
            return _lt("no other contact has an account with this address.")
        if not user._get_mailbox():
            return _lt(
                "the account's contact has another email address than its login."
            )
        is_allowed = self.company_id in user.company_ids
        if not is_allowed or self._is_of_another_company(user.partner_id):
            return _lt("the account belongs to another company.")
        return False

    def _is_of_another_company(self, partner):
        """Return whether those who see the order do not see a contact."""
        return bool(partner.company_id - self.company_id.parent_ids)

    def action_unclaim(self):
        """Remove the orders from the accounts they were added to; for salespeople.

        :raise AccessError: the user is no salesperson or may not edit the orders
        """
        self._check_portal_account_access()
        # sudo: nobody but the addon writes in whose account an order is
        orders = self.sudo().filtered("portal_partner_id")
        orders._unclaim(self.env.user.partner_id)
        orders.portal_address = False  # only staff can add it again

    def _unclaim(self, author=None):
        """Remove orders from the accounts they were added to, with a note.

        :param author: the contact who does it; None where the claim has lost what it
            rested on
        """
        notes = {}
        for order in self:
            env = order._with_note_lang().env
            name = order.portal_claim_address
            notes[order] = (
                env._("Removed from the portal account of %s.", name)
                if author
                else env._(
                    "Removed from the portal account of %s: the customer, the address "
                    "or the account is not what it was.",
                    name,
                )
            )
        self._log_portal_account_notes(notes, author)
        for account, orders in self.grouped("portal_partner_id").items():
            # Customers can follow what they see.
            orders.message_unsubscribe(account.ids)
            orders.invoice_ids.message_unsubscribe(account.ids)
        self.with_context(tracking_disable=True).write(
            dict.fromkeys(CLAIM_FIELDS, False)
        )

    # === What claims rest on === #

    def action_confirm(self):
        """Override of `sale` to keep the address as it is now, and not as it may be
        when Odoo writes the order."""
        res = super().action_confirm()
        # sudo: whoever confirms may not read the field
        self.sudo().mapped("portal_address")
        return res

    def write(self, vals):
        """Override of `sale`: claims end with the customer they rest on."""
        moved = self.browse()
        if "partner_id" in vals:
            moved = self.filtered(
                lambda order: order.partner_id.id != vals["partner_id"]
            )
        res = super().write(vals)
        # sudo: those who edit an order may not write claims
        orders = moved.sudo()
        orders.filtered("portal_partner_id")._end_unfit_claims()
        # They were mailed to the customer of before: only staff can add them now.
        orders.filtered(lambda order: order.state == "sale").portal_address = False
        return res

    def _end_unfit_claims(self):
        """Remove those of these claimed orders from the accounts whose customer,
        address or account is not any more what the claim rests on."""
        guests = self.search(
            Domain("id", "in", self.ids) & self._get_guest_contact_domain()
        )
        unfit = self.filtered(
            lambda order: (
                # Staff know what no rule can.
                (order.portal_claim_method != "staff" and order not in guests)
                or order.partner_id.id != order.portal_claim_customer
                or order.partner_id._get_portal_address() != order.portal_claim_address
                or order._is_of_another_company(order.portal_partner_id)
                or not any(
                    user._is_portal()
                    and user._get_mailbox() == order.portal_claim_address
                    for user in order.portal_partner_id.user_ids
                )
            )
        )
        if unfit:
            unfit._unclaim()

    @api.autovacuum
    def _gc_unfit_claims(self):
        """End the claims whose ground was changed without anybody telling, by SQL."""
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT sale.id
                  FROM sale_order sale
                  JOIN res_partner customer ON customer.id = sale.partner_id
                  JOIN res_partner account ON account.id = sale.portal_partner_id
                 WHERE sale.portal_partner_id IS NOT NULL
                   AND (
                            sale.partner_id IS DISTINCT FROM sale.portal_claim_customer
                         OR customer.email IS DISTINCT FROM sale.portal_claim_address
                         OR account.email IS DISTINCT FROM sale.portal_claim_address
                         OR account.company_id IS NOT NULL
                         OR customer.parent_id IS NOT NULL
                         OR customer.is_company
                         OR EXISTS (
                                SELECT FROM res_users WHERE partner_id = customer.id
                            )
                         OR EXISTS (
                                SELECT FROM res_partner WHERE parent_id = customer.id
                            )
                         OR NOT EXISTS (
                                SELECT FROM res_users users
                                 WHERE users.partner_id = sale.portal_partner_id
                                   AND users.active AND users.share
                                   AND users.login = sale.portal_claim_address
                            )
                       )
                """
            )
        )
        # What is found for another spelling, or for a company, may well stay.
        self.browse(order_id for [order_id] in rows)._end_unfit_claims()

    def _find_account_users(self):
        """Return the portal users that have the customers' addresses as login.

        :return: dict of orders' ids to users of other contacts; None is no user
        """
        Users = self.env["res.users"]
        users_by_customer, found = self._find_customer_users(), {None: Users}
        for order in self:
            own = order.partner_id.id
            for user in order._filter_customer_users(users_by_customer):
                if user.active and user.share and user.partner_id != own:
                    found.setdefault(order.id, Users.browse(user.id))
        return found

    # === By customers === #

    @api.model
    def _find_claimable_orders(self, user, domain=Domain.TRUE, limit=None):
        """Return confirmed orders of a portal user's address that are in no account.

        That the user reads what is mailed there is for the caller to know.

        :param domain: for some orders only
        """
        # sudo: customers do not see these orders before they add them
        orders = self.sudo().search(
            self._get_claimable_domain(user) & domain, order="id", limit=limit
        )
        return orders.filtered(
            lambda order: order.partner_id._get_portal_address() == order.portal_address
        )

    @api.model
    def _get_claimable_domain(self, user):
        """Return the domain of what a portal user may add to the own account."""
        user = user.sudo()
        address = user._get_mailbox()
        if not address or not user._is_portal():
            return Domain.FALSE
        domain = self._get_guest_domain() & Domain(
            [
                ("portal_address", "=", address),
                ("company_id", "in", user.company_ids.ids),
                ("company_id.portal_order_claims", "=", True),
            ]
        )
        if company := user.partner_id.company_id:
            domain &= Domain("company_id", "child_of", company.ids)
        if website := user.website_id:
            own = ("website_id", "in", (False, website.id))
            of_contact = ("partner_id.website_id", "in", (False, website.id))
            domain &= Domain([own, "|", ("website_id", "!=", False), of_contact])
        return domain

    @api.model
    def _get_guest_domain(self):
        """Return the domain of confirmed orders of guests that are in no account.

        A guest's contact has no company, no people and no user, archived or not, and
        the address that the order was mailed to; where that is not spelled in ASCII,
        the caller looks at it. It may have addresses below: the checkout creates one
        for a delivery to somewhere else.
        """
        open_orders = [("state", "=", "sale"), ("portal_partner_id", "=", False)]
        return Domain(open_orders) & self._get_guest_contact_domain()

    @api.model
    def _get_guest_contact_domain(self):
        """Return the domain of orders whose customer is still the guest who ordered."""
        self.env["res.users"].flush_model(["partner_id"])
        self.env["res.partner"].flush_model(
            ["email_normalized", "is_company", "parent_id", "type"]
        )
        return Domain.custom(
            to_sql=lambda model, alias, query: SQL(
                """
                EXISTS (
                    SELECT FROM res_partner guest
                     WHERE guest.id = %s
                       AND guest.parent_id IS NULL
                       AND guest.is_company IS NOT TRUE
                       AND (
                                guest.email_normalized = %s
                             OR guest.email_normalized ~ '[^[:ascii:]]'
                           )
                       AND NOT EXISTS (
                                SELECT FROM res_users WHERE partner_id = guest.id
                           )
                       AND NOT EXISTS (
                                SELECT FROM res_partner child
                                 WHERE child.parent_id = guest.id
                                   AND COALESCE(child.type, 'contact') = 'contact'
                           )
                )
                """,
                SQL.identifier(alias, "partner_id"),
                SQL.identifier(alias, "portal_address"),
            )
        )

    def _find_orders_to_claim(self):
        """Return the orders that the activation of the accounts of these orders'
        customers would add to them."""
        partners = self.filtered("company_id.portal_order_claims").partner_id
        addresses = {partner._get_portal_address() for partner in partners} - {False}
        return self.search(
            self._get_guest_domain()
            & Domain(
                [
                    ("portal_address", "in", list(addresses)),
                    ("partner_id", "not in", partners.ids),
                    ("company_id", "in", self.company_id.ids),
                ]
            )
        )

    def _get_claim_offer(self, user):
        """Return what the order's page offers to its visitor.

        :return: "sign_in", "add", or False
        """
        self.ensure_one()
        # sudo: a visitor may not read contacts and users, and learns nothing of them:
        # who has an account makes no difference
        order = self.sudo()
        if user._is_public():
            is_offered = (
                order.company_id.portal_order_claims
                and order.website_id.account_on_checkout != "mandatory"
                and order.search_count(
                    order._get_guest_domain() & Domain("id", "=", order.id), limit=1
                )
            )
            return "sign_in" if is_offered else False
        return "add" if order._is_claimable_by(user) else False

    def _is_claimable_by(self, user):
        """Return whether a portal user may add this order to the own account."""
        return bool(self._find_claimable_orders(user, Domain("id", "in", self.ids)))

    @api.model
    def _cron_claim(self):
        """Add what was left of the orders of proven addresses, some at a time."""
        IrCron = self.env["ir.cron"]
        domain = [("portal_claim_due", "!=", False)]
        while contact := self.env["res.partner"].search(domain, order="id", limit=1):
            is_done = contact.user_ids[:1]._claim_past_orders(contact.portal_claim_due)
            if is_done:
                contact.portal_claim_due = False
            if not IrCron._commit_progress(1, remaining=1):
                return
        IrCron._commit_progress(remaining=0)

    # === Claiming === #

    def _claim_for(self, user, method, author=None):
        """Show these orders in the account of a portal user; change nothing else.

        :param method: see ``portal_claim_method``
        :param author: the contact who does it; the user's own if None
        """
        values = {
            "portal_partner_id": user.partner_id.id,
            "portal_claim_date": fields.Datetime.now(),
            "portal_claim_method": method,
            "portal_claim_address": user._get_mailbox(),
        }
        for customer, orders in self.grouped("partner_id").items():
            orders.with_context(tracking_disable=True).write(
                {**values, "portal_claim_customer": customer.id}
            )
        notes = {order: order._get_claim_note(user, method) for order in self}
        self._log_portal_account_notes(notes, author or user.partner_id)

    def _get_claim_note(self, user, method):
        """Return the note on an order that is added to an account."""
        order = self._with_note_lang()
        field = self._fields["portal_claim_method"]
        return order.env._(
            "Added to the portal account %(login)s (%(method)s).",
            login=user.login,
            method=dict(field._description_selection(order.env))[method],
        )
