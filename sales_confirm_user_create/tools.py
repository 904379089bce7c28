"""Helpers that several files use."""

import contextlib
import re
import secrets
import unicodedata

import lxml.html
from psycopg2.errors import UniqueViolation

from odoo.exceptions import ConcurrencyError
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import email_normalize

from odoo.addons.base.models.ir_mail_server import extract_rfc2822_addresses

# Odoo runs the whole request again after these: they have to propagate.
RETRIED_EXCEPTIONS = (*PG_CONCURRENCY_EXCEPTIONS_TO_RETRY, ConcurrencyError)
# RFC 5321, section 4.5.3.1: 64 before the @, 255 behind it.
ADDRESS_MAX = 320
# RFC 5322, section 3.2.3, and letters of other alphabets; no quoted local part.
WORD = r"[^@\x00-\x20\x7f\"(),.:;<>\[\\\]]+"
DELIVERABLE = re.compile(
    rf"(?=.{{3,254}}$)(?=[^@]{{1,64}}@){WORD}(\.{WORD})*@[\w-]+(\.[\w-]+)*", re.ASCII
)
SHOWN_MAX = 80
# what mail programs make a link of
LINK_LIKE = re.compile(r"://|www\.|@|[^\s.][.\u3002][^\W\d_]", re.IGNORECASE)


@contextlib.contextmanager
def attempt(cr, logger, *message):
    """Undo and log what goes wrong inside, and go on; what Odoo retries propagates.

    :param message: for the log, with its arguments
    """
    try:
        with cr.savepoint():
            yield
    except RETRIED_EXCEPTIONS:
        raise
    except Exception:
        logger.exception(*message)


def new_placeholder():
    """Return an address that stands for a link while an email is rendered.

    Nobody can know it before: neither a customer nor who edits a template can have it
    in what they typed.
    """
    return f"https://portal.invalid/{secrets.token_urlsafe()}"


def insert_links(body, links):
    """Return the HTML of an email with the links that its buttons lead to.

    A link is a secret. Nothing but the whole ``href`` of an ``<a>`` becomes one: an
    image would be loaded, and another address would get what it is a part of.

    :param body: HTML with placeholders
    :param links: dict of placeholders to links
    """
    root = lxml.html.fragment_fromstring(body, create_parent="div")
    for element in root.iter("a"):
        if link := links.get(element.get("href")):
            element.set("href", link)
            element.attrib.pop("ping", None)
    html = lxml.html.tostring(root, encoding="unicode")
    for placeholder in links:
        html = html.replace(placeholder, "#")
    return html


class Trusted:
    """The value of context keys that decide something; compared with ``is``.

    Anybody can send a context over RPC, but not this class.
    """


def get_deliverable_address(text):
    """Return the one address in a text, or False.

    It is in one form, whatever its spelling: normalised as Odoo does, with the domain
    as mail servers know it and ASCII letters in lower case. Others have look-alikes.

    Where Odoo finds a second address in the text, it mails links to both: no text with
    two of them says whose account it is.
    """
    if not isinstance(text, str):
        return False  # a form can send a file
    if len(text) > ADDRESS_MAX or text.count("@") != 1:
        return False
    try:
        address = email_normalize(text) or ""
    except RecursionError:
        # Python's parser follows comments within comments.
        return False
    invisible = "".join(filter(_is_invisible, set(address)))
    address = address.strip(invisible)
    # Odoo's mail server leaves out, or cuts, what this function does.
    candidates = extract_rfc2822_addresses(address)
    if len(candidates) != 1 or not DELIVERABLE.fullmatch(candidates[0]):
        return False
    [deliverable] = candidates
    is_same = deliverable.rpartition("@")[0] == address.rpartition("@")[0]
    if not is_same or any(map(_is_invisible, deliverable)):
        return False
    return deliverable.encode().lower().decode()


def get_spellings(address):
    """Return the forms that Odoo may have stored an address in, as a set: a domain as
    mail servers know it, and as people write it. Browsers send the first.

    :param address: in its one form, or False
    """
    name, at, domain = (address or "").rpartition("@")
    labels = domain.split(".")
    for index, label in enumerate(labels):
        if label.startswith("xn--"):
            try:
                labels[index] = label[4:].encode().decode("punycode")
            except UnicodeError:
                break
    return {address, at and f"{name}@{'.'.join(labels)}"} - {False, ""}


def has_invisible(text):
    """Return whether there are characters in a text that people do not see."""
    return any(_is_invisible(character) and character != " " for character in text)


def _is_invisible(character):
    """Return whether people do not see a character: a space, a joiner, a direction."""
    return unicodedata.category(character)[0] in "CZ"


def is_login_taken(error):
    """Return whether another transaction has just created a user with the login.

    Whose user it is can't be seen yet: the customer's own, or another contact's.
    """
    constraint = isinstance(error, UniqueViolation) and error.diag.constraint_name
    return bool(constraint) and constraint.startswith("res_users_login")


def get_shown_name(name):
    """Return the name of a customer as an email shows it, or an empty text.

    Visitors type it, and whose address they type gets the email: nothing that a mail
    program makes a link of, and no line of its own.
    """
    name = " ".join((name or "").split())
    seen = unicodedata.normalize("NFKC", name)
    # Browsers leave out what nobody sees.
    seen = "".join(letter for letter in seen if not has_invisible(letter))
    return "" if LINK_LIKE.search(seen) or len(name) > SHOWN_MAX else name
