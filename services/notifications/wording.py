"""What a tenant may write as its own words, and what it may not. Renders nothing for anybody.

Templates of tenants are data of strangers: only names, conditions and comparisons are allowed, no
loop, no call, no attribute and no arithmetic. So what one makes is never much longer than itself
and the names in it, and nothing of the service can be reached from it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from jinja2 import TemplateSyntaxError, nodes
from jinja2.meta import find_undeclared_variables
from jinja2.sandbox import ImmutableSandboxedEnvironment

from shared.errors import Rejected

LONGEST = 8_000
_ALLOWED = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Name,
    nodes.Const,
    nodes.If,
    nodes.CondExpr,
    nodes.Compare,
    nodes.Operand,
    nodes.Not,
    nodes.And,
    nodes.Or,
    nodes.Filter,
)
_EVERYWHERE = frozenset({"name", "other", "role", "other_role"})
_MEETING = frozenset({"starts_at", "starts"})
_LENGTH = frozenset({"duration_minutes", "duration"})
_DUE = frozenset({"due_at", "due"})
_ANSWER = frozenset({"answer_until_at", "answer_until"})
# What a template of a workflow finds, beside what each finds.
FOUND: Mapping[str, frozenset[str]] = {
    "pair_proposed": _ANSWER,
    "pair_waiting": _ANSWER,
    "pair_started": frozenset(),
    "pair_ended": frozenset(),
    "agreement_proposed": frozenset(),
    "agreement_signed": frozenset({"cadence_days", "cadence", "notice_hours", "notice"}),
    "agreement_review": frozenset(),
    "session_scheduled": _MEETING | _LENGTH | {"by_you"},
    "session_rescheduled": _MEETING | _LENGTH | {"by_you", "previous_starts_at", "previous_starts"},
    "session_cancelled": _MEETING | {"by_you"},
    "session_tomorrow": _MEETING | _LENGTH,
    "session_soon": _MEETING | _LENGTH,
    "session_held": _MEETING,
    "commitment_made": _DUE,
    "commitment_tomorrow": _DUE,
    "commitment_warned": _DUE,
    "commitment_missed": _DUE,
    "repair_delivered": frozenset(),
    "goal_reached": frozenset(),
    "reply_waiting": frozenset({"until_at", "until"}),
}
_PARSER = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)


def check(template: str, workflow: str) -> None:
    """Raise Rejected, naming the line, for what cannot be a template of the workflow."""
    if len(template) > LONGEST:
        raise Rejected(f"more than {LONGEST} characters", field="template")
    subject, _, body = template.strip().partition("\n")
    if not subject.strip() or not body.strip():
        raise Rejected("the first line is the subject, a text follows", field="template")
    try:
        parsed = _PARSER.parse(template)
    except TemplateSyntaxError as error:
        raise Rejected(f"line {error.lineno}: {error.message}", field="template") from None
    for node in _nodes(parsed):
        if not isinstance(node, _ALLOWED):
            kind = type(node).__name__.lower()
            raise Rejected(f"line {node.lineno}: no {kind} here", field="template")
        if isinstance(node, nodes.Filter) and node.name != "first_up":
            raise Rejected(f"line {node.lineno}: no filter but first_up", field="template")
    found = _EVERYWHERE | FOUND[workflow]
    if unknown := sorted(find_undeclared_variables(parsed) - found):
        known = ", ".join(sorted(found))
        raise Rejected(f"no {', '.join(unknown)} here; there is: {known}", field="template")


def _nodes(parsed: nodes.Template) -> Iterator[nodes.Node]:
    yield parsed
    yield from parsed.find_all(nodes.Node)
