from lxml import etree

from odoo.tests import tagged
from odoo.tools import convert_file

from .common_http import PortalPageCase

ADDON = "sales_confirm_user_create"
VIEWS = (
    "views/portal_activate_templates.xml",
    "views/portal_notice_templates.xml",
    "views/website_sale_templates.xml",
    "views/sale_portal_templates.xml",
)
CONTENT = "sale.sale_order_portal_content"
ORDER = "sale.sale_order_portal_template"
SIGN_UP = "auth_signup.signup"
CONFIRMATION = "website_sale.confirmation"
STATUS = "website_sale.payment_confirmation_status"


@tagged("post_install", "-at_install")
class TestPagesChangedByView(PortalPageCase):
    """A shop has removed parts of Odoo's pages: the addon installs, updates and works.

    This shop has done so by a view that inherits from the page, after installing.
    """

    order = url = None

    def setUp(self):
        super().setUp()
        # What other addons add to the parts that the shop removes is theirs to handle.
        authors = [("author", "ilike", "Odoo Community Association")]
        others = self.env["ir.module.module"].search(authors).mapped("name")
        views = self.env["ir.ui.view"].search(
            [("inherit_id.key", "in", (CONFIRMATION, STATUS))]
        )
        views.filtered(lambda view: view.key.split(".")[0] in others).active = False

    def _change(self, xmlid, parts):
        """Remove what XPath expressions find in a page."""
        specs = [
            etree.tostring(
                etree.Element("xpath", expr=part, position="replace"),
                encoding="unicode",
            )
            for part in parts
        ]
        self.env["ir.ui.view"].create(
            {
                "name": "Changed by the shop",
                "type": "qweb",
                "key": f"shop.changed_{xmlid}",
                "mode": "extension",
                "inherit_id": self.env.ref(xmlid).id,
                "arch": f"<data>{''.join(specs)}</data>",
            }
        )

    def _remove(self, parts_by_page, is_message_lost=False):
        """Have a shop change pages; open the first, before and after an update.

        :param parts_by_page: dict of XML ids to lists of XPath expressions
        """
        for xmlid, parts in parts_by_page.items():
            self._change(xmlid, parts)
        page = next(iter(parts_by_page))
        self._open_page(page, is_message_lost)
        self._load_views("update")
        self._open_page(page, is_message_lost)
        views = self.env["ir.ui.view"].with_context(website_id=self.website.id)
        for xmlid, parts in parts_by_page.items():
            arch = views._get_template_view(xmlid)._get_combined_arch()
            for part in parts:
                self.assertFalse(arch.xpath(part), "the page is as the shop wants it")

    def _load_views(self, mode):
        """Install or update the addon's parts of pages, as Odoo does."""
        for name in VIEWS:
            convert_file(self.env, ADDON, name, {}, mode)
        views = self.env["ir.ui.view"]
        views._create_all_specific_views([ADDON])
        views.search([("key", "=like", f"{ADDON}.%")])._check_xml()

    def _open_page(self, xmlid, is_message_lost):
        """Open a page as a customer who is to read that there is an account."""
        if xmlid == SIGN_UP:
            self._open_browser()
            page = self._get_page("/web/signup")
            self.assertTrue(page.xpath("//form[hasclass('oe_signup_form')]"))
            return
        if not self.order:
            self.order = self._create_order(website_id=self.website.id)
            self.url = self._accept_quotation(self.order)
        if xmlid in (ORDER, CONTENT):
            page = self._get_page(self.url)
        else:
            page = self._get_confirmation_page(self.order)
        self.assertEqual(len(self._get_message(page)), not is_message_lost)

    def test_confirmation_without_the_sign_up_block_and_with_an_empty_status(self):
        block = "//t[contains(@t-if, '_get_signup_invitation_scope')]"
        status = "//div[@name='order_confirmation']"
        self._remove({CONFIRMATION: [block], STATUS: [status]})

    def test_confirmation_without_the_status_of_the_payment(self):
        call = f"//t[@t-call='{STATUS}']"
        self._remove({CONFIRMATION: [call]}, is_message_lost=True)

    def test_sign_up_without_passwords_way_back_and_other_providers(self):
        parts = [
            "//t[@t-call='auth_signup.fields']",
            "//a[contains(@t-attf-href, '/web/login')]",
            "//t[@t-call='web.login_oauth']",
        ]
        self._remove({SIGN_UP: parts})

    def test_order_without_messages_introduction_and_state_of_the_payment(self):
        payment = "//t[@t-call='payment.state_header']"
        self._remove(
            {
                ORDER: [payment, "//div[@t-if=\"message == 'sign_ok'\"]"],
                CONTENT: [payment, "//div[@id='introduction']"],
            }
        )

    def test_order_without_its_content(self):
        content = "//div[@id='portal_sale_content']"
        self._remove({ORDER: [content]}, is_message_lost=True)


class ShopWithChangesBefore:
    """A shop that installs the addon after it has changed its pages."""

    def _change(self, xmlid, parts):
        pages = [("key", "=like", f"{ADDON}.%"), ("key", "not like", ".mail_")]
        self.env["ir.ui.view"].search(pages).with_context(_force_unlink=True).unlink()
        changed = super()._change(xmlid, parts)
        self._load_views("init")
        return changed


class TestPagesChangedOnWebsite(TestPagesChangedByView):
    """This shop has changed the page of its website, as the website editor does."""

    def _change(self, xmlid, parts):
        view = self.env.ref(xmlid)
        arch = etree.fromstring(view.arch)
        for part in parts:
            [node] = arch.xpath(part)
            node.getparent().remove(node)
        view.with_context(website_id=self.website.id).arch = etree.tostring(arch)


class TestPagesChangedByViewBefore(ShopWithChangesBefore, TestPagesChangedByView):
    """As above, before installing."""


class TestPagesChangedOnWebsiteBefore(ShopWithChangesBefore, TestPagesChangedOnWebsite):
    """As above, before installing."""
