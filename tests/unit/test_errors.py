"""The error tree: messages, codes and context."""

from __future__ import annotations

import inspect

from jules_job_manager import errors


def _classes() -> list[type[errors.JulesManagerError]]:
    return [
        value
        for value in vars(errors).values()
        if inspect.isclass(value) and issubclass(value, errors.JulesManagerError)
    ]


def test_codes_are_unique():
    """Every error has a code of its own."""
    codes = [cls.code for cls in _classes()]
    assert len(codes) == len(set(codes))


def test_docstring_is_the_default_message():
    """An error raised without words says what its class means."""
    assert str(errors.TaskNotFoundError()) == "There is no such task."


def test_tree_is_drawn():
    """The module's drawing names every class."""
    assert all(cls.__name__ in str(errors.__doc__) for cls in _classes())


def test_repr_and_dict_hold_everything():
    """Logs see message, code, hint and context."""
    error = errors.OperationFailedError("No.", hint="Wait.", context={"task_id": "1"})
    assert repr(error) == (
        "OperationFailedError('No.', code='JJM060', hint='Wait.', context={'task_id': '1'})"
    )
    assert error.to_dict()["context"] == {"task_id": "1"}


def test_missing_extra_names_the_command():
    """A missing part says how to add it."""
    assert "pip install 'jules-job-manager[mcp]'" in str(
        errors.MissingExtraError("The MCP server", "mcp").hint
    )


def test_retry_after_is_kept():
    """What the server asked for is known to the caller."""
    assert errors.QuotaExceededError(retry_after_seconds=7.0).retry_after_seconds == 7.0
