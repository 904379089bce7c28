from . import activate, decline, portal, portal_account, portal_addresses, portal_claims
