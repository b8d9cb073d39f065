"""Which words of a text count, and in which form. Holds no arrays; knows nobody.

Left out are words that carry no meaning in English, German, French or Spanish; numbers, which may
be an age or a year of birth; and words about gender, ethnicity, faith, orientation or age: those
have no part in who is proposed to whom, whatever somebody writes about themselves.
"""

from __future__ import annotations

import re
import unicodedata

# Beyond this a "word" is none, and its pieces would only cost time.
LONGEST = 40
_WORD = re.compile(r"[^\W\d_]+")

_EMPTY = """
a about all also am an and any are as at be been being but by can could do does for from get had
has have help how i if in into is it its just learn like looking me more most my need no not of on
one or other our out so some than that the their them there these they this to too up us want was
we were what when where which who will with work working would you your
aber alle als am an auch auf aus bei bin bis das dass dem den der des die ein eine einem einen
einer es fur gern habe haben ich ihr im ist kann kein lernen mein meine mehr mich mit mochte nach
nicht noch nur oder sein sich sie sind so suche uber um und uns unter viel vom von vor war was
wenn werden wie wir zu zum zur
ai au aux avec avoir ce ces cette comme dans de des du elle en est et etre eux il ils je la le les
leur lui ma mais me mes moi mon ne nos notre nous on ou par pas plus pour qu que qui sa se ses son
sont suis sur ta te tes toi ton tu un une vos votre vous
al algo como con cual cuando de del desde donde el ella ellas ellos en entre era es esta este esto
estoy fue ha hay la las le les lo los mas me mi mis muy no nos o otro para pero por que quiero se
ser si sin sobre soy su sus te tengo tu un una uno y ya yo
"""
_PROTECTED = """
age aged ages ageing aging boomer boomers elderly gender genders generation kid kids millennial
millennials old older oldest teen teenage teenager teens young younger youngest youth zoomer
boy boys brother daughter dad father fathers female females feminine girl girls guy guys he her
hers him his husband ladies lady male males man masculine men mom mother mothers mum nonbinary
pregnancy pregnant sex she sister son trans transgender wife woman women womens mens
african africans american arab arabic asian asians black blacks caucasian chinese ethnic
ethnicities ethnicity european hispanic immigrant immigrants indian indigenous latin latina
latinas latino latinos latinx migrant migrants minorities minority nationality race races racial
roma white whites
atheist buddhist catholic christian christians faith hindu hindus islam islamic jew jewish jews
muslim muslims protestant religion religious sikh
bisexual disability disabled gay heterosexual homosexual lesbian lgbt lgbtq lgbtqia queer straight
alt alte alten alter altere alterer bruder divers er frau frauen geschlecht jude judin judisch
jung junge junger jungere lesbisch madchen mann manner mannlich migrantin mutter muslima
muslimisch schwanger schwarz schwarze schwester schwul sohn tochter vater weib weiblich weiss
weisse christlich herkunft
agee africain africaine arabe asiatique blanc blanche chretien chretienne ethnie femme femmes
feminin fille filles fils frere genre garcon homme hommes jeune jeunes juif juive lesbienne
masculin mere musulman musulmane noir noire pere race sexe soeur vieux vieille
anciano blanca blanco chica chico cristiana cristiano edad etnia femenino hermana hermano hija
hijo hombre hombres joven jovenes judia judio madre masculino mayor mujer mujeres musulmana
musulman negra negro nina nino padre raza sexo viejo vieja
"""


def _as_compared(text: str) -> str:
    """Without case and accents: "Führung" and "fuhrung" are one."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in apart if not unicodedata.combining(letter))


LEFT_OUT = frozenset(_EMPTY.split()) | frozenset(_PROTECTED.split())
PROTECTED = frozenset(_PROTECTED.split())


def words(text: str) -> list[str]:
    """The words that count, in order, as often as they stand there, without case and accents."""
    found = _WORD.findall(_as_compared(text) if not text.isascii() else text.lower())
    return [word[:LONGEST] for word in found if word not in LEFT_OUT and len(word) > 1]
