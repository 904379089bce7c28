from datetime import datetime, timedelta

from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common_http import PortalPageCase

# What a shop deletes in Odoo's technical menus, and what pages are made of.
MODELS = ("ir.cron", "ir.ui.view", "mail.template")
MODULES = ("sales_confirm_user_create", "sale_portal_claim")


@tagged("post_install", "-at_install")
class TestDeletedRecords(PortalPageCase):
    """No page is an error, whatever record of ours a shop has deleted; templates that
    pages call are not."""

    def _get_records(self):
        """Return the records that pages and confirmations use, by their external id."""
        domain = [("module", "in", MODULES), ("model", "in", MODELS)]
        for data in self.env["ir.model.data"].search(domain):
            record = self.env[data.model].browse(data.res_id)
            if data.model != "ir.ui.view" or record.type == "qweb":
                yield data.complete_name, record

    def _assert_pages_open(self, order):
        """Open all pages with something of ours."""
        invitation = order.partner_id.user_ids.portal_invitation_ids
        guest = self._create_customer("Guest", "guest@example.com")
        guest_order = self._create_order(guest, website_id=self.website.id)
        self.company.portal_account_policy = "ask"
        guest_order.action_confirm()
        self._get_confirmation_page(guest_order)
        self._get_page(guest_order.get_portal_url())
        self._get_page("/web/login?redirect=/my/orders/1")
        self._get_page(invitation._get_decline_link())
        link = invitation._get_link(datetime.now() + timedelta(days=1))
        response = self._choose_password(self._open_link(link))
        self.assertEqual(response.status_code, 200)
        urls = ["/my/orders", order.get_portal_url()]
        if "portal.claim.request" in self.env:
            urls.append("/web/portal/missing")
        for url in urls:
            self._get_page(url)

    def test_pages_open_whatever_is_deleted(self):
        for name, record in self._get_records():
            with self.subTest(name), self.env.cr.savepoint() as savepoint:
                try:
                    record.unlink()
                except UserError as error:
                    self.assertIn(name, error.args[0])
                    continue
                order = self._create_order(website_id=self.website.id)
                order.action_confirm()
                with mute_logger("odoo.addons.sales_confirm_user_create"):
                    self._assert_pages_open(order)
                savepoint.rollback()
            self.env.invalidate_all()
            self.env.registry.clear_all_caches()
