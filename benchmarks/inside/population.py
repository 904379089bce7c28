"""Contacts and users by the hundred thousand, made by SQL."""

from .supply import FIRST_CUSTOMER, LAST_CUSTOMER

PORTAL_USERS = """
    WITH place(number, id) AS MATERIALIZED (
            SELECT number, nextval('res_partner_id_seq')
              FROM generate_series(1, %(count)s) number
         ),
         person AS MATERIALIZED (
            SELECT id,
                   number,
                   (%(first)s::text[])[1 + (hashint4(number) & 63)] AS first_name,
                   (%(last)s::text[])[1 + (hashint4(number * 7 + 1) & 63)] AS last_name,
                   CASE WHEN (hashint4(number * 3) & 3) > 0
                        THEN (%(providers)s::text[])[1 + (hashint4(number) & 7)]
                        ELSE 'company' || (hashint4(number * 5) & 65535) || '.example'
                    END AS domain
              FROM place
         ),
         address AS MATERIALIZED (
            SELECT *,
                   lower(first_name || '.' || last_name || number || '@' || domain)
                       AS email
              FROM person
         )
    INSERT INTO res_partner
    SELECT copy.*
      FROM res_partner original,
           address,
           LATERAL jsonb_populate_record(
               original,
               jsonb_build_object(
                   'id', address.id,
                   'commercial_partner_id', address.id,
                   'name', first_name || ' ' || last_name,
                   'complete_name', first_name || ' ' || last_name,
                   -- one in eight writes it with capitals
                   'email', CASE WHEN (number & 7) > 0 THEN address.email
                                 ELSE initcap(address.email) END,
                   'email_normalized', address.email,
                   'street', last_name || ' Street ' || number %% 200,
                   'zip', to_char(1000 + number %% 9000, 'FM0000')
               )
           ) copy
     WHERE original.id = %(partner)s
"""
USERS = """
    INSERT INTO res_users
    SELECT copy.*
      FROM res_users original,
           res_partner partner,
           LATERAL jsonb_populate_record(
               original,
               jsonb_build_object(
                   'id', nextval('res_users_id_seq'),
                   'login', partner.email_normalized,
                   'partner_id', partner.id
               )
           ) copy
     WHERE original.id = %(user)s
       AND partner.id BETWEEN %(low)s AND %(high)s
"""
# Half of the users have logged in.
BELONGINGS = """
    INSERT INTO res_company_users_rel (user_id, cid)
    SELECT u.id, cid FROM res_users u, res_company_users_rel original
     WHERE original.user_id = %(user)s AND u.partner_id BETWEEN %(low)s AND %(high)s;

    INSERT INTO res_groups_users_rel (uid, gid)
    SELECT u.id, gid FROM res_users u, res_groups_users_rel original
     WHERE original.uid = %(user)s AND u.partner_id BETWEEN %(low)s AND %(high)s;

    INSERT INTO res_users_log (create_uid, create_date, write_uid, write_date)
    SELECT id, now() AT TIME ZONE 'UTC', id, now() AT TIME ZONE 'UTC' FROM res_users
     WHERE id %% 2 = 0 AND partner_id BETWEEN %(low)s AND %(high)s;
"""
ONSETS = ("Ba", "De", "Fi", "Ga", "Ho", "Ka", "Lu", "Mi")
ENDINGS = ("dana", "len", "mira", "nor", "rik", "sel", "tano", "vik")
PROVIDERS = [f"mail{number}.example" for number in range(8)]


def run(env, job):
    """Make contacts with a portal user each.

    :param job: `count` of them
    :return: dict with the count
    """
    partner = env["res.partner"].create(
        {
            "name": "Original",
            "email": "original@population.example",
            "phone": "+32 2 555 01 00",
            "city": "Brussels",
            "country_id": env.ref("base.be").id,
        }
    )
    user = (
        env["res.users"]
        .with_context(no_reset_password=True)
        .create(
            {
                "login": partner.email,
                "partner_id": partner.id,
                "group_ids": [(6, 0, env.ref("base.group_portal").ids)],
            }
        )
    )
    env.flush_all()
    names = [onset + ending for onset in ONSETS for ending in ENDINGS]
    env.cr.execute(
        PORTAL_USERS,
        {
            "count": job["count"],
            "first": names,
            "last": [name[::-1].capitalize() for name in names],
            "providers": PROVIDERS,
            "partner": partner.id,
        },
    )
    bounds = {"user": user.id, "low": partner.id + 1}
    env.cr.execute("SELECT max(id) FROM res_partner")
    [bounds["high"]] = env.cr.fetchone()
    env.cr.execute(USERS, bounds)
    env.cr.execute(BELONGINGS, bounds)
    param = env["ir.config_parameter"].set_param
    param(FIRST_CUSTOMER, bounds["low"])
    param(LAST_CUSTOMER, bounds["high"])
    env.cr.commit()
    return {"count": job["count"]}
