"""The canonical order, i f g o, and what squashes each gate."""

from __future__ import annotations

from lstm_explain.core.gates import ACTIVATIONS, ENGINE_ORDER, GATES, LETTERS, PEEPHOLE_GATES, Direction, Gate


def test_the_canonical_order_is_i_f_g_o() -> None:
    assert [gate.value for gate in GATES] == ["input_gate", "forget_gate", "candidate", "output_gate"]
    assert "".join(LETTERS[gate] for gate in GATES) == "ifgo"


def test_only_the_candidate_is_squashed_by_tanh() -> None:
    assert [gate for gate in Gate if ACTIVATIONS[gate] == "tanh"] == [Gate.CANDIDATE]
    assert {ACTIVATIONS[gate] for gate in Gate} == {"tanh", "sigmoid"}


def test_every_gate_but_the_candidate_has_a_peephole() -> None:
    assert tuple(gate for gate in GATES if gate is not Gate.CANDIDATE) == PEEPHOLE_GATES


def test_the_engine_knows_every_gate_once() -> None:
    assert sorted(ENGINE_ORDER) == sorted(GATES)


def test_forward_comes_before_backward() -> None:
    assert [direction.value for direction in Direction] == ["forward", "backward"]
