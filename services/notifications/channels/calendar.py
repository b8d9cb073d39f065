"""A session as an invitation that calendars understand (RFC 5545, RFC 5546). Pure.

The same session has the same UID as in the calendar that a person subscribes to, so that a client
which knows both shows it once. Times are in UTC: every client shows them in its reader's zone.
"""

from __future__ import annotations

from email.headerregistry import Address

from icalendar import Calendar, Event, vCalAddress, vText

from services.notifications.channels import Invitation
from services.notifications.rendering import Words

PRODUCT = "-//Trustfold//Notifications//EN"


def calendar_entry(
    invitation: Invitation, words: Words, *, organiser: Address, attendee: Address
) -> bytes:
    """The calendar part of an invitation, or of its cancellation; the same for the same arguments.

    Nobody is asked for an answer: who has a question writes to the other, not to us.
    """
    event = Event()
    event.add("uid", f"{invitation.session_id}@trustfold")
    event.add("sequence", invitation.sequence)
    event.add("dtstamp", invitation.told_at)
    event.add("dtstart", invitation.starts_at)
    event.add("dtend", invitation.starts_at + invitation.duration)
    event.add("summary", words.subject)
    event.add("description", words.text)
    event.add("organizer", _person(organiser))
    guest = _person(attendee)
    guest.params["ROLE"] = vText("REQ-PARTICIPANT")
    guest.params["PARTSTAT"] = vText("ACCEPTED")
    guest.params["RSVP"] = vText("FALSE")
    event.add("attendee", guest)
    event.add("status", "CANCELLED" if invitation.is_cancelled else "CONFIRMED")
    event.add("class", "PRIVATE")
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("method", "CANCEL" if invitation.is_cancelled else "REQUEST")
    calendar.add_component(event)
    return bytes(calendar.to_ical())


def _person(who: Address) -> vCalAddress:
    person = vCalAddress(f"mailto:{who.addr_spec}")
    if who.display_name:
        person.params["CN"] = vText(who.display_name)
    return person
