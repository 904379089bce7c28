import logging

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import SQL

from .portal_invitation_mail import RETRIED_EXCEPTIONS

_logger = logging.getLogger(__name__)

# PostgreSQL checks some 600 foreign keys for each user: it takes 0.1 s, and more in a
# large database.
VACUUM_BATCH = 50


class ResCompany(models.Model):
    _inherit = "res.company"

    portal_account_expiry_days = fields.Integer(
        string="Delete Unused Accounts",
        help="Days after which an account is deleted that was never activated, counted "
        "from the latest invitation. 0: never.",
    )

    @api.constrains("portal_account_expiry_days")
    def _check_portal_account_expiry_days(self):
        if any(company.portal_account_expiry_days < 0 for company in self):
            raise ValidationError(
                self.env._("Choose 0 or more days before unused accounts are deleted.")
            )


class PortalInvitation(models.Model):
    _inherit = "portal.invitation"

    @api.autovacuum
    def _gc_unused_accounts(self):
        """Delete accounts that nobody has activated, a batch at a time.

        The contacts and orders stay, and the next order invites again.

        :return: how many are deleted, and whether there may be more
        """
        users = self._lock_unused_users()
        users._delete_unused()
        return len(users), len(users) == VACUUM_BATCH

    @api.model
    def _lock_unused_users(self):
        """Return, and lock, users to delete: those the addon has created, who never
        logged in, have no password, and whose address is gone, or who got no email for
        as long as the company says.

        Users who were given access by somebody else are older than their invitation.
        """
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT users.id
                  FROM portal_invitation invitation
                  JOIN res_company company ON company.id = invitation.company_id
                  JOIN res_users users ON users.id = invitation.user_id
                 WHERE (
                            invitation.cancel_reason = 'address'
                         OR company.portal_account_expiry_days > 0
                        AND GREATEST(
                                invitation.create_date, invitation.sent_date
                            ) + company.portal_account_expiry_days * interval '1 day'
                            < %(now)s
                        AND COALESCE(invitation.expiry_date < %(now)s, TRUE)
                        AND (
                                invitation.due_date IS NULL
                             OR invitation.failure IS NOT NULL
                            )
                       )
                   AND users.create_date = invitation.create_date
                   AND users.active AND users.share
                   AND users.portal_activation_date IS NULL
                   AND COALESCE(users.password, '') = ''
                   AND NOT EXISTS (
                            SELECT FROM res_users_log WHERE create_uid = users.id
                       )
                 ORDER BY users.id
                 LIMIT %(limit)s
                   FOR UPDATE OF users SKIP LOCKED
                """,
                now=fields.Datetime.now(),
                limit=VACUUM_BATCH,
            )
        )
        return self.env["res.users"].browse(user_id for [user_id] in rows)


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
