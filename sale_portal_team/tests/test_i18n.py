from odoo.tests import tagged

from odoo.addons.portal_own_documents.tests import test_i18n


@tagged("post_install", "-at_install")
class TestI18n(test_i18n.TestI18n):
    """The translations of this addon."""
