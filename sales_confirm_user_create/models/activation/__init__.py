from . import portal_invitation, res_users
