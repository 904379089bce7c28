import logging

from odoo import models

from ...tools import RETRIED_EXCEPTIONS

_logger = logging.getLogger(__name__)


class ResUsers(models.Model):
    _inherit = "res.users"

    def _delete_unused(self):
        """Delete users whom nobody misses; archive those that something refers to."""
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
