"""Why a record can be poison: every reason `envelope.decode` gives, in words. Names only, no logic.

A reason is a metric label and a dead-letter header: it is never renamed.
"""

from __future__ import annotations

from typing import Final

REASONS: Final[dict[str, str]] = {
    "no_value": "There is no value: a tombstone, or a record without data.",
    "too_large": "The value is larger than an event may be.",
    "bad_header": "A CloudEvents header is null or not UTF-8.",
    "missing_attribute": "A CloudEvents attribute that every event carries is not there.",
    "bad_attribute": "A CloudEvents attribute is there, but is not what it should be.",
    "unknown_type": "No fact has this type.",
    "bad_data": "The data is not JSON, or not what the type says.",
    "bad_envelope": "The content-type announces a CloudEvent in JSON, and the value is not one.",
    "wrong_key": "The record's key is not `<tenant>/<subject>`, so its order means nothing.",
}
