import logging

from odoo import models
from odoo.tools import SQL

from ...tools import attempt

_logger = logging.getLogger(__name__)


class ResUsers(models.Model):
    _inherit = "res.users"

    def _filter_deletable(self):
        """Return the unused accounts that the addon created."""
        unused = self._filter_unused_accounts().filtered(
            lambda user: user.active and user.portal_invitation_ids.is_account_created
        )
        if not unused:
            return unused
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                "SELECT id FROM res_users WHERE id = ANY(%s) "
                "AND COALESCE(password, '') = '' ORDER BY id",
                unused.ids,
            )
        )
        return self.browse(user_id for [user_id] in rows)

    def _delete_unused(self):
        """Delete these users; archive those that other records refer to."""
        message = "Unused portal user %s is archived"
        for user in self:
            with attempt(self.env.cr, _logger, message, user.id):
                user.unlink()
        # They must not be the first in each batch of the vacuum.
        self.exists().active = False
