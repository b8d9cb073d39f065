"""SCIM filters as conditions on what is kept. Values never become part of a statement.

What directories ask is found by an index: userName, externalId, id, emails, displayName. The rest
is compared row by row, within one tenant. What has no meaning here is refused, never guessed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from scim2_models import Extension, InvalidFilterException, ScimFilter
from scim2_models.path import (
    AttributeBinding,
    AttrPath,
    CompareOperator,
    Comparison,
    FilterVisitor,
    LogicalExpr,
    LogicalOperator,
    Not,
    Present,
    ValuePath,
)

_USER = "urn:ietf:params:scim:schemas:core:2.0:User:"
_GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group:"
# The attribute, and the column its value in lower case is found by.
_KEYS = {
    f"{_USER}userName": "user_name_key",
    f"{_GROUP}displayName": "lower(display_name)",
}
_PATTERNS = {CompareOperator.co: "%{}%", CompareOperator.sw: "{}%", CompareOperator.ew: "%{}"}


@dataclass(frozen=True, slots=True)
class Condition:
    """An expression for WHERE, and its values: $2 and on."""

    sql: str = "true"
    values: tuple[object, ...] = ()


def condition_of(wanted: ScimFilter[Any] | None) -> Condition:
    """The filter as a condition. Raises InvalidFilterException for what cannot be asked here."""
    if wanted is None:
        return Condition()
    writer = _Writer(wanted)
    return Condition(writer.visit(wanted.ast), tuple(writer.values))


def _unsupported(what: str) -> InvalidFilterException:
    return InvalidFilterException(
        detail=f"{what} is not supported: use eq, co, sw, ew, pr, and, or, not"
    )


class _Writer(FilterVisitor[str]):
    """Writes one filter. `within` is the array's attribute while its entries are looked at."""

    def __init__(self, wanted: ScimFilter[Any]) -> None:
        self.values: list[object] = []
        self._filter = wanted
        self._within: AttrPath | None = None

    def visit_logical_expr(self, node: LogicalExpr) -> str:
        joiner = " AND " if node.op is LogicalOperator.and_ else " OR "
        return "(" + joiner.join(self.visit(term) for term in node.terms) + ")"

    def visit_not(self, node: Not) -> str:
        return f"NOT coalesce({self.visit(node.expr)}, false)"

    def visit_value_path(self, node: ValuePath) -> str:
        bound = self._resolved(node.attr_path)
        if not bound.is_multivalued or bound.urn == f"{_GROUP}members":
            raise _unsupported(f"a filter in {node.attr_path}")
        self._within = node.attr_path
        inner = self.visit(node.val_filter)
        self._within = None
        return f"EXISTS (SELECT FROM {_entries(bound)} WHERE {inner})"

    def visit_present(self, node: Present) -> str:
        bound = self._resolved(node.attr_path)
        if bound.urn.startswith(f"{_GROUP}members"):
            return (
                "EXISTS (SELECT FROM scim_member WHERE scim_member.tenant = $1 AND group_id = id)"
            )
        if _is_own(bound):
            return f"{_own(bound)} IS NOT NULL"
        if bound.is_multivalued and self._within is None:
            if bound.sub_field_name is None:
                return f"jsonb_array_length(coalesce(data {_path(bound)}, '[]')) > 0"
            return (
                f"EXISTS (SELECT FROM {_entries(bound)} WHERE coalesce({_text(bound)}, '') <> '')"
            )
        return f"coalesce({self._text(bound)}, '') NOT IN ('', '[]', '{{}}')"

    def visit_comparison(self, node: Comparison) -> str:
        bound = self._resolved(node.attr_path, compared=True)
        if node.value is None or (node.op not in _PATTERNS and node.op is not CompareOperator.eq):
            raise _unsupported(f"{node.attr_path} {node.op.value}")
        if _is_own(bound):
            return self._compared(node, bound, _own(bound))
        if bound.urn.startswith(f"{_GROUP}members"):
            return self._member(node, bound)
        if bound.urn in _KEYS and node.op is CompareOperator.eq:
            return f"{_KEYS[bound.urn]} = {self._value(bound.comparable(node.value))}"
        if bound.is_multivalued and self._within is None:
            inner = self._compared(node, bound, _text(bound))
            return f"{self._hint(node, bound)}EXISTS (SELECT FROM {_entries(bound)} WHERE {inner})"
        return self._hint(node, bound) + self._compared(node, bound, self._text(bound))

    def _hint(self, node: Comparison, bound: AttributeBinding) -> str:
        """Finds the few rows by the index; what follows decides."""
        if not bound.urn.endswith("emails.value") or node.op is not CompareOperator.eq:
            return ""
        return f"emails @> ARRAY[{self._value(str(node.value).lower())}::text] AND "

    def _member(self, node: Comparison, bound: AttributeBinding) -> str:
        if bound.sub_field_name != "value" or node.op is not CompareOperator.eq:
            raise _unsupported(f"{node.attr_path} {node.op.value}")
        return (
            "EXISTS (SELECT FROM scim_member WHERE scim_member.tenant = $1"
            f" AND group_id = id AND member_id = {self._value(str(node.value))})"
        )

    def _compared(self, node: Comparison, bound: AttributeBinding, text: str) -> str:
        if bound.target_type is bool:
            return f"{text} = {self._value('true' if node.value else 'false')}"
        if not isinstance(node.value, str):
            if isinstance(node.value, int) and bound.target_type is int:
                return f"{text} = {self._value(str(node.value))}"
            raise _unsupported(f"{node.attr_path} with a {type(node.value).__name__}")
        value = bound.comparable(node.value)
        folded = text if bound.case_exact else f"lower({text})"
        if node.op is CompareOperator.eq:
            return f"{folded} = {self._value(value)}"
        for special in "\\%_":
            value = value.replace(special, f"\\{special}")
        return f"{folded} LIKE {self._value(_PATTERNS[node.op].format(value))}"

    def _value(self, value: object) -> str:
        self.values.append(value)
        return f"${len(self.values) + 1}"

    def _text(self, bound: AttributeBinding) -> str:
        """The value as text: of an entry while inside an array, of the row otherwise."""
        if self._within is not None:
            return _text(bound)
        if bound.sub_field_name is None:
            return f"(data #>> '{{{_words(bound)}}}')"
        return f"(data #>> '{{{_words(bound)},{_name(bound, sub=True)}}}')"

    def _resolved(self, path: AttrPath, *, compared: bool = False) -> AttributeBinding:
        if self._within is not None:
            path = AttrPath(self._within.attr, path.attr, self._within.uri)
        bound = (
            self._filter.resolve_comparison(path, strict=False)
            if compared
            else self._filter.resolve(path, strict=False)
        )
        if bound is None:
            raise InvalidFilterException(detail=f"{path} is no attribute of this resource")
        return bound


