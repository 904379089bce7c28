"""A customer and a colleague without a browser: the shop's pages and RPC over HTTP."""

import lxml.html
import requests

ADDRESS = {
    "name": "Jane Doe",
    "phone": "+32 470 12 34 56",
    "street": "1 Example Street",
    "city": "Brussels",
    "zip": "1000",
}


class RpcError(Exception):
    """What the server answers instead of a result; `name` is the exception's class."""

    def __init__(self, error):
        data = error.get("data") or {}
        self.name = data.get("name", "").rpartition(".")[2]
        super().__init__(f"{self.name}: {data.get('message') or error.get('message')}")


def call_json(session, url, **params):
    """Call a JSON route and return its result.

    :raise RpcError: the server answers with an error
    """
    response = session.post(url, json={"jsonrpc": "2.0", "params": params}, timeout=120)
    response.raise_for_status()
    answer = response.json()
    if "error" in answer:
        raise RpcError(answer["error"])
    return answer.get("result")


class Rpc:
    """A user's calls of methods, in a session as the web client has one.

    With a password in each call, as in the external API, the server would spend a third
    of a second on each.
    """

    def __init__(self, server, login, password):
        self.url = server.url
        self.session = requests.Session()
        self.uid = self._call(
            "session/authenticate", db=server.db, login=login, password=password
        )["uid"]

    def __call__(self, model, method, *args, **kwargs):
        """Call a method of a model and return its result.

        :raise RpcError: the server answers with an error
        """
        return self._call(
            "dataset/call_kw", model=model, method=method, args=args, kwargs=kwargs
        )

    def _call(self, route, **params):
        return call_json(self.session, f"{self.url}/web/{route}", **params)


