"""Who is asking: OIDC bearer tokens, the keys they are signed with, and who may call which route.

token -> issuers.py (whom we trust) -> keys.py (their keys) -> tokens.py (what it grants)
      -> signing_in.py (the request's caller) -> access.py (may the role call this route?)
"""
