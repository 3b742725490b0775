"""What the OpenID Foundation's suite asks of a FAPI 2.0 provider, module by module: each test bears a module's name.

`docs/security/openid-conformance.yaml` lists all modules of the plan, with those whose test lies elsewhere.
"""
