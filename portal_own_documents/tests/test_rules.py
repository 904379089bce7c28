import re

from odoo import Command
from odoo.tests import tagged

from .common import OwnDocumentsCommon


@tagged("post_install", "-at_install")
class TestRules(OwnDocumentsCommon):
    """What the limit costs, and the rules of others."""

    def test_claimed_orders_need_one_rule_more(self):
        # as a rule of another module, or of a shop, would show it
        self.env["ir.rule"].create(
            {
                "name": "Claimed",
                "model_id": self.env["ir.model"]._get_id("sale.order"),
                "domain_force": f"[('id', '=', {self.bob_order.id})]",
                "groups": [Command.link(self.env.ref("base.group_portal").id)],
            }
        )
        self.assertEqual(
            self._get_all(self.user, self.orders), self.order + self.bob_order
        )

    def test_rules_of_other_modules_show_nothing_of_the_company(self):
        for path in (
            "user.partner_id.commercial_partner_id",
            "user.commercial_partner_id",
        ):
            domain = f"[('user_id.partner_id', 'child_of', [{path}.id])]"
            self.env["ir.rule"].create(
                {
                    "name": "Of another module",
                    "model_id": self.env["ir.model"]._get_id("utm.campaign"),
                    "domain_force": domain,
                    "groups": [Command.link(self.env.ref("base.group_portal").id)],
                }
            )
            IrRule = self.env["ir.rule"].with_user(self.user)
            domain = str(IrRule._compute_domain("utm.campaign", "read"))
            self.assertNotIn(str(self.acme.id), domain)
            self.assertIn(str(self.customer.id), domain)

    def test_other_users_pay_nothing(self):
        models = ("sale.order", "account.move", "account.move.line", "res.partner")
        users = self.manager, self.env.user, self.env.ref("base.public_user")

        def get_sql():
            self.env.registry.clear_cache()
            return [
                str(self.env[model].with_user(user)._search([]).select())
                for model in models
                for user in users
                if user != self.env.ref("base.public_user") or model == "res.partner"
            ]

        before = get_sql()
        rules = self.env["ir.rule"].search([("name", "like", "Portal, own documents")])
        self.assertEqual(len(rules), 3)
        rules.active = False
        self.assertEqual(get_sql(), before)

    def test_persons_without_company_have_the_rules_of_odoo(self):
        user = self._create_private_user()
        models = self.env["ir.rule"].search([]).model_id.mapped("model")

        def get_domains():
            IrRule = self.env["ir.rule"].with_user(user)
            return {
                (model, mode): str(IrRule._compute_domain(model, mode))
                for model in models
                for mode in ("read", "write", "create", "unlink")
            }

        self.assertGreater(len(models), 50)
        with_flag = get_domains()
        user.portal_own_documents = False
        self.env["ir.rule"].search(
            [("name", "like", "Portal, own documents")]
        ).active = False
        self.assertEqual(with_flag, get_domains())

    def test_cached_rules_need_no_query(self):
        internal = self.env.ref("base.user_admin")
        users = internal, self.manager, self.user, self._create_private_user()
        for user in users:
            IrRule = self.env["ir.rule"].with_user(user)
            IrRule._compute_domain("sale.order")
            with self.subTest(user.login), self.assertQueryCount(0):
                IrRule._compute_domain("sale.order")
        # Of others, the contact is read, which each of their pages shows anyway.
        for user, count in ((internal, 0), (self.manager, 3)):
            self.env["res.partner"].invalidate_model()
            IrRule = self.env["ir.rule"].with_user(user)
            with self.subTest(user.login), self.assertQueryCount(count):
                IrRule._compute_domain("sale.order")

    def test_changing_it_shows_at_once(self):
        self.assertEqual(self._get_all(self.user, self.orders), self.order)
        self.user.portal_own_documents = False
        self.assertEqual(self._get_all(self.user, self.orders), self.orders)
        self.user.portal_own_documents = True
        self.assertEqual(self._get_all(self.user, self.orders), self.order)

    def test_rules_of_portal_documents_name_no_company(self):
        nobody = self._create_private_user()
        self._merge(nobody.partner_id, self.acme)
        models = (
            "sale.order",
            "account.move",
            "stock.picking",
            "project.project",
            "project.task",
            "purchase.order",
            "helpdesk.ticket",
        )
        for model in filter(self.env.registry.get, models):
            for user, is_own in ((self.user, True), (nobody, False)):
                IrRule = self.env["ir.rule"].with_user(user)
                words = re.findall(r"\w+", str(IrRule._compute_domain(model, "read")))
                with self.subTest(model, user=user.login):
                    self.assertNotIn(str(self.acme.id), words)
                    self.assertEqual(str(self.customer.id) in words, is_own)

    def _get_domain(self, domain, user=None):
        """Return what a rule of a shop on campaigns allows."""
        rule = self.env["ir.rule"].create(
            {
                "name": "Of a shop",
                "model_id": self.env["ir.model"]._get_id("utm.campaign"),
                "domain_force": domain,
                "groups": [Command.link(self.env.ref("base.group_portal").id)],
            }
        )
        IrRule = self.env["ir.rule"].with_user(user or self.user)
        domain = str(IrRule._compute_domain("utm.campaign", "read"))
        rule.unlink()
        return domain

    def test_rules_of_shops_may_use_recordsets(self):
        home = self._create_customer("Home", "", parent_id=self.customer.id)
        nobody = self._create_private_user()
        self._merge(nobody.partner_id, self.acme)
        own = self.customer + home
        for expression, expected in (
            ("(user.partner_id | user.partner_id.child_ids).ids", own),
            ("(user.partner_id + user.partner_id.child_ids).ids", own),
            ("(user.commercial_partner_id | user.partner_id).ids", self.customer),
            ("(user.commercial_partner_id & user.partner_id).ids", self.customer),
            ("(user.partner_id - user.commercial_partner_id).ids", own.browse()),
            ("[p.commercial_partner_id.id for p in user.partner_id]", self.customer),
            ("[u.commercial_partner_id.id for u in user]", self.customer),
            ("user['commercial_partner_id'].ids", self.customer),
            ("user[0].partner_id[:1].commercial_partner_id.ids", self.customer),
            ("user.mapped('partner_id.commercial_partner_id.child_ids').ids", home),
            ("user.mapped('commercial_partner_id').ids", self.customer),
            ("user.mapped('commercial_partner_id.id')", self.customer),
            ("user.mapped(lambda u: u.commercial_partner_id).ids", self.customer),
            (
                "user.partner_id.filtered('active').commercial_partner_id.ids",
                self.customer,
            ),
            ("user.sudo().partner_id.sudo().commercial_partner_id.ids", self.customer),
            ("[1] * (user.partner_id in user.commercial_partner_id)", 1),
            ("[1] * (user.partner_id == user.commercial_partner_id)", 1),
            ("[1] * (user.commercial_partner_id != user.partner_id)", 0),
            ("[len(user.partner_id)]", 1),
        ):
            domain = f"[('user_id.partner_id', 'in', {expression})]"
            with self.subTest(expression):
                ids = expected if isinstance(expected, int) else expected.ids
                ids = [1] * expected if isinstance(expected, int) else ids
                plain = self._get_domain(f"[('user_id.partner_id', 'in', {ids})]")
                self.assertEqual(self._get_domain(domain), plain)
                others = self._get_domain(domain, nobody)
                self.assertNotIn(str(self.acme.id), others)
