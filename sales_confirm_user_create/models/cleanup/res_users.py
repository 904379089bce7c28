import logging

from odoo import models
from odoo.tools import SQL

from ...tools import RETRIED_EXCEPTIONS

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
                "SELECT id FROM res_users WHERE id IN %s "
                "AND COALESCE(password, '') = '' ORDER BY id",
                unused._ids,
            )
        )
        return self.browse(user_id for [user_id] in rows)

    def _delete_unused(self):
        """Delete these users; archive those that other records refer to."""
        for user in self:
            try:
                with self.env.cr.savepoint():
                    user.unlink()
            except RETRIED_EXCEPTIONS:
                raise
            except Exception:
                # It must not be the first in each batch of the vacuum.
                _logger.exception("Unused portal user %s is archived", user.id)
                user.active = False
