from . import portal_invitation, portal_team_request, res_partner, res_users
