from . import portal_invitation
