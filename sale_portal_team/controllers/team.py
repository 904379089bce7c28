from odoo import http
from odoo.exceptions import AccessError, UserError
from odoo.http import request

from odoo.addons.portal.controllers.portal import CustomerPortal

from ..models.team.member import list_members

SEARCH_FROM = 20
DONE = "portal_team_done"  # in the session: for the page after the redirect


class PortalTeam(CustomerPortal):
    """The page where a company's administrators manage its people, and everybody sees
    their own role."""

    @http.route("/my/team", type="http", auth="user", website=True, sitemap=False)
    def portal_team(self, action=None, search="", **post):
        """Show the page, or do what its button says.

        :param action: "leave", "invite", "resend", "role", "withdraw" or "end"
        :param search: part of a name or address
        """
        user_sudo = request.env.user  # which Odoo reads as superuser
        company_sudo = user_sudo.partner_id.commercial_partner_id
        if company_sudo == user_sudo.partner_id or not company_sudo.is_company:
            return request.redirect("/my")
        values = {"done": request.session.pop(DONE, None), "error": None, "post": post}
        if request.httprequest.method == "POST":
            # a form can send files
            texts = {key: text for key, text in post.items() if isinstance(text, str)}
            try:
                with request.env.cr.savepoint():
                    self._change_team(user_sudo, company_sudo, action, texts)
            except AccessError:
                raise
            except UserError as error:
                values["error"] = error.args[0]
            else:
                if action == "leave":
                    request.session.logout(keep_db=True)
                    return request.redirect("/web/login")
                request.session[DONE] = action
                return request.redirect("/my/team")
        values |= self._prepare_team_values(user_sudo, company_sudo, str(search))
        response = request.render("sale_portal_team.portal_team", values)
        response.headers["Cache-Control"] = "no-store"
        return response

    def _prepare_team_values(self, user_sudo, company_sudo, search):
        """Return a dict of what the page shows."""
        role, field = user_sudo._get_portal_role(), user_sudo._fields["portal_role"]
        people_sudo = company_sudo._find_portal_members().filtered("active")
        readers_sudo = people_sudo.filtered(
            lambda user: user._get_own_contact() is None
        )
        values = {
            "page_name": "portal_team",
            "company": company_sudo,
            "role": role,
            "roles": dict(field._description_selection(request.env)),
            "grantable": user_sudo._get_grantable_roles(),
            "own": user_sudo._get_own_contact() is not None,
            "search": search,
            "own_key": f"user-{user_sudo.id}",
            "readers": (readers_sudo - user_sudo).mapped("name"),
            "advice": user_sudo._is_viewer() and user_sudo._get_portal_role_advice(),
        }
        if role == "administrator":
            # sudo: requests are nobody's to read; these are of the own company
            requests_sudo = request.env["portal.team.request"].sudo()
            members = list_members(company_sudo, requests_sudo._find_open(company_sudo))
            values["is_long"] = len(members) >= SEARCH_FROM
            values["members"] = [
                member
                for member in members
                if search.lower() in f"{member['name']} {member['address']}".lower()
            ]
        return values

    def _change_team(self, user_sudo, company_sudo, action, post):
        """Do what a button says.

        :param dict post: texts; its ``member`` is a key of ``list_members``
        :raise UserError: it cannot be done; an AccessError if the user may not
        """
        names = "member", "role", "name", "email"
        member, role, name, email = (post.get(name, "") for name in names)
        company_sudo._lock_portal_team()
        if action == "leave" and user_sudo._get_portal_role():
            user_sudo._check_administrator_stays()
            return user_sudo._end_portal_access(user_sudo.partner_id)
        user_sudo._check_portal_role("manage")
        # sudo: as for the page
        requests_sudo = request.env["portal.team.request"].sudo()
        if action == "invite":
            shop_sudo = request.website.company_id.sudo()
            return requests_sudo._invite(user_sudo, shop_sudo, name, email, role)
        if action == "role" and role not in user_sudo._get_grantable_roles():
            raise AccessError(request.env._("You cannot give this role."))
        invited_sudo = requests_sudo._find_open(company_sudo).filtered(
            lambda invited: member == f"request-{invited.id}"
        )
        person_sudo = company_sudo._find_portal_members().filtered(
            lambda user: user.active and member == f"user-{user.id}"
        )
        if invited_sudo and action in ("resend", "role", "withdraw"):
            invited_sudo._change(action, user_sudo, role)
        elif person_sudo and action in ("role", "end"):
            if role != "administrator" or action == "end":
                person_sudo._check_administrator_stays()
            if action == "end":
                person_sudo._end_portal_access(user_sudo.partner_id)
            elif person_sudo._get_portal_role() != role:
                person_sudo.portal_role = role
        else:
            raise UserError(request.env._("The list has changed. Try again."))
