from . import controllers, models, wizard


def uninstall_hook(env):
    """Remove what Odoo leaves behind: its records of the addon's foreign keys."""
    env["ir.model.constraint"].search(
        [("module.name", "=", "sale_portal_team"), ("type", "=", "f")]
    ).unlink()
