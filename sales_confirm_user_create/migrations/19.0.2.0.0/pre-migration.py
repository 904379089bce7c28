"""Have the mail template of invitations installed anew: it is of another model now."""

import logging

from odoo import SUPERUSER_ID, api

_logger = logging.getLogger(__name__)


def migrate(cr, version):
    """Archive the template if the shop has edited it; the message is posted later."""
    env = api.Environment(cr, SUPERUSER_ID, {})
    xml_id = "sales_confirm_user_create.mail_template_portal_invitation"
    template = env.ref(xml_id, raise_if_not_found=False)
    if not template:
        return
    if template.write_date == template.create_date:
        template.unlink()
        return
    domain = [("model", "=", template._name), ("res_id", "=", template.id)]
    env["ir.model.data"].search(domain).unlink()
    name = f"{template.name} (edited before 19.0.2)"
    template.write({"active": False, "name": name})
    _logger.warning("Portal invitations have a new mail template. Archived: %s", name)
