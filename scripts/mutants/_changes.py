"""The small changes that can be made to a file: Cosmic Ray's, and one more. It alone needs what `make mutants` installs."""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Iterator
from typing import Any

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator
from parso.python.tree import Keyword
from parso.tree import search_ancestor

from .known import Mutant

_BINARY = "Add_Sub Sub_Add Mul_FloorDiv FloorDiv_Mul Mod_FloorDiv Div_Mul RShift_LShift LShift_RShift BitAnd_BitXor BitXor_BitAnd"
_COMPARISON = "Eq_NotEq NotEq_Eq Lt_LtE Lt_GtE LtE_Lt LtE_Gt Gt_GtE Gt_LtE GtE_Gt GtE_Lt Is_IsNot IsNot_Is"
_OTHERS = (
    "AddNot ExceptionReplacer NumberReplacer RemoveDecorator ZeroIterationForLoop ReplaceTrueWithFalse ReplaceFalseWithTrue",
    "ReplaceAndWithOr ReplaceOrWithAnd ReplaceBreakWithContinue ReplaceContinueWithBreak",
    "ReplaceUnaryOperator_Delete_USub ReplaceUnaryOperator_Delete_Not",
)
OPERATORS = (
    *(f"ReplaceBinaryOperator_{name}" for name in _BINARY.split()),
    *(f"ReplaceComparisonOperator_{name}" for name in _COMPARISON.split()),
    *" ".join(_OTHERS).split(),
)
"""Of Cosmic Ray's: each operator becomes its opposite or its neighbour, not all others. Without ``|``, which stands in types."""


class RemoveStatement:
    """One more for Cosmic Ray: a call, an assignment, a ``raise``, ``del`` or ``return`` in a function becomes ``pass``."""

    def mutation_positions(self, node: Any) -> Iterator[tuple[Any, Any]]:
        of_interest = node.type in ("expr_stmt", "atom_expr", "raise_stmt", "del_stmt", "return_stmt") or node == "return"
        if of_interest and node.parent.type == "simple_stmt" and search_ancestor(node, "funcdef"):
            yield node.start_pos, node.end_pos

    def mutate(self, node: Any, index: int) -> Any:
        return Keyword("pass", node.start_pos, node.get_first_leaf().prefix)


def mutants(path: str, source: str) -> list[Mutant]:
    """Every change of a file, in the order of its lines; without those that Python cannot read, or reads as no change."""
    found = {ast.dump(ast.parse(source)): Mutant(path, 0, "", source)}
    for operator in (RemoveStatement(), *(get_operator(f"core/{name}")() for name in OPERATORS)):
        for occurrence in range(sum(len(list(operator.mutation_positions(node))) for node in ast_nodes(get_ast(source)))):
            changed = mutate_code(source, operator, occurrence)
            read_as = _read(changed)
            if read_as and read_as not in found:
                first, *rows = list(difflib.unified_diff(source.splitlines(), changed.splitlines(), n=0, lineterm=""))[2:]
                before, after = (" ".join(row[1:].strip() for row in rows if row[0] == sign) for sign in "-+")
                line = int(re.findall(r"\d+", first)[0])
                found[read_as] = Mutant(path, line, _neat(f"{before} => {after}"), changed)
    return sorted(list(found.values())[1:], key=lambda mutant: mutant.line)


def _neat(change: str) -> str:
    """Without the blanks that a replaced number or a removed word leaves."""
    return re.sub(r"((?<=[(\[])|(?<=[(\[:]-)|(?<=\w=)) (?=-?\d)", "", " ".join(change.split()))


def _read(source: str) -> str:
    """What Python reads in it; nothing if it cannot."""
    try:
        return ast.dump(ast.parse(source))
    except SyntaxError:
        return ""
