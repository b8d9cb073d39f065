"""The words that go with the conformance kit. Text only."""

from __future__ import annotations

README = """\
# Conformance kit

For the team that sends people to Trustfold. Nothing here needs Trustfold to run.

| file | is |
|---|---|
| `valid/binary/*.json` | one record each: `key`, `headers`, and `value`, which is the whole body |
| `valid/structured/*.json` | the same as one JSON document, attributes and `data` together |
| `valid/batch.json` | all of them as one list, for `application/cloudevents-batch+json` |
| `valid/people.ndjson` | all of them, one a line: what an export looks like |
| `invalid/**` | what is refused, with one thing wrong in each |
| `expected.json` | for each event: ok, or the refusal's `reason` and `field` |

## The headers
On Kafka each attribute is a header `ce_<name>` in UTF-8; over HTTP it is `ce-<name>`. Needed are
`specversion` (1.0), `id`, `source`, `type`, `time` (with a zone) and `tenant`. The content-type
is `application/json` in binary mode and `application/cloudevents+json` in structured mode. The
record's key is `<tenant>/<person_id>`; of a leave, `<tenant>/<person_id>/<leave_id>`. A structured
event names it in `partitionkey`.

## Test your own sender
1. Have it produce events for people you make up, and keep them in a file, one a line.
2. Compare each with the valid event of its type: the same attributes, the same fields.
3. `trustfold contracts verify --json FILE` says of each event whether it would be read, and if
   not, why and which field. It needs no broker. It ends with 1 if one event is refused.
4. Send the same event twice with the same `id` and `source`: it counts once. A correction is a
   new `id` with a later `time`.
"""
