"""Change a few words of a function for a while, as a person would by mistake, for everybody who calls it."""

from __future__ import annotations

import contextlib
import inspect
import textwrap
from collections.abc import Callable, Iterator
from typing import Any


@contextlib.contextmanager
def planted(function: Callable[..., Any], right: str, wrong: str) -> Iterator[None]:
    """The function with `wrong` where it says `right`. Its code is exchanged, so whoever imported it has it too."""
    function = (
        getattr(function, "fget", None) or getattr(function, "__func__", None) or function
    )  # property, class method
    function = inspect.unwrap(function)
    source = textwrap.dedent(inspect.getsource(function))
    assert source.count(right) == 1, f"{function.__qualname__} says {right!r} {source.count(right)} times"
    made: dict[str, Any] = {}
    header = "from __future__ import annotations\n"
    body = source[source.index("def ") :]  # without decorators: the code below them is exchanged
    code = compile(header + body.replace(right, wrong), inspect.getfile(function), "exec")
    exec(code, function.__globals__, made)
    good = function.__code__
    function.__code__ = made[function.__name__].__code__
    try:
        yield
    finally:
        function.__code__ = good
