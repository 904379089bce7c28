from odoo.exceptions import AccessError
from odoo.service.model import get_public_method
from odoo.tests import TransactionCase, tagged

MODELS = (
    "account.move",
    "portal.adoption.report",
    "portal.claim.request",
    "res.company",
    "res.config.settings",
    "res.partner",
    "res.users",
    "sale.order",
)
# Odoo's, and those of buttons
PUBLIC = {
    "action_claim_for_account",
    "action_claim_unproven",
    "action_unclaim",
    "unlink",
    "write",
}


@tagged("post_install", "-at_install")
class TestSecurity(TransactionCase):
    def test_methods_of_the_addon_cannot_be_called_from_outside(self):
        for model_name in MODELS:
            model = self.env[model_name]
            methods = {
                name
                for cls in type(model).mro()
                if cls.__module__.startswith("odoo.addons.sale_portal_claim.")
                for name, method in vars(cls).items()
                if callable(method) and not name.startswith("__")
            }
            for name in methods - PUBLIC:
                with (
                    self.subTest(model=model_name, method=name),
                    self.assertRaises(AccessError),
                ):
                    get_public_method(model, name)
