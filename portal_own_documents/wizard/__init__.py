from . import base_module_uninstall, portal_documents, portal_wizard
