from lxml import html

from odoo import Command, fields, http
from odoo.tests import new_test_user, tagged

from odoo.addons.sales_confirm_user_create.tests.common_http import PortalPageCase

PASSWORD = "Secret-12345"


@tagged("post_install", "-at_install")
class TeamCommon(PortalPageCase):
    """A company with its administrator Anna, the buyer Bob and the viewer Vera, and
    another company with its administrator Zoe."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.acme = cls._create_customer(
            "Acme", "acme@example.com", is_company=True, user_id=cls.salesperson.id
        )
        cls.zeta = cls._create_customer("Zeta", "zeta@example.com", is_company=True)
        cls.anna = cls._create_member("Anna", "administrator")
        cls.bob = cls._create_member("Bob", "buyer")
        cls.vera = cls._create_member("Vera", "viewer")
        cls.zoe = cls._create_member("Zoe", "administrator", cls.zeta)

    @classmethod
    def _create_member(cls, name, role, company=None, **values):
        """Return an active portal user of a company."""
        login = f"{name.lower()}@example.com"
        user = new_test_user(
            cls.env,
            login,
            "base.group_portal",
            password=PASSWORD,
            name=name,
            email=login,
            portal_activation_date=fields.Datetime.now(),
        )
        user.partner_id.parent_id = company or cls.acme
        user.write({"portal_role": role, **values})
        return user

    def _as(self, user):
        """Log in as a user."""
        self.authenticate(user.login, PASSWORD)

    def _post(self, url="/my/team", **data):
        """Send a form; return the page that follows, and its message."""
        data.setdefault("csrf_token", http.Request.csrf_token(self))
        response = self.url_open(url, data=data)
        self.env.invalidate_all()
        return response

    def _do(self, action, **data):
        """Press a button of the page; return what it says then."""
        response = self._post(action=action, **data)
        self.assertEqual(response.status_code, 200)
        found = html.fromstring(response.text).xpath(
            "//*[contains(@class, 'o_portal_team')]//*[contains(@class, 'alert')]"
        )
        return " ".join(" ".join(e.text_content() for e in found).split())

    def _invite_member(self, email="dora@example.com", role="buyer", name="Dora"):
        """Invite somebody as the user who is logged in; return what the page says."""
        return self._do("invite", name=name, email=email, role=role)

    def _get_rows(self, search=""):
        """Return the texts of the people on the page, by name."""
        page = html.fromstring(self.url_open(f"/my/team?search={search}").text)
        rows = page.xpath("//li[contains(@class, 'list-group-item')]")
        return {
            row.xpath(".//strong")[0].text_content().strip(): " ".join(
                row.xpath("./div")[0].text_content().split()
            )
            for row in rows
        }

    def _get_key(self, name):
        """Return the key of a person in forms of the page."""
        page = html.fromstring(self.url_open("/my/team").text)
        [key] = page.xpath(
            f"//li[.//strong[normalize-space()='{name}']]//input[@name='member']/@value"
        )
        return key

    def _get_user(self, login="dora@example.com"):
        return self._get_users(login)

    def _get_texts(self, partner):
        """Return the texts of the notes on a contact, latest first."""
        bodies = partner.message_ids.mapped("body")
        return [html.fromstring(str(body)).text_content() for body in bodies if body]

    def _create_quotation(self, user, **values):
        order = self._create_so(partner_id=user.partner_id.id, **values)
        order.state = "sent"
        order._portal_ensure_token()
        return order

    @classmethod
    def _create_published_product(cls):
        product = cls.product
        product.write({"is_published": True, "sale_ok": True, "list_price": 10})
        return product

    def _line(self):
        return Command.create({"product_id": self.product.id})
