"""Which execution providers a session takes, and how many threads."""

from __future__ import annotations

from ray_backend.vision.session import CPU, CUDA, providers, session_options


def test_the_best_provider_comes_first_and_unknown_ones_are_left_out():
    assert providers([CPU, "AzureExecutionProvider", CUDA]) == [CUDA, CPU]
    assert providers([CPU, "CoreMLExecutionProvider"]) == [CPU]


def test_this_machine_has_at_least_the_cpu():
    assert CPU in providers()


def test_a_call_takes_one_thread_and_idle_threads_do_not_spin():
    options = session_options()
    assert (options.intra_op_num_threads, options.inter_op_num_threads) == (1, 1)
    assert options.get_session_config_entry("session.intra_op.allow_spinning") == "0"
    assert session_options(3).intra_op_num_threads == 3
