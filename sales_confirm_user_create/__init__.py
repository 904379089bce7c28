from . import controllers, models, report, wizard


def post_init_hook(env):
    """Prepare the users and contacts that exist."""
    _set_activation_dates(env)
    env["res.users"]._mark_internal_contacts()


def _set_activation_dates(env):
    """Mark users who have already logged in as activated.

    Odoo keeps the date of the latest login only: later than the first one, but before
    any order that is confirmed from now on.
    """
    env.cr.execute(
        """
        UPDATE res_users
           SET portal_activation_date = log.date
          FROM (
                SELECT create_uid, MIN(create_date) AS date
                  FROM res_users_log
              GROUP BY create_uid
               ) log
         WHERE log.create_uid = res_users.id
           AND res_users.portal_activation_date IS NULL
        """
    )


def uninstall_hook(env):
    """Remove what Odoo leaves behind: its records of the addon's foreign keys."""
    env["ir.model.constraint"].search(
        [("module.name", "=", "sales_confirm_user_create"), ("type", "=", "f")]
    ).unlink()
