"""A function of any kind, each call of which is measured."""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import aclosing
from typing import Any, ParamSpec, TypeVar

from mycloset.monitor.measurement import Measuring

P = ParamSpec("P")
R = TypeVar("R")


def decorated(function: Callable[P, R], measuring: Callable[[], Measuring]) -> Callable[P, R]:
    """`function`, each call within a block of its own; its kind, name and signature stay.

    Args:
        function: a function, coroutine function, generator or asynchronous generator function.
        measuring: makes the block.
    """
    made: Any
    called: Any = function
    if inspect.iscoroutinefunction(function):

        async def made(*args: Any, **options: Any) -> Any:
            with measuring():
                return await called(*args, **options)

    elif inspect.isasyncgenfunction(function):

        async def made(*args: Any, **options: Any) -> AsyncGenerator[Any, Any]:
            with measuring():
                async with aclosing(called(*args, **options)) as items:
                    step = anext(items)
                    while True:
                        try:
                            item = await step
                        except StopAsyncIteration:
                            return
                        try:
                            step = items.asend((yield item))
                        except GeneratorExit:
                            raise
                        except BaseException as thrown:  # noqa: BLE001 (handed on, to whom it is for)
                            step = items.athrow(thrown)

    elif inspect.isgeneratorfunction(function):

        def made(*args: Any, **options: Any) -> Generator[Any, Any, Any]:
            with measuring():
                return (yield from called(*args, **options))

    else:

        def made(*args: Any, **options: Any) -> Any:
            with measuring():
                return called(*args, **options)

    wrapped: Callable[P, R] = functools.wraps(function)(made)
    return wrapped
