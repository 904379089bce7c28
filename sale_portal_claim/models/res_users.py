import logging

from odoo import models

from odoo.addons.sales_confirm_user_create.tools import RETRIED_EXCEPTIONS

_logger = logging.getLogger(__name__)

# More are added by the scheduled action.
CLAIM_BATCH = 100


class ResUsers(models.Model):
    _inherit = "res.users"

    def _on_mailbox_proven(self, method, kept=()):
        """Extend to add the orders of the address to the account."""
        res = super()._on_mailbox_proven(method, kept)
        self.sudo()._claim_proven_orders(method)
        return res

    def write(self, vals):
        """Override of `base`: an account that ends, or gets another login, releases its
        claims."""
        partners = self.browse().partner_id
        if not {"active", "group_ids", "login", "partner_id"}.isdisjoint(vals):
            partners = self.partner_id
        res = super().write(vals)
        partners._end_unfit_claims()
        return res

    def unlink(self):
        """Override of `base`: an account that ends releases its claims."""
        partners = self.partner_id
        res = super().unlink()
        partners.exists()._end_unfit_claims()
        return res

    def _claim_past_orders(self, method):
        """Add the orders of an address that the user has just proven to read.

        Nothing that goes wrong keeps the customer from logging in.

        :return: whether none is left
        """
        orders = self.env["sale.order"]
        if not self.sudo()._get_proof_date():
            return True  # the login was changed since
        try:
            with self.env.cr.savepoint():
                orders = orders._find_claimable_orders(self, limit=CLAIM_BATCH)
                orders._claim_for(self.sudo(), method)
        except RETRIED_EXCEPTIONS:
            raise
        except Exception:
            _logger.exception("No orders claimed for user %s", self.id)
            return True
        return len(orders) < CLAIM_BATCH

    def _claim_proven_orders(self, method):
        """Add the first orders of a proven address now, and the rest by a job."""
        if not self._claim_past_orders(method):
            # sudo: customers may cause the scheduled action to go on
            self.sudo().partner_id.portal_claim_due = method
            job = self.env.ref(
                "sale_portal_claim.ir_cron_portal_claim",
                raise_if_not_found=False,
            )
            if job:
                job.sudo()._trigger()
