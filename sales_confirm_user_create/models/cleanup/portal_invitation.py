from odoo import api, fields, models
from odoo.tools import SQL
from odoo.tools.translate import LazyTranslate

_lt = LazyTranslate(__name__)

# PostgreSQL checks some 600 foreign keys for each user: it takes 0.1 s, and more in a
# large database.
VACUUM_BATCH = 50


class PortalInvitation(models.Model):
    _inherit = "portal.invitation"

    @api.autovacuum
    def _gc_unused_accounts(self):
        """Delete accounts that nobody has activated, a batch at a time.

        The contacts and orders stay, and the next order invites again.

        :return: how many are deleted, and whether there may be more
        """
        users = self._lock_unused_users()
        users.portal_invitation_ids.order_id._note_about_customer(
            _lt("The portal account of %s was deleted: nobody has used it.")
        )
        users._delete_unused()
        return len(users), len(users) == VACUUM_BATCH

    @api.model
    def _lock_unused_users(self):
        """Return, and lock, users to delete: those the addon has created, who never
        logged in, have no password, and got no email for as long as the company
        says."""
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT users.id
                  FROM portal_invitation invitation
                  JOIN res_company company ON company.id = invitation.company_id
                  JOIN res_users users ON users.id = invitation.user_id
                 WHERE company.portal_account_expiry_days > 0
                   AND GREATEST(invitation.create_date, invitation.sent_date)
                       + company.portal_account_expiry_days * interval '1 day'
                       < %(now)s
                   AND COALESCE(invitation.expiry_date < %(now)s, TRUE)
                   AND (
                            invitation.due_date IS NULL
                         OR invitation.failure IS NOT NULL
                       )
                   AND invitation.held_date IS NULL
                   AND invitation.is_account_created
                   AND users.active AND users.share
                   AND users.portal_activation_date IS NULL
                   AND COALESCE(users.password, '') = ''
                 ORDER BY users.id
                 LIMIT %(limit)s
                   FOR UPDATE OF users SKIP LOCKED
                """,
                now=fields.Datetime.now(),
                limit=VACUUM_BATCH,
            )
        )
        return self.env["res.users"].browse(user_id for [user_id] in rows)
