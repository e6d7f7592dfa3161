from __future__ import annotations

import inspect

import numpy as np
import pytest

from mycloset import errors
from mycloset.errors import InputError, MyClosetError, StepError, StepInputError
from mycloset.images import read_picture
from mycloset.tryon.state import TryOnState

KINDS = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, MyClosetError) and not issubclass(kind, StepError)
]


@pytest.mark.parametrize("kind", KINDS)
def test_message_and_hint_are_one_text(kind: type[MyClosetError]) -> None:
    assert str(kind("It broke.", hint="Mend it.")) == "It broke. Mend it."
    assert str(kind("It broke.")) == "It broke."


@pytest.mark.parametrize("kind", [*KINDS, StepError, StepInputError])
def test_only_what_the_caller_gave_ends_with_2(kind: type[MyClosetError]) -> None:
    assert kind.exit_code == (2 if issubclass(kind, InputError) else 1)


def test_a_step_error_names_its_step_and_holds_what_was_found() -> None:
    picture = read_picture(np.zeros((64, 64), np.uint8))
    state = TryOnState(picture, picture)
    error = StepError("human_parsing", "nobody is seen.", hint="Look again.", state=state)
    assert str(error) == "human_parsing: nobody is seen. Look again."
    assert error.step == "human_parsing"
    assert error.partial["person_picture"] is picture
    assert "parsing" not in error.partial


def test_a_step_error_outside_of_a_run_has_no_partial_results() -> None:
    assert StepError("human_parsing", "no.").partial == {}


def test_a_step_failing_by_its_input_is_caught_as_either() -> None:
    error = StepInputError("human_parsing", "nobody is seen.")
    assert isinstance(error, StepError)
    assert isinstance(error, InputError)
    assert error.exit_code == 2
