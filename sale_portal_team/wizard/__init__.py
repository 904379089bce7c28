from . import base_module_uninstall, portal_wizard
