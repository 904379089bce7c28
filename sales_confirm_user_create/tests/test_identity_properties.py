import contextlib
import itertools

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from odoo.exceptions import UserError
from odoo.tests import new_test_user, tagged

from odoo.addons.auth_signup.models.res_partner import SignupError
from odoo.addons.base.models.ir_mail_server import extract_rfc2822_addresses

from ..tools import get_deliverable_address
from .common import PortalAccountCommon

# Different people who look alike: Kelvin sign, Cyrillic letter, dotless i, upper case.
LOOK_ALIKES = (("kate", "\u212aate", "kаte"), ("jim", "jım"), ("jürgen", "jÜrgen"))
# words of the domain
WORDS = ("example", "bücher")
# In "claim" a portal user types somebody's address into the own contact.
EVENTS = ("order", "order", "confirm", "sign up", "claim")
# What people and programs make of an address, which stays that of the same person.
SPELLINGS = (
    lambda address: address,
    # ASCII letters alone: to Odoo, others are those of other people
    lambda address: address.encode().upper().decode(),
    lambda address: address.encode().title().decode(),
    lambda address: f"  {address}\t",
    lambda address: f"{address};",
    lambda address: f"<{address}>",
    lambda address: f'"Doe, Jane" <{address}>',
    lambda address: f"Jane Doe <{address}>",
    lambda address: f"\u200b{address}\ufeff",
    lambda address: f"no address, {address}",
    lambda address: address.replace("bücher", "xn--bcher-kva"),
)
EXAMPLES = settings(
    derandomize=True,
    database=None,
    deadline=None,
    # an example is short, and to find a shorter one takes minutes
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@st.composite
def histories(draw):
    """Return some people, a word of their domain, and what these people do."""
    people = draw(st.sampled_from(LOOK_ALIKES))
    events = st.lists(
        st.tuples(st.sampled_from(EVENTS), st.sampled_from(people), st.booleans()),
        min_size=5,
        max_size=len(SPELLINGS),
    )
    spellings = draw(st.permutations(SPELLINGS))
    spelled_events = list(zip(draw(events), spellings, strict=False))
    return people, draw(st.sampled_from(WORDS)), spelled_events


words = st.text("aBÄ.+-'_\u212a\u200b", min_size=1, max_size=6)
texts = st.one_of(
    st.text('aÄ@. "<>,;:\u200b\u00a0\u212a[]()\\', max_size=12),
    st.builds(
        lambda spell, *address: spell("{}@{}.com".format(*address)),
        st.sampled_from(SPELLINGS),
        words,
        words,
    ),
)


@tagged("post_install", "-at_install")
class TestIdentityProperties(PortalAccountCommon):
    """What is true of all addresses, logins and spellings."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["website"].get_current_website().auth_signup_uninvited = "b2c"
        cls.numbers = itertools.count()
        cls.stranger = new_test_user(cls.env, "stranger", "base.group_portal")

    @settings(EXAMPLES, max_examples=300)
    @given(texts)
    def test_address_has_one_form_and_is_delivered_as_it_is(self, text):
        address = get_deliverable_address(text)
        if address:
            self.assertEqual(get_deliverable_address(address), address)
            self.assertEqual(extract_rfc2822_addresses(address), [address])
            self.assertEqual(address.encode().lower().decode(), address)
            self.assertEqual(address.count("@"), 1)
            self.assertFalse(set(address) & set(' "<>,;\u00a0\u200b'))

    @settings(EXAMPLES, max_examples=25)
    @given(histories())
    def test_each_person_has_one_account(self, history):
        people, word, events = history
        # a domain of its own keeps each example from the others
        self.domain = f"{word}.{next(self.numbers)}.example.com"
        self.owners, self.orders = {}, self.env["sale.order"]
        for (event, name, is_known), spell in events:
            address = spell(f"{name}@{self.domain}")
            if event == "order":
                self._place_order(name, address, is_known)
            elif event == "confirm":
                self._confirm_orders()
            elif event == "sign up":
                self._sign_up(address)
            else:
                self.stranger.partner_id.email = address
        self._confirm_orders()
        self._check_accounts(people)
        self._check_emails()

    def _get_login(self, name):
        """Return the login that somebody should have."""
        return f"{name}@{self.domain.encode('idna').decode()}"

    def _place_order(self, name, address, is_known):
        """Order with a new contact, or with that of an earlier order."""
        contacts = [known for known, owner in self.owners.items() if owner == name]
        if not (is_known and contacts):
            contacts = [self._create_customer("Guest", address)]
        self.owners[contacts[0]] = name
        self.orders += self._create_orders(contacts[0])

    def _confirm_orders(self):
        self.orders.filtered(lambda order: order.state == "draft").action_confirm()

    def _sign_up(self, login):
        """Sign up as a visitor, who is refused where there is an account."""
        values = {"login": login, "name": "Visitor", "password": "Secret-12345"}
        with contextlib.suppress(SignupError, UserError), self.env.cr.savepoint():
            self.env["res.users"].signup(values)

    def _check_accounts(self, people):
        """Everybody who ordered has one account, and nobody has that of another."""
        domain = self._get_login("")
        users = self.env["res.users"].search([("login", "=like", f"%{domain}")])
        users_by_login = users.grouped("login")
        self.assertLessEqual(set(users_by_login), set(map(self._get_login, people)))
        for order in self.orders:
            name = self.owners[order.partner_id]
            [user] = users_by_login[self._get_login(name)]
            self.assertEqual(self.owners.get(user.partner_id, name), name)
            self.assertEqual(
                order.portal_account_issue,
                user.partner_id != order.partner_id and "other_contact",
            )

    def _check_emails(self):
        """Each new account is sent one email, to its login."""
        created = self.orders.filtered("user_created").partner_id.user_ids
        addresses = [mail["email_to"] for mail in self._send_invitations()]
        self.assertCountEqual(addresses, [[user.login] for user in created])
