from . import portal_decline, portal_invitation, res_partner, res_users
