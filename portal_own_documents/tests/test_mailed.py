from urllib.parse import urlsplit

from lxml import html

from odoo.tests import tagged

from .common import OwnDocumentsCommon


@tagged("post_install", "-at_install")
class TestMailed(OwnDocumentsCommon):
    """What staff mail to a user with own documents only."""

    def _send(self, order, partner, **values):
        """Send a document by email; return the link in it, as a path."""
        message = order.message_post(
            body="Please look.", partner_ids=partner.ids, message_type="comment"
        )
        mails = self.env["mail.mail"].search([("mail_message_id", "=", message.id)])
        mail = mails.filtered(lambda mail: partner in mail.recipient_ids)
        [link] = html.fromstring(str(mail.body_html)).xpath(
            "//a[contains(@href, '/mail/view')]/@href"
        )[:1]
        link = urlsplit(link)
        return f"{link.path}?{link.query}"

    def test_quotation_of_a_colleague_opens_by_its_email_alone(self):
        quotation = self._create_order(self.bob)
        link = self._send(quotation, self.customer)
        self._log_in(self.user)
        for path in ("/my/quotes", f"/my/orders/{quotation.id}"):
            self.assertNotIn(quotation.name, self.url_open(path).text)
        response = self.url_open(link)
        self.assertEqual(urlsplit(response.url).path, f"/my/orders/{quotation.id}")
        self.assertIn(quotation.name, response.text)
        self.assertNotIn(quotation.name, self.url_open("/my/quotes").text)

    def test_user_who_sees_the_whole_company_gets_no_token(self):
        quotation = self._create_order(self.bob)
        link = self._send(quotation, self.manager.partner_id)
        self.assertNotIn("access_token", link)
        self._log_in(self.manager)
        self.assertIn(quotation.name, self.url_open(link).text)

    def test_follower_whom_nobody_chose_gets_no_token(self):
        quotation = self._create_order(self.bob)
        quotation.message_subscribe(self.customer.ids)
        quotation.message_post(body="News", subtype_xmlid="mail.mt_comment")
        self.assertFalse(
            self.env["mail.mail"].search(
                [
                    ("recipient_ids", "in", self.customer.ids),
                    ("body_html", "like", "access_token"),
                ]
            )
        )
