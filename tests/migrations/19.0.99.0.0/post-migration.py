"""Look for invitations that are due twice an hour.

Records in `noupdate` files belong to the shop once they are installed, so a release
that wants another interval has to say so here. An interval that the shop chose is kept.
"""


def migrate(cr, version):
    """Run by Odoo after an update from a version before this folder's.

    :param version: the version that was installed
    """
    cr.execute(
        """
        UPDATE ir_cron cron
           SET interval_number = 30, interval_type = 'minutes'
          FROM ir_model_data data
         WHERE data.module = 'sales_confirm_user_create'
           AND data.name = 'ir_cron_portal_invitation'
           AND data.res_id = cron.id
           AND (cron.interval_number, cron.interval_type) = (1, 'hours')
        """
    )
