from odoo import api, fields, models
from odoo.http import request
from odoo.tools import SQL, split_every
from odoo.tools.translate import LazyTranslate

_lt = LazyTranslate(__name__)

UNFIT = _lt(
    "Removed from the portal account: the customer, the address or the account has "
    "changed."
)
CLAIM = ("date", "method", "customer", "address")
CLAIM_FIELDS = ("portal_partner_id", *(f"portal_claim_{name}" for name in CLAIM))


class SaleOrder(models.Model):
    """Orders that another contact's portal account shows."""

    _inherit = "sale.order"

    portal_partner_id = fields.Many2one(
        comodel_name="res.partner",
        string="In Account Of",
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
            ("browser", "Checkout session"),
            ("email", "Order email"),
            ("search", "Search in the portal"),
            ("staff", "Staff"),
        ],
        string="Claimed Via",
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

    @api.model
    def _get_portal_protected_fields(self):
        """Extend with what a claim is."""
        return super()._get_portal_protected_fields() | {*CLAIM_FIELDS}

    def _get_order_page_view(self):
        """Extend to offer to add the order to the account."""
        view = super()._get_order_page_view()
        if not view and request and self._filter_claimable(request.env.user):
            return "sale_portal_claim.portal_order_claim"
        # sudo: customers may not read whose account shows an order, nor cards of others
        if not view and self.sudo().portal_partner_id and self._filter_with_points():
            return "sale_portal_claim.portal_order_points"
        return view

    def _filter_with_points(self):
        """Return the orders whose customers have loyalty points or money in an eWallet,
        which are not in the accounts that show the orders."""
        if "loyalty.card" not in self.env:
            return self.browse()
        # sudo: customers may not read the cards of others
        domain = [
            ("partner_id", "in", self.sudo().partner_id.ids),
            ("program_type", "in", ("ewallet", "loyalty")),
            ("points", ">", 0),
        ]
        owners_sudo = self.env["loyalty.card"].sudo().search(domain).partner_id
        return self.filtered(lambda order: order.partner_id in owners_sudo)

    @api.model
    def _find_claimable_orders(self, user):
        """Return the orders that a portal user may add to their account.

        The caller knows that the user reads the emails to the login.
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
                    else user_sudo._can_have_order(order)
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
        for company in self.company_id:
            user._allow_company(company)
        field, notes = self._fields["portal_claim_method"], {}
        with_points = self._filter_with_points()
        for order in self:
            env = order._with_note_lang().env
            notes[order] = env._(
                "Added to %(account)s (%(method)s).",
                account=user.partner_id._get_html_link(env._("the portal account")),
                method=dict(field._description_selection(env))[method],
            )
            if order in with_points:
                notes[order] += " " + env._(
                    "The customer's loyalty points or eWallet stay with the customer "
                    "of the order: merge the contacts to move them."
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
        """End the claims that no longer fit."""
        guests = self.partner_id._filter_guests()
        fit = self.filtered(
            lambda order: (
                order.partner_id.id == order.portal_claim_customer
                and order.partner_id._get_portal_address() == order.portal_claim_address
                # staff know what no rule can
                and (order.portal_claim_method == "staff" or order.partner_id in guests)
                and any(
                    user._can_have_order(order) and order.company_id in user.company_ids
                    for user in order.portal_partner_id.user_ids
                )
            )
        )
        (self - fit)._unclaim(UNFIT)

    @api.autovacuum
    def _gc_unfit_claims(self):
        """End the claims that no longer fit because of a change by SQL."""
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
