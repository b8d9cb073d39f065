"""The one page that this service shows: stop these mails? Words in, HTML out; decides nothing."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from services.notifications.domain.workflow import Category

_FOLDER = Path(__file__).parent / "templates"
_PAGE = Environment(
    loader=FileSystemLoader(_FOLDER), undefined=StrictUndefined, autoescape=True
).get_template("unsubscribe.html")


@dataclass(frozen=True, slots=True)
class _Words:
    ask: str
    ask_text: str
    button: str
    done: str
    done_text: str
    about: Mapping[str, str]


_ABOUT_EN: Mapping[str, str] = {
    "matching": "finding a mentoring partner",
    "agreement": "your agreement",
    "sessions": "your sessions",
    "promises": "promises",
    "care": "how it is going",
    "digest": "several things at once",
}
_WORDS: Final[Mapping[str, _Words]] = {
    "en": _Words(
        "Stop these mails?",
        "You will get no more mails about {about}. Your inbox in the application has everything.",
        "Stop these mails",
        "These mails have stopped",
        "You get no more mails about {about}. You can change that in your preferences at any time.",
        _ABOUT_EN,
    ),
    "de": _Words(
        "Diese Mails abbestellen?",
        "Sie erhalten keine Mails mehr über {about}. Im Posteingang der Anwendung steht alles.",
        "Mails abbestellen",
        "Diese Mails sind abbestellt",
        "Es kommen keine Mails mehr über {about}. In den Einstellungen lässt sich das ändern.",
        {
            "matching": "die Suche nach einer Mentoring-Partnerschaft",
            "agreement": "Ihre Vereinbarung",
            "sessions": "Ihre Treffen",
            "promises": "Zusagen",
            "care": "den Stand der Dinge",
            "digest": "mehrere Dinge auf einmal",
        },
    ),
    "fr": _Words(
        "Ne plus recevoir ces messages ?",
        "Vous ne recevrez plus de messages sur {about}. Tout reste dans votre boîte.",
        "Ne plus les recevoir",
        "Vous ne recevrez plus ces messages",
        "Plus aucun message sur {about}. Vous pouvez changer cela dans vos préférences.",
        {
            "matching": "la recherche d'un binôme",
            "agreement": "votre accord",
            "sessions": "vos rencontres",
            "promises": "les promesses",
            "care": "la façon dont cela se passe",
            "digest": "plusieurs sujets à la fois",
        },
    ),
    "es": _Words(
        "¿Dejar de recibir estos correos?",
        "No recibirá más correos sobre {about}. En su bandeja de la aplicación sigue estando todo.",
        "Dejar de recibirlos",
        "Ya no recibirá estos correos",
        "No recibirá más correos sobre {about}. Puede cambiarlo en sus preferencias cuando quiera.",
        {
            "matching": "la búsqueda de pareja de mentoría",
            "agreement": "su acuerdo",
            "sessions": "sus sesiones",
            "promises": "las promesas",
            "care": "cómo va todo",
            "digest": "varias cosas a la vez",
        },
    ),
}
LANGUAGES = tuple(_WORDS)


def unsubscribe_page(category: Category, locale: str, *, is_done: bool) -> str:
    """The question with a button, or that it is done, in the language or else in English."""
    language = locale.partition("-")[0]
    words = _WORDS.get(language, _WORDS["en"])
    text = words.done_text if is_done else words.ask_text
    return _PAGE.render(
        language=language if language in _WORDS else "en",
        title=words.done if is_done else words.ask,
        text=text.format(about=words.about[category]),
        button="" if is_done else words.button,
    )


def _style_hash() -> str:
    style = unsubscribe_page("care", "en", is_done=True).partition("<style>")[2]
    return b64encode(sha256(style.partition("</style>")[0].encode()).digest()).decode()


# Nothing but the page's own style, and a form that goes back where it came from.
POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{_style_hash()}'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
