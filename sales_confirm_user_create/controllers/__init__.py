from . import activate, portal, portal_claims
