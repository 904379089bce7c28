from . import controllers, models, report, wizard


def uninstall_hook(env):
    """Remove what Odoo leaves behind: its records of the addon's foreign keys."""
    env["ir.model.constraint"].search(
        [("module.name", "=", "sale_portal_claim"), ("type", "=", "f")]
    ).unlink()