class Visitor:
    """Somebody at the website, logged in or not."""

    def __init__(self, server):
        self.url = server.url
        self.session = requests.Session()

    def get(self, path, **kwargs):
        """Return the answer for a path, redirects followed."""
        return self.session.get(self.url + path, timeout=120, **kwargs)

    def page(self, path):
        """Return a served page as a document.

        :raise requests.HTTPError: the server refuses
        """
        response = self.get(path)
        response.raise_for_status()
        return lxml.html.fromstring(response.content)

    def post(self, path, data, form="/web/login"):
        """Post a form with a CSRF token of the page `form`.

        A page has one in each of its forms, and they differ where a second passed.
        """
        token = self.page(form).xpath("//input[@name='csrf_token']/@value")[0]
        return self.session.post(
            self.url + path, data={**data, "csrf_token": token}, timeout=120
        )

    def call(self, path, **params):
        """Call a JSON route of the website."""
        return call_json(self.session, self.url + path, **params)

    def log_in(self, login, password):
        """Log in by the login form."""
        response = self.post("/web/login", {"login": login, "password": password})
        assert "/web/login" not in response.url, f"{login} cannot log in"
        return self

    def sign_up(self, login, password):
        """Sign up by the form, and return whether that worked."""
        response = self.post(
            "/web/signup",
            {
                "login": login,
                "name": "Jane Doe",
                "password": password,
                "confirm_password": password,
            },
            form="/web/signup",
        )
        return "/web/signup" not in response.url

    def activate(self, mail, password):
        """Follow the link of an invitation and send the form with a password.

        :return: the response
        """
        self.session.get(mail.link, timeout=120)
        values = {
            "action": "password",
            "login": mail.recipients[0],
            "password": password,
            "confirm_password": password,
        }
        return self.post("/web/portal/activate", values)

    def fill_cart(self, product):
        """Put one piece of a product, `(template id, variant id)`, into the cart."""
        template_id, product_id = product
        self.call(
            "/shop/cart/add",
            product_template_id=template_id,
            product_id=product_id,
            quantity=1,
        )

    def give_address(self, email, form="/shop/address", to="/shop", **values):
        """Fill in the checkout's address form, or another."""
        country = self.page(form).xpath(
            "//select[@name='country_id']/option[@code='BE']/@value"
        )
        response = self.post(
            f"{to}/address/submit",
            {
                **ADDRESS,
                "email": email,
                "country_id": country,
                "address_type": "billing",
                "use_delivery_as_billing": "true",
                "required_fields": "",
                **values,
            },
            form=form,
        )
        assert "redirectUrl" in response.json(), response.text

    def check_out(self, product, email=None, **values):
        """Fill the cart and go on to the payment page; without an address when known.

        :return: the payment page
        """
        self.fill_cart(product)
        if email:
            self.give_address(email, **values)
        return self.go_to_payment()

    def express_check_out(self, product, email, **values):
        """Fill the cart and send the address as Apple Pay and others do.

        :return: the payment page
        """
        self.fill_cart(product)
        address = {**ADDRESS, "email": email, "country": "BE", **values}
        self.call("/shop/express_checkout", billing_address=address)
        return self.go_to_payment()

    def go_to_payment(self):
        """Choose a delivery and return the payment page."""
        checkout = self.page("/shop/checkout")
        if methods := checkout.xpath("//input[@name='o_delivery_radio']/@data-dm-id"):
            self.call("/shop/set_delivery_method", dm_id=int(methods[0]))
        return self.page("/shop/payment")

    def pay(self, page, provider="demo", *, save_card=False):
        """Pay what a page with the payment form asks for.

        :param provider: `demo`, which confirms at once, or `custom`, a wire transfer
        :param save_card: keep the card for later, where the shop lets customers
        :return: the page that the customer ends up on
        """
        [form] = page.xpath("//form[@id='o_payment_form']")
        [option] = form.xpath(f".//input[@data-provider-code='{provider}']")
        values = self.call(
            form.get("data-transaction-route"),
            provider_id=int(option.get("data-provider-id")),
            payment_method_id=int(option.get("data-payment-option-id")),
            token_id=None,
            amount=float(form.get("data-amount")) if form.get("data-amount") else None,
            flow="direct" if provider == "demo" else "redirect",
            tokenization_requested=save_card,
            landing_route=form.get("data-landing-route"),
            access_token=form.get("data-access-token"),
        )
        if provider == "demo":
            self.call(
                "/payment/demo/simulate_payment",
                reference=values["reference"],
                payment_details="4242",
                simulated_state="done",
            )
        else:
            redirect = lxml.html.fromstring(values["redirect_form_html"])
            self.session.post(
                self.url + redirect.get("action"),
                data=dict(redirect.form_values()),
                timeout=120,
            )
        return self.page(self.call("/payment/status/poll")["landing_route"])

    def buy(self, product, email=None, provider="demo", **values):
        """Check out and pay.

        :return: the confirmation page
        """
        return self.pay(self.check_out(product, email, **values), provider)


def new_salesperson(server, login="salesperson@example.com", group="salesman"):
    """Create a user with one group of Sales, and return its RPC client.

    The password is the login.
    """
    admin = Rpc(server, "admin", "admin")
    domain = [("module", "=", "sales_team"), ("name", "=", f"group_sale_{group}")]
    [row] = admin("ir.model.data", "search_read", domain, ["res_id"])
    values = {
        "name": login.partition("@")[0].title(),
        "login": login,
        "email": login,
        "password": login,
        "group_ids": [(4, row["res_id"])],
    }
    admin("res.users", "create", values)
    return Rpc(server, login, login)


def new_contact(rpc, email, name="Jane Doe", **values):
    """Create a contact and return its id."""
    return rpc("res.partner", "create", {"name": name, "email": email, **values})


def new_quotation(rpc, partner_id, price=100.0, **values):
    """Create a quotation for a contact and return its id."""
    product_id = rpc("product.product", "search", [("sale_ok", "=", True)], limit=1)[0]
    line = {"product_id": product_id, "product_uom_qty": 1, "price_unit": price}
    return rpc(
        "sale.order",
        "create",
        {"partner_id": partner_id, "order_line": [(0, 0, line)], **values},
    )
