"""Who bears a name: found for many names in turns, each of which is short."""

from cab_registry.services.bearers import find_named, find_named_in_turns

BORNE = [(f"lab-{number}", f"Prüflabor Nummer {number}") for number in range(300)] + [("bv", "Bureau Veritas CPS")]


def test_names_are_looked_for_one_in_each_turn() -> None:
    wanted = ["Bureau Veritas", *(f"lab {number}" for number in range(49))]
    assert len(list(find_named_in_turns(wanted, BORNE))) == len(wanted)
    assert find_named(["Bureau Veritas"], BORNE) == ["bv"]
    assert find_named(["Prueflabor Nummer 7", "bureau  veritas cps"], BORNE)[0] == "lab-7"
    assert "bv" in find_named(["Prueflabor Nummer 7", "bureau  veritas cps"], BORNE)
