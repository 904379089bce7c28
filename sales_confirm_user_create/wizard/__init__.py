from . import portal_claim_request, portal_invitation_resend
