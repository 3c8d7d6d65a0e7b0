"""Markdown blocks with their lines, as backlog documents need them.

markdown-it-py splits the text into blocks. Two rules are added to its CommonMark set: a line
that begins with a bold label (`**Status**: …`) is a block of its own, even right under a list
(people write them so; CommonMark would make it part of the last list item), and the fence
after a prompt label ends where the prompt really ends, with other fences inside it. Underlined
headings are off, because a rule right under a label line is a rule to everyone but CommonMark.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from markdown_it import MarkdownIt
from markdown_it.ruler import RuleOptionsType
from markdown_it.rules_block import StateBlock
from markdown_it.token import Token

from jules_job_manager.adapters.documents.labels import (
    Label,
    heading_label,
    is_prompt_label,
    parse_label,
)
from jules_job_manager.adapters.documents.prompt_fence import find_prompt_end
from jules_job_manager.adapters.documents.text import SourceText

_MARK = re.compile(r"[-*+][ \t]+(?=\*\*)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Block:
    """A top-level block or a list item. Lines count from 0; `end` is exclusive.

    `kind` is `heading`, `label`, `item`, `table`, `rule`, `fence`, `text` or `other`. A list item
    may be a label too. `problem` says what was doubtful about it.
    """

    kind: str
    line: int
    end: int
    text: str = ""
    level: int = 0
    label: Label | None = None
    problem: str = ""


def parse_blocks(source: SourceText) -> list[Block]:
    """Return the blocks of the document in order. Linear in its length."""
    parser = MarkdownIt("commonmark").enable("table").disable("lheading")
    parser.core.ruler.enableOnly(["normalize", "block"])
    interrupted: RuleOptionsType = {"alt": ["paragraph", "reference", "blockquote", "list"]}
    parser.block.ruler.before("table", "backlog_label", _label_rule, interrupted)
    parser.block.ruler.before("fence", "backlog_prompt", _prompt_rule)
    blocks = _blocks(parser.parse("\n".join(source.lines)))
    return [_with_label(block, source) if block.kind == "item" else block for block in blocks]


def _with_label(item: Block, source: SourceText) -> Block:
    """Return a list item with the label it is (`- **Status**: Ready`), if it is one."""
    line = source.lines[item.line]
    mark = _MARK.match(line)
    label = parse_label(line[mark.end() :]) if mark and "\n" not in item.text else None
    if label is None or mark is None:
        return item
    return replace(item, label=replace(label, column=mark.end() + label.column))


def _label_rule(state: StateBlock, line: int, end_line: int, silent: bool) -> bool:  # noqa: ARG001
    if state.sCount[line] != 0:
        return False
    label = parse_label(state.src[state.bMarks[line] : state.eMarks[line]])
    if label is None:
        return False
    if not silent:
        token = state.push("backlog_label", "", 0)
        token.map = [line, line + 1]
        token.meta = {"label": label}
        state.line = line + 1
    return True


def _prompt_rule(state: StateBlock, line: int, end_line: int, silent: bool) -> bool:
    label = None if silent or state.sCount[line] > 3 else _label_before(state)
    if label is None or not is_prompt_label(label) or label.value:
        return False
    ending = find_prompt_end(lambda n: state.src[state.bMarks[n] : state.eMarks[n]], line, end_line)
    if ending is None:
        return False
    token = state.push("fence", "code", 0)
    token.map = [line, ending.end]
    token.meta = {"content_end": ending.content_end, "problem": ending.problem}
    state.line = ending.end
    return True


def _label_before(state: StateBlock) -> Label | None:
    last = state.tokens[-1] if state.tokens else None
    if last is not None and last.type == "backlog_label":
        label: Label = last.meta["label"]
        return label
    if last is not None and last.type == "heading_close" and last.tag != "h1":
        return heading_label(state.tokens[-2].content)
    return None


def _blocks(tokens: list[Token]) -> Iterator[Block]:
    for index, token in enumerate(tokens):
        if token.map is None or token.nesting < 0:
            continue
        line, end = token.map
        if token.type == "list_item_open":
            yield Block(kind="item", line=line, end=end, text=_first_text(tokens, index),
                        level=token.level)  # fmt: skip
        elif token.level > 0:
            continue
        elif token.type == "backlog_label":
            yield Block(kind="label", line=line, end=end, label=token.meta["label"])
        elif token.type == "heading_open":
            yield Block(kind="heading", line=line, end=end, level=int(token.tag[1:]),
                        text=tokens[index + 1].content)  # fmt: skip
        elif token.type == "fence":
            yield Block(kind="fence", line=line, end=end,
                        level=token.meta.get("content_end", end - 1),
                        problem=token.meta.get("problem", ""))  # fmt: skip
        elif token.type in _PLAIN:
            yield Block(kind=_PLAIN[token.type], line=line, end=end)


_PLAIN = {
    "paragraph_open": "text",
    "table_open": "table",
    "hr": "rule",
    "code_block": "other",
    "html_block": "other",
    "blockquote_open": "other",
}


def _first_text(tokens: list[Token], index: int) -> str:
    """Return the text of a list item's own first paragraph, not of the items in it."""
    for token in tokens[index + 1 : index + 3]:
        if token.type == "inline":
            return token.content
    return ""
