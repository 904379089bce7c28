"""Behind a proxy that ends TLS, the cookie with a link's token is the host's alone."""

import ssl
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from .attacker import links_in
from .browser import choose_password, follow, new_page, open_website
from .mailbox import token_in
from .shop import confirm, quote, run_shop

PASSWORD = "correct horse battery"
COOKIES = {"activate": "portal_activation", "decline": "portal_decline"}
HOP = {"connection", "keep-alive", "transfer-encoding", "content-length"}


@pytest.fixture(scope="module")
def shop(addon_instance, mailbox, tmp_path_factory):
    """A running shop behind a proxy, whose address is in the emails."""
    certificate = make_certificate(tmp_path_factory.mktemp("tls") / "localhost.pem")
    with (
        run_shop(addon_instance, mailbox, "https", extra=["--proxy-mode"]) as shop,
        run_proxy(shop.server.port, certificate) as url,
    ):
        shop.admin("ir.config_parameter", "set_param", "web.base.url", url)
        shop.https = SimpleNamespace(url=url, certificate=certificate)
        yield shop


@pytest.fixture
def open_secure_page(shop, new_context):
    """Return a function that opens a page of a new visitor at the proxy."""
    return partial(new_page, partial(new_context, ignore_https_errors=True), shop.https)


def make_certificate(path):
    """Write a self-signed certificate for localhost, with its key, and return it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    names = x509.SubjectAlternativeName([x509.DNSName("localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(names, critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + certificate.public_bytes(pem))
    return path


@contextmanager
def run_proxy(port, certificate):
    """Run a proxy on loopback that ends TLS in front of a port.

    :return: context manager of its address
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            length = int(self.headers.get("Content-Length", 0))
            headers = {k: v for k, v in self.headers.items() if k.lower() not in HOP}
            headers |= {
                "X-Forwarded-For": self.client_address[0],
                "X-Forwarded-Host": self.headers["Host"],
                "X-Forwarded-Proto": "https",
            }
            server = HTTPConnection("127.0.0.1", port, timeout=120)
            body = self.rfile.read(length)
            server.request(self.command, self.path, body, headers)
            response = server.getresponse()
            body = response.read()
            self.send_response_only(response.status)
            for name, value in response.getheaders():
                if name.lower() not in HOP:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            server.close()

        do_POST = do_GET

    class Proxy(ThreadingHTTPServer):
        def finish_request(self, request, client_address):
            # in the request's thread: a browser may open connections ahead
            with context.wrap_socket(request, server_side=True) as secure:
                super().finish_request(secure, client_address)

        def handle_error(self, request, client_address):
            """Say nothing of a browser that goes."""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    proxy = Proxy(("127.0.0.1", 0), Handler)
    threading.Thread(target=proxy.serve_forever, daemon=True).start()
    yield f"https://localhost:{proxy.server_port}"
    proxy.shutdown()
    proxy.server_close()


def links_of(shop, address):
    """Have a customer be invited, and return the links in the email, by their page."""
    confirm(shop, quote(shop, address))
    mail = shop.mailbox.wait_for_one(address)
    return {"activate": mail.link, "decline": links_in(mail, "/decline")[0]}


def own_cookies(page):
    """Return the addon's cookies in a browser."""
    return [c for c in page.context.cookies() if "portal_" in c["name"]]


@pytest.mark.parametrize("kind", COOKIES)
def test_cookie_over_https_is_bound_to_the_host_until_the_link_is_used(
    shop, open_secure_page, kind
):
    link = links_of(shop, f"{kind}.https@example.com")[kind]
    assert link.startswith(shop.https.url)
    page = open_secure_page()
    open_website(page, link)
    [cookie] = own_cookies(page)
    assert cookie["value"].rstrip("=") == token_in(link)
    assert cookie["name"] == f"__Host-{COOKIES[kind]}"
    # of a cookie with a domain it would begin with a dot
    assert (cookie["domain"], cookie["path"]) == ("localhost", "/")
    assert (cookie["secure"], cookie["httpOnly"]) == (True, True)
    assert cookie["sameSite"] == "Lax"
    if kind == "activate":
        choose_password(page, "/web/portal/activate", PASSWORD, "https-activate")
    else:
        follow(page, ".o_portal_decline button", "**/web/portal/decline")
    assert not own_cookies(page)


@pytest.mark.parametrize("kind", COOKIES)
def test_headers_of_the_cookie_over_https(shop, kind):
    link = links_of(shop, f"{kind}.headers@example.com")[kind]
    response = requests.get(
        link, verify=shop.https.certificate, allow_redirects=False, timeout=120
    )
    headers = response.raw.headers.getlist("Set-Cookie")
    [header] = [header for header in headers if "portal_" in header]
    value, *attributes = header.split("; ")
    assert value.startswith(f"__Host-{COOKIES[kind]}=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(attributes)
    assert not [a for a in attributes if a.startswith("Domain")]
    assert urlsplit(response.headers["Location"]).query == ""


@pytest.mark.parametrize("kind", COOKIES)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_cookie_named_as_for_the_other_scheme_is_not_read(shop, kind, scheme):
    """Over HTTPS, another host or somebody on the network may have set it."""
    address = f"{kind}.{scheme}@example.com"
    link = urlsplit(links_of(shop, address)[kind])
    url = shop.https.url if scheme == "https" else shop.server.url
    [token] = parse_qs(link.query)["token"]
    shown = {}
    for prefix in ("", "__Host-"):
        response = requests.get(
            url + link.path,
            cookies={prefix + COOKIES[kind]: token},
            verify=shop.https.certificate,
            timeout=120,
        )
        shown[prefix] = address in response.text
    assert shown == {"": scheme == "http", "__Host-": scheme == "https"}
