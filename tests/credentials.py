"""What lets somebody into an account without its password: added and used over HTTP."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import requests
from passlib.totp import TOTP

from .browser import log_in, open_website
from .client import Rpc, RpcError, Visitor

CODE_PAGE = "/web/login/totp"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def call_with_password(rpc, password, model, method, *args, **kwargs):
    """Call a method that asks for the password again, as the page *Security* does."""
    action = rpc(model, method, *args, **kwargs)
    if action.get("res_model") == "res.users.identitycheck":
        ids = [action["res_id"]]
        context = {"password": password}
        action = rpc("res.users.identitycheck", "run_check", ids, context=context)
    return action


def login_of(visitor):
    """Return the login that a visitor is logged in with, or None."""
    try:
        return visitor.call("/web/session/get_session_info")["username"]
    except RpcError:
        return None


class ApiKey:
    """A key for programs."""

    kind = "API key"

    def __init__(self, shop, _open_page, login, password):
        self.shop = shop
        assert Visitor(shop.server).sign_up(login, password)
        rpc = Rpc(shop.server, login, password)
        model = "res.users.apikeys.description"
        [wizard] = rpc(model, "create", [{"name": "Robot", "duration": "1"}])
        action = call_with_password(rpc, password, model, "make_key", [wizard])
        self._key = action["context"]["default_key"]

    def log_in(self):
        """Return the login that this lets one in with, or None."""
        response = requests.post(
            f"{self.shop.server.url}/json/2/res.users/context_get",
            json={},
            headers={"Authorization": f"bearer {self._key}"},
            timeout=120,
        )
        if not response.ok:
            assert response.status_code == 401, response.text
            return None
        user = response.json()["uid"]
        return self.shop.db.value("SELECT login FROM res_users WHERE id = %s", user)


class Passkey:
    """A passkey in Chromium, whose user touches the sensor whenever asked."""

    kind = "Passkey"

    def __init__(self, shop, open_page, login, password):
        assert Visitor(shop.server).sign_up(login, password)
        self._page = page = open_page(shop.server)
        devtools = page.context.new_cdp_session(page)
        devtools.send("WebAuthn.enable")
        options = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
        }
        devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        log_in(page, login, password)
        open_website(page, "/my/security")
        page.click("#portal_passkey_add")
        page.fill(".o_dialog input[name=password]", password)
        page.click(".o_dialog button:has-text('Confirm Password')")
        page.fill(".o_dialog input[name=keyname]", "Laptop")
        page.click(".o_dialog button:has-text('Create')")
        page.wait_for_selector(".o_passkey_name:has-text('Laptop')")

    def log_in(self):
        """Return the login that this lets one in with, or None."""
        page = self._page
        page.context.clear_cookies()
        open_website(page, "/web/login")
        page.click(".passkey_login_link")
        page.wait_for_selector(".alert-danger, .o_portal_my_home")
        if page.locator(".alert-danger").count():
            assert page.inner_text(".alert-danger") == "Unknown passkey"
            return None
        info = page.request.post("/web/session/get_session_info", data={}).json()
        return info["result"]["username"]


class ProviderLogin:
    """The login of a provider that believes whatever address its users type."""

    kind = "Log in with"

    def __init__(self, shop, _open_page, login, _password):
        self.shop = shop
        self._token = f"token of {login}"
        shop.provider.users[self._token] = {"user_id": f"id of {login}", "email": login}
        self.visit()  # signs up

    def log_in(self):
        """Return the login that this lets one in with, or None."""
        return login_of(self.visit())

    def visit(self):
        """Return a visitor who has come back from the provider."""
        visitor = Visitor(self.shop.server)
        state = {"d": self.shop.server.db, "p": self.shop.provider.id}
        visitor.get(
            "/auth_oauth/signin",
            params={"access_token": self._token, "state": json.dumps(state)},
        )
        return visitor


@contextmanager
def run_provider(shop):
    """Run a provider of logins on loopback, and have the shop use it."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            [token] = parse_qs(urlsplit(self.path).query)["access_token"]
            body = json.dumps(server.users[token]).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.users = {}  # what it knows of the owner of a token
    url = f"http://127.0.0.1:{server.server_port}"
    values = {
        "name": "Elsewhere",
        "body": "Log in with Elsewhere",
        "client_id": "shop",
        "auth_endpoint": f"{url}/authorize",
        "validation_endpoint": f"{url}/userinfo",
        "enabled": True,
    }
    server.id = shop.admin("auth.oauth.provider", "create", values)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


class SecondFactor:
    """An app that shows codes, without which the password alone lets nobody in."""

    kind = "Two-factor authentication"

    def __init__(self, shop, login, password):
        """Turn it on in the account."""
        self._shop, self._login, self._password = shop, login, password
        rpc = Rpc(shop.server, login, password)
        action = call_with_password(
            rpc, password, "res.users", "action_totp_enable_wizard", [rpc.uid]
        )
        wizard = [action["res_id"]]
        [values] = rpc("auth_totp.wizard", "read", wizard, ["secret"])
        self._totp = TOTP(key=values["secret"])
        rpc("auth_totp.wizard", "enable", wizard, context={"code": self.code()})

    def code(self):
        """Return a code, as if the previous one were from half a minute ago: Odoo
        accepts each once."""
        self._shop.db.sql(
            "UPDATE res_users SET totp_last_counter = NULL WHERE login = %s",
            self._login,
        )
        return self._totp.generate().token

    def trust_device(self):
        """Log in with a code on a device that is not asked for one again.

        :return: the device's visitor
        """
        device = Visitor(self._shop.server)
        device.session.headers["User-Agent"] = FIREFOX
        assert is_asked_for_code(device, self._login, self._password)
        device.post(CODE_PAGE, {"totp_token": self.code(), "remember": "1"}, CODE_PAGE)
        assert login_of(device) == self._login
        return device


def is_asked_for_code(visitor, login, password):
    """Log in by the login form, anew, and return whether that asks for a code, too."""
    visitor.session.cookies.set("session_id", None)
    response = visitor.post("/web/login", {"login": login, "password": password})
    is_asked = CODE_PAGE in response.url
    assert login_of(visitor) == (None if is_asked else login)
    return is_asked
