"""Mail servers on loopback: one that takes everything, and a relay far away."""

import asyncio
import logging
import ssl
import threading
import time

import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult

from devtools.system import free_port

LOGIN = PASSWORD = "benchmark"
# in seconds, to the relay and back
ROUND_TRIP = 0.02
# it logs that it uses what it has deprecated
logging.getLogger("mail.log").setLevel(logging.ERROR)


class MailServer(Controller):
    """A mail server that notes when each email arrives; a context manager."""

    # of Odoo's configuration, and of its command line
    options = {"smtp_ssl": False, "smtp_user": False, "smtp_password": False}
    extra = ()

    def __init__(self, **options):
        super().__init__(self, "127.0.0.1", free_port(), **options)
        self.arrivals = []
        self._arrived = threading.Condition()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *exc_info):
        self.stop()

    async def handle_DATA(self, _server, _session, envelope):
        """Take an email; called by aiosmtpd."""
        with self._arrived:
            self.arrivals.append((time.monotonic(), envelope.rcpt_tos[0]))
            self._arrived.notify_all()
        return "250 OK"

    def wait(self, address, seconds=300):
        """Wait for an address to get an email, and return when it did."""

        def first():
            return next((when for when, to in self.arrivals if to == address), None)

        with self._arrived:
            return self._arrived.wait_for(first, seconds)

    def config(self):
        """Return the configuration of an Odoo that sends through this server."""
        return {"smtp_server": "127.0.0.1", "smtp_port": self.port, **self.options}


class Relay(MailServer):
    """A mail server with STARTTLS and a login, at the end of a long line."""

    options = {"smtp_ssl": True, "smtp_user": LOGIN, "smtp_password": PASSWORD}
    extra = ("--smtp-ssl", f"--smtp-user={LOGIN}", f"--smtp-password={PASSWORD}")

    def __init__(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        trustme.CA().issue_cert("localhost").configure_cert(context)
        super().__init__(
            tls_context=context,
            require_starttls=True,
            auth_required=True,
            authenticator=lambda *_args: AuthResult(success=True),
        )

    def factory(self):
        """Override of aiosmtpd to return a server that answers late."""
        return _Late(self.handler, **self.SMTP_kwargs)


class _Late(SMTP):
    async def push(self, status):
        """Answer a round trip later, as SMTP waits for each reply. The replies before
        a handshake of TCP or TLS wait for that, too."""
        is_handshake = str(status).startswith("220 ")
        await asyncio.sleep(ROUND_TRIP * (1 + is_handshake))
        await super().push(status)
