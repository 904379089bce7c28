from . import portal_claim_request
