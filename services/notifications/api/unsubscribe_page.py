"""The page of an unsubscribe link, in its reader's language. No script and no link."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from html import escape

FALLBACK = "en"
STYLE = (
    ":root{color-scheme:light dark;font:1.125rem/1.5 system-ui,sans-serif}"
    "main{max-width:32rem;margin:12vh auto;padding:0 1.25rem}"
    "h1{font-size:1.5rem;line-height:1.25}"
    "button{font:inherit;padding:.6em 1.4em;border:2px solid;border-radius:.4em;cursor:pointer;"
    "background:CanvasText;color:Canvas}"
    "button:focus-visible{outline:3px solid Highlight;outline-offset:3px}"
)
# What a policy allows the page, and nothing else: this very style.
STYLE_HASH = b64encode(sha256(STYLE.encode()).digest()).decode()
# A header is read no further than this.
_READ = 200


@dataclass(frozen=True, slots=True)
class _Words:
    title: str
    ask: str
    button: str
    done: str
    kinds: Mapping[str, str]


_KINDS = ("matching", "agreement", "sessions", "promises", "care", "digest")


def _kinds(*names: str) -> Mapping[str, str]:
    return dict(zip(_KINDS, names, strict=True))


_SAID = {
    "en": _Words(
        "Stop these emails",
        "You will get no more emails about: {kind}. Everything stays in your inbox in the app.",
        "Stop these emails",
        "Done. You will get no more emails about: {kind}.",
        _kinds("matching", "agreements", "sessions", "promises", "how it is going", "summaries"),
    ),
    "de": _Words(
        "Diese E-Mails abbestellen",
        "Sie erhalten keine E-Mails mehr zu: {kind}. In der App bleibt alles im Posteingang.",
        "Diese E-Mails abbestellen",
        "Erledigt. Sie erhalten keine E-Mails mehr zu: {kind}.",
        _kinds(
            "Vermittlung", "Vereinbarungen", "Treffen", "Zusagen", "wie es läuft",
            "Zusammenfassungen",
        ),
    ),
    "fr": _Words(
        "Ne plus recevoir ces courriels",
        "Vous ne recevrez plus de courriels sur : {kind}. Tout reste dans l'application.",
        "Ne plus recevoir ces courriels",
        "C'est fait. Vous ne recevrez plus de courriels sur : {kind}.",
        _kinds(
            "la mise en relation", "les accords", "les rencontres", "les promesses",
            "le suivi de la relation", "les résumés",
        ),
    ),
    "es": _Words(
        "Dejar de recibir estos correos",
        "No recibirá más correos sobre: {kind}. Todo queda en su bandeja de la aplicación.",
        "Dejar de recibir estos correos",
        "Hecho. No recibirá más correos sobre: {kind}.",
        _kinds(
            "la asignación", "los acuerdos", "las sesiones", "las promesas",
            "la marcha de la relación", "los resúmenes",
        ),
    ),
}  # fmt: skip


def language_of(accepted: str) -> str:
    """The first language of an Accept-Language header that we speak; weights are not read, since
    browsers write them in falling order.
    """
    for each in accepted[:_READ].split(","):
        language = each.partition(";")[0].strip().partition("-")[0].lower()
        if language in _SAID:
            return language
    return FALLBACK


def page(accepted: str, category: str, *, is_done: bool) -> tuple[str, str]:
    """Its language, and the page: the question with a button, or that it is done."""
    language = language_of(accepted)
    words = _SAID[language]
    kind = words.kinds.get(category, category)
    said = escape((words.done if is_done else words.ask).format(kind=kind), quote=False)
    # Without an action a form is posted to where it came from, token and all.
    form = (
        ""
        if is_done
        else '<form method="post"><input type="hidden" name="List-Unsubscribe" value="One-Click">'
        f'<button type="submit">{escape(words.button)}</button></form>'
    )
    status = ' role="status"' if is_done else ""
    return language, (
        f'<!doctype html>\n<html lang="{language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(words.title)}</title><style>{STYLE}</style></head>"
        f"<body><main><h1>{escape(words.title)}</h1><p{status}>{said}</p>{form}</main></body></html>"
    )