def _is_own(bound: AttributeBinding) -> bool:
    """Whether the attribute has a column, and does not stand in what was sent."""
    return bound.field_name in ("id", "external_id", "meta")


def _own(bound: AttributeBinding) -> str:
    if bound.field_name == "meta":
        raise _unsupported("meta")
    return bound.field_name


def _name(bound: AttributeBinding, *, sub: bool = False) -> str:
    model = bound.target_model if sub else bound.model
    assert model is not None
    field = bound.target_field_name if sub else bound.field_name
    name = str(model.model_fields[field].serialization_alias or field)
    # From a schema of ours or the standard's; checked because it stands in the statement.
    if not name.removeprefix("$").isalnum():
        raise _unsupported(name)
    return name


def _words(bound: AttributeBinding) -> str:
    name = _name(bound)
    if issubclass(bound.model, Extension):
        return f'"{bound.model.__schema__}",{name}'
    return name


def _path(bound: AttributeBinding) -> str:
    return f"#> '{{{_words(bound)}}}'"


def _entries(bound: AttributeBinding) -> str:
    """The entries of a list as rows of their own."""
    return f"jsonb_array_elements(coalesce(data {_path(bound)}, '[]')) AS entry"


def _text(bound: AttributeBinding) -> str:
    """The value of an entry, as text."""
    if bound.sub_field_name is None:
        return "(entry #>> '{}')"
    return f"(entry ->> '{_name(bound, sub=True)}')"
