"""The invitation in a mail as iCalendar (RFC 5545, RFC 5546). Data in, text out; asks nobody.

The UID is that of the session in the reader's calendar feed, so no calendar shows it twice. Times
are in UTC: every client shows them in its own zone. Nothing that somebody noted for themselves.
"""

from __future__ import annotations

import re
from email.headerregistry import Address

from icalendar import Calendar, Event, vCalAddress

from services.notifications.channels import Invitation
from services.notifications.rendering import plain_name

FILE_NAME = "invite.ics"
# Nobody reads what is answered to the sender, so nobody is asked to answer it.
_ANSWER = "FALSE"
# What an address in quotes may hold, and a URI not.
_NOT_IN_URI = re.compile(r"[^!#$&'()*+,./0-9:;=?@A-Z_a-z~\u00a1-\uffff\U00010000-\U0010ffff-]")


def method(invitation: Invitation) -> str:
    """What a calendar is to do with it: take it in (again), or take it out."""
    return "CANCEL" if invitation.is_cancelled else "REQUEST"


def render(invitation: Invitation, *, organizer: Address, attendee: Address) -> str:
    """The invitation to one reader. The same arguments give the same text, lines end in CR LF."""
    calendar = Calendar()
    calendar.add("version", "2.0")
    calendar.add("prodid", "-//Trustfold//Notifications//EN")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", method(invitation))
    calendar.add_component(_event(invitation, organizer, attendee))
    rendered: bytes = calendar.to_ical()
    return rendered.decode()


def _event(invitation: Invitation, organizer: Address, attendee: Address) -> Event:
    other = plain_name(invitation.other_name)
    event = Event()
    event.add("uid", f"{invitation.session_id}@trustfold")
    event.add("dtstamp", invitation.told_at)
    event.add("sequence", invitation.sequence)
    event.add("summary", f"Mentoring session with {other}" if other else "Mentoring session")
    event.add("dtstart", invitation.starts_at)
    event.add("dtend", invitation.starts_at + invitation.duration)
    event.add("status", "CANCELLED" if invitation.is_cancelled else "CONFIRMED")
    event.add("transp", "TRANSPARENT" if invitation.is_cancelled else "OPAQUE")
    event.add("organizer", _person(organizer), encode=False)
    reader = _person(attendee)
    reader.params["CUTYPE"] = "INDIVIDUAL"
    reader.params["ROLE"] = "REQ-PARTICIPANT"
    reader.params["PARTSTAT"] = "NEEDS-ACTION"
    reader.params["RSVP"] = _ANSWER
    event.add("attendee", reader, encode=False)
    return event


def _person(address: Address) -> vCalAddress:
    person = vCalAddress("mailto:" + _NOT_IN_URI.sub(_percent, address.addr_spec))
    # A parameter cannot hold a double quote (RFC 5545 3.1).
    name = plain_name(address.display_name).replace('"', "'")
    if name:
        person.params["CN"] = name
    return person


def _percent(found: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in found[0].encode())
