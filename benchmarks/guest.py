"""A guest of the shop: what a browser asks for from the shop to the confirmation."""

import lxml.html

ADDRESS = {
    "name": "Benchmark Guest",
    "phone": "+32 2 555 01 00",
    "street": "1 Example Street",
    "city": "Brussels",
    "zip": "1000",
    "address_type": "billing",
    "use_delivery_as_billing": "true",
    "required_fields": "",
}


class Guest:
    """One checkout, paid with the demo provider, which confirms the order at once."""

    def __init__(self, get, post, country_id):
        """
        :param get: function of a path and `name=`, which returns a response
        :param post: function of a path, `name=` and what `requests.post` takes
        :param country_id: id of the country in the address
        """
        self._get, self._post, self.country_id = get, post, country_id

    def page(self, path, name=None):
        """Return a page as a document."""
        return lxml.html.fromstring(self._get(path, name=name or path).content)

    def call(self, path, name=None, **params):
        """Call a JSON route and return its result.

        :raise RuntimeError: the server answers with an error
        """
        answer = self._post(
            path, name=name or path, json={"jsonrpc": "2.0", "params": params}
        ).json()
        if "error" in answer:
            raise RuntimeError(f"{path}: {answer['error']}")
        return answer.get("result")

    def buy(self, product, email):
        """Buy one piece of a product, up to the confirmation page.

        :param product: ids of the template and of the variant
        """
        self._get("/shop", name="/shop")
        template_id, product_id = product
        self.call(
            "/shop/cart/add",
            product_template_id=template_id,
            product_id=product_id,
            quantity=1,
        )
        self._give_address(email)
        self.page("/shop/checkout")
        self._pay(self.page("/shop/payment"))

    def _give_address(self, email):
        form = self.page("/shop/address")
        token = form.xpath("//input[@name='csrf_token']/@value")[0]
        answer = self._post(
            "/shop/address/submit",
            name="/shop/address/submit",
            data={
                **ADDRESS,
                "email": email,
                "country_id": self.country_id,
                "csrf_token": token,
            },
        ).json()
        if "redirectUrl" not in answer:
            raise RuntimeError(f"the address is refused: {answer}")

    def _pay(self, page):
        [form] = page.xpath("//form[@id='o_payment_form']")
        [option] = form.xpath(".//input[@data-provider-code='demo']")
        values = self.call(
            form.get("data-transaction-route"),
            "/shop/payment/transaction",
            provider_id=int(option.get("data-provider-id")),
            payment_method_id=int(option.get("data-payment-option-id")),
            token_id=None,
            amount=float(form.get("data-amount")) if form.get("data-amount") else None,
            flow="direct",
            tokenization_requested=False,
            landing_route=form.get("data-landing-route"),
            access_token=form.get("data-access-token"),
        )
        self.call(
            "/payment/demo/simulate_payment",
            reference=values["reference"],
            payment_details="4242",
            simulated_state="done",
        )
        landing = self.call("/payment/status/poll")["landing_route"]
        self._get(landing, name="/shop/confirmation")
