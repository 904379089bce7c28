# ruff: noqa: F821 - the shell brings `env`
"""Run in `odoo shell`: compile scripts and styles, which each tour would do again."""

env["ir.qweb"]._pregenerate_assets_bundles()

env.cr.commit()
