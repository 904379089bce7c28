from odoo import api, fields, models
from odoo.http import request
from odoo.tools import SQL, split_every
from odoo.tools.translate import LazyTranslate

_lt = LazyTranslate(__name__)

UNCLAIMED = _lt("Removed from the portal account.")
UNFIT = _lt(
    "Removed from the portal account: the customer, the address or the account is not "
    "what it was."
)
CLAIM = ("date", "method", "customer", "address")
CLAIM_FIELDS = ("portal_partner_id", *(f"portal_claim_{name}" for name in CLAIM))


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
    portal_claim_customer = fields.Integer(copy=False, groups=fields.NO_ACCESS)
    portal_claim_address = fields.Char(copy=False, groups=fields.NO_ACCESS)
    # Where the order was mailed when it was confirmed: customers who read what arrives
    # there can add it. Empty for orders from before the addon: nobody knows.
    portal_address = fields.Char(
        copy=False, index="btree_not_null", groups=fields.NO_ACCESS
    )
    portal_known_partner_id = fields.Many2one(
        comodel_name="res.partner",
        string="Contact with the Account",
        compute="_compute_portal_known_account",
        groups="base.group_user",
    )
    portal_known_elsewhere = fields.Boolean(
        string="In Another Company",
        compute="_compute_portal_known_account",
        groups="base.group_user",
    )
    portal_proof_date = fields.Datetime(
        string="Address Confirmed On",
        compute="_compute_portal_known_account",
        groups="base.group_user",
        help="When the customer opened a link that was emailed to the login. Empty: "
        "never, anybody can have signed up with the address.",
    )

    @api.depends("partner_id.email", "portal_partner_id", "state", "website_id")
    @api.depends_context("uid", "allowed_company_ids")
    def _compute_portal_known_account(self):
        # sudo: a salesperson learns of the account that has the customer's address, and
        # of its contact what they may read of it anyway
        orders_sudo = self.sudo()
        users = orders_sudo._find_account_users()
        known = orders_sudo.env["res.users"].concat(*users.values()).partner_id
        readable = known.with_env(self.env)._filtered_access("read")
        for order, order_sudo in zip(self, orders_sudo, strict=True):
            user = users[order_sudo]
            accounts = order_sudo.portal_partner_id.user_ids or user
            account = (accounts or order_sudo.partner_id.user_ids)[:1]
            order.portal_known_partner_id = readable & user.partner_id
            order.portal_known_elsewhere = user.partner_id - readable
            order.portal_proof_date = account._get_proof_date()

    @api.model
    def _get_portal_protected_fields(self):
        """Extend with what a claim is."""
        return super()._get_portal_protected_fields() | {*CLAIM_FIELDS}

    def _get_order_page_view(self):
        """Extend to offer to add the order to the account."""
        view = super()._get_order_page_view()
        if not view and request and self._filter_claimable(request.env.user):
            return "sale_portal_claim.portal_order_claim"
        return view

    # === By staff === #

    def action_claim_for_account(self):
        """Add the orders to the accounts that have their customers' addresses; also for
        contacts of companies. The form asks about accounts that were never proven.

        :return: an action that shows what was added, and why other orders were not
        :raise AccessError: the user is no salesperson or may not edit the orders
        """
        self._check_portal_account_access()
        # sudo: a salesperson may add the orders they edit, and reads no users by it
        orders_sudo = self.sudo()
        users = orders_sudo._find_account_users()
        reasons = {
            order: order._get_no_claim_reason(users[order]) for order in orders_sudo
        }
        added = orders_sudo.filtered(lambda order: not reasons[order])
        for user, orders in added.grouped(users.get).items():
            orders._claim_for(user, "staff", self.env.user.partner_id)
        return self.env["portal.invitation"]._notify_done(
            self.env._("Orders added: %s.", len(added)) if added else None,
            {order: reasons[order] for order in orders_sudo - added},
        )

    def _get_no_claim_reason(self, user):
        """Return why staff cannot add the order, to be translated, or False.

        :param user: the account that has the customer's address, or an empty one
        """
        if self.state != "sale" or self.portal_partner_id:
            return _lt("the order is not confirmed, or in an account already.")
        if not user:
            return _lt("no other contact has an account with this address.")
        if not user._get_mailbox():
            return _lt(
                "the account's contact has another email address than its login."
            )
        if not user._fits_order(self):
            return _lt("the account belongs to another company.")
        is_asked = self.env.context.get("sale_portal_claim_asked")
        if not is_asked and not user._get_proof_date():
            return _lt(
                "the address of the account was never confirmed. Add the order on its "
                "form."
            )
        return False

    def _find_account_users(self):
        """Return the portal users that have the customers' addresses as login.

        :return: dict of orders to a user of another contact, or an empty one
        """
        users_by_customer = self._find_accounts()
        return {
            order: self.env["res.users"].browse(
                user.id
                for user in order._filter_customer_users(users_by_customer)
                if user.active and user.share and user.partner_id != order.partner_id.id
            )[:1]
            for order in self
        }

    def action_unclaim(self):
        """Remove the orders from the accounts they were added to; for salespeople.

        :raise AccessError: the user is no salesperson or may not edit the orders
        """
        self._check_portal_account_access()
        # sudo: nobody but the addon writes in whose account an order is
        orders_sudo = self.sudo().filtered("portal_partner_id")
        orders_sudo._unclaim(UNCLAIMED, self.env.user.partner_id)
        orders_sudo.portal_address = False  # only staff can add it again

    # === By customers === #

    @api.model
    def _find_claimable_orders(self, user):
        """Return the orders that a portal user may add to the own account.

        That the user reads what is mailed to the login is for the caller to know.
        """
        # sudo: customers read neither how they log in nor orders that are not theirs
        address = user.sudo()._get_mailbox()
        domain = [("portal_address", "=", address), ("portal_partner_id", "=", False)]
        orders_sudo = self.sudo().search(domain, order="id") if address else self
        return orders_sudo._filter_claimable(user)

    def _filter_claimable(self, user):
        """Return the confirmed orders of guests that may be added to a user's account;
        for a visitor, to an account that may not even exist."""
        # sudo: as above, and visitors may not read settings
        orders_sudo, user_sudo = self.sudo(), user.sudo()
        guests = orders_sudo.partner_id._filter_guests()
        return orders_sudo.filtered(
            lambda order: (
                order.state == "sale"
                and not order.portal_partner_id
                and order.company_id.portal_order_claims
                and order.partner_id in guests
                and order.portal_address
                and order.portal_address == order.partner_id._get_portal_address()
                and (
                    order.website_id.account_on_checkout != "mandatory"
                    if user_sudo._is_public()
                    else user_sudo._fits_order(order)
                )
            )
        )

    def _claim_for(self, user, method, author=None):
        """Show these orders in the account of a portal user; change nothing else.

        :param method: see ``portal_claim_method``
        :param author: the contact who does it; the user's own if None
        """
        # Whoever corrects a customer now waits, or has this started anew.
        self.env.execute_query(
            SQL(
                "SELECT id FROM res_partner WHERE id = ANY(%s) FOR SHARE",
                self.partner_id.ids,
            )
        )
        values = {
            "portal_partner_id": user.partner_id.id,
            "portal_claim_date": fields.Datetime.now(),
            "portal_claim_method": method,
            "portal_claim_address": user._get_mailbox(),
        }
        for customer, orders in self.grouped("partner_id").items():
            orders.write({**values, "portal_claim_customer": customer.id})
        field, notes = self._fields["portal_claim_method"], {}
        for order in self:
            env = order._with_note_lang().env
            notes[order] = env._(
                "Added to the portal account %(login)s (%(method)s).",
                login=user.login,
                method=dict(field._description_selection(env))[method],
            )
        self._log_portal_account_notes(notes, author or user.partner_id)

    def _unclaim(self, note, author=None):
        """Remove orders from the accounts they were added to.

        :param note: text, to be translated
        :param author: the contact who does it; OdooBot's if None
        """
        notes = {order: order._with_note_lang().env._(note) for order in self}
        self._log_portal_account_notes(notes, author)
        for account, orders in self.grouped("portal_partner_id").items():
            # Customers can follow what they see.
            orders.message_unsubscribe(account.ids)
            orders.invoice_ids.message_unsubscribe(account.ids)
            orders.write(dict.fromkeys(CLAIM_FIELDS, False))

    def _end_unfit_claims(self):
        """End those of these claims that do not fit any more."""
        guests = self.partner_id._filter_guests()
        fit = self.filtered(
            lambda order: (
                order.partner_id.id == order.portal_claim_customer
                and order.partner_id._get_portal_address() == order.portal_claim_address
                # staff know what no rule can
                and (order.portal_claim_method == "staff" or order.partner_id in guests)
                and any(
                    user._fits_order(order) for user in order.portal_partner_id.user_ids
                )
            )
        )
        (self - fit)._unclaim(UNFIT)

    @api.autovacuum
    def _gc_unfit_claims(self):
        """End also the claims whose ground was changed without anybody telling."""
        claimed = self.search([("portal_partner_id", "!=", False)])
        for orders in split_every(1000, claimed.ids, self.browse):
            orders._end_unfit_claims()
            # A long run must not fill the memory.
            self.env.flush_all()
            self.env.invalidate_all()

    def write(self, vals):
        """Override of `sale` to keep where an order is mailed, and to end the claim on
        one that gets another customer: only staff can add that again."""
        if vals.keys().isdisjoint({"partner_id", "state"}):
            return super().write(vals)
        before = {order.id: (order.partner_id, order.state) for order in self}
        res = super().write(vals)
        # sudo: those who edit or confirm an order may not write claims
        for order_sudo in self.sudo():
            customer, state = before[order_sudo.id]
            if order_sudo.partner_id != customer:
                order_sudo.filtered("portal_partner_id")._unclaim(UNFIT)
                order_sudo.portal_address = False
            elif order_sudo.state not in (state, "cancel"):
                is_mailed = order_sudo.state == "sale"
                address = is_mailed and order_sudo.partner_id._get_portal_address()
                order_sudo.portal_address = address
        return res
