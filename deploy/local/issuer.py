"""A small OpenID provider on loopback, so that the real way in is always the one that is used.

It gives a token to whoever asks, by POST or with a browser: for `make up`, the demo, the tests.
Nothing in a service knows of it; to them it is one more issuer in a file.
"""

from __future__ import annotations

import socket
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import orjson
import uvicorn
from joserfc import jwt
from joserfc.jwk import ECKey, KeyParameters
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from deploy.local.errors import StackError
from deploy.local.issuer_page import CLIENT_ID, SigningIn

HOST = "127.0.0.1"
AUDIENCE = "trustfold"
ALGORITHM = "ES256"
VALID_S = 3600
START_TIMEOUT_S = 10.0
FORM = "application/x-www-form-urlencoded"
ROLES = ("participant", "manager", "hr", "service")


class Issuer:
    """Starts with its construction, on a free port. A context manager.

    `name` is what its tokens say it is; without one, its own address.
    """

    def __init__(self, name: str | None = None, key: ECKey | None = None) -> None:
        self._signed: dict[tuple[str, str, str], tuple[str, float]] = {}
        self._key = key or _new_key(1)
        self._socket = socket.create_server((HOST, 0))
        self.port = self._socket.getsockname()[1]
        self.url = f"http://{HOST}:{self.port}"
        self._name = name or self.url
        self.signing_in = SigningIn(self.token, VALID_S)
        routes = [
            Route("/.well-known/openid-configuration", self._discovery),
            Route("/jwks", self._jwks),
            Route("/token", self._token, methods=["POST"]),
            Route("/authorize", self.signing_in.authorize),
        ]
        config = uvicorn.Config(Starlette(routes=routes), log_level="critical", lifespan="off")
        self._server = uvicorn.Server(config)
        work = {"sockets": [self._socket]}
        self._thread = threading.Thread(target=self._server.run, kwargs=work, daemon=True)
        self._thread.start()
        self._wait()

    def token(self, person: str, roles: tuple[str, ...], tenant: str) -> str:
        """A token for an hour."""
        now = int(time.time())
        claims = {
            "iss": self._name,
            "aud": AUDIENCE,
            "sub": person,
            "tenant": tenant,
            "roles": list(roles),
            "iat": now,
            "exp": now + VALID_S,
        }
        return jwt.encode({"alg": ALGORITHM, "kid": self._key.kid}, claims, self._key)

    def headers(self, person: str, role: str, tenant: str, **more: str) -> dict[str, str]:
        """The headers of a request by this person in this role; `more` is sent beside them."""
        now_s = time.monotonic()
        signed, until_s = self._signed.get((person, role, tenant), ("", 0.0))
        if until_s <= now_s:
            signed = self.token(person, (role,), tenant)
            self._signed[person, role, tenant] = signed, now_s + VALID_S / 2
        return {"Authorization": f"Bearer {signed}", **more}

    def write_file(self, path: Path) -> Path:
        """The file that makes a service believe this issuer."""
        described = {
            "issuer": self._name,
            "jwks_url": f"{self.url}/jwks",
            "audience": AUDIENCE,
            "algorithms": [ALGORITHM],
            "tenant_claim": "tenant",
            "sign_in": {"client_id": CLIENT_ID},
        }
        path.write_bytes(orjson.dumps([described], option=orjson.OPT_INDENT_2))
        return path

    def rotate(self) -> None:
        """Sign with another key from now on; the one before is published no longer."""
        number = int(str(self._key.kid).rpartition("-")[2]) + 1
        self._key = _new_key(number)

    def close(self) -> None:
        """Stop listening. Tokens that were given stay good."""
        self._server.should_exit = True
        self._thread.join(START_TIMEOUT_S)
        self._socket.close()

    async def _discovery(self, _: Request) -> JSONResponse:
        return JSONResponse(
            {
                "issuer": self._name,
                "jwks_uri": f"{self.url}/jwks",
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "response_types_supported": ["code"],
                "grant_types_supported": ["authorization_code"],
                "code_challenge_methods_supported": ["S256"],
                "token_endpoint_auth_methods_supported": ["none"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": [ALGORITHM],
            }
        )

    async def _jwks(self, _: Request) -> JSONResponse:
        return JSONResponse({"keys": [self._key.as_dict(private=False)]})

    async def _token(self, request: Request) -> JSONResponse:
        if request.headers.get("content-type", "").startswith(FORM):
            return await self.signing_in.exchange(request)
        asked = await request.json()
        roles = tuple(role for role in asked.get("roles", ()) if role in ROLES)
        if not roles:
            return JSONResponse({"error": "invalid_request", "roles": ROLES}, 400)
        signed = self.token(str(asked.get("person")), roles, str(asked.get("tenant")))
        answer = {"access_token": signed, "token_type": "Bearer", "expires_in": VALID_S}
        return JSONResponse(answer, headers={"Cache-Control": "no-store"})

    def _wait(self) -> None:
        until = time.monotonic() + START_TIMEOUT_S
        while not self._server.started:
            if time.monotonic() > until or not self._thread.is_alive():
                raise StackError("the local identity provider did not start")
            time.sleep(0.01)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.close()


def _new_key(number: int) -> ECKey:
    described: KeyParameters = {"kid": f"local-{number}", "use": "sig", "alg": ALGORITHM}
    return ECKey.generate_key("P-256", described)
