"""The demo shop's inbox: a mail server on loopback, and a page of what it received."""

import email.policy
import functools
import html
import sys
from datetime import datetime
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from aiosmtpd.controller import Controller


class Inbox:
    """Keeps each mail as a page named by its time, its recipient and its subject."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.folder.mkdir(exist_ok=True)

    async def handle_DATA(self, _server, _session, envelope):
        """Take a mail, called by aiosmtpd."""
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        body = mail.get_body(("html", "plain"))
        text = body.get_content()
        if body.get_content_subtype() == "plain":
            text = f"<pre>{html.escape(text)}</pre>"
        now = datetime.now().strftime("%Y-%m-%d %H.%M.%S.%f")
        name = f"{now} {envelope.rcpt_tos[0]} {mail['Subject']}".replace("/", "-")
        page = self.folder / f"{name[:120]}.html"
        page.write_text(f'<!DOCTYPE html><meta charset="utf-8">{text}')
        return "250 OK"


def serve(smtp_port, port, folder):
    """Take mails and show them for ever; the list is that of the folder's files."""
    Controller(Inbox(folder), "127.0.0.1", int(smtp_port)).start()
    page = functools.partial(SimpleHTTPRequestHandler, directory=folder)
    ThreadingHTTPServer(("127.0.0.1", int(port)), page).serve_forever()


if __name__ == "__main__":
    serve(*sys.argv[1:])
