"""What Jules produces: change sets, pull requests, media, command output."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceFile:
    """A file that a task touched.

    `status` is one of `modified`, `created`, `deleted`, `unchanged`, or `unknown`.
    """

    filename: str
    url: str = ""
    status: str = "modified"

    def to_dict(self) -> dict[str, Any]:
        """Return the file as JSON values."""
        return {"filename": self.filename, "url": self.url, "status": self.status}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote.

        Raises:
            KeyError: `filename` is missing.
        """
        return cls(
            filename=str(data["filename"]),
            url=str(data.get("url") or ""),
            status=str(data.get("status") or "unknown"),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class ChangeSet:
    """A patch in git's unified format. In activities it is cumulative: the whole work so far."""

    source: str = ""
    unidiff_patch: str = ""
    base_commit_id: str = ""
    suggested_commit_message: str = ""
    files: tuple[SourceFile, ...] = ()
    """The files the patch names, read by the adapter that received it."""

    def to_dict(self) -> dict[str, Any]:
        """Return the change set as JSON values, tagged `change_set`."""
        return {
            "kind": "change_set",
            "source": self.source,
            "unidiff_patch": self.unidiff_patch,
            "base_commit_id": self.base_commit_id,
            "suggested_commit_message": self.suggested_commit_message,
            "files": [file.to_dict() for file in self.files],
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class PullRequest:
    """A pull request that Jules opened."""

    url: str = ""
    title: str = ""
    description: str = ""
    base_ref: str = ""
    head_ref: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the pull request as JSON values, tagged `pull_request`."""
        return {
            "kind": "pull_request",
            "url": self.url,
            "title": self.title,
            "description": self.description,
            "base_ref": self.base_ref,
            "head_ref": self.head_ref,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Media:
    """A picture or other file, as base64 text."""

    mime_type: str = ""
    data: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the media as JSON values, tagged `media`."""
        return {"kind": "media", "mime_type": self.mime_type, "data": self.data}


@dataclass(frozen=True, kw_only=True, slots=True)
class BashOutput:
    """A command Jules ran, and what it printed (stdout and stderr together)."""

    command: str = ""
    output: str = ""
    exit_code: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Return the command as JSON values, tagged `bash_output`."""
        return {
            "kind": "bash_output",
            "command": self.command,
            "output": self.output,
            "exit_code": self.exit_code,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class UnknownArtifact:
    """An artifact of a kind this version does not know, kept as it came."""

    raw: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return the raw members, tagged `unknown`."""
        return {"kind": "unknown", "raw": dict(self.raw)}


Artifact = ChangeSet | PullRequest | Media | BashOutput | UnknownArtifact
"""Anything that can hang on an activity or be an output of a task."""


def artifact_from_dict(data: Mapping[str, Any]) -> Artifact:
    """Read what an artifact's `to_dict` wrote; an unknown kind is kept raw."""
    kind = data.get("kind")
    if kind == "change_set":
        return ChangeSet(
            source=str(data.get("source", "")),
            unidiff_patch=str(data.get("unidiff_patch", "")),
            base_commit_id=str(data.get("base_commit_id", "")),
            suggested_commit_message=str(data.get("suggested_commit_message", "")),
            files=tuple(SourceFile.from_dict(file) for file in data.get("files", ())),
        )
    if kind == "pull_request":
        names = ("url", "title", "description", "base_ref", "head_ref")
        return PullRequest(**{name: str(data.get(name, "")) for name in names})
    if kind == "media":
        return Media(mime_type=str(data.get("mime_type", "")), data=str(data.get("data", "")))
    if kind == "bash_output":
        return BashOutput(
            command=str(data.get("command", "")),
            output=str(data.get("output", "")),
            exit_code=int(data.get("exit_code", 0)),
        )
    raw = data.get("raw") if kind == "unknown" else data
    return UnknownArtifact(raw=dict(raw or {}))
